"""A provider inside the process, for first runs and tests: no key, no network, the same answer to the same request.

`echo` answers with the last user message, `words` with sentences that the request alone decides. `@` and a number of
milliseconds after either sets the pause between the words of a stream, as in `words@50`. It calls a tool when
`tool_choice` demands one, answers in a schema's shape when `response_format` gives one, and counts a word as a token.
"""

from __future__ import annotations

import base64
import hashlib
import math
import random
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from providers import demo_schema, sse
from providers.chat import Json
from providers.errors import InvalidRequest, reading
from providers.inside import Answer

GAPS_MS = {"echo": 0, "words": 10}
"""The models, and how long each pauses between the words of a stream."""
MOST_GAP_MS = 60_000
MODEL = re.compile(r"(?P<name>[a-z]+)(?:@(?P<gap>\d{1,5}))?")
PIECE = re.compile(r"\s*\S+|\s+")
DIMENSIONS = 256
MOST_DIMENSIONS = 4096
MOST_CHOICES = 128
SENTENCES = (
    "The harbour was quiet that morning and the boats lay still.",
    "Nobody had expected the answer to be so short.",
    "A good map shows what matters and leaves out the rest.",
    "Rain fell on the tin roof until late in the evening.",
    "They measured twice, wrote it down, and measured again.",
    "Every window on the square was lit before dark.",
    "The recipe asks for patience more than for salt.",
    "She read the letter aloud and put it back in the drawer.",
    "Two of the three clocks agreed on the hour.",
    "In the north the days grow long without a warning.",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One choice."""

    pieces: tuple[str, ...]
    finish: str
    calls: tuple[Json, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        return len(self.pieces) + sum(len(PIECE.findall(call["function"]["arguments"])) for call in self.calls)


def respond(path: str, body: bytes) -> Answer:
    """OpenAI's wire format in and out."""
    try:
        with reading(InvalidRequest):
            request = orjson.loads(body)
            gap = _gap(request["model"])
            if gap is None:
                names = ", ".join(GAPS_MS)
                return _refused(404, f"there is no demo model {request['model']!r}; there are {names}", "model")
            return ROUTES[path.rpartition("/v1")[2]](request, gap / 1000)
    except InvalidRequest as error:
        return _refused(400, error.message, error.param)


def chat(request: Json, gap: float) -> Answer:
    heard = [_text(message.get("content")) for message in request["messages"]]
    asked = [
        text for message, text in zip(request["messages"], heard, strict=True) if message["role"] == "user"
    ] or heard
    chance = random.Random(_seed(request["messages"], request.get("seed")))  # noqa: S311 - the same answer again is the point
    said = [_said(request, asked[-1] if asked else "", chance) for _ in range(_choices(request))]
    used = _usage(sum(map(_count, heard)), said)
    frame = _frame("chatcmpl", "chat.completion", request)
    if not request.get("stream"):
        choices = [
            {"index": index, "message": _message(choice), "logprobs": None, "finish_reason": choice.finish}
            for index, choice in enumerate(said)
        ]
        return _json({**frame, "choices": choices, "usage": used})
    frame["object"] = "chat.completion.chunk"
    return _stream(frame, _chat_chunks(said), used, request, gap)


def completions(request: Json, gap: float) -> Answer:
    prompts = _inputs(request["prompt"])
    chance = random.Random(_seed(prompts, request.get("seed")))  # noqa: S311 - the same answer again is the point
    said = [_said(request, str(prompt), chance) for prompt in prompts for _ in range(_choices(request))]
    used = _usage(sum(_count(prompt) for prompt in prompts), said)
    frame = _frame("cmpl", "text_completion", request)
    if not request.get("stream"):
        choices = [
            {"index": index, "text": choice.text, "logprobs": None, "finish_reason": choice.finish}
            for index, choice in enumerate(said)
        ]
        return _json({**frame, "choices": choices, "usage": used})
    return _stream(frame, _completion_chunks(said), used, request, gap)


def embeddings(request: Json, gap: float) -> Answer:
    inputs = _inputs(request["input"])
    dimensions = request.get("dimensions") or DIMENSIONS
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise InvalidRequest(f"dimensions is {dimensions!r}; it goes from 1 to {MOST_DIMENSIONS}", param="dimensions")
    vectors = [_vector(item, dimensions) for item in inputs]
    packed = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(map(_count, inputs))
    used = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _json({"object": "list", "data": data, "model": request["model"], "usage": used})


ROUTES = {"/chat/completions": chat, "/completions": completions, "/embeddings": embeddings}


def _gap(model: str) -> int | None:
    match = MODEL.fullmatch(model)
    if match is None or match["name"] not in GAPS_MS:
        return None
    return GAPS_MS[match["name"]] if match["gap"] is None else min(int(match["gap"]), MOST_GAP_MS)


def _said(request: Json, asked: str, chance: random.Random) -> Said:
    if (tool := _demanded(request)) is not None:
        arguments = demo_schema.instance(tool.get("parameters") or {"type": "object"}, chance)
        call = {
            "id": f"call_{chance.getrandbits(96):024x}",
            "type": "function",
            "function": {"name": tool["name"], "arguments": orjson.dumps(arguments).decode()},
        }
        return Said((), "tool_calls", (call,))
    shape = request.get("response_format") or {"type": "text"}
    if shape["type"] == "json_schema":
        text = orjson.dumps(demo_schema.instance(shape["json_schema"].get("schema") or {}, chance)).decode()
    elif shape["type"] == "json_object":
        text = orjson.dumps({"text": _words(request, asked, chance)}).decode()
    else:
        text = _words(request, asked, chance)
    return _limited(text, request)


def _words(request: Json, asked: str, chance: random.Random) -> str:
    if request["model"].startswith("echo"):
        return asked
    return " ".join(chance.sample(SENTENCES, chance.randint(2, 5)))


def _limited(text: str, request: Json) -> Said:
    """As `stop` and the limits on tokens would have it."""
    stops = request.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        if stop:
            text = text.partition(stop)[0]
    pieces = tuple(PIECE.findall(text))
    most = request.get("max_completion_tokens")
    if most is None:
        most = request.get("max_tokens")
    if most is not None and len(pieces) > most:
        return Said(pieces[: max(most, 0)], "length")
    return Said(pieces, "stop")


def _demanded(request: Json) -> Json | None:
    """The function that must be called, if one must."""
    choice = request.get("tool_choice")
    functions = [tool["function"] for tool in request.get("tools") or [] if tool["type"] == "function"]
    if not functions or choice in (None, "auto", "none"):
        return None
    if choice == "required":
        first: Json = functions[0]
        return first
    name = choice["function"]["name"]
    for function in functions:
        if function["name"] == name:
            found: Json = function
            return found
    raise InvalidRequest(f"tool_choice names {name!r}, which is not among the tools", param="tool_choice")


def _choices(request: Json) -> int:
    number = 1 if request.get("n") is None else request["n"]
    if not 1 <= number <= MOST_CHOICES:
        raise InvalidRequest(f"n is {number!r}; it goes from 1 to {MOST_CHOICES}", param="n")
    return int(number)


def _message(said: Said) -> Json:
    message: Json = {"role": "assistant", "content": said.text, "refusal": None}
    return {**message, "content": None, "tool_calls": list(said.calls)} if said.calls else message


def _chat_chunks(said: list[Said]) -> Iterator[Json]:
    for index, choice in enumerate(said):
        deltas: list[Json] = [{"role": "assistant", "content": None if choice.calls else ""}]
        deltas += [{"content": piece} for piece in choice.pieces]
        for number, call in enumerate(choice.calls):
            opened = {**call, "function": {**call["function"], "arguments": ""}}
            deltas.append({"tool_calls": [{"index": number, **opened}]})
            deltas += [
                {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}
                for piece in PIECE.findall(call["function"]["arguments"])
            ]
        for delta in deltas:
            yield {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
        yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.finish}


def _completion_chunks(said: list[Said]) -> Iterator[Json]:
    for index, choice in enumerate(said):
        for piece in choice.pieces:
            yield {"index": index, "text": piece, "logprobs": None, "finish_reason": None}
        yield {"index": index, "text": "", "logprobs": None, "finish_reason": choice.finish}


def _stream(frame: Json, choices: Iterator[Json], used: Json, request: Json, gap: float) -> Answer:
    pieces = [sse.encode({**frame, "choices": [choice]}) for choice in choices]
    if (request.get("stream_options") or {}).get("include_usage"):
        pieces[-1] += sse.encode({**frame, "choices": [], "usage": used})
    pieces[-1] += sse.DONE
    return Answer(200, "text/event-stream", tuple(pieces) if gap else (b"".join(pieces),), gap)


def _json(payload: Json) -> Answer:
    return Answer(200, "application/json", (orjson.dumps(payload),))


def _refused(status: int, message: str, param: str | None) -> Answer:
    code = "model_not_found" if status == 404 else "invalid_request"
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Answer(status, "application/json", (orjson.dumps({"error": error}),))


def _frame(prefix: str, kind: str, request: Json) -> Json:
    digest = hashlib.sha256(orjson.dumps(request)).hexdigest()[:24]
    return {"id": f"{prefix}-{digest}", "object": kind, "created": int(time.time()), "model": request["model"]}


def _usage(given: int, said: list[Said]) -> Json:
    gave = sum(choice.tokens for choice in said)
    return {"prompt_tokens": given, "completion_tokens": gave, "total_tokens": given + gave}


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def _inputs(given: Any) -> list[Any]:
    """OpenAI's four forms: a text, texts, tokens, lists of tokens."""
    return given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]


def _count(item: str | list[int]) -> int:
    return len(PIECE.findall(item)) if isinstance(item, str) else len(item)


def _seed(*of: Any) -> int:
    return int.from_bytes(hashlib.sha256(orjson.dumps(of)).digest()[:8])


def _vector(item: Any, dimensions: int) -> list[float]:
    chance = random.Random(_seed(item))  # noqa: S311 - the same vector again is the point
    raw = [chance.gauss(0.0, 1.0) for _ in range(dimensions)]
    length = math.sqrt(sum(value * value for value in raw))
    return [value / length for value in raw]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
