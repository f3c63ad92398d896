"""Logged calls as records of a dataset of evaluation."""

from __future__ import annotations

from typing import Any, Literal

from promptlab.prompts import PARAM
from providers.chat import Json
from tracking.call_traces import trace_id
from tracking.runs import Run

EXPECTED = "expected_response"
"""What MLflow and our scorers call the expected answer, among the expectations of a record."""
Expect = Literal["answer", "nothing"]


def record(run: Run, expect: Expect) -> Json | str:
    """Its inputs, its answer, and what is expected; or why it can be none."""
    request, response = run["request"], run["response"]
    if run["kind"] != "chat":
        return f"it is a call of {run['kind']}, and not of chat"
    if not isinstance(request, dict) or run["log_payloads"] != "full":
        return "what was said in it is not kept (log_payloads)"
    values = request.get(PARAM)
    inputs: Json = values or {"messages": request.get("messages") or []}
    answer = _message(response)
    text = answer.get("content") if answer else None
    made: Json = {
        "inputs": inputs,
        "outputs": {"message": answer} if answer else None,
        "tags": {f"call.{name}": value for name, value in run["tags"].items()},
        "source": {"source_type": "TRACE", "source_data": {"trace_id": trace_id(run["id"])}},
    }
    if expect == "answer":
        if run["status"] != "ok" or not isinstance(text, str):
            return "it has no answer to expect"
        made["expectations"] = {EXPECTED: text}
    return made


def _message(response: Any) -> Json | None:
    match response:
        case {"choices": [{"message": {} as message}, *_]}:
            found: Json = message
            return found
        case _:
            return None
