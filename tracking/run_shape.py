"""How MLflow's API shows a run, whether it was logged or is a call of the gateway."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from providers.chat import Json
from tracking.mlflow.wire import shown
from tracking.run_fields import ENDED, NAME, REAL, TEXT, TOLD
from tracking.run_tables import runs
from tracking.tables import calls

_MEASURED = (
    "cost_usd",
    "latency_ms",
    "ttft_ms",
    "upstream_ms",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "attempts",
    "request_bytes",
    "response_bytes",
)
"""Of a call's metrics, each by one of its names."""
_c = calls.c
OF_LOGGED = tuple(runs.c)
OF_CALL = (
    *(_c.id, _c.experiment_id, _c.status, _c.started_us, _c.duration_us, _c.end_user, _c.tags),
    NAME.label("name"),
    *(REAL[name].column.label(f"metric_{name}") for name in _MEASURED),
    *(field.column.label(f"param_{name}") for name, field in TEXT.items()),
    *(column.label(f"tag_{n}") for n, column in enumerate(TOLD.values())),
)
"""What to select for `of_call`."""


class Parts:
    """What tables other than a run's own hold of several runs, by the run's id."""

    __slots__ = ("datasets", "inputs", "metrics", "outputs", "params")

    def __init__(self) -> None:
        self.metrics: dict[str, list[Json]] = {}
        self.params: dict[str, list[Json]] = {}
        self.datasets: dict[str, list[Json]] = {}
        self.inputs: dict[str, list[Json]] = {}
        self.outputs: dict[str, list[Json]] = {}


def of_logged(row: sa.RowMapping, parts: Parts) -> Json:
    info = {
        **_identity(row["id"], row["experiment_id"], row["name"], row["user_id"], row["artifact_uri"]),
        "status": row["status"],
        "start_time": row["started_us"] // 1000,
        "lifecycle_stage": row["lifecycle_stage"],
    }
    if row["ended_us"] is not None:
        info["end_time"] = row["ended_us"] // 1000
    return _run(info, [], [], row["tags"], parts)


def of_call(row: sa.RowMapping, parts: Parts) -> Json:
    id, experiment = row["id"], row["experiment_id"]
    uri = f"mlflow-artifacts:/{experiment}/{id}/artifacts"
    ended = (row["started_us"] + (row["duration_us"] or 0)) // 1000
    info = {
        **_identity(id, experiment, row["name"], row["end_user"], uri),
        "status": ENDED.get(row["status"], "FAILED"),
        "start_time": row["started_us"] // 1000,
        "lifecycle_stage": "active",
    }
    if row["duration_us"] is not None:
        info["end_time"] = ended
    metrics = [
        {"key": name, "value": value, "timestamp": ended, "step": 0}
        for name in _MEASURED
        if (value := row[f"metric_{name}"]) is not None
    ]
    params = [{"key": name, "value": value} for name in TEXT if (value := row[f"param_{name}"]) is not None]
    told = {name: value for n, name in enumerate(TOLD) if (value := row[f"tag_{n}"]) is not None}
    return _run(info, metrics, params, {**told, **(row["tags"] or {})}, parts)


def metric(row: sa.RowMapping, value: float | None) -> Json:
    """None is NaN."""
    number = shown(math.nan if value is None else value)
    return {"key": row["key"], "value": number, "timestamp": row["timestamp_ms"], "step": row["step"]}


def pairs(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _identity(id: str, experiment: int, name: str | None, user: str | None, uri: str) -> Json:
    known = {
        "run_uuid": id,
        "run_id": id,
        "experiment_id": str(experiment),
        "run_name": name,
        "user_id": user,
        "artifact_uri": uri,
    }
    return {key: value for key, value in known.items() if value is not None}


def _run(info: Json, metrics: list[Json], params: list[Json], tags: Mapping[str, str], parts: Parts) -> Json:
    id = info["run_id"]
    data = _present(
        metrics=metrics + parts.metrics.get(id, []), params=params + parts.params.get(id, []), tags=pairs(tags)
    )
    inputs = _present(dataset_inputs=parts.datasets.get(id, []), model_inputs=parts.inputs.get(id, []))
    return {"info": info, "data": data, "inputs": inputs, "outputs": _present(model_outputs=parts.outputs.get(id, []))}


def _present(**lists: Iterable[Json]) -> Json:
    return {name: each for name, each in lists.items() if each}
