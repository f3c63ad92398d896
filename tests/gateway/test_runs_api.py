"""Runs are read over HTTP, each caller's own or all of them."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pyarrow.parquet as pq
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.keys import Caller
from gateway.policy import refused
from gateway.runs_api import ROUTES
from providers.errors import GatewayError
from tests.harness import PLAIN
from tests.tracking.kept import Row, opened, row, say
from tracking.csv_out import csv_lines
from tracking.runs import Runs

pytestmark = pytest.mark.anyio
ROWS = [row(n, key_id=["k1", "k2"][n % 2], cost_nanos=n, model=["a", "b", None][n % 3]) for n in range(120)]
REQUEST, ANSWER = b'{"model": "chat"}', b'{"choices": []}'
STREAM = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
CALLERS = {
    "admin": Caller("admin", "admin", "admin"),
    "viewer": Caller("v", "viewer", "viewer"),
    "k1": Caller("k1", "one", "caller"),
    "nobody": Caller(None, "nobody", "caller"),
}


class Door:
    """Lets in whoever the request says that it is from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["caller"] = CALLERS[dict(scope["headers"])[b"x-who"].decode()]
        await self._app(scope, receive, send)


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(f"sqlite:///{tmp_path}/gatelog.db", ROWS) as database:
        await say(database, ROWS[0]["id"], REQUEST, ANSWER, "json")
        await say(database, ROWS[1]["id"], REQUEST, STREAM, "sse")
        routes = [Route(path, endpoint, methods=methods) for path, endpoint, methods, _ in ROUTES]
        app = Starlette(routes=routes, exception_handlers={GatewayError: refused})
        app.state.runs = Runs(database)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(Door(app), log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=base, headers={"x-who": "admin"}, **PLAIN) as client:
                yield client
            server.should_exit = True
            await serving


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


async def test_pages_are_walked_to_their_end(http: httpx.AsyncClient) -> None:
    found: list[Row] = []
    params = {"filter": "metrics.cost_nanos < 100", "order_by": "params.model, metrics.cost_nanos", "page_size": "33"}
    while True:
        answer = await http.get("/api/runs", params=params)
        assert answer.status_code == 200
        found += answer.json()["runs"]
        if (token := answer.json()["next_page_token"]) is None:
            break
        params["page_token"] = token
    expected = sorted(ROWS[:100], key=lambda row: (row["model"] is None, row["model"] or "", row["cost_nanos"]))
    assert ids(found) == ids(expected)


