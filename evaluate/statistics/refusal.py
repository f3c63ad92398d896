"""What a statistic answers when the numbers cannot carry it."""

from __future__ import annotations


class Refused(ValueError):
    """There is no honest figure. The message says what is missing and what would be enough."""
