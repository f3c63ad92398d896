"""Gateway calls as MLflow's client sees them: as traces, which it searches, judges and evaluates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import mlflow
import pytest
from mlflow.entities import AssessmentSource, Trace
from mlflow.exceptions import MlflowException
from mlflow.genai.scorers import scorer
from mlflow.tracing import get_tracing_context_headers_for_http_request

from tests.harness import PLAIN, Gateway
from tests.postgres import Postgres
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.filterwarnings("default")
HUMAN = AssessmentSource(source_type="HUMAN", source_id="ann")
WORDS = 5


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def gatelog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """As every other test's, and with providers to call: one that answers, and one that is passed over for it."""
    with Vendor() as vendor, pytest.MonkeyPatch.context() as patch:
        config = served(vendor)
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres_server")
            config["store"] = server.database()
        gateway = Gateway(tmp_path_factory.mktemp("evaluate") / "gateway", config)
        patch.setenv("MLFLOW_TRACKING_TOKEN", gateway.key)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        patch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "2")
        try:
            asyncio.run(gateway.start())
            mlflow.set_tracking_uri(gateway.url)
            yield gateway
        finally:
            mlflow.set_tracking_uri("")
            gateway.kill()


def served(vendor: Vendor) -> dict[str, Any]:
    def provider(url: str) -> dict[str, str]:
        return {"dialect": "openai", "base_url": url, "api_key": "sk-vendor-0123456789"}

    good = {"provider": "good", "model": "gpt-4o-mini", "price": {"input": 1, "output": 2}}
    bad = {"provider": "bad", "model": "gpt-4o", "price": {"input": 1, "output": 2}}
    return {
        "providers": {
            "good": provider(vendor.url("ok", tokens=WORDS)),
            "bad": provider(vendor.url("503")),
            "down": provider(vendor.url("503", of="down")),
        },
        "endpoints": [
            {"name": "support", "targets": [good]},
            {"name": "fallen-back", "targets": [bad], "fallbacks": [good], "retries": 0},
            {"name": "failing", "targets": [{**bad, "provider": "down"}], "retries": 0},
        ],
    }


def call(gateway: Gateway, model: str = "support", key: str | None = None, **headers: str) -> tuple[str, str]:
    """The id of a call's trace, once it can be read, and of the experiment that it is in."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say some words."}]}
    given = {"authorization": f"Bearer {key or gateway.key}", **headers}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=given, **PLAIN)
    id = f"tr-{answer.headers['x-gatelog-run-id']}"
    for _ in range(200):
        found = httpx.get(f"{gateway.url}/api/3.0/mlflow/traces/{id}", headers=gateway.headers, **PLAIN)
        if found.status_code == 200:
            return id, found.json()["trace"]["trace_info"]["trace_location"]["mlflow_experiment"]["experiment_id"]
        time.sleep(0.05)
    raise AssertionError(found.text)


def got(id: str) -> Any:
    """The trace. Any: the client's own types do not say what kind of assessment is on it."""
    trace = mlflow.get_trace(id)
    assert trace is not None
    return trace


def ids(experiment: str, filter: str = "", **more: Any) -> list[str]:
    found = mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list", **more)
    return [trace.info.trace_id for trace in found]


def test_a_call_is_a_trace_with_what_was_said_what_it_cost_and_each_attempt(gatelog: Gateway) -> None:
    tagged = {"x-gatelog-tags": '{"team": "search"}', "x-gatelog-session": "s-1", "x-gatelog-user": "ada"}
    id, _ = call(gatelog, "fallen-back", **tagged)
    trace = got(id)
    assert (trace.info.state, trace.info.tags["mlflow.traceName"], trace.info.tags["team"]) == (
        "OK",
        "fallen-back",
        "search",
    )
    assert (trace.info.request_preview, trace.info.response_preview) == ("Say some words.", text(WORDS))
    metadata = trace.info.trace_metadata
    assert (metadata["mlflow.trace.session"], metadata["mlflow.trace.user"]) == ("s-1", "ada")
    usage = trace.info.token_usage
    assert trace.info.cost == {"total_cost": (usage["input_tokens"] + 2 * usage["output_tokens"]) / 1_000_000}
    root, first, second = trace.data.spans
    assert (root.span_type, root.parent_id) == ("CHAT_MODEL", None)
    assert root.inputs["messages"] == [{"role": "user", "content": "Say some words."}]
    assert root.outputs["choices"][0]["message"]["content"] == text(WORDS)
    assert [(span.name, span.status.status_code, span.parent_id) for span in (first, second)] == [
        ("bad/gpt-4o", "ERROR", root.span_id),
        ("good/gpt-4o-mini", "OK", root.span_id),
    ]
    assert first.get_attribute("http.response.status_code") == 503


