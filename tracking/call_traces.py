"""A gateway call seen as a trace: the call is its root span, and each attempt at a provider a span below."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from providers.chat import Json
from tracking import spans
from tracking.runs import Run

PREFIX = "tr-"
"""Before a run's id it makes the id of the call's trace."""
PREVIEW = 1000
METADATA_MOST = 250
"""Characters of what was said in a trace's metadata; MLflow cuts it there too."""
SPAN_TYPES = {"chat": "CHAT_MODEL", "completions": "LLM", "embeddings": "EMBEDDING"}
SCHEMA = {"mlflow.trace_schema.version": "3"}
SESSION, USER, SOURCE_RUN = "mlflow.trace.session", "mlflow.trace.user", "mlflow.sourceRun"
TOKENS, COST = "mlflow.trace.tokenUsage", "mlflow.trace.cost"
NAME, IN_STORE, ARTIFACTS = "mlflow.traceName", "mlflow.trace.spansLocation", "mlflow.artifactLocation"
_USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}
"""Our words for tokens, and MLflow's."""


def trace_id(run_id: str) -> str:
    return PREFIX + run_id


def info(row: sa.RowMapping, run: Run) -> Json:
    """MLflow's TraceInfoV3 of a call, without its assessments. `row` is one of `calls`, `run` the same in detail."""
    usage, cost = _usage(run), _cost(run)
    metadata = {
        **SCHEMA,
        "mlflow.traceInputs": _cut(run["request"], METADATA_MOST),
        "mlflow.traceOutputs": _cut(run["response"], METADATA_MOST),
        SESSION: run["session"],
        USER: run["user"],
        SOURCE_RUN: run["parent_run_id"],
        TOKENS: _json(usage),
        COST: _json(cost),
        "gatelog.run_id": run["id"],
        "gatelog.endpoint": run["endpoint"],
        "gatelog.provider": run["provider"],
        "gatelog.model": run["model"],
        "gatelog.status": run["status"],
        "gatelog.key_id": run["key_id"],
        "gatelog.caller_trace_id": PREFIX + row["trace_id"] if row["trace_id"] else None,
        "gatelog.caller_span_id": row["parent_span_id"],
    }
    experiment = str(row["experiment_id"])
    id = trace_id(run["id"])
    return {
        "trace_id": id,
        "trace_location": location(experiment),
        "request_time": moment(row["started_us"]),
        "execution_duration": duration(row["duration_us"]),
        "state": "OK" if run["status"] == "ok" else "ERROR",
        "request_preview": _asked(run["request"]),
        "response_preview": _answered(run["response"]),
        "trace_metadata": {name: each for name, each in metadata.items() if each is not None},
        "tags": {
            NAME: run["endpoint"] or run["kind"] or "call",
            IN_STORE: "TRACKING_STORE",
            ARTIFACTS: artifacts(experiment, id),
            **run["tags"],
        },
    }


def spans_of(row: sa.RowMapping, run: Run) -> list[Json]:
    """The root first. Each has its id for good, so that an assessment can be about it."""
    id: str = run["id"]
    root = id[16:]
    began = row["started_us"] * 1000
    error = run["error"]
    whole = spans.made(
        id,
        root,
        run["endpoint"] or run["kind"] or "call",
        (began, began + (row["duration_us"] or 0) * 1000),
        {
            "mlflow.traceRequestId": trace_id(id),
            spans.TYPE: SPAN_TYPES.get(run["kind"] or "chat", "LLM"),
            spans.INPUTS: run["request"],
            spans.OUTPUTS: run["response"],
            spans.USAGE: _usage(run),
            spans.COST: _cost(run),
            "mlflow.llm.model": run["response_model"] or run["model"],
            "mlflow.llm.provider": run["provider"],
            "mlflow.message.format": "openai",
            "gatelog.run_id": id,
            "gatelog.status": run["status"],
            "gatelog.ttft_ms": run["times"]["ttft_ms"],
            "gatelog.overhead_ms": run["times"]["overhead_ms"],
        },
        failed=None if run["status"] == "ok" else (error["message"] if error else run["status"]),
    )
    return [whole, *(_attempt(id, root, began, n, attempt) for n, attempt in enumerate(run["attempts"] or ()))]


def within(called: Sequence[Json], caller: str, parent: str) -> list[Json]:
    """A call's spans as steps of its caller's trace, below the span that made the call."""
    return [spans.beneath(body, caller, None if n else parent) for n, body in enumerate(called)]


def location(experiment_id: str) -> Json:
    return {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}


def artifacts(experiment_id: str, id: str) -> str:
    return f"mlflow-artifacts:/{experiment_id}/traces/{id}/artifacts"


def moment(us: int) -> str:
    """RFC 3339, in milliseconds."""
    seconds, rest = divmod(us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:03}Z"


def duration(us: int | None) -> str | None:
    return None if us is None else f"{us / 1_000_000:.6f}".rstrip("0").rstrip(".") + "s"


def _attempt(id: str, root: str, began: int, n: int, attempt: Mapping[str, Any]) -> Json:
    started = began + attempt.get("started_us", 0) * 1000
    status = attempt.get("status")
    return spans.made(
        id,
        hashlib.sha256(f"{id}:{n}".encode()).hexdigest()[:16],
        f"{attempt.get('provider')}/{attempt.get('model')}",
        (started, started + attempt.get("duration_us", 0) * 1000),
        {
            "mlflow.traceRequestId": trace_id(id),
            spans.TYPE: "TASK",
            "gatelog.attempt": n + 1,
            "gatelog.provider": attempt.get("provider"),
            "gatelog.model": attempt.get("model"),
            "gatelog.credential": attempt.get("credential"),
            "gatelog.status": status,
            "http.response.status_code": attempt.get("http_status"),
        },
        parent=root,
        failed=None if status == "ok" else (attempt.get("message") or status or "unknown"),
    )


def _usage(run: Run) -> dict[str, int] | None:
    used = run["usage"]
    return {theirs: used[ours] for ours, theirs in _USAGE.items() if used.get(ours) is not None} or None


def _cost(run: Run) -> dict[str, float] | None:
    nanos = run["cost"]["nanos"]
    return None if nanos is None else {"total_cost": nanos / 1_000_000_000}


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _cut(value: Any, most: int) -> str | None:
    if value is None:
        return None
    said = spans.text(value)
    return said if len(said) <= most else said[: most - 3] + "..."


def _asked(request: Any) -> str | None:
    """What the caller said last, where that can be told."""
    match request:
        case {"messages": [*messages]}:
            for message in reversed(messages):
                match message:
                    case {"role": "user", "content": str(content)}:
                        return _cut(content, PREVIEW)
        case {"prompt": str(prompt)}:
            return _cut(prompt, PREVIEW)
        case {"input": str(words)}:
            return _cut(words, PREVIEW)
    return _cut(request, PREVIEW)


def _answered(response: Any) -> str | None:
    match response:
        case {"choices": [{"message": {"content": str(content)}}, *_]} | {"choices": [{"text": str(content)}, *_]}:
            return _cut(content, PREVIEW)
    return _cut(response, PREVIEW)
