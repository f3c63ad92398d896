"""Speaks with a gateway over its REST API: for Python programs and for commands, which are elsewhere than it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from evaluate.cells import OVER, Cell, Grid, Row
from providers.chat import Json
from providers.errors import GatewayError, StorageUnavailable

DEFAULT_URL = "http://127.0.0.1:4000"
SECONDS = 600.0
LOOK_SECONDS = 0.5
AGAIN_SECONDS, AGAIN_MOST = 1.0, 30
"""Between attempts to go on hearing events, and how many of them may fail one after the other."""
PAGE = 1000
SCORES_AT_ONCE = 5_000


class GatewayRefused(GatewayError):
    """The gateway's no, in its words."""

    def __init__(self, message: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        if status is not None:
            self.status = status


class NotReached(GatewayRefused, StorageUnavailable):
    """There is no gateway at this address, or it went away."""


class Gatelog:
    """`with Gatelog() as gatelog`: by default the gateway of $GATELOG_URL, with the key of $GATELOG_KEY."""

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self.url = (url or os.environ.get("GATELOG_URL") or DEFAULT_URL).rstrip("/")
        key = key or os.environ.get("GATELOG_KEY")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # A gateway is on this machine or one's own network: no proxy of the environment lies between.
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Json:
        return self._asked("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        return self._asked("POST", path, json=dict(body or {}))

    def send(self, path: str, body: bytes, **query: Any) -> Json:
        """A file."""
        headers = {"content-type": "application/octet-stream"}
        return self._asked("POST", path, content=body, params=query, headers=headers)

    def content(self, path: str, **query: Any) -> bytes:
        """What is no JSON."""
        return self._answer("GET", path, params=query).content

    def pages(self, path: str, name: str, **query: Any) -> Iterator[Json]:
        """The items of all pages of a list."""
        token: str | None = None
        while True:
            page = self.get(path, **query, **({"page_token": token} if token else {}))
            yield from page[name]
            if (token := page["next_page_token"]) is None:
                return

    def events(self, path: str) -> Iterator[Json]:
        """The data of server-sent events, until the server ends them. When the connection breaks they go on."""
        failures = 0
        while True:
            try:
                with self._http.stream("GET", path) as answer:
                    if not answer.is_success:
                        answer.read()
                        raise _refusal(answer)
                    for line in answer.iter_lines():
                        if line.startswith("data:"):
                            failures = 0
                            yield orjson.loads(line[5:])
                return
            except httpx.TransportError as exc:
                failures += 1
                if failures > AGAIN_MOST:
                    raise self._away(exc) from exc
                time.sleep(AGAIN_SECONDS)

    def create(self, spec: Mapping[str, Any]) -> Json:
        """The head of a new evaluation."""
        return self.post("/api/evaluations", spec)

    def head(self, id: str) -> Json:
        return self.get(f"/api/evaluations/{id}")

    def follow(self, id: str) -> Iterator[Json]:
        """Its head whenever something of it has changed, until it is over."""
        while True:
            last: Json = {}
            for last in self.events(f"/api/evaluations/{id}/events"):
                yield last
            if last.get("state") in OVER:
                return
            # The gateway is being stopped, and another process of it, or the next, goes on.
            time.sleep(LOOK_SECONDS)

    def grid(self, id: str) -> Grid:
        """All of it."""
        return Grid.from_json(self.get(f"/api/evaluations/{id}", cells="true"))

    def rows(self, id: str) -> list[Row]:
        return [Row.from_json(each) for each in self.pages(f"/api/evaluations/{id}/rows", "rows", page_size=PAGE)]

    def score(
        self, id: str, scores: Sequence[tuple[Cell, Json]], metrics: Sequence[Json], identities: Sequence[Json]
    ) -> None:
        """What scorers on this side say of cells."""
        placed = [{"row": cell.row, "variant": cell.variant, "repeat": cell.repeat, **said} for cell, said in scores]
        for at in range(0, max(len(placed), 1), SCORES_AT_ONCE):
            body = {
                "scores": placed[at : at + SCORES_AT_ONCE],
                "metrics": list(metrics),
                "identities": list(identities),
            }
            self.post(f"/api/evaluations/{id}/scores", body)

    def stop(self, id: str) -> Json:
        return self.post(f"/api/evaluations/{id}/stop")

    def judges(self, id: str) -> list[Json]:
        """Its judges, each with its certificate or why it has none."""
        found: list[Json] = self.get("/api/judges", evaluation=id)["judges"]
        return found

    def certify(self, id: str, metric: str) -> Json:
        return self.post("/api/judges/certificates", {"evaluation": id, "metric": metric})

    def _asked(self, method: str, path: str, **how: Any) -> Json:
        answer = self._answer(method, path, **how)
        body: Json = answer.json() if answer.content else {}
        return body

    def _answer(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **how)
        except httpx.TransportError as exc:
            raise self._away(exc) from exc
        if not answer.is_success:
            raise _refusal(answer)
        return answer

    def _away(self, exc: httpx.TransportError) -> NotReached:
        said = str(exc) or type(exc).__name__
        return NotReached(f"no gateway answers at {self.url}: {said}; `gatelog serve` starts one")


def _refusal(answer: httpx.Response) -> GatewayRefused:
    try:
        error = answer.json()["error"]
        message, code = str(error["message"]), str(error["code"])
    except (ValueError, KeyError, TypeError):
        return GatewayRefused(f"the gateway answered {answer.status_code} without saying why", answer.status_code)
    if answer.status_code == 401:
        message += "; set GATELOG_KEY to a key of the gateway's"
    return GatewayRefused(message, answer.status_code, code)
