"""`POST /v1/traces`: spans by OTLP over HTTP, from MLflow's clients and from any other that speaks it."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response

from providers.errors import InvalidRequest, Unprocessable
from tracking import otlp
from tracking.mlflow.errors import MlflowError, missing
from tracking.mlflow.wire import Row, answering, read
from tracking.trace_log import TraceLog


class NoExperiment(Unprocessable):
    """MLflow's own server answers so, and its clients know it."""

    code = "missing_experiment"


async def exported(request: Request) -> Response:
    headers = request.headers
    experiment = headers.get("x-mlflow-experiment-id")
    if experiment is None:
        raise NoExperiment("say in the header x-mlflow-experiment-id whose traces these are", param="headers")
    if not re.fullmatch(r"\d{1,18}", experiment, re.ASCII):
        raise missing(f"No Experiment with id={experiment[:100]} exists")
    run_id = headers.get("x-mlflow-run-id")
    if run_id is not None and not re.fullmatch(r"[\w-]{1,64}", run_id, re.ASCII):
        raise InvalidRequest(f"x-mlflow-run-id is not a run's id: {run_id[:100]!r}")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (otlp.PROTOBUF, otlp.JSON):
        # OTLP would have 415 here; MLflow has 400.
        raise MlflowError(
            "BAD_REQUEST", f"Invalid Content-Type: {media_type!r}. Expected: {otlp.PROTOBUF} or {otlp.JSON}"
        )
    body = await read(request)
    encoding = headers.get("content-encoding", "").strip().lower()
    spans = await asyncio.to_thread(lambda: otlp.read(otlp.unpacked(body, encoding), media_type))
    log: TraceLog = request.app.state.trace_log
    await log.spans(int(experiment), spans, run_id)
    return Response(otlp.answered(media_type), media_type=media_type)


ROUTES: list[Row] = [("/v1/traces", answering(exported), ["POST"], "track")]
