"""The page that shows an OpenAPI document of ours: HTML without anything from elsewhere, whole without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import orjson

from providers.chat import Json

DEEPEST = 4
"""How many objects within each other are shown as fields."""
FOLDED = ("MLflow: ", "Page")
"""Areas whose name begins so are folded up in the list at the side."""
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#2f4bd0"/>'
    '<path d="M8 23V13a8 8 0 0 1 16 0v10M13 23v-9M19 23v-5" fill="none" stroke="#fff" stroke-width="2.6" '
    'stroke-linecap="round"/></svg>'
)
_HERE = Path(__file__).parent
_CODE = re.compile(r"`([^`]+)`")


class Page(NamedTuple):
    html: bytes
    policy: str
    """The Content-Security-Policy by which it may be shown: nothing but its own style and script, by their hashes."""


class _Operation(NamedTuple):
    method: str
    path: str
    said: Json


def page(document: Json) -> Page:
    style, script = ((_HERE / name).read_text() for name in ("page.css", "page.js"))
    areas = _areas(document)
    schemas: Mapping[str, Json] = document["components"]["schemas"]
    info = document["info"]
    says = "".join(f"<p>{_text(each)}</p>" for each in info["description"].split("\n\n"))
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{style}</style></head><body>"
        '<a class="skip" href="#content">To the content</a>'
        f"{_side(info['title'], areas)}"
        f'<main id="content"><header><h1>{escape(info["title"])} API <small>{escape(info["version"])}</small></h1>'
        f"{says}"
        '<p>Machines read the same at <a href="/openapi.json">/openapi.json</a>, as OpenAPI 3.1. In the examples '
        "<code>$GATELOG</code> is the address of this server, and <code>$KEY</code> a key of its.</p></header>"
        f'<p class="none" hidden>No operation has all of these words.</p>'
        f"{''.join(_area(area, says, operations, schemas) for (area, says), operations in areas.items())}"
        f"</main><script>{script}</script></body></html>"
    )
    allowed = {"style-src": _hashed(style), "script-src": _hashed(script), "img-src": "data:"}
    rest = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
    return Page(html.encode(), "; ".join(f"{name} {source}" for name, source in {**rest, **allowed}.items()))


def _areas(document: Json) -> dict[tuple[str, str], list[_Operation]]:
    """Every operation by its area; of two that are the same, the first."""
    found: dict[str, list[_Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, said in operations.items():
            if "x-gatelog-same-as" not in said:
                found[said["tags"][0]].append(_Operation(method.upper(), path, said))
    return {(tag["name"], tag.get("description", "")): found[tag["name"]] for tag in document["tags"]}


def _side(title: str, areas: Mapping[tuple[str, str], Sequence[_Operation]]) -> str:
    lists = "".join(_side_list(area, operations) for (area, _), operations in areas.items())
    return (
        f'<nav aria-label="Operations"><a class="home" href="/">{MARK}<b>{escape(title)}</b> <span>API</span></a>'
        '<input class="find" type="search" placeholder="Search  ( / )" aria-label="Search operations" '
        f'autocomplete="off" spellcheck="false"><div class="areas">{lists}</div></nav>'
    )


def _side_list(area: str, operations: Sequence[_Operation]) -> str:
    links = "".join(
        f'<li><a href="#{_id(each)}" title="{escape(each.path)}">'
        f'<span class="m {each.method}">{_short(each.method)}</span>'
        f'<span class="t">{escape(each.said["summary"])}</span></a></li>'
        for each in operations
    )
    if area.startswith(FOLDED):
        head = f"<summary>{escape(area)} <span>{len(operations)}</span></summary>"
        return f'<details class="area">{head}<ul>{links}</ul></details>'
    return f'<div class="area"><h2>{escape(area)}</h2><ul>{links}</ul></div>'


def _area(area: str, says: str, operations: Sequence[_Operation], schemas: Mapping[str, Json]) -> str:
    told = f"<p>{_text(says)}</p>" if says else "<p></p>"
    return (
        f"<section><h2>{escape(area)}</h2>{told}"
        f"{''.join(_operation(each, area, schemas) for each in operations)}</section>"
    )


def _operation(operation: _Operation, area: str, schemas: Mapping[str, Json]) -> str:
    method, path, said = operation
    words = f"{method} {path} {said['summary']} {area} {said.get('description', '')}".lower()
    shown = re.sub(r"\{\w+\}", lambda found: f"<i>{found[0]}</i>", escape(path))
    return (
        f'<article id="{_id(operation)}" data-words="{escape(words)}"><details><summary>'
        f'<span class="m {method}">{method}</span><span class="path">{shown}</span>'
        f'<span class="sum">{_text(said["summary"])}</span></summary><div class="in"><div>'
        f"{_says(said)}{_parameters(said)}{_body(said, schemas)}{_answers(said, schemas)}"
        f'</div><div><div class="curl"><h4>Example <button type="button" data-copy>Copy</button></h4>'
        f"<pre>{_curl(operation)}</pre></div></div></div></details></article>"
    )


def _says(said: Json) -> str:
    roles = said["x-gatelog-roles"]
    who = " ".join(f"<b>{role}</b>" for role in roles) if roles else "anybody, without a key"
    told = f'<p class="says">{_text(said["description"])}</p>' if "description" in said else ""
    return f'<h3>{_text(said["summary"])}</h3>{told}<p class="who">For {who}</p>'


def _parameters(said: Json) -> str:
    heads = {"path": "In the path", "query": "In the query", "header": "Headers, if you like"}
    shown = ""
    for place, head in heads.items():
        rows = [each for each in said.get("parameters", ()) if each["in"] == place]
        if rows:
            fields = "".join(
                _field(row["name"], row["schema"], row.get("description", ""), place == "path", "") for row in rows
            )
            shown += f'<h4>{head}</h4><ul class="fields">{fields}</ul>'
    return shown


def _body(said: Json, schemas: Mapping[str, Json]) -> str:
    if "requestBody" not in said:
        return ""
    (media_type, content), *_ = said["requestBody"]["content"].items()
    fields = _fields(content["schema"], schemas, 0, ())
    return f"<h4>Body <span>{escape(media_type)}</span></h4>{fields or '<p class=who>An object.</p>'}"


def _answers(said: Json, schemas: Mapping[str, Json]) -> str:
    (status, answer), *_ = said["responses"].items()
    types = ", ".join(answer.get("content", ())) or "nothing"
    contents: list[Json] = list(answer.get("content", {}).values())
    fields = _fields(contents[0]["schema"], schemas, 0, ()) if contents else ""
    if fields:
        fields = f'<ul class="fields"><li><details><summary>Fields of the answer</summary>{fields}</details></li></ul>'
    return f"<h4>Answer {status} <span>{escape(types)}</span></h4>{fields}"


def _fields(schema: Json, schemas: Mapping[str, Json], depth: int, within: Sequence[str]) -> str:
    """An object's, as a list; nothing for what has none that are known."""
    name = _name(schema)
    if depth >= DEEPEST or name in within:
        return ""
    found = _object(schema, schemas)
    if found is None or not found.get("properties"):
        return ""
    needed = found.get("required", ())
    rows = "".join(
        _field(
            field,
            each,
            each.get("description", ""),
            field in needed,
            _fields(each, schemas, depth + 1, (*within, *([name] if name else ()))),
        )
        for field, each in found["properties"].items()
    )
    return f'<ul class="fields">{rows}</ul>'


