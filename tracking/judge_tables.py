"""The table of judges' certificates."""

from __future__ import annotations

import sqlalchemy as sa

from tracking.tables import metadata

_Json = sa.JSON(none_as_null=True)

judge_certificates = sa.Table(
    "judge_certificates",
    metadata,
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
    sa.Index("judge_certificates_metric", "metric", "created_us"),
)
"""How far a judge agreed with people: `digest` is of its identity, so that a changed judge has none. `labels` is how
many answers both had judged, `figures` what came of it."""
