"""Whatever the journal holds comes into the store, once, whoever died and however long the store was away."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.postgres import Postgres
from tests.tracking.logged import ANSWER, REQUEST, WORDS, begin, end, left, rows
from tracking import segments
from tracking.database import open_store
from tracking.journal import Journal
from tracking.payloads import unpacked
from tracking.recorder import Recorder
from tracking.recover import recover
from tracking.tables import experiments, payload_blocks

pytestmark = pytest.mark.anyio
STREAM = b'data: {"text": "a b"}\n\ndata: {"text": " c d"}\n\n'


def one(journal: Journal, request: bytes = REQUEST, response: bytes = ANSWER, **changed: Any) -> str:
    """A call, begun and ended; what is changed of its end."""
    started = begin()
    journal.begin(started, request)
    journal.end(end(started["id"], **changed), response)
    return started["id"]


async def test_a_call_becomes_a_run_with_what_was_said(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    recorder = Recorder(store, tmp_path / "journal", journal, WORDS)
    recorder.start()
    long = REQUEST + b" " * 4000
    started = begin(experiment="nightly", tags={"team": "blue"}, user="ann", session="s1", key_id="k7")
    journal.begin(started, long)
    journal.end(end(started["id"]), ANSWER)
    assert await recorder.caught_up(20)
    row = (await rows(store))[started["id"]]
    assert (row.status, row.key_id, row.end_user, row.session) == ("ok", "k7", "ann", "s1")
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens) == (20, 3, None)
    assert (row.usage_basis, row.cost_nanos, row.attempts, row.tags) == ("provider", 70, 1, {"team": "blue"})
    assert (row.stream, row.usage_suspect, row.response_truncated) == (False, False, False)
    experiment = (await rows(store, experiments))[row.experiment_id]
    assert (experiment.name, experiment.lifecycle_stage) == ("nightly", "active")
    block = (await rows(store, payload_blocks))[row.payload_block]
    said = unpacked(block.body, block.encoding)[started["id"]]
    assert (said.request, said.response, block.encoding) == (long, ANSWER, "zstd")
    assert (said.attempts, said.price) == (end("")["attempts"], {"input": 2, "output": 10})
    journal.close()
    assert await recorder.drain(10)
    assert left(tmp_path / "journal") == []
    assert (recorder.recorded, recorder.skipped) == (1, 0)


async def recorded(store: str, directory: Path) -> Recorder:
    """Whatever dead processes left there, brought in."""
    recorder = Recorder(store, directory, None, WORDS)
    recorder.start()
    assert await recorder.drain(60)
    return recorder


async def test_what_a_provider_did_not_count_is_counted_and_says_so(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    silent: dict[str, Any] = {"usage": None, "usage_basis": "none", "cost_nanos": None}
    plain = one(journal, **silent)
    cut = one(
        journal, response=STREAM, **{**silent, "status": "upstream_cut", "response_type": "sse", "usage": {"input": 9}}
    )
    unheard = one(journal, response=b"", **{**silent, "status": "client_cancelled", "response_type": None})
    refused = one(journal, response=b"", **{**silent, "status": "rejected", "response_type": None})
    unkept = one(journal, request=b"", response=b"", **silent)
    journal.close()
    await recorded(store, tmp_path / "journal")
    found = await rows(store)

    def used(id: str) -> tuple[object, ...]:
        row = found[id]
        return row.input_tokens, row.output_tokens, row.usage_basis, row.cost_nanos

    assert used(plain) == (2, 3, "counted", 34)
    assert used(cut) == (9, 4, "counted", 58)
    assert used(unheard) == (2, 0, "counted", 4)
    assert used(refused) == (None, None, "none", None)
    assert used(unkept) == (None, None, "none", None)


async def test_a_call_whose_process_died_is_interrupted_at_its_reserved_cost(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    bounded, open_ended, embedding = begin(max_output=5), begin(), begin(kind="embeddings", price=None)
    for started in (bounded, open_ended, embedding):
        journal.begin(started, REQUEST)
    journal.close()
    await recorded(store, tmp_path / "journal")
    found = await rows(store)
    assert {row.status for row in found.values()} == {"interrupted"}
    assert {row.usage_basis for row in found.values()} == {"reserved"}
    assert [found[started["id"]].cost_nanos for started in (bounded, open_ended, embedding)] == [54, None, None]
    assert found[bounded["id"]].model == "gpt-4o-mini"
    assert left(tmp_path / "journal") == []


async def test_reading_a_journal_again_records_nothing_twice(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    ids = [one(journal) for _ in range(30)]
    journal.close()
    [path] = segments.segments(journal.folder)
    kept = path.read_bytes()
    await recorded(store, tmp_path / "journal")
    journal.folder.mkdir()
    path.write_bytes(kept)
    (journal.folder / "lock").touch()
    await recorded(store, tmp_path / "journal")
    assert list(await rows(store)) == sorted(ids)


async def test_two_recorders_take_over_each_journal_once(store: str, tmp_path: Path) -> None:
    ids = []
    for _ in range(6):
        journal = Journal(tmp_path / "journal")
        ids += [one(journal) for _ in range(20)]
        journal.close()
    first, second = await asyncio.gather(recorded(store, tmp_path / "journal"), recorded(store, tmp_path / "journal"))
    assert first.recorded + second.recorded == len(ids)
    assert sorted(await rows(store)) == sorted(ids)
    assert left(tmp_path / "journal") == []


async def test_a_character_that_postgresql_cannot_keep_stops_nothing(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    started = begin(user="a\0b", tags={"k\0": "\\u0000 and \0"})
    journal.begin(started, REQUEST)
    journal.end(end(started["id"], error_message="x\0"), ANSWER)
    journal.close()
    assert (await recorded(store, tmp_path / "journal")).skipped == 0
    row = (await rows(store))[started["id"]]
    assert (row.end_user, row.error_message) == ("a\ufffdb", "x\ufffd")
    assert row.tags == {"k\ufffd": "\\u0000 and \ufffd"}


async def test_a_call_that_the_store_refuses_is_kept_and_holds_up_no_other(store: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    before = one(journal)
    one(journal, duration_us=1 << 63)
    after = one(journal)
    journal.close()
    recorder = await recorded(store, tmp_path / "journal")
    assert (recorder.recorded, recorder.skipped) == (2, 2), "a begin and an end are put aside"
    assert sorted(await rows(store)) == sorted([before, after])
    assert [Path(name).suffix for name in left(tmp_path / "journal")] == ["", ".damaged"]


@pytest.mark.postgres
async def test_while_the_store_is_away_calls_wait_and_are_all_there_after(
    postgres_server: Postgres, postgres: str, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    recorder = Recorder(postgres, tmp_path / "journal", journal, WORDS)
    recorder.start()
    ids = [one(journal) for _ in range(10)]
    assert await recorder.caught_up(20)
    await asyncio.to_thread(postgres_server.stop)
    try:
        ids += [one(journal) for _ in range(50)]
        assert not await recorder.caught_up(3)
        assert recorder.alive
        assert "secret-word" not in (recorder.away or "secret-word")
    finally:
        await asyncio.to_thread(postgres_server.start)
    ids += [one(journal) for _ in range(10)]
    assert await recorder.caught_up(30)
    assert not recorder.away
    assert sorted(await rows(postgres)) == sorted(ids)
    journal.close()
    assert await recorder.drain(10)


async def test_a_store_that_somebody_holds_locked_is_waited_for(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    database = open_store(store)
    await database.migrate()
    journal = Journal(tmp_path / "journal")
    recorder = Recorder(store, tmp_path / "journal", journal, WORDS)
    recorder.start()
    async with database.writing() as connection:
        await connection.execute(sa.text("DELETE FROM meta"))
        id = one(journal)
        assert not await recorder.caught_up(0.3)
        await database.ready(1)
    assert await recorder.caught_up(20)
    assert list(await rows(store)) == [id]
    await database.close()
    journal.close()
    assert await recorder.drain(10)


WRITER = """
import pathlib, random, sys
import uuid_utils
from tracking.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]), segment_bytes=20_000)
pending = []
while True:
    id = uuid_utils.uuid7().hex
    journal.begin({"id": id, "started_us": 1, "kind": "chat"}, b"{}" * 500)
    print("b", id, flush=True)
    pending.append(id)
    if len(pending) > 5:
        id = pending.pop(random.randrange(len(pending)))
        journal.end({"id": id, "status": "ok", "usage_basis": "provider"}, b"{}" * 500)
        print("e", id, flush=True)
