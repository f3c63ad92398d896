"""SQLAlchemy's engines for asyncio, without its ORM.

Its package for asyncio imports the ORM for the sake of sessions, which nothing here uses: that is 8 MB in every process
and a good part of its start. So the package's own `__init__` is run when somebody asks for what only it has.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any


def _hold_back(name: str) -> None:
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    assert spec is not None, "it is installed with SQLAlchemy"
    package: Any = importlib.util.module_from_spec(spec)

    def all_of_it(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if importlib.util.find_spec(f"{name}.{attribute}") is not None:
            return importlib.import_module(f"{name}.{attribute}")
        del package.__getattr__
        package.__spec__.loader.exec_module(package)
        return getattr(package, attribute)

    package.__getattr__ = all_of_it
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, package)


_hold_back("sqlalchemy.ext.asyncio")

from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine  # noqa: E402

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
