"""The registry: models, prompts, their versions, aliases and webhooks."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None: ...
