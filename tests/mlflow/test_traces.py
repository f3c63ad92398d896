"""Traces, as MLflow's own client sends, reads, searches, judges and deletes them."""

from __future__ import annotations

import gzip
import time
from typing import Any

import httpx
import mlflow
import pytest
from mlflow.entities import AssessmentSource, AssessmentSourceType, Feedback, SpanType
from mlflow.exceptions import MlflowException
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.harness import PLAIN, Gateway

pytestmark = [pytest.mark.usefixtures("experiment"), pytest.mark.filterwarnings("default")]
ENVIRON = {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
"""Sent by another thread, as is usual (and is in test_marks), traces take their client a second to be flushed."""
HUMAN = AssessmentSource(source_type=AssessmentSourceType.HUMAN, source_id="ann")


@mlflow.trace(span_type=SpanType.TOOL)
def doubled(x: int) -> int:
    return 2 * x


@mlflow.trace(name="answer", span_type=SpanType.CHAIN, attributes={"team": "search"})
def answered(question: str, x: int = 1) -> str:
    if x < 0:
        raise ValueError("x is negative")
    return f"{question} {doubled(x)}"


def traced(question: str = "why?", x: int = 1) -> str:
    """The id of a new trace, which the server has."""
    if x < 0:
        with pytest.raises(ValueError, match="negative"):
            answered(question, x)
    else:
        answered(question, x)
    mlflow.flush_trace_async_logging()
    id = mlflow.get_last_active_trace_id()
    assert id is not None
    return id


def ids(experiment: str, filter: str = "", **more: Any) -> list[str]:
    found = mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list", **more)
    return [trace.info.trace_id for trace in found]


def got(id: str) -> Any:
    """The trace. Any: the client's own types do not say what kind of assessment is on it."""
    trace = mlflow.get_trace(id)
    assert trace is not None
    return trace


def test_a_traced_function_is_read_back_with_its_nested_spans(experiment: str) -> None:
    trace = got(traced("why?", 3))
    assert trace.info.experiment_id == experiment
    assert (trace.info.state, trace.info.tags["mlflow.traceName"]) == ("OK", "answer")
    assert trace.info.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    assert trace.info.request_preview == '{"question": "why?", "x": 3}'
    assert trace.info.response_preview == '"why? 6"'
    root, inner = trace.data.spans
    assert (root.name, root.span_type, root.parent_id) == ("answer", "CHAIN", None)
    assert (root.inputs, root.outputs, root.get_attribute("team")) == ({"question": "why?", "x": 3}, "why? 6", "search")
    assert (inner.name, inner.span_type, inner.parent_id) == ("doubled", "TOOL", root.span_id)
    assert (inner.inputs, inner.outputs) == ({"x": 3}, 6)
    assert root.start_time_ns <= inner.start_time_ns <= (inner.end_time_ns or 0) <= (root.end_time_ns or 0)
    assert trace.info.execution_duration is not None


def test_a_function_that_raises_leaves_a_trace_in_error_with_its_exception(experiment: str) -> None:
    trace = got(traced(x=-1))
    assert trace.info.state == "ERROR"
    (span,) = trace.data.spans
    assert span.status.status_code == "ERROR"
    assert [event.name for event in span.events] == ["exception"]
    assert ids(experiment, "trace.status = 'ERROR'") == [trace.info.trace_id]


def test_traces_are_found_by_what_they_are(experiment: str) -> None:
    one, two, three = (traced(question, x) for question, x in (("alpha", 1), ("beta", 2), ("gamma", -1)))
    assert ids(experiment) == [three, two, one]
    assert ids(experiment, order_by=["timestamp_ms ASC"]) == [one, two, three]
    started = got(two).info.timestamp_ms
    found = {
        "status = 'OK'": [two, one],
        "attributes.status != 'OK'": [three],
        "name = 'answer' AND trace.status = 'OK'": [two, one],
        "tags.`mlflow.traceName` LIKE 'ans%'": [three, two, one],
        f"request_id = '{two}'": [two],
        f"timestamp_ms >= {started}": [three, two],
        "execution_time_ms >= 0": [three, two, one],
        "metadata.`mlflow.traceInputs` LIKE '%alpha%'": [one],
        "span.name = 'doubled'": [two, one],
        "span.type = 'TOOL'": [two, one],
        "span.status = 'ERROR'": [three],
        "span.content LIKE '%beta%'": [two],
        "span.attributes.team = 'search'": [three, two, one],
        "trace.text ILIKE '%GAMMA%'": [three],
        "(trace.text LIKE '%alpha%' OR trace.text LIKE '%beta%') AND NOT trace.text LIKE '%beta%'": [one],
        "tags.nothing IS NULL": [three, two, one],
        "status IN ('ERROR', 'IN_PROGRESS')": [three],
        "metrics.cost_usd > 0": [],
    }
    for filter, expected in found.items():
        assert ids(experiment, filter) == expected, filter


def test_a_filter_with_a_fault_is_refused_with_its_place(experiment: str) -> None:
    for filter, place in {
        "status = ": "column 10",
        "nothing.at = 'x'": "column 1",
        "span.colour = 'x'": "column 1",
    }.items():
        with pytest.raises(MlflowException, match=place) as refused:
            ids(experiment, filter)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_pages_of_traces_neither_repeat_nor_hide_one(experiment: str) -> None:
    made = [traced(f"n{n}") for n in range(5)]
    client = mlflow.MlflowClient()
    seen: list[str] = []
    token = None
    while True:
        page = client.search_traces(locations=[experiment], max_results=2, page_token=token)
        seen += [trace.info.trace_id for trace in page]
        if not (token := page.token):
            break
    assert seen == made[::-1]


def test_tags_are_set_changed_and_deleted(experiment: str) -> None:
    id = traced()
    mlflow.set_trace_tag(id, "stage", "draft")
    mlflow.set_trace_tag(id, "stage", "final")
    assert got(id).info.tags["stage"] == "final"
    assert ids(experiment, "tags.stage = 'final'") == [id]
    mlflow.delete_trace_tag(id, "stage")
    assert "stage" not in got(id).info.tags
    with pytest.raises(MlflowException, match="No tag with name: stage"):
        mlflow.delete_trace_tag(id, "stage")
    with pytest.raises(MlflowException, match="not found"):
        mlflow.set_trace_tag("tr-none", "a", "b")


def test_feedback_and_expectations_are_logged_changed_found_and_deleted(experiment: str) -> None:
    id = traced()
    feedback: Any = mlflow.log_feedback(trace_id=id, name="good", value=True, rationale="it is", source=HUMAN)
    expected: Any = mlflow.log_expectation(trace_id=id, name="fact", value={"capital": "Paris"}, source=HUMAN)
    said = {each.name: each for each in got(id).info.assessments}
    assert (said["good"].value, said["good"].rationale, said["good"].source.source_id) == (True, "it is", "ann")
    assert said["fact"].value == {"capital": "Paris"}
    assert ids(experiment, "feedback.good = 'true'") == [id]
    assert ids(experiment, "feedback.good = 'false' OR feedback.other IS NOT NULL") == []
    assert ids(experiment, "expectation.fact LIKE '%Paris%'") == [id]
    changed = Feedback(name="good", value="no", rationale="it is not", metadata={"by": "bob"})
    mlflow.update_assessment(id, feedback.assessment_id, changed)
    again: Any = mlflow.get_assessment(id, feedback.assessment_id)
    assert (again.value, again.rationale, again.metadata) == ("no", "it is not", {"by": "bob"})
    assert again.create_time_ms == feedback.create_time_ms
    mlflow.delete_assessment(id, expected.assessment_id)
    assert [each.name for each in got(id).info.assessments] == ["good"]
    with pytest.raises(MlflowException, match="not found"):
        mlflow.get_assessment(id, expected.assessment_id)


def test_feedback_that_overrides_another_takes_its_place(experiment: str) -> None:
    id = traced()
    first: Any = mlflow.log_feedback(trace_id=id, name="good", value=False, source=HUMAN)
    second: Any = mlflow.override_feedback(trace_id=id, assessment_id=first.assessment_id, value=True, source=HUMAN)
    valid = {each.assessment_id: each.valid for each in got(id).info.assessments}
    assert valid == {first.assessment_id: False, second.assessment_id: True}
    assert ids(experiment, "feedback.good = 'false'") == []
    mlflow.delete_assessment(id, second.assessment_id)
    assert mlflow.get_assessment(id, first.assessment_id).valid


def test_feedback_may_say_that_it_could_not_be_given(experiment: str) -> None:
    id = traced()
    given: Any = mlflow.log_feedback(trace_id=id, name="judge", error=ValueError("no key"), source=HUMAN)
    read: Any = mlflow.get_assessment(id, given.assessment_id)
    assert (read.value, read.error.error_message) == (None, "no key")


def test_traces_are_deleted_by_id_and_by_time(experiment: str) -> None:
    one, two, three = (traced() for _ in range(3))
    client = mlflow.MlflowClient()
    assert client.delete_traces(experiment, trace_ids=[two, "tr-none"]) == 1
    assert ids(experiment) == [three, one]
    assert mlflow.get_trace(two, silent=True) is None
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000), max_traces=1) == 1
    assert ids(experiment) == [three]
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000)) == 1
    assert ids(experiment) == []


