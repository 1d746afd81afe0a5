"""What rows cost: a table of its own, in the report and on a terminal of 80 columns."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from genbench.reporting.costs import Cost, cost_table, costs_of
from genbench.reporting.numbers import Numbers
from genbench.reporting.origins import Origin
from genbench.reporting.report import build
from genbench.reporting.sections.cost import section
from genbench.store.table import tidy


@pytest.fixture(scope="module")
def numbers(filled):
    return Numbers(filled[0], tidy(*filled))


def test_every_row_that_began_has_its_cost(numbers):
    costs = costs_of(numbers, [Origin("gan", "digits", 0, {"threads": ("4",)})])
    gan = next(cost for cost in costs if (cost.method, cost.dataset) == ("gan", "digits"))
    assert gan[2:] == ("1,500", "192k", "12.5", "cpu", "4")
    assert "real" not in {cost.method for cost in costs}


def test_result_tables_hold_results_alone(filled, tmp_path):
    text = build(*filled, tmp_path).read_text()
    results, _, after = text.partition("## Cost")
    assert not re.search(r"\| (updates|examples|seconds|device) \|", results.partition("###")[2])
    assert "| method | dataset | updates | rows drawn | seconds |" in after
    assert "on cpu" in after  # shared by all rows, and so said once


def test_what_rows_do_not_share_gets_columns(numbers):
    one = Cost("gan", "digits", "1", "2", "3", "cpu", "1")

    def text(*costs):
        return "".join(section(SimpleNamespace(numbers=numbers, costs=costs), []))

    assert "device" not in text(one, one)
    other = one._replace(device="cuda", threads="–")
    assert "| seconds | device | threads |" in text(one, other)
    assert text() == ""


def test_a_terminal_of_80_columns_breaks_no_number():
    long = Cost("a-row-of-a-long-name[learning_rate=0.0001]", "a-dataset-of-a-long-name",
                "1,500", "192k", "12.5", "cpu (x86_64)", "1")
    console = Console(file=io.StringIO(), width=80)
    console.print(cost_table([long, long._replace(dataset="b", device="cuda (a card)")]))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for name in ("rows drawn", "192k", "12.5", "threads", "1,500"):
        assert name in text
