"""The call of a cell as code, to be pasted where it is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from promptlab.calling import Quote
from providers.chat import Json
from providers.errors import InvalidRequest, reading
from providers.table import PROVIDERS

INDENT = "    "
DEFAULT_MAX_TOKENS = 1024
KEY = "GATELOG_KEY"
"""The environment variable that the code takes its key from."""


def code(language: str, base_url: str, body: Json, quote: Quote) -> str:
    """`body` is what is sent to the gateway, `quote` what becomes of it."""
    write = LANGUAGES.get(language)
    if write is None:
        raise InvalidRequest(f"language is {language!r}; say {', '.join(LANGUAGES)}", param="language")
    return write(base_url, body, quote)


def _curl(base_url: str, body: Json, _: Quote) -> str:
    sent = json.dumps(body, indent=2, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {base_url}/v1/chat/completions \\\n"
        f'  -H "authorization: Bearer ${KEY}" \\\n'
        "  -H 'content-type: application/json' \\\n"
        f"  -d '{sent}'\n"
    )


def _python(base_url: str, body: Json, _: Quote) -> str:
    known, extra = _split(body)
    arguments = known | ({"extra_body": extra} if extra else {})
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url={_literal(f"{base_url}/v1")}, api_key=os.environ["{KEY}"])\n'
        f"completion = client.chat.completions.create(\n{_arguments(arguments)})\n{_printed(body)}"
    )


def _javascript(base_url: str, body: Json, _: Quote) -> str:
    sent = json.dumps(body, indent=2, ensure_ascii=False)
    last = (
        'for await (const chunk of completion) {\n  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");\n}\n'
        if body.get("stream")
        else "console.log(completion.choices[0].message.content);\n"
    )
    return (
        'import OpenAI from "openai";\n\n'
        f"const client = new OpenAI({{ baseURL: {json.dumps(f'{base_url}/v1')}, apiKey: process.env.{KEY} }});\n"
        f"const completion = await client.chat.completions.create({sent});\n{last}"
    )


def _anthropic(_: str, __: Json, quote: Quote) -> str:
    """Not through the gateway, which speaks OpenAI: the same call in the words of this provider's own client."""
    surface = PROVIDERS["anthropic"].surfaces["chat"]
    asked = {name: each for name, each in quote.request.items() if name not in ("stream", "stream_options")}
    with reading(InvalidRequest):
        body = surface.encode({**asked, "model": quote.model})
    arguments = {"model": quote.model, "max_tokens": DEFAULT_MAX_TOKENS, **body}
    return (
        "import anthropic\n\nclient = anthropic.Anthropic()\n"
        f"message = client.messages.create(\n{_arguments(arguments)})\nprint(message.content)\n"
    )


def _mlflow(base_url: str, body: Json, _: Quote) -> str:
    inputs = {name: each for name, each in body.items() if name not in ("model", "stream")}
    return (
        "# MLFLOW_TRACKING_TOKEN holds your key of the gateway.\n"
        "from mlflow.deployments import get_deploy_client\n\n"
        f"client = get_deploy_client({_literal(base_url)})\n"
        "answer = client.predict(\n"
        f"{INDENT}endpoint={_literal(body['model'])},\n"
        f"{INDENT}inputs={_literal(inputs, 1)},\n"
        ")\n"
        'print(answer["choices"][0]["message"]["content"])\n'
    )


LANGUAGES: Mapping[str, Callable[[str, Json, Quote], str]] = {
    "curl": _curl,
    "python": _python,
    "javascript": _javascript,
    "anthropic": _anthropic,
    "mlflow": _mlflow,
}

KNOWN = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
"""Parameters that OpenAI's client takes by name; others go by `extra_body`."""


def _split(body: Json) -> tuple[Json, Json]:
    known = {name: each for name, each in body.items() if name in KNOWN}
    known.setdefault("messages", [])
    return known, {name: each for name, each in body.items() if name not in KNOWN}


def _printed(body: Json) -> str:
    if not body.get("stream"):
        return "print(completion.choices[0].message.content)\n"
    return (
        "for chunk in completion:\n"
        f'{INDENT}if chunk.choices:\n{INDENT * 2}print(chunk.choices[0].delta.content or "", end="")\n'
    )


def _arguments(body: Json) -> str:
    return "".join(f"{INDENT}{name}={_literal(each, 1)},\n" for name, each in body.items())


def _literal(value: Any, depth: int = 0) -> str:
    """As Python writes it. A text of several lines or with anything odd in it stays one literal."""
    inner, outer = INDENT * (depth + 1), INDENT * depth
    match value:
        case dict() if value:
            items = "".join(f"{inner}{_text(name)}: {_literal(each, depth + 1)},\n" for name, each in value.items())
            return f"{{\n{items}{outer}}}"
        case list() if value:
            items = "".join(f"{inner}{_literal(each, depth + 1)},\n" for each in value)
            return f"[\n{items}{outer}]"
        case str():
            return _text(value)
        case _:
            return repr(value)


def _text(text: str) -> str:
    """In double quotes; what cannot be seen is written as an escape, so that nothing hides in the code."""
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    return f"\\{char}" if char in '"\\' else char.encode("unicode_escape").decode()
