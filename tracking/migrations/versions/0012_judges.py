"""Certificates of judges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_Json = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "judge_certificates",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("metric", sa.String, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("identity", _Json, nullable=False),
        sa.Column("evaluation_id", sa.String, nullable=False),
        sa.Column("labels", sa.BigInteger, nullable=False),
        sa.Column("figures", _Json, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("made_by", sa.String),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_index("judge_certificates_metric", "judge_certificates", ["metric", "created_us"])
