"""Everything that can go wrong between a caller and a model.

* GatewayError
  x InvalidRequest           400  the caller's fault; trying again unchanged cannot help
    + UnsupportedParameter   400
    + BodyTooLarge           413
    + UnsupportedMediaType   415
    + Unprocessable          422
  + Unauthenticated          401
  + Forbidden                403
  + NotFound                 404
  + Conflict                 409
  + Misdirected              421  a Host that is not ours
  + RateLimited              429
  + QuotaExceeded            429  a budget; never retried by clients that honour x-should-retry
  + Overloaded               503
  + StorageUnavailable       503  a record could not be made, so nothing was sent
  + Internal                 500
  x UpstreamError            502  the provider's fault, or ours for choosing it
    + Unreachable            502  refused, no such host, no TLS; nothing was sent
    + Closed                 502  the connection broke before an answer began
    + Cut                    502  the answer broke off
    + Garbled                502  it answered something that we cannot read
    + Denied                 502  it does not accept our credential
    + Throttled              429
    + Failed                 502  it said 5xx
    + Rejected               4xx  it understood and said no; its status is passed on
    + TimedOut               504

A class says how it is rendered by its attributes, so one function per door renders them all. `code` is more exact than
the class, and is one of a closed list (docs/errors.md).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

RETRY_AFTER_MOST = 3600.0


class GatewayError(Exception):
    """Something to tell the caller: a sentence, what kind of fault, and which parameter was wrong if one was."""

    status = 500
    type = "server_error"
    code = "internal_error"

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        """Seconds, when the one who refused said how long to wait."""
        if code is not None:
            self.code = code


class InvalidRequest(GatewayError):
    status, type, code = 400, "invalid_request_error", "invalid_request"


class UnsupportedParameter(InvalidRequest):
    code = "unsupported_parameter"


class BodyTooLarge(InvalidRequest):
    status, code = 413, "request_too_large"


class UnsupportedMediaType(InvalidRequest):
    status, code = 415, "unsupported_media_type"


class Unprocessable(InvalidRequest):
    status, code = 422, "unprocessable"


class Unauthenticated(GatewayError):
    status, type, code = 401, "authentication_error", "invalid_api_key"


class Forbidden(GatewayError):
    status, type, code = 403, "permission_error", "forbidden"


class NotFound(GatewayError):
    status, type, code = 404, "not_found_error", "not_found"


class Conflict(GatewayError):
    status, type, code = 409, "conflict_error", "conflict"


class Misdirected(GatewayError):
    status, type, code = 421, "invalid_request_error", "unknown_host"


class RateLimited(GatewayError):
    status, type, code = 429, "rate_limit_error", "rate_limited"


class QuotaExceeded(GatewayError):
    status, type, code = 429, "insufficient_quota", "insufficient_quota"


class Overloaded(GatewayError):
    status, type, code = 503, "overloaded_error", "overloaded"


class StorageUnavailable(GatewayError):
    status, type, code = 503, "overloaded_error", "storage_unavailable"


class Internal(GatewayError):
    pass


class UpstreamError(GatewayError):
    status, type, code = 502, "upstream_error", "upstream_error"
    retryable = False
    """Another attempt, here or at another target, might succeed and cannot be charged twice."""
    resting = False
    """The target has shown that it is not well, and should be left alone for a while."""
    upstream_id: str | None = None
    """The provider's own name for the request, to quote to its support."""
    upstream_status: int | None = None
    """What the provider's own HTTP status was, where it got as far as having one."""


class Unreachable(UpstreamError):
    code, retryable, resting = "upstream_connect", True, True


class Closed(UpstreamError):
    code, retryable, resting = "upstream_closed", True, True


class Cut(UpstreamError):
    code, resting = "upstream_cut", True


class Garbled(UpstreamError):
    code, retryable = "upstream_bad_json", True


class Denied(UpstreamError):
    code, retryable, resting = "upstream_auth", True, True


class Throttled(UpstreamError):
    status, type, code, retryable, resting = 429, "rate_limit_error", "upstream_429", True, True


class Failed(UpstreamError):
    code, retryable, resting = "upstream_500", True, True


class Rejected(UpstreamError):
    """Its message is the provider's own words to the caller, whose fault it is."""

    type, code = "invalid_request_error", "upstream_rejected"

    def __init__(self, message: str, status: int, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)
        self.status = status
        if status == 404:
            self.type = "not_found_error"


class TimedOut(UpstreamError):
    """`code` ends in the timeout that fired: connect, first_byte, first_token, idle or total."""

    status, type, code, resting = 504, "upstream_timeout", "upstream_timeout_total", True

    def __init__(self, message: str, which: str) -> None:
        super().__init__(message, code=f"upstream_timeout_{which}")
        # Until a request is uploaded nobody can have been charged for it; afterwards another attempt might cost twice.
        self.retryable = which in {"connect", "tls"}


def from_status(
    status: int, message: str, *, retry_after: float | None = None, code: str | None = None, param: str | None = None
) -> UpstreamError:
    """The one place where a provider's HTTP status becomes one of ours.

    `code` and `param` are the provider's own; they reach the caller only where the fault is the caller's.
    """
    error = _from_status(status, message, retry_after, code, param)
    error.upstream_status = status
    return error


def _from_status(
    status: int, message: str, retry_after: float | None, code: str | None, param: str | None
) -> UpstreamError:
    match status:
        case 401 | 402 | 403:
            return Denied(message)
        case 429:
            return Throttled(message, retry_after=retry_after)
        case _ if status >= 500 or status in {408, 409, 425}:
            return Failed(message, code=f"upstream_{status}", retry_after=retry_after)
        case _ if 300 <= status < 400:
            return Garbled(message, code="upstream_redirect")
        case _:
            return Rejected(message, status, code=code, param=param)


class reading:  # noqa: N801 - a context manager, called like the function that contextlib would make at four times the cost
    """Whatever goes wrong while we read someone's data is their error, not ours."""

    __slots__ = ("_theirs",)

    def __init__(self, theirs: type[InvalidRequest] | type[Garbled]) -> None:
        self._theirs = theirs

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(exc, (KeyError, IndexError, TypeError, ValueError, AttributeError)):
            raise self._theirs(f"could not make sense of it: {exc!r}") from exc


def body(error: GatewayError) -> dict[str, dict[str, Any]]:
    """OpenAI's error object, all four fields always there."""
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
