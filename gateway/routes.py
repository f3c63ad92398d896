"""Every route that is served, in the order in which paths are tried, each behind its policy."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute

from gateway import (
    admin,
    datasets_api,
    evaluation_making_api,
    evaluations_api,
    judges_api,
    keys_api,
    lab_verdict_api,
    models_api,
    operations_api,
    overview_api,
    policy,
    revisions_api,
    run_finding_api,
    runs_api,
    usage_api,
)
from gateway.calling import Calling
from gateway.calls import Calls
from gateway.openapi_api import Description
from gateway.policy import Guard, Row
from gateway.sessions import Sessions
from promptlab import page
from promptlab import services as promptlab
from tracking.mlflow import services as mlflow


def direct(calling: Calling) -> Mapping[str, Calls]:
    """Those that nearly every request is for, by path."""
    return {path: calling.calls(kind) for kind, path in operations_api.PATHS.items()}


def guarded(guard: Guard, calling: Calling, calls: Mapping[str, Calls], sessions: Sessions) -> list[BaseRoute]:
    """All of them. `calls` are the direct ones."""
    table: list[Row] = [
        ("/gateway/mlflow/v1/chat/completions", calling.calls("chat"), ["POST"], "call"),
        ("/gateway/{endpoint}/invocations", calling.calls(None), ["POST"], "call"),
        ("/endpoints/{endpoint}/invocations", calling.calls(None), ["POST"], "call"),
        *models_api.ROUTES,
        *run_finding_api.ROUTES,
        *promptlab.rows(),
        *lab_verdict_api.ROUTES,
        *runs_api.ROUTES,
        *usage_api.ROUTES,
        *overview_api.ROUTES,
        *keys_api.ROUTES,
        *datasets_api.ROUTES,
        *evaluation_making_api.ROUTES,
        *evaluations_api.ROUTES,
        *judges_api.ROUTES,
        *admin.ROUTES,
        *operations_api.ROUTES,
        *revisions_api.ROUTES,
        *mlflow.rows(),
        *Description(guard.made).routes,
        ("/api/whoami", sessions.whoami, ["GET"], "public"),
        ("/login", sessions.follow_link, ["GET"], "public"),
        ("/login", sessions.paste_key, ["POST"], "public"),
        ("/logout", sessions.leave, ["POST"], "read"),
        *page.ROUTES,
        *((path, each, ["POST"], "call") for path, each in calls.items()),
    ]
    routes = guard.routes(table)
    policy.check(routes)
    return routes
