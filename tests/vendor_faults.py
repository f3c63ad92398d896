"""How the pretend provider behaves: one function for each of the ways in which providers let us down, and for none."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import orjson

from tests import vendor_words
from tests.vendor_words import ID, Say

if TYPE_CHECKING:
    from tests.vendor import Call, Connection, Options

SSE = b"text/event-stream; charset=utf-8"
JSON = b"application/json"
HTML = b"<html><body>Please log in to use this network.</body></html>"
CHUNKED = b"transfer-encoding: chunked"
POISON = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{"poison": true}'
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Behave = Callable[["Connection", "Call", "Options"], None]


def wanted(call: Call, options: Options) -> Say:
    """What is to be said: the path's wishes, and the tools, schema or inputs of the request."""
    body = call.body
    stream = b'"stream":true' in body or b'"stream": true' in body or ":stream" in call.path
    tool: str | None = None
    structured = False
    inputs = 1
    if b'"tools"' in body:
        tool = _tool_of(orjson.loads(body))
    elif b"json_schema" in body or b"responseSchema" in body or b"responseJsonSchema" in body:
        structured = True
    elif options.surface in {"embeddings", "embed"}:
        request = orjson.loads(body)
        asked = request.get("input") or request.get("requests") or ""
        inputs = len(asked) if isinstance(asked, list) else 1
    return Say(
        options.surface,
        stream,
        options.count("tokens", 8),
        options.said.get("usage", "once"),
        tool,
        structured,
        inputs,
        options.count("dimensions", 8),
    )


def _tool_of(request: Any) -> str:
    tool = request["tools"][0]
    if "functionDeclarations" in tool:
        return str(tool["functionDeclarations"][0]["name"])
    return str(tool.get("name") or tool["function"]["name"])


def body_of(call: Call, say: Say) -> bytes:
    return vendor_words.whole(say).replace(ID, b"vendor-%d" % call.id)


def events_of(call: Call, options: Options, say: Say | None = None) -> list[bytes]:
    name = b"vendor-%d" % call.id
    events = [event.replace(ID, name) for event in vendor_words.events(say or wanted(call, options))]
    after = options.count("after", -1)
    return events[:after] if after >= 0 else events


def ok(at: Connection, call: Call, options: Options, extra: bytes = b"") -> None:
    say = wanted(call, options)
    if not say.stream:
        at.reply(body_of(call, say), extra=extra)
    else:
        at.head(SSE, CHUNKED, extra=extra)
        at.chunks(events_of(call, options, say), options.number("gap", 0), at.end)