def _field(name: str, schema: Json, says: str, needed: bool, inner: str) -> str:
    need = '<span class="need">required</span>' if needed else ""
    told = f"<p>{_text(says)}</p>" if says else ""
    return f'<li><code>{escape(name)}</code><span class="type">{escape(_type(schema))}</span>{need}{told}{inner}</li>'


def _object(schema: Json, schemas: Mapping[str, Json]) -> Json | None:
    """The object that a schema is, or is a list of, or may be."""
    if "$ref" in schema:
        return schemas[_name(schema) or ""]
    if schema.get("type") == "array":
        return _object(schema.get("items", {}), schemas)
    for each in schema.get("anyOf", ()):
        if (found := _object(each, schemas)) is not None:
            return found
    return schema if schema.get("type") == "object" else None


def _name(schema: Json) -> str | None:
    """Of the named schema that one refers to, if it does."""
    candidates = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    candidates += [each.get("items", {}) for each in schema.get("anyOf", ())]
    return next((each["$ref"].rpartition("/")[2] for each in candidates if "$ref" in each), None)


def _type(schema: Json) -> str:
    match schema:
        case {"$ref": ref}:
            return str(ref).rpartition("/")[2]
        case {"anyOf": several}:
            return " | ".join(_type(each) for each in several)
        case {"enum": values}:
            return " | ".join(map(str, values))
        case {"const": value}:
            return repr(value)
        case {"type": "array", **rest}:
            return f"{_type(rest.get('items') or {})}[]"
        case {"type": str(name), "default": default} if default is not None:
            return f"{name} = {orjson.dumps(default).decode()}"
        case {"type": str(name)}:
            return name
        case _:
            return "any"


def _curl(operation: _Operation) -> str:
    method, path, said = operation
    query = f"?{said['x-gatelog-query']}" if "x-gatelog-query" in said else ""
    shown = re.sub(r"\{(\w+)\}", lambda found: f"{found[1].upper()}", path)
    option = "" if method == "GET" else f" -X {method}"
    lines = [f'curl{option} <span class="s">"<span class="v">$GATELOG</span>{escape(shown + query)}"</span>']
    if "security" not in said:
        lines.append('-H <span class="s">"authorization: Bearer <span class="v">$KEY</span>"</span>')
    if "requestBody" in said:
        (media_type, content), *_ = said["requestBody"]["content"].items()
        lines.append(f'-H <span class="s">"content-type: {escape(media_type)}"</span>')
        if media_type == "application/json":
            body = orjson.dumps(content.get("example", {}), option=orjson.OPT_INDENT_2).decode().replace("'", "'\\''")
            lines.append(f"-d <span class=\"s\">'{escape(body, quote=False)}'</span>")
        else:
            lines.append('--data-binary <span class="s">@FILE</span>')
    return " \\\n  ".join(lines)


def _text(text: str) -> str:
    """A sentence, in which what stands in backquotes is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def _id(operation: _Operation) -> str:
    return quote(str(operation.said["operationId"]))


def _short(method: str) -> str:
    return {"DELETE": "DEL", "PATCH": "PAT"}.get(method, method)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
