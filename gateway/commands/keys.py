"""`gatelog key`: makes, lists and revokes the keys that callers use, in the store, without a server."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.options import AsJson, Config, Store, opened, stored
from gateway.commands.terminal import emit, exits, show, tell

if TYPE_CHECKING:
    from gateway.keys import Keys
    from gateway.settings import Settings
    from providers.chat import Json
    from tracking.keys import KeyRecord

SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make, list and revoke callers' keys.")


class Role(StrEnum):
    """Those of `gateway.keys.ROLES`, which is not imported before it is needed."""

    CALLER = "caller"
    VIEWER = "viewer"
    ADMIN = "admin"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, for people.")],
    role: Annotated[
        Role,
        typer.Option(help="caller: makes calls and reads its own runs; viewer: reads all runs; admin: everything."),
    ] = Role.CALLER,
    expires: Annotated[
        str | None, typer.Option(help="When it stops working: 30d, 12h, 2027-01-31. Default: never.")
    ] = None,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Make a key and print it. It is shown this once and is stored nowhere."""
    from gateway.keys import ADMIN

    until = None if expires is None else _moment(expires)

    async def make(settings: Settings) -> tuple[KeyRecord, str]:
        async with _keys(settings) as keys:
            record, key = await keys.create(name, role.value, by=ADMIN, expires_us=until)
            return record, key.reveal()

    with exits():
        record, key = asyncio.run(make(stored(config, store)))
        if json:
            emit({**_public(record), "key": key})
            return
        typer.echo(key)
        tell(f"key {record.id} for {record.name!r}, role {record.role}; it is not shown again")


@app.command("list")
def list_(json: AsJson = False, config: Config = None, store: Store = None) -> None:
    """List all keys that there ever were, newest first."""

    async def read(settings: Settings) -> list[KeyRecord]:
        from tracking.keys import KeyStore

        async with opened(settings.store) as database:
            return await KeyStore(database).all()

    with exits():
        records = [_public(record) for record in asyncio.run(read(stored(config, store)))]
        if json:
            emit({"keys": records})
            return
        shown = ("id", "name", "role", "key", "state", "created", "expires", "last used")
        days = ("created_at", "expires_at", "last_used_at")
        show(
            shown,
            [
                (*(record[column] for column in shown[:5]), *((record[day] or "never")[:10] for day in days))
                for record in records
            ],
        )


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The key's id, as `gatelog key list` shows it.")],
    config: Config = None,
    store: Store = None,
) -> None:
    """Revoke a key. Gateways that run refuse it within five seconds."""

    async def end(settings: Settings) -> None:
        async with _keys(settings) as keys:
            await keys.revoke(id)

    with exits():
        asyncio.run(end(stored(config, store)))
        tell(f"key {id} is revoked")


@asynccontextmanager
async def _keys(settings: Settings) -> AsyncIterator[Keys]:
    from gateway.keys import Keys
    from gateway.secrets import load_pepper
    from tracking.keys import KeyStore

    async with opened(settings.store, migrate=True) as database:
        yield Keys(KeyStore(database), load_pepper(settings.pepper_file()))


def _moment(text: str) -> int:
    """Microseconds since the epoch, of a time from now (30d) or of a date."""
    if (span := re.fullmatch(r"(\d{1,5})([mhdw])", text)) is not None:
        return (int(time.time()) + int(span[1]) * SECONDS[span[2]]) * 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a time from now (30d, 12h) nor a date (2027-01-31)") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000


def _public(record: KeyRecord) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "role": record.role,
        "key": f"{record.first4}...{record.last4}",
        "state": _state(record),
        "created_at": _iso(record.created_us),
        "expires_at": _iso(record.expires_us),
        "revoked_at": _iso(record.revoked_us),
        "last_used_at": _iso(record.last_used_us),
        "created_by": record.created_by,
    }


def _state(record: KeyRecord) -> str:
    if record.revoked_us is not None:
        return "revoked"
    return "expired" if record.expires_us is not None and record.expires_us <= time.time_ns() // 1000 else "active"


def _iso(us: int | None) -> str | None:
    return None if us is None else datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="seconds")
