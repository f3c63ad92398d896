"""Prompts of the registry, as labs use them."""

from __future__ import annotations

from collections.abc import Collection

from promptlab.lab_state import PromptRef
from promptlab.prompts import variables
from tracking import prompts
from tracking.mlflow.plainly import plainly
from tracking.prompts import Prompt
from tracking.registry import Registry


class Prompts:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def read(self, ref: PromptRef) -> Prompt:
        with plainly():
            if ref.version is not None:
                version = await self._registry.version(ref.name, ref.version)
            else:
                version = await self._registry.by_alias(ref.name, ref.alias or "")
        return prompts.read(version)

    async def takes(self, ref: PromptRef) -> Collection[str]:
        """The names of its variables."""
        return variables((await self.read(ref)).messages)
