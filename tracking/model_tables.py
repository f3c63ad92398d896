"""The table of the models that people log."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tracking.tables import metadata

_Id = sa.String(34).with_variant(sa.String(34, collation="C"), "postgresql")
_Searchable = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

logged_models = sa.Table(
    "logged_models",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("model_type", sa.String),
    sa.Column("source_run_id", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("artifact_uri", sa.String, nullable=False),
    sa.Column("params", _Searchable, nullable=False),
    sa.Column("tags", _Searchable, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("deleted_us", sa.BigInteger),
    sa.Index("logged_models_experiment", "experiment_id", "created_us", "id"),
    sa.Index(
        "logged_models_run",
        "source_run_id",
        sqlite_where=sa.text("source_run_id IS NOT NULL"),
        postgresql_where=sa.text("source_run_id IS NOT NULL"),
    ),
)
"""`id` is `m-` and 32 hexadecimal digits. One that is deleted leaves its row, which its id still leads to."""
