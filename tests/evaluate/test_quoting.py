"""What others wrote cannot act where it is shown."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.quoting import cut, fenced, in_html, in_markdown, neutral

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@pytest.mark.parametrize("control", [*BIDI, "\x1b", "\x9b", "\x00", "\x07", "\ufeff", "\u2028", "\ud800", "\uffff"])
def test_what_steers_a_reader_is_spelled_out(control: str) -> None:
    assert control not in neutral(f"a{control}b")
    assert neutral(f"a{control}b").startswith("a\\")


def test_what_people_write_stays() -> None:
    text = "Grüße, 你好, שלום, \u0633\u200c\u0647, \U0001f469\u200d\U0001f467, no-break\u00a0space,\n\ttabs"
    assert neutral(text) == text
    assert neutral("a\r\nb") == "a\nb"


@given(st.text(st.characters(codec=None)))
def test_any_text_is_well_formed_in_xml(text: str) -> None:
    assert ET.fromstring(f"<a>{in_html(text)}</a>").tag == "a"


def test_html_is_text() -> None:
    assert in_html("<script>'\"&") == "&lt;script&gt;&#x27;&quot;&amp;"


def test_markdown_has_no_markup_left() -> None:
    shown = in_markdown("a | ![x](https://evil.example/p.png)\n@octocat `<b>`")
    assert shown == r"a \| \!\[x\]\(https\:\/\/evil\.example\/p\.png\) \@octocat \`\<b\>\`"


def test_a_fence_is_longer_than_any_inside_it() -> None:
    assert fenced("a\n````\nb", "text") == "`````text\na\n````\nb\n`````"


def test_a_long_text_says_how_much_of_it_is_missing() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("a" * 1500, 100) == "a" * 100 + " … (1,400 more characters)"
