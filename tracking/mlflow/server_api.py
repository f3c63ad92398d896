"""What MLflow's clients ask about the server itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from providers.chat import Json
from tracking.mlflow.wire import Ask, Row, Service

SPOKEN = "3.18.0"
"""The MLflow whose API this is. Clients send spans only to what is at least 3.4."""


async def info(_: Ask) -> Json:
    """What a client may use beside the plain API, most of which tells it how to move artifacts."""
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": True,
        "multipart_downloads_enabled": False,
        "artifact_serving_enabled": True,
        "artifacts_presigned_only": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "model_artifact_presigned_downloads_supported": False,
    }


async def version(_: Request) -> Response:
    return PlainTextResponse(SPOKEN)


SERVICES: list[Service] = [("GET", "3.0", "server-info", info, "read")]
ROUTES: list[Row] = [("/version", version, ["GET"], "public")]
