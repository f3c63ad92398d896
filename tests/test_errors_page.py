"""docs/errors.md lists every type and code that a caller can meet."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import gateway
import promptlab
import providers
import tracking
from providers.errors import GatewayError

ROOT = Path(__file__).parents[1]
PACKAGES = (providers, tracking, promptlab, gateway)


def listed() -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / "errors.md").read_text()))


def family(base: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield base
    for child in base.__subclasses__():
        yield from family(child)


def said_in(source: str) -> Iterator[str]:
    """The codes that a module gives to errors: `code="..."` in a call."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code


def test_every_kind_of_error_is_listed() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    missing = {word for error in family(GatewayError) for word in (error.type, error.code)} - listed()
    assert not missing


def test_every_code_given_to_an_error_is_listed() -> None:
    found = {
        code: str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in Path(package.__path__[0]).rglob("*.py")
        for code in said_in(path.read_text())
    }
    assert {code: where for code, where in found.items() if code not in listed()} == {}
