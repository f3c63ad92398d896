"""From a call in the journal to its rows in the store, as tuples in the order of the tables' columns."""

from __future__ import annotations

from typing import Any

import orjson
import zstandard

from tracking.calls import Begin, End
from tracking.counting import Counting
from tracking.experiments import DEFAULT
from tracking.tail import Logged

COMPRESSED_FROM = 2048
"""Bytes of both bodies together, below which compressing saves less than it costs."""
LEVEL = 1
NUL, REPLACEMENT = "\x00", "\ufffd"

Row = tuple[Any, ...]


class Rows:
    """Makes rows. It holds one compressor, so it belongs to one thread."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False).compress

    def call(self, logged: Logged, experiments: dict[str, int]) -> Row:
        """Of `calls`."""
        begin, end = _facts(logged)
        if end is None:
            usage, basis, cost = self._counting.interrupted(begin, logged.request)
            end = End(id=begin["id"], status="interrupted")
            provider, model = begin.get("provider"), begin.get("model")
        else:
            usage, basis, cost = self._counting.ended(begin, logged.request, end, logged.response)
            provider, model = end.get("provider"), end.get("model")
        id, name, tags, attempts = end["id"], begin.get("experiment"), begin.get("tags"), end.get("attempts")
        get, got, used = begin.get, end.get, usage.get
        return (
            id,
            get("started_us") or time_of(id),
            DEFAULT if name is None else experiments[name],
            get("kind"),
            get("endpoint"),
            get("requested_model"),
            get("stream"),
            get("key_id"),
            get("user"),
            get("session"),
            get("parent_run_id"),
            get("idempotency_key"),
            get("trace_id"),
            get("parent_span_id"),
            get("config_revision"),
            get("log_payloads"),
            json(tags) if tags else None,
            get("max_output"),
            get("request_bytes"),
            get("prompt_name"),
            get("prompt_version"),
            get("registered_model"),
            get("registered_version"),
            end["status"],
            got("http_status"),
            got("error_code"),
            got("error_message"),
            provider,
            model,
            got("response_model"),
            got("credential"),
            None if attempts is None else len(attempts),
            got("duration_us"),
            got("ttft_us"),
            got("upstream_us"),
            got("finish_reason"),
            got("native_finish_reason"),
            got("upstream_request_id"),
            used("input"),
            used("output"),
            used("cache_read"),
            used("cache_write"),
            used("cache_write_1h"),
            used("reasoning"),
            used("input_audio"),
            used("output_audio"),
            used("searches"),
            basis,
            got("usage_suspect") or False,
            cost,
            got("response_bytes"),
            got("response_truncated"),
        )

    def payload(self, logged: Logged) -> Row:
        """Of `payloads`."""
        begin, ended = _facts(logged)
        end: End = ended or {}
        request, response, encoding = logged.request, logged.response, "raw"
        if len(request) + len(response) >= COMPRESSED_FROM:
            request, response, encoding = self._compress(request), self._compress(response), "zstd"
        attempts = end.get("attempts")
        price = begin.get("price") if ended is None else ended.get("price")
        return (
            logged.id,
            request if logged.request else None,
            response if logged.response else None,
            end.get("response_type"),
            encoding,
            json(attempts) if attempts else None,
            None if price is None else json(price),
        )


def unpacked(body: bytes | None, encoding: str) -> bytes | None:
    """A body of `payloads` as it was sent; None where none is kept."""
    if body is None:
        return None
    match encoding:
        case "raw":
            return bytes(body)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
        case _:
            raise ValueError(f"a payload is encoded as {encoding!r}, and this Gatelog reads raw and zstd")


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
