"""What webhooks can be told of: each event by its name, with an example of what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Event = Literal[
    "REGISTERED_MODEL.CREATED",
    "MODEL_VERSION.CREATED",
    "MODEL_VERSION_TAG.SET",
    "MODEL_VERSION_TAG.DELETED",
    "MODEL_VERSION_ALIAS.CREATED",
    "MODEL_VERSION_ALIAS.DELETED",
    "PROMPT.CREATED",
    "PROMPT_VERSION.CREATED",
    "PROMPT_TAG.SET",
    "PROMPT_TAG.DELETED",
    "PROMPT_VERSION_TAG.SET",
    "PROMPT_VERSION_TAG.DELETED",
    "PROMPT_ALIAS.CREATED",
    "PROMPT_ALIAS.DELETED",
]
"""`ENTITY.ACTION`, in MLflow's words. Its own budgets' event is not among them: Gatelog has none of those."""

_MODEL, _PROMPT = {"name": "example_model"}, {"name": "example_prompt"}
_VERSION, _TAG, _VALUE = {"version": "1"}, {"key": "example_key"}, {"value": "example_value"}
_ALIAS, _TAGS = {"alias": "example_alias"}, {"tags": {"example_key": "example_value"}}

EXAMPLES: Mapping[Event, Mapping[str, Any]] = {
    "REGISTERED_MODEL.CREATED": {**_MODEL, **_TAGS, "description": "An example registered model"},
    "MODEL_VERSION.CREATED": {
        **_MODEL,
        **_VERSION,
        "source": "models:/123",
        "run_id": "abcd1234abcd5678",
        **_TAGS,
        "description": "An example model version",
    },
    "MODEL_VERSION_TAG.SET": {**_MODEL, **_VERSION, **_TAG, **_VALUE},
    "MODEL_VERSION_TAG.DELETED": {**_MODEL, **_VERSION, **_TAG},
    "MODEL_VERSION_ALIAS.CREATED": {**_MODEL, **_ALIAS, **_VERSION},
    "MODEL_VERSION_ALIAS.DELETED": {**_MODEL, **_ALIAS},
    "PROMPT.CREATED": {**_PROMPT, **_TAGS, "description": "An example prompt"},
    "PROMPT_VERSION.CREATED": {
        **_PROMPT,
        **_VERSION,
        "template": "Hello {{name}}!",
        **_TAGS,
        "description": "An example prompt version",
    },
    "PROMPT_TAG.SET": {**_PROMPT, **_TAG, **_VALUE},
    "PROMPT_TAG.DELETED": {**_PROMPT, **_TAG},
    "PROMPT_VERSION_TAG.SET": {**_PROMPT, **_VERSION, **_TAG, **_VALUE},
    "PROMPT_VERSION_TAG.DELETED": {**_PROMPT, **_VERSION, **_TAG},
    "PROMPT_ALIAS.CREATED": {**_PROMPT, **_ALIAS, **_VERSION},
    "PROMPT_ALIAS.DELETED": {**_PROMPT, **_ALIAS},
}
"""What a test of a webhook says."""
