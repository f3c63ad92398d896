"""Traces and gateway calls added up together, as MLflow's own client asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow import MlflowException
from mlflow.entities import AssessmentSource, Feedback, SpanType
from mlflow.entities.trace_metrics import AggregationType, MetricAggregation, MetricViewType
from mlflow.tracking._tracking_service.utils import _get_store

pytestmark = pytest.mark.filterwarnings("default")
COUNT = MetricAggregation(AggregationType.COUNT)
Point = tuple[dict[str, str], dict[str, float]]


def asked(experiment: str, view: str, metric: str, *how: MetricAggregation, **more: Any) -> list[Point]:
    store: Any = _get_store()  # type: ignore[no-untyped-call]  # it is not typed
    found = store.query_trace_metrics([experiment], MetricViewType[view], metric, list(how) or [COUNT], **more)
    return [(point.dimensions, point.values) for point in found]


def test_traces_and_calls_are_counted_and_their_tokens_and_costs_added_up(
    experiment: str, call: Callable[..., str]
) -> None:
    for n in range(3):
        with mlflow.start_span("answer", SpanType.CHAIN) as span:
            used = {"input_tokens": 10, "output_tokens": n, "total_tokens": 10 + n}
            span.set_attribute("mlflow.chat.tokenUsage", used)
            mlflow.update_current_trace(metadata={"mlflow.trace.session": "one"}, tags={"team": "a" if n else "b"})
    mlflow.flush_trace_async_logging()
    runs = [call("demo/echo"), call("demo/echo")]
    id = mlflow.get_last_active_trace_id()
    assert id is not None
    for trace, value in ((id, True), (f"tr-{runs[0]}", False)):
        mlflow.log_assessment(trace, Feedback(name="good", value=value, source=AssessmentSource("HUMAN", "ann")))
    traces = mlflow.search_traces(locations=[experiment], return_type="list")
    assert len(traces) == 5

    assert asked(experiment, "TRACES", "trace_count") == [({}, {"COUNT": 5.0})]
    points = asked(experiment, "TRACES", "trace_count", dimensions=["trace_name"])
    by_name = {point["trace_name"]: values["COUNT"] for point, values in points}
    assert by_name.pop("answer") == 3
    assert list(by_name.values()) == [2]
    assert asked(experiment, "TRACES", "session_count") == [({}, {"COUNT": 1.0})]

    def usage(trace: Any, name: str) -> float:
        return float((trace.info.token_usage or {})[name])

    for metric in ("input_tokens", "output_tokens", "total_tokens"):
        wanted = [usage(trace, metric) for trace in traces]
        how = [MetricAggregation(AggregationType[name]) for name in ("SUM", "AVG", "MIN", "MAX")]
        how += [MetricAggregation(AggregationType.PERCENTILE, at) for at in (0.0, 37.5, 50.0, 100.0)]
        ((_, found),) = asked(experiment, "TRACES", metric, *how)
        assert found == {
            "SUM": sum(wanted),
            "AVG": pytest.approx(np.mean(wanted)),
            "MIN": min(wanted),
            "MAX": max(wanted),
            **{f"P{at}": pytest.approx(np.quantile(wanted, at / 100)) for at in (0.0, 37.5, 50.0, 100.0)},
        }
    took = [float(trace.info.execution_duration) for trace in traces]
    ((_, found),) = asked(experiment, "TRACES", "latency", MetricAggregation(AggregationType.MAX))
    assert found["MAX"] == pytest.approx(max(took), abs=1)

    now = int(time.time())
    hour = {"time_interval_seconds": 3600, "start_time_ms": (now - 7200) * 1000, "end_time_ms": (now + 60) * 1000}
    buckets = asked(experiment, "TRACES", "trace_count", **hour)
    assert sum(values["COUNT"] for _, values in buckets) == 5
    assert all(point["time_bucket"].endswith(":00:00+00:00") for point, _ in buckets)
    assert asked(experiment, "TRACES", "trace_count", end_time_ms=(now - 3600) * 1000) == [({}, {"COUNT": 0.0})]

    for filter, many in (
        ("trace.status = 'OK'", 5),
        ("trace.status = 'ERROR'", 0),
        ("trace.tag.team = 'a'", 2),
        ("trace.metadata.mlflow.trace.session = 'one'", 3),
        ("span.type = 'CHAIN'", 3),
        ("assessment.name = 'good'", 2),
    ):
        assert asked(experiment, "TRACES", "trace_count", filters=[filter]) == [({}, {"COUNT": many})], filter

    spans = asked(experiment, "SPANS", "span_count", dimensions=["span_type"])
    assert spans == [({"span_type": "CHAIN"}, {"COUNT": 3.0}), ({"span_type": "CHAT_MODEL"}, {"COUNT": 2.0})]
    costs = [mlflow.get_run(run).data.metrics["cost_usd"] for run in runs]
    total = MetricAggregation(AggregationType.SUM)
    ((model, cost),) = asked(experiment, "SPANS", "total_cost", total, dimensions=["span_model_name"])
    assert model["span_model_name"]
    assert cost["SUM"] == pytest.approx(sum(costs))
    given = asked(experiment, "ASSESSMENTS", "assessment_value", MetricAggregation(AggregationType.AVG))
    assert given == [({}, {"AVG": 0.5})]
    values = asked(experiment, "ASSESSMENTS", "assessment_count", dimensions=["assessment_name", "assessment_value"])
    assert [each["assessment_value"] for each, _ in values] == ["false", "true"]


def test_what_cannot_be_added_up_is_refused_with_what_can_be(experiment: str) -> None:
    for said, why in (
        ({"metric": "tokens"}, "metric_name must be one of trace_count"),
        ({"metric": "latency"}, "latency has no COUNT; there are AVG, MAX, MIN, PERCENTILE"),
        ({"metric": "trace_count", "dimensions": ["user"]}, "by trace_name, trace_status"),
        ({"metric": "trace_count", "filters": ["trace.color = 'red'"]}, "asks for what there is not"),
        ({"metric": "trace_count", "filters": ["1 = 1; --"]}, "cannot be read"),
        ({"metric": "trace_count", "time_interval_seconds": 60}, "start_time_ms and end_time_ms are required"),
    ):
        metric = said.pop("metric")
        with pytest.raises(MlflowException, match=why):
            asked(experiment, "TRACES", str(metric), **said)
