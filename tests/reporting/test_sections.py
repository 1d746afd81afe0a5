"""The sections of a report: a file each, found in their folder."""

from __future__ import annotations

from pathlib import Path

import genbench
from genbench.reporting import sections as folder
from genbench.reporting.report import build
from genbench.reporting.sections import sections

MANUAL = Path(genbench.__file__).parent / "docs" / "extending" / "section.md"


def test_every_file_is_a_section_of_its_own_place():
    files = list(Path(folder.__file__).parent.glob("[!_]*.py"))
    found = sections()
    assert len(found) == len(files) > 10
    places = [one.PLACE for one in found]
    assert places == sorted(set(places))
    assert all(callable(one.section) and one.__doc__ for one in found)


def test_the_manuals_section_is_one_once_its_file_is_there(filled, tmp_path, monkeypatch):
    chapter = MANUAL.read_text()
    source = chapter.partition("```py\n")[2].partition("```")[0]
    (tmp_path / "slowest.py").write_text(source)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    text = build(*filled, tmp_path / "report").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    at = headings.index("## Slowest runs")
    assert headings[at - 1 : at + 2] == ["## Cost", "## Slowest runs", "## Protocol"]
    lines = text.partition("## Slowest runs\n\n")[2].partition("\n\n")[0].splitlines()
    assert len(lines) == 5
    assert lines[2].endswith(" | 12.5 |")
