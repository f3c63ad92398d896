"""The file of a gate: criteria that a candidate has to meet, read from YAML and doubted."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

Test = Literal["superiority", "non_inferiority", "equivalence"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Alpha = Annotated[float, Field(gt=0, lt=0.5)]
SHOWN_MOST = 60


class InvalidGate(ValueError):
    """A gate's file that cannot be used, with everything that is wrong with it, a line each."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Primary(_Part):
    """What the comparison with the baseline has to show."""

    metric: str
    test: Test = "superiority"
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """How much worse still counts as not worse; for superiority, how much better it has to be at least."""
    alpha: Alpha = 0.05

    @model_validator(mode="after")
    def _has_a_margin(self) -> Primary:
        if self.test != "superiority" and not self.margin:
            raise ValueError(
                f"{self.test} needs a margin above 0, decided before anybody looks; 0.02 is two points of a hundred"
            )
        return self


class Floor(_Part):
    """What a metric of the candidate has to reach by itself, beyond doubt."""

    metric: str
    wilson_lower: Share | None = None
    """The lower end of Wilson's interval of a binary metric."""
    lower: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The lower end of the interval of any metric's mean."""
    upper: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The upper end, for metrics where lower is better."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Floor:
        given = [name for name in ("wilson_lower", "lower", "upper") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"say one of wilson_lower, lower, upper; this says {', '.join(given) or 'none of them'}")
        return self


class Ceiling(_Part):
    """Dollars at most, or at most so many times the baseline's."""

    max: Positive | None = None
    max_ratio: Positive | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Ceiling:
        if self.max is None and self.max_ratio is None:
            raise ValueError("say max (dollars), max_ratio (of the baseline's), or both")
        return self


class Budget(_Part):
    usd_per_1k: Ceiling | None = None
    """Of a thousand calls."""
    usd_per_success: Ceiling | None = None
    usd_total: Positive | None = None
    """Of the whole evaluation: all arms and their judges."""


class Latency(_Part):
    """Milliseconds at most, of calls that no cache answered. `ttft` is the time to the first token."""

    p50_ms: Positive | None = None
    p95_ms: Positive | None = None
    p99_ms: Positive | None = None
    ttft_p50_ms: Positive | None = None
    ttft_p95_ms: Positive | None = None
    ttft_p99_ms: Positive | None = None


class Require(_Part):
    """What makes the evidence good enough to be looked at."""

    judge_kappa_lower: Annotated[float, Field(ge=-1, le=1)] | None = None
    """The lower end of the interval of every judge's agreement with people."""
    min_pairs: Annotated[int, Field(ge=1)] | None = None
    """Rows that both arms have a score of the primary metric for."""
    max_missing: Share | None = None
    """Of the candidate's calls: the share that failed or could not be scored by the primary metric."""


class Gate(_Part):
    candidate: str | None = None
    """Which variant is judged; needed where the evaluation has several besides the baseline."""
    primary: Primary | None = None
    floors: tuple[Floor, ...] = ()
    budget: Budget = Budget()
    latency: Latency = Latency()
    require: Require = Require()

    @model_validator(mode="after")
    def _asks_something(self) -> Gate:
        if self == Gate.model_construct(candidate=self.candidate):
            raise ValueError("it has no criterion: say at least one of primary, floors, budget, latency, require")
        return self


def read(text: str) -> Gate:
    """Raises InvalidGate."""
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise InvalidGate([f"this is no YAML: {' '.join(str(exc).split())}"]) from exc
    if not isinstance(said, dict):
        raise InvalidGate([f"a gate is a mapping with {', '.join(Gate.model_fields)}, not {_shown(said)}"])
    try:
        return Gate.model_validate(said)
    except ValidationError as exc:
        raise InvalidGate([_line(error) for error in exc.errors(include_url=False)]) from exc


def read_file(path: Path) -> Gate:
    try:
        text = path.read_text("utf-8")
    except OSError as exc:
        raise InvalidGate([f"{path} cannot be read: {exc.strerror}"]) from exc
    except UnicodeDecodeError as exc:
        raise InvalidGate([f"{path} is not UTF-8: {exc.reason} at byte {exc.start}"]) from exc
    try:
        return read(text)
    except InvalidGate as exc:
        raise InvalidGate([f"{path}: {line}" for line in exc.lines]) from exc


def _line(error: ErrorDetails) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).removeprefix(".")
    return f"{place}: {_sentence(error)}" if place else _sentence(error)


def _sentence(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            name, known = str(error["loc"][-1]), _known(error["loc"][:-1])
            near = difflib.get_close_matches(name, known, 1)
            return f"there is no {name!r}{f' (do you mean {near[0]!r}?)' if near else ''}; there are {', '.join(known)}"
        case "missing":
            return "this is missing"
        case "value_error":
            return str(error["ctx"]["error"])
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"this should be a mapping with {', '.join(_known(error['loc']))}, not {_shown(error['input'])}"
        case _:
            return f"{_shown(error['input'])} cannot be used: {error['msg'].replace('Input', 'it', 1)}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    """The names that a place of a gate has."""
    model: Any = Gate
    for part in place:
        if isinstance(part, int):
            continue
        model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_MOST else f"{text[: SHOWN_MOST - 1]}…"
