"""The store: from a URL to engines for reading and writing, its schema brought up to date, and whether it answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from providers.errors import StorageUnavailable
from tracking.engines import AsyncConnection, AsyncEngine, create_async_engine
from tracking.inline import connect as connect_inline
from tracking.tables import REVISION

Synchronous = Literal["NORMAL", "FULL"]
PAGE_BYTES = 8192
"""Three calls with their bodies fit in one page, where SQLite's usual 4,096 would spill each into overflow pages."""
WAL_PAGES = 4_000
"""After so many pages the WAL is taken into the file. Many calls change the same pages of an index, each of which is
then written there once: with SQLite's usual 1,000, recording is a quarter slower."""
BUSY_SECONDS = 30.0
AGAIN_SECONDS = 5
"""When whoever asked something while the store was away may ask again."""
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
MIGRATION_LOCK = 0x6761_7465_6C6F_6701
"""Of PostgreSQL's advisory locks, ours for migrations ("gatelog", 1)."""
AWAY = (sa.exc.DBAPIError, OSError, TimeoutError)
"""What a store raises that cannot be reached or cannot answer."""


class StoreURLError(ValueError):
    """A store URL that we cannot use. Its message never holds the password."""


class NewerSchemaError(RuntimeError):
    """The store was written by a later Gatelog than this one."""


@dataclass(frozen=True, slots=True)
class Database:
    """Engines on one store. It belongs to the event loop in which it is first used."""

    reader: AsyncEngine
    writer: AsyncEngine

    @property
    def postgres(self) -> bool:
        return self.writer.dialect.name == "postgresql"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view. It cannot write on SQLite, and must not on PostgreSQL."""
        async with self.reader.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction. On SQLite it takes the write lock at its start, so that it cannot fail for it half-way."""
        async with self.writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncConnection]:
        """`reading` for somebody who waits for an answer: they are told that the store is away."""
        with answering():
            async with self.reading() as connection:
                yield connection

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        """`writing` for somebody who waits for it to be done."""
        with answering():
            async with self.writing() as connection:
                yield connection

    async def ready(self, seconds: float) -> None:
        """Ask the store something it must read, and raise `StorageUnavailable` when it does not answer in time."""
        with answering():
            async with asyncio.timeout(seconds), self.reading() as connection:
                await connection.execute(sa.text("SELECT count(*) FROM meta"))

    async def migrate(self) -> None:
        """Bring the schema up to date; when it is, that is one small query. Safe in several processes at once."""
        async with self.reader.begin() as connection:
            if await connection.run_sync(_revision) == REVISION:
                return
        async with self.writer.begin() as connection:
            if self.postgres:
                await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()


def open_store(
    store: str, *, synchronous: Synchronous = "NORMAL", connections: int = 5, inline: bool = False
) -> Database:
    """The engines of a store; nothing is connected yet.

    `inline`: use SQLite in the thread of the caller, which has to have it to itself.

    The journal is what makes a call durable, so SQLite need not sync each commit; `FULL` is for those who want it to.
    """
    scheme, _, rest = store.partition("://")
    match scheme:
        case "sqlite":
            return _sqlite(_sqlite_path(store, rest), synchronous, connections, inline)
        case "postgresql" | "postgres":
            return _postgres(store, connections)
        case _:
            raise StoreURLError(
                f"store {safe(store)!r} is neither sqlite:///path/to/file.db nor postgresql://user:password@host/database"
            )


@contextmanager
def answering() -> Iterator[None]:
    """For whoever is asked something that only the store knows: its absence is said as `StorageUnavailable`."""
    try:
        yield
    except AWAY as exc:
        raise StorageUnavailable(f"the store does not answer: {reason(exc)}", retry_after=AGAIN_SECONDS) from exc


def safe(store: str) -> str:
    """A store URL as it may be shown: without its password."""
    scheme, separator, rest = store.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if not at and "@" in path:  # an unescaped slash in the password
        return f"{scheme}{separator}..."
    shown = user.partition(":")[0] + (":***" if ":" in user else "")
    bare, question, query = path.partition("?")
    if question:
        pairs = (pair if not pair.lower().startswith("password") else "password=***" for pair in query.split("&"))
        bare = f"{bare}?{'&'.join(pairs)}"
    return f"{scheme}{separator}{shown}{at}{host}{slash}{bare}"


