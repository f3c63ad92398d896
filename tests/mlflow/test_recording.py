"""What MLflow's 3.18 client sent to its own server, sent to ours: the answers are the same but for ids and times.

Of the recording, the requests about experiments, runs and metrics are sent, in their order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

RECORDING = Path(__file__).parents[2].parent / "shared/reference/mlflow/client-recording-3.18.jsonl"
OURS = ("/api/2.0/mlflow/experiments/", "/api/2.0/mlflow/runs/", "/api/2.0/mlflow/metrics/", "/version", "/health")
IDS = frozenset({"experiment_id", "experiment_ids", "run_id", "run_uuid"})
TIMES = frozenset({"start_time", "end_time", "creation_time", "last_update_time"})
CHOSEN = frozenset({"artifact_uri", "artifact_location", "run_name", "mlflow.runName"})
"""What holds an id, or was drawn by lot."""
HALF_WRITTEN = 133
"""The line of an answer that MLflow gave in the middle of a batch: its parameters were there, its tags were not yet."""
KEPT = 3_000
"""Characters that the recording kept of an answer."""
BESIDE = frozenset({"sqlstate", "error_class"})
"""Of errors; no client reads them."""
Json = dict[str, Any]


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording of MLflow's client is not beside the repository")
def test_every_recorded_answer_about_runs_is_ours_too(rest: httpx.Client) -> None:
    ids: dict[str, str] = {}
    sent = 0
    for n, line in enumerate(RECORDING.read_text().splitlines(), 1):
        asked: Json = json.loads(line)
        if not asked["p"].startswith(OURS) or "MARK=" in asked["p"]:
            continue
        url = urlsplit(asked["p"])
        query = [(name, renamed(name, value, ids)) for name, value in parse_qsl(url.query)]
        body = renamed("", json.loads(asked["req"]), ids) if asked["req"] else None
        answer = rest.request(asked["m"], url.path, params=query, json=body)
        about = f"line {n}: {asked['m']} {asked['p']}\n{asked['req']}\n{answer.text}"
        assert answer.status_code == asked["st"], about
        sent += 1
        if not asked["ct"].startswith("application/json"):
            assert answer.text == asked["resp"], about
            continue
        if len(asked["resp"]) == KEPT:
            continue
        theirs, ours = json.loads(asked["resp"]), answer.json()
        learn(theirs, ours, ids)
        if n == HALF_WRITTEN:
            theirs["run"]["data"]["tags"] = ours["run"]["data"]["tags"]
        assert masked("", ours) == masked("", theirs), about
    assert sent > 90


def renamed(name: str, value: Any, ids: dict[str, str]) -> Any:
    """With our ids in the place of the recorded ones."""
    match value:
        case dict():
            return {key: renamed(key, each, ids) for key, each in value.items()}
        case list():
            return [renamed(name, each, ids) for each in value]
        case str() if name in IDS:
            return ids.get(value, value)
    return value


def learn(theirs: Any, ours: Any, ids: dict[str, str]) -> None:
    match theirs, ours:
        case dict(), dict():
            for name in theirs.keys() & ours.keys():
                if name in IDS and isinstance(theirs[name], str):
                    ids[theirs[name]] = ours[name]
                learn(theirs[name], ours[name], ids)


def masked(name: str, value: Any) -> Any:
    """Without ids, times and empty things, and lists of named values by their names."""
    if name in IDS | TIMES | CHOSEN:
        return type(value).__name__
    match value:
        case {"key": key, "value": each}:
            rest = {other: masked(other, value[other]) for other in value.keys() - {"key", "value"}}
            return {**rest, "key": key, "value": masked(key, each)}
        case dict():
            return {key: found for key, each in value.items() if key not in BESIDE and (found := masked(key, each))}
        case list():
            return sorted((masked(name, each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value
