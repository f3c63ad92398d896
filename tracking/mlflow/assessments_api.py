"""MLflow's routes for what is said about traces."""

from __future__ import annotations

import re
from typing import Any

from providers.chat import Json
from tracking.assessments import KINDS, Assessment, Assessments
from tracking.mlflow.errors import invalid
from tracking.mlflow.traces_api import moment_of, strings
from tracking.mlflow.wire import Ask, Service
from tracking.trace_log import now_us

SOURCES = ("HUMAN", "LLM_JUDGE", "CODE", "SOURCE_TYPE_UNSPECIFIED")
NAME_MOST = 250


async def created(ask: Ask) -> Json:
    said = ask.needed("assessment")
    name = _name(said)
    kinds = [kind for kind in KINDS if said.has(kind)]
    if len(kinds) != 1:
        raise invalid(f"an assessment is one of {', '.join(KINDS)}; this has {', '.join(kinds) or 'none'}")
    now = now_us()
    made = Assessment(
        name=name,
        kind=kinds[0],
        value=said.needed(kinds[0]).body,
        source=_source(said),
        span_id=said.text("span_id", None),
        rationale=said.text("rationale", None),
        metadata=strings(said, "metadata") or None,
        overrides=said.text("overrides", None),
        valid=said.flag("valid", True),
        created_us=moment_of(said, "create_time") or now,
        updated_us=moment_of(said, "last_update_time") or now,
    )
    return {"assessment": await _assessments(ask).create(_trace(ask), made, key_id=ask.only)}


async def got(ask: Ask) -> Json:
    return {"assessment": await _assessments(ask).get(_trace(ask), _id(ask), key_id=ask.only)}


async def updated(ask: Ask) -> Json:
    """What `update_mask` names is changed, and the rest left; its paths are in snake case or in camel case."""
    said = ask.needed("assessment")
    changes: dict[str, Any] = {}
    for path in filter(None, ask.text("update_mask").split(",")):
        name = re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", path.strip())
        match name:
            case "assessment_name":
                changes["name"] = _name(said)
            case "rationale":
                changes["rationale"] = said.text("rationale", None)
            case "metadata":
                changes["metadata"] = strings(said, "metadata")
            case "valid":
                changes["valid"] = said.flag("valid", True)
            case "feedback" | "expectation" | "issue":
                changes[name] = said.needed(name).body
            case _:
                raise ask.fault("update_mask", path, "names of assessment_name, rationale, metadata, valid, a value")
    return {"assessment": await _assessments(ask).update(_trace(ask), _id(ask), changes, now_us(), key_id=ask.only)}


async def deleted(ask: Ask) -> Json:
    await _assessments(ask).delete(_trace(ask), _id(ask), key_id=ask.only)
    return {}


SERVICES: list[Service] = [
    ("POST", "3.0", "traces/{trace_id}/assessments", created, "track"),
    ("GET", "3.0", "traces/{trace_id}/assessments/{assessment_id}", got, "read"),
    ("PATCH", "3.0", "traces/{trace_id}/assessments/{assessment_id}", updated, "track"),
    ("DELETE", "3.0", "traces/{trace_id}/assessments/{assessment_id}", deleted, "track"),
]


def _assessments(ask: Ask) -> Assessments:
    assessments: Assessments = ask.state.assessments
    return assessments


def _trace(ask: Ask) -> str:
    return str(ask.request.path_params["trace_id"])


def _id(ask: Ask) -> str:
    return str(ask.request.path_params["assessment_id"])


def _name(said: Ask) -> str:
    name = said.text("assessment_name")
    if len(name) > NAME_MOST:
        raise invalid(f"assessment_name has {len(name)} characters; at most {NAME_MOST}")
    return name


def _source(said: Ask) -> Json | None:
    source = said.object("source")
    if source is None:
        return None
    return {"source_type": source.one_of("source_type", SOURCES), "source_id": source.text("source_id", "default")}
