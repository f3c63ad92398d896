"""Experiments: what people log with MLflow's API, in tables and charts, with the files that it left."""

from __future__ import annotations

import base64
import math
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.hostile import CORPUS

START = 1_767_225_600_000
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9QzzCKRxWOKhxZCgGz9hPtH7rl0gAAAABJRU5ErkJggg=="
)
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40" onload="window.hurt=1">
<script>window.hurt=1</script><image href="http://example.com/x.png"/><rect width="80" height="40"/></svg>"""
FILES: dict[str, bytes] = {
    "plots/loss.png": PNG,
    "plots/drawn.svg": SVG.encode(),
    "plots/wrong.png": b"<script>window.hurt=1</script>",
    "tables/cells.csv": b'question,answer,ok\n"What, then?",42,true\n=HYPERLINK("http://example.com"),<b>x</b>,false\n',
    "tables/eval.json": b'{"columns": ["input", "score"], "data": [["first", 0.5], ["second", null]]}',
    "notes.txt": "\n".join(CORPUS.values()).replace("\0", "").encode("utf-8", "replace"),
    "report.html": b"<h1>Report</h1><script>window.hurt=1</script>",
    "model.pkl": b"\x80\x04\x00",
    "long.log": b"line of a log\n" * 40_000,
}


class Logger:
    def __init__(self, gateway: Gateway) -> None:
        self._url, self._headers = gateway.url, gateway.headers

    def __call__(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self._url}/api/2.0/mlflow/{path}", json=body, headers=self._headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, experiment: str, name: str, n: int, rate: float, parent: str | None = None) -> str:
        tags = {"mlflow.parentRunId": parent, "team": "blue", "mlflow.note.content": "A *note* on it."}
        sent = [{"key": key, "value": value} for key, value in tags.items() if value is not None]
        made = self("runs/create", experiment_id=experiment, run_name=name, start_time=START + n * 60_000, tags=sent)
        id: str = made["run"]["info"]["run_id"]
        params = {"lr": str(rate), "optimizer": "adam", "model": f"net-{n % 2}"}
        metrics = [
            {"key": "loss", "value": math.exp(-step * rate) + 0.01 * n, "timestamp": START + step * 1000, "step": step}
            for step in range(60)
        ]
        metrics += [
            {"key": "accuracy", "value": 0.8 + n / 50, "timestamp": START, "step": 0},
            {"key": "odd", "value": "NaN", "timestamp": START, "step": 0},
        ]
        params_sent = [{"key": key, "value": value} for key, value in params.items()]
        self("runs/log-batch", run_id=id, metrics=metrics, params=params_sent)
        self("runs/update", run_id=id, status="FINISHED", end_time=START + n * 60_000 + 42_000)
        return id

    def file(self, uri: str, path: str, body: bytes) -> None:
        place = uri.removeprefix("mlflow-artifacts:/")
        url = f"{self._url}/api/2.0/mlflow-artifacts/artifacts/{place}/{path}"
        assert httpx.put(url, content=body, headers=self._headers, trust_env=False).status_code == 200


@pytest.fixture(scope="module")
def logged(gateway: Gateway) -> dict[str, Any]:
    """An experiment with a search of three trials and two runs by themselves, one of which left files."""
    log = Logger(gateway)
    experiment = log("experiments/create", name="Fine-tuning <b>bold</b>")["experiment_id"]
    parent = log.run(experiment, "search", 0, 0.02)
    trials = [log.run(experiment, f"trial {n}", n, 0.03 * n, parent) for n in (1, 2, 3)]
    alone = log.run(experiment, "alone", 5, 0.2)
    uri = log("runs/update", run_id=alone, status="FINISHED")["run_info"]["artifact_uri"]
    for path, body in FILES.items():
        log.file(uri, path, body)
    return {"experiment": experiment, "parent": parent, "trials": trials, "alone": alone}


def test_an_experiment_is_found_and_its_runs_are_ordered_and_held_together(page: Page, logged: dict[str, Any]) -> None:
    page.goto("/runs")
    page.get_by_role("navigation", name="Runs").get_by_role("link", name="Experiments").click()
    page.get_by_role("textbox", name="Search experiments").fill("tuning")
    listed = page.get_by_role("table", name="Experiments")
    expect(listed.get_by_role("row")).to_have_count(2)
    expect(listed.get_by_role("row").nth(1)).to_contain_text("Fine-tuning <b>bold</b>")
    listed.get_by_role("row").nth(1).click()
    runs = page.get_by_role("table", name="Runs of the experiment")
    expect(runs.get_by_role("row")).to_have_count(6)
    # Children stand under their parent, whenever they began.
    expect(runs.get_by_role("row").locator("[role=cell]:nth-child(2)")).to_have_text(
        ["alone", "search", "└ trial 3", "└ trial 2", "└ trial 1"]
    )
    runs.get_by_role("columnheader", name="accuracy").get_by_role("button").click()
    expect(runs.get_by_role("row").nth(1)).to_contain_text("alone")
    assert "sort=m%3Aaccuracy.down" in page.url
    page.get_by_role("textbox", name="Search runs").fill("params.lr = '0.06' AND metrics.loss < 1")
    expect(runs.get_by_role("row")).to_have_count(2)
    page.get_by_role("textbox", name="Search runs").fill("params.model = 'net-1'")
    expect(runs.get_by_role("row")).to_have_count(4)
    runs.get_by_role("checkbox", name="Select all rows that are loaded").check()
    page.get_by_role("button", name="Hold 3 runs together").click()
    side = page.get_by_role("table", name="Runs side by side")
    expect(side.get_by_role("row", name="lr", exact=False).first).to_contain_text("0.2")
    page.get_by_role("checkbox", name="Only what differs").check()
    expect(side.get_by_role("row", name="optimizer")).to_have_count(0)
    charts = page.get_by_role("region", name="Charts of metrics")
    drawn = charts.get_by_role("region", name="loss").get_by_role("img")
    expect(drawn).to_be_visible()
    expect(charts.get_by_role("region", name="accuracy")).to_contain_text("0.9")
    charts.get_by_text("Since its start").click()
    charts.get_by_role("checkbox", name="Logarithms").check()
    assert "axis=elapsed" in page.url
    assert "log=1" in page.url
    page.reload()
    expect(charts.get_by_role("checkbox", name="Logarithms")).to_be_checked()
    expect(drawn).to_be_visible()


def test_a_search_that_cannot_be_read_is_said_to_be_none(page: Page, faults: Any, logged: dict[str, Any]) -> None:
    faults.expect(400)
    page.goto(f"/runs/experiments/{logged['experiment']}")
    runs = page.get_by_role("table", name="Runs of the experiment")
    expect(runs.get_by_role("row")).to_have_count(6)
    page.get_by_role("textbox", name="Search runs").fill("metrics.loss <")
    expect(page.get_by_role("alert").first).to_contain_text("column 15")


def test_a_run_is_read_with_its_kin_and_its_files(page: Page, logged: dict[str, Any]) -> None:
    page.goto(f"/runs/logged/{logged['parent']}")
    kin = page.get_by_role("region", name="Runs it belongs with")
    expect(kin.get_by_role("link")).to_have_text(["trial 1", "trial 2", "trial 3"])
    kin.get_by_role("link", name="trial 2").click()
    expect(page.get_by_role("heading", name="trial 2", level=1)).to_be_visible()
    expect(kin).to_contain_text("Part of")
    page.goto(f"/runs/logged/{logged['alone']}")
    expect(page.get_by_role("table", name="Parameters")).to_contain_text("adam")
    expect(page.get_by_role("table", name="Metrics", exact=True)).to_contain_text("NaN")
    files = page.get_by_role("region", name="Artifacts")
    for name, seen in {
        "loss.png": "image",
        "drawn.svg": "image",
        "wrong.png": "This is no image",
        "cells.csv": "2 rows, 3 columns",
        "eval.json": "2 rows, 2 columns",
        "report.html": "<script>",
        "model.pkl": "Not a file that is shown here",
        "long.log": "The first 262 kB of it.",
    }.items():
        files.get_by_role("button", name=name).click()
        sight = files.get_by_role("region", name=name)
        if seen == "image":
            shown = sight.get_by_role("img")
            expect(shown).to_be_visible()
            assert shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
        else:
            expect(sight).to_contain_text(seen)
    assert "file=long.log" in page.url
    files.get_by_role("button", name="notes.txt").click()
    expect(files.get_by_role("region", name="Text of the file")).to_be_visible()
    assert page.evaluate("window.hurt") is None
    assert page.locator("main script, main iframe, main img[src^='http']").count() == 0
    with page.expect_download() as download:
        files.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == FILES["notes.txt"]
