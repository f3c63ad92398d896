"""Every scorer by its name, and from the entries of a file to scorers."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evaluate.cells import COST, LATENCY
from evaluate.scorers import (
    custom,
    http,
    judged,
    labels,
    measured,
    overlap,
    pairwise,
    readability,
    retrieval,
    structure,
    text,
    tools,
)
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Scorer
from providers.chat import Json

SCORERS: Entries = {
    **text.ENTRIES,
    **structure.ENTRIES,
    **overlap.ENTRIES,
    **readability.ENTRIES,
    **tools.ENTRIES,
    **labels.ENTRIES,
    **retrieval.ENTRIES,
    **measured.ENTRIES,
    **judged.ENTRIES,
    **pairwise.ENTRIES,
    **custom.ENTRIES,
    **http.ENTRIES,
}


class InvalidScorer(ValueError):
    """An entry that asks for no scorer. The message says which, what is wrong with it and what would be right."""


def build(entries: Sequence[Any], means: Means) -> tuple[Scorer, ...]:
    """The scorers that a list of entries asks for, such as `[{"scorer": "regex", "pattern": "^yes"}, "json_valid"]`.

    Raises InvalidScorer, with everything that is wrong.
    """
    faults: list[str] = []
    scorers: list[Scorer] = []
    for at, given in enumerate(entries):
        try:
            entry, options = _checked(given)
            scorers.append(entry.build(options, means))
        except (InvalidScorer, Unfit) as exc:
            faults.append(f"scorers[{at}]: {exc}")
    seen: set[str] = set()
    for scorer in scorers:
        if scorer.name in (COST, LATENCY):
            faults.append(f"every cell has a metric {scorer.name!r} without a scorer; give this one another `name`")
        if scorer.name in seen:
            faults.append(f"two scorers are called {scorer.name!r}; give one of them another `name`")
        seen.add(scorer.name)
    if faults:
        raise InvalidScorer("\n".join(faults))
    return tuple(scorers)


def _checked(given: Any) -> tuple[Entry, Options]:
    said: Json
    match given:
        case str():
            said = {"scorer": given}
        case {"scorer": str()}:
            said = dict(given)
        case _:
            raise InvalidScorer(
                f"write a scorer as its name or as an object such as {{'scorer': 'exact'}}, not {given!r:.200}"
            )
    name = said["scorer"]
    if (entry := SCORERS.get(name)) is None:
        near = difflib.get_close_matches(name, list(SCORERS), n=1)
        hint = f"did you mean {near[0]!r}? there are" if near else "there are"
        raise InvalidScorer(f"there is no scorer {name!r}; {hint} {', '.join(sorted(SCORERS))}")
    if missing := [package for package in entry.packages if importlib.util.find_spec(package) is None]:
        raise InvalidScorer(f"{name} needs {', '.join(missing)}; pip install 'gatelog[evaluate]'")
    try:
        return entry, entry.options.model_validate(said)
    except ValidationError as exc:
        faults = "; ".join(_sentence(error, entry.options) for error in exc.errors(include_url=False))
        raise InvalidScorer(f"{name}: {faults}") from exc


def _sentence(error: ErrorDetails, options: type[Options]) -> str:
    place = ".".join(map(str, error["loc"])) or "the entry"
    known = {field.alias or name for name, field in options.model_fields.items()} - {"scorer"}
    match error["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(place, list(known), n=1)
            hint = f"did you mean {near[0]!r}? it takes" if near else "it takes"
            return f"it has no option {place!r}; {hint} {', '.join(sorted(known))}"
        case "missing":
            return f"{place!r} is missing: {_description(options, place)}"
        case "value_error":
            return f"{place}: {str(error['msg']).removeprefix('Value error, ')}"
        case _:
            return f"{place}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r:.100}"


def _description(options: type[Options], place: str) -> str:
    fields: Mapping[str, Any] = {field.alias or name: field for name, field in options.model_fields.items()}
    return (fields[place].description if place in fields else None) or "it must be given"
