"""The tables of evaluations: versions of datasets, and grids with what became of each of their cells."""

from __future__ import annotations

import sqlalchemy as sa

from tracking.tables import metadata

_Id = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_Json = sa.JSON(none_as_null=True)

dataset_versions = sa.Table(
    "dataset_versions",
    metadata,
    sa.Column("dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("splits", _Json, nullable=False),
    sa.Column("source", _Json),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String),
    sa.UniqueConstraint("dataset_id", "digest", name="dataset_versions_digest"),
)
"""What a dataset held at a time, by the hash of its content. `splits` is how many rows each has, `source` where the
rows that it added came from."""

dataset_pages = sa.Table(
    "dataset_pages",
    metadata,
    sa.Column("dataset_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(
        ["dataset_id", "version"], ["dataset_versions.dataset_id", "dataset_versions.version"], ondelete="CASCADE"
    ),
)
"""The rows of a version, some hundred to a page: a JSON array, compressed with zstd."""

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("experiment_id", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("spec", _Json, nullable=False),
    sa.Column("dataset_id", sa.String),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("cells", sa.BigInteger, nullable=False),
    sa.Column("forecast", _Json),
    sa.Column("budget_nanos", sa.BigInteger),
    sa.Column("spent_nanos", sa.BigInteger, nullable=False),
    sa.Column("key_id", sa.String),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("started_us", sa.BigInteger),
    sa.Column("finished_us", sa.BigInteger),
    sa.Column("owner", sa.String),
    sa.Column("beat_us", sa.BigInteger),
    sa.Column("card", sa.LargeBinary),
    sa.Column("card_digest", sa.String),
    sa.Index("evaluations_created", "created_us"),
    sa.Index("evaluations_state", "state"),
)
"""`id` is that of the parent run. `owner` is the process that runs it and `beat_us` when that last said so: a grid
whose owner has fallen silent is taken up by another. `card` was made of the grid whose digest is `card_digest`."""

evaluation_pages = sa.Table(
    "evaluation_pages",
    metadata,
    sa.Column("evaluation_id", _Id, sa.ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""The rows that an evaluation asks, as they were when it was made; kept as those of a dataset's version are."""

evaluation_cells = sa.Table(
    "evaluation_cells",
    metadata,
    sa.Column("evaluation_id", _Id, sa.ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("row_id", sa.String, nullable=False),
    sa.Column("variant", sa.String, nullable=False),
    sa.Column("repeat", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("error", sa.String),
    sa.Column("run_id", _Id),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cost_nanos", sa.BigInteger),
    sa.Column("latency_us", sa.BigInteger),
    sa.Column("ttft_us", sa.BigInteger),
    sa.Column("prompt_tokens", sa.BigInteger),
    sa.Column("completion_tokens", sa.BigInteger),
    sa.Column("model", sa.String),
    sa.Column("output", sa.LargeBinary),
    sa.Column("scores", _Json),
    sa.Index("evaluation_cells_status", "evaluation_id", "status", "n"),
)
"""`n` is the place in the grid: row, then variant, then repeat. `attempts` counts its calls, `run_id` is the last of
them and `cost_nanos` the sum of all. `scores` is NULL until the cell has been scored; `output` is JSON, compressed."""
