"""The registry: models, prompts, their versions, aliases and webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TAGS = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "registered_models",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("description", sa.String),
        sa.Column("is_prompt", sa.Boolean, nullable=False),
        sa.Column("tags", TAGS, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("registered_models_updated", "registered_models", ["updated_us"])
    op.create_table(
        "model_versions",
        sa.Column("id", SERIAL, primary_key=True),
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
        sa.Column("tags", TAGS, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("model_id", "version", name="model_versions_number"),
    )
    _present("model_versions_run", "model_versions", "run_id")
    op.create_table(
        "model_aliases",
        sa.Column(
            "model_id", sa.BigInteger, sa.ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("alias", sa.String, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "registry_revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(sa.table("registry_revision", sa.column("id"), sa.column("revision")), [{"id": 1, "revision": 0}])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("description", sa.String),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("events", TAGS, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("webhook_id", sa.String, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("due_us", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.String),
    )
    _present("webhook_deliveries_due", "webhook_deliveries", "due_us")
    op.create_index("webhook_deliveries_webhook", "webhook_deliveries", ["webhook_id"])


def _present(name: str, table: str, column: str) -> None:
    where = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
