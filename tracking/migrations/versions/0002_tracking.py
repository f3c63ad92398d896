"""Runs that people log: parameters, metrics, tags, inputs, logged models."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None: ...
