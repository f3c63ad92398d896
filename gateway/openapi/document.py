"""From the routes that are served to an OpenAPI 3.1 document of them all."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from gateway import __version__
from gateway.openapi import shapes
from gateway.openapi.operations import HEADERS, OPERATIONS, SUMMARIES, Operation, Parameter
from gateway.policy import MAY, Policy, Row
from promptlab import page
from providers.chat import Json
from tracking.mlflow import services as mlflow
from tracking.mlflow.wire import PREFIXES

SAYS = """One LLM API in front of every provider; every call a durable, priced run.

A key of Gatelog's comes with every request: as `Authorization: Bearer KEY`, as `x-api-key: KEY`, or as the password of
HTTP Basic. What is unknown is null, times are UTC, and money is exact."""
AREAS: Mapping[str, tuple[str, str]] = {
    "/v1/models": ("Models", "What may be sent as `model`."),
    "/api/2.0/endpoints": ("Models", ""),
    "/v1/": ("Calls", "OpenAI's API. OpenAI's own clients need nothing but its address and a key of Gatelog's."),
    "/gateway/": ("Calls", ""),
    "/endpoints/": ("Calls", ""),
    "/api/runs": ("Runs", "Every call is a run, with what was said, what it cost and how long it took."),
    "/api/usage": ("Usage", "What calls came to."),
    "/api/keys": ("Keys", "Callers' keys, for administrators."),
    "/api/whoami": ("Signing in", ""),
    "/api/lab": ("Lab", "The same question to many models, side by side."),
    "/api/prompts": ("Prompts", "Prompts with their versions and aliases."),
    "/api/datasets": ("Datasets", "Rows to evaluate on, in versions that are known by their content."),
    "/api/evaluations": ("Evaluations", "Is this answer any good, and is that one better."),
    "/api/experiments": ("Experiments", "Runs that people log, in experiments: the same that MLflow's API has."),
    "/api/logged-runs": ("Experiments", ""),
    "/api/views": ("Views", "Searches that were saved."),
    "/login": ("Signing in", "A browser that is signed in sends its cookie instead of a key."),
    "/logout": ("Signing in", ""),
}
"""The area of a path, by its beginning; what is longer stands first. Of others below `/api/` the next word is it."""
LAST = frozenset({"Keys", "Signing in", "Server"})
PAGE = ("Page", "What a browser is sent. All that it then asks is in the areas above.")
SERVER = ("Server", "Whether it works, and by what configuration.")
MLFLOW = "MLflow: "
MLFLOW_SAYS = "As MLflow's tracking server has it, below `/api` and `/ajax-api` alike; its clients know the bodies."
SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "As OpenAI's clients send a key."},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "As Anthropic's do."},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as the password; as MLflow's may."},
}
VERB_OF: Mapping[str, str] = {"GET": "get", "POST": "create", "PUT": "put", "PATCH": "change", "DELETE": "delete"}
VERBS = frozenset(
    (
        *("abort", "add", "batchGet", "batchGetInfos", "complete", "create", "delete", "get", "link", "list", "log"),
        *("query", "register", "remove", "rename", "restore", "search", "set", "test", "transition", "update"),
    )
)
"""With which a path may say itself what is done."""
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_CODE = re.compile(r"^`[A-Z]+ /[^`]*`(?:,? (?:and|with) `[^`]*`)*(?:\.$|: *)")
"""With which the docstrings of endpoints begin."""


def document(rows: Iterable[Row]) -> Json:
    """Of all routes, the areas of our own before MLflow's, and what is described best before the rest."""
    known = list(OPERATIONS)
    services = _services()
    schemas = _Schemas()
    paths: dict[str, Json] = {}
    areas: dict[str, str] = {}
    for path, endpoint, methods, policy in sorted(rows, key=lambda row: _place(row, known)):
        plain = _PARAMETER.sub(r"{\1}", path)
        twin = PREFIXES[0] + plain.removeprefix(PREFIXES[1]) if plain.startswith(PREFIXES[1]) else None
        for method in methods:
            service = services.get((method, plain))
            area, says = (MLFLOW + service[0], MLFLOW_SAYS) if service else _area(plain, endpoint)
            areas[area] = areas.get(area) or says
            handler = service[1] if service else endpoint
            said = _operation(method, plain, handler, policy, area, schemas, mlflows=service is not None)
            if twin in paths:
                said["x-gatelog-same-as"] = twin
            paths.setdefault(plain, {})[method.lower()] = said
    refusals = {
        shape.__name__: _response("It was refused, or it failed.", schemas.of(shape))
        for shape in (shapes.Error, shapes.MlflowError)
    }
    ordered = sorted(areas, key=lambda area: (area.startswith(MLFLOW), area == PAGE[0], area in LAST))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gatelog",
            "version": __version__,
            "description": SAYS,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SCHEMES],
        "tags": [{"name": area, **({"description": areas[area]} if areas[area] else {})} for area in ordered],
        "paths": paths,
        "components": {
            "schemas": schemas.found(),
            "securitySchemes": SCHEMES,
            "headers": {name: {"description": says, "schema": {"type": "string"}} for name, says in HEADERS.items()},
            "responses": refusals,
        },
    }


