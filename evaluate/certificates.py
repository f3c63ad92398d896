"""Judges' certificates: how far a judge agrees with people, and whether it is still the one that was certified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from evaluate.cells import Cell, Value
from providers.chat import Json

FEWEST = 10
"""Labels below which nothing is said of a judge: the interval of its agreement would reach from nothing to all."""
NAMING = ("name", "judge")
"""In what an evaluation keeps of a scorer: not what decides what it says."""


def judges_of(scorers: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    """Those of an evaluation's scorers that ask a model: their identities by the metric that they give."""
    return {
        str(each["name"]): {name: value for name, value in each.items() if name not in NAMING}
        for each in scorers
        if each.get("judge")
    }


def digest_of(identity: Mapping[str, Any]) -> str:
    """Of the judge's prompt, its model, its parameters and its options: another digest is another judge."""
    return hashlib.sha256(orjson.dumps(dict(identity), option=orjson.OPT_SORT_KEYS)).hexdigest()


def standing(scorers: Sequence[Mapping[str, Any]], certificates: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Of each judge of an evaluation whether it has a certificate: `valid`, `expired` or `none`, and why.

    `certificates` are those of its metrics, the newest first.
    """
    return [_standing(metric, identity, certificates) for metric, identity in judges_of(scorers).items()]


def shared(standings: Sequence[Sequence[Mapping[str, Any]]]) -> list[Json]:
    """The standing of the judges of several evaluations that are compared as one. Where a metric has had two of them,
    their scores cannot be held against each other as one judge's, so no certificate speaks for both."""
    found: dict[str, Json] = {}
    for each in (each for judges in standings for each in judges):
        first = found.setdefault(each["metric"], dict(each))
        if first["digest"] != each["digest"]:
            one, two = first["identity"], each["identity"]
            said = ", ".join(f"{name} {one.get(name)!r} and {two.get(name)!r}" for name in _unlike(one, two))
            why = f"the evaluations had two judges: {said}"
            found[each["metric"]] = {**first, "state": "none", "why": why, "certificate": None}
    return list(found.values())


def _standing(metric: str, identity: Json, certificates: Sequence[Mapping[str, Any]]) -> Json:
    digest = digest_of(identity)
    said: Json = {"metric": metric, "identity": identity, "digest": digest}
    mine = [each for each in certificates if each["metric"] == metric]
    valid = next((each for each in mine if each["digest"] == digest), None)
    if valid is not None:
        return {**said, "state": "valid", "why": None, "certificate": dict(valid)}
    if not mine:
        why = "nobody has labelled answers to hold it against, so it has no certificate"
        return {**said, "state": "none", "why": why, "certificate": None}
    return {**said, "state": "expired", "why": changed(mine[0]["identity"], identity), "certificate": None}


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What makes it another judge than the one that was certified, in words."""
    said = ", ".join(f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in _unlike(before, now))
    return f"another judge was certified: {said}"


def paired(cells: Sequence[Cell], metric: str, labels: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Json]:
    """People's verdict beside the judge's, for each answer that has both. Of several labels the most frequent counts;
    where none is, people do not know themselves, and the answer is left out."""
    found = []
    for cell in cells:
        score = cell.scores.get(metric)
        if cell.run_id is None or score is None or score.value is None or score.source != "judge":
            continue
        human = agreed([each["value"] for each in labels.get(cell.run_id, ())])
        if human is not None:
            found.append({"human": human, "judge": score.value})
    return found


def agreed(values: Sequence[Value]) -> Value:
    """What most say; None where that is nothing, or two things."""
    said = [value for value in values if value is not None]
    counts = {_keyed(value): sum(_keyed(other) == _keyed(value) for other in said) for value in said}
    most = [key for key, count in counts.items() if count == max(counts.values())]
    return next(value for value in said if _keyed(value) == most[0]) if len(most) == 1 else None


def certify(pairs: Sequence[Mapping[str, Any]], *, level: float = 0.95) -> Json:
    """The figures of a certificate. Raises Refused where labels are too few, or all of one kind.

    Wants libraries for numbers, so it is called in a worker.
    """
    from evaluate.statistics import agreement, proportion
    from evaluate.statistics.refusal import Refused

    if len(pairs) < FEWEST:
        raise Refused(f"{len(pairs)} answers have both a label and a judge's verdict; at least {FEWEST} are needed")
    human, judge = [each["human"] for each in pairs], [each["judge"] for each in pairs]
    kinds = {type(each) for each in (*human, *judge)}
    if kinds == {bool}:
        passed = [said for label, said in zip(human, judge, strict=True) if label]
        failed = [said for label, said in zip(human, judge, strict=True) if not label]
        if not passed or not failed:
            only = "pass" if passed else "fail"
            raise Refused(f"people let all {len(pairs)} answers {only}; label some of the other kind too")
        return {
            "kind": "binary",
            "kappa": agreement.kappa(human, judge, level=level).to_json(),
            "ac1": agreement.ac1(human, judge, level=level).to_json(),
            "agreement": agreement.observed(human, judge, level).to_json(),
            "sensitivity": proportion.wilson(sum(passed), len(passed), level).to_json(),
            "specificity": proportion.wilson(len(failed) - sum(failed), len(failed), level).to_json(),
        }
    graded = kinds <= {int, float}
    if not graded and kinds != {str}:
        raise Refused("people and the judge answer in different kinds of values: label as the judge does")
    return {
        "kind": "graded" if graded else "category",
        "kappa": agreement.kappa(human, judge, weights="quadratic" if graded else None, level=level).to_json(),
        "ac1": agreement.ac1(human, judge, level=level).to_json(),
        "agreement": agreement.observed(human, judge, level).to_json(),
        "sensitivity": None,
        "specificity": None,
    }


def _keyed(value: Value) -> tuple[bool, Value]:
    """True is not 1."""
    return isinstance(value, bool), value


def _unlike(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))
