"""The REST API of prompts: MLflow's registry, as the page has it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from promptlab.differences import differences
from promptlab.prompt_versions import NewVersion, said, shown_prompt, shown_version, tags_of
from providers.chat import Json
from providers.errors import InvalidRequest, NotFound
from tracking import rest
from tracking.alias_moves import AliasMoves, Move
from tracking.mlflow.plainly import plainly
from tracking.moments import seconds_of
from tracking.registry import Registry
from tracking.registry_names import own_alias
from tracking.registry_rows import IS_PROMPT, Model, Version
from tracking.registry_search import RegistrySearch
from tracking.rest import Row, Sent
from tracking.usage_report import BUCKETS, Question, UsageReports, today

SOURCE = "prompt-template"
"""What MLflow's clients say that a prompt's version is from."""
VERSIONS_MOST = 1_000
EVIDENCE_MOST = 64 << 10
PROTECTED_MOST = 100
PROMPTS = f"tags.`{IS_PROMPT}` = 'true'"
Text = Annotated[str, Field(max_length=10_000)]
Tags = dict[str, Annotated[str, Field(max_length=5_000)]]
Changes = dict[str, Annotated[str, Field(max_length=5_000)] | None]


class NewPrompt(Sent):
    name: Annotated[str, Field(min_length=1, max_length=256)]
    description: Text | None = None
    tags: Tags = {}
    version: NewVersion | None = None


class PromptChange(Sent):
    description: Text | None = None
    tags: Changes = {}


class VersionChange(Sent):
    commit_message: Text | None = None
    tags: Changes = {}


class Promotion(Sent):
    version: Annotated[int, Field(ge=1)]
    note: Text | None = None
    evidence: Json | None = None
    if_version: Annotated[int, Field(ge=1)] | None = None


class Reason(Sent):
    note: Text | None = None


class Protected(Sent):
    aliases: Annotated[list[str], Field(max_length=PROTECTED_MOST)]


async def listed(request: Request) -> Response:
    """`GET /api/prompts`."""
    query = rest.asked(request, "query", "page_size", "page_token")
    size = rest.whole("page_size", query.get("page_size", str(rest.PAGE)), 1, rest.PAGE_MOST)
    filter = PROMPTS
    if wanted := query.get("query"):
        pattern = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("'", "''")
        filter = f"{PROMPTS} AND name ILIKE '%{pattern}%'"
    search: RegistrySearch = request.app.state.registry_search
    found, token = await search.models(filter, ["name ASC"], size, query.get("page_token"))
    return rest.answer({"prompts": [shown_prompt(model) for model in found], "next_page_token": token})


async def created(request: Request) -> Response:
    """`POST /api/prompts`."""
    body = await rest.read(request, NewPrompt)
    with plainly():
        await _registry(request).create_model(body.name, {**body.tags, IS_PROMPT: "true"}, body.description)
    if body.version is not None:
        await _add(request, body.name, body.version)
    return rest.answer(await _whole(request, body.name), 201)


async def got(request: Request) -> Response:
    """`GET /api/prompts/{name}`."""
    return rest.answer(await _whole(request, (await _prompt(request)).name))


async def changed(request: Request) -> Response:
    """`PATCH /api/prompts/{name}`."""
    body, prompt = await rest.read(request, PromptChange), await _prompt(request)
    registry, name = _registry(request), prompt.name
    with plainly():
        if "description" in body.model_fields_set:
            await registry.describe(name, body.description or "")
        for key, value in body.tags.items():
            _ours(key)
            await (registry.delete_tag(name, key) if value is None else registry.set_tag(name, key, value))
    return rest.answer(await _whole(request, name))


async def deleted(request: Request) -> Response:
    """`DELETE /api/prompts/{name}`."""
    prompt = await _prompt(request)
    with plainly():
        await _registry(request).delete_model(prompt.name, Move(by=rest.caller(request)))
    return rest.nothing()


async def new_version(request: Request) -> Response:
    """`POST /api/prompts/{name}/versions`."""
    body, prompt = await rest.read(request, NewVersion), await _prompt(request)
    return rest.answer(shown_version(await _add(request, prompt.name, body)), 201)


async def version(request: Request) -> Response:
    """`GET /api/prompts/{name}/versions/{version}`."""
    return rest.answer(shown_version(await _version(request, request.path_params["version"])))


async def changed_version(request: Request) -> Response:
    """`PATCH /api/prompts/{name}/versions/{version}`."""
    body, found = await rest.read(request, VersionChange), await _version(request, request.path_params["version"])
    registry, name, number = _registry(request), found.name, found.version
    with plainly():
        if "commit_message" in body.model_fields_set:
            await registry.describe_version(name, number, body.commit_message)
        for key, value in body.tags.items():
            _ours(key)
            if value is None:
                await registry.delete_version_tag(name, number, key)
            else:
                await registry.set_version_tag(name, number, key, value)
    return rest.answer(shown_version(await registry.version(name, number)))


async def deleted_version(request: Request) -> Response:
    """`DELETE /api/prompts/{name}/versions/{version}`."""
    found = await _version(request, request.path_params["version"])
    with plainly():
        await _registry(request).delete_version(found.name, found.version, Move(by=rest.caller(request)))
    return rest.nothing()


async def compared(request: Request) -> Response:
    """`GET /api/prompts/{name}/diff`."""
    query = rest.asked(request, "from", "to")
    if query.keys() != {"from", "to"}:
        raise InvalidRequest("say two versions, as from=1&to=2")
    old, new = await _version(request, query["from"]), await _version(request, query["to"])
    changes = await asyncio.to_thread(differences, _compared(old), _compared(new))
    return rest.answer({"from": shown_version(old), "to": shown_version(new), "changes": changes})


async def used(request: Request) -> Response:
    """`GET /api/prompts/{name}/usage`."""
    query, prompt = rest.asked(request, "since", "until", "bucket"), await _prompt(request)
    since, until = today()
    if "until" in query:
        until = seconds_of("until", query["until"], up=True)
        since = until - 86_400
    if "since" in query:
        since = seconds_of("since", query["since"], up=False)
    bucket = query.get("bucket")
    if bucket is not None and bucket not in BUCKETS:
        raise InvalidRequest(f"bucket is {bucket!r}; say {', '.join(BUCKETS)}", param="bucket")
    question = Question(
        since=since, until=until, bucket=bucket, group_by=("prompt_version",), only={"prompt": [prompt.name]}
    )
    reports: UsageReports = request.app.state.usage_reports
    return rest.answer(await reports.report(question, key_id=rest.own_key(request)))


async def promoted(request: Request) -> Response:
    """`PUT /api/prompts/{name}/aliases/{alias}`."""
    body, prompt = await rest.read(request, Promotion), await _prompt(request)
    if body.evidence is not None and len(orjson.dumps(body.evidence)) > EVIDENCE_MOST:
        raise InvalidRequest(f"evidence has more than {EVIDENCE_MOST} bytes", param="evidence")
    expected = (body.if_version,) if "if_version" in body.model_fields_set else None
    move = Move(by=rest.caller(request), note=body.note, evidence=body.evidence, expected=expected)
    with plainly():
        made = await _registry(request).set_alias(prompt.name, request.path_params["alias"], body.version, move)
    return rest.answer(made)


async def removed(request: Request) -> Response:
    """`DELETE /api/prompts/{name}/aliases/{alias}`."""
    body, prompt = await rest.read(request, Reason), await _prompt(request)
    alias = request.path_params["alias"]
    with plainly():
        made = await _registry(request).delete_alias(prompt.name, alias, Move(by=rest.caller(request), note=body.note))
    if made is None:
        raise NotFound(f"the prompt has no alias {alias!r}")
    return rest.answer(made)


async def rolled_back(request: Request) -> Response:
    """`POST /api/prompts/{name}/aliases/{alias}/rollback`."""
    body, prompt = await rest.read(request, Reason), await _prompt(request)
    move = Move(by=rest.caller(request), note=body.note)
    with plainly():
        made = await _registry(request).roll_back(prompt.name, request.path_params["alias"], move)
    return rest.answer(made)


async def moved(request: Request) -> Response:
    """`GET /api/prompts/{name}/moves`."""
    query, prompt = rest.asked(request, "alias"), await _prompt(request)
    return rest.answer({"moves": await _moves(request).of(prompt.name, query.get("alias"))})


async def protected(request: Request) -> Response:
    """`GET /api/prompts/protected-aliases`."""
    return rest.answer({"aliases": await _moves(request).protected()})


async def protects(request: Request) -> Response:
    """`PUT /api/prompts/protected-aliases`."""
    body = await rest.read(request, Protected)
    with plainly():
        aliases = [own_alias(alias) for alias in body.aliases]
    await _moves(request).protect(aliases)
    return rest.answer({"aliases": await _moves(request).protected()})


ROUTES: list[Row] = [
    ("/api/prompts", listed, ["GET"], "read"),
    ("/api/prompts", created, ["POST"], "track"),
    ("/api/prompts/protected-aliases", protected, ["GET"], "read"),
    ("/api/prompts/protected-aliases", protects, ["PUT"], "admin"),
    ("/api/prompts/{name}", got, ["GET"], "read"),
    ("/api/prompts/{name}", changed, ["PATCH"], "track"),
    ("/api/prompts/{name}", deleted, ["DELETE"], "track"),
    ("/api/prompts/{name}/versions", new_version, ["POST"], "track"),
    ("/api/prompts/{name}/versions/{version}", version, ["GET"], "read"),
    ("/api/prompts/{name}/versions/{version}", changed_version, ["PATCH"], "track"),
    ("/api/prompts/{name}/versions/{version}", deleted_version, ["DELETE"], "track"),
    ("/api/prompts/{name}/diff", compared, ["GET"], "read"),
    ("/api/prompts/{name}/usage", used, ["GET"], "read"),
    ("/api/prompts/{name}/moves", moved, ["GET"], "read"),
    ("/api/prompts/{name}/aliases/{alias}", promoted, ["PUT"], "track"),
    ("/api/prompts/{name}/aliases/{alias}", removed, ["DELETE"], "track"),
    ("/api/prompts/{name}/aliases/{alias}/rollback", rolled_back, ["POST"], "track"),
]


async def _prompt(request: Request) -> Model:
    """The one that the path names. A model that is no prompt is none."""
    name = request.path_params["name"]
    with plainly():
        model = await _registry(request).model(name)
    if not model.is_prompt:
        raise NotFound(f"{name!r} is a model and no prompt")
    return model


async def _version(request: Request, number: str) -> Version:
    prompt = await _prompt(request)
    with plainly():
        return await _registry(request).version(prompt.name, rest.whole("version", number, 1, 10**9))


async def _whole(request: Request, name: str) -> Json:
    search: RegistrySearch = request.app.state.registry_search
    with plainly():
        prompt = await _registry(request).model(name)
    quoted = name.replace("'", "''")
    found, _ = await search.versions(f"{PROMPTS} AND name = '{quoted}'", ["version_number DESC"], VERSIONS_MOST, None)
    return {**shown_prompt(prompt), "versions": [shown_version(version) for version in found]}


async def _add(request: Request, name: str, new: NewVersion) -> Version:
    with plainly():
        return await _registry(request).create_version(
            name,
            SOURCE,
            user_id=rest.caller(request).name,
            description=new.commit_message,
            tags=tags_of(new),
        )


def _compared(version: Version) -> Json:
    what = said(version)
    del what["variables"]
    return what


def _ours(key: str) -> None:
    if key.startswith(("mlflow.prompt.", "_mlflow_prompt_")):
        raise InvalidRequest(f"the tag {key!r} is written by what it holds; make a new version", param="tags")


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


def _moves(request: Request) -> AliasMoves:
    moves: AliasMoves = request.app.state.alias_moves
    return moves
