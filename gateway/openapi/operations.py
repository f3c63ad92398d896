"""What our own operations take and give, by method and path; what is not here is told by its endpoint alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.keys_api import NewKey
from gateway.openapi import shapes
from gateway.openapi.shapes import Shape
from providers.chat import CHAT, COMPLETION, EMBEDDING

Schema = Mapping[str, Any]
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean", "default": False}
SSE, NDJSON, CSV, BYTES = "text/event-stream", "application/x-ndjson", "text/csv", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    says: str
    schema: Schema = field(default_factory=lambda: TEXT)
    place: str = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    summary: str
    says: str = ""
    takes: tuple[Parameter, ...] = ()
    body: Shape | None = None
    """Of the JSON that is sent."""
    sends: tuple[str, ...] = ()
    """Media types of what is sent that is not JSON of a known shape."""
    example: Mapping[str, Any] | None = None
    """A body, for the page's curl."""
    query: str = ""
    """A query, for the page's curl."""
    gives: Shape | None = None
    """The JSON of a good answer."""
    streams: tuple[str, ...] = ()
    """Other media types that a good answer may have."""
    status: int = 200
    given: tuple[str, ...] = ()
    """Headers of a good answer, of `HEADERS`."""


HEADERS: Mapping[str, str] = {
    "x-gatelog-run-id": "The run: `GET /api/runs/{id}`.",
    "x-gatelog-provider": "Who answered.",
    "x-gatelog-model": "With which model.",
    "x-gatelog-attempts": "How many tries it took.",
    "x-gatelog-cost-usd": "What it cost, where that is known; not for streams.",
    "x-gatelog-overhead-ms": "What Gatelog itself took of the time to the first byte.",
}
ANNOTATIONS = (
    Parameter("x-gatelog-experiment", "The experiment that the run belongs to, by name.", place="header"),
    Parameter("x-gatelog-tags", 'A JSON object of strings: `{"team": "search"}`.', place="header"),
    Parameter("x-gatelog-user", "Whom the call is for.", place="header"),
    Parameter("x-gatelog-session", "The conversation that it belongs to.", place="header"),
    Parameter("x-gatelog-parent-run-id", "The run that it is a part of.", place="header"),
    Parameter("x-gatelog-endpoint", "The endpoint for a call by a prompt of the registry.", place="header"),
    Parameter("traceparent", "The trace that it is a step of, by W3C Trace Context.", place="header"),
    Parameter("Idempotency-Key", "Makes a call that is sent twice be made once.", place="header"),
)
TIME = "ISO 8601, or milliseconds since 1970."
CHOICE = (
    Parameter("filter", "As in MLflow: `params.provider = 'openai' and metrics.cost_usd > 0.01`."),
    Parameter("endpoint", "Only runs of this endpoint."),
    Parameter("model", "Only runs that this model answered."),
    Parameter("provider", "Only runs that this provider answered."),
    Parameter("status", "Only runs that ended so."),
    Parameter("since", f"Only runs from then on: {TIME}"),
    Parameter("until", f"Only runs before then: {TIME}"),
)
ORDER = Parameter(
    "order_by", "As `metrics.cost_usd DESC`; may be repeated.", {"type": "array", "items": {"type": "string"}}
)
RAW = Parameter("raw", "A stream as the text of its events, not as the answer that it came to.", FLAG)
HELLO = [{"role": "user", "content": "Say hello."}]
CALL = (
    "`model` is an endpoint of the configuration, `provider/model`, or `prompts:/name@alias` of the registry. What a "
    "provider's model can do beyond what is described here passes too. The call is recorded as a run."
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/v1/chat/completions"): Operation(
        summary="Chat with a model, plain or streamed",
        says=CALL,
        takes=ANNOTATIONS,
        body=CHAT,
        example={"model": "demo/echo", "messages": HELLO},
        gives=shapes.ChatCompletion,
        streams=(SSE,),
        given=tuple(HEADERS),
    ),
    ("POST", "/v1/completions"): Operation(
        summary="Continue a text, plain or streamed",
        says=CALL,
        takes=ANNOTATIONS,
        body=COMPLETION,
        example={"model": "demo/echo", "prompt": "Once upon a time"},
        gives=shapes.Completion,
        streams=(SSE,),
        given=tuple(HEADERS),
    ),
    ("POST", "/v1/embeddings"): Operation(
        summary="Turn texts into vectors",
        says=CALL,
        takes=ANNOTATIONS,
        body=EMBEDDING,
        example={"model": "demo/words", "input": ["one", "two"]},
        gives=shapes.Embeddings,
        given=tuple(HEADERS),
    ),
    **{
        ("POST", path): Operation(
            summary="Call an endpoint by its name in the path, as MLflow's AI gateway takes it",
            says="The body is one of chat, completions or embeddings, whichever the endpoint is for, without `model`.",
            takes=ANNOTATIONS,
            body=dict[str, Any],
            example={"messages": HELLO},
            gives=dict[str, Any],
            streams=(SSE,),
            given=tuple(HEADERS),
        )
        for path in ("/gateway/{endpoint}/invocations", "/endpoints/{endpoint}/invocations")
    },
    ("POST", "/gateway/mlflow/v1/chat/completions"): Operation(
        summary="Chat with a model, where MLflow's clients look for it",
        says="The same as `/v1/chat/completions`.",
        takes=ANNOTATIONS,
        body=CHAT,
        example={"model": "demo/echo", "messages": HELLO},
        gives=shapes.ChatCompletion,
        streams=(SSE,),
        given=tuple(HEADERS),
    ),
    ("GET", "/v1/models"): Operation(summary="List what may be called", gives=shapes.Models),
    ("GET", "/v1/models/{id}"): Operation(summary="Show one model", gives=shapes.Model),
    ("GET", "/api/2.0/endpoints/"): Operation(
        summary="List the endpoints, in MLflow's words",
        takes=(Parameter("page_token", "`next_page_token` of the page before."),),
        gives=shapes.Endpoints,
    ),
    ("GET", "/api/2.0/endpoints/{name}"): Operation(
        summary="Show one endpoint, in MLflow's words", gives=shapes.Endpoint
    ),
    ("GET", "/api/runs"): Operation(
        summary="List runs, newest first",
        says="A caller's key sees its own runs; those of the roles `viewer` and `admin` see all.",
        takes=(
            *CHOICE,
            ORDER,
            Parameter(
                "page_size", "Runs on a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
            ),
            Parameter("page_token", "`next_page_token` of the page before."),
        ),
        query="status=ok&page_size=10",
        gives=shapes.RunPage,
    ),
    ("POST", "/v1/traces"): Operation(
        summary="Take spans, by OTLP over HTTP",
        says="From MLflow's clients and any other exporter of OpenTelemetry's, as protobuf or JSON, also compressed.",
        takes=(
            Parameter("x-mlflow-experiment-id", "The experiment that the traces belong to.", place="header"),
            Parameter("x-mlflow-run-id", "The run that they belong to.", place="header"),
        ),
        sends=("application/x-protobuf", "application/json"),
        gives=dict[str, Any],
    ),
    **{
        (method, "/api/2.0/mlflow-artifacts/artifacts/{path}"): Operation(
            summary=f"Artifacts: {verb} a file", sends=sends, streams=streams
        )
        for method, verb, sends, streams in (
            ("GET", "get", (), (BYTES,)),
            ("PUT", "put", (BYTES,), ()),
            ("DELETE", "delete", (), ()),
        )
    },
    ("GET", "/get-artifact"): Operation(
        summary="Artifacts: get a file of a run",
        takes=(Parameter("run_id", "The run."), Parameter("path", "The file.")),
        streams=(BYTES,),
    ),
    ("GET", "/api/runs/facets"): Operation(
        summary="Count the runs of a search by what they are and when they were",
        takes=(
            *CHOICE,
            Parameter(
                "buckets",
                "How many bars the histogram has at most.",
                {"type": "integer", "minimum": 1, "maximum": 200, "default": 60},
            ),
        ),
        gives=dict[str, Any],
    ),
    ("GET", "/api/runs/fields"): Operation(
        summary="What a filter may name: keys, operators and known values", gives=dict[str, Any]
    ),
    ("GET", "/api/runs/check"): Operation(
        summary="Whether a filter and an order can be read, and where they cannot",
        takes=(CHOICE[0], Parameter("order_by", "As `metrics.cost_usd DESC`.")),
        gives=dict[str, Any],
    ),
    ("GET", "/api/runs/tail"): Operation(
        summary="Runs as they are recorded, as server-sent events",
        takes=(*CHOICE, Parameter("Last-Event-ID", "The last event that was heard, after a cut.", place="header")),
        streams=(SSE,),
    ),
    ("GET", "/api/runs/compare"): Operation(
        summary="A few runs beside each other, with what is the same in all and what is not",
        takes=(
            Parameter(
                "id",
                "A run, repeated for each.",
                {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 10},
            ),
        ),
        gives=dict[str, Any],
    ),
    ("GET", "/api/runs/export"): Operation(
        summary="Export every run that passes",
        says="In detail, one JSON object a line; as CSV or Parquet a table without what was said.",
        takes=(
            *CHOICE,
            ORDER,
            RAW,
            Parameter("format", "How.", {"type": "string", "enum": ["jsonl", "csv", "parquet"], "default": "jsonl"}),
        ),
        query="since=2026-01-01&format=csv",
        streams=(NDJSON, CSV, "application/vnd.apache.parquet"),
    ),
    ("GET", "/api/runs/{id}"): Operation(
        summary="Show one run with its attempts, its request and its response", takes=(RAW,), gives=shapes.RunInDetail
    ),
    ("GET", "/api/runs/{id}/request"): Operation(
        summary="The bytes that the caller sent", gives=dict[str, Any], streams=(BYTES,)
    ),
    ("GET", "/api/runs/{id}/response"): Operation(
        summary="The bytes that the caller was sent", gives=dict[str, Any], streams=(SSE, BYTES)
    ),
    ("GET", "/api/usage"): Operation(
        summary="What calls came to: their number, tokens, cost and latency",
        says=(
            "From totals that are kept by minute, hour and day, so that a month is answered as fast as an hour. "
            "`endpoint`, `provider`, `model`, `key`, `prompt`, `prompt_version`, `user` and `tags.NAME` may also be "
            "given as parameters themselves, to count only calls with that value."
        ),
        takes=(
            Parameter("since", f"The beginning of the window, a day before its end when left out: {TIME}"),
            Parameter("until", f"Its end, which is now when left out: {TIME}"),
            Parameter("bucket", "A row for each.", {"type": "string", "enum": ["minute", "hour", "day"]}),
            Parameter(
                "group_by",
                "With commas between: any of `endpoint`, `provider`, `model`, `key`, `prompt`, `prompt_version`; or "
                "`user` or one `tags.NAME`, alone or with `key`.",
            ),
        ),
        query="group_by=model&bucket=day",
        gives=shapes.UsageReport,
    ),
    ("GET", "/api/keys"): Operation(summary="List all keys that there ever were", gives=shapes.KeyList),
    ("POST", "/api/keys"): Operation(
        summary="Make a key",
        says="The answer is the only place where it can be read.",
        body=NewKey,
        example={"name": "search team", "role": "caller"},
        gives=shapes.NewKeyShown,
        status=201,
    ),
    ("DELETE", "/api/keys/{id}"): Operation(
        summary="Revoke a key", says="From now on nobody can use it. Its runs stay.", status=204
    ),
    ("GET", "/login"): Operation(
        summary="Sign a browser in by the one-time link that the server printed at its start",
        takes=(Parameter("token", "The link's."),),
        status=303,
    ),
    ("POST", "/login"): Operation(
        summary="Sign a browser in by a key",
        says="The answer sets a cookie. Whoever fails ten times within a minute waits for the rest of it.",
        body=shapes.SignIn,
        example={"key": "gl-..."},
        gives=shapes.SignedIn,
    ),
    ("POST", "/logout"): Operation(
        summary="Sign a browser out",
        takes=(Parameter("everywhere", "Out of every browser that is signed in with the same key.", FLAG),),
        status=204,
    ),
    ("GET", "/health"): Operation(summary="Whether the process lives", streams=("text/plain",)),
    ("GET", "/ready"): Operation(summary="Whether the store answers a real query", gives=shapes.Ready),
    ("GET", "/version"): Operation(summary="The version of MLflow whose API this is", streams=("text/plain",)),
    ("GET", "/admin/status"): Operation(
        summary="How far recording is behind, and which targets rest", gives=shapes.Status
    ),
    ("GET", "/admin/config"): Operation(
        summary="The configuration in use, without its secrets, and what is wrong with a newer one",
        gives=shapes.Configuration,
    ),
    ("GET", "/openapi.json"): Operation(summary="This description, as OpenAPI 3.1", gives=dict[str, Any]),
    ("GET", "/docs"): Operation(summary="This description, as a page", streams=("text/html",)),
}

