"""Prompts on the page: made, compared, promoted with a reason, rolled back, and the same as MLflow has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from promptlab.differences import differences, hunks
from tests.harness import Gateway
from tests.promptlab.people import PRICE, Json, Person, person, serving
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
ALIASES = "/api/2.0/mlflow/registered-models/alias"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with (
        Vendor() as vendor,
        serving(tmp_path_factory.mktemp("prompts"), {"good": vendor.url("ok", tokens=3)}) as gateway,
    ):
        yield gateway


async def made(someone: Person, name: str, *texts: str) -> None:
    await someone.good("POST", "/api/prompts", {"name": name})
    for text in texts:
        version = {"messages": [{"role": "system", "content": text}], "model": "good", "params": {"temperature": 0}}
        await someone.good("POST", f"/api/prompts/{name}/versions", version)


async def test_a_prompt_is_made_and_read_back(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    version = {
        "messages": [{"role": "system", "content": "You help {{company}}."}, {"role": "user", "content": "{{ask}}"}],
        "model": "good",
        "params": {"temperature": 0.2, "stop": ["END"], "seed": 7},
        "response_format": {"type": "json_object"},
        "commit_message": "first",
        "tags": {"team": "search"},
    }
    sent = {"name": "reply", "description": "Replies", "tags": {"area": "x"}, "version": version}
    prompt = await ann.good("POST", "/api/prompts", sent)
    (one,) = prompt["versions"]
    assert (prompt["description"], prompt["tags"], prompt["latest_version"]) == ("Replies", {"area": "x"}, 1)
    assert (one["type"], one["variables"], one["by"], one["text"]) == ("chat", ["ask", "company"], "ann", None)
    assert {name: one[name] for name in version} == version
    text = await ann.good("POST", "/api/prompts/reply/versions", {"text": "Say {{x}}"})
    assert (text["version"], text["type"], text["text"], text["messages"]) == (2, "text", "Say {{x}}", None)
    await ann.good("PATCH", "/api/prompts/reply/versions/2", {"commit_message": "as text", "tags": {"a": "b"}})
    await ann.good("PATCH", "/api/prompts/reply/versions/1", {"tags": {"team": None}})
    changed = await ann.good("PATCH", "/api/prompts/reply", {"description": "All", "tags": {"area": None, "new": "y"}})
    assert (changed["description"], changed["tags"]) == ("All", {"new": "y"})
    assert [(each["version"], each["commit_message"], each["tags"]) for each in changed["versions"]] == [
        (2, "as text", {"a": "b"}),
        (1, "first", {}),
    ]
    assert (await ann("DELETE", "/api/prompts/reply/versions/2")).status_code == 204
    assert (await ann("GET", "/api/prompts/reply/versions/2")).status_code == 404
    assert (await ann("DELETE", "/api/prompts/reply")).status_code == 204
    assert (await ann("GET", "/api/prompts/reply")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a/b"}, 400),
        ({"name": "taken"}, 409),
        ({"name": "x", "version": {}}, 400),
        ({"name": "x", "version": {"text": "a", "messages": [{"role": "user"}]}}, 400),
        ({"name": "x", "version": {"messages": [{"content": "a"}]}}, 400),
        ({"name": "x", "version": {"text": "a", "tags": {"mlflow.prompt.text": "b"}}}, 400),
    ],
)
async def test_what_is_no_prompt_is_refused(gateway: Gateway, body: Json, status: int) -> None:
    ann = await person(gateway, "ann")
    await ann("POST", "/api/prompts", {"name": "taken"})
    assert (await ann("POST", "/api/prompts", body)).status_code == status


async def test_prompts_are_listed_and_models_are_not(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    await ann.good("POST", "/api/2.0/mlflow/registered-models/create", {"name": "list_a_model"})
    for name in ("list_a", "list_b", "listxc"):
        await made(ann, name)
    assert (await ann("GET", "/api/prompts/list_a_model")).status_code == 404
    first = await ann.good("GET", "/api/prompts", query="LIST_", page_size=1)
    rest = await ann.good("GET", "/api/prompts", query="LIST_", page_size=1, page_token=first["next_page_token"])
    assert [each["name"] for each in first["prompts"] + rest["prompts"]] == ["list_a", "list_b"]
    assert rest["next_page_token"] is None
    assert (await ann.good("GET", "/api/prompts", query="it's"))["prompts"] == []


async def test_an_alias_is_promoted_with_a_reason_and_rolled_back_in_one_call(gateway: Gateway) -> None:
    ann, admin = await person(gateway, "ann"), Person(gateway)
    await made(ann, "moving", "one", "two", "three")
    live = "/api/prompts/moving/aliases/live"

    async def answers() -> str:
        run = await gateway.run(await ann.calls("prompts:/moving@live"))
        said: str = run["request"]["messages"][0]["content"]
        return said

    first = await ann.good("PUT", live, {"version": 1, "if_version": None})
    assert (first["from_version"], first["to_version"], first["kind"], first["by"]) == (None, 1, "set", "ann")
    await ann.good("PUT", live, {"version": 2})
    evidence = {"evaluation": "ev-1", "verdict": "better"}
    third = await admin.good("PUT", live, {"version": 3, "evidence": evidence, "note": "better", "if_version": 2})
    assert (third["evidence"], third["note"]) == (evidence, "better")
    assert await answers() == "three"
    late = await ann("PUT", live, {"version": 1, "if_version": 2})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "alias_moved")
    back = await ann.good("POST", f"{live}/rollback", {"note": "rude"})
    assert (back["from_version"], back["to_version"], back["kind"], back["note"]) == (3, 2, "rollback", "rude")
    assert await answers() == "two"
    assert (await ann.good("POST", f"{live}/rollback"))["to_version"] == 1
    none = await ann("POST", f"{live}/rollback")
    assert (none.status_code, none.json()["error"]["code"]) == (409, "nothing_before")
    gone = await ann.good("DELETE", live)
    assert (gone["from_version"], gone["to_version"], gone["kind"]) == (1, None, "deleted")
    assert (await ann("DELETE", live)).status_code == 404
    moves = (await ann.good("GET", "/api/prompts/moving/moves", alias="live"))["moves"]
    assert [(move["kind"], move["to_version"]) for move in moves] == [
        ("deleted", None),
        ("rollback", 1),
        ("rollback", 2),
        ("set", 3),
        ("set", 2),
        ("set", 1),
    ]
    for alias, status in (("latest", 400), ("v3", 400), ("a b", 400)):
        assert (await ann("PUT", f"/api/prompts/moving/aliases/{alias}", {"version": 1})).status_code == status
    assert (await ann("PUT", live, {"version": 9})).status_code == 404


async def test_a_protected_alias_is_moved_by_administrators_alone_whichever_way(gateway: Gateway) -> None:
    ann, admin = await person(gateway, "ann"), Person(gateway)
    await made(ann, "guarded", "one", "two")
    path = "/api/prompts/guarded/aliases/production"
    await ann.good("PUT", path, {"version": 1})
    assert (await ann("PUT", "/api/prompts/protected-aliases", {"aliases": ["production"]})).status_code == 403
    assert (await admin("PUT", "/api/prompts/protected-aliases", {"aliases": ["latest"]})).status_code == 400
    said = await admin.good("PUT", "/api/prompts/protected-aliases", {"aliases": ["production"]})
    try:
        assert said == await ann.good("GET", "/api/prompts/protected-aliases") == {"aliases": ["production"]}
        theirs = {"name": "guarded", "alias": "production", "version": "2"}
        for method, where, body in (
            ("PUT", path, {"version": 2}),
            ("DELETE", path, None),
            ("POST", f"{path}/rollback", None),
            ("DELETE", "/api/prompts/guarded/versions/1", None),
            ("DELETE", "/api/prompts/guarded", None),
            ("POST", ALIASES, theirs),
            ("DELETE", ALIASES, {"name": "guarded", "alias": "production"}),
            ("DELETE", "/api/2.0/mlflow/model-versions/delete", {"name": "guarded", "version": "1"}),
        ):
            refused = await ann(method, where, body)
            if where.endswith("rollback"):
                assert refused.status_code == 409  # there is nothing before
                continue
            assert refused.status_code == 403, (where, refused.text)
        assert (await ann.good("GET", "/api/prompts/guarded"))["aliases"] == {"production": 1}
        await admin.good("POST", ALIASES, theirs)
        moves = (await ann.good("GET", "/api/prompts/guarded/moves"))["moves"]
        assert [(move["by"], move["from_version"], move["to_version"]) for move in moves] == [
            ("admin", 1, 2),
            ("ann", None, 1),
        ]
        assert (await ann("POST", f"{path}/rollback")).status_code == 403
    finally:
        await admin.good("PUT", "/api/prompts/protected-aliases", {"aliases": []})


async def test_what_a_version_cost_is_known(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    await made(ann, "costly", "one", "two")
    for number, count in ((1, 1), (2, 2)):
        for _ in range(count):
            await ann.calls(f"prompts:/costly/{number}")
    used = await ann.good("GET", "/api/prompts/costly/usage", bucket="day")
    assert {row["prompt_version"]: row["calls"] for row in used["usage"]} == {1: 1, 2: 2}
    assert used["total"]["cost"]["nanos"] > 0
    assert PRICE
    assert (await ann("GET", "/api/prompts/costly/usage", bucket="year")).status_code == 400


async def test_two_versions_are_compared_by_what_they_say(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    await made(ann, "compared", "You help customers.", "You help kind customers.")
    found = await ann.good("GET", "/api/prompts/compared/diff", **{"from": 1, "to": 2})
    (change,) = found["changes"]
    assert (change["path"], change["kind"]) == ("messages[0].content", "changed")
    assert change["hunks"] == [["=", "You help "], ["+", "kind "], ["=", "customers."]]
    assert (found["from"]["version"], found["to"]["version"]) == (1, 2)
    assert (await ann("GET", "/api/prompts/compared/diff", **{"from": 1})).status_code == 400


async def test_a_version_that_cannot_be_understood_says_so(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    await made(ann, "odd")
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "{"}]
    tags.append({"key": "_mlflow_prompt_type", "value": "chat"})
    await ann.good("POST", "/api/2.0/mlflow/model-versions/create", {"name": "odd", "source": "x", "tags": tags})
    (version,) = (await ann.good("GET", "/api/prompts/odd"))["versions"]
    assert "is not JSON" in version["problem"]
    assert version["messages"] is None


def test_differences_are_told_by_path() -> None:
    before = {"a": 1, "b": [1, {"c": "x y"}], "d": None, "e": True}
    after = {"a": 2, "b": [1, {"c": "x z"}, 3], "f": 0, "e": 1}
    assert [(each["path"], each["kind"]) for each in differences(before, after)] == [
        ("a", "changed"),
        ("b[1].c", "changed"),
        ("b[2]", "added"),
        ("d", "removed"),
        ("e", "changed"),
        ("f", "added"),
    ]
    assert differences(before, before) == []
    for old, new in (("", "a"), ("a b", "a c"), ("x" * 10, ""), ("one\ntwo " * 9_000, "one\ntwo " * 9_001)):
        pieces = hunks(old, new)
        assert "".join(text for kind, text in pieces if kind in "=-") == old
        assert "".join(text for kind, text in pieces if kind in "=+") == new
