"""The tables by which docs/configuration.md documents every setting, as the models state them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.settings import Settings
from providers.chat import REQUESTS
from providers.table import Provider


def tables() -> dict[str, list[str]]:
    """The rows for each model, by its name. What one has from another is documented there."""
    return {model.__name__: list(rows(model)) for model in dict.fromkeys(models(Settings))}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for base in annotation.__bases__:
            if issubclass(base, BaseModel) and base.model_fields:
                yield base
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
        return
    for inner in get_args(annotation):
        yield from models(inner)


def rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name in model.__annotations__:
            yield f"| `{name}` | {default(field)} | {' '.join((field.description or '').split())} |"


def default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if type(value).__name__ == "ByteSize":
        return f"`{value.human_readable().replace('.0', '')}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def provider_row(provider: Provider) -> str:
    def told(variables: tuple[str, ...]) -> str:
        return ", ".join(f"`{name}`" for name in variables)

    kinds = ", ".join(kind for kind in REQUESTS if kind in provider.surfaces)
    return f"| `{provider.name}` | {told(provider.key_variables)} | {told(provider.base_url_variables)} | {kinds} |"
