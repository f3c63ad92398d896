"""What applications export by OTLP over HTTP: from the bytes of a request, protobuf or JSON, to spans."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from providers.chat import Json
from providers.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType
from tracking import spans
from tracking.spans import Span

PROTOBUF, JSON = "application/x-protobuf", "application/json"
UNPACKED_MOST = 256 * 2**20
WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""By content encoding, how zlib is told; some send `deflate` without the head that it should have."""
_IDS = ("traceId", "spanId", "parentSpanId")
_WHOLE = frozenset({"start_time_unix_nano", "end_time_unix_nano", "time_unix_nano", "int_value"})
"""64-bit numbers, which protobuf's JSON has as strings and MLflow's as numbers."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """A body that was compressed, of which no more is unpacked than fits in memory."""
    if encoding in ("", "identity"):
        return body
    windows = WINDOWS.get(encoding)
    if windows is None:
        raise UnsupportedMediaType(f"content-encoding is {encoding!r}; spans may come as gzip, deflate or as they are")
    for window in windows:
        whole = zlib.decompressobj(window)
        try:
            plain = whole.decompress(body, UNPACKED_MOST)
        except zlib.error:
            continue
        if whole.unconsumed_tail:
            raise BodyTooLarge(f"the spans have more than {UNPACKED_MOST} bytes unpacked")
        if whole.eof:
            return plain
    raise InvalidRequest(f"the body is not {encoding}, though content-encoding says so")


def read(body: bytes, media_type: str) -> list[Span]:
    """The spans of an ExportTraceServiceRequest. Slow for large ones: call it in a thread."""
    # A tenth of a second of imports that a start need not wait for.
    from google.protobuf.json_format import (  # type: ignore[import-untyped]  # it has none
        MessageToDict,
        Parse,
        ParseError,
    )
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # nor this
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    try:
        if media_type == PROTOBUF:
            request.ParseFromString(body)
        elif media_type == JSON:
            Parse(_with_base64(body), request, ignore_unknown_fields=True)
        else:
            raise UnsupportedMediaType(f"content-type is {media_type!r}; spans come as {PROTOBUF} or {JSON}")
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise InvalidRequest(f"Invalid OpenTelemetry format: {str(exc)[:200]}") from exc
    if not request.resource_spans:
        raise InvalidRequest("Invalid OpenTelemetry format - no spans found")
    found = []
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if len(span.trace_id) != 16 or len(span.span_id) != 8:
                    raise InvalidRequest("a span needs a trace id of 16 bytes and a span id of 8")
                if max(span.start_time_unix_nano, span.end_time_unix_nano) >= 2**63:
                    raise InvalidRequest(f"the span {span.name[:50]!r} is of a time beyond the year 2262")
                body_of: Json = _numbered(MessageToDict(span, preserving_proto_field_name=True))
                found.append(spans.read(body_of))
    return found


def answered(media_type: str) -> bytes:
    """An ExportTraceServiceResponse that all was taken, which in protobuf is no bytes at all."""
    return b"" if media_type == PROTOBUF else b"{}"


def _with_base64(body: bytes) -> str:
    """OTLP's JSON writes ids in hexadecimal digits, where protobuf's JSON has base64."""
    request: Any = json.loads(body)
    for resource in request.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for each in (span, *span.get("links", ())):
                    for name in _IDS:
                        if digits := each.get(name):
                            try:
                                each[name] = base64.b64encode(bytes.fromhex(digits)).decode()
                            except (ValueError, binascii.Error) as exc:
                                raise ValueError(f"{name} is {digits!r}, which are no hexadecimal digits") from exc
    return json.dumps(request)


def _numbered(found: Any) -> Any:
    match found:
        case dict():
            return {
                name: int(each) if name in _WHOLE and isinstance(each, str) else _numbered(each)
                for name, each in found.items()
            }
        case list():
            return [_numbered(each) for each in found]
        case _:
            return found
