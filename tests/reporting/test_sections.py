"""The sections of a report: a file each, found in their folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import genbench
from genbench.errors import GenbenchError
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


@pytest.mark.parametrize(("source", "says"), [
    ("PLACE = 35\ndef section(results, figures):\n    return results.nothing\n", "AttributeError"),
    ("PLACE = 35\ndef section(results, figures):\n    return None\n", "TypeError"),
])
def test_one_that_fails_costs_its_own_place(filled, tmp_path, monkeypatch, source, says):
    (tmp_path / "broken.py").write_text(source)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{folder.__name__}.broken", raising=False)
    warnings: list[str] = []
    text = build(*filled, tmp_path / "report", warn=warnings.append).read_text()
    [line] = [line for line in warnings if "'broken'" in line]
    assert f"could not be written: {says}" in line
    assert f"*{line}*" in text
    assert "## Cost" in text


@pytest.mark.parametrize("source", [
    "PLACE = '35'\ndef section(results, figures):\n    return []\n", "PLACE = 35\n",
])
def test_a_file_that_is_no_section_is_named(filled, tmp_path, monkeypatch, source):
    (tmp_path / "none.py").write_text(source)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{folder.__name__}.none", raising=False)
    with pytest.raises(GenbenchError, match=r"none\.py: a report's section has a number PLACE"):
        build(*filled, tmp_path / "report")
