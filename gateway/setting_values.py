"""The kinds of values that settings have, each refusing what it cannot be."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


def no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is a boolean, and this is a number")
    return value


def _clean(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text:
        raise ValueError("it is empty; leave the setting out where there is no secret")
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("it holds a character that no header may hold (a space or a line break at an end, perhaps)")
    return secret


Seconds = Annotated[float, BeforeValidator(no_boolean), Field(gt=0, le=86_400)]
Amount = Annotated[Decimal, BeforeValidator(no_boolean), Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(no_boolean)]
Secret = Annotated[SecretStr, AfterValidator(_clean)]
_SIZE = WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+ ?([kKMG]i?)?B$|\$"}]})
Size = Annotated[ByteSize, BeforeValidator(no_boolean), Field(ge=1024, le=1024**3), _SIZE]
FileSize = Annotated[ByteSize, BeforeValidator(no_boolean), Field(ge=1024, le=64 * 1024**3), _SIZE]
PROVIDER_NAME, ENDPOINT_NAME, MODEL_NAME = (
    r"^[a-z0-9][a-z0-9_.-]{0,63}$",
    r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$",
    r"^[!-~]+$",
)
PATTERNS = {
    PROVIDER_NAME: "a provider's name has up to 64 lowercase letters, digits and _ . -, and begins "
    "with a letter or digit",
    ENDPOINT_NAME: "an endpoint's name has up to 128 letters, digits and . _ : - and begins with a letter or digit "
    "(a slash is for provider/model)",
    MODEL_NAME: "a model's name has no spaces and no letters beyond ASCII",
}
"""What is said of a text that does not match."""
ProviderName = Annotated[str, StringConstraints(pattern=PROVIDER_NAME)]
EndpointName = Annotated[str, StringConstraints(pattern=ENDPOINT_NAME)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=MODEL_NAME)]