def _place(row: Row, known: list[tuple[str, str]]) -> int:
    place = (row[2][0], _PARAMETER.sub(r"{\1}", row[0]))
    return known.index(place) if place in known else len(known)


def _operation(
    method: str, path: str, handler: object, policy: Policy, area: str, schemas: _Schemas, *, mlflows: bool
) -> Json:
    known = OPERATIONS.get((method, path)) or (_told_of_mlflow if mlflows else _told)(handler, method, path)
    said: Json = {
        "operationId": f"{method.lower()}_{re.sub(r'[^0-9a-zA-Z]+', '_', path).strip('_')}".rstrip("_"),
        "tags": [area],
        "summary": known.summary,
    }
    if known.says:
        said["description"] = known.says
    if policy == "public":
        said["security"] = []
    said["x-gatelog-policy"] = policy
    said["x-gatelog-roles"] = sorted(MAY.get(policy, ()))
    parameters = [*_in_path(path), *known.takes]
    if parameters:
        said["parameters"] = [_parameter(each) for each in parameters]
    body = known.body if known.body is not None else dict[str, Any] if mlflows and method != "GET" else None
    if known.sends:
        schema = {"type": "string"}
        said["requestBody"] = {"required": True, "content": {type: {"schema": schema} for type in known.sends}}
    elif body is not None:
        content: Json = {"schema": schemas.of(body)}
        if known.example is not None:
            content["example"] = known.example
        said["requestBody"] = {"required": not mlflows, "content": {"application/json": content}}
    if known.query:
        said["x-gatelog-query"] = known.query
    said["responses"] = {
        str(known.status): _good(known, schemas, mlflows),
        "default": {"$ref": f"#/components/responses/{'MlflowError' if mlflows else 'Error'}"},
    }
    return said


