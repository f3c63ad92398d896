"""Takes the pictures of docs/images: every page, light and dark, of a gateway that `gatelog demo seed` has filled.

    scripts/shots [NAME ...]

A section that the page does not have is left out. Exits with 1 where a page logs an error or calls elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Late
from shots_logged import log
from shots_upstream import QUESTIONS, serving

from gateway.commands.demo_words import SUPPORT
from tests.harness import Gateway
from tests.web.browser import SCHEMES, Faults, Tabs, chromium, picture

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
COLUMNS = (("large, version 1", "openai/gpt-4.1", 1), ("small, version 2", "openai/gpt-4.1-mini", 2))
SECONDS = 60.0
CALLS = 6_000
CONFIG: dict[str, Any] = {
    "providers": {
        name: {"api_key": f"sk-{name}-shown-nowhere"} for name in ("openai", "anthropic", "gemini", "mistral")
    },
    "endpoints": [
        {
            "name": "support",
            "type": "chat",
            "targets": [
                {"provider": "openai", "model": "gpt-4.1-mini", "weight": 7},
                {"provider": "anthropic", "model": "claude-sonnet-4-5", "weight": 3},
            ],
            "fallbacks": [{"provider": "anthropic", "model": "claude-haiku-4-5"}],
        },
        {
            "name": "summaries",
            "type": "chat",
            "targets": [{"provider": "anthropic", "model": "claude-sonnet-4-5"}],
            "fallbacks": [{"provider": "openai", "model": "gpt-4.1"}],
        },
        {
            "name": "search",
            "type": "chat",
            "targets": [
                {"provider": "gemini", "model": "gemini-2.5-flash", "weight": 4},
                {"provider": "mistral", "model": "mistral-small-latest", "weight": 1},
            ],
            "fallbacks": [{"provider": "openai", "model": "gpt-4.1-mini"}],
        },
        {
            "name": "translate",
            "type": "chat",
            "targets": [{"provider": "mistral", "model": "mistral-small-latest"}],
            "fallbacks": [{"provider": "gemini", "model": "gemini-2.5-flash"}],
        },
        {"name": "draft", "type": "chat", "targets": [{"provider": "demo", "model": "words"}]},
    ],
}


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    """Of the picture, and first of all of the section."""
    path: Callable[[Gateway], str]
    seen: Callable[[Page], None] | None = None
    """What is waited for, and done, before the picture."""


def at(path: str) -> Callable[[Gateway], str]:
    return lambda gateway: path


def a_run(gateway: Gateway) -> str:
    filter = "params.endpoint = 'support' AND status = 'ok' AND text = 'sorting'"
    return f"/runs/{asked(gateway, '/api/runs', filter=filter, page_size=1)['runs'][0]['id']}"


def a_failed_over_run(gateway: Gateway) -> str:
    runs = asked(gateway, "/api/runs", filter="params.endpoint = 'support' AND status = 'ok'", page_size=1000)["runs"]
    return f"/runs/{next(run['id'] for run in runs if run['attempts'] == 2)}"


def runs_compared(gateway: Gateway) -> str:
    """Runs of one question, by both models that an endpoint chooses from."""
    runs = asked(gateway, "/api/runs", filter="params.endpoint = 'support' AND status = 'ok'", page_size=400)["runs"]
    by_model = {run["model"]: run["id"] for run in runs}
    return f"/runs/compare?{'&'.join(f'id={id}' for id in list(by_model.values())[:3])}"


training = functools.cache(log)


def logged(path: str) -> Callable[[Gateway], str]:
    """With the experiment and its runs in it, which are logged when they are first asked for."""

    def of(gateway: Gateway) -> str:
        experiment, runs = training(gateway)
        return path.format(experiment=experiment, one=runs[2], all="&".join(f"run={run}" for run in runs))

    return of


def an_evaluation(view: str = "") -> Callable[[Gateway], str]:
    def of(gateway: Gateway) -> str:
        found = asked(gateway, "/api/evaluations")["evaluations"]
        return f"/evaluations/{next(each['id'] for each in found if each['name'].startswith('support'))}{view}"

    return of


def a_lab(gateway: Gateway) -> str:
    """Questions of customers, put to two models by two versions of a prompt."""
    state = {
        "columns": [
            {
                "id": f"c{n}",
                "name": name,
                "endpoint": endpoint,
                "params": {"temperature": 0.2, "max_tokens": 300},
                "messages": [
                    {"role": "system", "content": SUPPORT[version - 1].system},
                    {"role": "user", "content": "{{question}}"},
                ],
            }
            for n, (name, endpoint, version) in enumerate(COLUMNS)
        ],
        "rows": [
            {"id": f"r{n}", "values": {"question": question, "company": "Northwind Outdoor"}}
            for n, question in enumerate(QUESTIONS)
        ],
    }
    sent = {"name": "Shorter support replies", "state": state}
    answer = httpx.post(f"{gateway.url}/api/lab", json=sent, headers=gateway.headers, trust_env=False)
    return f"/lab/{answer.raise_for_status().json()['id']}"


def ran(page: Page) -> None:
    answers = page.locator("article[data-status=ok]")
    if answers.count() == 0:
        page.get_by_role("button", name="Run all").click()
    expect(answers).to_have_count(len(COLUMNS) * len(QUESTIONS))
    page.wait_for_timeout(1500)


def rows(page: Page) -> None:
    expect(page.get_by_role("row").nth(8)).to_be_visible()


SHOTS = (
    Shot("runs", at("/runs"), rows),
    Shot("runs-search", at("/runs?filter=params.endpoint+%3D+%27support%27+AND+text+%3D+%27warranty%27"), rows),
    Shot("runs-run", a_run),
    Shot("runs-failover", a_failed_over_run),
    Shot("runs-compare", runs_compared),
    Shot("runs-experiments", logged("/runs/experiments")),
    Shot("runs-experiment", logged("/runs/experiments/{experiment}")),
    Shot("runs-together", logged("/runs/experiments/{experiment}/together?{all}")),
    Shot("runs-logged", logged("/runs/logged/{one}")),
    Shot("prompts", at("/prompts")),
    Shot("prompts-prompt", at("/prompts/support-reply")),
    Shot("gateway-overview", at("/gateway/overview?time=30d")),
    Shot("gateway-endpoints", at("/gateway/endpoints")),
    Shot("gateway-providers", at("/gateway/providers")),
    Shot("gateway-keys", at("/gateway/keys")),
    Shot("gateway-configuration", at("/gateway/configuration")),
    Shot("lab-table", a_lab, ran),
    Shot("lab", at("/lab")),
    Shot("evaluations", at("/evaluations")),
    Shot("evaluations-evaluation", an_evaluation()),
    Shot("evaluations-cells", an_evaluation("/cells")),
    Shot("evaluations-review", an_evaluation("/review")),
    Shot("evaluations-new", at("/evaluations/new")),
)
LATER = frozenset({"evaluations"})
"""Sections that are looked at once the evaluations are there: their many calls of one moment are not of the rest."""


def asked(gateway: Gateway, path: str, **query: str | int) -> dict[str, Any]:
    answer = httpx.get(f"{gateway.url}{path}", params=query, headers=gateway.headers, timeout=60, trust_env=False)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def seed(gateway: Gateway, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "seed", "--store", gateway.config["store"], *words],
        cwd=gateway.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )


def settled(page: Page) -> None:
    """Everything has been asked for and drawn."""
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    with contextlib.suppress(Late):  # a stream of events stays open
        page.wait_for_load_state("networkidle", timeout=5_000)
    expect(
        page.locator("main [role=status][aria-label]:empty, main .mantine-Loader-root, main .mantine-Skeleton-root")
    ).to_have_count(0)
    page.wait_for_timeout(500)


def take(tabs: Tabs, gateway: Gateway, shots: list[Shot]) -> Iterator[Path]:
    paths = {shot: shot.path(gateway) for shot in shots}
    for scheme in SCHEMES:
        page = tabs.open(gateway.key, scheme=scheme)
        for shot in shots:
            page.goto(paths[shot], wait_until="load")
            settled(page)
            if shot.seen is not None:
                shot.seen(page)
            yield picture(page, IMAGES / f"{shot.name}-{scheme}.png")
        page.context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="Only these pictures.")
    names = parser.parse_args().names
    there = {folder.name for folder in (ROOT / "promptlab" / "web" / "src" / "sections").iterdir()}
    shots = [shot for shot in SHOTS if shot.name.split("-")[0] in there and (not names or shot.name in names)]
    program = os.environ.get("GATELOG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("there is no Chromium; on Debian and Ubuntu: apt-get install chromium")
    expect.set_options(timeout=SECONDS * 1000)
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder, serving() as upstream:
        CONFIG["providers"]["openai"]["base_url"] = upstream
        gateway = Gateway(Path(folder) / "gateway", CONFIG)
        seed(gateway, "--no-evaluations", "--calls", str(CALLS))
        asyncio.run(gateway.start())
        try:
            with chromium(program) as opened:
                tabs = Tabs(opened, gateway.url, faults)
                first = [shot for shot in shots if shot.name.split("-")[0] not in LATER]
                later = [shot for shot in shots if shot not in first]
                for path in take(tabs, gateway, first):
                    print(path.relative_to(ROOT))
                if later:
                    seed(gateway, "--calls", "0", "--anyway")
                for path in take(tabs, gateway, later):
                    print(path.relative_to(ROOT))
        finally:
            gateway.kill()
    for fault in faults.found:
        print(fault, file=sys.stderr)
    return 1 if faults.found else 0


if __name__ == "__main__":
    sys.exit(main())
