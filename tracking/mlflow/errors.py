"""What MLflow's API answers when it cannot do what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
from starlette.responses import Response

from providers.errors import RETRY_AFTER_MOST, GatewayError
from tracking.database import AWAY, reason

Code = Literal[
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_ALREADY_EXISTS",
    "BAD_REQUEST",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "RESOURCE_DOES_NOT_EXIST",
    "ENDPOINT_NOT_FOUND",
    "NOT_FOUND",
    "RESOURCE_CONFLICT",
    "ABORTED",
    "ALREADY_EXISTS",
    "REQUEST_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "CANCELLED",
    "INTERNAL_ERROR",
    "INVALID_STATE",
    "DATA_LOSS",
    "NOT_IMPLEMENTED",
    "TEMPORARILY_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
]
STATUS: Mapping[Code, int] = {
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "BAD_REQUEST": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL_ERROR": 500,
    "INVALID_STATE": 500,
    "DATA_LOSS": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_CODES: Mapping[int, Code] = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    413: "BAD_REQUEST",
    415: "BAD_REQUEST",
    421: "BAD_REQUEST",
    422: "BAD_REQUEST",
    429: "REQUEST_LIMIT_EXCEEDED",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""What MLflow calls the statuses of our own errors."""


class MlflowError(Exception):
    """Something to tell one of MLflow's clients, in its words."""

    def __init__(self, error_code: Code, message: str) -> None:
        super().__init__(message)
        self.error_code, self.message = error_code, message


def invalid(message: str) -> MlflowError:
    return MlflowError("INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> MlflowError:
    """For what does not exist."""
    return MlflowError("RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> MlflowError:
    return MlflowError("RESOURCE_ALREADY_EXISTS", message)


REFUSALS = (MlflowError, GatewayError, *AWAY)
"""All that `refusal` has an answer for."""


def refusal(error: Exception) -> Response:
    """The answer to a request that failed with one of `REFUSALS`."""
    match error:
        case MlflowError():
            return _said(STATUS[error.error_code], error.error_code, error.message)
        case GatewayError():
            answer = _said(error.status, _CODES.get(error.status, "INTERNAL_ERROR"), error.message)
            if error.retry_after is not None:
                answer.headers["retry-after"] = str(max(1, round(min(error.retry_after, RETRY_AFTER_MOST))))
            if error.status == 401:
                answer.headers["www-authenticate"] = 'Bearer realm="gatelog"'
            return answer
        case _:
            return _said(503, "TEMPORARILY_UNAVAILABLE", f"the store does not answer: {reason(error)}")


def _said(status: int, code: Code, message: str) -> Response:
    body = orjson.dumps({"error_code": code, "message": message.encode(errors="replace").decode()})
    return Response(body, status, media_type="application/json")
