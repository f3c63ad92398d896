"""YAML is read with the place of every value, and no file is dangerous or slow to read."""

from __future__ import annotations

import time

import pytest

from gateway.faults import dotted
from gateway.marked import Mark, read


def faults(text: str) -> list[tuple[str, int | None, str]]:
    return [(dotted(path), mark.line if mark else None, message) for path, mark, message in read(text.encode()).faults]


def test_every_value_has_its_place() -> None:
    document = read(b"server:\n  port: 1\nendpoints:\n- {name: a}\n")
    assert document.tree == {"server": {"port": 1}, "endpoints": [{"name": "a"}]}
    assert document.marks["server", "port"] == Mark(2, 9)
    assert document.marks["endpoints", 0, "name"] == Mark(4, 10)
    assert document.marks["server",] == Mark(1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server: {port: 1\n", ":2: this is not YAML"),
        ("a: 1\na: 2", "a:2: the key 'a' stands twice"),
        ("- a\n- b", ":1: the file must hold settings"),
        ("just words", ":1: the file must hold settings"),
        (
            "store: !!python/object/apply:os.system [x]",
            "store:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("store: &a [*a]", "store[0]:1: the alias stands for something that it is itself a part of"),
        ("[" * 5000, "nested deeper than 32 levels"),
        ("store: \x07", "the character U+0007 may not stand in YAML"),
    ],
)
def test_a_file_that_is_not_what_we_read_is_refused_where_it_goes_wrong(text: str, said: str) -> None:
    assert any(said in f"{where}:{line}: {message}" for where, line, message in faults(text))


def test_a_few_lines_of_aliases_cannot_stand_for_billions() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    began = time.process_time()
    found = faults("\n".join(lines))
    assert time.process_time() - began < 5
    assert any("more than 20000 values once its aliases are followed" in message for _, _, message in found)
