"""Who may bring code that scores: it runs confined, beside the gateway, and that is still a thing to be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from evaluate.scorers.kept import brings_code
from gateway.keys import Caller, Role
from gateway.reload import Watcher
from providers.errors import Forbidden

MAY: Mapping[str, frozenset[Role]] = {
    "nobody": frozenset(),
    "admin": frozenset({"admin"}),
    "callers": frozenset({"admin", "caller"}),
}
"""By `evaluations.scorer_code`."""


def admit(request: Request, scorers: Sequence[Any]) -> None:
    """Forbidden for scorers that are code, of whoever may not bring it."""
    if not brings_code(scorers):
        return
    watcher: Watcher = request.app.state.watcher
    caller: Caller = request.scope["caller"]
    who = watcher.loaded.settings.evaluations.scorer_code
    if caller.role not in MAY[who]:
        raise Forbidden(
            f"a key of role {caller.role!r} may not send scorers that are code: `evaluations.scorer_code` is {who!r}. "
            "Let `gatelog eval` run it from a file where you are, or send its scores"
        )
