"""The gate's outcome for machines and people: JUnit XML, Markdown, and a table for terminals."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from genbench.judging.outcome import CellVerdict, GateOutcome
from genbench.text.markdown import ARROWS, escape, table
from genbench.text.numbers import mean_text

WIDE = 120
"""Characters of a line in which a table of seven columns is easy to read."""
_COLOURS = {
    "regressed": "bold red", "changed": "bold red", "unresolved": "yellow",
    "inconclusive": "yellow", "failed": "red", "missing": "red",
    "changed-protocol": "magenta", "improved": "green", "new": "cyan",
}
_WORDS = {
    "regressed": "regressed", "changed": "changed in its bits",
    "inconclusive": "worse, with too few seeds to tell", "failed": "failed",
    "missing": "not measured everywhere",
    "changed-protocol": "measured otherwise than what was accepted",
    "unresolved": "not told from noise everywhere",
}
"""What the heading says, by the worst verdict; of others it says that all is fine."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(outcome: GateOutcome) -> str:
    """One test case a cell: failures regressed, errors failed or were not measured.

    Equal outcomes give equal text: no clock, no host name.
    """
    bad = [_element(finding, outcome) for finding in outcome.findings]
    suite = ET.Element("testsuite", {
        "name": _clean(f"genbench check {outcome.suite}"), "tests": str(len(bad)),
        "failures": str(bad.count("failure")), "errors": str(bad.count("error")), "skipped": "0",
    })
    for finding, kind in zip(outcome.findings, bad, strict=True):
        case = ET.SubElement(suite, "testcase", {
            "classname": _clean(f"{outcome.suite}.{finding.dataset}.{finding.method}"),
            "name": _clean(_title(finding)),
        })
        if kind:
            message = _clean(f"{finding.verdict}: {finding.detail}")
            ET.SubElement(case, kind, {"type": finding.verdict, "message": message}).text = _clean(
                f"{finding.name}\nbaseline {mean_text(finding.baseline)}\n"
                f"now      {mean_text(finding.values)}\n{finding.detail}"
            )
        else:
            ET.SubElement(case, "system-out").text = _clean(
                f"{finding.verdict}: {finding.detail}"
            )
    if outcome.exit_code == 3 and "error" not in bad:
        names = {"classname": _clean(outcome.suite), "name": "any"}
        case = ET.SubElement(suite, "testcase", names)
        ET.SubElement(case, "error", {"type": "nothing", "message": "nothing was compared"})
        suite.set("tests", str(len(bad) + 1))
        suite.set("errors", "1")
    if outcome.notes:
        ET.SubElement(suite, "system-out").text = _clean("\n".join(outcome.notes))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def markdown(outcome: GateOutcome) -> str:
    """A comment for a pull request: what changed on top, what did not folded away."""
    notable = [finding for finding in outcome.findings if finding.verdict != "ok"]
    fine = [finding for finding in outcome.findings if finding.verdict == "ok"]
    parts = [f"## genbench check: {escape(outcome.suite)} is {_words(outcome)}",
             f"{escape(outcome.summary)}."]
    if outcome.notes:
        parts.append("\n".join(f"- {escape(note)}" for note in outcome.notes))
    if notable:
        parts.append(_table(notable))
    if fine:
        parts.append(f"<details>\n<summary>{len(fine)} ok</summary>\n\n{_table(fine)}\n</details>")
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def terminal_table(
    outcome: GateOutcome, *, everything: bool = False, width: int = WIDE
) -> Table:
    """What is not simply ok (or `everything`), worst first; `outcome.summary` says the rest.

    On a terminal narrower than `WIDE`, two columns: the verdict, and all about the cell.
    """
    found = [one for one in outcome.findings if everything or one.verdict != "ok"]
    title = Text(f"genbench check {outcome.suite}")
    if width < WIDE:
        return _narrow(title, found)
    made = Table(title=title, title_justify="left")
    for heading in ("verdict", "dataset", "method", "metric"):
        made.add_column(heading, overflow="fold")
    made.add_column("baseline", justify="right")
    made.add_column("now", justify="right")
    made.add_column("why", overflow="fold")
    for finding in found:
        made.add_row(
            Text(finding.verdict, style=_COLOURS.get(finding.verdict, "")),
            *(Text(text) for text in (
                finding.dataset, finding.method, f"{finding.metric}{_arrow(finding)}",
                mean_text(finding.baseline), mean_text(finding.values), finding.detail,
            )),
        )
    return made


def _narrow(title: Text, findings: Sequence[CellVerdict]) -> Table:
    made = Table(box=None, title=title, title_justify="left", show_header=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for finding in findings:
        numbers = f"baseline {mean_text(finding.baseline)}, now {mean_text(finding.values)}"
        made.add_row(
            Text(finding.verdict, style=_COLOURS.get(finding.verdict, "")),
            Text(f"{finding.name}{_arrow(finding)}: {numbers}\n{finding.detail}"),
        )
    return made


def _words(outcome: GateOutcome) -> str:
    worst = next((verdict for verdict in outcome.counts if verdict in _WORDS), None)
    if worst is None:
        return "not measured" if outcome.exit_code else "fine"
    return _WORDS[worst]


def _element(finding: CellVerdict, outcome: GateOutcome) -> str:
    if finding.verdict in ("regressed", "changed"):
        return "failure"
    if finding.verdict == "inconclusive":
        return "" if outcome.allow_inconclusive else "failure"
    return "error" if finding.verdict in ("failed", "missing", "changed-protocol") else ""


def _table(findings: Sequence[CellVerdict]) -> str:
    head = ["verdict", "dataset", "method", "metric", "baseline", "now", "why"]
    return table(head, [
        [
            f"**{finding.verdict}**" if finding.verdict != "ok" else "ok",
            escape(finding.dataset), escape(finding.method), escape(_title(finding)),
            mean_text(finding.baseline), mean_text(finding.values), escape(finding.detail),
        ]
        for finding in findings
    ], left=4)


def _title(finding: CellVerdict) -> str:
    protocol = f"@{finding.protocol}" if finding.protocol else ""
    return f"{finding.metric}{protocol}{_arrow(finding)}"


def _arrow(finding: CellVerdict) -> str:
    return ARROWS.get(finding.better, "")


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("�", text)
