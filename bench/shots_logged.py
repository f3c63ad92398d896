"""Runs that somebody logs with MLflow, for the pictures: a classifier is trained at four rates."""

from __future__ import annotations

import csv
import io
import math
import random
import time
from typing import Any

import httpx

from tests.harness import Gateway

NAME = "intent-classifier"
TRIALS = ((0.0003, 32), (0.001, 32), (0.003, 64), (0.01, 64))
STEPS = 60
INTENTS = ("where is it", "return it", "pay", "warranty", "opening hours", "other")
NOTE = "The **warranty** intent is still mistaken for *return it*: more examples of it are on their way."


def log(gateway: Gateway) -> tuple[str, list[str]]:
    """The experiment's id, and those of its runs."""
    chance = random.Random(3)  # noqa: S311 - for looks alone
    with httpx.Client(base_url=gateway.url, headers=gateway.headers, timeout=60, trust_env=False) as client:

        def post(path: str, **body: Any) -> Any:
            return client.post(f"/api/2.0/mlflow/{path}", json=body).raise_for_status().json()

        experiment = str(post("experiments/create", name=NAME)["experiment_id"])
        ids = []
        for n, (rate, batch) in enumerate(TRIALS):
            start = int(time.time() * 1000) - (len(TRIALS) - n) * 1_900_000
            tags = [{"key": "team", "value": "search"}, {"key": "mlflow.note.content", "value": NOTE}]
            sent = {"experiment_id": experiment, "run_name": f"rate {rate:g}", "start_time": start, "tags": tags}
            run = post("runs/create", **sent)["run"]["info"]
            params = {
                "rate": f"{rate:g}",
                "batch": str(batch),
                "optimizer": "adamw",
                "base": "minilm-l6",
                "epochs": "3",
            }
            metrics = [each for step in range(STEPS) for each in _step(start, step, rate, chance)]
            pairs = [{"key": key, "value": value} for key, value in params.items()]
            post("runs/log-batch", run_id=run["run_id"], metrics=metrics, params=pairs)
            post("runs/update", run_id=run["run_id"], status="FINISHED", end_time=start + 1_260_000 + n * 90_000)
            place = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
            for name, text in (("mistakes.csv", _mistakes(chance)), ("intents.txt", "\n".join(INTENTS))):
                url = f"/api/2.0/mlflow-artifacts/artifacts/{place}/{name}"
                client.put(url, content=text.encode()).raise_for_status()
            ids.append(str(run["run_id"]))
        return experiment, ids


def _step(start: int, step: int, rate: float, chance: random.Random) -> list[dict[str, Any]]:
    learnt = 1 - math.exp(-step * math.sqrt(rate) * 0.9)
    shaken = chance.gauss(0, 0.02 + 0.6 * rate)
    values = {
        "loss": 1.75 - 1.5 * learnt * (1 - 12 * rate * 0.4) + shaken,
        "accuracy": min(0.99, 0.2 + 0.72 * learnt * (1 - 6 * rate * 0.4) - shaken / 3),
    }
    return [
        {"key": key, "value": round(value, 5), "timestamp": start + step * 20_000, "step": step * 50}
        for key, value in values.items()
    ]


def _mistakes(chance: random.Random) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["said", "meant", "times"])
    for said in INTENTS:
        for meant in INTENTS:
            if said != meant and (times := chance.randrange(-6, 14)) > 0:
                table.writerow([said, meant, times])
    return out.getvalue()
