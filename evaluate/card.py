"""The card of an evaluation: everything that its report, its page and its gate say, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.verdict import Verdict
from providers.chat import Json

SCHEMA = "gatelog.card/1"

Role = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its interval, or the words why there is none."""

    interval: Interval | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of an arm's cells. `ok` are answered; of these `cached` came from a cache."""

    attempted: int
    ok: int
    errored: int
    pending: int
    cached: int
    errors: Mapping[str, int]
    """The commonest errors and how often each came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOfArm:
    """One metric of one arm. Items are rows with at least one scored repeat."""

    metric: str
    mean: Figure
    """Wilson's interval for a binary metric of independent items, else Student's t over rows or their clusters."""
    scored: int
    """Answered cells with a score."""
    unscored: int
    """Answered cells that the scorer could not judge: neither 0 nor 1."""
    successes: int | None
    """Of a binary metric with one repeat: how many items succeeded."""
    corrected: Figure | None
    """What the mean would be without its judge's errors; only of a binary metric whose judge has a certificate."""
    within: float | None
    """Variance between repeats of the same row; None without repeats."""
    between: float | None
    """Variance between rows, with that of the repeats taken out."""
    pass_at: Mapping[str, float]
    """Binary with repeats: the chance that at least one of k tries succeeds, by k."""
    pass_all: Mapping[str, float]
    """The chance that all of k tries succeed (pass^k), by k."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What an arm cost, in nano-dollars. Cells without a known price are counted, never taken as free."""

    total_nanos: int
    judge_nanos: int
    unknown_cells: int
    per_item: Figure
    """Dollars per answered call, cached ones left out."""
    per_success: Figure
    """Dollars per success of the primary metric; only where that is binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds by quantile (`p50`, `p95`, `p99`); cached cells are left out, and too few calls are refused."""

    n: int
    total: Mapping[str, Figure]
    first_token: Mapping[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    name: str
    baseline: bool
    prompt: str | None
    endpoint: str
    params: Mapping[str, Any]
    models: Mapping[str, int]
    """Ids that the provider returned, and how often each."""
    counts: Counts
    metrics: tuple[MetricOfArm, ...]
    money: Money
    speed: Speed
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Paired differences: `counts[i]` of them lie in [edges[i], edges[i+1])."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Rows that only one arm has, or none: the comparison is made on those that both have."""

    pairs: int
    only_candidate: int
    only_baseline: int
    neither: int
    worst_low: float | None
    """The difference if whatever is missing had gone against the candidate; only for metrics between 0 and 1."""
    worst_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One metric of a candidate held against the baseline, row by row. Differences are candidate minus baseline."""

    metric: str
    kind: str
    direction: str
    role: Role
    candidate: str
    baseline: str
    n: int
    clusters: int | None
    difference: Figure
    """At the level 1 - alpha."""
    narrow: Figure
    """At the level 1 - 2 alpha: what is held against the margin."""
    p: PValue | None
    """None while cells are pending: a p-value that is looked at early is not one. See `e_value`."""
    p_adjusted: float | None
    also: tuple[PValue, ...]
    """Other tests of the same difference, to see that nothing hangs on the choice."""
    e_value: float | None
    """Evidence that may be looked at at any time; at or above `e_threshold` the difference is real."""
    e_threshold: float
    effect_size: float | None
    """d_z: the mean difference in standard deviations of the differences."""
    fixed: int | None
    """Binary: rows that only the candidate got right."""
    broke: int | None
    """Binary: rows that only the baseline got right."""
    ties: int
    mde: float | None
    """The smallest difference that so many rows would have shown with 80 % probability."""
    margin: float | None
    p_not_worse: float | None
    p_equivalent: float | None
    quantiles: Mapping[str, Figure]
    """Of latency: differences of `p50` and `p95`."""
    histogram: Histogram | None
    missing: Missing
    verdict: Verdict
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The primary metric among rows with one tag. Shown, not tested: slices are for looking where to look."""

    name: str
    value: str
    arm: str
    n: int
    mean: Figure
    difference: Figure
    """To the baseline on the same rows; refused for the baseline itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """An arm on the plane of cost (dollars per call) and quality (mean of the primary metric)."""

    arm: str
    quality: Interval
    cost: Interval
    dominated_by: tuple[str, ...]
    """Arms that are both better and cheaper, beyond doubt."""
    on_front: bool
    """No arm has a better mean at a lower or equal mean cost: where the line is drawn, sure or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What a judge that saw both answers, in both orders, preferred: `wins`, `ties` and `losses` are the
    candidate's."""

    metric: str
    candidate: str
    baseline: str
    wins: int
    ties: int
    losses: int
    judged: int
    """Pairs that were put to the judge; of answers that are alike nothing was asked."""
    flips: Figure
    """The share of pairs whose winner changed with the order."""
    first_wins: Figure
    """The share of decided judgements that whoever came first won: a half in fairness."""
    position: PValue | None
    """Of no favour for either place."""
    at_equal_length: Figure
    """The win rate that is left where both answers are equally long."""
    length_slope: float | None
    """Log-odds of winning for each standard deviation of the difference in log length."""
    length_p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    arm: str
    elo: float
    low: float
    high: float
    theta: float
    """The strength itself, 0 on average: Elo is 1000 + 400 theta / ln 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Arms by who beat whom, the strongest first."""

    metric: str
    level: float
    prompts: int
    arms: tuple[Ranked, ...]
    refused: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row on which a candidate differs from the baseline, with the runs to look at."""

    row: str
    preview: str
    candidate: str
    candidate_score: float
    baseline_score: float
    difference: float
    candidate_runs: tuple[str, ...]
    baseline_runs: tuple[str, ...]
    candidate_text: str
    baseline_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`complete` is false while cells are pending; then e-values decide and p-values are withheld."""

    schema: str
    evaluation: Mapping[str, Any]
    dataset: Mapping[str, Any]
    complete: bool
    rows: int
    clusters: int | None
    repeats: int
    alpha: float
    margin: float | None
    primary: str
    baseline: str
    adjustment: str
    metrics: tuple[Mapping[str, str], ...]
    """Name, direction and kind of each, the primary first."""
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    """The primary metric of each candidate first."""
    slices: tuple[Slice, ...]
    slices_hidden: int
    """Slices with fewer rows than `slice_minimum`."""
    slice_minimum: int
    pareto: tuple[ParetoPoint, ...]
    regressions: tuple[Example, ...]
    improvements: tuple[Example, ...]
    total_nanos: int
    judge_nanos: int
    unknown_cost_cells: int
    forecast: Mapping[str, Any] | None
    judges: tuple[Mapping[str, Any], ...]
    """Certificates of the judges that scored, as they were handed over."""
    notes: tuple[str, ...]
    reproduce: Mapping[str, str]
    """Code that makes this card again: `python` and `shell`."""
    preferences: tuple[Preference, ...] = ()
    """Of each metric that compares two answers."""
    rankings: tuple[Ranking, ...] = ()
    """Of the same, where there are three arms or more."""

    def comparison(self, candidate: str, metric: str | None = None) -> Comparison:
        metric = metric or self.primary
        for each in self.comparisons:
            if each.candidate == candidate and each.metric == metric:
                return each
        known = ", ".join(sorted({f"{each.candidate}: {each.metric}" for each in self.comparisons}))
        raise KeyError(f"{candidate!r} is not compared by {metric!r}; there are {known or 'no comparisons'}")

    def arm(self, name: str) -> Arm:
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"no arm {name!r}; there are {', '.join(arm.name for arm in self.arms)}")

    def to_json(self) -> Json:
        return asdict(self)
