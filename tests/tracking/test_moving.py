"""What is exported is imported again, whole, into a store that is empty or not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.tracking.logged import WORDS, begin, end
from tracking.artifacts import open_artifacts
from tracking.database import Database, open_store
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.experiments import Experiments
from tracking.logged_models import LoggedModels
from tracking.logged_runs import Dataset, LoggedRuns, Metric
from tracking.moving.export import Exporting
from tracking.moving.folder import MANIFEST, NOT_EXPORTED, FolderError, tables
from tracking.moving.parquet import ParquetCalls
from tracking.moving.restore import NAMED, Restoring
from tracking.registry import Registry
from tracking.registry_rows import IS_PROMPT
from tracking.registry_tables import model_versions
from tracking.rows import Rows
from tracking.runs import Runs
from tracking.tables import calls, metadata
from tracking.tail import Logged
from tracking.texts import Texts
from tracking.trace_tables import assessments, spans, traces
from tracking.usage import Keeping
from tracking.usage_report import Question, UsageReports
from tracking.writer import Writer

pytestmark = pytest.mark.anyio
MOST = 1 << 20
FILE = ("1", "r", "artifacts", "ä.bin")


def quiet(_what: str, _done: int, _total: int | None) -> None:
    pass


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


@asynccontextmanager
async def migrated(store: str) -> AsyncIterator[Database]:
    database = open_store(store)
    await database.migrate()
    try:
        yield database
    finally:
        await database.close()


async def fill(database: Database) -> str:
    """Something in every corner; gives the id of a run."""
    experiment = await Experiments(database).create("churn", None, {"owner": "ann"})
    runs = LoggedRuns(database)
    run = await runs.create(experiment, "try", "ann", 1_000, {"a": "b"})
    metrics = [
        Metric(key="loss", value=each, timestamp_ms=n, step=n) for n, each in enumerate((0.5, math.nan, math.inf))
    ]
    await runs.log(run, metrics, {"depth": "3"}, {})
    rows = Dataset(name="rows", digest="1", source_type="local", source="{}", schema=None, profile=None, tags=[])
    await runs.log_inputs(run, [rows], [])
    model = await LoggedModels(database).create(experiment, "m", None, run, {"p": "1"}, {})
    registry = Registry(database)
    await registry.create_model("churn", {}, "who leaves")
    await registry.create_version("churn", f"models:/{model.id}", run_id=run)
    await registry.set_alias("churn", "champion", 1)
    await registry.create_model("greeting", {IS_PROMPT: "true"})
    calls_of = [
        begin(f"{n:032x}", tags={"team": "x"}, experiment="churn" if n % 2 else None, started_us=10**15 + n * 10**6)
        for n in range(40)
    ]
    logged = [
        Logged(each, b'{"messages":[{"role":"user","content":"about refunds"}]}', end(each["id"]), b"\xff\x00", [])
        for each in calls_of
    ]
    assert await Writer(database, Rows(WORDS)).write(logged) == []
    dataset = await EvaluationDatasets(database).create("questions", {}, [experiment])
    await EvaluationDatasets(database).upsert(dataset["dataset_id"], [{"inputs": {"q": 1}}])
    client = {"id": "tr-1", "experiment_id": experiment, "started_us": 1, "state": "OK", "metadata": {}, "tags": {}}
    span = {"trace_id": "tr-1", "span_id": "s", "name": "n", "type": "LLM", "status": "OK", "started_ns": 1}
    said = {
        "name": "good",
        "kind": "feedback",
        "value": {"value": True},
        "valid": True,
        "created_us": 1,
        "updated_us": 1,
    }
    async with database.writing() as connection:
        await connection.execute(sa.insert(traces).values(**client, told=True))
        await connection.execute(sa.insert(spans).values(**span, attributes={}, body=b"\x28\xb5\xff"))
        for n, of in enumerate(("tr-1", f"tr-{3:032x}")):
            await connection.execute(sa.insert(assessments).values(id=f"a-{n}", trace_id=of, **said))
    return run


def read(folder: Path) -> dict[str, Any]:
    """All that stands in an export, but for ids that each store counts out itself, and for what every store has."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(".jsonl"):
            lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
            for line in lines:
                if path.stem in NAMED or path.stem == model_versions.name:
                    del line["id"]
            found[path.name] = sorted((line for line in lines if line.get("name") != "Default"), key=str)
        elif path.is_file() and path.name != MANIFEST:
            found[path.name] = path.read_bytes()
    return found


