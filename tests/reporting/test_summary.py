"""One summary of a suite's runs, and what a terminal, a notebook and a report make of it."""

from __future__ import annotations

import io

import pytest
from made_rows import rows, table
from rich.console import Console

from genbench.judging.cells import cells_of
from genbench.reporting.notebook import summary_html
from genbench.reporting.summary import summaries
from genbench.reporting.terminal import summary_table

PARTS = table(
    rows("good", [1.0, 1.01, 0.99]), rows("bad", [2.0, 2.02, 1.99]),
    rows("lost", [1.0, "diverged", 1.2]), rows("few", [1.5, "failed", 1.5]),
    rows("new", ["queued"] * 3), rows("none", ["skipped"] * 3), rows("real", [0.5]),
    rows("good", [3.0], metric="fid", protocol="a<b", better="higher"),
)


@pytest.fixture
def summary():
    (found,) = summaries(cells_of(PARTS))
    return found


def test_a_line_for_each_row_with_real_data_last(summary):
    shown = {line.title: str(line.cells[0]) for line in summary.lines}
    assert shown == {
        "good": "1.000 ± 0.010", "bad": "2.003 ± 0.015 †", "lost": "diverged*",
        "few": "1.5 ± 0 (n=2)*", "new": "not run", "none": "–", "real: train vs test": "0.5",
    }
    assert [line.seeds for line in summary.lines] == [3, 3, 2, 2, 0, 3, 1]
    assert [column.heading for column in summary.columns] == ["nll ↓", "fid ↑"]


def test_the_terminal_and_the_notebook_say_the_same(summary):
    console = Console(file=io.StringIO(), width=200)
    console.print(summary_table(summary))
    screen, page = console.file.getvalue(), summary_html(summary)
    for line in summary.lines:
        assert line.title in screen
        assert f"<th>{line.title}</th>" in page
        for one in line.cells:
            assert str(one) in screen
            assert f"{one}<" in page
    assert "<td><b>1.000 ± 0.010</b></td>" in page
    assert "title='a&lt;b'" in page
    for remark in summary.remarks():
        assert remark in " ".join(screen.split())
        assert f"<p>{remark}</p>" in page
    assert "* lost: 1 of 3 runs diverged" in summary.remarks()


def test_columns_that_find_no_room_are_counted(summary):
    console = Console(file=io.StringIO(), width=45)
    console.print(summary_table(summary, width=45))
    assert "1 more column is in the report" in console.file.getvalue()
    assert "more column" not in " ".join(summary.remarks())
