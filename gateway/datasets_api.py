"""The REST API of datasets: made of rows, files or logged calls; listed, read and given out again."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from evaluate import datasets, process
from evaluate.cells import Row
from evaluate.dataset_files import FORMATS
from evaluate.datasets import Mapped
from evaluate.logged import Query, records
from evaluate.making import Maker, keep
from gateway.bodies import invalid, is_json, no_token, number_of, parsed, pieces, place_of, size_of
from gateway.keys import Caller
from gateway.policy import Endpoint, Policy
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking import rest
from tracking.csv_out import FORMULA
from tracking.dataset_versions import DatasetVersions
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.runs import Runs

BODY_MOST = 64 << 20
PAGE, PAGE_MOST = 50, 1000
READ_SECONDS = 300.0
AT_ONCE = 1000
"""Rows that are written in one transaction."""


class Wanted(BaseModel):
    """Where the rows come from and what is done with them."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    rows: Annotated[list[Json], Field(max_length=datasets.ROWS_MOST)] | None = None
    query: Query | None = None
    mapping: Mapped = Mapped()
    splits: dict[str, float] | None = None
    seed: int = 0
    scrub: bool = False
    tags: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Wanted:
        if self.splits is not None:
            datasets.check_splits(self.splits)
        return self


async def created(request: Request) -> Response:
    """`POST /api/datasets`: of rows, of a query over logged calls, or of the file that is the body."""
    wanted, rows, report, source = await _read(request)
    if not wanted.name or not wanted.name.strip():
        raise InvalidRequest("say the dataset's name", param="name")
    if not rows:
        raise _nothing(report)
    state = request.app.state
    all: EvaluationDatasets = state.evaluation_datasets
    caller: Caller = request.scope["caller"]
    made = await all.create(wanted.name, {**wanted.tags, "mlflow.user": caller.name}, [])
    return await _kept(request, made["dataset_id"], rows, report, source, 201)


async def added(request: Request) -> Response:
    """`POST /api/datasets/{id}/rows`: more rows; a new version if they change anything."""
    found = await _versions(request).find(request.path_params["id"])
    _, rows, report, source = await _read(request)
    if not rows:
        raise _nothing(report)
    return await _kept(request, found["id"], rows, report, source, 200)


async def listed(request: Request) -> Response:
    """`GET /api/datasets`: those changed last first."""
    rest.asked(request, "page_size", "page_token")
    size = size_of(request, PAGE, PAGE_MOST)
    found = await _versions(request).page(size + 1, place_of(request))
    shown = found[:size]
    token = f"{shown[-1]['updated_us']}.{shown[-1]['id']}" if len(found) > size else None
    return rest.answer({"datasets": [_public(each) for each in shown], "next_page_token": token})


async def shown(request: Request) -> Response:
    """`GET /api/datasets/{id}`: one, by id or name, with its versions."""
    rest.asked(request)
    found = await _versions(request).find(request.path_params["id"])
    return rest.answer(await _whole(request, found))


async def rows(request: Request) -> Response:
    """`GET /api/datasets/{id}/rows`: of a version, or of what it holds now."""
    rest.asked(request, "version", "split", "page_size", "page_token")
    size, start = size_of(request, 100, PAGE_MOST), number_of(request) or 0
    found, version = await _version(request)
    split = request.query_params.get("split")
    if split is None:
        some = await _versions(request).rows(found, version, start, size + 1)
    else:
        everything = await _versions(request).rows(found, version)
        some = [row for row in everything if row["split"] == split][start : start + size + 1]
    if start and not some:
        raise no_token(str(start))
    token = str(start + size) if len(some) > size else None
    return rest.answer({"rows": some[:size], "next_page_token": token, "version": version})


async def exported(request: Request) -> Response:
    """`GET /api/datasets/{id}/export`: a version as JSON lines, or as CSV with a column for each part.

    What a spreadsheet would run is written behind an apostrophe in CSV; JSON lines are exact.
    """
    rest.asked(request, "version", "format")
    format = request.query_params.get("format", "jsonl")
    if format not in ("jsonl", "csv"):
        raise InvalidRequest(f"format is {format!r}; say jsonl or csv", param="format")
    found, version = await _version(request)
    everything = [Row.from_json(row) for row in await _versions(request).rows(found, version)]
    lines = _csv(everything) if format == "csv" else _lines(everything)
    type = "text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson"
    headers = {**rest.PRIVATE, "content-disposition": f'attachment; filename="dataset.{format}"'}
    return StreamingResponse(lines, media_type=type, headers=headers)


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/datasets", created, ["POST"], "track"),
    ("/api/datasets", listed, ["GET"], "read"),
    ("/api/datasets/{id}", shown, ["GET"], "read"),
    ("/api/datasets/{id}/rows", added, ["POST"], "track"),
    ("/api/datasets/{id}/rows", rows, ["GET"], "read"),
    ("/api/datasets/{id}/export", exported, ["GET"], "read"),
]


def _versions(request: Request) -> DatasetVersions:
    versions: DatasetVersions = request.app.state.dataset_versions
    return versions


