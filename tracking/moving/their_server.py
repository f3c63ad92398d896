"""Reads an MLflow server by its REST API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from tracking.moving.theirs import IS_PROMPT, Json, Kept, UnreadableError

API, API3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
SECONDS = 60.0
PAGE = {"experiments": 1_000, "runs": 500, "logged-models": 50, "registered-models": 500, "model-versions": 500}
VALUES = 25_000
SOME = 100
"""Datasets of a page; and of what is not read, counted no further."""
RECORDS = 500
ABSENT = frozenset({404, 405, 501})
"""Of a server that is older than the route."""
AGAIN = 4
FIRST_WAIT = 0.25


class TheirServer:
    """`headers` prove who asks."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._client = httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=SECONDS)

    async def experiments(self) -> list[Json]:
        pages = self._pages("experiments", "POST", "search", {"view_type": "ALL"})
        return [each async for each in pages]

    async def runs(self, experiment_id: str) -> AsyncIterator[Json]:
        asked = {"experiment_ids": [experiment_id], "run_view_type": "ALL", "order_by": ["attributes.start_time ASC"]}
        async for run in self._pages("runs", "POST", "search", asked):
            yield run

    async def history(self, run_id: str, key: str) -> list[Json]:
        found: list[Json] = []
        asked: Json = {"run_id": run_id, "metric_key": key, "max_results": VALUES}
        while True:
            answer = await self._json("GET", f"{API}metrics/get-history", asked)
            found += answer.get("metrics", [])
            if not (token := answer.get("next_page_token")):
                return found
            asked["page_token"] = token

    async def logged_models(self, experiment_id: str) -> AsyncIterator[Json]:
        async for model in self._pages(
            "logged-models", "POST", "search", {"experiment_ids": [experiment_id]}, "models"
        ):
            yield model

    async def registered(self) -> list[Json]:
        found: dict[str, Json] = {}
        for asked in ({}, {"filter": f"tags.`{IS_PROMPT}` = 'true'"}):
            async for each in self._pages("registered-models", "GET", "search", asked):
                found[each["name"]] = each
        return list(found.values())

    async def versions(self, name: str, prompt: bool) -> list[Json]:
        quoted = f"'{name}'" if "'" not in name else f'"{name}"'
        asked = f"name = {quoted}" + (f" AND tags.`{IS_PROMPT}` = 'true'" if prompt else "")
        return [each async for each in self._pages("model-versions", "GET", "search", {"filter": asked})]

    async def files(self, uri: str, run_id: str | None) -> list[Kept] | None:
        try:
            return [each async for each in self._below(uri, run_id, "")]
        except UnreadableError:
            return None

    async def content(self, uri: str, run_id: str | None, path: str) -> AsyncIterator[bytes]:
        if (root := _proxied(uri)) is not None:
            url, query = f"{PROXY}/{quote(f'{root}/{path}')}", {}
        else:
            url, query = "/get-artifact", {"run_uuid": run_id or "", "path": path}
        try:
            async with self._client.stream("GET", url, params=query) as answer:
                if answer.is_error:
                    raise UnreadableError(f"{path!r}: the server answers {answer.status_code}")
                async for piece in answer.aiter_bytes():
                    yield piece
        except httpx.HTTPError as exc:
            raise UnreadableError(f"{path!r}: {exc!r}") from exc

    async def datasets(self) -> list[Json]:
        found: list[Json] = []
        asked: Json = {"max_results": SOME}
        while True:
            answer = await self._json("POST", f"{API3}datasets/search", asked, absent=True)
            for each in answer.get("datasets", []):
                linked = await self._json("GET", f"{API3}datasets/{each['dataset_id']}/experiment-ids", {})
                tags = json.loads(each.get("tags") or "{}")
                found.append({**each, "tags": tags, "experiment_ids": linked.get("experiment_ids", [])})
            if not (token := answer.get("next_page_token")):
                return found
            asked["page_token"] = token

    async def dataset_records(self, dataset_id: str) -> AsyncIterator[list[Json]]:
        asked: Json = {"max_results": RECORDS}
        while True:
            answer = await self._json("GET", f"{API3}datasets/{dataset_id}/records", asked)
            yield json.loads(answer.get("records") or "[]")
            if not (token := answer.get("next_page_token")):
                return
            asked["page_token"] = token

    async def scorers(self, experiment_id: str) -> list[Json]:
        asked = {"experiment_id": experiment_id}
        latest = await self._json("GET", f"{API3}scorers/list", asked, absent=True)
        found: list[Json] = []
        for each in latest.get("scorers", []):
            name = each["scorer_name"]
            answer = await self._json("GET", f"{API3}scorers/versions", {**asked, "name": name})
            versions = sorted(answer.get("scorers", []), key=lambda one: int(one["scorer_version"]))
            found.append({"name": name, "versions": [one["serialized_scorer"] for one in versions]})
        return found

    async def others(self) -> Mapping[str, int]:
        ids = [each["experiment_id"] for each in await self.experiments()]
        places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": id}} for id in ids]
        asked: dict[str, tuple[str, Json]] = {
            "traces": ("traces/search", {"locations": places, "max_results": SOME}),
        }
        found: dict[str, int] = {}
        for what, (path, body) in asked.items():
            try:
                answer = await self._json("POST", f"{API3}{path}", body)
            except UnreadableError:  # an older server, which has none
                continue
            found[what] = len(answer.get(path.partition("/")[0], ()))
        return found

    async def close(self) -> None:
        await self._client.aclose()

    async def _below(self, uri: str, run_id: str | None, folder: str) -> AsyncIterator[Kept]:
        root = _proxied(uri)
        if root is not None:
            answer = await self._json("GET", PROXY, {"path": f"{root}/{folder}".rstrip("/")})
        elif run_id is not None:
            answer = await self._json("GET", f"{API}artifacts/list", {"run_id": run_id, "path": folder})
        else:
            raise UnreadableError(f"{uri!r} is not the server's to give")
        for file in answer.get("files", []):
            path = f"{folder}/{file['path']}".lstrip("/") if root is not None else file["path"]
            if file.get("is_dir"):
                async for each in self._below(uri, run_id, path):
                    yield each
            else:
                yield Kept(path, None if file.get("file_size") is None else int(file["file_size"]))

    async def _pages(
        self, what: str, method: str, verb: str, asked: Json, key: str | None = None
    ) -> AsyncIterator[Json]:
        asked = {**asked, "max_results": PAGE[what]}
        while True:
            answer = await self._json(method, f"{API}{what}/{verb}", asked, absent=what == "logged-models")
            for each in answer.get(key or what.replace("-", "_"), []):
                yield each
            if not (token := answer.get("next_page_token")):
                return
            asked["page_token"] = token

    async def _json(self, method: str, path: str, asked: Json, *, absent: bool = False) -> Json:
        """`absent`: a server without the route has nothing of it."""
        sent: Any = {"params": asked} if method == "GET" else {"json": asked}
        for tried in range(AGAIN):
            try:
                answer = await self._client.request(method, path, **sent)
            except httpx.HTTPError as exc:
                problem = f"the server does not answer: {exc or type(exc).__name__}"
            else:
                if absent and answer.status_code in ABSENT:
                    return {}
                if answer.is_success:
                    try:
                        read: Json = answer.json()
                    except ValueError as exc:
                        raise UnreadableError(f"{path} answers what is no JSON; is this an MLflow server?") from exc
                    return read
                problem = f"{path} answers {answer.status_code}: {answer.text[:200]}"
                if answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    break
            await asyncio.sleep(FIRST_WAIT * 2**tried)
        raise UnreadableError(problem)


def _proxied(uri: str) -> str | None:
    """The path of what the server keeps itself."""
    split = urlsplit(uri)
    return split.path.strip("/") if split.scheme == "mlflow-artifacts" else None
