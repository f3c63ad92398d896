"""The store is what its tables say, in SQLite and PostgreSQL alike, however many processes open it at once."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import stat
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import tracking
from providers.errors import StorageUnavailable
from tests.postgres import Postgres
from tracking.database import Database, NewerSchemaError, StoreURLError, open_store, safe
from tracking.tables import REVISION, calls, experiments, keys, metadata

pytestmark = pytest.mark.anyio
for module in pkgutil.iter_modules(tracking.__path__):
    if module.name.endswith("_tables"):  # which add theirs to the same metadata
        importlib.import_module(f"tracking.{module.name}")
COMPARED = {
    "compare_type": True,
    # The indexes over words and tags are of a kind of each database's own, which metadata has no words for.
    "include_name": lambda name, *_: not (name or "").startswith(("texts_words", "calls_tags")),
}


async def test_migrations_make_the_tables_that_the_code_names(empty_store: str) -> None:
    database = open_store(empty_store)
    await database.migrate()
    async with database.reading() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts=COMPARED), metadata)
        )
        made = await connection.run_sync(
            lambda sync: {index["name"] for index in sa.inspect(sync).get_indexes("calls")}
        )
    await database.close()
    assert differences == []
    assert {index.name for index in calls.indexes} <= made


def test_the_tables_are_those_of_the_last_migration() -> None:
    scripts = ScriptDirectory(str(Path(__file__).parents[2] / "tracking" / "migrations"))
    assert scripts.get_current_head() == REVISION


async def test_a_new_store_has_the_default_experiment(empty_store: str) -> None:
    database = open_store(empty_store)
    await database.migrate()
    await database.migrate()
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(experiments.c.id, experiments.c.name))).all()
    await database.close()
    assert [tuple(row) for row in rows] == [(0, "Default")]


MIGRATE = (
    "import asyncio, sys; from tracking.database import open_store; asyncio.run(open_store(sys.argv[1]).migrate())"
)


READ_WRITE_AND_END = """
import asyncio, sys
from sqlalchemy import text
from tracking.database import open_store
async def main():
    database = open_store(sys.argv[1])
    async with database.writing() as connection:
        await connection.execute(text("UPDATE meta SET value = value"))
        print(*(await connection.execute(text("SELECT name FROM experiments ORDER BY id"))).scalars())
    await database.close()
