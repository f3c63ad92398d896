"""The state of a lab: columns that ask, rows that are asked about, and how often; checked, since a page sends it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, model_validator

from tracking.rest import Sent

COLUMNS_MOST, ROWS_MOST, REPEATS_MOST, CONCURRENCY_MOST = 32, 2_000, 50, 16
CELLS_MOST = 20_000
NAME_MOST = 200
Json = dict[str, Any]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MOST)]
Messages = Annotated[list[Json], Field(max_length=1_000)]
Value = str | int | float | bool | None


class PromptRef(Sent):
    """A prompt of the registry, by version or by alias."""

    name: Name
    version: Annotated[int, Field(ge=1)] | None = None
    alias: Name | None = None

    @model_validator(mode="after")
    def _is_one(self) -> PromptRef:
        if (self.version is None) == (self.alias is None):
            raise ValueError("a prompt is named by its version or by an alias")
        return self

    @property
    def reference(self) -> str:
        """What may be sent as `model`."""
        return f"prompts:/{self.name}/{self.version}" if self.alias is None else f"prompts:/{self.name}@{self.alias}"


class Origin(Sent):
    run_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


class Column(Sent):
    """A way to ask."""

    id: Id
    name: Name
    prompt: PromptRef | None = None
    messages: Messages = []
    endpoint: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    params: Json = {}
    tools: list[Json] | None = None
    tool_choice: str | Json | None = None
    response_format: Json | None = None
    mocks: dict[str, str] = {}
    stream: bool = True
    render: bool = True
    """Whether `{{name}}` is filled in; in a call that was opened and has such in its text, it is not."""
    origin: Origin | None = None
    page: Json = {}

    @model_validator(mode="after")
    def _has_somewhere_to_go(self) -> Column:
        if reserved := sorted(self.params.keys() & RESERVED):
            raise ValueError(f"params holds {reserved[0]!r}, which has a place of its own")
        return self


RESERVED = frozenset({"model", "messages", "tools", "tool_choice", "response_format", "stream", "prompt_variables"})
"""Parameters of a chat request that a column has by other names."""


class Row(Sent):
    """What is asked about."""

    id: Id
    values: dict[str, Value] = {}
    messages: Messages = []
    expected: JsonValue = None
    source: Json | None = None
    page: Json = {}


class State(Sent):
    columns: Annotated[list[Column], Field(max_length=COLUMNS_MOST)] = []
    rows: Annotated[list[Row], Field(max_length=ROWS_MOST)] = []
    threads: dict[str, Messages] = {}
    repeats: Annotated[int, Field(ge=1, le=REPEATS_MOST)] = 1
    concurrency: Annotated[int, Field(ge=1, le=CONCURRENCY_MOST)] = 4
    baseline: Id | None = None
    page: Json = {}

    @model_validator(mode="after")
    def _names_each_once(self) -> State:
        for what, ids in (("columns", [c.id for c in self.columns]), ("rows", [r.id for r in self.rows])):
            if len(set(ids)) < len(ids):
                raise ValueError(f"two {what} have the same id")
        cells = len(self.columns) * len(self.rows) * self.repeats
        if cells > CELLS_MOST:
            raise ValueError(f"{cells} cells; a lab has at most {CELLS_MOST}")
        return self

    def column(self, id: str) -> Column | None:
        return next((column for column in self.columns if column.id == id), None)

    def row(self, id: str) -> Row | None:
        return next((row for row in self.rows if row.id == id), None)


EMPTY: Json = {
    "columns": [{"id": "a", "name": "A", "messages": [], "endpoint": None}],
    "rows": [{"id": "1"}],
}
"""What a new lab begins with."""


def shown(state: State) -> Json:
    """With everything that was left out."""
    return state.model_dump(mode="json")
