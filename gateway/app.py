"""Where everything meets: the only file that builds anything."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp

from evaluate.closing import Closer
from evaluate.evaluating import Evaluating
from evaluate.making import Maker
from evaluate.working import Means
from gateway import (
    admin,
    chores,
    datasets_api,
    evaluation_making_api,
    evaluations_api,
    judges_api,
    keys_api,
    lab_verdict_api,
    memory,
    models_api,
    operations_api,
    overview_api,
    policy,
    revisions_api,
    run_finding_api,
    runs_api,
    usage_api,
)
from gateway.calls import Calls
from gateway.directory import Directory, priced
from gateway.ending import told
from gateway.engine import Engine
from gateway.front import Front
from gateway.hosts import Hosts
from gateway.idempotency import Idempotency
from gateway.inside import Inside
from gateway.lab_calls import LabCalls
from gateway.openapi_api import Description
from gateway.policy import Guard
from gateway.registered import Registered
from gateway.reload import Watcher
from gateway.routing import Health
from gateway.seals import Seals
from gateway.secrets import load_pepper
from gateway.sessions import Sessions
from gateway.settings import Loaded
from gateway.startup import keys_of
from gateway.webhooks import Deliverer
from promptlab import page
from promptlab import services as promptlab
from promptlab.prompt_reading import Prompts
from promptlab.reopening import Originals
from promptlab.running import LabRuns
from providers.assemble import assemble
from providers.chat import Kind
from providers.client import Client
from providers.errors import GatewayError
from tracking.alias_moves import AliasMoves
from tracking.answer_sizes import AnswerSizes
from tracking.artifact_roots import ArtifactRoots
from tracking.artifacts import open_artifacts
from tracking.assessments import Assessments
from tracking.call_tags import CallTags
from tracking.certificates import Certificates
from tracking.counting import Counting
from tracking.database import open_store
from tracking.dataset_versions import DatasetVersions
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.evaluations import Evaluations
from tracking.experiments import Experiments
from tracking.feedback import Feedback
from tracking.idempotency import Claims
from tracking.journal import Journal
from tracking.lab_cells import LabCells
from tracking.lab_votes import LabVotes
from tracking.labs import Labs
from tracking.logged_models import LoggedModels
from tracking.logged_runs import LoggedRuns
from tracking.metric_history import MetricHistory
from tracking.mlflow import services as mlflow
from tracking.model_search import ModelSearch
from tracking.money import Price
from tracking.prices import PriceBook
from tracking.recorder import Recorder
from tracking.registry import Registry
from tracking.registry_search import RegistrySearch
from tracking.revisions import Revisions
from tracking.run_search import RunSearch
from tracking.runs import Runs
from tracking.saved_views import SavedViews
from tracking.scorers import Scorers
from tracking.sessions import SessionStore
from tracking.texts import Texts
from tracking.tokens import count_request, count_text
from tracking.trace_log import TraceLog
from tracking.traces import Traces
from tracking.usage import Keeping
from tracking.usage_report import UsageReports
from tracking.webhooks import Webhooks

DRAIN_SECONDS = 10.0
"""For the recorder, when the server stops. What is left then waits in the journal for the next start."""
log = logging.getLogger("gatelog")


def create_app(loaded: Loaded) -> ASGIApp:
    """The application of one process, with everything that it needs; opened and closed by ASGI's lifespan."""
    settings = loaded.settings
    book = PriceBook()
    if priced(loaded):
        book.warm()
    database = open_store(settings.store)
    folder = settings.journal_directory()
    journal = Journal(folder, fsync=settings.journal.fsync == "always")
    counting = Counting(request=count_request, text=count_text, assemble=assemble, price=Price.from_snapshot)
    recorder = Recorder(settings.store, folder, journal, counting)
    client, health = Client(), Health()
    engine = Engine(client, journal, health, counting.aside)
    keys = keys_of(settings, database)
    sessions = Sessions(SessionStore(database), keys)
    runs, keeping = Runs(database), Keeping(database)
    idempotency = Idempotency(Claims(database), runs)
    guard = Guard(keys, sessions)

    stopping = asyncio.Event()
    taken_up: list[Directory] = []

    def current() -> Directory:
        return taken_up[0]

    registry = Registry(database)
    registered = Registered(registry, current, int(settings.server.max_body))
    lab_calls, labs, prompts = LabCalls(engine, current, registered), Labs(database), Prompts(registry)
    lab_runs = LabRuns(
        labs,
        LabCells(database),
        lab_calls.ask,
        Originals(runs),
        prompts.takes,
        most=int(settings.server.max_body),
        alone=settings.server.workers == 1 and not database.postgres,
    )
    webhooks = Webhooks(database)
    seals = Seals(load_pepper(settings.pepper_file()), "webhooks")
    deliverer = Deliverer(webhooks, seals, lambda: watcher.loaded.settings.webhooks.allow)

    def calls(kind: Kind | None) -> Calls:
        return Calls(kind, engine, current, idempotency, registered, int(settings.server.max_body))

    async def take_up(changed: Loaded) -> None:
        if priced(changed):
            await asyncio.to_thread(book.warm().join)
        taken_up[:] = [Directory(changed, book)]
        app.state.directory = taken_up[0]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        recorder.start()
        await asyncio.gather(take_up(loaded), chores.known(keys))
        sweep = chores.sweeping(database, lambda: watcher.loaded.settings)
        watching = (keys, registered, deliverer, keeping, Texts(database), CallTags(database), evaluating)
        noting = revisions_api.noting(Revisions(database), lambda: watcher.loaded)
        lasting = (watcher.run, sweep, noting, lab_runs.watch, keys.keep_noting, *(each.watch for each in watching))
        tasks = [asyncio.create_task(chores.kept(chore)) for chore in lasting]
        loop = asyncio.get_running_loop()
        reloads: set[asyncio.Task[bool]] = set()

        def hung_up() -> None:
            task = loop.create_task(watcher.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, hung_up)
        memory.settle()
        try:
            with told(stopping):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            for task in (*tasks, *reloads):
                task.cancel()
            await asyncio.gather(*tasks, *reloads, return_exceptions=True)
            await lab_runs.close()
            await client.aclose()
            await deliverer.aclose()
            await keys.note_uses()
            journal.close()
            if not await recorder.drain(DRAIN_SECONDS):
                log.warning("not all calls could be recorded; the journal keeps the rest for the next start")
            await database.close()

    direct = {
        "/v1/chat/completions": calls("chat"),
        "/v1/completions": calls("completions"),
        "/v1/embeddings": calls("embeddings"),
    }
    routes = guard.routes(
        [
            ("/gateway/mlflow/v1/chat/completions", calls("chat"), ["POST"], "call"),
            ("/gateway/{endpoint}/invocations", calls(None), ["POST"], "call"),
            ("/endpoints/{endpoint}/invocations", calls(None), ["POST"], "call"),
            *models_api.ROUTES,
            *run_finding_api.ROUTES,
            *promptlab.rows(),
            *lab_verdict_api.ROUTES,
            *runs_api.ROUTES,
            *usage_api.ROUTES,
            *overview_api.ROUTES,
            *keys_api.ROUTES,
            *datasets_api.ROUTES,
            *evaluation_making_api.ROUTES,
            *evaluations_api.ROUTES,
            *judges_api.ROUTES,
            *admin.ROUTES,
            *operations_api.ROUTES,
            *revisions_api.ROUTES,
            *mlflow.rows(),
            *Description(guard.made).routes,
            ("/api/whoami", sessions.whoami, ["GET"], "public"),
            ("/login", sessions.follow_link, ["GET"], "public"),
            ("/login", sessions.paste_key, ["POST"], "public"),
            ("/logout", sessions.leave, ["POST"], "read"),
            *page.ROUTES,
        ]
    )
    routes += guard.routes((path, called, ["POST"], "call") for path, called in direct.items())
    policy.check(routes)
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={GatewayError: policy.refused})
    app.router.default = policy.unknown
    watcher = Watcher(loaded, os.environ, take_up)
    app.state.database, app.state.runs, app.state.keys = database, runs, keys
    app.state.stopping, app.state.tails = stopping, 0
    app.state.labs, app.state.lab_runs, app.state.prompts = labs, lab_runs, prompts
    app.state.lab_calls, app.state.lab_votes = lab_calls, LabVotes(database)
    app.state.answer_sizes, app.state.alias_moves = AnswerSizes(database), AliasMoves(database)
    app.state.feedback, app.state.saved_views = Feedback(database), SavedViews(database)
    app.state.experiments, app.state.metric_history = Experiments(database), MetricHistory(database)
    app.state.logged_runs, app.state.run_search = LoggedRuns(database), RunSearch(database)
    app.state.usage_reports = UsageReports(database, keeping)
    app.state.engine, app.state.health = engine, health
    app.state.registry, app.state.registry_search = registry, RegistrySearch(database)
    app.state.webhooks, app.state.deliverer = webhooks, deliverer
    app.state.artifacts = open_artifacts(settings.artifacts, int(settings.server.max_upload))
    app.state.artifact_roots = ArtifactRoots(database)
    app.state.logged_models, app.state.model_search = LoggedModels(database), ModelSearch(database)
    app.state.traces, app.state.trace_log = Traces(database), TraceLog(database)
    app.state.assessments, app.state.scorers = Assessments(database), Scorers(database)
    app.state.evaluation_datasets = EvaluationDatasets(database)
    evaluations, datasets = Evaluations(database), DatasetVersions(database)
    app.state.evaluations, app.state.dataset_versions = evaluations, datasets
    app.state.certificates = Certificates(database)
    inside = Inside({path: calls(kind) for kind, path in operations_api.PATHS.items()}, current, keys, registered)
    app.state.inside, app.state.revisions = inside, Revisions(database)
    app.state.evaluation_maker = Maker(
        evaluations, datasets, app.state.evaluation_datasets, app.state.logged_runs, inside
    )
    closer = Closer(evaluations, app.state.logged_runs, app.state.artifact_roots, app.state.artifacts)
    means = Means(evaluations, runs, app.state.assessments, inside, closer)
    evaluating = app.state.evaluating = Evaluating(means, app.state.logged_runs)
    app.state.recorder, app.state.watcher = recorder, watcher
    hosts = Hosts(app, settings.server.host, settings.server.allowed_hosts)
    return Front(hosts, direct, hosts, keys)
