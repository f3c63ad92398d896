"""Datasets over REST: versions by content, files read apart, sampled calls with their weights, pages and exports."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.evaluate.following import get, post
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


async def sent(gateway: Gateway, body: bytes, **query: str) -> httpx.Response:
    async with gateway.client() as client:
        headers = {"content-type": "application/octet-stream"}
        return await client.post("/api/datasets", content=body, params=query, headers=headers)


def asked(*questions: str, **more: Any) -> Json:
    return {"name": "capitals", "rows": [{"question": each} for each in questions], **more}


async def test_a_version_is_its_content_and_the_same_content_is_the_same_version(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    first = (await post(gateway, "/api/datasets", asked("a", "b"), 201))["dataset"]
    assert (first["version"], first["rows"]) == (1, 2)
    path = f"/api/datasets/{first['id']}"
    same = await post(gateway, f"{path}/rows", {"rows": [{"question": "a"}]})
    assert (same["dataset"]["version"], same["dataset"]["digest"]) == (1, first["digest"])
    more = await post(gateway, f"{path}/rows", {"rows": [{"question": "c", "expected": "x"}]})
    assert (more["dataset"]["version"], more["dataset"]["rows"]) == (2, 3)
    assert [each["version"] for each in more["dataset"]["versions"]] == [2, 1]
    old = await get(gateway, f"{path}/rows", version=1)
    assert [row["inputs"]["question"] for row in old["rows"]] == ["a", "b"]
    # By its name too.
    assert (await get(gateway, "/api/datasets/capitals"))["id"] == first["id"]
    # What MLflow's clients take away is another version, and the old one is as it was.
    records = await get(gateway, f"/api/3.0/mlflow/datasets/{first['id']}/records")
    one = json.loads(records["records"])[0]["dataset_record_id"]
    async with gateway.client() as client:
        gone = await client.request(
            "DELETE", f"/api/3.0/mlflow/datasets/{first['id']}/records", json={"dataset_record_ids": [one]}
        )
        assert gone.json() == {"deleted_count": 1}, gone.text
    now = await get(gateway, f"{path}/rows")
    assert (now["version"], len(now["rows"])) == (3, 2)
    assert len((await get(gateway, f"{path}/rows", version=2))["rows"]) == 3


async def test_a_file_is_read_mapped_split_and_scrubbed_and_what_it_refuses_is_told(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    lines = ["Frage,Antwort,user,weight", "mail ann@example.com?,yes,u1,2", "b,no,u1,", "b,no,u1,", "c,,u2,-1"]
    answer = await sent(
        gateway,
        "\n".join(lines).encode(),
        name="file",
        format="csv",
        mapping=json.dumps({"inputs": {"question": "Frage"}, "expectations": {"expected_response": "Antwort"},
                            "cluster": "user", "weight": "weight"}),
        splits='{"dev": 0.5, "test": 0.5}',
        scrub="true",
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    made = answer.json()
    report = made["report"]
    assert (report["read"], report["taken"], report["duplicates"]) == (4, 2, 1)
    assert report["refused"] == [{"where": "line 5", "problem": "weight is '-1'; say a positive number"}]
    assert report["scrubbed"] == {"EMAIL": 1}
    rows = (await get(gateway, "/api/datasets/file/rows"))["rows"]
    assert rows[0]["inputs"] == {"question": "mail <EMAIL_1>?"}
    assert (rows[0]["cluster"], rows[0]["weight"]) == ("u1", 2.0)
    assert len({row["split"] for row in rows}) == 1
    split = rows[0]["split"]
    assert len((await get(gateway, "/api/datasets/file/rows", split=split))["rows"]) == 2


UNREADABLE: list[tuple[bytes, dict[str, str], str]] = [
    (b"a\n1\n", {"name": "x", "format": "xlsx"}, "format is 'xlsx'; say csv"),
    (b"a\n1\n", {"format": "csv"}, "say the dataset's name"),
    (b"a,b\n1\n", {"name": "x", "format": "csv"}, "line 2 has 1 values for 2 columns"),
    (b"", {"name": "x", "format": "jsonl"}, "there are no rows to take"),
    (b"\x00\x01", {"name": "x", "format": "parquet"}, "not a Parquet file"),
    (b"a\n1\n", {"name": "x", "format": "csv", "mapping": "{"}, "are JSON"),
    (b"a\n1\n", {"name": "x", "format": "csv", "mapping": '{"inputs": {"q": "b"}}'}, "there is no column 'b'"),
    (b"a\n1\n", {"name": "x", "format": "csv", "splits": '{"dev": -1}'}, "say a positive number"),
    (b"a\n1\n", {"name": "x", "format": "csv", "unheard": "1"}, "unheard"),
    (b"a: &a [*a]\ntests: *a\n", {"name": "x", "format": "promptfoo"}, "once its aliases are written out"),
]


async def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    for body, query, problem in UNREADABLE:
        answer = await sent(gateway, body, **query)
        assert answer.status_code == 400, query
        assert problem in answer.json()["error"]["message"], query
    assert (await get(gateway, "/api/datasets"))["datasets"] == []


async def test_logged_calls_are_drawn_by_chance_and_weigh_what_they_stand_for(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    async with gateway.client() as client:
        for n in range(30):
            asked = {"model": "demo/echo", "messages": [{"role": "user", "content": f"question {n}"}]}
            headers = {"x-gatelog-session": f"s{n % 3}", "x-gatelog-tags": json.dumps({"n": str(n)})}
            assert (await client.post("/v1/chat/completions", json=asked, headers=headers)).status_code == 200
    await gateway.settled(30)
    query = {"filter": "tags.n LIKE '%'", "n": 10, "expect": True}
    made = await post(gateway, "/api/datasets", {"name": "logged", "query": query}, 201)
    rows = (await get(gateway, "/api/datasets/logged/rows"))["rows"]
    assert len(rows) == made["dataset"]["rows"] == 10
    assert sum(row["weight"] for row in rows) == pytest.approx(30)
    for row in rows:
        assert row["expectations"]["expected_response"] == row["inputs"]["messages"][0]["content"]
        assert row["cluster"] in {"s0", "s1", "s2"}
        assert row["tags"]["run_id"]
    assert made["dataset"]["versions"][0]["source"]["query"]["n"] == 10
    # The same query draws the same calls.
    again = await post(gateway, "/api/datasets", {"name": "again", "query": query}, 201)
    assert again["dataset"]["digest"] == made["dataset"]["digest"]
    per_session = {"filter": "tags.n LIKE '%'", "n": 2, "stratify": "session"}
    await post(gateway, "/api/datasets", {"name": "strata", "query": per_session}, 201)
    strata = (await get(gateway, "/api/datasets/strata/rows"))["rows"]
    assert sorted(row["cluster"] for row in strata) == ["s0", "s0", "s1", "s1", "s2", "s2"]
    assert {row["weight"] for row in strata} == {5.0}


async def test_an_export_reads_back_as_it_was_and_csv_holds_no_formula(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    rows = [
        {"inputs": {"q": "=1+1", "messages": [{"role": "user", "content": "x"}]}, "tags": {"lang": "en"},
         "expectations": {"expected_response": "2"}, "cluster": "s", "weight": 2.5, "split": "test"},
        {"inputs": {"q": "plain"}},
    ]  # fmt: skip
    await post(gateway, "/api/datasets", {"name": "one", "rows": rows}, 201)
    async with gateway.client() as client:
        lines = (await client.get("/api/datasets/one/export")).text.splitlines()
        sheet = (await client.get("/api/datasets/one/export", params={"format": "csv"})).text
    made = await post(gateway, "/api/datasets", {"name": "two", "rows": [json.loads(line) for line in lines]}, 201)
    digests = [(await get(gateway, f"/api/datasets/{name}"))["digest"] for name in ("one", "two")]
    assert digests[0] == digests[1] == made["dataset"]["digest"]
    assert "'=1+1" in sheet
    assert sheet.splitlines()[0].startswith("cluster,weight,split,inputs.q")


async def test_lists_come_by_the_page_and_what_is_not_there_is_told(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    for name in ("a", "b", "c"):
        await post(gateway, "/api/datasets", {"name": name, "rows": [{"q": str(n)} for n in range(5)]}, 201)
    page = await get(gateway, "/api/datasets", page_size=2)
    rest = await get(gateway, "/api/datasets", page_size=2, page_token=page["next_page_token"])
    assert [each["name"] for each in (*page["datasets"], *rest["datasets"])] == ["c", "b", "a"]
    first = await get(gateway, "/api/datasets/a/rows", page_size=3)
    second = await get(gateway, "/api/datasets/a/rows", page_size=3, page_token=first["next_page_token"])
    assert [row["inputs"]["q"] for row in (*first["rows"], *second["rows"])] == ["0", "1", "2", "3", "4"]
    async with gateway.client() as client:
        for path in ("/api/datasets/no", "/api/datasets/no/rows", "/api/datasets/a/rows?version=9"):
            assert (await client.get(path)).status_code == 404, path
        for path in (
            "/api/datasets/a/rows?version=x",
            "/api/datasets/a/export?format=xml",
            "/api/datasets?page_token=x",
        ):
            assert (await client.get(path)).status_code == 400, path
        answer = await client.post("/api/datasets", json={"name": "x", "rows": [{"q": 1}], "query": {}})
        assert "say `rows` or `query`" in answer.json()["error"]["message"]
        answer = await client.post("/api/datasets", json={"name": "x", "query": {"filter": "nonsense !!"}})
        assert answer.status_code == 400
