"""The evaluations of `gatelog demo seed`: real ones, of answers that `demo/echo` says again."""

from __future__ import annotations

import random
from pathlib import Path

from evaluate.client import Gatelog
from gateway.commands import demo_words as words
from gateway.commands import evaluation
from gateway.commands.remote import own
from providers.chat import Json

ROWS = 90
VARIANTS = (("version 2", 0.68, 1.0), ("version 3", 0.86, 0.8), ("version 4", 0.9, 0.6))
"""How many of its answers name the order, and how much of the answer is kept."""


def made(config: Path | None, store: str | None, seed: int) -> int:
    with own(config, store) as (url, key), Gatelog(url, key) as gateway:
        heads = [evaluation.made(gateway, evaluation.read("capitals"), None), gateway.create(_support(seed))]
        for head in heads:
            evaluation.followed(gateway, head["id"])
    return len(heads)


def _support(seed: int) -> Json:
    """Whether replies of three versions of a prompt name the order that they are about."""
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same answers
    return {
        "name": "support replies: versions 2 to 4",
        "start": False,
        "rows": [_row(rng, n) for n in range(ROWS)],
        "variants": [
            {
                "name": name,
                "endpoint": "demo/echo",
                "messages": "{{ " + name.replace(" ", "_") + " }}",
                "params": {"max_tokens": 300},
                "baseline": name == VARIANTS[0][0],
            }
            for name, _, _ in VARIANTS
        ],
        "scorers": [
            {"scorer": "contains", "name": "names the order"},
            {"scorer": "length", "name": "words", "unit": "words"},
        ],
        "primary": "names the order",
        "compare": {"alpha": 0.05, "margin": 0.05},
    }


def _row(rng: random.Random, n: int) -> Json:
    order = f"{rng.choice(('NL', 'DE', 'FR', 'PL'))}-{rng.randrange(100_000, 999_999)}"
    product, city, day = (rng.choice(each) for each in (words.PRODUCTS, words.CITIES, words.DAYS))
    gaps = {"order": order, "product": product, "city": city, "day": day, "name": rng.choice(words.NAMES)}
    pairs = [pair for pair in words.SUPPORT_PAIRS if "{order}" in pair[1]]
    question, answer = rng.choice(pairs)
    inputs = {"question": question.format_map(gaps)}
    for name, share, kept in VARIANTS:
        said = answer.format_map(gaps)
        if rng.random() > share:
            said = said.replace(order, "your order").replace("order your order", "your order")
        sentences = said.split(". ")
        inputs[name.replace(" ", "_")] = ". ".join(sentences[: max(1, round(len(sentences) * kept))])
    return {"inputs": inputs, "expectations": {"expected_response": order}, "tags": {"city": city, "number": str(n)}}
