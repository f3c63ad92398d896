"""How a scorer is asked for: one entry of YAML or JSON, checked whole, with what it may call and read beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evaluate.calling import Ask, Embed
from evaluate.scorers.scorer import Scorer
from providers.chat import Json


class Options(BaseModel):
    """What every entry may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    scorer: str = Field(description="which scorer")
    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=250,
        pattern=r"^[\w.@/ -]+$",
        description="what its scores are called; the scorer's own name otherwise",
    )

    @property
    def called(self) -> str:
        return self.name or self.scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What scorers may reach: models, and files. What is None is not to be had."""

    ask: Ask | None = None
    embed: Embed | None = None
    prompt: Callable[[str], Awaitable[Json]] | None = None
    """The messages of a version of the registry by its URI, under `messages`. It raises CallFailed."""
    directory: Path | None = None
    """What relative paths in an entry start from. None where whoever wrote the entries may name no files."""

    def file(self, scorer: str, path: str) -> Path:
        """A file that an entry names."""
        if self.directory is None:
            raise Unfit(f"{scorer}: {path!r} is a file, and files may be named only where `gatelog eval` runs")
        return self.directory / path


class Unfit(Exception):
    """An entry that is well-formed and cannot be built here. The message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One scorer of the table."""

    about: str
    """One sentence, as docs/scorers.md has it."""
    options: type[Options]
    build: Callable[[Any, Means], Scorer]
    """From checked options. It raises Unfit."""
    packages: tuple[str, ...] = ()
    """What it imports of the extra `gatelog[evaluate]`, when it is used."""


Entries = Mapping[str, Entry]
