"""Labs from elsewhere: OpenAI's playground and promptfoo's configurations; what cannot be taken over is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Literal

import orjson
import yaml

from promptlab.lab_state import COLUMNS_MOST, NAME_MOST, RESERVED, ROWS_MOST
from providers.chat import Json
from providers.errors import InvalidRequest

Format = Literal["openai", "promptfoo"]
TEXT_MOST = 1 << 20
NODES_MOST = 200_000
"""What a text may come to: YAML lets a short one stand for billions."""
PROVIDERS: Mapping[str, str] = {"google": "gemini", "vertex": "gemini", "azureopenai": "azure"}
"""Those that promptfoo calls otherwise than we do."""
KINDS = frozenset({"chat", "completion", "messages", "responses", "deployment"})
"""In the middle of promptfoo's names of models."""
RENAMED: Mapping[str, str] = {"max_output_tokens": "max_completion_tokens"}
ANSWERED = frozenset(
    {"background", "billing", "completed_at", "created_at", "error", "incomplete_details", "output", "status", "usage"}
)
"""What a whole answer of the Responses API has beside the question."""
RESPONSES = frozenset(
    {"conversation", "include", "max_tool_calls", "previous_response_id", "prompt", "reasoning", "truncation"}
)
CHAT_TOOLS = frozenset({"function", "custom"})
RUNNABLE = re.compile(r"\{%|\{\{[^}]*\|")
"""Nunjucks that is more than a variable."""


class Imported:
    """A state, and what was left out of it."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self.name: str | None = None

    def skip(self, where: str, why: str) -> None:
        self.left_out.append(f"{where}: {why}")


def read(text: str, format: Format | None) -> tuple[Json, Imported]:
    """InvalidRequest for what is of neither format."""
    if len(text) > TEXT_MOST:
        raise InvalidRequest(f"the text has more than {TEXT_MOST} characters", param="text")
    sent = _parsed(text)
    imported = Imported()
    if format is None:
        format = "promptfoo" if "providers" in sent or "prompts" in sent else "openai"
    state = _promptfoo(sent, imported) if format == "promptfoo" else _openai(sent, imported)
    return state, imported


def _parsed(text: str) -> Json:
    try:
        sent = orjson.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (orjson.JSONDecodeError, yaml.YAMLError, RecursionError, ValueError) as exc:
        raise InvalidRequest(f"the text is no {_why_not(exc)}", param="text") from exc
    if not isinstance(sent, dict):
        kind = {list: "a list", str: "one text", type(None): "empty"}.get(type(sent), repr(sent)[:50])
        raise InvalidRequest(
            f"it is {kind}; OpenAI's playground and promptfoo both keep an object, of names and values", param="text"
        )
    _count(sent)
    return {str(name): each for name, each in sent.items()}


def _why_not(fault: Exception) -> str:
    """Where it is wrong, and how."""
    match fault:
        case orjson.JSONDecodeError():
            return f"JSON: line {fault.lineno}, column {fault.colno}: {fault.msg}"
        case yaml.MarkedYAMLError(problem_mark=mark) if mark is not None:
            context = f" ({fault.context})" if fault.context else ""
            return f"YAML: line {mark.line + 1}, column {mark.column + 1}: {str(fault.problem)[:150]}{context[:100]}"
        case RecursionError():
            return "YAML: it is nested too deeply"
        case _:
            return f"YAML: {str(fault)[:200]}"


def _count(value: Any) -> None:
    """Refuse what is too large once every alias stands for all that it means."""
    nodes, left = 0, [value]
    while left:
        each = left.pop()
        nodes += 1
        if nodes > NODES_MOST:
            raise InvalidRequest("the text stands for more than can be taken", param="text")
        if isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each


def _openai(sent: Json, imported: Imported) -> Json:
    messages = _asked(sent)
    name = sent.get("name")
    imported.name = name[:NAME_MOST] if isinstance(name, str) and name else None
    column: Json = {
        "id": "a",
        "name": str(sent.get("model") or "A")[:NAME_MOST],
        "messages": list(_messages(messages, imported)),
        "endpoint": _model("openai", sent.get("model")),
        "params": {},
    }
    for key, value in sent.items():
        match key:
            case "model" | "messages" | "input" | "instructions" | "name" | "id" | "object" | "created" | "stream":
                continue
            case "tools" if isinstance(value, list):
                column["tools"] = list(_tools(value, imported)) or None
            case "tool_choice" if isinstance(value, str | dict):
                column["tool_choice"] = _tool(value) if isinstance(value, dict) else value
            case "response_format" if isinstance(value, dict):
                column["response_format"] = value
            case "text" if isinstance(value, dict):
                column["response_format"] = _format(value)
                if "verbosity" in value:
                    column["params"]["verbosity"] = value["verbosity"]
            case "reasoning" if isinstance(value, dict) and "effort" in value:
                column["params"]["reasoning_effort"] = value["effort"]
            case _ if key in RESERVED:
                imported.skip(key, "is not of the kind that it should be")
            case _ if key in ANSWERED:
                continue
            case _ if key in RESPONSES:
                imported.skip(key, "is a parameter of the Responses API alone")
            case _ if value is not None:
                column["params"][RENAMED.get(key, key)] = value
    return {"columns": [column], "rows": [{"id": "1"}]}


def _asked(sent: Json) -> list[Json]:
    messages = sent.get("messages") or sent.get("input")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        has = ", ".join(list(map(str, sent))[:8]) or "nothing"
        raise InvalidRequest(
            f"it has {has}; OpenAI's playground has messages (or input), which are a list of objects, and promptfoo "
            "prompts and providers",
            param="text",
        )
    if isinstance(said := sent.get("instructions"), str) and said:
        messages = [{"role": "system", "content": said}, *messages]
    return messages


def _messages(items: list[Json], imported: Imported) -> Iterator[Json]:
    """The Responses API's items, as chat has them."""
    called: Json | None = None
    for n, item in enumerate(items):
        match item:
            case {"type": "function_call", "name": str(name)}:
                call = {
                    "id": str(item.get("call_id") or item.get("id") or f"call_{n}"),
                    "type": "function",
                    "function": {"name": name, "arguments": str(item.get("arguments") or "{}")},
                }
                if called is None:
                    called = {"role": "assistant", "content": None, "tool_calls": []}
                    yield called
                called["tool_calls"].append(call)
                continue
            case {"type": "function_call_output", "output": output}:
                said = output if isinstance(output, str) else orjson.dumps(output).decode()
                yield {"role": "tool", "tool_call_id": str(item.get("call_id") or ""), "content": said}
            case {"role": str()}:
                yield _message(item)
            case _:
                imported.skip(f"messages[{n}]", f"{str(item.get('type'))[:50]!r} is nothing that a chat has")
        called = None


