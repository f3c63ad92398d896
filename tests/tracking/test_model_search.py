"""Logged models are kept, and found by what they are and by what was measured of them."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from providers.errors import InvalidRequest, NotFound
from tracking.database import Database, open_store
from tracking.logged_models import LoggedModel, LoggedModels
from tracking.model_search import Dataset, ModelSearch, OrderBy
from tracking.run_tables import run_metrics
from tracking.tables import experiments

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(store: str) -> AsyncIterator[Database]:
    opened = open_store(store)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
def models(database: Database) -> LoggedModels:
    return LoggedModels(database)


async def measure(database: Database, model: LoggedModel, key: str, value: float, **more: Any) -> None:
    nan = math.isnan(value)
    row = {"run_id": model.id[2:], "key": key, "step": 0, "timestamp_ms": 0, "value": 0.0 if nan else value, "nan": nan}
    async with database.writing() as connection:
        await connection.execute(sa.insert(run_metrics).values({**row, "model_id": model.id, **more}))


async def found(database: Database, filter: str = "", *datasets: Dataset, **more: Any) -> list[str]:
    """Names, in order, of all pages."""
    names, token = [], None
    order_by, size = more.get("order_by", []), more.get("size", 2)
    while True:
        page, _, token = await ModelSearch(database).page(
            more.get("experiment_ids", [0]), filter, datasets, order_by, size, token
        )
        names += [model.name for model in page]
        if token is None:
            return names


async def test_a_model_is_made_finished_tagged_and_deleted(models: LoggedModels) -> None:
    made = await models.create(0, "m", "agent", "r" * 32, {"C": "1.0"}, {"team": "a"})
    assert made.status == "PENDING"
    assert made.id.startswith("m-")
    assert len(made.id) == 34
    assert made.artifact_uri == f"mlflow-artifacts:/0/models/{made.id}/artifacts"
    assert await models.get(made.id) == made
    assert (await models.finalize(made.id, "READY")).status == "READY"
    await models.set_tags(made.id, {"team": "b", "x": ""})
    await models.delete_tag(made.id, "x")
    with pytest.raises(NotFound, match="No tag with key 'x'"):
        await models.delete_tag(made.id, "x")
    await models.log_params(made.id, {"C": "1.0", "D": "2"})
    with pytest.raises(InvalidRequest, match=r"is '1\.0' and cannot become '2\.0'"):
        await models.log_params(made.id, {"C": "2.0"})
    kept = await models.get(made.id)
    assert (kept.params, kept.tags, kept.updated_us > made.updated_us) == ({"C": "1.0", "D": "2"}, {"team": "b"}, True)
    await models.delete(made.id)
    with pytest.raises(NotFound, match=r"Logged model with ID 'm-[0-9a-f]{32}' not found"):
        await models.get(made.id)
    assert (await models.get(made.id, deleted=True)).name == "m"


async def test_a_model_is_made_where_there_is_an_experiment(database: Database, models: LoggedModels) -> None:
    with pytest.raises(NotFound, match="No Experiment with id=7 exists"):
        await models.create(7, "m", None, None, {}, {})
    gone = {"id": 8, "name": "gone", "lifecycle_stage": "deleted", "created_us": 0, "updated_us": 0}
    away = {**gone, "id": 9, "name": "away", "lifecycle_stage": "active", "artifact_location": "s3://else/where"}
    async with database.writing() as connection:
        await connection.execute(sa.insert(experiments).values(gone))
        await connection.execute(sa.insert(experiments).values(away))
    with pytest.raises(InvalidRequest, match="is deleted"):
        await models.create(8, "m", None, None, {}, {})
    made = await models.create(9, None, None, None, {}, {})
    assert made.name == f"model-{made.id[2:10]}"
    assert made.artifact_uri == f"s3://else/where/models/{made.id}/artifacts"
    for name in ("a/b", "a:b", "a.b", "a%b", "a'b", 'a"b', "a" * 501):
        with pytest.raises(InvalidRequest, match="Invalid model name"):
            await models.create(9, name, None, None, {}, {})


async def test_models_are_found_by_what_they_are(database: Database, models: LoggedModels) -> None:
    a = await models.create(0, "a", "agent", "run-1", {"C": "1", "my key": "x"}, {"team": "red"})
    await models.create(0, "b", None, None, {"C": "2"}, {"team": "blue"})
    c = await models.create(0, "C", "agent", None, {}, {})
    await models.finalize(c.id, "READY")
    gone = await models.create(0, "gone", None, None, {}, {})
    await models.delete(gone.id)
    for filter, names in {
        "": ["C", "b", "a"],
        "name = 'a'": ["a"],
        "name LIKE 'c'": [],
        "name ILIKE 'c'": ["C"],
        "name IN ('a', 'b')": ["b", "a"],
        f"model_id = '{a.id}'": ["a"],
        "attributes.status = 'READY'": ["C"],
        "model_type = 'agent' AND status != 'READY'": ["a"],
        "source_run_id = 'run-1'": ["a"],
        "params.C = '1'": ["a"],
        "params.`my key` = 'x'": ["a"],
        "params.C IS NULL": ["C"],
        "NOT params.C = '1'": ["b"],
        "tags.team = 'red' OR tags.team = 'blue'": ["b", "a"],
        f"creation_timestamp >= {a.created_us // 1000}": ["C", "b", "a"],
        "creation_time < 5": [],
    }.items():
        assert await found(database, filter) == names, filter
    assert await found(database, experiment_ids=[1]) == []
    assert await found(database, order_by=[OrderBy("name")]) == ["C", "a", "b"]
    assert await found(database, order_by=[OrderBy("model_type"), OrderBy("name", ascending=False)]) == ["a", "C", "b"]


async def test_models_are_found_by_what_was_measured_of_them(database: Database, models: LoggedModels) -> None:
    a, b, c, d = [await models.create(0, name, None, None, {}, {}) for name in "abcd"]
    await measure(database, a, "acc", 0.9, dataset_name="train", dataset_digest="1")
    await measure(database, a, "acc", 0.5, dataset_name="test", dataset_digest="1", step=1, timestamp_ms=1)
    await measure(database, b, "acc", 0.7, dataset_name="test", dataset_digest="2")
    await measure(database, c, "acc", math.nan)
    await measure(database, c, "loss", math.inf)
    train, test = Dataset("train"), Dataset("test")
    expected: list[tuple[str, tuple[Dataset, ...], list[str]]] = [
        ("metrics.acc > 0.6", (), ["b", "a"]),
        ("metrics.acc > 0.6", (test,), ["b"]),
        ("metrics.acc > 0.6", (train, test), ["b", "a"]),
        ("metrics.acc = 0.9", (), ["a"]),
        ("metrics.acc IN (0.7, 0.5)", (), ["b", "a"]),
        ("metrics.acc < 2", (), ["b", "a"]),
        ("metrics.loss > 1e300", (), ["c"]),
        ("metrics.loss < 1e300", (), []),
        ("NOT metrics.acc > 0.6", (), ["c"]),
        ("metrics.acc IS NULL", (), ["d"]),
        ("metrics.acc IS NOT NULL", (), ["c", "b", "a"]),
        ("", (test,), ["b", "a"]),
        ("", (Dataset("test", "2"),), ["b"]),
        ("name = 'a'", (Dataset("test", "2"),), []),
    ]
    for filter, datasets, names in expected:
        assert await found(database, filter, *datasets) == names, (filter, datasets)
    assert await found(database, order_by=[OrderBy("metrics.acc", ascending=False)], size=1) == ["b", "a", "d", "c"]
    assert await found(database, order_by=[OrderBy("metrics.acc")], size=1) == ["a", "b", "d", "c"]
    assert (await found(database, order_by=[OrderBy("metrics.acc", dataset=train)], size=1))[0] == "a"
    _, metrics, _ = await ModelSearch(database).page([0], "", (), (), 10, None)
    assert [(metric.key, metric.value, metric.dataset_name) for metric in metrics[a.id]] == [
        ("acc", 0.9, "train"),
        ("acc", 0.5, "test"),
    ]
    assert [(metric.key, metric.value) for metric in metrics[c.id]] == [("acc", None), ("loss", math.inf)]
    assert d.id not in metrics


async def test_pages_hold_each_model_once_in_any_order(database: Database, models: LoggedModels) -> None:
    chosen = random.Random(1)
    made = [await models.create(0, f"m{n}", chosen.choice(["a", "b", None]), None, {}, {}) for n in range(23)]
    for model in made[::2]:
        await measure(database, model, "x", chosen.choice([0.1, 0.2, -1e-9, 3.0]))
    whole: list[Callable[[], list[OrderBy]]] = [
        list,
        lambda: [OrderBy("metrics.x")],
        lambda: [OrderBy("metrics.x", ascending=False), OrderBy("model_type")],
        lambda: [OrderBy("model_type", ascending=False), OrderBy("metrics.none")],
    ]
    for order_by in whole:
        pages = await found(database, order_by=order_by(), size=3)
        assert pages == await found(database, order_by=order_by(), size=1000)
        assert sorted(pages) == sorted(model.name for model in made)


@pytest.mark.parametrize(
    "order_by", [OrderBy("nothing"), OrderBy("metrics."), OrderBy("params.C"), OrderBy("name; DROP TABLE runs")]
)
async def test_an_order_by_what_is_not_there_is_refused(database: Database, order_by: OrderBy) -> None:
    with pytest.raises(InvalidRequest, match="Invalid order by field name"):
        await found(database, order_by=[order_by])


async def test_a_filter_that_means_nothing_is_refused(database: Database) -> None:
    for filter in ("metrics.acc LIKE 'x'", "metrics.acc > 'x'", "name > 1", "name =", "nothing = 1", "x.y = 1"):
        with pytest.raises(InvalidRequest, match=r"^filter, column \d+"):
            await found(database, filter)
