"""The report of a card: HTML in one file, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from evaluate.card import Card
from evaluate.report_html import html
from evaluate.report_markdown import markdown

__all__ = ["FORMS", "html", "json", "markdown", "written"]


def json(card: Card, *, origin: str | None = None) -> str:
    """The card itself, sorted by nothing: its order is that of reading."""
    return orjson.dumps(card.to_json(), option=orjson.OPT_INDENT_2).decode() + "\n"


FORMS: Mapping[str, Callable[..., str]] = {"html": html, "md": markdown, "json": json}
"""By the end of a file's name."""


def written(card: Card, form: str, *, origin: str | None = None) -> str:
    """A report in one of the FORMS, with links to a gateway where its origin is known."""
    return FORMS[form](card, origin=origin)
