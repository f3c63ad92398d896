"""What the names, values and sizes of logged things may be, refused in the words that MLflow's users know."""

from __future__ import annotations

import json
import posixpath
import random
import re
from collections import Counter
from collections.abc import Iterable

from tracking.mlflow.errors import MlflowError, invalid, missing

METRICS_MOST, PARAMS_MOST, TAGS_MOST, ENTITIES_MOST = 1_000, 100, 100, 1_000
KEY_MOST = 250
PARAM_VALUE_MOST, TAG_VALUE_MOST = 6_000, 8_000
EXPERIMENT_NAME_MOST, EXPERIMENT_TAG_MOST = 500, 20_000
DATASET_NAME_MOST, DATASET_DIGEST_MOST = 500, 36
DATASET_SOURCE_MOST, DATASET_SCHEMA_MOST, DATASET_PROFILE_MOST = 65_535, 1_048_575, 16_777_215
INPUT_TAG_KEY_MOST, INPUT_TAG_VALUE_MOST = 255, 500
_NAME = re.compile(r"[/\w.\- :]*")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and "
    "slashes (/)."
)
_ADJECTIVES = (
    *("amber", "bold", "brave", "bright", "brisk", "calm", "candid", "clear", "clever", "crisp", "early", "fair"),
    *("fine", "fleet", "gentle", "golden", "grand", "hardy", "honest", "keen", "kind", "lively", "lucid", "merry"),
    *("mild", "modest", "neat", "nimble", "noble", "patient", "plain", "quick", "quiet", "silver", "steady", "swift"),
)
_NOUNS = (
    *("badger", "beech", "birch", "bison", "cedar", "crane", "deer", "dove", "eagle", "elm", "fern", "finch", "fox"),
    *("gull", "hare", "hawk", "heron", "jay", "kite", "lark", "lily", "lynx", "mole", "moss", "newt", "oak", "otter"),
    *("owl", "pike", "plover", "quail", "raven", "reed", "robin", "seal", "stork", "swan", "teal", "trout", "wren"),
)


def key(name: str, path: str) -> str:
    """The name of a parameter, a metric or a tag."""
    shown = json.dumps(name[:100], ensure_ascii=False)
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid value {shown} for parameter '{path}' supplied: {_CHARACTERS}")
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        raise invalid(
            f"Invalid value {shown} for parameter '{path}' supplied: Names may be treated as files in certain cases, "
            f"and must not resolve to other names when treated as such. This name would resolve to {plain[:100]!r}"
        )
    return limited(name, path, KEY_MOST)


def limited(text: str, path: str, most: int) -> str:
    if len(text) > most:
        raise invalid(f"'{path}' exceeds the maximum length of {most} characters")
    return text


def batch(metrics: int, params: int, tags: int) -> None:
    """How many things may be logged at once."""
    for what, most, count in (
        ("metrics", METRICS_MOST, metrics),
        ("params", PARAMS_MOST, params),
        ("tags", TAGS_MOST, tags),
        ("metrics, params, and tags", ENTITIES_MOST, metrics + params + tags),
    ):
        if count > most:
            raise invalid(
                f"A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up "
                f"{what} across multiple requests and try again."
            )


def unique(keys: Iterable[str]) -> None:
    if twice := [each for each, count in Counter(keys).items() if count > 1]:
        raise invalid(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param "
            "value per param key."
        )


def experiment_id(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise invalid(f"Invalid experiment ID '{text[:100]}'. Experiment ID must be a valid integer.")
    return int(text)


def run_id(text: str) -> str:
    if not _RUN_ID.fullmatch(text):
        raise invalid(f"Invalid value {json.dumps(text[:100])} for parameter 'run_id' supplied.")
    return text


def no_run(id: str) -> MlflowError:
    return missing(f"Run with id={id} not found")


def no_experiment(id: int) -> MlflowError:
    return missing(f"No Experiment with id={id} exists")


def random_name() -> str:
    """For a run that nobody named."""
    return f"{random.choice(_ADJECTIVES)}-{random.choice(_NOUNS)}-{random.randrange(1000)}"  # noqa: S311 - no secret
