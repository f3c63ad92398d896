"""A gate's decisions reach CI in the forms that CI reads."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from evaluate.gate import judge
from evaluate.gate_file import Floor, Gate, Primary
from evaluate.gate_report import junit, markdown
from tests.evaluate.cards import card

GATE = Gate(
    candidate="terse",
    primary=Primary(metric="correct"),
    floors=(Floor(metric="json_valid", wilson_lower=0.98), Floor(metric="similarity", lower=0.8)),
)


def test_junit_counts_what_is_inconclusive_as_an_error() -> None:
    suites = ET.fromstring(junit(judge(GATE, card())))
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases == {
        "correct: better than the baseline": ["system-out"],
        "json_valid": ["error", "system-out"],
        "similarity": ["failure", "system-out"],
    }
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message", "").startswith("wanted at least 98.0 %; found 99.0 %: 96.4 % to 99.7 %")


def test_junit_is_xml_whatever_an_evaluation_is_called() -> None:
    wild = replace(card(), evaluation={"name": 'a<b>"&\x00\x1b\ud800\uffff'})
    suites = ET.fromstring(junit(judge(GATE, wild)))
    assert suites.get("name") == 'gatelog eval gate: a<b>"&\\x00\\x1b\\ud800\\uffff'


def test_markdown_shows_a_row_a_criterion() -> None:
    text = markdown(judge(GATE, replace(card(), evaluation={"name": "a | ![x](https://evil.example)"})))
    assert text.startswith("## ❌ Fail: a \\| \\!\\[x\\]\\(https\\:\\/\\/evil\\.example\\)\n")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0] for row in rows] == ["| ✅ pass", "| ❔ inconclusive", "| ❌ fail"]
