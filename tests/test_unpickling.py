"""Nothing that somebody sent is ever run, or unpacked, by the server: no code of ours can do such a thing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "evaluate", "promptlab", "tracking", "providers")
FORBIDDEN_MODULES = frozenset(
    {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "tarfile", "zipfile"}
    | {"torch", "skops", "mlflow", "code", "codeop", "runpy"}
)
"""Those that make objects or files out of bytes that say which, or run them."""
FORBIDDEN_CALLS = frozenset({"eval", "exec", "compile", "__import__"})
FORBIDDEN_ATTRIBUTES = {
    "yaml": frozenset({"load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"}),
    "shutil": frozenset({"unpack_archive"}),
    "numpy": frozenset({"load"}),
    "pandas": frozenset({"read_pickle"}),
}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def faults(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                top = module.split(".")[0]
                if top in FORBIDDEN_MODULES:
                    yield module
                forbidden = FORBIDDEN_ATTRIBUTES.get(top, frozenset())
                yield from (f"{module}.{alias.name}" for alias in names if alias.name in forbidden)
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                yield name
            case ast.Attribute(value=ast.Name(id=module), attr=attr) if attr in FORBIDDEN_ATTRIBUTES.get(module, ()):
                yield f"{module}.{attr}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_unpacked_or_evaluated(path: Path) -> None:
    assert list(faults(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import os, marshal as m",
        "from tarfile import open",
        "def f():\n    import zipfile",
        "import mlflow.pyfunc",
        "eval('1')",
        "exec(code)",
        "yaml.load(text)",
        "from yaml import unsafe_load",
        "shutil.unpack_archive('a')",
    ],
)
def test_the_look_for_it_finds_it(code: str) -> None:
    assert len(list(faults(ast.parse(code)))) == 1
