"""What the REST API is sent: bodies read up to a size and checked against a model, and the tokens of its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from providers.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType

Model = TypeVar("Model", bound=BaseModel)


async def parsed(request: Request, model: type[Model], most: int) -> Model:
    """The JSON of a body as a model. Its first fault is told, with where it is and what would be right."""
    if not is_json(request):
        raise UnsupportedMediaType("send the body as JSON, with 'content-type: application/json'")
    body = b"".join([piece async for piece in pieces(request, most)])
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        raise invalid(exc) from exc


def is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """A body as it comes, up to a size."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise BodyTooLarge(f"the body has more than the {most} bytes that are taken")
        yield piece


def invalid(exc: ValidationError) -> InvalidRequest:
    found = exc.errors(include_url=False)
    first = found[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    said = str(first["msg"]).removeprefix("Value error, ")
    shown = repr(first["input"])
    got = "" if first["type"] in ("missing", "value_error", "json_invalid") else f", not {shown[:100]}"
    return InvalidRequest(f"{where or 'the body'}: {said}{got}{more}", param=where or None)


def size_of(request: Request, otherwise: int, most: int) -> int:
    """`page_size`."""
    text = request.query_params.get("page_size", str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InvalidRequest(f"page_size is {text!r}; say 1 to {most}", param="page_size")
    return int(text)


def place_of(request: Request) -> tuple[int, str] | None:
    """Where the page before ended, of lists in the order of a time and an id: its `page_token`."""
    token = request.query_params.get("page_token")
    if not token:
        return None
    us, dot, id = token.partition(".")
    if not (dot and id and us.isascii() and us.isdigit() and len(us) < 18) or "\x00" in id:
        raise no_token(token)
    return int(us), id


def number_of(request: Request) -> int | None:
    """The same of lists by number."""
    token = request.query_params.get("page_token")
    if not token:
        return None
    if not (token.isascii() and token.isdigit() and len(token) < 18):
        raise no_token(token)
    return int(token)


def no_token(token: str) -> InvalidRequest:
    return InvalidRequest(
        f"{token[:50]!r} is no page token; send next_page_token of the page before as it came", param="page_token"
    )
