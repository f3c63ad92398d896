"""Scorers of texts by the n-grams that they share with references: BLEU, chrF, TER, ROUGE, METEOR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from evaluate.cells import Direction, Value
from evaluate.scorers.answer import AgainstOptions, references, text_of
from evaluate.scorers.options import Entries, Entry, Means, Unfit
from evaluate.scorers.scorer import Sample, Scorer, Summary, Unscored, by_code
from evaluate.scorers.text import AGAINST, identity


class BleuOptions(AgainstOptions):
    tokenize: Literal["13a", "intl", "char", "zh", "none"] = Field(default="13a", description="sacrebleu's tokenizer")
    lowercase: bool = Field(default=False, description="take A and a for the same")


class ChrfOptions(AgainstOptions):
    words: int = Field(default=0, ge=0, le=4, description="the order of word n-grams beside characters'; 2 is chrF++")
    lowercase: bool = Field(default=False, description="take A and a for the same")


class TerOptions(AgainstOptions):
    case_sensitive: bool = Field(default=False, description="take A and a for different")


class RougeOptions(AgainstOptions):
    measure: Literal["rouge1", "rouge2", "rougeL", "rougeLsum"] = Field(
        default="rougeL", description="unigrams, bigrams, the longest common subsequence, or its union by lines"
    )
    of: Literal["f", "precision", "recall"] = Field(default="f", description="F1, precision or recall")
    stem: bool = Field(default=False, description="compare English stems (Porter's)")


class MeteorOptions(AgainstOptions):
    synonyms: bool = Field(default=True, description="match synonyms by WordNet, which must have been downloaded")
    alpha: float = Field(default=0.9, gt=0, lt=1, description="the weight of recall over precision")
    beta: float = Field(default=3.0, gt=0, description="the exponent of the penalty for fragments")
    gamma: float = Field(default=0.5, ge=0, le=1, description="the most that the penalty can be")


def bleu(options: BleuOptions, means: Means) -> Scorer:
    from sacrebleu.metrics.bleu import BLEU

    sentence = BLEU(tokenize=options.tokenize, lowercase=options.lowercase, effective_order=True)
    corpus = BLEU(tokenize=options.tokenize, lowercase=options.lowercase)
    return _sacrebleu(options, sentence, corpus, "higher")


def chrf(options: ChrfOptions, means: Means) -> Scorer:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF(word_order=options.words, lowercase=options.lowercase)
    return _sacrebleu(options, metric, metric, "higher")


def ter(options: TerOptions, means: Means) -> Scorer:
    from sacrebleu.metrics.ter import TER

    metric = TER(case_sensitive=options.case_sensitive)
    return _sacrebleu(options, metric, metric, "lower")


def _sacrebleu(options: AgainstOptions, sentence: Any, corpus: Any, direction: Direction) -> Scorer:
    def judgement(sample: Sample) -> Value:
        return float(sentence.sentence_score(text_of(sample, options), references(sample, options.against)).score)

    def score_of_all(samples: Sequence[Sample]) -> Mapping[str, float | None]:
        said, wanted = scorable(samples, options)
        # sacrebleu takes one list per reference; a row that has fewer than others leaves its places empty.
        most = max((len(each) for each in wanted), default=0)
        columns = [[each[at] if at < len(each) else None for each in wanted] for at in range(most)]
        whole = float(corpus.corpus_score(said, columns).score) if said else None
        return {f"{options.called}/corpus": whole}

    return _overlap(options, judgement, direction, score_of_all, _version())


def _version() -> str:
    import sacrebleu

    return f"sacrebleu {sacrebleu.__version__}"


def scorable(samples: Sequence[Sample], options: AgainstOptions) -> tuple[list[str], list[list[str]]]:
    """Answers and references of those that have both."""
    said, wanted = [], []
    for sample in samples:
        try:
            pair = text_of(sample, options), references(sample, options.against)
        except Unscored:
            continue
        said.append(pair[0])
        wanted.append(pair[1])
    return said, wanted


def rouge(options: RougeOptions, means: Means) -> Scorer:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([options.measure], use_stemmer=options.stem)
    which = {"f": "fmeasure", "precision": "precision", "recall": "recall"}[options.of]

    def judgement(sample: Sample) -> Value:
        said = text_of(sample, options)
        all = [scorer.score(wanted, said)[options.measure] for wanted in references(sample, options.against)]
        return max(float(getattr(each, which)) for each in all)

    return _overlap(options, judgement, "higher", None, "rouge-score")


def meteor(options: MeteorOptions, means: Means) -> Scorer:
    try:
        from nltk.translate.meteor_score import single_meteor_score
    except ModuleNotFoundError as exc:
        raise Unfit("meteor: NLTK is not installed; pip install 'gatelog[meteor]'") from exc
    wordnet = _wordnet() if options.synonyms else _NoSynonyms()

    def judgement(sample: Sample) -> Value:
        said = text_of(sample, options).split()
        all = [
            single_meteor_score(
                wanted.split(),
                said,
                wordnet=wordnet,
                alpha=options.alpha,
                beta=options.beta,
                gamma=options.gamma,
            )
            for wanted in references(sample, options.against)
        ]
        return max(map(float, all))

    return _overlap(options, judgement, "higher", None, "nltk")


class _NoSynonyms:
    """In WordNet's place, for METEOR by exact words and stems alone."""

    def synsets(self, word: str) -> list[Any]:
        return []


def _wordnet() -> Any:
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError as exc:
        raise Unfit(
            "meteor: WordNet is not on this machine; run `python -m nltk.downloader wordnet`, or set "
            "`synonyms: false` for METEOR by exact words and stems alone"
        ) from exc
    return wordnet


def _overlap(
    options: AgainstOptions,
    judgement: Callable[[Sample], Value],
    direction: Direction,
    summarize: Summary | None,
    signature: str,
) -> Scorer:
    return Scorer(
        name=options.called,
        kind="numeric",
        direction=direction,
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        summarize=summarize,
        identity={**identity(options), "by": signature},
    )


ENTRIES: Entries = {
    "bleu": Entry(
        about="BLEU by sacrebleu, 0 to 100: smoothed for each row, and the corpus's own for the arm.",
        options=BleuOptions,
        build=bleu,
        packages=("sacrebleu",),
    ),
    "chrf": Entry(
        about="chrF by sacrebleu, 0 to 100, of each row and of the corpus.",
        options=ChrfOptions,
        build=chrf,
        packages=("sacrebleu",),
    ),
    "ter": Entry(
        about="TER by sacrebleu, in edits per 100 words of the reference; less is better.",
        options=TerOptions,
        build=ter,
        packages=("sacrebleu",),
    ),
    "rouge": Entry(about="ROUGE by rouge-score, 0 to 1.", options=RougeOptions, build=rouge, packages=("rouge_score",)),
    "meteor": Entry(about="METEOR by NLTK, 0 to 1.", options=MeteorOptions, build=meteor),
}
