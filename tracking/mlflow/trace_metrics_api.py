"""MLflow's route for traces added up."""

from __future__ import annotations

from typing import Any

from providers.chat import Json
from tracking.mlflow.errors import missing
from tracking.mlflow.wire import Ask, Service, filled
from tracking.trace_metrics import AGGREGATIONS, RESULTS_MOST, VIEWS, Asked, How, TraceMetrics


async def metrics(ask: Ask) -> Json:
    """`POST 3.0 traces/metrics`: points, each with what it was grouped by."""
    experiments = ask.texts("experiment_ids")
    if not experiments:
        raise ask.missing("experiment_ids")
    size = ask.whole("max_results", RESULTS_MOST)
    if not 1 <= size <= RESULTS_MOST:
        raise ask.fault("max_results", size, f"1 to {RESULTS_MOST}")
    token = ask.text("page_token", "") or "0"
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise ask.fault("page_token", token, "what an answer gave as next_page_token")
    asked = Asked(
        experiments=[_id(each) for each in experiments],
        view=_enumerated(ask, "view_type", VIEWS),
        metric=ask.text("metric_name"),
        how=[_how(each) for each in ask.objects("aggregations")],
        dimensions=ask.texts("dimensions"),
        filters=ask.texts("filters"),
        interval_seconds=ask.whole("time_interval_seconds", None),
        start_ms=ask.whole("start_time_ms", None),
        end_ms=ask.whole("end_time_ms", None),
    )
    found: TraceMetrics = ask.state.trace_metrics
    points = await found.points(asked, size + 1, int(token), key_id=ask.only)
    next = str(int(token) + size) if len(points) > size else None
    return {"data_points": [filled(each) for each in points[:size]], "next_page_token": next}


SERVICES: list[Service] = [("POST", "3.0", "traces/metrics", metrics, "read")]


def _how(ask: Ask) -> How:
    return How(_enumerated(ask, "aggregation_type", AGGREGATIONS), ask.number("percentile_value", None))


def _enumerated(ask: Ask, name: str, values: tuple[Any, ...]) -> Any:
    """By its name, or by its number in the protocol, which is its place from 1."""
    said = ask.body.get(name)
    if type(said) is int and 1 <= said <= len(values):
        return values[said - 1]
    return ask.one_of(name, values)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise missing(f"No Experiment with id={text[:100]} exists")
    return int(text)