def begin(at: Connection, call: Call, options: Options, then: Callable[[], None], after: int = 3) -> None:
    """The first events of a stream, or half of a plain answer; then something goes wrong."""
    say = wanted(call, options)
    if say.stream:
        at.head(SSE, CHUNKED)
        at.chunks(events_of(call, options, say)[: options.count("after", after)], options.number("gap", 0), then)
    else:
        body = body_of(call, say)
        at.head(JSON, b"content-length: %d" % len(body))
        at.transport.write(body[: len(body) // 2])
        then()


def nothing(*_: object) -> None: ...


def refuse(at: Connection, call: Call, options: Options, status: int) -> None:
    """`~429;retry-after=5;say=slow down`: other options are headers."""
    said = dict(options.said)
    message = said.pop("say", f"status {status} as asked")
    if said.pop("html", ""):
        return at.reply(HTML, b"text/html", status)
    if said.pop("echo", ""):
        message = f"bad key {call.headers.get('authorization', call.headers.get('x-api-key', ''))}"
    extra = "".join(f"{name}: {value}\r\n" for name, value in said.items() if name != "latency").encode()
    at.reply(orjson.dumps(vendor_words.error(options.surface, status, message)), JSON, status, extra)


def error_in_200(at: Connection, call: Call, options: Options) -> None:
    status = options.count("code", 429)
    say = wanted(call, options)
    if say.stream and not options.said.get("plain"):
        at.head(SSE, CHUNKED)
        at.chunks([vendor_words.error_event(options.surface, status, "not now")], 0, at.end)
    else:
        payload = vendor_words.error(options.surface, status, "not now")
        if options.surface == "chat":
            payload["error"]["code"] = status
        at.reply(orjson.dumps(payload))


def error_event(at: Connection, call: Call, options: Options) -> None:
    status = options.count("code", 500)
    events = [*events_of(call, options)[:3], vendor_words.error_event(options.surface, status, "gave up")]
    at.head(SSE, CHUNKED)
    at.chunks(events, options.number("gap", 0), at.end)


def closing(at: Connection, call: Call, options: Options) -> None:
    """Half of an answer of no declared length, or all of it (`;whole=1`), and a clean end."""
    say = wanted(call, options)
    if say.stream:
        events = events_of(call, options, say)
        at.head(SSE, b"connection: close")
        at.transport.write(b"".join(events if options.said.get("whole") else events[: options.count("after", 3)]))
    else:
        body = body_of(call, say)
        at.head(JSON, b"connection: close")
        at.transport.write(body if options.said.get("whole") else body[: len(body) // 2])
    at.transport.close()


def short(at: Connection, call: Call, options: Options) -> None:
    """A content-length that the body does not reach."""
    say = wanted(call, options)
    body = b"".join(events_of(call, options, say)[:3]) if say.stream else body_of(call, say)
    at.head(SSE if say.stream else JSON, b"content-length: %d" % (len(body) + 100))
    at.transport.write(body)
    at.transport.close()


def half_line(at: Connection, call: Call, options: Options) -> None:
    at.transport.write(b"HTTP/1.1 2")
    at.transport.close()


def garbage(at: Connection, call: Call, options: Options) -> None:
    at.transport.write(b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n")


def head_only(at: Connection, call: Call, options: Options) -> None:
    at.head(SSE if wanted(call, options).stream else JSON, CHUNKED)


def bad_chunk(at: Connection, call: Call, options: Options) -> None:
    if wanted(call, options).stream:
        begin(at, call, options, lambda: at.transport.write(b"zz\r\nnot a chunk"))
    else:
        at.head(JSON, CHUNKED)
        at.transport.write(b"zz\r\nnot a chunk")


def bad_event(at: Connection, call: Call, options: Options) -> None:
    events = [*events_of(call, options)[:3], b'data: {"choices": [}\n\n']
    at.head(SSE, CHUNKED)
    at.chunks(events, options.number("gap", 0), at.end)


def no_line(at: Connection, call: Call, options: Options) -> None:
    """An event that never ends."""
    at.head(SSE, CHUNKED)
    at.chunks([b"data: " + b"a" * (1 << 20)] * options.count("size", 4), 0, nothing)


def drip(at: Connection, call: Call, options: Options) -> None:
    """A little now and then, forever, that never amounts to anything."""
    stream = wanted(call, options).stream
    at.head(SSE if stream else JSON, CHUNKED)
    gap = options.number("gap", 0.05)

    def drop() -> None:
        if not at.transport.is_closing():
            at.chunks([b": still here\n\n" if stream else b" "], 0, nothing)
            at.loop.call_later(gap, drop)

    drop()


@cache
def bomb_of(megabytes: int) -> bytes:
    return gzip.compress(b'{"x": "' + b"0" * (megabytes << 20) + b'"}')


def bomb(at: Connection, call: Call, options: Options) -> None:
    stream = wanted(call, options).stream
    at.reply(bomb_of(options.count("size", 20)), SSE if stream else JSON, extra=b"content-encoding: gzip\r\n")


def compressed(at: Connection, call: Call, options: Options) -> None:
    say = wanted(call, options)
    body = b"".join(events_of(call, options, say)) if say.stream else body_of(call, say)
    encoding = options.said.get("encoding", "gzip")
    at.reply(gzip.compress(body), SSE if say.stream else JSON, extra=b"content-encoding: %b\r\n" % encoding.encode())


def huge(at: Connection, call: Call, options: Options) -> None:
    """A body of so many megabytes, its length declared unless `;chunked=1`."""
    body = b'{"x": "' + b"0" * (options.count("size", 65) << 20) + b'"}'
    if options.said.get("chunked"):
        at.head(JSON, CHUNKED)
        at.chunks([body], 0, at.end)
    else:
        at.reply(body)


def big_head(at: Connection, call: Call, options: Options) -> None:
    ok(at, call, options, extra=b"x-big: " + b"a" * int(options.number("size", 5) * (1 << 20)) + b"\r\n")


def many_headers(at: Connection, call: Call, options: Options) -> None:
    ok(at, call, options, extra=b"".join(b"x-%d: 1\r\n" % number for number in range(options.count("count", 200))))


def flood(at: Connection, call: Call, options: Options) -> None:
    at.transport.write(CONTINUE * options.count("count", 50_000))
    ok(at, call, options)


def extra(at: Connection, call: Call, options: Options) -> None:
    """A whole answer and then more, that nobody asked for: in the same segment, or with `;late=1` a moment later."""
    if options.said.get("late"):
        ok(at, call, options)
        at.later(lambda: at.transport.write(POISON))
        return
    say = wanted(call, options)
    body = b"".join(events_of(call, options, say)) if say.stream else body_of(call, say)
    head = b"HTTP/1.1 200 Said\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (
        SSE if say.stream else JSON,
        len(body),
    )
    at.transport.write(head + body + POISON)


def redirect(at: Connection, call: Call, options: Options) -> None:
    to = f"location: http://127.0.0.1:{at.vendor.port}/~redirected/v1\r\n".encode()
    at.reply(b"", b"text/plain", options.count("code", 302), extra=to)


def flaky(at: Connection, call: Call, options: Options) -> None:
    """The first so many calls of this path fail: `;fail=2;code=503`, or with a behaviour, `;fail=1;how=close`."""
    at.vendor.seen[call.path] += 1
    if at.vendor.seen[call.path] > options.count("fail", 1):
        ok(at, call, options)
    elif how := options.said.get("how"):
        BEHAVIOURS[how](at, call, options)
    else:
        refuse(at, call, type(options)(options.behaviour, {}, options.surface), options.count("code", 503))


def mixed(at: Connection, call: Call, options: Options) -> None:
    """Every so manieth call of this path (`;every=10`) is cut in the middle, the others are well."""
    at.vendor.seen[call.path] += 1
    cut = at.vendor.seen[call.path] % options.count("every", 10) == 0
    BEHAVIOURS["rstmid" if cut else "ok"](at, call, options)


def unending(at: Connection, call: Call, options: Options) -> None:
    """All events, the last one too, but the body never ends."""
    at.head(SSE, CHUNKED)
    at.chunks(events_of(call, options), options.number("gap", 0), nothing)


def unterminated(at: Connection, call: Call, options: Options) -> None:
    """All that there is to say, a proper end of the body, and no event that says so."""
    at.head(SSE, CHUNKED)
    at.chunks(events_of(call, options)[: options.count("after", 4)], options.number("gap", 0), at.end)


def raw(at: Connection, call: Call, options: Options) -> None:
    """Bytes that a test wrote down: `vendor.raw[name]`."""
    for piece in at.vendor.raw[options.said["name"]]:
        at.transport.write(piece)
    if not options.said.get("keep"):
        at.transport.close()


def expiring(at: Connection, call: Call, options: Options) -> None:
    """An answer, after which the connection is closed without a word, as servers do with idle ones."""
    ok(at, call, options)
    at.loop.call_later(options.number("idle", 0), at.transport.close)


def once_a_connection(at: Connection, call: Call, options: Options) -> None:
    """Answers the first call of a connection, and closes at the second: the race of a kept connection."""
    if at.answered:
        at.transport.close()
    else:
        ok(at, call, options)


BEHAVIOURS: dict[str, Behave] = {
    "ok": ok,
    "silent": nothing,
    "early": nothing,
    "close": lambda at, call, options: at.transport.close(),
    "rst": lambda at, call, options: at.reset(),
    "halfline": half_line,
    "hdronly": head_only,
    "gap": lambda at, call, options: begin(at, call, options, nothing),
    "rstmid": lambda at, call, options: begin(at, call, options, partial(at.later, at.reset)),
    "trunc": lambda at, call, options: begin(at, call, options, at.transport.close),
    "trunc_cl": short,
    "trunc_nolen": closing,
    "garbage": garbage,
    "badchunk": bad_chunk,
    "badsse": bad_event,
    "noline": no_line,
    "bomb": bomb,
    "compressed": compressed,
    "huge": huge,
    "html": lambda at, call, options: at.reply(HTML, b"text/html"),
    "error200": error_in_200,
    "errormid": error_event,
    "badjson": lambda at, call, options: at.reply(b'{"choices": [{'),
    "nojson": lambda at, call, options: at.reply(b'"a string"'),
    "drip": drip,
    "redirect": redirect,
    "bighdr": big_head,
    "manyhdr": many_headers,
    "100flood": flood,
    "extra": extra,
    "flaky": flaky,
    "mix": mixed,
    "noend": unending,
    "noterminal": unterminated,
    "raw": raw,
    "expire": expiring,
    "race": once_a_connection,
}