def _good(known: Operation, schemas: _Schemas, mlflows: bool) -> Json:
    said: Json = {"description": "Done." if known.status in (201, 204) else "The answer."}
    content: Json = {}
    if known.gives is not None or mlflows:
        content["application/json"] = {"schema": schemas.of(known.gives or dict[str, Any])}
    content |= {type: {"schema": {"type": "string"}} for type in known.streams}
    if content:
        said["content"] = content
    if known.status == 303:
        said["description"] = "To the page."
    if known.given:
        said["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in known.given}
    return said


def _told(handler: object, method: str, path: str) -> Operation:
    """What an operation's own endpoint tells: by its docstring, and by the Pydantic model that it reads a body by."""
    said = _CODE.sub("", _docstring(handler), count=1)
    return Operation(
        summary=SUMMARIES.get((method, path)) or _worded(method, path.removeprefix("/api/")),
        says=said[:1].upper() + said[1:],
        body=_read(handler),
        gives=dict[str, Any],
    )


def _told_of_mlflow(handler: object, method: str, path: str) -> Operation:
    """What its path says, which is as good as MLflow's own documentation."""
    short = path.partition("/mlflow/")[2] or path.partition("/mlflow-")[2] or path
    return Operation(summary=_worded(method, short), says=_docstring(handler))


def _docstring(handler: object) -> str:
    return inspect.cleandoc(handler.__doc__ or "") if inspect.isfunction(handler) or inspect.ismethod(handler) else ""


def _worded(method: str, path: str) -> str:
    """`runs/log-metric` as "Runs: log metric", and what has no verb with the one of its method."""
    parts = [part.replace("-", " ") for part in path.split("/") if part and not part.startswith("{")]
    what, *rest = parts or ["page"]
    done = " ".join(rest)
    if not rest or rest[-1].split()[0] not in VERBS:
        done = f"{VERB_OF[method]} {done}".strip()
    return f"{what[0].upper()}{what[1:]}: {done}"


def _read(handler: object) -> type[BaseModel] | None:
    """The model among the names that a function uses."""
    if not inspect.isfunction(handler):
        return None
    used = (handler.__globals__.get(name) for name in handler.__code__.co_names)
    return next((each for each in used if inspect.isclass(each) and issubclass(each, BaseModel)), None)


def _in_path(path: str) -> Iterator[Parameter]:
    for name in _PARAMETER.findall(path):
        yield Parameter(name, "", place="path")


def _parameter(parameter: Parameter) -> Json:
    said: Json = {"name": parameter.name, "in": parameter.place, "schema": dict(parameter.schema)}
    if parameter.says:
        said["description"] = parameter.says
    if parameter.place == "path":
        said["required"] = True
    return said


def _response(says: str, schema: Json) -> Json:
    return {"description": says, "content": {"application/json": {"schema": schema}}}


def _area(path: str, endpoint: object) -> tuple[str, str]:
    if getattr(endpoint, "__module__", None) == page.__name__:
        return PAGE
    known = next((area for start, area in AREAS.items() if path.startswith(start)), None)
    if known is not None or not path.startswith("/api/"):
        return known or SERVER
    return path.split("/")[2].replace("-", " ").capitalize(), ""


def _services() -> dict[tuple[str, str], tuple[str, Callable[..., Any]]]:
    """Of MLflow's routes, by method and path, the service and what answers."""
    found: dict[tuple[str, str], tuple[str, Callable[..., Any]]] = {}
    for service, rows in mlflow.ROUTES.items():
        for path, endpoint, methods, _ in rows:
            found |= {(method, _PARAMETER.sub(r"{\1}", path)): (service, endpoint) for method in methods}
    for service, listed in mlflow.SERVICES.items():
        for method, version, path, handler, _ in listed:
            for prefix in PREFIXES:
                whole = _PARAMETER.sub(r"{\1}", f"{prefix}/{version}/mlflow/{path}")
                found[method, whole] = (service, handler)
    return found


class _Schemas:
    """JSON schemas of types, each named type once and referred to."""

    def __init__(self) -> None:
        self._found: dict[str, Json] = {}

    def of(self, shape: shapes.Shape) -> Json:
        adapter: TypeAdapter[Any] = shapes.adapter(shape)
        schema = adapter.json_schema(ref_template="#/components/schemas/{model}")
        self._found |= {name: _untitled(each) for name, each in schema.pop("$defs", {}).items()}
        name = schema.get("title")
        if name is None or schema.get("type") != "object":
            return _untitled(schema)
        self._found[name] = _untitled(schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def found(self) -> dict[str, Json]:
        return dict(sorted(self._found.items()))


def _untitled(schema: Json) -> Json:
    """Without the titles that Pydantic makes of names, which say nothing that the names do not."""
    said = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    for key, value in said.items():
        match value:
            case dict() if key in ("properties", "$defs"):
                said[key] = {name: _untitled(each) for name, each in value.items()}
            case dict():
                said[key] = _untitled(value)
            case list():
                said[key] = [_untitled(each) if isinstance(each, dict) else each for each in value]
    return said
