"""What the API answers, as types: where the answers are described, and what the tests hold them against."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from providers.chat import CHAT, COMPLETION, EMBEDDING, Json

OPEN = ConfigDict(extra="allow", use_attribute_docstrings=True)


class ErrorBody(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]  # so Pydantic is told of a TypedDict
    message: str
    """For people; it may change."""
    type: str
    """Whose move it is: one of a closed list."""
    param: str | None
    """The field that was wrong, as it was sent."""
    code: str | None
    """What happened exactly: one of a closed list."""


class Error(TypedDict):
    error: ErrorBody


class MlflowError(TypedDict):
    error_code: str
    """MLflow's, such as `RESOURCE_DOES_NOT_EXIST`."""
    message: str


class Usage(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    prompt_tokens: int
    completion_tokens: NotRequired[int]
    total_tokens: int


class Choice(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    index: int
    message: Json
    finish_reason: str | None


class ChatCompletion(TypedDict):
    """OpenAI's, with whatever else the provider said."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: NotRequired[Usage | None]


class TextChoice(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    index: int
    text: str
    finish_reason: str | None


class Completion(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: NotRequired[Usage | None]


class Vector(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    index: int
    object: Literal["embedding"]
    embedding: list[float] | str
    """Numbers, or base64 where that was asked for."""


class Embeddings(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    object: Literal["list"]
    model: str
    data: list[Vector]
    usage: NotRequired[Usage | None]


class Model(TypedDict):
    id: str
    """What may be sent as `model`."""
    object: Literal["model"]
    created: int
    owned_by: str
    """The provider, or `gatelog` for an endpoint."""


class Models(TypedDict):
    object: Literal["list"]
    data: list[Model]


class EndpointModel(TypedDict):
    name: str
    provider: str


class Endpoint(TypedDict):
    """An endpoint in MLflow's words."""

    name: str
    endpoint_type: str
    model: EndpointModel
    endpoint_url: str
    limit: Json | None


class Endpoints(TypedDict):
    endpoints: list[Endpoint]
    next_page_token: NotRequired[str]


class Cost(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    usd: str | None
    """Exact decimal text; null where the price is unknown."""
    nanos: int | None
    """Whole nano-dollars."""


class Times(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    started_at: str
    started_unix_ms: int
    ended_at: str | None
    ended_unix_ms: int | None
    duration_ms: float | None
    ttft_ms: float | None
    """Until the first token."""
    upstream_ms: float | None
    """The wait for providers."""
    overhead_ms: float | None
    """What Gatelog itself took."""


class Tokens(TypedDict):
    """Totals include their parts: `input_tokens` counts cached ones too, `output_tokens` counts reasoning."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    input_audio_tokens: int | None
    output_audio_tokens: int | None
    searches: int | None
    total_tokens: int | None
    basis: Literal["provider", "counted", "reserved", "none"]
    """Who counted."""
    suspect: bool
    """The provider sent a count that cannot be one."""


class RunError(TypedDict):
    code: str
    message: str | None


class Named(TypedDict):
    name: str
    version: int | None


class Run(TypedDict):
    """One call. What is unknown is null."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: str
    """As in `x-gatelog-run-id`."""
    status: Literal[
        "ok", "upstream_error", "upstream_timeout", "upstream_cut", "client_cancelled", "rejected", "interrupted"
    ]
    http_status: int | None
    kind: str | None
    endpoint: str | None
    requested_model: str | None
    provider: str | None
    model: str | None
    response_model: str | None
    credential: str | None
    stream: bool
    times: Times
    usage: Tokens
    cost: Cost
    finish_reason: str | None
    native_finish_reason: str | None
    error: RunError | None
    experiment: str | None
    parent_run_id: str | None
    key_id: str | None
    user: str | None
    session: str | None
    tags: dict[str, str]
    config_revision: str | None
    idempotency_key: str | None
    upstream_request_id: str | None
    prompt: Named | None
    """What of the registry the caller asked by, and its version at the time of the call."""
    registered_model: Named | None
    max_output: int | None
    log_payloads: str | None
    request_bytes: int | None
    response_bytes: int | None
    response_truncated: bool | None


class ListedRun(Run):
    attempts: int
    """How many there were."""


class RunInDetail(Run):
    attempts: list[Json] | None
    """Each with its provider, model, credential, status and times."""
    price: Json | None
    """What the cost was made from."""
    request: Any
    """What the caller sent."""
    response: Any
    """What the caller was sent; of a stream the answer that it came to, or with `raw` the text of its events."""
    response_type: Literal["json", "sse"] | None


class RunPage(TypedDict):
    runs: list[ListedRun]
    next_page_token: str | None
    """Null on the last page."""


class TokenSums(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    input_tokens: int
    output_tokens: int
    unknown_calls: int
    """Calls whose tokens are unknown, which the sums leave out."""


class CostSum(TypedDict):
    usd: str
    nanos: int
    unknown_calls: int
    """Calls whose cost is unknown, which the sum leaves out."""


class Quantiles(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    mean: NotRequired[float | None]
    p50: float | None
    p95: float | None
    p99: float | None


class UsageRow(TypedDict):
    """With a key for each name of `group_by`, and `start` where there is a `bucket`."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    calls: int
    errors: int
    cancelled: int
    tokens: TokenSums
    cost: CostSum
    latency_ms: Quantiles
    ttft_ms: Quantiles


class UsageReport(TypedDict):
    since: str
    until: str
    bucket: Literal["minute", "hour", "day"] | None
    group_by: list[str]
    relative_error: float
    """How far a percentile may be from the call that has this rank."""
    usage: list[UsageRow]
    total: UsageRow


class Key(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: str
    name: str
    role: Literal["caller", "viewer", "admin"]
    hint: str
    """Its first and last characters."""
    created_us: int
    created_by: str | None
    expires_us: int | None
    revoked_us: int | None
    last_used_us: int | None


class NewKeyShown(Key):
    key: str
    """The key itself, which is shown this once."""


class KeyList(TypedDict):
    keys: list[Key]


class SignIn(TypedDict):
    key: str


class SignedIn(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    name: str
    role: Literal["caller", "viewer", "admin"]


class Ready(TypedDict):
    status: Literal["ready"]
    version: str


class Recorder(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    recorded: int
    skipped: int
    behind_bytes: int
    behind_seconds: float


class Status(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    version: str
    revision: str
    calls_running: int
    recorder: Recorder
    targets: Any


class Configuration(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    revision: str
    path: str | None
    loaded_at: str
    last_error: Any
    """What is wrong with a newer one, which is why it is not in use."""
    needs_restart: Any
    settings: Json


Shape = Any
"""A type that Pydantic can describe, or an adapter that is made already."""
REQUESTS: dict[str, TypeAdapter[Any]] = {"chat": CHAT, "completions": COMPLETION, "embeddings": EMBEDDING}


def adapter(shape: Shape) -> TypeAdapter[Any]:
    return shape if isinstance(shape, TypeAdapter) else TypeAdapter(shape)
