"""Takes what identifies people out of the rows of a dataset, and leaves the same mark wherever the same thing stood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from providers.chat import Json

Check = Callable[[str], bool]


def scrub(row: Json) -> tuple[Json, Counter[str]]:
    """The row with every find replaced by its kind and a number, as `<EMAIL_1>`, and how many of each kind there were.

    One address has one mark throughout the row, so that an answer can still be about the same person.
    """
    marks: dict[str, str] = {}
    found: Counter[str] = Counter()

    def marked(kind: str, text: str) -> str:
        found[kind] += 1
        if text not in marks:
            number = sum(mark.startswith(f"<{kind}_") for mark in marks.values()) + 1
            marks[text] = f"<{kind}_{number}>"
        return marks[text]

    return _mapped(row, marked), found


def luhn(text: str) -> bool:
    """Whether digits end in the check digit that card numbers have."""
    digits = [int(each) for each in text if each.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def mod97(text: str) -> bool:
    """Whether an IBAN's check digits are right (ISO 13616)."""
    bare = re.sub(r"\s", "", text).upper()
    turned = bare[4:] + bare[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def _octets(text: str) -> bool:
    return all(int(each) <= 255 for each in text.split("."))


def _phone(text: str) -> bool:
    """A row of numbers or a date is none: one begins as phone numbers do, or is grouped as in North America."""
    digits = sum(each.isdigit() for each in text)
    return 8 <= digits <= 15 and (text[0] in "+(0" or _AMERICAN.fullmatch(text) is not None)


_AMERICAN = re.compile(r"\d{3}[ .-]\d{3}[ .-]\d{4}")


def _always(_: str) -> bool:
    return True


RULES: Mapping[str, tuple[re.Pattern[str], Check]] = {
    "EMAIL": (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b"), _always),
    "IBAN": (re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}\b"), mod97),
    "CARD": (re.compile(r"\b\d(?:[ -]?\d){12,18}\b"), luhn),
    "SSN": (re.compile(r"\b(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b"), _always),
    "SECRET": (
        re.compile(r"\b(?:sk|pk|rk|gl|ghp|gho|xox[abp])[-_][A-Za-z0-9_-]{16,200}|\bAKIA[0-9A-Z]{16}\b"),
        _always,
    ),
    "IP": (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), _octets),
    "PHONE": (
        re.compile(r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){2,4}(?![\w.])"),
        _phone,
    ),
}
"""In the order in which they are looked for: what one has taken, the next does not see. A find is checked where there
is a check digit, so that an order's number is not taken for a card."""


def _mapped(value: Any, marked: Callable[[str, str], str]) -> Any:
    match value:
        case str():
            for kind, (pattern, good) in RULES.items():
                value = pattern.sub(_marker(kind, good, marked), value)
            return value
        case list():
            return [_mapped(each, marked) for each in value]
        case dict():
            return {name: _mapped(each, marked) for name, each in value.items()}
        case _:
            return value


def _marker(kind: str, good: Check, marked: Callable[[str, str], str]) -> Callable[[re.Match[str]], str]:
    return lambda match: marked(kind, match[0]) if good(match[0]) else match[0]
