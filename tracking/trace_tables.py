"""The tables of traces that applications send, of what is said about any trace, and of what evaluation is done with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tracking.tables import metadata

_Searchable = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_Json = sa.JSON(none_as_null=True)


def _present(column: str) -> dict[str, Any]:
    where = sa.text(f"{column} IS NOT NULL")
    return {"sqlite_where": where, "postgresql_where": where}


traces = sa.Table(
    "traces",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("duration_us", sa.BigInteger),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("client_request_id", sa.String),
    sa.Column("session", sa.String),
    sa.Column("request_preview", sa.String),
    sa.Column("response_preview", sa.String),
    sa.Column("metadata", _Searchable, nullable=False),
    sa.Column("tags", _Searchable, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Index("traces_started", "started_us"),
    sa.Index("traces_experiment", "experiment_id", "started_us"),
    sa.Index("traces_session", "session", "started_us", **_present("session")),
)
"""Traces that applications send; that of a gateway call is its row of `calls`. `session` repeats what `metadata` says.

`told`: the client has said what it knows of the whole trace, so spans that come later do not change that.
"""

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("trace_id", sa.String, sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("span_id", sa.String, primary_key=True),
    sa.Column("parent_span_id", sa.String),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("started_ns", sa.BigInteger, nullable=False),
    sa.Column("ended_ns", sa.BigInteger),
    sa.Column("attributes", _Searchable, nullable=False),
    sa.Column("usage", _Json),
    sa.Column("cost", _Json),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""`body` is the whole span, as JSON in the words of OTLP, compressed. The other columns repeat what is searched: an
attribute is a text in `attributes`, as JSON where it is none."""

assessments = sa.Table(
    "assessments",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("trace_id", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("value", _Json, nullable=False),
    sa.Column("text", sa.String),
    sa.Column("number", sa.Float(53)),
    sa.Column("span_id", sa.String),
    sa.Column("source", _Json),
    sa.Column("rationale", sa.String),
    sa.Column("metadata", _Json),
    sa.Column("overrides", sa.String),
    sa.Column("valid", sa.Boolean, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("assessments_trace", "trace_id"),
    sa.Index("assessments_name", "kind", "name"),
)
"""What people, judges and code say about a trace of either sort. `kind` is feedback, expectation or issue, `value`
the object that MLflow has under that name, and `text` what of it a search compares, with `number` where it is one."""

trace_runs = sa.Table(
    "trace_runs",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("trace_id", sa.String, primary_key=True),
    sa.Index("trace_runs_trace", "trace_id"),
)
"""Traces that were linked to a run."""

trace_prompts = sa.Table(
    "trace_prompts",
    metadata,
    sa.Column("trace_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.String, primary_key=True),
    sa.Index("trace_prompts_prompt", "name", "version"),
)

evaluation_datasets = sa.Table(
    "evaluation_datasets",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("tags", _Searchable, nullable=False),
    sa.Column("schema", _Json),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String),
    sa.Column("updated_by", sa.String),
    sa.Index("evaluation_datasets_created", "created_us"),
    sa.Index("evaluation_datasets_name", "name"),
)
"""`records` is how many there are."""

evaluation_dataset_experiments = sa.Table(
    "evaluation_dataset_experiments",
    metadata,
    sa.Column("dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, primary_key=True),
    sa.Index("evaluation_dataset_experiments_experiment", "experiment_id"),
)

evaluation_records = sa.Table(
    "evaluation_records",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("input_hash", sa.String, nullable=False),
    sa.Column("inputs", _Json),
    sa.Column("outputs", _Json),
    sa.Column("expectations", _Json),
    sa.Column("tags", _Json),
    sa.Column("source", _Json),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String),
    sa.Column("updated_by", sa.String),
    sa.UniqueConstraint("dataset_id", "input_hash", name="evaluation_records_input"),
)
"""One question each: a dataset has the same inputs once. `id` begins with the time, so its order is that of making."""

scorers = sa.Table(
    "scorers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.UniqueConstraint("experiment_id", "name", name="scorers_name"),
)

scorer_versions = sa.Table(
    "scorer_versions",
    metadata,
    sa.Column("scorer_id", sa.String, sa.ForeignKey("scorers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("serialized", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
)
"""What `serialized` holds is the client's; it is kept, given back, and never run here."""

online_scorings = sa.Table(
    "online_scorings",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("scorer_id", sa.String, sa.ForeignKey("scorers.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("sample_rate", sa.Float(53), nullable=False),
    sa.Column("filter", sa.String),
)
"""How much of an experiment's traces a scorer is to look at."""
