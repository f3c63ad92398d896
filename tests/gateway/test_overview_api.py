"""The overview adds up to the calls that there were, each caller's own or all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.harness import Gateway
from tests.promptlab.people import Person, person, serving
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("overview")
    with Vendor() as vendor, serving(folder, {"one": vendor.url("ok", tokens=3), "two": vendor.url("ok")}) as gateway:
        yield gateway


async def test_it_adds_up_and_names_what_it_went_on(gateway: Gateway) -> None:
    ann, admin = await person(gateway, "ann"), Person(gateway)
    for someone, model in ((ann, "one"), (ann, "two"), (admin, "one")):
        await someone.calls(model)
    async with asyncio.timeout(20):  # another process adds up, and tells nobody
        while (everything := await admin.good("GET", "/api/overview"))["total"]["calls"] < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (everything["total"]["calls"], everything["before"]["calls"], everything["bucket"]) == (3, 0, "hour")
    assert sum(row["calls"] for row in everything["series"]) == 3
    assert {row["endpoint"]: row["calls"] for row in everything["by"]["endpoint"]} == {"one": 2, "two": 1}
    assert {everything["keys"][row["key"]]: row["calls"] for row in everything["by"]["key"]} == {"ann": 2, "admin": 1}
    assert everything["by"]["prompt"] == []
    assert everything["total"]["cost"]["nanos"] == sum(row["cost"]["nanos"] for row in everything["by"]["model"])
    own = await ann.good("GET", "/api/overview", bucket="day")
    assert (own["total"]["calls"], own["bucket"], list(own["keys"].values())) == (2, "day", ["ann"])
    assert sum(row["calls"] for row in own["by"]["provider"]) == 2
    past = await admin.good("GET", "/api/overview", since="2020-01-01", until="2020-01-01T01:00:00Z")
    assert (past["total"]["calls"], past["series"]) == (0, [])
    assert past["bucket"] != "minute", "those of that time are not kept any more"
    now = datetime.now(UTC)
    recent = await admin.good("GET", "/api/overview", since=(now - timedelta(hours=1)).isoformat())
    assert (recent["bucket"], recent["total"]["calls"]) == ("minute", 3)


async def test_a_wrong_window_is_refused(gateway: Gateway) -> None:
    admin = Person(gateway)
    for query in ({"since": "soon"}, {"since": "2020-01-02", "until": "2020-01-01"}, {"bucket": "year"}, {"x": "1"}):
        assert (await admin("GET", "/api/overview", **query)).status_code == 400
