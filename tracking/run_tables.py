"""The tables of the runs that people log: what each is, and its parameters, metrics, inputs and outputs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tracking.tables import metadata

_Id = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Searchable = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("user_id", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("ended_us", sa.BigInteger),
    sa.Column("lifecycle_stage", sa.String, nullable=False),
    sa.Column("deleted_us", sa.BigInteger),
    sa.Column("artifact_uri", sa.String, nullable=False),
    sa.Column("tags", _Searchable, nullable=False),
    sa.Index("runs_experiment", "experiment_id", "started_us", "id"),
    sa.Index("runs_started", "started_us", "id"),
)
"""`status` is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED; `lifecycle_stage` is `active` or `deleted`."""

run_params = sa.Table(
    "run_params",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""Of runs, and what is added to calls: so `run_id`, here and below, is of either."""

run_latest = sa.Table(
    "run_latest",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Index("run_latest_key", "key", "value"),
)
"""The value of each metric at its last step. A value of NULL is NaN."""

run_metrics = sa.Table(
    "run_metrics",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("timestamp_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Double, primary_key=True),
    sa.Column("nan", sa.Boolean, primary_key=True),
    sa.Column("model_id", sa.String, primary_key=True, server_default=""),
    sa.Column("dataset_name", sa.String),
    sa.Column("dataset_digest", sa.String),
    sa.Index(
        "run_metrics_model",
        "model_id",
        sqlite_where=sa.text("model_id > ''"),
        postgresql_where=sa.text("model_id > ''"),
    ),
)
"""Every value that was logged, once for each logged model that it is of. A key holds no NULL: `value` is 0 where `nan`
says that it is none, and `model_id` is empty where it is of no model."""
OF_A_MODEL = run_metrics.c.model_id > sa.literal_column("''")
"""What leads to those of models by their index."""

run_datasets = sa.Table(
    "run_datasets",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("source_type", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("schema", sa.String),
    sa.Column("profile", sa.String),
    sa.UniqueConstraint("experiment_id", "name", "digest", name="run_datasets_named"),
)
"""The datasets of an experiment's runs. The first who logs one of a name and digest says what it is."""

run_inputs = sa.Table(
    "run_inputs",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("dataset_id", sa.BigInteger, sa.ForeignKey("run_datasets.id"), primary_key=True, autoincrement=False),
    sa.Column("context", sa.String),
    sa.Column("tags", _Searchable, nullable=False),
)
"""`context` is what the tag `mlflow.data.context` says that a dataset was used for."""

run_models = sa.Table(
    "run_models",
    metadata,
    sa.Column("run_id", _Id, primary_key=True),
    sa.Column("direction", sa.String, primary_key=True),
    sa.Column("model_id", sa.String, primary_key=True),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Index("run_models_model", "model_id"),
)
"""Logged models that a run used or made; `direction` is `input` or `output`."""
