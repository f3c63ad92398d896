"""What the journal was told is on disk, and what is damaged there is skipped and said."""

from __future__ import annotations

import asyncio
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking.logged import ANSWER, REQUEST, begin, end, left
from tracking import segments
from tracking.journal import Journal, Lease, folders
from tracking.segments import FILE_HEAD_BYTES, Fault, Record
from tracking.tail import Tail

pytestmark = pytest.mark.anyio


def written(directory: Path, calls: int = 20) -> tuple[Path, list[str]]:
    """A dead journal's only segment, and the ids of its calls."""
    journal, ids = Journal(directory), []
    for _ in range(calls):
        started = begin()
        journal.begin(started, REQUEST)
        journal.end(end(started["id"]), ANSWER)
        ids.append(started["id"])
    journal.close()
    return segments.segments(journal.folder)[0], ids


def test_a_call_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    tail = Tail(journal.folder, journal)
    started = begin(tags={"team": "blue"})
    journal.begin(started, REQUEST)
    assert tail.read() == []
    journal.end(end(started["id"]), ANSWER)
    [call] = tail.read()
    assert (call.begin, call.request, call.end, call.response) == (started, REQUEST, end(started["id"]), ANSWER)
    journal.close()


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    path, _ = written(directory)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_segments_roll_and_go_once_their_calls_are_recorded(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=4096)
    tail = Tail(journal.folder, journal)
    long = begin()
    journal.begin(long, REQUEST)
    for _ in range(50):
        started = begin()
        journal.begin(started, REQUEST)
        journal.end(end(started["id"]), ANSWER)
    assert len(segments.segments(journal.folder)) > 5
    while batch := tail.read():
        tail.recorded(batch)
    kept = [path.name for path in segments.segments(journal.folder)]
    assert kept == ["00000001.seg", segments.name(journal.position[0])], "the long call's begin, and where is written"
    journal.end(end(long["id"]), ANSWER)
    tail.recorded(tail.read())
    assert [path.name for path in segments.segments(journal.folder)] == kept[1:]
    journal.close()


def test_a_record_larger_than_what_is_read_at_once_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    tail = Tail(journal.folder, journal)
    started, body = begin(), os.urandom(5 << 20)
    journal.begin(started, body)
    journal.end(end(started["id"]), ANSWER)
    [call] = tail.read()
    assert call.request == body
    journal.close()


