"""MLflow's routes for traces: told of by clients, searched, read, tagged, linked and deleted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.chat import Json
from tracking.mlflow.errors import invalid, missing
from tracking.mlflow.wire import Ask, Service, filled
from tracking.search import EPOCH
from tracking.trace_log import Told, TraceLog, now_us
from tracking.traces import PAGE, Trace, Traces

STATES = ("OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED")
TAG_NAME_MOST, TAG_VALUE_MOST = 250, 8000
LINKED_MOST = 100
BATCH_MOST = 500
ID = re.compile(r"[\w.:/@-]{1,200}")
_DURATION = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?s", re.ASCII)


async def told(ask: Ask) -> Json:
    """`POST 3.0 traces`: what a client says of a whole trace, at its end."""
    said = ask.needed("trace").needed("trace_info")
    where = said.needed("trace_location")
    experiment = where.object("mlflow_experiment")
    if experiment is None:
        raise invalid("traces are kept in experiments here; say trace_location.mlflow_experiment")
    id = said.text("trace_id")
    if not ID.fullmatch(id):
        raise said.fault("trace_id", id, "letters, digits and any of . : / @ _ - , at most 200")
    await _log(ask).tell(
        Told(
            id=id,
            experiment_id=whole_id(experiment),
            started_us=moment_of(said, "request_time") or now_us(),
            duration_us=_duration(said),
            state=said.one_of("state", STATES, "STATE_UNSPECIFIED"),
            client_request_id=said.text("client_request_id", None),
            request_preview=said.text("request_preview", None),
            response_preview=said.text("response_preview", None),
            metadata=strings(said, "trace_metadata"),
            tags=strings(said, "tags"),
        )
    )
    return {"trace": {"trace_info": await _info(ask, id)}}


async def info(ask: Ask) -> Json:
    """`GET 3.0 traces/{trace_id}`"""
    return {"trace": {"trace_info": await _info(ask, ask.text("trace_id"))}}


async def got(ask: Ask) -> Json:
    """`GET 3.0 traces/get`: one with its spans."""
    id = ask.text("trace_id")
    found = await _traces(ask).several([id], key_id=ask.only)
    if not found:
        raise unknown(id)
    return {"trace": shown(found[0])}


async def batch(ask: Ask) -> Json:
    """`GET 3.0 traces/batchGet`: those that there are, in this order, with their spans."""
    found = await _traces(ask).several(_ids(ask), key_id=ask.only)
    return {"traces": [shown(trace) for trace in found]}


async def batch_infos(ask: Ask) -> Json:
    """`POST 3.0 traces/batchGetInfos`"""
    found = await _traces(ask).infos(_ids(ask), key_id=ask.only)
    return {"trace_infos": [filled(each) for each in found]}


async def searched(ask: Ask) -> Json:
    """`POST 3.0 traces/search`"""
    experiments = []
    for where in ask.objects("locations"):
        experiment = where.object("mlflow_experiment")
        if experiment is None:
            raise invalid("traces are kept in experiments here; say locations[].mlflow_experiment")
        experiments.append(whole_id(experiment))
    if not experiments:
        raise ask.missing("locations")
    page = await _traces(ask).page(
        experiments,
        ask.text("filter", ""),
        ask.texts("order_by"),
        ask.whole("max_results", PAGE),
        ask.text("page_token", "") or None,
        key_id=ask.only,
    )
    return {"traces": [filled(each) for each in page.infos], "next_page_token": page.next_page_token}


async def tag_set(ask: Ask) -> Json:
    id, name, value = _addressed(ask), ask.text("key"), ask.text("value", "")
    if len(name) > TAG_NAME_MOST or len(value) > TAG_VALUE_MOST:
        raise invalid(
            f"tag {name[:50]!r} has {len(name)} characters and its value {len(value)}; "
            f"at most {TAG_NAME_MOST} and {TAG_VALUE_MOST}"
        )
    await _log(ask).set_tag(id, name, value, key_id=ask.only)
    return {}


async def tag_deleted(ask: Ask) -> Json:
    await _log(ask).delete_tag(_addressed(ask), ask.text("key"), key_id=ask.only)
    return {}


async def deleted(ask: Ask) -> Json:
    """`POST traces/delete-traces`: by ids, or up to a time."""
    ids, until = ask.texts("request_ids"), ask.whole("max_timestamp_millis", None)
    most = ask.whole("max_traces", None)
    if bool(ids) == (until is not None):
        raise invalid("Either `max_timestamp_millis` or `request_ids` must be specified, but not both.")
    if ids and most is not None:
        raise invalid("`max_traces` can't be specified if `request_ids` is specified.")
    if most is not None and most < 1:
        raise invalid(f"`max_traces` must be a positive integer, received {most}.")
    count = await _log(ask).delete(whole_id(ask), ids=ids or None, until_ms=until, most=most)
    return {"traces_deleted": count}


async def linked_to_run(ask: Ask) -> Json:
    ids = ask.texts("trace_ids")
    if len(ids) > LINKED_MOST:
        raise invalid(f"Cannot link more than {LINKED_MOST} traces to a run in a single request. Provided {len(ids)}.")
    await _log(ask).link(ids, ask.text("run_id"), key_id=ask.only)
    return {}


async def linked_to_prompts(ask: Ask) -> Json:
    prompts = [(each.text("name"), each.text("version")) for each in ask.objects("prompt_versions")]
    await _log(ask).link_prompts(ask.text("trace_id"), prompts, key_id=ask.only)
    return {}


SERVICES: list[Service] = [
    ("POST", "3.0", "traces", told, "track"),
    ("GET", "3.0", "traces/get", got, "read"),
    ("GET", "3.0", "traces/batchGet", batch, "read"),
    ("POST", "3.0", "traces/batchGetInfos", batch_infos, "read"),
    ("POST", "3.0", "traces/search", searched, "read"),
    ("POST", "2.0", "traces/delete-traces", deleted, "track"),
    ("POST", "3.0", "traces/delete-traces", deleted, "track"),
    ("POST", "2.0", "traces/link-to-run", linked_to_run, "track"),
    ("POST", "2.0", "traces/link-prompts", linked_to_prompts, "track"),
    ("PATCH", "2.0", "traces/{trace_id}/tags", tag_set, "track"),
    ("PATCH", "3.0", "traces/{trace_id}/tags", tag_set, "track"),
    ("DELETE", "2.0", "traces/{trace_id}/tags", tag_deleted, "track"),
    ("DELETE", "3.0", "traces/{trace_id}/tags", tag_deleted, "track"),
    ("GET", "3.0", "traces/{trace_id}", info, "read"),
]
"""In the order in which paths are tried."""


def shown(trace: Trace) -> Json:
    return {"trace_info": filled(trace.info), "spans": trace.spans}


def whole_id(ask: Ask) -> int:
    """`experiment_id`, which is a number written as a string."""
    id = ask.text("experiment_id")
    if not re.fullmatch(r"\d{1,18}", id, re.ASCII):
        raise missing(f"No Experiment with id={id[:100]} exists")
    return int(id)


def strings(ask: Ask, name: str) -> dict[str, str]:
    """An object of strings, empty when absent."""
    found = ask.object(name)
    if found is None:
        return {}
    for key in found.body:
        if "\x00" in key or not key.isprintable():
            raise ask.fault(name, key, "an object whose names are printable text")
    return {key: found.text(key, "") for key in found.body}


def moment_of(ask: Ask, name: str) -> int | None:
    """Microseconds of an RFC 3339 time."""
    said = ask.text(name, None)
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as exc:
        raise ask.fault(name, said, "a time like 2026-01-31T12:00:00.000Z") from exc
    if moment.tzinfo is None:
        raise ask.fault(name, said, "a time with its zone, like 2026-01-31T12:00:00.000Z")
    return (moment - EPOCH) // timedelta(microseconds=1)


def unknown(id: str) -> Exception:
    return missing(f"Trace with ID '{id[:100]}' not found.")


def _traces(ask: Ask) -> Traces:
    traces: Traces = ask.state.traces
    return traces


def _log(ask: Ask) -> TraceLog:
    log: TraceLog = ask.state.trace_log
    return log


async def _info(ask: Ask, id: str) -> Json:
    found = await _traces(ask).infos([id], key_id=ask.only)
    if not found:
        raise unknown(id)
    return filled(found[0])


def _addressed(ask: Ask) -> str:
    id: Any = ask.request.path_params["trace_id"]
    return str(id)


def _ids(ask: Ask) -> list[str]:
    ids = ask.texts("trace_ids")
    if len(ids) > BATCH_MOST:
        raise invalid(f"there are {len(ids)} trace_ids; at most {BATCH_MOST} are read at a time")
    return list(dict.fromkeys(ids))


def _duration(ask: Ask) -> int | None:
    said = ask.text("execution_duration", None)
    if said is None:
        return None
    if not _DURATION.fullmatch(said):
        raise ask.fault("execution_duration", said, "seconds like 0.034s")
    return int(Decimal(said[:-1]) * 1_000_000)