"""


def _killed(directory: Path) -> list[str]:
    """What a process told of its writing before it was killed at a random moment."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline()]
    time.sleep(random.uniform(0.0, 0.1))
    process.kill()
    said += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return said


async def test_nothing_that_was_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    begun, ended = set[str](), set[str]()
    for _ in range(20):
        for line in _killed(tmp_path / "journal"):
            word, _, id = line.strip().partition(" ")
            if len(id) == 32:
                (begun if word == "b" else ended).add(id)
    await recorded(store, tmp_path / "journal")
    found = await rows(store)
    assert begun <= found.keys()
    assert {id for id in ended if found[id].status != "ok"} == set()
    assert len(found) - len(begun) <= 20, "of each process, at most the begin that it had no time to tell of"


async def test_recover_says_what_it_found_and_keeps_what_it_could_not_read(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    journal = Journal(tmp_path / "journal")
    ids = [one(journal) for _ in range(5)]
    journal.begin(begin(), REQUEST)
    journal.close()
    [path] = segments.segments(journal.folder)
    data = bytearray(path.read_bytes())
    data[segments.FILE_HEAD_BYTES + 40] ^= 1
    path.write_bytes(data)
    living = Journal(tmp_path / "journal")
    database = open_store(store)
    findings = await recover(tmp_path / "journal", database, WORDS)
    again = await recover(tmp_path / "journal", database, WORDS)
    await database.close()
    assert (findings.journals, findings.calls, findings.interrupted, findings.orphans) == (1, 6, 1, 1)
    [(where, fault)] = findings.faults
    assert (where, fault.offset) == (path, segments.FILE_HEAD_BYTES)
    assert path.with_suffix(".damaged").read_bytes() == data
    assert findings.alive == [living.folder]
    assert (again.journals, again.calls) == (0, 0)
    found = await rows(store)
    assert ids[0] in found
    assert found[ids[0]].kind is None
    assert abs(found[ids[0]].started_us - time.time() * 1e6) < 60e6, "as its id tells"
    living.close()