asyncio.run(main())
"""


async def test_a_process_that_ends_takes_nothing_away_from_one_that_goes_on(empty_store: str) -> None:
    database = open_store(empty_store)
    await database.migrate()
    async with database.reading() as first, database.reading() as second:  # each makes a connection of its own
        await first.execute(sa.select(experiments))
        await second.execute(sa.select(experiments))
    seen = []
    for name in ("kept", "too"):
        command = (sys.executable, "-c", READ_WRITE_AND_END, empty_store)
        other = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        seen.append((await other.communicate())[0].split())
        add = sa.insert(experiments).values(name=name, lifecycle_stage="active", created_us=1, updated_us=1)
        async with database.writing() as connection:
            await connection.execute(add)
    await database.close()
    assert seen == [[b"Default"], [b"Default", b"kept"]]


async def test_processes_that_start_at_once_migrate_once(empty_store: str) -> None:
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, empty_store) for _ in range(4)]
    assert [await process.wait() for process in started] == [0, 0, 0, 0]
    database = open_store(empty_store)
    await database.ready(5)
    await database.close()


async def test_a_migration_that_breaks_leaves_nothing_half_made(empty_store: str) -> None:
    database = open_store(empty_store)
    async with database.writing() as connection:
        await connection.execute(sa.text("CREATE TABLE meta (name VARCHAR)"))
    with pytest.raises(sa.exc.DBAPIError, match="meta"):
        await database.migrate()
    async with database.reading() as connection:
        tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    await database.close()
    assert tables == ["meta"]


async def test_a_store_that_is_up_to_date_is_seen_so_without_loading_the_migrations(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    database = open_store(store)
    await database.migrate()
    await database.close()
    check = MIGRATE + "; assert 'alembic' not in sys.modules"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", check, store)
    assert await process.wait() == 0


async def test_the_orm_is_not_loaded_with_the_engines_and_is_there_for_who_asks_for_it() -> None:
    check = (
        "import sys, tracking.database; assert 'sqlalchemy.orm' not in sys.modules\n"
        "from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine\n"
        "from sqlalchemy.ext import asyncio\n"
        "assert create_async_engine is tracking.engines.create_async_engine is asyncio.create_async_engine"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", check)
    assert await process.wait() == 0


async def test_a_store_of_a_later_release_is_refused_and_left_alone(empty_store: str) -> None:
    database = open_store(empty_store)
    await database.migrate()
    async with database.writing() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchemaError, match=r"'9999'.*later release"):
        await database.migrate()
    await database.close()


async def test_the_file_of_a_store_is_its_owners_alone(tmp_path: Path) -> None:
    database = open_store(f"sqlite:///{tmp_path}/gatelog.db")
    await database.migrate()
    modes = _modes(tmp_path)
    await database.close()
    assert set(modes.values()) == {0o600}, modes


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_the_reading_side_cannot_write(tmp_path: Path) -> None:
    database = open_store(f"sqlite:///{tmp_path}/gatelog.db")
    await database.migrate()
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        async with database.reading() as connection:
            await connection.execute(sa.delete(keys))
    await database.close()


async def test_readers_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    database = open_store(f"sqlite:///{tmp_path}/gatelog.db")
    await database.migrate()
    async with database.writing() as connection:
        await connection.execute(sa.delete(keys))
        await database.ready(1)
    await database.close()


async def test_a_store_without_its_tables_is_not_ready(empty_store: str) -> None:
    database = open_store(empty_store)
    with pytest.raises(StorageUnavailable, match="meta"):
        await database.ready(5)
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_is_down_is_not_ready_and_its_password_is_not_told(postgres_server: Postgres) -> None:
    database = open_store("postgresql://me:secret-word@127.0.0.1:1/db")
    with pytest.raises(StorageUnavailable) as caught:
        await database.ready(5)
    assert "secret-word" not in str(caught.value)
    await database.close()


@pytest.mark.postgres
async def test_a_socket_folder_is_given_as_libpq_takes_it(postgres_server: Postgres, postgres: str) -> None:
    name = postgres.rpartition("/")[2]
    database = open_store(f"postgresql://postgres@/{name}?host={postgres_server.home}&port={postgres_server.port}")
    await database.migrate()
    await database.ready(5)
    await database.close()


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "would forget every call"),
        ("sqlite:///a.db?mode=ro", "names no file"),
        ("sqlite:///no/such/folder/a.db", "there is no folder"),
        ("sqlite:////tmp", "is a folder"),
        ("gatelog.db", "neither sqlite:///"),
        ("mysql://me:secret-word@host/db", "neither sqlite:///"),
        ("postgresql://me:secret-word@host", "names no database"),
        ("postgresql://me:secret-word@host:port/db", "is no URL"),
        ("postgresql://me:secret/word@host/db", "is no URL"),
    ],
)
def test_a_store_url_that_cannot_be_is_refused_with_what_would_be_right(store: str, message: str) -> None:
    with pytest.raises(StoreURLError, match=message) as caught:
        open_store(store)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:pw@host:5432/db?sslmode=require", "postgresql://me:***@host:5432/db?sslmode=require"),
        ("postgresql://host/db?user=me&password=pw", "postgresql://host/db?user=me&password=***"),
        ("postgresql://me:p@w@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p/w@host/db", "postgresql://..."),
    ],
)
def test_a_store_url_is_shown_without_its_password(store: str, shown: str) -> None:
    assert safe(store) == shown


async def test_a_database_belongs_to_who_opens_it(empty_store: str) -> None:
    first, second = open_store(empty_store), open_store(empty_store)
    await first.migrate()

    async def write(database: Database, name: str) -> None:
        async with database.writing() as connection:
            row = {"name": name, "lifecycle_stage": "active", "created_us": 1, "updated_us": 1}
            await connection.execute(sa.insert(experiments), row)

    await asyncio.gather(*(write(database, f"{n}") for n in range(20) for database in [(first, second)[n % 2]]))
    async with first.reading() as connection:
        found = set((await connection.execute(sa.select(experiments.c.name))).scalars())
    await first.close()
    await second.close()
    assert found == {"Default", *map(str, range(20))}
