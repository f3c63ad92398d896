"""What names, aliases, tags and stages of the registry may be: MLflow's rules, in MLflow's words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from tracking.mlflow.errors import MlflowError, exists, invalid
from tracking.registry_rows import IS_PROMPT, Tags

NAME_MOST = 256
ALIAS_MOST = 255
TAG_KEY_MOST, TAG_VALUE_MOST = 250, 100_000
STAGES: Mapping[str, str] = {
    "none": "None",
    "staging": "Staging",
    "production": "Production",
    "archived": "Archived",
}
"""By their small letters; MLflow takes either case."""
ACTIVE = ("Staging", "Production")
LATEST = "latest"
"""An alias that is there without being set: the highest version."""
_ALIAS = re.compile(r"[\w-]*")
_NUMBERED = re.compile(r"[vV]\d+")
_KEY = re.compile(r"[/\w.\- :]*")
_PROMPT_NAME = re.compile(r"[a-zA-Z0-9_.-]+")


def name(text: str, parameter: str = "name") -> str:
    if not text.strip():
        raise invalid(f"Missing value for required parameter '{parameter}'.")
    if "/" in text or ":" in text:
        raise invalid(f"Invalid model name '{text[:NAME_MOST]}'. Names cannot contain '/' or ':'.")
    if len(text) > NAME_MOST:
        raise invalid(f"'{parameter}' has {len(text)} characters; at most {NAME_MOST}")
    return _one_path(text, parameter)


def prompt_name(text: str) -> str:
    if not _PROMPT_NAME.fullmatch(text):
        raise invalid(
            f"Invalid prompt name '{text[:NAME_MOST]}'. Prompt name can only contain alphanumeric characters, hyphens, "
            "underscores, and dots."
        )
    return text


def alias(text: str) -> str:
    """One to read by."""
    if not text:
        raise invalid("Registered model alias name cannot be empty.")
    if not _ALIAS.fullmatch(text):
        raise invalid(
            f"Invalid alias name: '{text[:ALIAS_MOST]}'. Names may only contain alphanumerics, underscores (_), and "
            "dashes (-)."
        )
    if len(text) > ALIAS_MOST:
        raise invalid(f"Registered model alias name has {len(text)} characters; at most {ALIAS_MOST}")
    return text


def own_alias(text: str) -> str:
    """One to set: what means a version by itself cannot be."""
    if alias(text).lower() == LATEST:
        raise invalid("'latest' alias name (case insensitive) is reserved.")
    if _NUMBERED.fullmatch(text):
        raise invalid(f"Version alias name '{text}' is reserved.")
    return text


def tag(key: str, value: str = "") -> None:
    if not _KEY.fullmatch(key):
        raise invalid(
            f"Invalid value \"{key[:TAG_KEY_MOST]}\" for parameter 'key' supplied: Names may only contain "
            "alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    _one_path(key, "key")
    if len(key) > TAG_KEY_MOST:
        raise invalid(f"'key' has {len(key)} characters; at most {TAG_KEY_MOST}")
    if len(value) > TAG_VALUE_MOST:
        what = "Prompt text" if key == "mlflow.prompt.text" else f"The value of tag '{key}'"
        raise invalid(f"{what} exceeds max length of {TAG_VALUE_MOST} characters.")


def stage(text: str) -> str:
    found = STAGES.get(text.lower())
    if found is None:
        raise invalid(f"Invalid Model Version stage: {text[:100]}. Value must be one of {', '.join(STAGES.values())}.")
    return found


def version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise invalid(f"Parameter 'version' must be an integer, got '{text[:100]}'.")
    return int(text)


def is_prompt(tags: Tags) -> bool:
    return tags.get(IS_PROMPT, "false").lower() == "true"


def taken(text: str, *, prompt: bool, wanted_prompt: bool) -> MlflowError:
    """The name is somebody else's already."""
    if prompt == wanted_prompt:
        return exists(f"{'Prompt' if prompt else 'Registered Model'} (name={text}) already exists.")
    is_a, not_a = ("prompt", "registered model") if prompt else ("registered model", "prompt")
    return exists(
        f"Tried to create a {not_a} with name {text!r}, but the name is already taken by a {is_a}. MLflow does not "
        "allow creating a model and a prompt with the same name."
    )


def _one_path(text: str, parameter: str) -> str:
    """MLflow keeps names that are also paths, so each must be written in one way only."""
    if text in (".", "..") or text.startswith("/") or posixpath.normpath(text) != text:
        raise invalid(
            f"Invalid value \"{text[:NAME_MOST]}\" for parameter '{parameter}' supplied: Names may be treated as files "
            "in certain cases, and must not resolve to other names when treated as such."
        )
    return text
