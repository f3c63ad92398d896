"""Labs, their cells and votes, saved views, feedback and the moves of aliases, on either store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from providers.errors import Conflict, Forbidden, NotFound
from tests.tracking.kept import opened, row
from tracking import labs as labs_module
from tracking.alias_moves import AliasMoves, Move
from tracking.database import Database
from tracking.feedback import Feedback
from tracking.lab_cells import LabCells, Place
from tracking.lab_votes import Choice, LabVotes
from tracking.labs import LabConflict, Labs
from tracking.page_tables import lab_cells, lab_versions
from tracking.registry import Registry
from tracking.saved_views import SavedViews

pytestmark = pytest.mark.anyio
A, B = Place("1", "a", 0), Place("1", "b", 0)


@dataclass(frozen=True)
class Key:
    key_id: str | None
    name: str
    role: str = "caller"


ANN, BOB, ADMIN = Key("k1", "ann"), Key("k2", "bob"), Key("admin", "admin", "admin")


@pytest.fixture
async def database(store: str) -> AsyncIterator[Database]:
    async with opened(store, [row(1), row(2, key_id="k2")]) as database:
        yield database


async def test_a_lab_is_saved_by_whoever_knows_its_newest_version(database: Database) -> None:
    labs = Labs(database)
    lab = await labs.create("First", {"rows": [{}], "columns": []}, ANN)
    version, _, new = await labs.save(lab.id, 1, {"rows": []}, ANN, key_id="k1")
    assert (version, new) == (2, True)
    assert (await labs.save(lab.id, 2, {"rows": []}, ANN, label="same", key_id="k1"))[0::2] == (2, False)
    with pytest.raises(LabConflict) as conflict:
        await labs.save(lab.id, 1, {"rows": [1]}, BOB, key_id=None)
    assert (conflict.value.current["version"], conflict.value.current["state"]) == (2, {"rows": []})
    assert [each["label"] for each in await labs.versions(lab.id, key_id="k1")] == ["same", None]
    with pytest.raises(NotFound):
        await labs.get(lab.id, key_id="k2")
    found, token = await labs.page("fIRST", 10, None, key_id=None, caller=BOB)
    assert ([(each["id"], each["rows"], each["mine"]) for each in found], token) == ([(lab.id, 0, False)], None)


async def test_old_versions_are_thinned_to_one_an_hour_but_for_those_with_a_label(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labs_module, "VERSIONS_KEPT", 3)
    labs = Labs(database)
    lab = await labs.create("Many", {"n": 0}, ANN)
    for n in range(1, 8):
        await labs.save(lab.id, n, {"n": n}, ANN, label="kept" if n == 2 else None, key_id="k1")
    left = [each["version"] for each in await labs.versions(lab.id, key_id="k1")]
    assert left == [8, 7, 6, 3]
    async with database.changing() as connection:
        await connection.execute(lab_versions.update().where(lab_versions.c.version == 6).values(created_us=0))
    await labs.save(lab.id, 8, {"n": 8}, ANN, key_id="k1")
    assert 6 in [each["version"] for each in await labs.versions(lab.id, key_id="k1")], "the last of its hour"


async def test_files_and_cells_go_with_their_lab(database: Database) -> None:
    labs, cells = Labs(database), LabCells(database)
    lab = await labs.create("Files", {}, ANN)
    digest = await labs.put_file(lab.id, "image/png", b"\x89PNG", key_id="k1")
    assert await labs.put_file(lab.id, "image/png", b"\x89PNG", key_id="k1") == digest
    assert await labs.files(lab.id, [digest, "other"], key_id="k1") == {digest: ("image/png", b"\x89PNG")}
    await cells.queue(lab.id, [(A, "q")])
    await labs.delete(lab.id, key_id="k1")
    assert await cells.of(lab.id) == []


async def test_a_cell_shows_what_its_run_came_to_once_that_is_recorded(database: Database) -> None:
    cells, run = LabCells(database), row(1)
    lab = await Labs(database).create("Cells", {}, ANN)
    await cells.queue(lab.id, [(A, "q1"), (B, "q2")])
    await cells.over(lab.id, A, "ok", run["id"], {"role": "assistant", "content": "é\u0000"}, {"cost_nanos": None})
    await cells.over(lab.id, B, "ok", "unrecorded", None, {"cost_nanos": 5})
    first, second = await cells.of(lab.id)
    assert (first.result or {})["cost_nanos"] == run["cost_nanos"]
    assert (first.result or {})["usage"]["output_tokens"] == run["output_tokens"]
    assert ((second.result or {})["cost_nanos"], second.status) == (5, "ok")
    assert [cell.place for cell in await cells.changed(lab.id, 0)] == [A, B]
    assert await cells.changed(lab.id, 1 << 60) == []


async def test_processes_stop_each_others_cells_and_know_when_one_has_died(database: Database) -> None:
    ours, theirs = LabCells(database), LabCells(database)
    lab = await Labs(database).create("Two", {}, ANN)
    await ours.queue(lab.id, [(A, "q"), (B, "q")])
    assert await theirs.ask_to_stop(lab.id, [B]) == 1
    assert await ours.to_stop() == [(lab.id, B)]
    assert await theirs.to_stop() == []
    await ours.end(lab.id, [B], "stopped")
    assert await theirs.ask_to_stop(lab.id, None) == 1
    await theirs.over(lab.id, A, "ok", None, None, {})
    assert {cell.status for cell in await ours.of(lab.id)} == {"queued", "stopped"}, "a cell is its process's to end"
    async with database.changing() as connection:
        await connection.execute(lab_cells.update().values(updated_us=1))
    assert {cell.status for cell in await ours.of(lab.id)} == {"interrupted", "stopped"}
    await ours.alive()
    assert {cell.status for cell in await ours.of(lab.id)} == {"queued", "stopped"}
    await ours.interrupt()
    assert {cell.status for cell in await ours.of(lab.id)} == {"interrupted", "stopped"}


async def test_votes_are_kept_in_order(database: Database) -> None:
    votes, lab = LabVotes(database), await Labs(database).create("Votes", {}, ANN)
    said: list[tuple[Choice, str | None]] = [("left", "a"), ("right", "b"), ("tie", None)]
    for choice, winner in said:
        vote = await votes.add(lab.id, "1", 0, ("a", "r1"), ("b", "r2"), choice, None, ANN)
        assert vote.winner == winner
    assert [vote.choice for vote in await votes.of(lab.id)] == ["left", "right", "tie"]


async def test_an_alias_keeps_its_history_through_a_new_name(database: Database) -> None:
    registry, moves = Registry(database), AliasMoves(database)
    await registry.create_model("m", {})
    for _ in range(2):
        await registry.create_version("m", "gateway:/x")
    await registry.set_alias("m", "live", 1, Move(by=ANN))
    with pytest.raises(Conflict):
        await registry.set_alias("m", "live", 2, Move(by=ANN, expected=(None,)))
    await registry.set_alias("m", "live", 2, Move(by=ANN, evidence={"lab": "x"}, expected=(1,)))
    await registry.rename("m", "n")
    await moves.protect(["live", "live"])
    with pytest.raises(Forbidden):
        await registry.roll_back("n", "live", Move(by=ANN))
    back = await registry.roll_back("n", "live", Move(by=ADMIN))
    assert (back["to_version"], back["kind"]) == (1, "rollback")
    with pytest.raises(Forbidden):
        await registry.delete_model("n", Move(by=ANN))
    await registry.delete_model("n")
    history = await moves.of("n", "live")
    assert [(move["by"], move["to_version"]) for move in history] == [
        (None, None),
        ("admin", 1),
        ("ann", 2),
        ("ann", 1),
    ]
    assert history[2]["evidence"] == {"lab": "x"}


async def test_views_and_feedback_are_their_makers(database: Database) -> None:
    views, feedback, run = SavedViews(database), Feedback(database), row(1)["id"]
    made = await views.create("runs", "mine", {"filter": "x"}, False, ANN)
    assert [each["id"] for each in await views.page("runs", ANN)] == [made["id"]]
    assert await views.page(None, BOB) == []
    await views.delete(made["id"], ADMIN)
    await feedback.say(run, "thumb", True, None, ANN, key_id="k1")
    await feedback.say(run, "thumb", False, "no", ANN, key_id="k1")
    await feedback.say(run, "thumb", 3, None, ADMIN)
    said = await feedback.of(run, ANN)
    assert [(each["value"], each["mine"]) for each in said] == [(False, True), (3, False)]
    with pytest.raises(NotFound):
        await feedback.of(run, BOB, key_id="k2")
    async with database.asking() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM assessments"))).scalar_one() == 2