def test_requests_that_wait_for_their_ends_do_not_fill_the_memory(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    tail = Tail(journal.folder, journal)
    begun = [begin() for _ in range(12)]
    for number, started in enumerate(begun):
        journal.begin(started, bytes([number]) * (1 << 20))
    assert tail.read() == []
    assert tail._kept <= 8 << 20
    for started in begun:
        journal.end(end(started["id"]), ANSWER)
    calls = tail.read()
    assert [call.request[:1] for call in calls] == [bytes([number]) for number in range(12)]
    assert all(len(call.request) == 1 << 20 for call in calls)
    assert tail._kept == 0
    journal.close()


FULL = """
import resource, sys, pathlib
from tests.tracking.logged import REQUEST, begin
from tracking.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
journal = Journal(pathlib.Path(sys.argv[1]))
ids, refused = [], 0
for _ in range(30):
    started = begin()
    try:
        journal.begin(started, REQUEST)
        ids.append(started["id"])
    except OSError:
        refused += 1
print(refused, *ids)
"""


def test_a_full_disk_refuses_a_record_and_leaves_those_before_it_whole(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    refused, *ids = done.stdout.split()
    assert int(refused) > 0
    [folder] = folders(tmp_path)
    lease = Lease.take(folder)
    tail = Tail(folder, lease=lease)
    assert [call.id for call in tail.read()] == ids
    assert tail.found == []
    tail.close()


DIES = """
import os, pathlib, signal, sys
from tests.tracking.logged import ANSWER, REQUEST, begin, end
from tracking.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]), segment_bytes=3 << 20)
for _ in range(int(sys.argv[2])):
    started = begin()
    journal.begin(started, REQUEST + os.urandom(900))
    journal.end(end(started["id"]), ANSWER)
    print(started["id"])
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("calls", [0, 1, 900, 4000])
def test_a_process_that_dies_leaves_all_that_it_wrote_and_no_damage(tmp_path: Path, calls: int) -> None:
    """Within its first window of memory, in a later one, and in a later segment."""
    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), str(calls)], capture_output=True, text=True)
    [folder] = folders(tmp_path)
    tail = Tail(folder, lease=Lease.take(folder))
    found = []
    while batch := tail.read():
        found += [call.id for call in batch]
        tail.recorded(batch)
    assert found == done.stdout.split()
    assert tail.found == []
    tail.close()
    assert left(tmp_path) == []


def test_bytes_that_flip_are_found_and_cost_only_the_record_they_are_in(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    good = path.read_bytes()
    marker = segments.marker_of(path, good)
    assert marker is not None
    records = [item for item in segments.scan(good, marker, FILE_HEAD_BYTES) if isinstance(item, Record)]
    assert len(records) == 40
    dice = random.Random(4)
    for _ in range(300):
        offset, bit = dice.randrange(FILE_HEAD_BYTES, len(good)), 1 << dice.randrange(8)
        bad = bytearray(good)
        bad[offset] ^= bit
        items = list(segments.scan(bytes(bad), marker, FILE_HEAD_BYTES))
        hit = next(record for record in records if record.offset <= offset < record.offset + record.size)
        assert [item for item in items if isinstance(item, Record)] == [record for record in records if record != hit]
        [fault] = [item for item in items if isinstance(item, Fault)]
        assert (fault.offset, fault.size) == (hit.offset, hit.size)


def test_a_file_cut_anywhere_gives_all_that_is_whole(tmp_path: Path) -> None:
    path, _ = written(tmp_path, calls=2)
    good = path.read_bytes()
    marker = segments.marker_of(path, good)
    assert marker is not None
    records = [item for item in segments.scan(good, marker, FILE_HEAD_BYTES) if isinstance(item, Record)]
    for size in range(FILE_HEAD_BYTES, len(good)):
        items = list(segments.scan(good[:size], marker, FILE_HEAD_BYTES))
        assert [item for item in items if isinstance(item, Record)] == [
            record for record in records if record.offset + record.size <= size
        ]


def test_garbage_between_records_is_passed_over(tmp_path: Path) -> None:
    path, _ = written(tmp_path, calls=2)
    good = path.read_bytes()
    marker = segments.marker_of(path, good)
    assert marker is not None
    whole = list(segments.scan(good, marker, FILE_HEAD_BYTES))
    second = whole[1].offset
    garbage = os.urandom(999) + marker + os.urandom(99)
    items = list(segments.scan(good[:second] + garbage + good[second:], marker, FILE_HEAD_BYTES))
    assert len([item for item in items if isinstance(item, Record)]) == len(whole)
    assert [(item.offset, item.size) for item in items if isinstance(item, Fault)] == [(second, len(garbage))]


def test_a_request_that_looks_like_a_record_is_never_taken_for_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    other = b"12345678"
    forged = segments.record(other, segments.BEGIN, b'{"id":"forged"}', b"")
    started = begin()
    journal.begin(started, forged * 3)
    journal.close()
    [path] = segments.segments(journal.folder)
    data = bytearray(path.read_bytes())
    data[FILE_HEAD_BYTES + 30] ^= 1
    path.write_bytes(data)
    tail = Tail(journal.folder, lease=Lease.take(journal.folder))
    assert tail.read() == []
    assert len(tail.found) == 1
    tail.close()


def test_a_damaged_header_does_not_hide_the_records(tmp_path: Path) -> None:
    path, ids = written(tmp_path)
    data = path.read_bytes()
    path.write_bytes(b"\0" * FILE_HEAD_BYTES + data[FILE_HEAD_BYTES:])
    tail = Tail(path.parent, lease=Lease.take(path.parent))
    calls = tail.read()
    assert [call.id for call in calls] == ids
    tail.recorded(calls)
    assert tail.read() == []
    tail.close()
    assert [Path(name).suffix for name in left(tmp_path)] == ["", ".damaged"]


def test_a_living_journal_cannot_be_taken_over_and_a_dead_one_only_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert Lease.take(journal.folder) is None
    journal.begin(begin(), REQUEST)
    journal.close()
    lease = Lease.take(journal.folder)
    assert lease is not None
    assert Lease.take(journal.folder) is None
    lease.release()


async def test_what_is_synced_is_synced_together(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=2048, fsync=True)

    async def call() -> None:
        journal.begin(begin(), REQUEST)
        await journal.synced()

    await asyncio.gather(*(call() for _ in range(50)))
    assert journal._rolled == []
    journal.close()