async def test_an_export_is_read_back_whole_and_twice_is_once(store: str, tmp_path: Path) -> None:
    here, there = (open_artifacts(str(tmp_path / name), MOST) for name in ("here", "there"))
    await here.put(FILE, pieces(b"\x00 bytes"))
    async with migrated(store) as database:
        await fill(database)
        written = await Exporting(database, tmp_path / "one", quiet).everything(here)
    assert written["calls"] == 40
    async with migrated(f"sqlite:///{tmp_path}/other.db") as other:
        new = await Restoring(other, tmp_path / "one", there, quiet).restore()
        default = {"experiments": 1}  # which every store has
        assert +new == +(written - Counter(default))
        assert not +await Restoring(other, tmp_path / "one", there, quiet).restore()
        await Exporting(other, tmp_path / "two", quiet).everything(there)
        assert read(tmp_path / "two") == read(tmp_path / "one")
        assert await Texts(other).index() == 40
        assert len((await Runs(other).page("text = 'refunds'")).runs) == 40
        reports = UsageReports(other, Keeping(other))
        report = await reports.report(Question(since=10**9, until=10**9 + 3_600))
        assert report["total"]["calls"] == 40


async def test_an_import_joins_what_is_there(store: str, tmp_path: Path) -> None:
    async with migrated(f"sqlite:///{tmp_path}/one.db") as database:
        run = await fill(database)
        await Exporting(database, tmp_path / "one", quiet).everything(None)
    async with migrated(store) as other:
        await Experiments(other).create("before", None, {})
        mine = await Registry(other).create_model("mine", {})
        await Registry(other).create_version("mine", "s3://x/y")
        await Restoring(other, tmp_path / "one", None, quiet).restore()
        churn = int((await Experiments(other).named("churn"))["experiment_id"])
        async with other.reading() as connection:
            of = sa.select(sa.func.count()).select_from(calls).where(calls.c.experiment_id == churn)
            assert (await connection.execute(of)).scalar_one() == 20
        version = await Registry(other).by_alias("churn", "champion")
        assert version.run_id == run
        assert (await Registry(other).model("mine")).latest[0].version == 1
        assert mine.name == "mine"


async def test_a_search_is_exported_with_what_was_said_about_what_it_finds(store: str, tmp_path: Path) -> None:
    async with migrated(store) as database:
        await fill(database)
        folder = tmp_path / "one"
        written = await Exporting(database, folder, quiet, ParquetCalls).found(f"run_id = '{3:032x}'")
    assert (written["calls"], written["assessments"]) == (1, 1)
    table = pq.read_table(folder / "calls.parquet").to_pylist()
    assert [(each["id"], each["tags"], each["response"]) for each in table] == [(f"{3:032x}", '{"team":"x"}', None)]
    assert "refunds" in table[0]["request"]
    async with migrated(f"sqlite:///{tmp_path}/other.db") as other:
        await Restoring(other, folder, None, quiet).restore()
        page = await Runs(other).page("params.model = 'gpt-4o-mini'")
        assert [run["id"] for run in page.runs] == [f"{3:032x}"]
        said = await Runs(other).payload(f"{3:032x}")
        assert said is not None
        assert said.response == b"\xff\x00"


async def test_what_is_no_whole_export_is_refused(tmp_path: Path) -> None:
    async with migrated(f"sqlite:///{tmp_path}/one.db") as database:
        await fill(database)
        await Exporting(database, tmp_path / "one", quiet).everything(None)
        with pytest.raises(FolderError, match="has something in it"):
            Exporting(database, tmp_path / "one", quiet)
        for change, problem in (
            ((tmp_path / "one" / "runs.jsonl").unlink, "cannot be read"),
            (lambda: (tmp_path / "one" / "runs.jsonl").write_text("{}\n{"), "runs.jsonl, line 2"),
            (lambda: (tmp_path / "one" / "runs.jsonl").write_text(""), "has 0 lines, and the manifest says 1"),
            ((tmp_path / "one" / MANIFEST).unlink, "not a whole one"),
        ):
            change()
            with pytest.raises(FolderError, match=problem):
                await Restoring(database, tmp_path / "one", None, quiet).restore()


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    exported = tables()
    assert NOT_EXPORTED.keys() | {"calls"} | {each.name for each in exported} == metadata.tables.keys()
    counted = {
        each.name
        for each in exported
        for column in each.primary_key.columns
        if len(each.primary_key.columns) == 1 and isinstance(column.type, sa.Integer)
    }
    assert counted == NAMED.keys() | {model_versions.name}, "ids that each store counts out itself must be mapped"
