"""Cards written by hand, so that what is made of a card is tested apart from how one is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evaluate.card import (
    SCHEMA,
    Arm,
    Card,
    Comparison,
    Counts,
    Example,
    Figure,
    Histogram,
    MetricOfArm,
    Missing,
    Money,
    ParetoPoint,
    Slice,
    Speed,
)
from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.verdict import Verdict, Word


def known(value: float, low: float, high: float, *, n: int = 200, level: float = 0.95, method: str = "t") -> Figure:
    return Figure(interval=Interval(value=value, low=low, high=high, level=level, method=method, n=n))


def metric(name: str, mean: Figure, **more: Any) -> MetricOfArm:
    return MetricOfArm(
        **{
            "metric": name,
            "mean": mean,
            "scored": 200,
            "unscored": 0,
            "successes": None,
            "corrected": None,
            "within": None,
            "between": None,
            "pass_at": {},
            "pass_all": {},
            **more,
        }
    )


def arm(name: str, *, baseline: bool = False, correct: float = 0.8, cost: float = 0.0021, **more: Any) -> Arm:
    return Arm(
        **{
            "name": name,
            "baseline": baseline,
            "prompt": "prompts:/triage/3",
            "endpoint": "openai/gpt-4o-mini",
            "params": {"temperature": 0},
            "models": {"gpt-4o-mini-2024-07-18": 200},
            "counts": Counts(attempted=200, ok=198, errored=2, pending=0, cached=3, errors={"the model timed out": 2}),
            "metrics": (
                metric("correct", known(correct, correct - 0.055, correct + 0.048, method="wilson"), successes=160),
                metric("json_valid", known(0.99, 0.964, 0.997, method="wilson"), successes=198),
                metric("similarity", known(0.71, 0.69, 0.73), unscored=4, scored=194),
            ),
            "money": Money(
                total_nanos=int(cost * 200 * 1e9),
                judge_nanos=12_000_000,
                unknown_cells=0,
                per_item=known(cost, cost * 0.96, cost * 1.04),
                per_success=known(cost / correct, cost / correct * 0.93, cost / correct * 1.08),
            ),
            "speed": Speed(
                n=195,
                total={
                    "p50": known(0.82, 0.79, 0.86, n=195),
                    "p95": known(2.1, 1.9, 2.5, n=195),
                    "p99": Figure(refused="195 calls; the 99 % quantile needs at least 500"),
                },
                first_token={
                    "p50": known(0.31, 0.29, 0.33, n=195),
                    "p95": known(0.62, 0.55, 0.71, n=195),
                    "p99": Figure(refused="195 calls; the 99 % quantile needs at least 500"),
                },
            ),
            "prompt_tokens": 81_200,
            "completion_tokens": 22_900,
            **more,
        }
    )


def verdict(word: Word, *claims: Word, sentence: str = "", **more: Any) -> Verdict:
    return Verdict(word=word, claims=claims or (() if word == "inconclusive" else (word,)), sentence=sentence, **more)


def comparison(
    candidate: str, it: Verdict, difference: Figure, narrow: Figure | None = None, **more: Any
) -> Comparison:
    return Comparison(
        **{
            "metric": "correct",
            "kind": "binary",
            "direction": "higher",
            "role": "primary",
            "candidate": candidate,
            "baseline": "current",
            "n": 198,
            "clusters": None,
            "difference": difference,
            "narrow": narrow or difference,
            "p": PValue(test="McNemar, exact", value=0.0123, n=198),
            "p_adjusted": 0.0246,
            "also": (PValue(test="McNemar, mid-p", value=0.0089),),
            "e_value": 6.1,
            "e_threshold": 20.0,
            "effect_size": 0.19,
            "fixed": 21,
            "broke": 7,
            "ties": 170,
            "mde": 0.061,
            "margin": 0.02,
            "p_not_worse": 0.0001,
            "p_equivalent": 0.98,
            "quantiles": {},
            "histogram": Histogram(edges=(-1.5, -0.5, 0.5, 1.5), counts=(7, 170, 21)),
            "missing": Missing(
                pairs=198, only_candidate=1, only_baseline=1, neither=0, worst_low=0.06, worst_high=0.08
            ),
            "verdict": it,
            "notes": (),
            **more,
        }
    )


BETTER = comparison(
    "terse",
    verdict(
        "better",
        "better",
        "not worse",
        sentence="terse is better than current by 7.1 pp of correct (95 % interval 1.9 to 12.3 pp)",
    ),
    known(0.0707, 0.0188, 0.1231, n=198, method="tango"),
    known(0.0707, 0.0271, 0.1145, n=198, level=0.9, method="tango"),
)
UNSURE = comparison(
    "cheap",
    verdict(
        "inconclusive",
        sentence="the data are consistent with cheap being 5.9 pp worse and 3.8 pp better",
        more_pairs=740,
        more_nanos=2_310_000_000,
    ),
    known(-0.0101, -0.0594, 0.0381, n=198, method="tango"),
    known(-0.0101, -0.0511, 0.0302, n=198, level=0.9, method="tango"),
    p=PValue(test="McNemar, exact", value=0.838, n=198),
    p_adjusted=0.838,
    fixed=11,
    broke=13,
    ties=174,
    histogram=Histogram(edges=(-1.5, -0.5, 0.5, 1.5), counts=(13, 174, 11)),
)
SIMILAR = comparison(
    "terse",
    verdict("worse", sentence="terse is worse than current in similarity"),
    known(-0.021, -0.034, -0.008, n=194),
    metric="similarity",
    kind="numeric",
    role="secondary",
    fixed=None,
    broke=None,
    effect_size=-0.24,
    histogram=Histogram(
        edges=tuple(round(-0.22 + 0.04 * step, 2) for step in range(12)),
        counts=(1, 4, 9, 22, 41, 63, 30, 15, 7, 2, 0),
    ),
)
CERTIFICATE = {
    "id": "c-1",
    "metric": "correct",
    "kappa": Interval(value=0.74, low=0.63, high=0.85, level=0.95, method="Cohen's kappa", n=150).to_json(),
    "sensitivity": Interval(value=0.93, low=0.86, high=0.97, level=0.95, method="wilson", n=88).to_json(),
    "specificity": Interval(value=0.81, low=0.69, high=0.89, level=0.95, method="wilson", n=62).to_json(),
    "labels": 150,
    "created_us": 1_795_000_000_000_000,
}
JUDGE = {
    "metric": "correct",
    "identity": {"prompt": "9c1185a5c5e9fc54", "model": "openai/gpt-4o", "params": {"temperature": 0}},
    "state": "valid",
    "why": None,
    "certificate": CERTIFICATE,
}


def card(**changes: Any) -> Card:
    """Two candidates against a baseline: one better and dearer, one cheaper of which nothing is known."""
    arms = (
        arm("current", baseline=True, correct=0.808),
        arm("terse", correct=0.879, cost=0.0034, endpoint="anthropic/claude-sonnet", prompt="prompts:/triage/4"),
        arm("cheap", correct=0.798, cost=0.0004, endpoint="openai/gpt-4.1-nano"),
    )
    whole = Card(
        schema=SCHEMA,
        evaluation={
            "id": "0199a0b1c2d3e4f5a6b7c8d9e0f1a2b3",
            "name": "Support triage",
            "state": "finished",
            "seed": 7,
            "created_us": 1_795_435_200_000_000,
            "finished_us": 1_795_435_410_000_000,
        },
        dataset={"id": "d-1", "name": "triage", "version": 3, "digest": "9f86d081884c7d65", "split": "test"},
        complete=True,
        rows=200,
        clusters=None,
        repeats=1,
        alpha=0.05,
        margin=0.02,
        primary="correct",
        baseline="current",
        adjustment="Holm",
        metrics=(
            {"name": "correct", "direction": "higher", "kind": "binary"},
            {"name": "json_valid", "direction": "higher", "kind": "binary"},
            {"name": "similarity", "direction": "higher", "kind": "numeric"},
        ),
        arms=arms,
        comparisons=(BETTER, UNSURE, SIMILAR),
        slices=(
            Slice(
                name="language",
                value="de",
                arm="terse",
                n=61,
                mean=known(0.9, 0.8, 0.95, n=61),
                difference=known(0.12, 0.02, 0.22, n=61),
            ),
            Slice(
                name="language",
                value="en",
                arm="terse",
                n=120,
                mean=known(0.87, 0.8, 0.92, n=120),
                difference=known(0.04, -0.02, 0.1, n=120),
            ),
        ),
        slices_hidden=2,
        slice_minimum=20,
        pareto=tuple(
            ParetoPoint(
                arm=each.name,
                quality=_of(each.metrics[0].mean),
                cost=_of(each.money.per_item),
                dominated_by=(),
                on_front=True,
            )
            for each in arms
        ),
        regressions=(
            Example(
                row="row-17",
                preview="My parcel says delivered but nothing came, and the locker code does not work either",
                candidate="terse",
                candidate_score=0.0,
                baseline_score=1.0,
                difference=-1.0,
                candidate_runs=("0199a0b1c2d3e4f5a6b7c8d9e0f1a2c1",),
                baseline_runs=("0199a0b1c2d3e4f5a6b7c8d9e0f1a2c0",),
                candidate_text="billing",
                baseline_text="delivery",
            ),
            Example(
                row="row-42",
                preview="<script>alert(1)</script> \u202eevil\u202c and \x1b[31mred",
                candidate="terse",
                candidate_score=0.0,
                baseline_score=1.0,
                difference=-1.0,
                candidate_runs=("0199a0b1c2d3e4f5a6b7c8d9e0f1a2d1",),
                baseline_runs=("0199a0b1c2d3e4f5a6b7c8d9e0f1a2d0",),
                candidate_text='</pre><img src="https://evil.example/p.png" onerror="alert(1)">\u202e' + "long " * 900,
                baseline_text="| `a` | ![x](https://evil.example/p.png) @octocat",
            ),
        ),
        improvements=(),
        total_nanos=1_216_000_000,
        judge_nanos=36_000_000,
        unknown_cost_cells=0,
        forecast={
            "expected_nanos": 1_180_000_000,
            "low_nanos": 1_050_000_000,
            "high_nanos": 1_320_000_000,
            "level": 0.95,
        },
        judges=(JUDGE,),
        notes=("Latency was measured at 16 calls at once.",),
        reproduce={
            "python": 'from evaluate import compare\n\ncompare("0199a0b1c2d3e4f5a6b7c8d9e0f1a2b3", margin=0.02)\n',
            "shell": "gatelog eval compare 0199a0b1c2d3e4f5a6b7c8d9e0f1a2b3 --margin 0.02\n",
        },
    )
    return replace(whole, **changes)


def _of(it: Figure) -> Interval:
    assert it.interval is not None
    return it.interval