async def _read(request: Request) -> tuple[Wanted, list[Row], Json, Json]:
    """What is wanted, its rows, what became of what was read, and where it is from."""
    if not is_json(request):
        return await _file(request)
    rest.asked(request)
    wanted = await parsed(request, Wanted, BODY_MOST)
    if (wanted.rows is None) == (wanted.query is None):
        raise InvalidRequest(
            "say `rows` or `query`, one of them; or send a file as the body, with ?format=", param="rows"
        )
    source: Json
    if wanted.query is not None:
        runs: Runs = request.app.state.runs
        brought = await records(runs, wanted.query, rest.own_key(request))
        source = {"query": wanted.query.model_dump()}
    else:
        brought = [(f"rows[{n}]", row) for n, row in enumerate(wanted.rows or [])]
        source = {"rows": len(brought)}
    found, report = await asyncio.to_thread(
        lambda: datasets.rows_of(brought, wanted.mapping, splits=wanted.splits, scrubbed=wanted.scrub, seed=wanted.seed)
    )
    return wanted, found, report.to_json(), source


async def _file(request: Request) -> tuple[Wanted, list[Row], Json, Json]:
    """The body is a file: it is read in a process that may not grow without limit."""
    rest.asked(request, "name", "format", "mapping", "splits", "seed", "scrub")
    query = request.query_params
    format = query.get("format")
    if format not in FORMATS:
        raise InvalidRequest(f"format is {format!r}; say {', '.join(FORMATS)}", param="format")
    try:
        said: Json = {
            name: orjson.loads(query[name]) for name in ("mapping", "splits", "seed", "scrub") if name in query
        }
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"mapping, splits, seed and scrub are JSON: {exc}") from exc
    try:
        wanted = Wanted.model_validate({**said, "name": query.get("name")})
    except ValidationError as exc:
        raise invalid(exc) from exc
    with tempfile.NamedTemporaryFile(prefix="gatelog-dataset-") as file:
        async for piece in pieces(request, BODY_MOST):
            await asyncio.to_thread(file.write, piece)
        await asyncio.to_thread(file.flush)
        asked: Json = {
            "format": format,
            "path": file.name,
            "mapping": wanted.mapping.model_dump(),
            "splits": wanted.splits,
            "seed": wanted.seed,
            "scrub": wanted.scrub,
        }
        found: list[Row] = []
        try:
            async with asyncio.timeout(READ_SECONDS), process.started("read", asked) as worker:
                while "rows" in (said := await worker.hear()):
                    found += [Row.from_json(row) for row in said["rows"]]
        except TimeoutError as exc:
            raise InvalidRequest(f"the file takes longer than {READ_SECONDS:g} s to read; split it") from exc
        except process.WorkerDied as exc:
            raise InvalidRequest(f"the file could not be read: {exc.message}") from exc
    return wanted, found, said["report"], {"format": format, "file": wanted.name}


async def _kept(request: Request, id: str, rows: Sequence[Row], report: Json, source: Json, status: int) -> Response:
    state = request.app.state
    all: EvaluationDatasets = state.evaluation_datasets
    maker: Maker = state.evaluation_maker
    caller: Caller = request.scope["caller"]
    for at in range(0, len(rows), AT_ONCE):
        await all.upsert(id, [datasets.to_record(row) for row in rows[at : at + AT_ONCE]])
    now = await maker.current(id)
    await keep(_versions(request), id, now, source, caller.name)
    body = {"dataset": await _whole(request, await _versions(request).find(id)), "report": report}
    return Response(orjson.dumps(body), status, media_type="application/json", headers=rest.PRIVATE)


async def _whole(request: Request, found: Json) -> Json:
    versions = await _versions(request).all(found["id"])
    latest = versions[0] if versions else None
    return {
        **_public(found),
        "version": None if latest is None else latest.version,
        "digest": None if latest is None else latest.digest,
        "splits": {} if latest is None else dict(latest.splits),
        "versions": [each.to_json() for each in versions],
    }


async def _version(request: Request) -> tuple[str, int]:
    """The id of a dataset, and the version that is asked for."""
    found = await _versions(request).find(request.path_params["id"])
    text = request.query_params.get("version")
    if text is None:
        maker: Maker = request.app.state.evaluation_maker
        _, ref = await maker.version(found["id"], None)
        assert ref.version is not None, "what it holds now was made a version"
        return found["id"], ref.version
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 9):
        raise InvalidRequest(f"version is {text!r}; say a whole number", param="version")
    return found["id"], (await _versions(request).get(found["id"], int(text))).version


def _public(found: Json) -> Json:
    return {name: value for name, value in found.items() if name != "updated_us"}


def _nothing(report: Json) -> InvalidRequest:
    if not report["refused"]:
        return InvalidRequest("there are no rows to take", param="rows")
    first = report["refused"][0]
    return InvalidRequest(
        f"none of {report['read']} rows could be taken; {first['where']}: {first['problem']}", param="rows"
    )


async def _lines(rows: Sequence[Row]) -> AsyncIterator[bytes]:
    for row in rows:
        yield orjson.dumps({name: value for name, value in row.to_json().items() if name != "id"}) + b"\n"


async def _csv(rows: Sequence[Row]) -> AsyncIterator[bytes]:
    """Columns that read back as they were: `inputs.question`, `expectations.expected`, `tags.lang`."""
    columns: dict[str, None] = {}
    flat: list[Json] = []
    for row in rows:
        one: Json = {"cluster": row.cluster, "weight": row.weight, "split": row.split}
        for part in ("inputs", "expectations", "tags"):
            one |= {f"{part}.{name}": value for name, value in getattr(row, part).items()}
        columns |= dict.fromkeys(one)
        flat.append(one)
    names = list(columns)
    yield _csv_line(names)
    for one in flat:
        yield _csv_line([_field(one.get(name)) for name in names])


def _csv_line(values: Sequence[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    return f"'{value}" if value.startswith(FORMULA) else value
