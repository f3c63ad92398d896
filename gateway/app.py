"""Where everything meets: the only file that builds anything, and the order in which it starts and ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.types import ASGIApp

from evaluate.attachments import Attachments
from evaluate.closing import Closer
from evaluate.evaluating import Evaluating
from evaluate.making import Maker
from evaluate.reports import Reports
from evaluate.working import Means
from gateway import chores, memory, policy, revisions_api, routes
from gateway.calling import Calling
from gateway.ending import told
from gateway.front import Front
from gateway.hosts import Hosts
from gateway.inside import Inside
from gateway.lab_calls import LabCalls
from gateway.lifespan import beside, heeding
from gateway.policy import Guard
from gateway.reload import Watcher
from gateway.seals import Seals
from gateway.secrets import load_pepper
from gateway.sessions import Sessions
from gateway.settings import Loaded, Settings
from gateway.startup import keys_of
from gateway.webhooks import Deliverer
from promptlab.prompt_reading import Prompts
from promptlab.reopening import Originals
from promptlab.running import LabRuns
from providers.errors import GatewayError
from tracking.artifacts import open_artifacts
from tracking.database import open_store
from tracking.sessions import SessionStore
from tracking.stores import Stores


def create_app(loaded: Loaded) -> ASGIApp:
    """The application of one process, with everything that it needs; opened and closed by ASGI's lifespan."""
    settings = loaded.settings
    stores = Stores(open_store(settings.store))
    artifacts = open_artifacts(settings.artifacts, int(settings.server.max_upload))
    calling = Calling(loaded, stores)
    keys = keys_of(settings, stores.database)
    sessions = Sessions(SessionStore(stores.database), keys)
    calls = routes.direct(calling)
    pepper = load_pepper(settings.pepper_file())
    inside = Inside(calls, calling.directory, keys, calling.registered, Seals(pepper, "scorers"))
    deliverer = Deliverer(stores.webhooks, Seals(pepper, "webhooks"), lambda: watcher.loaded.settings.webhooks.allow)
    lab_calls, prompts = LabCalls(calling.engine, calling.directory, calling.registered), Prompts(stores.registry)
    lab_runs = _lab_runs(settings, stores, lab_calls, prompts)
    attachments = Attachments(stores.artifact_roots, artifacts)
    reports = Reports(stores.evaluations, stores.certificates, stores.logged_runs, attachments)
    evaluating = _evaluating(stores, Closer(stores.evaluations, stores.logged_runs, attachments, reports), inside)
    stopping = asyncio.Event()

    async def take_up(changed: Loaded) -> None:
        await calling.take_up(changed)
        app.state.directory = calling.directory()

    watcher = Watcher(loaded, os.environ, take_up)
    lasting = (
        watcher.run,
        chores.sweeping(stores.database, lambda: watcher.loaded.settings),
        revisions_api.noting(stores.revisions, lambda: watcher.loaded),
        keys.keep_noting,
        *(each.watch for each in (keys, calling.registered, deliverer, lab_runs, evaluating, reports)),
        *(each.watch for each in (stores.usage, stores.texts, stores.call_tags)),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        calling.recorder.start()
        await asyncio.gather(take_up(loaded), chores.known(keys))
        try:
            async with beside(lasting), heeding(signal.SIGHUP, watcher.reload):
                memory.settle()
                with told(stopping):
                    yield
        finally:
            await lab_runs.close()
            await deliverer.aclose()
            await keys.note_uses()
            await calling.close()
            await stores.database.close()

    app = Starlette(
        routes=routes.guarded(Guard(keys, sessions), calling, calls, sessions),
        lifespan=lifespan,
        exception_handlers={GatewayError: policy.refused},
    )
    app.router.default = policy.unknown
    app.state = State(
        {
            **vars(stores),
            "artifacts": artifacts,
            "deliverer": deliverer,
            "engine": calling.engine,
            "evaluating": evaluating,
            "evaluation_maker": _maker(stores, inside),
            "health": calling.health,
            "inside": inside,
            "keys": keys,
            "lab_calls": lab_calls,
            "lab_runs": lab_runs,
            "prompts": prompts,
            "recorder": calling.recorder,
            "reports": reports,
            "stopping": stopping,
            "tails": 0,
            "watcher": watcher,
        }
    )
    hosts = Hosts(app, settings.server.host, settings.server.allowed_hosts)
    return Front(hosts, calls, hosts, keys)


def _lab_runs(settings: Settings, stores: Stores, lab_calls: LabCalls, prompts: Prompts) -> LabRuns:
    return LabRuns(
        stores.labs,
        stores.lab_cells,
        lab_calls.ask,
        Originals(stores.runs),
        prompts.takes,
        most=int(settings.server.max_body),
        alone=settings.server.workers == 1 and not stores.database.postgres,
    )


def _evaluating(stores: Stores, closer: Closer, inside: Inside) -> Evaluating:
    means = Means(stores.evaluations, stores.runs, stores.assessments, inside, closer)
    return Evaluating(means, stores.logged_runs)


def _maker(stores: Stores, inside: Inside) -> Maker:
    of = stores.evaluations, stores.dataset_versions, stores.evaluation_datasets, stores.logged_runs
    return Maker(*of, inside)
