"""The wire of MLflow's REST API: reading what its clients send however they send it, and answering as they expect."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, overload

import orjson
from starlette.datastructures import State
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from providers.chat import Json
from providers.errors import BodyTooLarge, InvalidRequest
from tracking.mlflow.errors import REFUSALS, MlflowError, invalid, refusal

BODY_MOST = 32 * 2**20
PREFIXES = ("/api", "/ajax-api")
"""MLflow's page calls all of its API by the second."""
TWINS: Mapping[str, str] = {"run_id": "run_uuid"}
"""Parameters that older clients know by another name, and newer ones send under both."""
INT64 = range(-(2**63), 2**63)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_NAMED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Policy = Literal["public", "read", "track", "admin"]
Version = Literal["2.0", "3.0"]
Endpoint = Callable[[Request], Awaitable[Response]]
D = TypeVar("D")


class Caller(Protocol):
    """Who asks, as the gateway found out."""

    @property
    def key_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class _Required:
    pass


_REQUIRED = _Required()


class Ask:
    """The parameters of one request, or of one object in a list of them.

    Each is read by its type: a required one that is absent, null or empty is refused, as MLflow does, and so is one of
    another type; numbers and flags may come as strings. A default is given back for what is absent or null.
    """

    __slots__ = ("_where", "body", "request")

    def __init__(self, request: Request, body: Json, where: str = "") -> None:
        self.request = request
        self.body = body
        """All parameters, as they came."""
        self._where = where

    @property
    def caller(self) -> Caller:
        caller: Caller = self.request.scope["caller"]
        return caller

    @property
    def state(self) -> State:
        state: State = self.request.app.state
        return state

    @property
    def only(self) -> str | None:
        """The key whose gateway calls alone this caller may see; None where it may see all."""
        return self.caller.key_id if self.caller.role == "caller" else None

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    @overload
    def text(self, name: str) -> str: ...
    @overload
    def text(self, name: str, default: D) -> str | D: ...
    def text(self, name: str, default: object = _REQUIRED) -> object:
        value = self._find(name)
        if value is None or (value == "" and default is _REQUIRED):
            return self._absent(name, default)
        if not isinstance(value, str):
            raise self.fault(name, value, "a string")
        return self._storable(name, value)

    @overload
    def whole(self, name: str) -> int: ...
    @overload
    def whole(self, name: str, default: D) -> int | D: ...
    def whole(self, name: str, default: object = _REQUIRED) -> object:
        value = self._find(name)
        if value is None or value == "":
            return self._absent(name, default)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
            value = int(value)
        if type(value) is not int or value not in INT64:
            raise self.fault(name, value, "a whole number of 64 bits")
        return value

    @overload
    def number(self, name: str) -> float: ...
    @overload
    def number(self, name: str, default: D) -> float | D: ...
    def number(self, name: str, default: object = _REQUIRED) -> object:
        value = self._find(name)
        if value is None or value == "":
            return self._absent(name, default)
        match value:
            case bool():
                pass
            case int() | float():
                try:
                    return float(value)
                except OverflowError:
                    pass
            case str() if (named := _number(value)) is not None:
                return named
        raise self.fault(name, value, 'a number, "NaN", "Infinity" or "-Infinity"')

    @overload
    def flag(self, name: str) -> bool: ...
    @overload
    def flag(self, name: str, default: D) -> bool | D: ...
    def flag(self, name: str, default: object = _REQUIRED) -> object:
        value = self._find(name)
        if value is None or value == "":
            return self._absent(name, default)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            value = value.lower() == "true"
        if not isinstance(value, bool):
            raise self.fault(name, value, "true or false")
        return value

    def one_of(self, name: str, values: Sequence[str], default: str | None = None) -> str:
        """One of an enumeration's names; the default, if there is one, where it is absent."""
        value = self.text(name) if default is None else self.text(name, default)
        if value not in values:
            raise self.fault(name, value, f"one of {', '.join(values)}")
        return value

    def several(self, name: str) -> list[Any]:
        """A list, empty when absent. In a query the name is repeated, once for each."""
        value = self._find(name)
        if value is None:
            return []
        if not isinstance(value, list):
            if self.request.method != "GET" or self._where:
                raise self.fault(name, value, "a list")
            return [value]
        return value

    def texts(self, name: str) -> list[str]:
        found = self.several(name)
        for n, value in enumerate(found):
            if not isinstance(value, str):
                raise self.fault(f"{name}[{n}]", value, "a string")
            self._storable(f"{name}[{n}]", value)
        return found

    def objects(self, name: str) -> list[Ask]:
        """Each object of a list, to be read in its turn."""
        found = self.several(name)
        for n, value in enumerate(found):
            if not isinstance(value, dict):
                raise self.fault(f"{name}[{n}]", value, "an object")
        return [Ask(self.request, value, f"{self._where}{name}[{n}].") for n, value in enumerate(found)]

    def object(self, name: str) -> Ask | None:
        value = self._find(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fault(name, value, "an object")
        return Ask(self.request, value, f"{self._where}{name}.")

    def needed(self, name: str) -> Ask:
        """An object that must be there."""
        found = self.object(name)
        if found is None:
            raise self.missing(name)
        return found

    def missing(self, name: str) -> MlflowError:
        return invalid(f"Missing value for required parameter '{self._where}{name}'.")

    def fault(self, name: str, value: Any, wanted: str) -> MlflowError:
        return invalid(
            f"Invalid value {_shown(value)} for parameter '{self._where}{name}' supplied: it must be {wanted}"
        )

    def _find(self, name: str) -> Any:
        value = self.body.get(name)
        if value is None and (twin := TWINS.get(name)) is not None:
            value = self.body.get(twin)
        return value

    def _absent(self, name: str, default: Any) -> Any:
        if default is _REQUIRED:
            raise self.missing(name)
        return default

    def _storable(self, name: str, value: str) -> str:
        if (bad := _UNSTORABLE.search(value)) is not None:
            raise self.fault(name, value, f"text without {bad[0]!r}, which the store cannot hold")
        return value


Handler = Callable[[Ask], Awaitable[Json | Response]]
Service = tuple[str, Version, str, Handler, Policy]
"""Method, version of the API, path below `/mlflow/` (`runs/get`), what answers, and who may ask."""
Row = tuple[str, Endpoint, list[str], Policy]


def routes(services: Iterable[Service]) -> list[Row]:
    """Rows for `gateway.policy.Guard.routes`, each service under `/api` and `/ajax-api`."""
    return [
        (f"{prefix}/{version}/mlflow/{path}", asking(handler), [method], policy)
        for method, version, path, handler, policy in services
        for prefix in PREFIXES
    ]


def answering(endpoint: Endpoint) -> Endpoint:
    """An endpoint that reads its request itself, and whose failures are told as MLflow's."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except REFUSALS as error:
            return refusal(error)

    return answer


def answer(payload: Json) -> Response:
    return Response(orjson.dumps(filled(payload), option=orjson.OPT_NON_STR_KEYS), media_type="application/json")


def filled(fields: Json) -> Json:
    """Without what is None or an empty list or object: MLflow's answers leave those out."""
    return {name: value for name, value in fields.items() if value is not None and value != [] and value != {}}


def shown(number: float) -> float | str:
    """A number as MLflow's JSON has it, where NaN and the infinities are strings."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


async def read(request: Request, most: int = BODY_MOST) -> bytes:
    """The body, of which no more is taken than this."""
    length = request.headers.get("content-length", "")
    pieces: list[bytes] = []
    size = int(length) if length.isdecimal() else 0
    if size > most:
        raise BodyTooLarge(f"the body has {size} bytes; at most {most} are taken here")
    size = 0
    try:
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise BodyTooLarge(f"the body has more than the {most} bytes that are taken here")
    except ClientDisconnect as exc:
        raise InvalidRequest("the upload was broken off", code="upload_aborted") from exc
    return b"".join(pieces)


def asking(handler: Handler) -> Endpoint:
    """An endpoint whose request is read for what answers it."""

    async def endpoint(request: Request) -> Response:
        parameters = _query(request) if request.method == "GET" else _object(await read(request)) or _query(request)
        answered = await handler(Ask(request, {**parameters, **request.path_params}))
        return answered if isinstance(answered, Response) else answer(answered)

    return answering(endpoint)


def _query(request: Request) -> Json:
    """A name that is there once is a value, and one that is repeated a list of them."""
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _object(body: bytes) -> Json:
    if not body:
        return {}
    sent = _parsed(body)
    if isinstance(sent, str):  # older clients encode what is JSON already
        sent = _parsed(sent.encode(errors="surrogatepass"))
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise MlflowError("BAD_REQUEST", f"the body is no JSON object: {_shown(sent)}")
    return sent


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)  # which knows NaN and Infinity, that Python's clients write into JSON
    except (ValueError, RecursionError) as exc:
        raise MlflowError("BAD_REQUEST", f"the body is not JSON: {exc}") from exc


def _number(text: str) -> float | None:
    if text in _NAMED:
        return _NAMED[text]
    try:
        return float(text)
    except ValueError:
        return None


def _shown(value: object) -> str:
    said = json.dumps(value, default=repr)
    return said if len(said) <= 100 else said[:97] + "..."
