"""What the registry keeps, on SQLite and PostgreSQL: what MLflow's clients cannot be asked to show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from tracking.database import Database, open_store
from tracking.mlflow.errors import MlflowError
from tracking.registry import Registry
from tracking.registry_search import RegistrySearch
from tracking.registry_tables import model_versions, webhook_deliveries
from tracking.webhooks import ATTEMPTS_MOST, Webhooks, made

pytestmark = pytest.mark.anyio
PROMPT = {"mlflow.prompt.is_prompt": "true"}


@dataclass(frozen=True)
class Opened:
    database: Database
    registry: Registry
    search: RegistrySearch
    webhooks: Webhooks

    async def names(self, filter: str, *order_by: str) -> list[str]:
        found, _ = await self.search.models(filter, order_by, 100, None)
        return [model.name for model in found]


@asynccontextmanager
async def opened(store: str) -> AsyncIterator[Opened]:
    database = open_store(store)
    await database.migrate()
    try:
        yield Opened(database, Registry(database), RegistrySearch(database), Webhooks(database))
    finally:
        await database.close()


async def test_versions_that_are_made_at_once_get_numbers_of_their_own(store: str) -> None:
    async with opened(store) as it:
        await it.registry.create_model("m", {})
        made = await asyncio.gather(*(it.registry.create_version("m", f"s3://b/{n}") for n in range(8)))
        assert sorted(version.version for version in made) == list(range(1, 9))


async def test_a_name_is_taken_once_by_a_model_or_a_prompt(store: str) -> None:
    async with opened(store) as it:
        attempts = await asyncio.gather(*(it.registry.create_model("m", {}) for _ in range(4)), return_exceptions=True)
        refused = [each for each in attempts if isinstance(each, MlflowError)]
        assert [each.error_code for each in refused] == ["RESOURCE_ALREADY_EXISTS"] * 3
        with pytest.raises(MlflowError, match="already taken by a registered model"):
            await it.registry.create_model("m", PROMPT)


async def test_nothing_is_left_of_what_a_deleted_version_said(store: str) -> None:
    async with opened(store) as it:
        await it.registry.create_model("p", PROMPT)
        tags = {**PROMPT, "mlflow.prompt.text": "our secret recipe"}
        await it.registry.create_version("p", "dummy-source", tags=tags, description="secret", run_id="r")
        await it.registry.set_alias("p", "live", 1)
        await it.registry.delete_version("p", 1)
        async with it.database.reading() as connection:
            row = (await connection.execute(sa.select(model_versions))).mappings().one()
        assert "secret" not in str(dict(row))
        assert (await it.registry.model("p")).aliases == {}
        assert (await it.registry.create_version("p", "dummy-source")).version == 2
        with pytest.raises(MlflowError, match=r"\(name=p, version=1\) not found"):
            await it.registry.version("p", 1)


async def test_a_rename_takes_versions_and_aliases_along_and_frees_the_name(store: str) -> None:
    async with opened(store) as it:
        await it.registry.create_model("old", {"team": "a"})
        await it.registry.create_version("old", "s3://b/1")
        await it.registry.set_alias("old", "live", 1)
        model = await it.registry.rename("old", "new")
        assert (model.aliases, [version.name for version in model.latest]) == ({"live": 1}, ["new"])
        assert (await it.registry.by_alias("new", "live")).version == 1
        await it.registry.create_model("old", {})
        with pytest.raises(MlflowError, match="already exists"):
            await it.registry.rename("old", "new")


async def test_prompts_are_found_only_by_who_asks_for_them(store: str) -> None:
    async with opened(store) as it:
        await it.registry.create_model("bare", {})
        await it.registry.create_model("tagged", {"team": "a"})
        await it.registry.create_model("prompt", {**PROMPT, "team": "a"})
        assert await it.names("") == ["bare", "tagged"]
        assert await it.names("tag.`mlflow.prompt.is_prompt` != 'true'") == ["bare", "tagged"]
        assert await it.names("tags.`mlflow.prompt.is_prompt` = 'true'") == ["prompt"]
        assert await it.names("tags.team = 'a'") == ["tagged"]
        assert await it.names("name ILIKE 'BA%' OR NOT (tags.team IS NULL)", "name DESC") == ["tagged", "bare"]
        await it.registry.delete_tag("prompt", "mlflow.prompt.is_prompt")
        assert await it.names("tags.team = 'a'") == ["prompt", "tagged"]


async def test_pages_of_versions_hold_each_once(store: str) -> None:
    async with opened(store) as it:
        for name in ("a", "b"):
            await it.registry.create_model(name, {})
            for n in range(3):
                await it.registry.create_version(name, f"s3://b/{n}", run_id=f"run-{n}")
        seen: list[tuple[str, int]] = []
        token: str | None = None
        while True:
            found, token = await it.search.versions("", (), 2, token)
            seen += [(version.name, version.version) for version in found]
            if token is None:
                break
        assert seen == [("a", 3), ("a", 2), ("a", 1), ("b", 3), ("b", 2), ("b", 1)]
        found, _ = await it.search.versions("run_id IN ('run-1') AND version_number >= 2", ("name DESC",), 9, None)
        assert [(version.name, version.version) for version in found] == [("b", 2), ("a", 2)]


async def test_another_process_sees_that_something_changed(store: str) -> None:
    async with opened(store) as it:
        other = Registry(it.database)
        await other.look()
        before = other.generation
        await other.look()
        assert other.generation == before
        await it.registry.create_model("m", {})
        await other.look()
        assert other.generation != before


async def test_what_a_webhook_is_told_is_kept_with_the_change_and_taken_by_one(store: str) -> None:
    async with opened(store) as it:
        webhook = made(
            "w", "https://example.com", ["REGISTERED_MODEL.CREATED"], description=None, secret=None, status="ACTIVE"
        )
        await it.webhooks.create(webhook)
        await it.registry.create_model("m", {"team": "a"})
        await it.registry.create_model("p", PROMPT)
        with pytest.raises(MlflowError):
            await it.registry.create_model("m", {})
        taken = await asyncio.gather(it.webhooks.due(), Webhooks(it.database).due())
        (delivery,) = [each for several in taken for each in several]
        assert (delivery.webhook, delivery.event) == (webhook, "REGISTERED_MODEL.CREATED")
        assert '"team":"a"' in delivery.body
        await it.webhooks.delivered(delivery)
        await it.webhooks.change(webhook.id, status="DISABLED")
        await it.registry.create_model("n", {})
        assert not await it.webhooks.any_due()


async def test_what_was_not_heard_is_due_again_later_and_given_up_in_the_end(store: str) -> None:
    async with opened(store) as it:
        webhook = made(
            "w", "https://example.com", ["REGISTERED_MODEL.CREATED"], description=None, secret=None, status="ACTIVE"
        )
        await it.webhooks.create(webhook)
        await it.registry.create_model("m", {})
        waits: list[int | None] = []
        for _ in range(ATTEMPTS_MOST):
            async with it.database.writing() as connection:
                await connection.execute(webhook_deliveries.update().values(due_us=0))
            (delivery,) = await it.webhooks.due()
            await it.webhooks.failed(delivery, "it answered 500", final=False)
            async with it.database.reading() as connection:
                row = (await connection.execute(sa.select(webhook_deliveries))).one()
            waits.append(None if row.due_us is None else round((row.due_us - row.created_us) / 1e6))
        assert waits[:4] == pytest.approx([1, 2, 4, 8], abs=2)
        assert waits[-2:] == [pytest.approx(3600, abs=10), None]
        assert not await it.webhooks.any_due()