def _message(message: Json) -> Json:
    content = message.get("content")
    if isinstance(content, list):
        content = [_part(part) for part in content if isinstance(part, dict)]
        if len(content) == 1 and content[0].get("type") == "text":
            content = content[0]["text"]
    return {
        **{name: each for name, each in message.items() if name not in ("id", "type", "status")},
        "content": content,
    }


def _part(part: Json) -> Json:
    match part:
        case {"type": "input_text" | "output_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
        case {"type": "input_file", **file}:
            return {"type": "file", "file": file}
        case _:
            return part


def _tools(tools: list[Any], imported: Imported) -> Iterator[Json]:
    for n, tool in enumerate(tools):
        if isinstance(tool, dict) and tool.get("type") in CHAT_TOOLS:
            yield _tool(tool)
        else:
            kind = tool.get("type") if isinstance(tool, dict) else tool
            imported.skip(f"tools[{n}]", f"{str(kind)[:50]!r} is no tool of a chat, which has functions")


def _tool(tool: Json) -> Json:
    if tool.get("type") == "function" and "function" not in tool:
        return {"type": "function", "function": {name: each for name, each in tool.items() if name != "type"}}
    return tool


def _format(text: Json) -> Json | None:
    match text.get("format"):
        case {"type": "json_schema", **schema}:
            return {"type": "json_schema", "json_schema": schema}
        case {"type": "json_object"}:
            return {"type": "json_object"}
        case _:
            return None


def _promptfoo(sent: Json, imported: Imported) -> Json:
    description = sent.get("description")
    imported.name = description[:NAME_MOST] if isinstance(description, str) and description else None
    prompts = list(_prompts(sent.get("prompts"), imported))
    providers = list(_providers(sent.get("providers") or sent.get("targets"), imported))
    if not prompts:
        raise InvalidRequest("there is no prompt in it that can be taken over", param="text")
    columns = []
    for number, ((label, messages), (name, endpoint, config)) in enumerate(product(prompts, providers or [NOWHERE])):
        if number >= COLUMNS_MOST:
            imported.skip("prompts x providers", f"a lab has at most {COLUMNS_MOST} columns")
            break
        title = " / ".join(part for part in (label if len(prompts) > 1 else "", name) if part) or "A"
        columns.append(
            {"id": f"c{number + 1}", "name": title[:NAME_MOST], "messages": messages, "endpoint": endpoint, **config}
        )
    for key in sent.keys() - {"description", "prompts", "providers", "targets", "tests", "defaultTest"}:
        imported.skip(str(key), "labs have nothing of the kind")
    return {"columns": columns, "rows": list(_rows(sent, imported)) or [{"id": "1"}]}


NOWHERE: tuple[str, None, Json] = ("", None, {})


def _prompts(said: Any, imported: Imported) -> Iterator[tuple[str, list[Json]]]:
    for n, each in enumerate(said if isinstance(said, list) else [said]):
        where, label = f"prompts[{n}]", f"prompt {n + 1}"
        if isinstance(each, dict):
            label = str(each.get("label") or each.get("id") or label)
            each = each.get("raw") or each.get("id")
        if not isinstance(each, str):
            imported.skip(where, "is no text")
        elif re.match(r"file://|[\w./-]+\.(txt|json|ya?ml|md|py|js|ts)$", each):
            imported.skip(where, f"{each[:100]!r} is a file, which is not here")
        else:
            if RUNNABLE.search(each):
                imported.skip(where, "has Nunjucks that is more than a variable; it stays as text")
            yield label, _chat(each)


def _chat(text: str) -> list[Json]:
    """A prompt that is itself JSON or YAML of messages, or a text that a user says."""
    if text.lstrip().startswith(("[", "- role")):
        try:
            found = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError):
            found = None
        if isinstance(found, list) and found and all(isinstance(each, dict) and "role" in each for each in found):
            _count(found)
            return found
    return [{"role": "user", "content": text}]