def reason(error: BaseException) -> str:
    """What a driver said, in one line, without the statement that SQLAlchemy adds."""
    origin = getattr(error, "orig", None) or error
    first = next(iter(str(origin).splitlines()), "")
    return first.removeprefix("<class '").replace("'>: ", ": ") or type(origin).__name__


def _sqlite_path(store: str, rest: str) -> Path:
    if not rest.startswith("/") or rest in {"/", "/:memory:"} or "?" in rest:
        raise StoreURLError(
            f"store {store!r} names no file: say sqlite:///gatelog.db for a file here, or "
            "sqlite:////var/lib/gatelog.db for one elsewhere; a database in memory would forget every call"
        )
    path = Path(unquote(rest[1:]))
    if not path.parent.is_dir():
        raise StoreURLError(f"store {store!r}: there is no folder {str(path.parent.absolute())!r} to put it in")
    if path.is_dir():
        raise StoreURLError(f"store {store!r}: {str(path)!r} is a folder, not a file")
    return path


def _sqlite(path: Path, synchronous: Synchronous, connections: int, inline: bool) -> Database:
    def connected(connection: Any, _record: object) -> None:
        # The driver's own transactions begin late and deferred; ours begin where SQLAlchemy says, as stated below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def read_only(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    def create(_dialect: object, _record: object, _args: object, _kwargs: object) -> None:
        # Made by us and not by SQLite, so that nobody else can read it; its WAL takes the same mode. One that is there
        # must not even be opened: to close it again would let go of every lock that this process has on it, and
        # another process would then take away the WAL that is in use (sqlite.org/howtocorrupt.html, 2.2).
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))

    def engine(begin: str, size: int) -> AsyncEngine:
        made = create_async_engine(
            sa.URL.create("sqlite+aiosqlite", database=str(path)),
            connect_args={"timeout": BUSY_SECONDS, **({"async_creator_fn": connect_inline} if inline else {})},
            pool_size=size,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
        )
        sa.event.listen(made.sync_engine, "do_connect", create)
        sa.event.listen(made.sync_engine, "connect", connected)
        sa.event.listen(made.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return made

    reader, writer = engine("BEGIN", connections), engine("BEGIN IMMEDIATE", 1)
    sa.event.listen(reader.sync_engine, "connect", read_only)
    return Database(reader, writer)


def _postgres(store: str, connections: int) -> Database:
    try:
        split = urlsplit(store)
        _ = split.port
    except ValueError as exc:
        raise StoreURLError(
            f"store {safe(store)!r} is no URL; a password's @, / and : are written %40, %2F, %3A"
        ) from exc
    if not split.path.strip("/") and "dbname=" not in split.query:
        raise StoreURLError(f"store {safe(store)!r} names no database: say postgresql://user:password@host/database")
    # Not at the top: a store in SQLite does without it.
    import asyncpg

    async def connect() -> Any:
        try:
            # It reads the URL itself, which gives every word that libpq knows: ?host=/socket/dir, sslmode, passfile.
            return await asyncpg.connect(
                dsn=store,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                server_settings={"application_name": "gatelog"},
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
            # SQLAlchemy makes exceptions of its own of the driver's once there is a connection, and not before.
            raise ConnectionError(str(exc)) from exc

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
    )
    return Database(engine, engine)


def _revision(connection: sa.Connection) -> str | None:
    """The store's revision, None for a store that has nothing yet. A later one than ours is refused."""
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        query = "SELECT count(to_regclass('alembic_version'))"
    if not connection.exec_driver_sql(query).scalar_one():
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is not None and found > REVISION:
        raise NewerSchemaError(
            f"the store's schema is {found!r} and this Gatelog knows none later than {REVISION!r}: "
            "it was written by a later release, so start that one"
        )
    return found


def _upgrade(connection: sa.Connection) -> None:
    if _revision(connection) == REVISION:  # another process was faster
        return
    # Half a second of imports that a store which is up to date does not wait for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)
