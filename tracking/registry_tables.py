"""The tables of the registry: models and prompts, their versions and aliases, and the webhooks that tell of changes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tracking.tables import metadata

_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Tags = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

registered_models = sa.Table(
    "registered_models",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String),
    sa.Column("is_prompt", sa.Boolean, nullable=False),
    sa.Column("tags", _Tags, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("registered_models_updated", "updated_us"),
)
"""Models and prompts share their names. `is_prompt` says what the tag of MLflow's that makes a prompt says."""

model_versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("model_id", sa.BigInteger, sa.ForeignKey("registered_models.id", ondelete="CASCADE"), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("source", sa.String),
    sa.Column("location", sa.String),
    sa.Column("run_id", sa.String),
    sa.Column("run_link", sa.String),
    sa.Column("logged_model_id", sa.String),
    sa.Column("user_id", sa.String),
    sa.Column("tags", _Tags, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("model_id", "version", name="model_versions_number"),
    sa.Index(
        "model_versions_run",
        "run_id",
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    ),
)
"""`source` is where a version is from, in its author's words; `location`, where its files are. A deleted version leaves
its row, emptied, so that its number is not given again."""

model_aliases = sa.Table(
    "model_aliases",
    metadata,
    sa.Column("model_id", sa.BigInteger, sa.ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("alias", sa.String, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)

registry_revision = sa.Table(
    "registry_revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
"""One row, counted up by every change, by which processes see that what they remember of the registry is old."""

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("secret", sa.LargeBinary),
    sa.Column("events", _Tags, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
)
"""`secret` is sealed with a key that is not in the store. `events` are written `ENTITY.ACTION`."""

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("webhook_id", sa.String, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("due_us", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.String),
    sa.Index(
        "webhook_deliveries_due",
        "due_us",
        sqlite_where=sa.text("due_us IS NOT NULL"),
        postgresql_where=sa.text("due_us IS NOT NULL"),
    ),
    sa.Index("webhook_deliveries_webhook", "webhook_id"),
)
"""What is still to be told, written with the change that it tells of. `due_us` is when it is tried next, and NULL once
it has been given up."""
