"""All of MLflow's API that is served here: its services, route by route, and the few routes that are none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracking.mlflow import (
    artifacts_api,
    assessments_api,
    evaluation_datasets_api,
    experiments_api,
    logged_models_api,
    metrics_api,
    otlp_api,
    registry_api,
    run_artifacts_api,
    runs_api,
    scorers_api,
    server_api,
    trace_metrics_api,
    traces_api,
    webhooks_api,
)
from tracking.mlflow.wire import Row, Service, routes

SERVICES: Mapping[str, Sequence[Service]] = {
    "server": server_api.SERVICES,
    "experiments": experiments_api.SERVICES,
    "runs": runs_api.SERVICES,
    "metrics": metrics_api.SERVICES,
    "registry": registry_api.SERVICES,
    "webhooks": webhooks_api.SERVICES,
    "logged models": logged_models_api.SERVICES,
    "artifacts of runs": run_artifacts_api.SERVICES,
    "assessments": assessments_api.SERVICES,
    "datasets": evaluation_datasets_api.SERVICES,
    "scorers": scorers_api.SERVICES,
    "traces": traces_api.SERVICES,
    "trace metrics": trace_metrics_api.SERVICES,
}
ROUTES: Mapping[str, Sequence[Row]] = {
    "traces": otlp_api.ROUTES,
    "server": server_api.ROUTES,
    "artifacts": artifacts_api.ROUTES,
    "artifacts of runs": run_artifacts_api.ROUTES,
    "logged models": logged_models_api.ROUTES,
}
"""Those whose paths are not below `/mlflow/`, or that read their request themselves."""


def rows() -> list[Row]:
    """All of them for `gateway.policy.Guard.routes`, in the order in which paths are tried."""
    own = [row for table in ROUTES.values() for row in table]
    return own + routes(service for table in SERVICES.values() for service in table)
