"""All that reads and writes the store, one of each over one database."""

from __future__ import annotations

from tracking.alias_moves import AliasMoves
from tracking.answer_sizes import AnswerSizes
from tracking.artifact_roots import ArtifactRoots
from tracking.assessments import Assessments
from tracking.call_tags import CallTags
from tracking.certificates import Certificates
from tracking.database import Database
from tracking.dataset_versions import DatasetVersions
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.evaluations import Evaluations
from tracking.experiments import Experiments
from tracking.feedback import Feedback
from tracking.lab_cells import LabCells
from tracking.lab_votes import LabVotes
from tracking.labs import Labs
from tracking.logged_models import LoggedModels
from tracking.logged_runs import LoggedRuns
from tracking.metric_history import MetricHistory
from tracking.model_search import ModelSearch
from tracking.registry import Registry
from tracking.registry_search import RegistrySearch
from tracking.revisions import Revisions
from tracking.run_search import RunSearch
from tracking.runs import Runs
from tracking.saved_views import SavedViews
from tracking.scorers import Scorers
from tracking.texts import Texts
from tracking.trace_log import TraceLog
from tracking.trace_metrics import TraceMetrics
from tracking.traces import Traces
from tracking.usage import Keeping
from tracking.usage_report import UsageReports
from tracking.webhooks import Webhooks


class Stores:
    """Routes find each by its name here, as `request.app.state.<name>`."""

    def __init__(self, database: Database) -> None:
        self.database = database

        self.runs = Runs(database)
        self.texts = Texts(database)
        self.call_tags = CallTags(database)
        self.feedback = Feedback(database)
        self.saved_views = SavedViews(database)
        self.usage = Keeping(database)
        self.usage_reports = UsageReports(database, self.usage)
        self.revisions = Revisions(database)

        self.experiments = Experiments(database)
        self.logged_runs = LoggedRuns(database)
        self.run_search = RunSearch(database)
        self.metric_history = MetricHistory(database)
        self.logged_models = LoggedModels(database)
        self.model_search = ModelSearch(database)
        self.artifact_roots = ArtifactRoots(database)
        self.traces = Traces(database)
        self.trace_log = TraceLog(database)
        self.trace_metrics = TraceMetrics(database)
        self.assessments = Assessments(database)
        self.scorers = Scorers(database)
        self.registry = Registry(database)
        self.registry_search = RegistrySearch(database)
        self.alias_moves = AliasMoves(database)
        self.webhooks = Webhooks(database)

        self.labs = Labs(database)
        self.lab_cells = LabCells(database)
        self.lab_votes = LabVotes(database)
        self.answer_sizes = AnswerSizes(database)

        self.evaluation_datasets = EvaluationDatasets(database)
        self.dataset_versions = DatasetVersions(database)
        self.evaluations = Evaluations(database)
        self.certificates = Certificates(database)
