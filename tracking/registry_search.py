"""Searching the registry: which keys models and versions have, and pages of those that pass a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from tracking import order as orders
from tracking import registry_rows as rows
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import SECTIONS, Field, Fields
from tracking.grammar import And, Comparison, Key, Not, Or, Source, Tree, parse
from tracking.registry_rows import DELETED, IS_PROMPT, Model, Version
from tracking.registry_tables import model_versions, registered_models
from tracking.search import where

_m, _v = registered_models.c, model_versions.c
_TIMES = {
    "creation_timestamp": Field(_m.created_us, "time", required=True),
    "last_updated_timestamp": Field(_m.updated_us, "time", required=True),
    "timestamp": Field(_m.updated_us, "time", required=True),
}
_PROMPT_TAG = Field(sa.case((_m.is_prompt, "true"), else_="false"), required=True)
"""MLflow's clients ask for models as what has not this tag with this value, so what lacks it must be found."""
MODELS = Fields(
    {"metrics": {}, "params": {}, "attributes": {"name": Field(_m.name, required=True), **_TIMES}},
    _m.tags,
    {IS_PROMPT: _PROMPT_TAG},
)
VERSIONS = Fields(
    {
        "metrics": {},
        "params": {},
        "attributes": {
            "name": Field(_m.name, required=True),
            "version_number": Field(_v.version, "number", required=True),
            "version_id": Field(_v.id, "number", required=True),
            "run_id": Field(_v.run_id),
            "source_path": Field(_v.source),
            "current_stage": Field(_v.stage, required=True),
            "model_id": Field(_v.logged_model_id),
            "creation_timestamp": Field(_v.created_us, "time", required=True),
            "last_updated_timestamp": Field(_v.updated_us, "time", required=True),
        },
    },
    _v.tags,
    {IS_PROMPT: _PROMPT_TAG},
)


class RegistrySearch:
    """Pages, each with the token of the next. Prompts are found only by a filter that mentions their tag."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def models(
        self, filter: str, order_by: Sequence[str], size: int, token: str | None
    ) -> tuple[list[Model], str | None]:
        order = orders.order(order_by or ("name ASC",), MODELS, self._dialect, "name")
        select = sa.select(registered_models)
        async with self._database.asking() as connection:
            found, next = await self._page(connection, select, MODELS, filter, order, order_by, size, token)
            return await rows.models(connection, found), next

    async def versions(
        self, filter: str, order_by: Sequence[str], size: int, token: str | None
    ) -> tuple[list[Version], str | None]:
        """By name, and of each the newest first, unless told otherwise."""
        said = order_by or ("name ASC", "version_number DESC")
        order = orders.order(said, VERSIONS, self._dialect, "version_id")
        select = rows.VERSIONS.where(_v.stage != DELETED)
        async with self._database.asking() as connection:
            found, next = await self._page(connection, select, VERSIONS, filter, order, order_by, size, token)
            return await rows.versions(connection, found), next

    async def _page(
        self,
        connection: AsyncConnection,
        select: sa.Select[Any],
        fields: Fields,
        filter: str,
        order: orders.Order,
        order_by: Sequence[str],
        size: int,
        token: str | None,
    ) -> tuple[Sequence[sa.RowMapping], str | None]:
        query = orders.fingerprint(filter, list(order_by))
        conditions = [self._condition(filter, fields)]
        if token is not None:
            conditions.append(order.after(orders.values(token, query, order)))
        select = select.add_columns(*order.columns()).where(*conditions).order_by(*order.clauses()).limit(size + 1)
        found = (await connection.execute(select)).mappings().all()
        if len(found) <= size:
            return found, None
        last = found[size - 1]
        return found[:size], orders.token(query, tuple(last[f"order_{n}"] for n in range(len(order.terms))))

    def _condition(self, filter: str, fields: Fields) -> ColumnElement[bool]:
        source = Source(filter)
        condition = where(source, fields, self._dialect)
        tree = parse(source)
        if tree is not None and _mentions(tree, IS_PROMPT):
            return condition
        return sa.and_(condition, _m.is_prompt.is_(False))


def _mentions(tree: Tree, tag: str) -> bool:
    match tree:
        case Comparison(key):
            return _is_tag(key, tag)
        case Not(term):
            return _mentions(term, tag)
        case And(terms) | Or(terms):
            return any(_mentions(term, tag) for term in terms)


def _is_tag(key: Key, tag: str) -> bool:
    return key.section is not None and SECTIONS.get(key.section) == "tags" and key.name == tag
