"""Labs are kept as they were saved, by whoever was first, and asked as they are at that moment."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.harness import Gateway
from tests.promptlab.people import WORDS, Json, Person, column, lab_of, over, person, row, serving, state
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.anyio
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def vendor_here() -> Iterator[Vendor]:
    with Vendor() as vendor:
        yield vendor


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, vendor_here: Vendor) -> Iterator[Gateway]:
    urls = {
        "good": vendor_here.url("ok", tokens=WORDS),
        "slow": vendor_here.url("ok", tokens=400, gap=0.02),
        "broken": vendor_here.url("503"),
        "tool": vendor_here.url("ok", tool="get_weather"),
    }
    with serving(tmp_path_factory.mktemp("lab"), urls) as gateway:
        yield gateway


async def test_of_two_who_save_the_second_is_told_and_nothing_is_lost(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    lab = await ann.good("POST", "/api/lab", {"name": "First"})
    assert (lab["version"], lab["name"], lab["state"]["repeats"], lab["mine"]) == (1, "First", 1, True)
    path = f"/api/lab/{lab['id']}"
    one, other = state([column("a")], [row("1")]), state([column("b")], [row("1")])
    async with ann.hears(f"{path}/events") as heard:
        saved = await ann.good("PUT", path, {"base": 1, "state": one, "label": "good"})
        told = await anext(heard)
    assert saved["version"] == 2
    assert (told["event"], told["data"]["version"], told["data"]["by"]) == ("saved", 2, "ann")
    late = await ann("PUT", path, {"base": 1, "state": other})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "lab_conflict")
    assert late.json()["current"]["version"] == 2
    assert late.json()["current"]["state"]["columns"][0]["id"] == "a"
    assert (await ann.good("PUT", path, {"base": 2, "state": one}))["version"] == 2
    assert (await ann.good("PUT", path, {"base": 2, "state": other, "name": "Second"}))["version"] == 3
    back = await ann.good("POST", f"{path}/restore", {"base": 3, "version": 2})
    assert (back["version"], back["name"], back["state"]["columns"][0]["id"]) == (4, "Second", "a")
    found = (await ann.good("GET", f"{path}/versions"))["versions"]
    assert [(each["version"], each["label"]) for each in found] == [(4, None), (3, None), (2, "good"), (1, None)]
    assert (await ann.good("GET", f"{path}/versions/3"))["state"]["columns"][0]["id"] == "b"
    assert (await ann("GET", f"{path}/versions/9")).status_code == 404


async def test_a_lab_is_its_makers(gateway: Gateway) -> None:
    ann, bob, eve = await person(gateway, "ann"), await person(gateway, "bob"), await person(gateway, "eve", "viewer")
    id = (await ann.good("POST", "/api/lab", {"name": "Ann's own"}))["id"]
    for method, path, body in (
        ("GET", f"/api/lab/{id}", None),
        ("PUT", f"/api/lab/{id}", {"base": 1, "state": {}}),
        ("DELETE", f"/api/lab/{id}", None),
        ("POST", f"/api/lab/{id}/run", {"cells": "all"}),
        ("GET", f"/api/lab/{id}/cells", None),
        ("GET", f"/api/lab/{id}/events", None),
    ):
        assert (await bob(method, path, body)).status_code == 404
    assert (await bob.good("GET", "/api/lab", query="ann's"))["labs"] == []
    assert [lab["id"] for lab in (await eve.good("GET", "/api/lab", query="ANN'S"))["labs"]] == [id]
    assert (await eve.good("GET", f"/api/lab/{id}"))["mine"] is False
    assert (await eve("POST", f"/api/lab/{id}/run", {"cells": "all"})).status_code == 403
    assert (await ann("DELETE", f"/api/lab/{id}")).status_code == 204
    assert (await ann("GET", f"/api/lab/{id}")).status_code == 404


async def test_labs_are_listed_in_pages(gateway: Gateway) -> None:
    pat = await person(gateway, "pat")
    made = [(await pat.good("POST", "/api/lab", {"name": f"n{n}"}))["id"] for n in range(5)]
    found: list[str] = []
    query: Json = {"page_size": 2}
    while True:
        page = await pat.good("GET", "/api/lab", **query)
        found += [lab["id"] for lab in page["labs"]]
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
    assert found == made[::-1]
    assert (await pat("GET", "/api/lab", page_token="x")).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"columns": [{"id": "a b", "name": "A"}]}, "columns[0].id"),
        ({"columns": [{"id": "a", "name": "A", "params": {"model": "x"}}]}, "params holds 'model'"),
        ({"columns": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}]}, "two columns have the same id"),
        ({"rows": [{"id": "1", "values": {"x": []}}]}, "rows[0].values.x"),
        ({"repeats": 0}, "repeats"),
        ({"colums": []}, "colums"),
    ],
)
async def test_a_state_that_is_none_is_refused(gateway: Gateway, wrong: Json, words: str) -> None:
    answer = await Person(gateway)("POST", "/api/lab", {"state": wrong})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


async def test_cells_stream_and_each_is_a_run(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    id = await lab_of(ann, state([column("a"), column("b", stream=False)], [row("1"), row("2", "Bee")], repeats=2))
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        assert await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"}) == {"queued": 8, "version": 1}
        told = await over(heard, 8)
    assert (told[0]["event"], len(told[0]["data"]["cells"])) == ("queued", 8)
    streamed = [event for event in told if event["data"].get("column") == "a" and event["data"]["row"] == "2"]
    first = [event for event in streamed if event["data"]["repeat"] == 1]
    assert [event["event"] for event in first if event["event"] != "delta"] == ["started", "head", "cell"]
    assert 0 < first[1]["data"]["ttft_ms"] < 10_000
    said = "".join(event["data"]["text"] for event in first if event["event"] == "delta")
    cell = first[-1]["data"]
    assert said == cell["text"] == text(WORDS)
    assert (cell["status"], cell["finish_reason"], cell["error"]) == ("ok", "stop", None)
    assert cell["total_ms"] >= cell["ttft_ms"] > 0
    cost = cell["usage"]["input_tokens"] * 1000 + cell["usage"]["output_tokens"] * 2000
    assert cell["cost"]["nanos"] == cost
    run = await gateway.run(cell["run_id"])
    assert (run["cost"]["nanos"], run["endpoint"], run["tags"]["lab"]) == (cost, "good", id)
    where = (run["tags"]["lab.row"], run["tags"]["lab.column"], run["tags"]["lab.repeat"])
    assert where == ("2", "a", "1")
    assert run["request"]["messages"][0]["content"] == "You help Bee."
    found = await ann.good("GET", f"/api/lab/{id}/cells")
    assert len(found["cells"]) == 8
    assert {(each["status"], each["text"], each["stale"]) for each in found["cells"]} == {("ok", text(WORDS), False)}
    await ann.good("PUT", f"/api/runs/{cell['run_id']}/feedback", {"name": "thumb", "value": True})
    feedback = {each["run_id"]: each["feedback"] for each in (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]}
    assert [(each["name"], each["value"], each["mine"]) for each in feedback.pop(cell["run_id"])] == [
        ("thumb", True, True)
    ]
    assert set(map(len, feedback.values())) == {0}
    # What was heard already is not told again, and what was not is.
    async with ann.hears(f"/api/lab/{id}/events", told[-3]["id"]) as heard:
        assert [await anext(heard), await anext(heard)] == told[-2:]
    async with ann.hears(f"/api/lab/{id}/events", "other-1") as heard:
        assert (await anext(heard))["event"] == "reset"


async def test_only_what_has_no_answer_to_its_question_is_missing(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    made = state([column("a"), column("b")], [row("1"), row("2")])
    id = await lab_of(ann, made)
    cells = [{"row": "1", "column": "a", "repeat": 0}, {"row": "2", "column": "a", "repeat": 0}]
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": cells})
        await over(heard, 2)
        made["columns"][0]["name"] = "Another name"
        made["rows"][1]["values"] = {"company": "Other"}
        await ann.good("PUT", f"/api/lab/{id}", {"base": 1, "state": made})
        stale = {cell["row"]: cell["stale"] for cell in (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]}
        assert stale == {"1": False, "2": True}
        assert (await ann.good("POST", f"/api/lab/{id}/run", {"cells": "missing"}))["queued"] == 3
        await over(heard, 3)
    assert (await ann.good("POST", f"/api/lab/{id}/run", {"cells": "missing"}))["queued"] == 0
    answer = await ann("POST", f"/api/lab/{id}/run", {"cells": "all", "version": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "lab_conflict")
    unknown = await ann("POST", f"/api/lab/{id}/run", {"cells": [{"row": "9", "column": "a"}]})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "no_such_cell")


async def test_what_is_stopped_keeps_what_was_said_and_the_rest_is_not_asked(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    id = await lab_of(ann, state([column("a", "slow")], [row(str(n)) for n in range(6)], concurrency=2))
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        async for event in heard:
            if event["event"] == "delta":
                break
        now = (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]
        assert sorted(cell["status"] for cell in now) == ["queued"] * 4 + ["running"] * 2
        assert any(cell["text"] for cell in now)
        assert (await ann.good("POST", f"/api/lab/{id}/stop", {"cells": "all"})) == {"stopped": 6}
        told = await over(heard, 6)
    ended = [event["data"] for event in told if event["event"] == "cell"]
    assert {cell["status"] for cell in ended} == {"stopped"}
    begun = [cell for cell in ended if cell["run_id"]]
    assert len(begun) == 2
    assert all(cell["text"].startswith("word0 ") for cell in begun)
    for cell in begun:
        run = await gateway.run(cell["run_id"])
        assert (run["status"], run["usage"]["basis"]) == ("client_cancelled", "counted")
    after = {cell["run_id"]: cell for cell in (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]}
    assert all(after[cell["run_id"]]["cost"]["nanos"] > 0 for cell in begun)


async def test_a_cell_goes_on_while_nobody_looks(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    id = await lab_of(ann, state([column("a", "slow")], [row("1")]))
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        async for event in heard:
            if event["event"] == "delta":
                break
    assert (await ann.good("GET", f"/api/lab/{id}"))["running"] == 1
    async with ann.hears(f"/api/lab/{id}/events", event["id"]) as heard:
        told = await over(heard, 1)
    said = event["data"]["text"] + "".join(each["data"]["text"] for each in told if each["event"] == "delta")
    assert told[-1]["data"]["text"].endswith(said)
    assert (told[-1]["data"]["status"], told[-1]["data"]["text"]) == ("ok", text(400))


async def test_a_cell_that_cannot_be_asked_says_why(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    columns = [column("a"), column("b", "nothing"), column("c", None), column("d", "broken")]
    id = await lab_of(ann, state(columns, [row("1"), {"id": "2", "messages": [{"role": "user", "content": "Hi"}]}]))
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        cells = [event["data"] for event in await over(heard, 8) if event["event"] == "cell"]
    errors = {(cell["row"], cell["column"]): cell["error"]["code"] for cell in cells if cell["status"] == "error"}
    assert errors == {
        ("2", "a"): "variable_missing",
        ("1", "b"): "model_not_found",
        ("2", "b"): "variable_missing",
        ("1", "c"): "no_endpoint",
        ("2", "c"): "variable_missing",
        ("1", "d"): "upstream_503",
        ("2", "d"): "variable_missing",
    }
    missing = next(cell for cell in cells if (cell["row"], cell["column"]) == ("2", "a"))
    assert "'company'" in missing["error"]["message"]
    assert missing["run_id"] is None


async def test_a_prompt_of_the_registry_is_asked_by_its_version(gateway: Gateway) -> None:
    admin = Person(gateway)
    prompt = {"name": "greeting", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}
    await admin.good("POST", "/api/2.0/mlflow/registered-models/create", prompt)
    tags = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Greet {{ who }}.", "_mlflow_prompt_type": "text"}
    version = {"name": "greeting", "source": "x", "tags": [{"key": k, "value": v} for k, v in tags.items()]}
    await admin.good("POST", "/api/2.0/mlflow/model-versions/create", version)
    lab = await admin.good("POST", "/api/lab", {"from_prompt": {"name": "greeting", "version": 1}})
    assert lab["state"]["rows"][0]["values"] == {"who": ""}
    made = lab["state"]
    made["columns"][0]["endpoint"] = "good"
    made["rows"][0]["values"] = {"who": "Ann", "unused": 1}
    await admin.good("PUT", f"/api/lab/{lab['id']}", {"base": 1, "state": made})
    async with admin.hears(f"/api/lab/{lab['id']}/events") as heard:
        await admin.good("POST", f"/api/lab/{lab['id']}/run", {"cells": "all"})
        cell = (await over(heard, 1))[-1]["data"]
    run = await gateway.run(cell["run_id"])
    assert run["prompt"] == {"name": "greeting", "version": 1}
    assert run["request"]["messages"] == [{"role": "user", "content": "Greet Ann."}]


async def test_a_conversation_goes_on_with_what_a_tool_said(gateway: Gateway, vendor_here: Vendor) -> None:
    ann = await person(gateway, "ann")
    made = state([column("a", "tool", tools=[TOOL])], [row("1")])
    id = await lab_of(ann, made)
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        cell = (await over(heard, 1))[-1]["data"]
        call = cell["message"]["tool_calls"][0]
        assert call["function"]["name"] == "get_weather"
        told = {"role": "tool", "tool_call_id": call["id"], "content": '{"celsius": "{{company}}"}'}
        made["threads"] = {"1/a/0": [cell["message"], told]}
        await ann.good("PUT", f"/api/lab/{id}", {"base": 1, "state": made})
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "missing"})
        again = (await over(heard, 1))[-1]["data"]
    run = await gateway.run(again["run_id"])
    assert [message["role"] for message in run["request"]["messages"]] == ["system", "user", "assistant", "tool"]
    assert run["request"]["messages"][-1]["content"] == '{"celsius": "{{company}}"}'
    assert run["session"] == f"{id}/1/a/0"


async def test_an_image_is_sent_as_it_was_uploaded(gateway: Gateway, vendor_here: Vendor) -> None:
    ann, bob = await person(gateway, "ann"), await person(gateway, "bob")
    id = await lab_of(ann, state([column("a", messages=[])], []))
    async with gateway.client() as client:
        path = f"/api/lab/{id}/files"
        sent = await client.post(path, content=PNG, headers={**ann.headers, "content-type": "image/png"})
        refused = await client.post(path, content=b"x", headers={**ann.headers, "content-type": "text/html-no"})
        other = await client.post(path, content=PNG, headers={**bob.headers, "content-type": "image/png"})
        script = await client.post(
            path, content=b"x", headers={**ann.headers, "content-type": "application/javascript"}
        )
    assert (sent.status_code, refused.status_code, other.status_code, script.status_code) == (201, 201, 404, 415)
    url = sent.json()["url"]
    again = await ann("GET", f"/api/lab/{id}/files/{url.removeprefix('lab-file:')}")
    assert (again.content, again.headers["content-type"]) == (PNG, "image/png")
    assert "sandbox" in again.headers["content-security-policy"]
    part = {"type": "image_url", "image_url": {"url": url}}
    lost = {"type": "image_url", "image_url": {"url": "lab-file:" + "0" * 64}}
    sound = {"type": "input_audio", "input_audio": {"data": url, "format": "wav"}}
    shown = ([part, sound], [lost])
    rows = [{"id": str(n), "messages": [{"role": "user", "content": each}]} for n, each in enumerate(shown)]
    await ann.good("PUT", f"/api/lab/{id}", {"base": 1, "state": state([column("a", messages=[])], rows)})
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        cells = {event["data"]["row"]: event["data"] for event in await over(heard, 2) if event["event"] == "cell"}
    assert cells["1"]["error"]["code"] == "no_such_file"
    run = await gateway.run(cells["0"]["run_id"])
    image, heard_as = run["request"]["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBORw0K")
    assert heard_as["input_audio"] == {"data": image["image_url"]["url"].partition(",")[2], "format": "wav"}


async def test_labs_and_answers_survive_a_restart_and_what_was_under_way_is_interrupted(
    tmp_path_factory: pytest.TempPathFactory, vendor_here: Vendor
) -> None:
    urls = {"good": vendor_here.url("ok", tokens=2), "hanging": vendor_here.url("ok", tokens=2, latency=60)}
    folder = tmp_path_factory.mktemp("restart")
    config = {
        "providers": {n: {"dialect": "openai", "base_url": url, "api_key": "sk-12345678"} for n, url in urls.items()},
        "endpoints": [{"name": n, "targets": [{"provider": n, "model": "m"}]} for n in urls],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 1},
    }
    gateway = Gateway(folder / "gateway", config)
    config["server"]["port"] = gateway.port  # type: ignore[index]  # of mixed values
    gateway.write_config({**gateway.config, **config})
    await gateway.start()
    try:
        admin = Person(gateway)
        id = await lab_of(admin, state([column("a"), column("b", "hanging")], [row("1")]))
        async with admin.hears(f"/api/lab/{id}/events") as heard:
            await admin.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
            await over(heard, 1)
        assert await gateway.stop() == 0
        await gateway.start()
        cells = {cell["column"]: cell for cell in (await admin.good("GET", f"/api/lab/{id}/cells"))["cells"]}
        assert (cells["a"]["status"], cells["a"]["text"], cells["b"]["status"]) == ("ok", text(2), "interrupted")
        assert json.dumps((await admin.good("GET", f"/api/lab/{id}"))["state"])
    finally:
        gateway.kill()
