"""MLflow's routes for the history of metrics."""

from __future__ import annotations

from providers.chat import Json
from tracking import run_names as names
from tracking.metric_history import MOST, MetricHistory
from tracking.mlflow.errors import invalid
from tracking.mlflow.wire import Ask, Service
from tracking.run_search import RunSearch

RUNS_MOST = 100
POINTS_MOST = 2_500
"""Of one run, in what is sampled."""


async def history(ask: Ask) -> Json:
    id, key = names.run_id(ask.text("run_id")), ask.text("metric_key")
    size = ask.whole("max_results", MOST)
    if size < 1:
        raise ask.fault("max_results", size, "a positive integer")
    token = ask.text("page_token", "") or None
    found, next = await _history(ask).page(id, key, min(size, MOST), token, key_id=ask.only)
    if not found and token is None:
        # What the gateway measured of a call has no history: it is the one value that the run has.
        search: RunSearch = ask.state.run_search
        run = await search.get(id, key_id=ask.only)
        found = [metric for metric in run["data"].get("metrics", []) if metric["key"] == key]
    return {"metrics": found, "next_page_token": next}


async def bulk(ask: Ask) -> Json:
    ids = _runs(ask, "run_id", "GetMetricHistoryBulk")
    if not ask.has("metric_key"):
        raise invalid("GetMetricHistoryBulk request must specify a metric_key.")
    most = ask.whole("max_results", MOST)
    found = await _history(ask).bulk(ids, ask.text("metric_key"), max(1, min(most, MOST)), key_id=ask.only)
    return {"metrics": found}


async def sampled(ask: Ask) -> Json:
    ids, key = _runs(ask, "run_ids", "GetMetricHistoryBulkInterval"), ask.text("metric_key")
    most = ask.whole("max_results", POINTS_MOST)
    if not 1 <= most <= POINTS_MOST:
        raise invalid(f"max_results must be between 1 and {POINTS_MOST}.")
    start, end = ask.whole("start_step", None), ask.whole("end_step", None)
    if (start is None) != (end is None):
        raise invalid("If either start step or end step are specified, both must be specified.")
    steps = None if start is None or end is None else (start, end)
    if steps is not None and steps[0] > steps[1]:
        raise invalid(f"end_step must be greater than start_step. Found start_step={steps[0]} and end_step={steps[1]}.")
    return {"metrics": await _history(ask).sampled(ids, key, most, steps, key_id=ask.only)}


SERVICES: list[Service] = [
    ("GET", "2.0", "metrics/get-history", history, "read"),
    ("GET", "2.0", "metrics/get-history-bulk", bulk, "read"),
    ("GET", "2.0", "metrics/get-history-bulk-interval", sampled, "read"),
]


def _history(ask: Ask) -> MetricHistory:
    history: MetricHistory = ask.state.metric_history
    return history


def _runs(ask: Ask, name: str, what: str) -> list[str]:
    ids = [names.run_id(text) for text in ask.texts(name)]
    if not ids:
        raise invalid(f"{what} request must specify at least one run_id.")
    if len(ids) > RUNS_MOST:
        raise invalid(f"{what} request cannot specify more than {RUNS_MOST} run_ids. Received {len(ids)} run_ids.")
    return ids
