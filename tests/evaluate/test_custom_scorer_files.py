"""Where the code of custom scorers comes from: files, entry points, requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluate.cells import Score
from evaluate.scorers import jail
from evaluate.scorers.inline import inlined
from evaluate.scorers.options import Means
from evaluate.scorers.table import InvalidScorer, build
from tests.evaluate.scoring import sample

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not jail.confined(), reason="custom scorers are run where there is Landlock: on Linux"),
]


async def test_a_wrong_file_is_said_before_anything_runs(tmp_path: Path) -> None:
    means = Means(directory=tmp_path)
    with pytest.raises(InvalidScorer, match="there is no file"):
        build([{"scorer": "python", "file": "none.py"}], means)
    (tmp_path / "my-scorer.py").touch()
    with pytest.raises(InvalidScorer, match="name it as a module"):
        build([{"scorer": "python", "file": "my-scorer.py"}], means)
    (tmp_path / "mine.py").touch()
    with pytest.raises(InvalidScorer, match="files may be named only where `gatelog eval` runs"):
        build([{"scorer": "python", "file": "mine.py"}], Means())
    with pytest.raises(InvalidScorer, match=r"there is no entry point 'mine' in gatelog\.scorers; installed: "):
        build([{"scorer": "installed", "entry_point": "mine"}], means)


async def test_a_package_offers_scorers_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    package = site / "their_scorers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def polite(sample): return 'please' in sample['text']\n")
    about = site / "their_scorers-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-scorers\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text("[gatelog.scorers]\npolite = their_scorers:polite\n")
    monkeypatch.syspath_prepend(str(site))
    (scorer,) = build([{"scorer": "installed", "entry_point": "polite", "kind": "binary"}], Means())
    assert scorer.identity["version"] == "1.2"
    try:
        score = await scorer.score(sample("yes please"))
    finally:
        await scorer.aclose()
    assert score.value is True


async def test_what_is_sent_to_a_gateway_is_the_text_of_files_and_not_their_paths(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import helper\ndef score(sample): return helper.LENGTH\n")
    (tmp_path / "helper.py").write_text("LENGTH = 4\n")
    (tmp_path / "shape.json").write_text('{"type": "object"}')
    named = [
        {"scorer": "python", "file": "mine.py", "files": ["helper.py"]},
        {"scorer": "json_schema", "schema": "shape.json"},
        "exact",
    ]
    sent = inlined(named, tmp_path)
    assert sent[1:] == [{"scorer": "json_schema", "schema": {"type": "object"}}, "exact"]
    mine, *_ = build(sent, Means())
    try:
        assert await mine.score(sample()) == Score(name="mine", value=4.0, cost_nanos=0)
    finally:
        await mine.aclose()
    with pytest.raises(InvalidScorer, match=r"scorers\[0\]: the file .* cannot be read"):
        inlined([{"scorer": "python", "file": "none.py"}], tmp_path)


@pytest.mark.parametrize("entry", [{"source": "x", "trusted": True}, {"source": "x", "beside": {"../x.py": ""}}, {}])
def test_who_asks_a_gateway_cannot_ask_for_more_than_it_gives(entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidScorer, match=r"`trusted` is not for|beside|give either `file` or `source`"):
        build([{"scorer": "python", **entry}], Means())


def test_a_changed_file_is_another_scorer(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def score(sample): return 1")
    entry = {"scorer": "python", "file": "mine.py"}
    first = build([entry], Means(directory=tmp_path))[0].identity
    assert build([entry], Means(directory=tmp_path))[0].identity == first
    (tmp_path / "mine.py").write_text("def score(sample): return 2")
    assert build([entry], Means(directory=tmp_path))[0].identity != first