def test_a_session_is_found_with_all_its_turns(experiment: str) -> None:
    @mlflow.trace
    def turn(words: str, session: str) -> str:
        mlflow.update_current_trace(metadata={"mlflow.trace.session": session, "mlflow.trace.user": "ann"})
        return words

    for words, session in (("one", "s-1"), ("other", "s-2"), ("two", "s-1")):
        turn(words, session)
    mlflow.flush_trace_async_logging()
    assert len(ids(experiment, "metadata.`mlflow.trace.session` = 's-1'")) == 2
    assert len(ids(experiment, "session = 's-2' AND metadata.`mlflow.trace.user` = 'ann'")) == 1
    sessions = {session.id: len(session) for session in mlflow.search_sessions(locations=[experiment])}
    assert sessions == {"s-1": 2, "s-2": 1}


def test_traces_of_a_run_and_those_linked_to_it_are_found_by_it(experiment: str) -> None:
    outside = traced("outside")
    with mlflow.start_run() as run:
        inside = traced("inside")
    assert ids(experiment, f"attribute.run_id = '{run.info.run_id}'") == [inside]
    mlflow.MlflowClient().link_traces_to_run([outside], run.info.run_id)
    assert set(ids(experiment, run_id=run.info.run_id)) == {inside, outside}


def test_a_trace_of_tokens_is_added_up_without_counting_twice(experiment: str) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    with mlflow.start_span("agent") as agent:
        for name in ("first", "second"):
            with mlflow.start_span(name, span_type=SpanType.CHAT_MODEL) as span:
                span.set_attribute("mlflow.chat.tokenUsage", usage)
        agent.set_outputs("done")
    mlflow.flush_trace_async_logging()
    (id,) = ids(experiment)
    assert got(id).info.token_usage == {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30}


