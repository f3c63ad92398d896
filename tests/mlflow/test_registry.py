"""Models and their versions, by MLflow's own client against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.exceptions import RestException as Refused

pytestmark = pytest.mark.usefixtures("gatelog")
SOURCE = "s3://bucket/model"


def numbers(client: MlflowClient, filter: str, **more: Any) -> list[tuple[str, int]]:
    return [(each.name, int(each.version)) for each in client.search_model_versions(filter, **more)]


def test_a_model_is_made_described_and_read(client: MlflowClient) -> None:
    made = client.create_registered_model("described", {"team": "search"}, "what it is")
    assert (made.name, made.tags, made.description) == ("described", {"team": "search"}, "what it is")
    client.update_registered_model("described", "better")
    model = client.get_registered_model("described")
    assert (model.description, model.tags) == ("better", {"team": "search"})
    assert model.creation_timestamp <= model.last_updated_timestamp
    with pytest.raises(Refused, match=r"Registered Model \(name=described\) already exists") as refused:
        client.create_registered_model("described")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_what_is_not_there_is_said_to_be_missing(client: MlflowClient) -> None:
    with pytest.raises(Refused, match="Registered Model with name=nobody not found") as refused:
        client.get_registered_model("nobody")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    client.create_registered_model("without-versions")
    with pytest.raises(Refused, match=r"Model Version \(name=without-versions, version=3\) not found"):
        client.get_model_version("without-versions", "3")
    with pytest.raises(Refused, match="alias live not found"):
        client.get_model_version_by_alias("without-versions", "live")
    with pytest.raises(Refused, match="Latest version not found"):
        client.get_model_version_by_alias("without-versions", "latest")


def test_versions_count_up_and_keep_where_they_are_from(client: MlflowClient) -> None:
    client.create_registered_model("counted")
    first = client.create_model_version("counted", f"{SOURCE}/1", "run-1", {"a": "b"}, "http://ci/1", "first")
    second = client.create_model_version("counted", f"{SOURCE}/2")
    assert (first.version, second.version, first.status) in ((1, 2, "READY"), ("1", "2", "READY"))
    version = client.get_model_version("counted", "1")
    assert (version.source, version.run_id, version.tags) == (f"{SOURCE}/1", "run-1", {"a": "b"})
    assert (version.run_link, version.description, version.current_stage) == ("http://ci/1", "first", "None")
    assert client.get_model_version_download_uri("counted", "1") == f"{SOURCE}/1"
    client.update_model_version("counted", "1", "changed")
    assert client.get_model_version("counted", "1").description == "changed"
    copied = client.create_model_version("counted", "models:/counted/1")
    assert client.get_model_version_download_uri("counted", copied.version) == f"{SOURCE}/1"


@pytest.mark.parametrize("source", ["/etc/passwd", "file:///etc", "relative/path", "s3://b/../../x", "s3://b/%2e%2e/x"])
def test_a_source_is_no_path_on_some_machine(client: MlflowClient, source: str) -> None:
    if "sources" not in [model.name for model in client.search_registered_models()]:
        client.create_registered_model("sources")
    with pytest.raises(MlflowException, match="Invalid model version source"):
        client.create_model_version("sources", source)


def test_an_alias_means_one_version_until_it_is_moved(client: MlflowClient) -> None:
    client.create_registered_model("aliased")
    for n in (1, 2):
        client.create_model_version("aliased", f"{SOURCE}/{n}")
    client.set_registered_model_alias("aliased", "champion", "1")
    assert client.get_model_version_by_alias("aliased", "champion").source == f"{SOURCE}/1"
    client.set_registered_model_alias("aliased", "champion", "2")
    champion = client.get_model_version_by_alias("aliased", "champion")
    assert (champion.source, champion.aliases) == (f"{SOURCE}/2", ["champion"])
    assert client.get_registered_model("aliased").aliases == {"champion": "2"}
    assert client.get_model_version_by_alias("aliased", "latest").source == f"{SOURCE}/2"
    client.delete_registered_model_alias("aliased", "champion")
    assert client.get_registered_model("aliased").aliases == {}


@pytest.mark.parametrize("alias", ["latest", "v1", "with space", ""])
def test_an_alias_that_would_mean_something_else_is_refused(client: MlflowClient, alias: str) -> None:
    with pytest.raises(MlflowException):
        client.set_registered_model_alias("aliased", alias, "1")


@pytest.mark.filterwarnings("ignore:.*stages:FutureWarning")  # deprecated, and in use
def test_a_version_moves_through_the_stages(client: MlflowClient) -> None:
    client.create_registered_model("staged")
    for n in (1, 2, 3):
        client.create_model_version("staged", f"{SOURCE}/{n}")
    client.transition_model_version_stage("staged", "1", "Production")
    moved = client.transition_model_version_stage("staged", "2", "production", archive_existing_versions=True)
    latest = {each.current_stage: str(each.version) for each in client.get_latest_versions("staged")}
    (production,) = client.get_latest_versions("staged", ["Production"])
    with pytest.raises(Refused, match="Invalid Model Version stage: Nowhere"):
        client.transition_model_version_stage("staged", "3", "Nowhere")
    with pytest.raises(Refused, match="is not an Active stage"):
        client.transition_model_version_stage("staged", "3", "Archived", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    assert latest == {"None": "3", "Production": "2", "Archived": "1"}
    assert str(production.version) == "2"


def test_tags_are_set_changed_and_taken_away(client: MlflowClient) -> None:
    client.create_registered_model("tagged")
    client.create_model_version("tagged", SOURCE)
    for value in ("a", "b"):
        client.set_registered_model_tag("tagged", "team", value)
        client.set_model_version_tag("tagged", "1", "checked by", value)
    assert client.get_registered_model("tagged").tags == {"team": "b"}
    assert client.get_model_version("tagged", "1").tags == {"checked by": "b"}
    client.delete_registered_model_tag("tagged", "team")
    client.delete_model_version_tag("tagged", "1", "checked by")
    client.delete_model_version_tag("tagged", "1", "never there")
    assert client.get_registered_model("tagged").tags == {}
    assert client.get_model_version("tagged", "1").tags == {}
    with pytest.raises(Refused, match="exceeds max length of 100000"):
        client.set_registered_model_tag("tagged", "long", "x" * 100_001)


def test_models_and_versions_are_found_by_what_they_are(client: MlflowClient) -> None:
    for name, team in (("find-a", "red"), ("find-b", "blue"), ("find-c", "red")):
        client.create_registered_model(name, {"team": team})
        client.create_model_version(name, f"{SOURCE}/{name}", f"run-of-{name}", {"quality": team})

    def names(filter: str, **more: Any) -> list[str]:
        return [model.name for model in client.search_registered_models(filter, **more)]

    assert names("name LIKE 'find-%'") == ["find-a", "find-b", "find-c"]
    assert names("name ILIKE 'FIND-%' AND tags.team = 'red'", order_by=["name DESC"]) == ["find-c", "find-a"]
    assert names("name IN ('find-a', 'find-b') AND tag.team != 'red'") == ["find-b"]
    assert names("name = 'find-a' OR name = 'find-c'") == ["find-a", "find-c"]
    page = client.search_registered_models("name LIKE 'find-%'", max_results=2)
    rest = client.search_registered_models("name LIKE 'find-%'", max_results=2, page_token=page.token)
    assert [model.name for model in [*page, *rest]] == ["find-a", "find-b", "find-c"]
    assert not rest.token
    assert numbers(client, "run_id = 'run-of-find-b'") == [("find-b", 1)]
    assert numbers(client, "source_path LIKE '%/find-%' AND tags.quality = 'red'") == [("find-a", 1), ("find-c", 1)]
    assert numbers(client, "name = 'find-a' and version_number > 1") == []
    with pytest.raises(Refused, match=r"filter, column \d+"):
        client.search_model_versions("name = find")


def test_a_model_is_renamed_and_deleted_with_all_that_was_its_own(client: MlflowClient) -> None:
    client.create_registered_model("before")
    client.create_model_version("before", SOURCE)
    client.set_registered_model_alias("before", "live", "1")
    client.rename_registered_model("before", "after")
    assert client.get_model_version_by_alias("after", "live").name == "after"
    client.create_model_version("after", SOURCE)
    client.delete_model_version("after", "1")
    assert numbers(client, "name = 'after'") == [("after", 2)]
    assert client.get_registered_model("after").aliases == {}
    client.delete_registered_model("after")
    with pytest.raises(Refused, match="not found"):
        client.get_registered_model("after")
