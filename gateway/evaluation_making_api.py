"""The REST API for those who are making an evaluation: what it would come to, and the scorers to choose from."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from evaluate import process
from evaluate.making import Maker
from evaluate.spec import EvaluationSpec
from gateway import scorer_code
from gateway.bodies import parsed
from gateway.evaluations_api import BODY_MOST, not_of_files
from gateway.policy import Endpoint, Policy
from tracking import rest

CATALOGUE_SECONDS = 60.0


async def forecast(request: Request) -> Response:
    """`POST /api/evaluations/forecast`: what making this would come to. Nothing is made and nothing is asked."""
    spec = await parsed(request, EvaluationSpec, BODY_MOST)
    not_of_files(spec)
    scorer_code.admit(request, spec.scorers)
    maker: Maker = request.app.state.evaluation_maker
    plan = await maker.plan(spec)
    body = {
        "dataset": plan.asked.dataset.to_json(),
        "rows": len(plan.asked.rows),
        "cells": plan.cells,
        "variants": [each.to_json() for each in plan.variants],
        "primary": plan.primary,
        "metrics": [each.to_json() for each in plan.metrics],
        "judged": plan.described["judged"],
        "forecast": plan.forecast.to_json(),
    }
    return rest.answer(body)


async def scorers(request: Request) -> Response:
    """`GET /api/evaluations/scorers`: those that there are, each with its options."""
    rest.asked(request)
    return rest.answer({"scorers": await process.asked("catalogue", {}, "scorers", CATALOGUE_SECONDS)})


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/evaluations/forecast", forecast, ["POST"], "call"),
    ("/api/evaluations/scorers", scorers, ["GET"], "read"),
]