SUMMARIES: Mapping[tuple[str, str], str] = {
    ("GET", "/api/whoami"): "Who asks",
    ("POST", "/api/runs/dataset"): "Make a dataset of runs",
    ("GET", "/api/runs/{id}/exact"): "The request and the response of a run, to the byte",
    ("GET", "/api/runs/{id}/feedback"): "What people said of a run",
    ("PUT", "/api/runs/{id}/feedback"): "Say something of a run",
    ("GET", "/api/views"): "List saved searches",
    ("POST", "/api/views"): "Save a search",
    ("PUT", "/api/views/{id}"): "Change a saved search",
    ("DELETE", "/api/views/{id}"): "Forget a saved search",
    ("GET", "/api/lab"): "List labs",
    ("POST", "/api/lab"): "Make a lab",
    ("GET", "/api/lab/{id}"): "Show one lab",
    ("PUT", "/api/lab/{id}"): "Write a lab",
    ("DELETE", "/api/lab/{id}"): "Delete a lab",
    ("GET", "/api/lab/{id}/versions"): "List the versions of a lab",
    ("GET", "/api/lab/{id}/versions/{version}"): "Show a version of a lab",
    ("POST", "/api/lab/{id}/restore"): "Take a lab back to a version",
    ("POST", "/api/lab/{id}/files"): "Upload a file to a lab",
    ("GET", "/api/lab/{id}/files/{digest}"): "Download a file of a lab",
    ("POST", "/api/lab/{id}/run"): "Run the cells of a lab",
    ("POST", "/api/lab/{id}/stop"): "Stop what runs in a lab",
    ("GET", "/api/lab/{id}/cells"): "The cells of a lab, with what came of them",
    ("GET", "/api/lab/{id}/events"): "What happens in a lab, as server-sent events",
    ("POST", "/api/lab/{id}/forecast"): "What running cells of a lab will cost",
    ("POST", "/api/lab/{id}/verdict"): "Score the answers of a lab, and compare its columns",
    ("GET", "/api/lab/{id}/pairs/next"): "Two answers of a lab, without the names of who gave them",
    ("POST", "/api/lab/{id}/votes"): "Say which of two answers of a lab is better",
    ("GET", "/api/lab/{id}/votes"): "What was preferred in a lab",
    ("POST", "/api/lab/import"): "Make a lab of what OpenAI's playground or promptfoo keeps",
    ("GET", "/api/lab/{id}/code"): "The call of a cell of a lab, as code",
    ("GET", "/api/lab/{id}/export"): "Export the grid of a lab, or what was preferred in it",
    ("GET", "/api/overview"): "What a window of time came to, beside the one before",
    ("GET", "/api/prompts"): "List prompts",
    ("POST", "/api/prompts"): "Make a prompt",
    ("GET", "/api/prompts/protected-aliases"): "Which aliases administrators alone may move",
    ("PUT", "/api/prompts/protected-aliases"): "Say which aliases administrators alone may move",
    ("GET", "/api/prompts/{name}"): "Show one prompt with its versions",
    ("PATCH", "/api/prompts/{name}"): "Describe or tag a prompt",
    ("DELETE", "/api/prompts/{name}"): "Delete a prompt",
    ("POST", "/api/prompts/{name}/versions"): "Add a version to a prompt",
    ("GET", "/api/prompts/{name}/versions/{version}"): "Show a version of a prompt",
    ("PATCH", "/api/prompts/{name}/versions/{version}"): "Describe or tag a version of a prompt",
    ("DELETE", "/api/prompts/{name}/versions/{version}"): "Delete a version of a prompt",
    ("GET", "/api/prompts/{name}/diff"): "What is different between two versions of a prompt",
    ("GET", "/api/prompts/{name}/usage"): "What calls by each version of a prompt came to",
    ("GET", "/api/prompts/{name}/moves"): "The history of a prompt's aliases",
    ("PUT", "/api/prompts/{name}/aliases/{alias}"): "Promote a version of a prompt",
    ("DELETE", "/api/prompts/{name}/aliases/{alias}"): "Delete an alias of a prompt",
    ("POST", "/api/prompts/{name}/aliases/{alias}/rollback"): "Roll an alias back to the version before",
    ("GET", "/api/experiments"): "List experiments",
    ("GET", "/api/experiments/{id}"): "Show one experiment, with what its runs have",
    ("GET", "/api/experiments/{id}/runs"): "Runs of an experiment, with their parameters and metrics",
    ("GET", "/api/logged-runs/metrics"): "One metric over the steps of several runs",
    ("GET", "/api/logged-runs/{id}"): "Show one run, with its parent and its children",
    ("POST", "/api/datasets"): "Make a dataset",
    ("GET", "/api/datasets"): "List datasets",
    ("GET", "/api/datasets/{id}"): "Show one dataset with its versions",
    ("DELETE", "/api/datasets/{id}"): "Delete a dataset",
    ("POST", "/api/datasets/{id}/rows"): "Add rows to a dataset",
    ("GET", "/api/datasets/{id}/rows"): "The rows of a dataset",
    ("GET", "/api/datasets/{id}/export"): "Export a version of a dataset",
    ("POST", "/api/evaluations"): "Make an evaluation",
    ("GET", "/api/evaluations"): "List evaluations",
    ("POST", "/api/evaluations/forecast"): "What an evaluation would come to, without making it",
    ("GET", "/api/evaluations/scorers"): "The scorers that there are, with their options",
    ("GET", "/api/evaluations/{id}"): "Show one evaluation, and how far it is",
    ("DELETE", "/api/evaluations/{id}"): "Delete an evaluation",
    ("GET", "/api/evaluations/{id}/cells"): "The cells of an evaluation",
    ("GET", "/api/evaluations/{id}/rows"): "The rows that an evaluation asks",
    ("GET", "/api/evaluations/{id}/events"): "How far an evaluation is, as server-sent events",
    ("POST", "/api/evaluations/{id}/start"): "Start an evaluation",
    ("POST", "/api/evaluations/{id}/resume"): "Go on with an evaluation",
    ("POST", "/api/evaluations/{id}/stop"): "Stop an evaluation",
    ("POST", "/api/evaluations/{id}/scores"): "Add scores to the cells of an evaluation",
    ("GET", "/api/evaluations/{id}/card"): "The verdict of an evaluation, and all that it rests on",
}
"""Of those whose endpoints tell the rest: by their docstrings, and by the Pydantic models that they read."""