def _providers(said: Any, imported: Imported) -> Iterator[tuple[str, str | None, Json]]:
    for n, each in enumerate(said if isinstance(said, list) else [] if said is None else [said]):
        where, label = f"providers[{n}]", None
        config: Any = {}
        if isinstance(each, dict):
            if "id" not in each and len(each) == 1:
                each = _named(each)
            label, config = each.get("label"), each.get("config") or {}
            each = each.get("id")
        if not isinstance(each, str) or ":" not in each or each.startswith(("file:", "exec:", "python:", "http")):
            imported.skip(where, f"{str(each)[:100]!r} is no model of a provider")
            continue
        name, _, rest = each.partition(":")
        first, _, after = rest.partition(":")
        model = after if first in KINDS and after else rest
        yield str(label or each), _model(PROVIDERS.get(name, name), model), dict(_config(config, where, imported))


def _named(provider: Json) -> Json:
    """`{id: {...}}`, as promptfoo also writes it."""
    ((id, said),) = provider.items()
    return {"id": id, **(said if isinstance(said, dict) else {})}


def _config(config: Any, where: str, imported: Imported) -> Iterator[tuple[str, Any]]:
    params: Json = {}
    for name, value in config.items() if isinstance(config, dict) else ():
        match name:
            case "tools" if isinstance(value, list):
                yield "tools", [_tool(tool) for tool in value if isinstance(tool, dict)]
            case "tool_choice" if isinstance(value, str | dict):
                yield "tool_choice", value
            case "response_format" if isinstance(value, dict):
                yield "response_format", value
            case "apiKey" | "apiBaseUrl" | "apiHost" | "organization":
                imported.skip(f"{where}.config.{name}", "keys and addresses are the gateway's to know")
            case _ if name in RESERVED or value is None or (isinstance(value, str) and value.startswith("file:")):
                imported.skip(f"{where}.config.{name}", "cannot be taken over")
            case _:
                params[RENAMED.get(str(name), str(name))] = value
    yield "params", params


def _rows(sent: Json, imported: Imported) -> Iterator[Json]:
    default = sent.get("defaultTest")
    common = default.get("vars") or {} if isinstance(default, dict) else {}
    tests = sent.get("tests")
    if isinstance(tests, str):
        imported.skip("tests", f"{tests[:100]!r} is a file, which is not here")
    made = 0
    for n, test in enumerate(tests if isinstance(tests, list) else []):
        if not isinstance(test, dict) or not isinstance(test.get("vars") or {}, dict):
            imported.skip(f"tests[{n}]", "is no object with vars")
            continue
        expected = _expected(test.get("assert"), f"tests[{n}]", imported)
        for values in _each({**common, **(test.get("vars") or {})}, test.get("options"), sent.get("defaultTest")):
            made += 1
            if made > ROWS_MOST:
                imported.skip("tests", f"a lab has at most {ROWS_MOST} rows")
                return
            yield {"id": str(made), "values": values, "expected": expected}


def _each(said: Json, *options: Any) -> Iterator[Json]:
    """A list stands for each of its values, with each of every other list's, as in promptfoo."""
    whole = any(isinstance(each, dict) and (each.get("options") or each).get("disableVarExpansion") for each in options)
    lists = [each if isinstance(each, list) and each and not whole else [each] for each in said.values()]
    for values in product(*lists):
        yield {str(name): _value(value) for name, value in zip(said, values, strict=True)}


def _expected(asserted: Any, where: str, imported: Imported) -> Any:
    expected = None
    for n, each in enumerate(asserted if isinstance(asserted, list) else []):
        if isinstance(each, dict) and each.get("type") == "equals" and expected is None:
            expected = each.get("value")
        else:
            kind = each.get("type") if isinstance(each, dict) else each
            imported.skip(
                f"{where}.assert[{n}]", f"{str(kind)[:50]!r} is a scorer, which labs have none of their own of"
            )
    return expected


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return orjson.dumps(value, default=str).decode()


def _model(provider: str, model: Any) -> str | None:
    return f"{provider}/{model}"[:512] if isinstance(model, str) and model else None
