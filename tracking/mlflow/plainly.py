"""Errors of MLflow's told by routes that are not MLflow's, as the gateway's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from providers.errors import Conflict, Forbidden, GatewayError, InvalidRequest, NotFound
from tracking.mlflow.errors import Code, MlflowError

OURS: Mapping[Code, type[GatewayError]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "NOT_FOUND": NotFound,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "ALREADY_EXISTS": Conflict,
    "RESOURCE_CONFLICT": Conflict,
    "PERMISSION_DENIED": Forbidden,
}


@contextmanager
def plainly() -> Iterator[None]:
    try:
        yield
    except MlflowError as error:
        raise OURS.get(error.error_code, InvalidRequest)(error.message) from error
