"""What a gate decided, for those who read it: JUnit's XML for CI, Markdown for a summary."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from evaluate.gate import Decision, Judgement, Outcome
from evaluate.quoting import in_markdown, neutral

SAID: Mapping[Outcome, str] = {"pass": "Pass", "fail": "Fail", "inconclusive": "Inconclusive"}
MARK: Mapping[Outcome, str] = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
MEANING: Mapping[Outcome, str] = {
    "pass": "every criterion is met, beyond doubt.",
    "fail": "a criterion is not met, beyond doubt.",
    "inconclusive": "no criterion is broken, but not all are shown to be met: more data is needed.",
}


def junit(judgement: Judgement) -> bytes:
    """One test case a criterion. What is inconclusive is an error, for nobody's CI may take it for a pass."""
    outcomes = [each.outcome for each in judgement.decisions]
    counts = {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("fail")),
        "errors": str(outcomes.count("inconclusive")),
        "skipped": "0",
        "time": "0",
    }
    name = neutral(f"gatelog eval gate: {judgement.evaluation}")
    suites = ET.Element("testsuites", {"name": name, **{key: counts[key] for key in ("tests", "failures", "errors")}})
    suite = ET.SubElement(suites, "testsuite", {"name": name, **counts})
    properties = ET.SubElement(suite, "properties")
    for key in ("evaluation", "candidate", "baseline", "outcome"):
        ET.SubElement(properties, "property", {"name": key, "value": neutral(str(getattr(judgement, key)))})
    for each in judgement.decisions:
        case = {"name": neutral(each.name), "classname": neutral(judgement.candidate), "time": "0"}
        element = ET.SubElement(suite, "testcase", case)
        if each.outcome != "pass":
            tag = "failure" if each.outcome == "fail" else "error"
            ET.SubElement(element, tag, {"type": each.outcome, "message": _said(each)}).text = _said(each)
        ET.SubElement(element, "system-out").text = _said(each)
    ET.indent(suites)
    whole: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return whole + b"\n"


def markdown(judgement: Judgement) -> str:
    lines = [
        f"## {MARK[judgement.outcome]} {SAID[judgement.outcome]}: {in_markdown(judgement.evaluation)}",
        "",
        f"**{in_markdown(judgement.candidate)}** against **{in_markdown(judgement.baseline)}**: "
        f"{MEANING[judgement.outcome]}",
        "",
        "| | criterion | wanted | found | evidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in judgement.decisions:
        cells = (each.name, each.wanted, each.found, each.why)
        said = " | ".join(in_markdown(cell) for cell in cells)
        lines.append(f"| {MARK[each.outcome]} {each.outcome} | {said} |")
    return "\n".join(lines) + "\n"


def _said(decision: Decision) -> str:
    return neutral(f"wanted {decision.wanted}; found {decision.found}: {decision.why}")
