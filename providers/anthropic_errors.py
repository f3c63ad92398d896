"""What Anthropic says when it refuses. https://docs.anthropic.com/en/api/errors"""

from __future__ import annotations

from providers.dialect import Complaint

STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def complaint(payload: object) -> Complaint:
    match payload:
        case {"error": {"type": str(kind), "message": str(message)}}:
            return Complaint(message, code=kind, status=STATUS.get(kind))
        case {"error": {"message": str(message)}}:
            return Complaint(message)
        case _:
            return Complaint(str(payload)[:500])
