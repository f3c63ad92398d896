"""What others wrote, made harmless where it is shown: in HTML, in Markdown, in XML, on a terminal."""

from __future__ import annotations

import html
import re
import unicodedata

JOINERS = "\u200c\u200d"
"""Emoji and Persian are spelled with them, and they move nothing."""
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BACKTICKS = re.compile(r"`+")


def neutral(text: str) -> str:
    """Text in which only line breaks and tabs are left of what a terminal, a bidi algorithm or XML would obey.

    The rest is spelled out, as `\\x1b`: a report shows that an answer held it.
    """
    return "".join(each if _is_plain(each) else _spelled(each) for each in text.replace("\r\n", "\n"))


def in_html(text: str) -> str:
    return html.escape(neutral(text))


def in_markdown(text: str) -> str:
    """One line in which nothing is markup: no link, no image, no mention, no end of a table's cell."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(neutral(text).split()))


def fenced(text: str, language: str = "") -> str:
    """A block of Markdown that the text cannot end."""
    whole = neutral(text)
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(whole)), default=0))
    return f"{fence}{language}\n{whole}\n{fence}"


def cut(text: str, most: int) -> str:
    """The beginning of a long text, and how much of it is not there."""
    return text if len(text) <= most else f"{text[:most].rstrip()} … ({len(text) - most:,} more characters)"


def _is_plain(character: str) -> bool:
    if character.isprintable() or character in "\n\t" or character in JOINERS:
        return True
    return unicodedata.category(character) == "Zs"


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