def test_a_call_that_failed_is_a_trace_in_error(gatelog: Gateway) -> None:
    id, experiment = call(gatelog, "failing", **{"x-gatelog-experiment": "failures"})
    trace = got(id)
    assert (trace.info.state, trace.data.spans[0].status.status_code) == ("ERROR", "ERROR")
    assert ids(experiment, "status = 'ERROR' AND span.type = 'CHAT_MODEL'") == [id]


def test_calls_are_found_by_model_cost_latency_tag_and_endpoint(gatelog: Gateway) -> None:
    marked = {"x-gatelog-experiment": "searched"}
    one, experiment = call(gatelog, **marked, **{"x-gatelog-tags": '{"team": "a"}'})
    two, _ = call(gatelog, "fallen-back", **marked, **{"x-gatelog-session": "s-9"})
    found = {
        "": [two, one],
        "params.model = 'gpt-4o-mini'": [two, one],
        "params.model = 'gpt-4o'": [],
        "metrics.cost_usd > 0 AND metrics.latency_ms < 60000": [two, one],
        "metrics.attempts = 2": [two],
        "tags.team = 'a'": [one],
        "name = 'support'": [one],
        "tags.`mlflow.traceName` = 'support'": [one],
        "span.name LIKE 'fallen%'": [two],
        "metadata.`mlflow.trace.session` = 's-9'": [two],
        f"trace_id = '{one}' OR session = 's-9'": [two, one],
        "metadata.`gatelog.provider` = 'good' AND NOT name = 'support'": [two],
        f"run_id = '{one[3:]}'": [one],
    }
    for filter, expected in found.items():
        assert ids(experiment, filter) == expected, filter
    assert ids(experiment, order_by=["metrics.attempts ASC"]) == [one, two]


def test_calls_are_found_by_what_was_said_in_them(gatelog: Gateway) -> None:
    id, experiment = call(gatelog, **{"x-gatelog-experiment": "said"})
    until = time.monotonic() + 30
    while not ids(experiment, "trace.text LIKE '%some words%'") and time.monotonic() < until:
        time.sleep(0.1)  # words are indexed after the call is recorded
    for filter in ("trace.text ILIKE '%SAY some%'", "text = 'words some'", "attributes.text = '\"say some words\"'"):
        assert ids(experiment, filter) == [id], filter
    assert ids(experiment, "trace.text LIKE '%nobody said this%'") == []


def test_one_page_after_another_holds_calls_and_traces_of_clients_in_one_order(gatelog: Gateway) -> None:
    experiment = mlflow.set_experiment("mixed").experiment_id
    made = []
    for n in range(3):
        made.append(call(gatelog, **{"x-gatelog-experiment": "mixed"})[0])
        with mlflow.start_span(f"client {n}") as span:
            made.append(span.trace_id)
        mlflow.flush_trace_async_logging()
    client, seen, token = mlflow.MlflowClient(), [], None
    while True:
        page = client.search_traces(locations=[experiment], max_results=2, page_token=token, order_by=["timestamp ASC"])
        seen += [trace.info.trace_id for trace in page]
        if not (token := page.token):
            break
    assert seen == made


def test_a_call_is_judged_tagged_and_linked_like_any_trace_and_not_deleted(gatelog: Gateway) -> None:
    id, experiment = call(gatelog, **{"x-gatelog-experiment": "judged"})
    feedback: Any = mlflow.log_feedback(trace_id=id, name="good", value=4, source=HUMAN)
    mlflow.log_expectation(trace_id=id, name="fact", value="Paris", source=HUMAN)
    mlflow.set_trace_tag(id, "reviewed", "yes")
    assert ids(experiment, "feedback.good = '4' AND expectation.fact = 'Paris' AND tags.reviewed = 'yes'") == [id]
    assert ids(experiment, "feedback.good >= 3.5 AND feedback.good < 5 AND NOT feedback.good IN (1, 2)") == [id]
    assert len(got(id).info.assessments) == 2
    mlflow.delete_assessment(id, feedback.assessment_id)
    mlflow.delete_trace_tag(id, "reviewed")
    assert ids(experiment, "feedback.good IS NOT NULL OR tags.reviewed IS NOT NULL") == []
    mlflow.MlflowClient().link_traces_to_run([id], "f" * 32)
    assert ids(experiment, f"attribute.run_id = '{'f' * 32}'") == [id]
    with pytest.raises(MlflowException, match="retention"):
        mlflow.MlflowClient().delete_traces(experiment, trace_ids=[id])
    assert mlflow.MlflowClient().delete_traces(experiment, max_timestamp_millis=2**52) == 0
    assert ids(experiment) == [id]


