"""Datasets of evaluation and the registry of scorers, by MLflow's own client."""

from __future__ import annotations

from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.genai import datasets
from mlflow.genai.scorers import Guidelines, ScorerSamplingConfig, delete_scorer, get_scorer, list_scorers

pytestmark = [pytest.mark.usefixtures("experiment"), pytest.mark.filterwarnings("default")]
RECORDS = [
    {"inputs": {"q": "a"}, "expectations": {"expected": "A"}},
    {"inputs": {"q": "b"}, "expectations": {"expected": "B"}, "tags": {"hard": "yes"}},
]


def test_a_dataset_is_made_filled_and_read_as_a_table(experiment: str) -> None:
    made = datasets.create_dataset(name=f"ds-{experiment}", experiment_id=experiment, tags={"team": "search"})
    assert made.dataset_id.startswith("d-")
    made.merge_records(RECORDS)
    table = datasets.get_dataset(dataset_id=made.dataset_id).to_df()
    assert [inputs["q"] for inputs in table["inputs"]] == ["a", "b"]
    assert [expected["expected"] for expected in table["expectations"]] == ["A", "B"]
    read = datasets.get_dataset(dataset_id=made.dataset_id)
    assert (read.name, read.tags["team"]) == (f"ds-{experiment}", "search")
    assert '"num_records":2' in read.profile
    assert '"q":"string"' in read.schema


def test_records_with_the_same_inputs_are_merged(experiment: str) -> None:
    made = datasets.create_dataset(name=f"merged-{experiment}", experiment_id=experiment)
    made.merge_records(RECORDS)
    before = made.digest
    made.merge_records([{"inputs": {"q": "b"}, "expectations": {"more": 1}}, {"inputs": {"q": "c"}}])
    read = datasets.get_dataset(dataset_id=made.dataset_id)
    table = read.to_df()
    assert [inputs["q"] for inputs in table["inputs"]] == ["a", "b", "c"]
    assert table["expectations"][1] == {"expected": "B", "more": 1}
    assert table["tags"][1]["hard"] == "yes"
    assert read.digest != before
    read.delete_records([table["dataset_record_id"][0]])
    assert len(datasets.get_dataset(dataset_id=made.dataset_id).to_df()) == 2


def test_traces_become_records(experiment: str) -> None:
    @mlflow.trace
    def ask(q: str) -> str:
        return q.upper()

    ask("x")
    mlflow.flush_trace_async_logging()
    made = datasets.create_dataset(name=f"traced-{experiment}", experiment_id=experiment)
    made.merge_records(mlflow.search_traces(locations=[experiment]))
    table = datasets.get_dataset(dataset_id=made.dataset_id).to_df()
    assert table["inputs"][0] == {"q": "x"}
    assert table["source_type"][0] == "TRACE"


def test_datasets_are_searched_tagged_and_deleted(experiment: str) -> None:
    one = datasets.create_dataset(name=f"one-{experiment}", experiment_id=experiment, tags={"kind": "small"})
    two = datasets.create_dataset(name=f"two-{experiment}", experiment_id=experiment)

    def names(filter: str = "", **more: Any) -> list[str]:
        return [each.name for each in datasets.search_datasets(experiment, filter_string=filter, **more)]

    assert names(order_by=["created_time ASC"]) == [one.name, two.name]
    assert names("tags.kind = 'small'") == [one.name]
    assert names("name LIKE 'two%' OR tags.kind = 'small'", order_by=["name DESC"]) == [two.name, one.name]
    datasets.set_dataset_tags(dataset_id=two.dataset_id, tags={"kind": "large"})
    assert names("tags.kind = 'large'") == [two.name]
    datasets.delete_dataset_tag(dataset_id=two.dataset_id, key="kind")
    assert "kind" not in datasets.get_dataset(dataset_id=two.dataset_id).tags
    datasets.delete_dataset(dataset_id=one.dataset_id)
    assert names() == [two.name]
    with pytest.raises(MlflowException, match="not found"):
        datasets.get_dataset(dataset_id=one.dataset_id)


def test_a_dataset_is_linked_to_further_experiments(experiment: str) -> None:
    made = datasets.create_dataset(name=f"linked-{experiment}", experiment_id=experiment)
    other = mlflow.MlflowClient().create_experiment(f"other-{experiment}")
    datasets.add_dataset_to_experiments(dataset_id=made.dataset_id, experiment_ids=[other])
    assert set(datasets.get_dataset(dataset_id=made.dataset_id).experiment_ids) == {experiment, other}
    datasets.remove_dataset_from_experiments(dataset_id=made.dataset_id, experiment_ids=[experiment])
    assert [each.name for each in datasets.search_datasets(other)] == [made.name]
    assert datasets.search_datasets(experiment) == []
    with pytest.raises(MlflowException, match="No Experiment with id=999999"):
        datasets.add_dataset_to_experiments(dataset_id=made.dataset_id, experiment_ids=["999999"])


def guidelines(experiment: str, **version: int) -> Any:
    found: Any = get_scorer(name="polite", experiment_id=experiment, **version)
    return found.guidelines


def test_scorers_are_registered_in_versions_listed_read_and_deleted(experiment: str) -> None:
    polite = Guidelines(name="polite", guidelines="be polite", model="openai:/gpt-4o-mini")
    polite.register(name="polite", experiment_id=experiment)
    Guidelines(name="polite", guidelines="be kind", model="openai:/gpt-4o-mini").register(
        name="polite", experiment_id=experiment
    )
    assert [each.name for each in list_scorers(experiment_id=experiment)] == ["polite"]
    assert guidelines(experiment) == "be kind"
    assert guidelines(experiment, version=1) == "be polite"
    delete_scorer(name="polite", experiment_id=experiment, version=2)
    assert guidelines(experiment) == "be polite"
    delete_scorer(name="polite", experiment_id=experiment, version="all")
    assert list_scorers(experiment_id=experiment) == []
    with pytest.raises(MlflowException, match="'polite' not found"):
        get_scorer(name="polite", experiment_id=experiment)


def test_a_scorer_says_how_much_it_is_to_look_at(experiment: str) -> None:
    scorer = Guidelines(name="kind", guidelines="be kind", model="gateway:/judge").register(
        name="kind", experiment_id=experiment
    )
    scorer.start(sampling_config=ScorerSamplingConfig(sample_rate=0.5, filter_string="status = 'OK'"))
    started = get_scorer(name="kind", experiment_id=experiment)
    assert (started.sample_rate, started.filter_string) == (0.5, "status = 'OK'")
    started.stop()
    assert get_scorer(name="kind", experiment_id=experiment).sample_rate == 0
