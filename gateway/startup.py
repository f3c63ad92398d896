"""What is done once per start, before anything is served: the store brought up to date, and a first key made."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TextIO

from gateway.keys import Keys
from gateway.secrets import Secret, load_pepper
from gateway.sessions import Sessions
from gateway.settings import Loaded, Settings
from tracking.database import AWAY, Database, open_store, reason
from tracking.keys import KeyStore
from tracking.sessions import SessionStore

log = logging.getLogger("gatelog.startup")


@dataclass(frozen=True, slots=True)
class Welcome:
    """What whoever starts the gateway has to know, and is told once."""

    url: str
    admin_key: Secret | None = None
    """One that was made just now; it can be read nowhere else."""
    link: str | None = None
    """Signs a browser in, once."""

    def show(self, out: TextIO) -> None:
        lines = [f"Gatelog serves on {self.url}"]
        if self.admin_key is not None:
            lines += ["", "An admin key was made. It is shown only this once:", "", f"    {self.admin_key.reveal()}"]
        if self.link is not None:
            lines += ["", "Sign a browser in with this link, within a quarter of an hour:", "", f"    {self.link}"]
        out.write("\n".join([*lines, "", ""]))
        out.flush()


async def prepare(loaded: Loaded, *, link: bool) -> Welcome:
    """`link`: offer one even where no key was made."""
    settings = loaded.settings
    url = address(settings)
    database = open_store(settings.store)
    keys = keys_of(settings, database)
    try:
        await database.migrate()
        await keys.refresh()
        admin_key = await keys.first()
        offered = admin_key is not None or (link and not keys.open)
        path = await Sessions(SessionStore(database), keys).link() if offered else None
    except AWAY as exc:
        # Callers are told 503 until it is there; then everything goes on without a restart.
        log.warning("the store does not answer yet: %s", reason(exc))
        return Welcome(url)
    finally:
        await database.close()
    return Welcome(url, admin_key, url + path if path is not None else (url if link else None))


def keys_of(settings: Settings, database: Database) -> Keys:
    admin_key = settings.auth.admin_key
    return Keys(
        KeyStore(database),
        load_pepper(settings.pepper_file()),
        admin_key=Secret(admin_key.get_secret_value()) if admin_key is not None else None,
        open=settings.auth.mode == "open",
    )


def address(settings: Settings) -> str:
    host, port = settings.server.host, settings.server.port
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