async def test_a_page_has_fifty_of_the_newest_runs_when_nothing_is_said(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/api/runs")).json()
    assert ids(answer["runs"]) == ids(ROWS[:-51:-1])


async def test_simple_parameters_all_hold(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/runs", params={"model": "a", "status": "ok", "page_size": "1000"})
    assert {run["id"] for run in answer.json()["runs"]} == {row["id"] for row in ROWS if row["model"] == "a"}
    assert (await http.get("/api/runs", params={"since": "2030-01-01"})).json()["runs"] == []


async def test_several_orders_are_one_order(http: httpx.AsyncClient) -> None:
    one = await http.get("/api/runs", params={"order_by": "params.model DESC, metrics.cost_nanos"})
    two = await http.get("/api/runs", params=[("order_by", "params.model DESC"), ("order_by", "metrics.cost_nanos")])
    assert one.json()["runs"] == two.json()["runs"]


@pytest.mark.parametrize(
    ("query", "code", "param", "words"),
    [
        ("filter=status%20=%20gpt", "invalid_filter", "filter", "column 10: found 'gpt'"),
        ("filter=%00", "invalid_filter", "filter", "column 1: found"),
        ("order_by=cost", "invalid_order_by", "order_by", "column 1: 'cost' is not among the attributes"),
        ("page_token=x", "invalid_page_token", "page_token", "'x' is no page token"),
        ("page_size=0", "invalid_request", "page_size", "say 1 to 1000"),
        ("page_size=1001", "invalid_request", "page_size", "say 1 to 1000"),
        ("page_size=ten", "invalid_request", "page_size", "page_size is 'ten'; say a whole number"),
        ("since=soon", "invalid_filter", "since", "'soon' is no time"),
        ("filtr=x", "invalid_request", "filtr", "no query parameter 'filtr'; there are endpoint, filter, model"),
        ("filter=&filter=", "invalid_request", "filter", "filter is given more than once"),
    ],
)
async def test_a_wrong_question_says_what_was_wrong(
    http: httpx.AsyncClient, query: str, code: str, param: str, words: str
) -> None:
    answer = await http.get(f"/api/runs?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert words in error["message"]


async def test_a_run_is_shown_with_what_was_said(http: httpx.AsyncClient) -> None:
    run = (await http.get(f"/api/runs/{ROWS[0]['id']}")).json()
    assert (run["id"], run["request"], run["response"]) == (ROWS[0]["id"], {"model": "chat"}, {"choices": []})
    whole = (await http.get(f"/api/runs/{ROWS[1]['id']}")).json()
    assert whole["response"]["choices"][0]["message"]["content"] == "hi"
    raw = (await http.get(f"/api/runs/{ROWS[1]['id']}?raw=true")).json()
    assert raw["response"] == STREAM.decode()
    assert (await http.get(f"/api/runs/{ROWS[1]['id']}?raw=yes")).status_code == 400


async def test_the_bytes_that_were_said_are_there_as_they_were(http: httpx.AsyncClient) -> None:
    for n, what, body, content_type in (
        (0, "request", REQUEST, "application/json"),
        (0, "response", ANSWER, "application/json"),
        (1, "response", STREAM, "text/event-stream; charset=utf-8"),
    ):
        answer = await http.get(f"/api/runs/{ROWS[n]['id']}/{what}")
        assert (answer.content, answer.headers["content-type"]) == (body, content_type)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    missing = await http.get(f"/api/runs/{ROWS[2]['id']}/request")
    assert missing.status_code == 404
    assert "is not kept" in missing.json()["error"]["message"]


async def test_what_is_no_run_is_a_404(http: httpx.AsyncClient) -> None:
    for path in ("/api/runs/nothing", "/api/runs/nothing/request", "/api/runs/nothing/response", "/api/runs/%00"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_caller_reads_its_own_runs_and_no_others(http: httpx.AsyncClient) -> None:
    who = {"x-who": "k1"}
    mine, other = ROWS[0]["id"], ROWS[1]["id"]
    answer = await http.get("/api/runs", params={"page_size": "1000"}, headers=who)
    assert {run["id"] for run in answer.json()["runs"]} == {row["id"] for row in ROWS if row["key_id"] == "k1"}
    asked = await http.get("/api/runs", params={"filter": "key = 'k2' OR key IS NULL"}, headers=who)
    assert asked.json()["runs"] == []
    lines = (await http.get("/api/runs/export", headers=who)).text.splitlines()
    assert {orjson.loads(line)["key_id"] for line in lines} == {"k1"}
    for suffix in ("", "?raw=true", "/request", "/response"):
        assert (await http.get(f"/api/runs/{mine}{suffix}", headers=who)).status_code == 200
        refused = await http.get(f"/api/runs/{other}{suffix}", headers=who)
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, f"there is no run '{other}'")
        assert (await http.get(f"/api/runs/{other}{suffix}", headers={"x-who": "viewer"})).status_code == 200


async def test_a_caller_without_a_key_reads_nothing(http: httpx.AsyncClient) -> None:
    for path in ("/api/runs", "/api/runs/export", f"/api/runs/{ROWS[0]['id']}"):
        assert (await http.get(path, headers={"x-who": "nobody"})).status_code == 403


async def test_an_export_is_a_line_a_run_in_detail(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/runs/export", params={"order_by": "run_id", "filter": "metrics.cost_nanos < 5"})
    runs = [orjson.loads(line) for line in answer.content.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert ids(runs) == ids(ROWS[:5])
    assert runs[0]["request"] == {"model": "chat"}
    assert runs[1]["response"]["choices"][0]["message"]["content"] == "hi"
    refused = await http.get("/api/runs/export", params={"filter": "x"})
    assert refused.status_code == 400


async def test_an_export_as_csv_has_a_line_a_run_and_no_formulas(tmp_path: Path) -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'a"b,c\nd', "plain"]
    rows = [row(n, end_user=text, tags={"note": text}) for n, text in enumerate(hostile)]
    async with opened(f"sqlite:///{tmp_path}/gatelog.db", rows) as database:
        found = Runs(database).export("", ["start_time"])
        text = b"".join([line async for line in csv_lines(found)]).decode()
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [line["id"] for line in read] == ids(rows)
    assert [line["user"] for line in read] == [f"'{text}" if text[0] in "=+-@\t\r" else text for text in hostile]
    assert all(line["tags"].startswith("{") and line["cost_nanos"] == "1000" for line in read)


async def test_an_export_is_of_a_known_format(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/runs/export", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(answer.text.splitlines()) == len(ROWS) + 1
    answer = await http.get("/api/runs/export", params={"format": "parquet", "filter": "metrics.cost_nanos < 5"})
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.parquet"'
    assert pq.read_table(io.BytesIO(answer.content)).num_rows == 5
    assert (await http.get("/api/runs/export", params={"format": "xls"})).status_code == 400