def test_a_call_hangs_under_the_span_of_its_caller_that_made_it(gatelog: Gateway) -> None:
    mlflow.set_experiment("distributed")
    with mlflow.start_span("agent") as agent, mlflow.start_span("step") as step:
        id, _ = call(gatelog, "fallen-back", **get_tracing_context_headers_for_http_request())
    mlflow.flush_trace_async_logging()
    trace = got(agent.trace_id)
    assert [span.name for span in trace.data.spans] == [
        "agent",
        "step",
        "fallen-back",
        "bad/gpt-4o",
        "good/gpt-4o-mini",
    ]
    called = trace.data.spans[2]
    assert (called.trace_id, called.parent_id) == (agent.trace_id, step.span_id)
    assert {span.parent_id for span in trace.data.spans[3:]} == {called.span_id}
    own = got(id)
    assert (own.data.spans[0].parent_id, own.info.trace_metadata["gatelog.caller_span_id"]) == (None, step.span_id)
    assert ids("0", f"metadata.`gatelog.caller_trace_id` = '{agent.trace_id}'") == [id]


@pytest.mark.parametrize("sent", ["", "00-0-0-01", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"])
def test_a_traceparent_that_is_not_one_is_as_good_as_not_sent(sent: str, gatelog: Gateway) -> None:
    id, _ = call(gatelog, traceparent=sent)
    assert "gatelog.caller_trace_id" not in got(id).info.trace_metadata


def test_a_caller_sees_the_traces_of_its_own_calls_alone(gatelog: Gateway) -> None:
    made = httpx.post(f"{gatelog.url}/api/keys", json={"name": "app"}, headers=gatelog.headers, **PLAIN).json()["key"]
    marked = {"x-gatelog-experiment": "private"}
    theirs, experiment = call(gatelog, **marked)
    own, _ = call(gatelog, key=made, **marked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", made)
        assert ids(experiment) == [own]
        assert mlflow.get_trace(theirs, silent=True) is None
        with pytest.raises(MlflowException, match="not found"):
            mlflow.log_feedback(trace_id=theirs, name="good", value=True, source=HUMAN)
        with pytest.raises(MlflowException, match="not found"):
            mlflow.set_trace_tag(theirs, "a", "b")
        mlflow.log_feedback(trace_id=own, name="good", value=True, source=HUMAN)
    assert set(ids(experiment)) == {theirs, own}


@scorer
def words(outputs: Any) -> int:
    return len(outputs["choices"][0]["message"]["content"].split())


@scorer
def as_expected(outputs: Any, expectations: dict[str, Any]) -> bool:
    return bool(outputs["choices"][0]["message"]["content"] == expectations["expected_response"])


@scorer
def attempts(trace: Trace) -> int:
    return len(trace.data.spans) - 1


def test_logged_calls_are_evaluated_where_they_are(gatelog: Gateway) -> None:
    experiment = mlflow.set_experiment("evaluated").experiment_id
    made = [call(gatelog, model, **{"x-gatelog-experiment": "evaluated"})[0] for model in ("support", "fallen-back")]
    for id, expected in zip(made, (text(WORDS), "something else"), strict=True):
        mlflow.log_expectation(trace_id=id, name="expected_response", value=expected, source=HUMAN)
    result = mlflow.genai.evaluate(
        data=mlflow.search_traces(locations=[experiment]), scorers=[words, as_expected, attempts]
    )
    assert result.metrics["as_expected/mean"] == 0.5
    assert result.metrics["attempts/mean"] == 1.5
    assert result.metrics["words/mean"] == len(text(WORDS).split())
    assert set(ids(experiment, f"attribute.run_id = '{result.run_id}'")) == set(made)
    said = {each.name: each.value for each in got(made[1]).info.assessments}
    assert (said["as_expected"], said["attempts"], said["expected_response"]) == (False, 2, "something else")
    assert mlflow.get_run(result.run_id).data.metrics["attempts/mean"] == 1.5
