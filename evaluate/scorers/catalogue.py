"""The scorers that there are, for those who choose among them: what each is for and which options it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluate.scorers import http, judged, labels, measured, overlap, pairwise, readability, retrieval, structure, tools
from evaluate.scorers import text as texts
from evaluate.scorers.judged import JudgeOptions
from evaluate.scorers.options import Entries, Entry
from providers.chat import Json

GROUPS: Mapping[str, Entries] = {
    "Text": texts.ENTRIES,
    "Structure": structure.ENTRIES,
    "Overlap with a reference": overlap.ENTRIES,
    "Readability": readability.ENTRIES,
    "Tools": tools.ENTRIES,
    "Labels and numbers": labels.ENTRIES,
    "Retrieval": retrieval.ENTRIES,
    "Measured": measured.ENTRIES,
    "Judged by a model": judged.ENTRIES,
    "Compared by a model": pairwise.ENTRIES,
    "A service of yours": http.ENTRIES,
}
"""Those that a request may ask for. Files of Python are for `gatelog eval run`, which reads them."""


def catalogue() -> list[Json]:
    return [_shown(name, group, entry) for group, entries in GROUPS.items() for name, entry in entries.items()]


def _shown(name: str, group: str, entry: Entry) -> Json:
    schema = entry.options.model_json_schema()
    needed = schema.get("required", ())
    return {
        "scorer": name,
        "group": group,
        "about": entry.about,
        "judge": issubclass(entry.options, JudgeOptions),
        "options": [
            {
                "name": option,
                "type": _type(said),
                "choices": _choices(said),
                "required": option in needed,
                "default": said.get("default"),
                "about": said.get("description", ""),
            }
            for option, said in schema["properties"].items()
            if option != "scorer"
        ],
    }


def _types(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What an option may be, but for nothing."""
    return [each for each in said.get("anyOf", (said,)) if each.get("type") != "null"]


def _type(said: Mapping[str, Any]) -> str:
    """`text`, `number`, `whole`, `flag`, or `json` for whatever is more."""
    kinds = {each.get("type") for each in _types(said)}
    plain = {"string": "text", "number": "number", "integer": "whole", "boolean": "flag"}
    # A text or a list of them: one text is what most write.
    kinds -= {"array"} if "string" in kinds else set()
    return plain.get(str(next(iter(kinds))), "json") if len(kinds) == 1 else "json"


def _choices(said: Mapping[str, Any]) -> list[Any] | None:
    return next((list(each["enum"]) for each in _types(said) if "enum" in each), None)
