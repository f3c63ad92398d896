"""All routes of PromptLab, in the order in which paths are tried."""

from __future__ import annotations

from promptlab import experiments_api, lab_api, lab_inout_api, lab_run_api, lab_vote_api, prompts_api, run_use_api
from tracking.rest import Row


def rows() -> list[Row]:
    """For `gateway.policy.Guard.routes`, before those of runs."""
    labs = (*lab_inout_api.ROUTES, *lab_api.ROUTES, *lab_run_api.ROUTES, *lab_vote_api.ROUTES)
    return [*run_use_api.ROUTES, *labs, *prompts_api.ROUTES, *experiments_api.ROUTES]
