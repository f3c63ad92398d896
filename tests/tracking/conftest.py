"""Real stores of both kinds, for whoever tests what is kept in one."""

from __future__ import annotations

from tests.postgres import empty_store, postgres, postgres_server, store

__all__ = ["empty_store", "postgres", "postgres_server", "store"]
