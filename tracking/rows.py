"""From a call in the journal to its row in the store, as a tuple in the order of `COLUMNS`."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import orjson

from tracking.calls import Begin, End
from tracking.counting import Counting
from tracking.experiments import DEFAULT
from tracking.tail import Logged

NUL, REPLACEMENT = "\x00", "\ufffd"

_BEGUN = {
    name: name
    for name in (
        *("kind", "endpoint", "requested_model", "stream", "key_id", "session", "parent_run_id", "idempotency_key"),
        *("trace_id", "parent_span_id", "config_revision", "log_payloads", "max_output", "request_bytes"),
        *("prompt_name", "prompt_version", "registered_model", "registered_version"),
    )
} | {"end_user": "user"}
"""Columns, and what of a `Begin` they hold."""
_ENDED = (
    *("status", "http_status", "error_code", "error_message", "provider", "model", "response_model", "credential"),
    *("duration_us", "ttft_us", "upstream_us", "finish_reason", "native_finish_reason", "upstream_request_id"),
    *("response_bytes", "response_truncated"),
)
"""Columns, and keys of an `End`."""
_USED = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "reasoning_tokens": "reasoning",
    "input_audio_tokens": "input_audio",
    "output_audio_tokens": "output_audio",
    "searches": "searches",
}
"""Columns, and what of a `Usage` they hold."""
COLUMNS = (
    *("id", "started_us", "experiment_id", "tags", "attempts"),
    *("usage_basis", "usage_suspect", "cost_nanos", "payload_block"),
    *_BEGUN,
    *_ENDED,
    *_USED,
)
"""Of `calls`, all of them."""
_of_begin, _of_end, _of_usage = tuple(_BEGUN.values()), itemgetter(*_ENDED), tuple(_USED.values())
_NOT_ENDED: dict[str, Any] = dict.fromkeys(_ENDED)

Row = tuple[Any, ...]


class Rows:
    """Makes rows."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def call(self, logged: Logged, block: int, experiments: dict[str, int]) -> Row:
        """Of `calls`. What was said in it is in this block."""
        begin, end = _facts(logged)
        if end is None:
            usage, basis, cost = self._counting.interrupted(begin, logged.request)
            end = End(id=begin["id"], status="interrupted")
            end |= {"provider": begin.get("provider"), "model": begin.get("model")}
        else:
            usage, basis, cost = self._counting.ended(begin, logged.request, end, logged.response)
        try:
            ended = _of_end(end)
        except KeyError:  # its process died, or the journal is of an older version
            ended = _of_end({**_NOT_ENDED, **end})
        id, name, tags, attempts = end["id"], begin.get("experiment"), begin.get("tags"), end.get("attempts")
        return (
            id,
            begin.get("started_us") or time_of(id),
            DEFAULT if name is None else experiments[name],
            json(tags) if tags else None,
            None if attempts is None else len(attempts),
            basis,
            end.get("usage_suspect") or False,
            cost,
            block,
            *map(begin.get, _of_begin),
            *ended,
            *map(usage.get, _of_usage),
        )


def time_of(id: str) -> int:
    """The microsecond in which a UUIDv7 was made, as far as it tells."""
    return int(id[:12], 16) * 1000


def json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _facts(logged: Logged) -> tuple[Begin, End | None]:
    if not logged.nul:
        return logged.begin or {}, logged.end
    return _without_nuls(logged.begin or {}), _without_nuls(logged.end)


def _without_nuls(value: Any) -> Any:
    """PostgreSQL keeps no NUL in text. Callers may send one, so it becomes the character that says what it was."""
    match value:
        case str():
            return value.replace(NUL, REPLACEMENT)
        case list():
            return [_without_nuls(item) for item in value]
        case dict():
            return {_without_nuls(name): _without_nuls(item) for name, item in value.items()}
        case _:
            return value
