"""What is read from another MLflow: its experiments, runs, models and files, in the words of its REST API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]
IS_PROMPT = "mlflow.prompt.is_prompt"


class UnreadableError(Exception):
    """The other MLflow does not answer, or answers what cannot be understood."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file among artifacts: its path below their root."""

    path: str
    size: int | None


class Theirs(Protocol):
    """A store of MLflow's. What is asked for and cannot be had is an `UnreadableError`."""

    async def experiments(self) -> list[Json]:
        """All of them, deleted ones too."""

    def runs(self, experiment_id: str) -> AsyncIterator[Json]:
        """Of one experiment, deleted ones too."""

    async def history(self, run_id: str, key: str) -> list[Json]:
        """Every value of a metric."""

    def logged_models(self, experiment_id: str) -> AsyncIterator[Json]: ...

    async def registered(self) -> list[Json]:
        """Models and prompts."""

    async def versions(self, name: str, prompt: bool) -> list[Json]: ...

    async def files(self, uri: str, run_id: str | None) -> list[Kept] | None:
        """All below an artifact URI, which is that of a run where one is given; None where they cannot be reached."""

    def content(self, uri: str, run_id: str | None, path: str) -> AsyncIterator[bytes]: ...

    async def datasets(self) -> list[Json]:
        """Those of evaluation: `dataset_id`, `name`, `tags`, `experiment_ids`."""

    def dataset_records(self, dataset_id: str) -> AsyncIterator[list[Json]]:
        """Some at a time."""

    async def scorers(self, experiment_id: str) -> list[Json]:
        """Those registered for an experiment: `name` and `versions`, each as it was serialized, the first first."""

    async def others(self) -> Mapping[str, int]:
        """What there is besides and is not read, and how much of it."""

    async def close(self) -> None: ...
