"""A logged call as a column and a row of a lab, from which the same bytes can be sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from promptlab.lab_state import RESERVED
from promptlab.prompts import JINJA, PARAM, variables
from providers.chat import Json
from tracking.runs import Run, Runs

REGISTERED = ("prompts:/", "models:/")
TITLE_MOST = 60
EXACT_MOST = 2**53
"""Of the whole numbers above, JavaScript has but some."""


def reopened(run: Run, body: bytes | None) -> Json:
    """`column` and `row`, or why there are none. `body` is the request as it was kept."""
    found = original(run, body)
    if isinstance(found, str):
        return {"run_id": run["id"], "exact": False, "why_not": found, "column": None, "row": None, "prompt": None}
    column = column_of(found, run)
    return {
        "run_id": run["id"],
        "exact": True,
        "why_not": None,
        "column": column,
        "row": {"id": "1", "values": {}, "messages": [], "expected": None, "source": {"run_id": run["id"]}, "page": {}},
        "prompt": _prompt(run, body),
    }


def original(run: Run, body: bytes | None) -> Json | str:
    """The request as it is to be sent again, under the name of the endpoint that took it; or why there is none."""
    if run["kind"] != "chat":
        return f"it is a call of {run['kind']}, and a lab makes calls of chat"
    if body is None:
        return "its request was not kept: its endpoint has log_payloads: none, or it was deleted for its age"
    if run["log_payloads"] == "redacted":
        return "what was said in it is redacted (log_payloads)"
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "its request is not JSON"
    if not isinstance(sent, dict) or not isinstance(sent.get("messages"), list):
        return "its request has no messages"
    asked: str = run["requested_model"] or ""
    name = run["endpoint"] if asked.startswith(REGISTERED) else asked
    # Under the endpoint's name wherever the model stood: what a provider is sent keeps the order of the keys.
    return {key: each for key, each in {**sent, "model": name}.items() if key != PARAM}


def column_of(request: Json, run: Run) -> Json:
    messages = request["messages"]
    texts = orjson.dumps(messages).decode()
    return {
        "id": "a",
        "name": _title(run),
        "prompt": None,
        "messages": messages,
        "endpoint": request["model"],
        "params": {name: each for name, each in request.items() if name not in RESERVED},
        "tools": request.get("tools"),
        "tool_choice": request.get("tool_choice"),
        "response_format": request.get("response_format"),
        "mocks": {},
        "stream": bool(request.get("stream")),
        "render": not (variables(messages) or JINJA.search(texts)),
        "origin": {"run_id": run["id"]},
        "page": {},
    }


def as_before(before: Any, now: Any) -> Any:
    """What is asked now, in which everything that is as it was is what it was: the order of keys, 1.0 and not 1, and
    what was said without need, as null. A page cannot keep those."""
    match before, now:
        case dict(), dict():
            kept = {name: as_before(each, now[name]) if name in now else each for name, each in _kept(before, now)}
            return {**kept, **{name: each for name, each in now.items() if name not in before}}
        case list(), list():
            same = [as_before(a, b) for a, b in zip(before, now, strict=False)]
            return [*same, *now[len(same) :]]
        case _:
            same_kind = isinstance(before, bool) == isinstance(now, bool)
            return before if same_kind and (before == now or _too_large(before, now)) else now


def _too_large(before: Any, now: Any) -> bool:
    """Whether it is the same whole number, as JavaScript has it."""
    numbers = isinstance(before, int) and isinstance(now, int | float)
    return numbers and abs(before) > EXACT_MOST and float(before) == float(now)


def _kept(before: Json, now: Json) -> Iterator[tuple[str, Any]]:
    for name, each in before.items():
        if name in now or each is None or (name == "stream" and each is False):
            yield name, each


def _prompt(run: Run, body: bytes | None) -> Json | None:
    """The registry's prompt that it was made by, for who would rather go on from that."""
    if run["prompt"] is None or body is None:
        return None
    sent = orjson.loads(body)
    return {**run["prompt"], "values": sent.get(PARAM) or {}}


def _title(run: Run) -> str:
    return str(run["endpoint"] or run["model"] or "A")[:TITLE_MOST]


class Originals:
    """The requests of runs, as they are to be sent again."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def __call__(self, run_id: str, key_id: str | None) -> Json | None:
        """None where a key may not see the run, or there is nothing to be sent."""
        run, said = await self._runs.get(run_id, key_id=key_id), await self._runs.payload(run_id, key_id=key_id)
        if run is None or said is None:
            return None
        found = original(run, said.request)
        return None if isinstance(found, str) else found
