"""Rows out of logged calls: those that a search finds, all or a sample, each with how many it stands for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from evaluate.replies import message_of, text_of
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.runs import PAGE_MOST, Run, Runs

FOUND_MOST = 200_000
"""Calls that a query may find; to know what a sample stands for, all have to be counted."""
SAMPLE_MOST = 10_000
Stratum = Literal["endpoint", "model", "provider", "status", "user", "session"]


class Query(BaseModel):
    """Which logged calls, and how they become rows."""

    model_config = ConfigDict(extra="forbid")

    filter: Annotated[str, Field(description="As GET /api/runs takes it.")] = ""
    n: Annotated[int, Field(ge=1, le=SAMPLE_MOST, description="Rows at most: of each stratum, if there are any.")] = (
        1000
    )
    seed: Annotated[int, Field(description="Another one draws another sample.")] = 0
    stratify: Annotated[Stratum | None, Field(description="Draw n of each of these.")] = None
    expect: Annotated[bool, Field(description="Take the answer that was given as what is expected.")] = False
    cluster: Annotated[Literal["session", "user"] | None, Field(description="What rows share.")] = "session"


async def records(runs: Runs, query: Query, key_id: str | None) -> list[tuple[str, Json]]:
    """A record for each call that was drawn, its weight the inverse of the chance that it had of that."""
    strata: dict[str, list[Run]] = defaultdict(list)
    token: str | None = None
    count = 0
    while True:
        page = await runs.page(query.filter, (), PAGE_MOST, token, key_id=key_id)
        for run in page.runs:
            count += 1
            if run["kind"] == "chat":
                strata[str(run[query.stratify]) if query.stratify else ""].append(run)
        if count > FOUND_MOST:
            raise InvalidRequest(
                f"the query finds more than {FOUND_MOST} calls; narrow it by time", param="query.filter"
            )
        if (token := page.next_page_token) is None:
            break
    found: list[tuple[str, Json]] = []
    for members in strata.values():
        drawn = sorted(members, key=lambda run: _lot(query.seed, run["id"]))[: query.n]
        for run in drawn:
            whole = await runs.get(run["id"], key_id=key_id)
            if whole is not None and (record := record_of(whole, query, len(members) / len(drawn))) is not None:
                found.append((f"run {run['id']}", record))
    return found


def record_of(run: Run, query: Query, weight: float) -> Json | None:
    """None where the call's own words were not kept."""
    request = run["request"]
    if not isinstance(request, dict) or not isinstance(messages := request.get("messages"), list) or not messages:
        return None
    variables = request.get("prompt_variables")
    inputs: Json = dict(variables) if isinstance(variables, dict) and variables else {"messages": messages}
    expectations: Json = {}
    response = run["response"]
    if query.expect and isinstance(response, dict) and (text := text_of(message_of(response))):
        expectations["expected_response"] = text
    tags = {name: value for name, value in run["tags"].items() if not name.startswith(("gatelog.", "mlflow."))}
    return {
        "inputs": inputs,
        "expectations": expectations,
        "tags": {**tags, "run_id": run["id"], "endpoint": run["endpoint"] or "", "model": run["model"] or ""},
        "cluster": None if query.cluster is None else run[query.cluster],
        "weight": weight,
    }


def _lot(seed: int, id: str) -> bytes:
    """The same calls are drawn again, and of more calls those that come first by chance."""
    return hashlib.sha256(f"{seed}:{id}".encode()).digest()
