"""Speaks with a gateway about evaluations: for Python programs and for commands, which are elsewhere than it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from evaluate.cells import Cell, Grid, Row
from providers.chat import Json

DEFAULT_URL = "http://127.0.0.1:4000"
SECONDS = 600.0
LOOK_SECONDS = 0.5
OVER = ("finished", "stopped", "failed")
PAGE = 1000
SCORES_AT_ONCE = 5_000


class GatewayRefused(Exception):
    """The gateway's no, in its words."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotReached(GatewayRefused):
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

    def create(self, spec: Mapping[str, Any]) -> Json:
        """The head of a new evaluation."""
        return self._asked("POST", "/api/evaluations", json=dict(spec))

    def head(self, id: str) -> Json:
        return self._asked("GET", f"/api/evaluations/{id}")

    def follow(self, id: str) -> Iterator[Json]:
        """Its head whenever something of it has changed, until it is over."""
        last: Json = {}
        while True:
            head = self.head(id)
            if head != last:
                yield head
                last = head
            if head["state"] in OVER:
                return
            time.sleep(LOOK_SECONDS)

    def grid(self, id: str) -> Grid:
        """All of it."""
        return Grid.from_json(self._asked("GET", f"/api/evaluations/{id}", params={"cells": "true"}))

    def rows(self, id: str) -> list[Row]:
        found: list[Row] = []
        token: str | None = None
        while True:
            page = {"page_size": str(PAGE)} | ({"page_token": token} if token else {})
            said = self._asked("GET", f"/api/evaluations/{id}/rows", params=page)
            found += [Row.from_json(each) for each in said["rows"]]
            token = said["next_page_token"]
            if token is None:
                return found

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
            self._asked("POST", f"/api/evaluations/{id}/scores", json=body)

    def stop(self, id: str) -> Json:
        return self._asked("POST", f"/api/evaluations/{id}/stop")

    def judges(self, id: str) -> list[Json]:
        """Its judges, each with its certificate or why it has none."""
        found: list[Json] = self._asked("GET", "/api/judges", params={"evaluation": id})["judges"]
        return found

    def certify(self, id: str, metric: str) -> Json:
        return self._asked("POST", "/api/judges/certificates", json={"evaluation": id, "metric": metric})

    def _asked(self, method: str, path: str, **how: Any) -> Json:
        try:
            answer = self._http.request(method, path, **how)
        except httpx.TransportError as exc:
            said = str(exc) or type(exc).__name__
            raise NotReached(f"no gateway answers at {self.url}: {said}; `gatelog serve` starts one") from exc
        if answer.is_success:
            body: Json = answer.json() if answer.content else {}
            return body
        raise GatewayRefused(_reason(answer), answer.status_code)


def _reason(answer: httpx.Response) -> str:
    try:
        message: str = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"the gateway answered {answer.status_code} without saying why"
    if answer.status_code == 401:
        return f"{message}; set GATELOG_KEY to a key of the gateway's"
    return message
