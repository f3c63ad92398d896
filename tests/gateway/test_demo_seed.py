"""`gatelog demo seed`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.terminal import FAILED, OK, USAGE
from tests.harness import Json

UNTIL = ("--until", "2026-03-02T15:00:00Z")


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.stdout, done.stderr


def seed(store: str, *words: str) -> Json:
    code, out, said = run("demo", "seed", "--store", store, "--json", "--no-evaluations", *UNTIL, *words)
    assert code == OK, said
    made: Json = json.loads(out)
    return made


def runs(store: str, *words: str) -> list[Json]:
    found: list[Json] = json.loads(run("runs", "list", "--store", store, "--json", "--limit", "1000", *words)[1])[
        "runs"
    ]
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('seeded') / 'gatelog.db'}"
    assert seed(url, "--calls", "400") == {"calls": 400, "keys": 6, "prompts": 2, "versions of prompts": 6}
    return url


def test_calls_are_of_many_kinds_and_all_that_answered_have_a_price(store: str) -> None:
    found = runs(store)
    assert len(found) == 400
    assert {run["endpoint"] for run in found} == {
        *("support", "summaries", "search", "coding", "translate", "embeddings"),
    }
    assert {"ok", "upstream_error", "client_cancelled"} <= {run["status"] for run in found}
    assert all(run["cost"]["nanos"] > 0 for run in found if run["status"] == "ok")
    assert len({run["model"] for run in found}) >= 5
    assert all("2026-02-02" <= run["times"]["started_at"][:10] <= "2026-03-02" for run in found)


def test_what_was_said_is_found_by_its_words_and_read_in_full(store: str) -> None:
    found = runs(store, "--filter", "text = 'parcel' AND params.endpoint = 'support' AND status = 'ok'")
    assert found
    code, out, _ = run("runs", "show", found[0]["id"], "--store", store, "--json")
    call = json.loads(out)
    assert code == OK
    assert call["request"]["messages"][0]["role"] == "system"
    assert "{" not in call["request"]["messages"][-1]["content"]
    assert call["response"]["choices"][0]["message"]["content"]


def test_prompts_have_made_calls_by_the_versions_of_their_time(store: str) -> None:
    by_prompt = runs(store, "--filter", "params.prompt_name = 'support-reply'", "--order-by", "start_time ASC")
    versions = [each["prompt"]["version"] for each in by_prompt]
    assert versions[0] == 1
    assert {1, 2, 3} <= set(versions)
    assert [each for each in versions if each < 4] == sorted(each for each in versions if each < 4)


def test_keys_are_there_and_one_is_revoked(store: str) -> None:
    keys = json.loads(run("key", "list", "--store", store, "--json")[1])["keys"]
    assert {key["name"]: key["state"] for key in keys}["hackathon"] == "revoked"
    assert {run["key_id"] for run in runs(store)} <= {key["id"] for key in keys}


def test_the_same_seed_makes_the_same_calls_and_another_makes_others(store: str, tmp_path: Path) -> None:
    same, other = (f"sqlite:///{tmp_path / name}.db" for name in ("same", "other"))
    seed(same, "--calls", "400")
    seed(other, "--calls", "400", "--seed", "2")
    assert runs(same) == runs(store)
    assert not {run["id"] for run in runs(other)} & {run["id"] for run in runs(store)}


def test_a_store_with_other_runs_is_filled_only_when_that_is_meant(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'gatelog.db'}"
    seed(store, "--calls", "5")
    code, _, said = run("demo", "seed", "--store", store, "--calls", "5", *UNTIL)
    assert (code, "--anyway" in said) == (FAILED, True)
    assert len(runs(store)) == 5
    made = seed(store, "--calls", "7", "--seed", "3", "--anyway")
    assert (made["calls"], made["prompts"], len(runs(store))) == (7, 0, 12)


def test_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    code, _, said = run("demo", "seed", "--store", f"sqlite:///{tmp_path / 'a.db'}", "--until", "soon")
    assert (code, "soon" in said) == (USAGE, True)


@pytest.mark.slow
def test_evaluations_are_run_to_their_end(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'gatelog.db'}"
    code, out, said = run("demo", "seed", "--store", store, "--calls", "5", "--json")
    assert code == OK, said
    assert json.loads(out)["evaluations"] == 2
    assert said.count("finished: ") == 2