def exported(parent: bytes = b"") -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for id, under, name in ((b"rootspan", parent, "GET /"), (b"modelcal", b"rootspan", "chat")):
        span = request.resource_spans.add().scope_spans.add().spans.add()
        span.trace_id, span.span_id, span.parent_span_id, span.name = b"\x01" * 15 + id[:1], id, under, name
        span.trace_id = bytes(range(16))
        span.start_time_unix_nano, span.end_time_unix_nano = 1_700_000_000_000_000_000, 1_700_000_001_500_000_000
        if name == "chat":
            for key, count in (("gen_ai.usage.input_tokens", 7), ("gen_ai.usage.output_tokens", 2)):
                attribute = span.attributes.add()
                attribute.key, attribute.value.int_value = key, count
        else:
            for key, said in (("session.id", "s-otel"), ("mlflow.traceTag.team", "ops")):
                attribute = span.attributes.add()
                attribute.key, attribute.value.string_value = key, said
    return request


@pytest.mark.parametrize("form", ["protobuf", "gzip", "json"])
def test_any_opentelemetry_exporter_may_send_spans(form: str, gatelog: Gateway, experiment: str) -> None:
    id = "tr-" + bytes(range(16)).hex()
    mlflow.MlflowClient().delete_traces(experiment, trace_ids=[id])
    body, headers = exported().SerializeToString(), {"content-type": "application/x-protobuf"}
    if form == "gzip":
        body, headers["content-encoding"] = gzip.compress(body), "gzip"
    if form == "json":
        body, headers = otlp_json(), {"content-type": "application/json"}
    headers |= {"x-mlflow-experiment-id": experiment, **gatelog.headers}
    for _ in range(2):  # an exporter that had no answer sends the same again
        answer = httpx.post(f"{gatelog.url}/v1/traces", content=body, headers=headers, **PLAIN)
        assert (answer.status_code, answer.headers["content-type"]) == (200, headers["content-type"])
    trace = got(id)
    assert [span.name for span in trace.data.spans] == ["chat", "GET /"]
    assert (trace.info.state, trace.info.execution_duration) == ("OK", 1500)
    assert trace.info.token_usage == {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
    assert (trace.info.tags["mlflow.traceName"], trace.info.tags["team"]) == ("GET /", "ops")
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-otel"
    mlflow.MlflowClient().delete_traces(trace.info.experiment_id, trace_ids=[id])


def otlp_json() -> bytes:
    """As OpenTelemetry's exporters in JavaScript write it: ids in hexadecimal digits, times as strings."""
    trace, root, model = bytes(range(16)).hex(), b"rootspan".hex(), b"modelcal".hex()
    times = '"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001500000000"'
    return f"""{{"resourceSpans":[{{"scopeSpans":[{{"spans":[
        {{"traceId":"{trace}","spanId":"{root}","name":"GET /","kind":2,{times},"attributes":[
          {{"key":"session.id","value":{{"stringValue":"s-otel"}}}},
          {{"key":"mlflow.traceTag.team","value":{{"stringValue":"ops"}}}}]}},
        {{"traceId":"{trace}","spanId":"{model}","parentSpanId":"{root}","name":"chat",{times},"attributes":[
          {{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"7"}}}},
          {{"key":"gen_ai.usage.output_tokens","value":{{"intValue":"2"}}}}]}}
    ]}}]}}]}}""".encode()


def test_an_export_that_cannot_be_read_is_refused_and_says_why(gatelog: Gateway, experiment: str) -> None:
    good = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": experiment, **gatelog.headers}
    bad: list[tuple[dict[str, str], bytes, int]] = [
        ({"x-mlflow-experiment-id": ""}, b"", 404),
        ({"x-mlflow-experiment-id": "999999"}, exported().SerializeToString(), 404),
        ({"content-type": "text/plain"}, b"x", 400),
        ({}, b"\xff\xff", 400),
        ({}, b"", 400),
        ({"content-encoding": "gzip"}, b"not gzip", 400),
        ({"content-type": "application/json"}, b'{"resourceSpans": 5}', 400),
        (
            {"content-type": "application/json"},
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xy"}]}]}]}',
            400,
        ),
    ]
    for changed, body, status in bad:
        answer = httpx.post(f"{gatelog.url}/v1/traces", content=body, headers=good | changed, **PLAIN)
        assert (answer.status_code, set(answer.json())) == (status, {"error_code", "message"}), (changed, answer.text)
    without = {name: value for name, value in good.items() if name != "x-mlflow-experiment-id"}
    assert httpx.post(f"{gatelog.url}/v1/traces", content=b"", headers=without, **PLAIN).status_code == 422
