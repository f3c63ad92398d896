"""YAML read so that every value knows its place in the file, and so that no file is dangerous or slow to read.

It is YAML 1.2's core schema: `true` and `false` are booleans, and `yes` and `on` are text; `2024-10-21` is text too, so
that an API version needs no quotes. A key may stand once in a mapping. Tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from providers.chat import Json

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists."""

BYTES_MOST = 1024 * 1024
NODES_MOST = 20_000
"""Values in one file, an alias counted as all that it stands for: a few lines of aliases can stand for billions."""
DEPTH_MOST = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, as editors count: from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """What a file says, where each of its values stands, and what is wrong with it as YAML."""

    tree: Json = field(default_factory=dict)
    marks: dict[Path, Mark] = field(default_factory=dict)
    faults: list[tuple[Path, Mark | None, str]] = field(default_factory=list)


def read(data: bytes) -> Document:
    document = Document()
    if len(data) > BYTES_MOST:
        document.faults.append(((), None, f"the file has {len(data)} bytes; it may have {BYTES_MOST}"))
        return document
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        place = Mark(data[: exc.start].count(b"\n") + 1, exc.start - data.rfind(b"\n", 0, exc.start))
        document.faults.append(((), place, "the file is not UTF-8 text"))
        return document
    try:
        _check_depth(text)
        root = yaml.compose(text, Loader=_Core)
    except yaml.MarkedYAMLError as exc:
        said = "; ".join(part for part in (exc.context, exc.problem) if part)
        document.faults.append(((), _mark(exc.problem_mark or exc.context_mark), f"this is not YAML: {said}"))
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        column = exc.position - text.rfind("\n", 0, exc.position)
        document.faults.append(
            ((), Mark(line, column), f"the character U+{ord(text[exc.position]):04X} may not stand in YAML")
        )
    else:
        if root is not None:
            tree = _Builder(document).build(root, ())
            if type(tree) is dict:
                document.tree = tree
            elif tree is not None and not document.faults:
                document.faults.append(
                    ((), document.marks[()], "the file must hold settings (`server:`, `endpoints:`, ...)")
                )
    return document


class _Core(yaml.SafeLoader):
    """Composes with the implicit types of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)

_SCALARS: Mapping[str, Any] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": lambda text: int(text, 0) if text[:2] in {"0x", "0o"} else int(text),
    "tag:yaml.org,2002:float": float,
}


class _Builder:
    """Makes plain values of composed nodes, and notes where each stands."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0
        self._open: set[int] = set()

    def build(self, node: Node, path: Path) -> Any:
        document = self._document
        document.marks[path] = _mark(node.start_mark)
        self._nodes += 1
        if self._nodes == NODES_MOST:
            self._fault(path, node, f"the file has more than {NODES_MOST} values once its aliases are followed")
        if self._nodes >= NODES_MOST:
            return None
        if id(node) in self._open:
            self._fault(path, node, "the alias stands for something that it is itself a part of")
            return None
        self._open.add(id(node))
        try:
            match node:
                case MappingNode(tag="tag:yaml.org,2002:map"):
                    return self._mapping(node, path)
                case SequenceNode(tag="tag:yaml.org,2002:seq"):
                    return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
                case ScalarNode() if node.tag in _SCALARS:
                    try:
                        return _SCALARS[node.tag](node.value)
                    except ValueError:
                        self._fault(path, node, f"this is no {node.tag.rpartition(':')[2]}")
                        return None
                case _:
                    self._fault(path, node, f"the tag {node.tag!r} is not supported; write plain values")
                    return None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: Path) -> Json:
        values: Json = {}
        merged: Json = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for each in value.value if isinstance(value, SequenceNode) else [value]:
                    built = self.build(each, path)
                    if type(built) is dict:
                        merged = {**built, **merged}
                    else:
                        self._fault(path, each, "`<<` takes a mapping, or a list of mappings")
                self._document.marks[path] = _mark(node.start_mark)
                continue
            if not isinstance(key, ScalarNode):
                self._fault(path, key, "a key must be text")
                continue
            name = key.value
            if name in values:
                self._fault((*path, name), key, f"the key {name!r} stands twice in the same mapping")
            values[name] = self.build(value, (*path, name))
            if not isinstance(value, ScalarNode):
                self._document.marks[(*path, name)] = _mark(key.start_mark)
        return {**merged, **values}

    def _fault(self, path: Path, node: Node, message: str) -> None:
        self._document.faults.append((path, _mark(node.start_mark), message))


def _check_depth(text: str) -> None:
    """The composer recurses, so what is nested too deep is found before it is let near it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Core):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MOST:
                problem = f"nested deeper than {DEPTH_MOST} levels"
                place: Any = event.start_mark  # the stubs know two kinds of marks and allow one of them here
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=place)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
