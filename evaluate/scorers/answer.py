"""Which part of an answer is scored, and against what."""

from __future__ import annotations

import re
from typing import Any

import orjson
from pydantic import Field

from evaluate.scorers.options import Options
from evaluate.scorers.scorer import Sample, Unscored, expected

FENCE = re.compile(r"\A\s*```[\w-]*[ \t]*\n(?P<inside>.*?)\n?[ \t]*```\s*\Z", re.DOTALL)
"""An answer that is one fenced block and nothing else."""
SPACES = re.compile(r"\s+")
EXPECTED = "expected_response"


class AnswerOptions(Options):
    """For scorers that read text."""

    field: str | None = Field(
        default=None,
        pattern=r"^(/[^/]*)+$",
        description="a JSON Pointer such as `/label`: score that part of the answer, which must be JSON",
    )


class AgainstOptions(AnswerOptions):
    """For scorers that compare with what was expected."""

    against: str = Field(default=EXPECTED, description="the name of the row's expectation to compare with")


class NormalOptions(AgainstOptions):
    ignore_case: bool = Field(default=False, description="take A and a for the same")
    ignore_space: bool = Field(default=False, description="take any run of white space for one space, and trim")

    def normal(self, text: str) -> str:
        if self.ignore_space:
            text = SPACES.sub(" ", text).strip()
        return text.casefold() if self.ignore_case else text


def text_of(sample: Sample, options: AnswerOptions) -> str:
    """The answer, or the part of it that is scored, as text. Raises Unscored where there is no such part."""
    if options.field is None:
        return sample.text
    return as_text(pointed(parsed(sample.text, fenced=True), options.field))


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def unfenced(text: str) -> str:
    """What stands in the one fenced block that a text is; the text itself where it is not."""
    match = FENCE.match(text)
    return match["inside"] if match else text


def parsed(text: str, *, fenced: bool) -> Any:
    try:
        return orjson.loads(unfenced(text) if fenced else text)
    except orjson.JSONDecodeError as exc:
        raise Unscored(f"the answer is not JSON: {exc.msg} at character {exc.pos}") from exc


def pointed(value: Any, pointer: str) -> Any:
    """RFC 6901."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        match value:
            case dict() if name in value:
                value = value[name]
            case list() if name.isascii() and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            case _:
                raise Unscored(f"the answer has nothing at {pointer!r}")
    return value


def references(sample: Sample, against: str) -> list[str]:
    """What was expected, as texts: one, or any of several."""
    value = expected(sample, against)
    several = value if isinstance(value, list) else [value]
    if not several:
        raise Unscored(f"the row's {against!r} is an empty list; give a text or several")
    for each in several:
        if not isinstance(each, str | int | float):
            raise Unscored(f"the row's {against!r} must be a text, a number or a list of those, not {each!r:.100}")
    return [as_text(each) for each in several]
