"""The REST API of labs for what is said of them beforehand and afterwards: forecasts, blind votes."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from promptlab.calling import Quoting
from promptlab.forecast import forecast
from promptlab.lab_api import lab, runs
from promptlab.lab_run_api import Cells, chosen
from promptlab.pairs import Pair, open_pairs, pairs, shown_pair, shown_vote, tally
from providers.errors import Conflict, NotFound
from tracking import rest
from tracking.answer_sizes import AnswerSizes
from tracking.feedback import Feedback
from tracking.lab_votes import Choice, LabVotes
from tracking.rest import Row, Sent

PREFERENCE = "preference"
SAID = {"left": ("win", "loss"), "right": ("loss", "win"), "tie": ("tie", "tie"), "both_bad": ("both_bad", "both_bad")}
"""What a choice says of the first answer and of the second."""


class VoteSent(Sent):
    pair: str
    choice: Choice
    note: Annotated[str, Field(max_length=10_000)] | None = None


async def forecasted(request: Request) -> Response:
    """`POST /api/lab/{id}/forecast`."""
    body = await rest.read(request, Cells)
    found, key_id = await lab(request), rest.own_key(request)
    _, asked = await runs(request).questions(found, chosen(body.cells), key_id=key_id)
    _, answered = await runs(request).answered(found)
    sizes: AnswerSizes = request.app.state.answer_sizes
    quote: Quoting = request.app.state.lab_calls.quote
    return rest.answer(await forecast(asked, answered, partial(sizes.of, key_id=key_id), quote))


async def next_pair(request: Request) -> Response:
    """`GET /api/lab/{id}/pairs/next`."""
    query = rest.asked(request, "columns")
    found = await lab(request)
    state, cells = await runs(request).answered(found)
    asked = query.get("columns")
    columns = {column.id for column in state.columns}
    wanted = columns if asked is None else columns & set(asked.split(","))
    every = pairs(found.id, _voter(request), cells, wanted)
    left = open_pairs(every, await _votes(request).of(found.id), rest.caller(request).key_id)
    shown = shown_pair(left[0], state) if left else None
    return rest.answer({"pair": shown, "left": len(left), "done": len(every) - len(left)})


async def voted(request: Request) -> Response:
    """`POST /api/lab/{id}/votes`."""
    body = await rest.read(request, VoteSent)
    found, caller = await lab(request), rest.caller(request)
    state, cells = await runs(request).answered(found)
    every = pairs(found.id, _voter(request), cells, {column.id for column in state.columns})
    pair = next((pair for pair in every if pair.id == body.pair), None)
    if pair is None:
        raise NotFound("these answers are no longer in the lab; ask for the next pair", code="no_such_pair")
    if pair not in open_pairs([pair], await _votes(request).of(found.id), caller.key_id):
        raise Conflict("you have decided on these already", code="voted_already")
    left, right = _sides(pair)
    place = pair.left.place
    vote = await _votes(request).add(found.id, place.row, place.repeat, left, right, body.choice, body.note, caller)
    feedback: Feedback = request.app.state.feedback
    for (_, run), (_, other), said, order in zip(
        (left, right), (right, left), SAID[body.choice], ("first", "second"), strict=True
    ):
        metadata = {"gatelog.lab": found.id, "gatelog.against": other, "gatelog.shown": order}
        await feedback.say(
            run,
            PREFERENCE,
            said,
            body.note,
            caller,
            metadata=metadata,
            beside=True,
            key_id=rest.own_key(request),
        )
    return rest.answer(shown_vote(vote), 201)


async def votes(request: Request) -> Response:
    """`GET /api/lab/{id}/votes`."""
    return rest.answer(tally(await _votes(request).of((await lab(request)).id)))


ROUTES: list[Row] = [
    ("/api/lab/{id}/forecast", forecasted, ["POST"], "read"),
    ("/api/lab/{id}/pairs/next", next_pair, ["GET"], "read"),
    ("/api/lab/{id}/votes", voted, ["POST"], "track"),
    ("/api/lab/{id}/votes", votes, ["GET"], "read"),
]


def _votes(request: Request) -> LabVotes:
    votes: LabVotes = request.app.state.lab_votes
    return votes


def _voter(request: Request) -> str:
    return rest.caller(request).key_id or ""


def _sides(pair: Pair) -> tuple[tuple[str, str], tuple[str, str]]:
    (a, b), (c, d) = ((cell.place.column, cell.run_id or "") for cell in (pair.left, pair.right))
    return (a, b), (c, d)
