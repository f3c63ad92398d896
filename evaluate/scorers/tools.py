"""Scorers of tool calls: whether the answer calls what was expected, with what was expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from evaluate.cells import Value
from evaluate.scorers.options import Entries, Entry, Means, Options
from evaluate.scorers.scorer import Sample, Scorer, Unscored, by_code, expected
from evaluate.scorers.structure import f1, leaves
from evaluate.scorers.text import AGAINST, identity


class ToolCallOptions(Options):
    match: Literal["exact", "fuzzy", "trajectory"] = Field(
        default="exact",
        description="the same calls in the same order; how alike they are, from 0 to 1; or the way that is taken",
    )
    order: Literal["strict", "unordered", "subset", "superset"] | None = Field(
        default=None,
        description="for a trajectory: the same calls in this order (the default) or in any, none but the expected, "
        "or at least those, in this order with others between",
    )
    arguments: bool = Field(default=True, description="compare what the tools are called with, not their names alone")
    against: str = Field(
        default="expected_tool_calls",
        description="the row's expectation: a list of objects with `name` and `arguments`",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.order is not None and self.match != "trajectory":
            raise ValueError("`order` is for `match: trajectory`")
        return self


@dataclass(frozen=True, slots=True)
class ToolUse:
    name: str
    arguments: Any

    def shown(self) -> str:
        return f"{self.name}({orjson.dumps(self.arguments).decode()})"


def tool_calls(options: ToolCallOptions, means: Means) -> Scorer:
    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        wanted = _uses(expected(sample, options.against), f"the row's {options.against!r}", options.arguments)
        try:
            said = made(sample, arguments=options.arguments)
        except Unscored as why:
            return (0.0 if options.match == "fuzzy" else False), str(why)
        value = _alike(said, wanted) if options.match == "fuzzy" else _follows(said, wanted, options.order or "strict")
        return value, f"called {_shown(said)}; expected {_shown(wanted)}"[:2000]

    return Scorer(
        name=options.called,
        kind="numeric" if options.match == "fuzzy" else "binary",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        identity=identity(options),
    )


def made(sample: Sample, *, arguments: bool = True) -> list[ToolUse]:
    """The calls of the answer. Raises Unscored where their arguments are not JSON."""
    called = (sample.output or {}).get("tool_calls") or []
    return _uses([call["function"] for call in called if call.get("function")], "the answer", arguments)


def _uses(value: Any, where: str, arguments: bool) -> list[ToolUse]:
    if not isinstance(value, list):
        raise Unscored(f"{where} must be a list of objects with `name` and `arguments`, not {value!r:.100}")
    return [_use(each, where, arguments) for each in value]


def _use(value: Any, where: str, arguments: bool) -> ToolUse:
    match value:
        case {"function": dict() as function}:
            return _use(function, where, arguments)
        case {"name": str() as name}:
            given = value.get("arguments", {}) if arguments else {}
            try:
                return ToolUse(name, orjson.loads(given or "{}") if isinstance(given, str) else given)
            except orjson.JSONDecodeError as exc:
                raise Unscored(f"{where} calls {name!r} with arguments that are not JSON: {exc.msg}") from exc
    raise Unscored(f"{where} must hold objects with `name` and `arguments`, not {value!r:.100}")


def _follows(said: Sequence[ToolUse], wanted: Sequence[ToolUse], order: str) -> bool:
    match order:
        case "strict":
            return said == wanted
        case "unordered":
            return _counted(said) == _counted(wanted)
        case "subset":
            return _counted(said) <= _counted(wanted)
        case _:
            rest = iter(said)
            return all(each in rest for each in wanted)


def _counted(uses: Sequence[ToolUse]) -> Counter[bytes]:
    return Counter(orjson.dumps([each.name, each.arguments], option=orjson.OPT_SORT_KEYS) for each in uses)


def _alike(said: Sequence[ToolUse], wanted: Sequence[ToolUse]) -> float:
    """The most that a pairing of calls of the same name gives, a pair half for the name and half for the arguments."""
    if not said and not wanted:
        return 1.0
    from scipy.optimize import linear_sum_assignment

    alike = [[_pair(one, other) for other in wanted] for one in said]
    if not said or not wanted:
        return 0.0
    rows, columns = linear_sum_assignment(alike, maximize=True)
    total = sum(alike[row][column] for row, column in zip(rows, columns, strict=True))
    return float(2 * total / (len(said) + len(wanted)))


def _pair(one: ToolUse, other: ToolUse) -> float:
    if one.name != other.name:
        return 0.0
    both = [leaves(each.arguments, ordered=True, ignore_case=True) for each in (one, other)]
    return (1 + f1(both[0], both[1])[0]) / 2


def _shown(uses: Sequence[ToolUse]) -> str:
    return ", ".join(each.shown() for each in uses) or "nothing"


ENTRIES: Entries = {
    "tool_calls": Entry(
        about="The answer calls the tools that were expected, with the arguments that were expected.",
        options=ToolCallOptions,
        build=tool_calls,
        packages=("scipy",),
    ),
}
