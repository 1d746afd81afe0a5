"""The tables that a run leaves on the screen."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from made_rows import rows, table
from rich.console import Console

from genbench.judging.cells import cells_of
from genbench.reporting.notebook import summary_html
from genbench.reporting.summary import summaries
from genbench.reporting.terminal import summary_table
from genbench.suites.expand import load_plan
from genbench.text.numbers import mean_text, number, p_text


def show(*parts, styles=False, **options):
    console = Console(
        file=io.StringIO(), width=160, force_terminal=styles, color_system="standard" if styles
        else None,
    )
    width = options.pop("width", None)
    for one in summaries(cells_of(table(*parts)), **options):
        console.print(summary_table(one, width))
    return console.file.getvalue()


def line_of(text, start):
    return next(line for line in text.splitlines() if line.strip("│┃ ").startswith(start))


def test_a_table_a_dataset_with_the_reference_last():
    text = show(
        rows("real", [0.5]), rows("gan[k=5]", [1.0, 1.2, 1.1]), rows("flow", [2.0, 2.1, 2.2]),
        rows("flow", [7.0, 7.5], dataset="grid"),
    )
    assert text.index("ring") < text.index("gan[k=5]") < text.index("real: train vs test")
    assert text.index("real: train vs test") < text.index("grid")
    assert "nll ↓" in text
    assert "1.10 ± 0.10" in line_of(text, "gan[k=5]")


def test_the_best_is_bold_and_the_reference_never():
    low, high = [1.0, 1.01, 0.99], [2.0, 2.02, 1.99]
    text = show(rows("real", [0.5]), rows("a", low), rows("b", high), styles=True)
    assert "\x1b[1m  1.000 ± 0.010" in text
    assert "\x1b[1m  2.003" not in text
    assert "2.003 ± 0.015 †" in text
    assert "\x1b[1m0.5" not in text
    assert "†: significantly worse" in text
    text = show(rows("a", low, better="higher"), rows("b", high, better="higher"), styles=True)
    assert "\x1b[1m  2.003" in text
    assert "1.000 ± 0.010 †" in text


@pytest.mark.parametrize(("tables", "against"), [
    ([{"against": "b"}], True), ([{"against": "b"}, {"dataset": "grid"}], True),
    ([{"against": "b"}, {}], False), ([], False),
])
def test_marks_are_against_the_row_that_the_tables_of_the_suite_name(
    tmp_path: Path, tables: list[dict[str, str]], against: bool
) -> None:
    suite = {"datasets": ["ring", "grid"], "methods": {one: {"use": "nice"} for one in "ab"},
             "budget": {"updates": 1}, "evaluate": ["nll"], "report": {"tables": tables}}
    (tmp_path / "s.yaml").write_text(json.dumps(suite))
    plan = load_plan(tmp_path / "s.yaml")
    values = table(rows("a", [1.0, 1.01, 0.99]), rows("b", [2.0, 2.02, 1.99]))
    text = show(values, plan=plan)
    assert ("1.000 ± 0.010 ‡" in line_of(text, "a")) == against
    assert ("2.003 ± 0.015 †" in line_of(text, "b")) != against
    assert ("two-sided at 5 % after Holm's correction over one comparison" in text) == against
    [summary] = summaries(cells_of(values), plan=plan)
    page = summary_html(summary)
    assert ("‡</td>" in page) == against
    assert ("<b>" in page) != against
    assert ("Holm" in page) == against


def test_what_no_seeds_tell_apart_is_not_ranked():
    text = show(rows("a", [1.0, 1.01]), rows("b", [2.0, 2.01]), styles=True)
    assert "\x1b[1m1" not in text
    assert "significantly" not in text


def test_troubles_are_marked_and_explained_once():
    why = {"reason": "critic became nan at update 31"}
    text = show(
        rows("a", [1.0, "diverged", 1.2], **why), rows("a", [1.0, "diverged", 1.2], metric="w1",
                                                       **why),
        rows("b", ["failed"] * 3), rows("c", ["skipped"] * 3), rows("d", [9.0, 9.0, 9.0]),
    )
    assert "diverged*" in line_of(text, "a ")
    infinite = show(rows("a", [1.0, "not-finite", 1.2]), rows("d", [9.0, 9.1, 9.2]))
    assert "not finite*" in line_of(infinite, "a ")
    assert "1 of 3 runs not-finite; the others 1.10 ± 0.14 (n=2)" in infinite
    assert "failed" in line_of(text, "b ")
    assert "–" in line_of(text, "c ")
    assert text.count("* a: 1 of 3 runs diverged (critic became nan at update 31)") == 1
    assert "b: 3 of 3 runs failed" in text


def test_a_metric_that_one_seed_lacks_shows_how_many_have_it_and_is_named():
    few = {"reason": "only 1500 samples were given"}
    lacking = rows("a", [1.0, "skipped", 1.2], metric="w1", **few)
    text = show(
        rows("a", [1.0, 1.1, 1.2]), lacking,
        rows("a", [0.1, "skipped", 0.1], metric="w1_floor", better="none", **few),
        rows("b", [2.0, 2.1, 2.2], metric="w1"),
    )
    assert "1.10 ± 0.14 (n=2)*" in line_of(text, "a ")
    assert "* a, w1: 1 of 3 runs skipped (only 1500 samples were given)" in text.splitlines()


def test_seeds_under_another_protocol_are_no_seeds_of_a_column():
    one, *others = rows("a", [1.0, 1.1, 1.2])
    best = rows("b", [2.0, 2.1, 2.2])
    text = show([one._replace(protocol="few"), *others], best, styles=True)
    assert "1.150 ± 0.071 (n=2)*" in line_of(text, "a ")
    assert "1 (n=1)*" in line_of(text, "a ")
    assert "\x1b[1m1.150" not in text  # nor is it the best: a seed is missing
    assert "* a, nll@v1: 1 of 3 runs measured under another protocol" in text
    assert "* a, nll@few: 2 of 3 runs measured under another protocol" in text


def test_protocols_have_columns_of_their_own():
    text = show(rows("a", [1.0], protocol="v1"), rows("b", [2.0], protocol="v2"))
    assert "nll@v1 ↓" in text
    assert "nll@v2 ↓" in text


def test_columns_are_chosen_or_the_first_that_matter():
    parts = [rows("a", [1.0], metric=f"m{place}") for place in range(5)]
    parts.append(rows("a", [1.0], metric="none", better="none"))
    text = show(*parts, max_columns=3)
    assert "m2" in text
    assert "m3" not in text
    assert "none" not in text
    text = show(*parts, metrics=["none", "m4"])
    assert text.index("none") < text.index("m4")
    assert "m1" not in text


def test_the_floor_stands_below_the_columns_that_have_one():
    both = [
        rows("a", [1.0, 1.1], metric="w1"), rows("b", [1.3, 1.4], metric="w1"),
        rows("a", [0.25, 0.25], metric="w1_floor", better="none", sampling_std=0.02),
        rows("a", [1.0], metric="swd"),
        rows("a", [0.5], metric="my_floor", better="none"),  # of nothing here
    ]
    assert "floor (two true sets): w1 0.250 ± 0.020" in show(*both).splitlines()
    few = rows("c", [1.0], metric="w1", protocol="few")
    few += rows("c", [0.5], metric="w1_floor", better="none", protocol="few")
    told = "floor (two true sets): w1@v1 0.250 ± 0.020; w1@few 0.5"
    assert told in show(*both, few).splitlines()
    assert "floor" not in show(*both, metrics=["swd"])
    assert "floor" not in show(rows("a", [1.0]))


def test_cut_budgets_are_marked():
    assert "not comparable" in show(rows("a", [1.0], limited=True))


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (1.0, "1"), (1.23456, "1.235"), (-0.012345, "-0.01235"), (12345.6, "12346"),
    (1e-7, "1e-07"), (2.5e9, "2.5e+09"), (float("inf"), "∞"), (float("nan"), "–"), (None, "–"),
    (100.0, "100"), (9.9999, "10"),
])
def test_numbers(value, text):
    assert number(value) == text


def test_means_and_p():
    assert mean_text([1.0, 2.0]) == "1.50 ± 0.71 (n=2)"
    assert mean_text([1.0]) == "1 (n=1)"
    assert mean_text([]) == "–"
    assert (p_text(0.0), p_text(0.0123), p_text(None)) == ("p < 0.0001", "p = 0.012", "no p-value")


def test_a_metric_without_a_number_for_any_row_is_named_with_its_reason():
    few = {"reason": "300 test points are fewer than 5000 (size)"}
    text = show(
        rows("a", [1.0, 1.1]), rows("a", ["skipped"] * 2, metric="w1", **few),
        rows("a", ["skipped"] * 2, metric="w1_floor", **few),
        rows("a", ["skipped"] * 2, metric="modes", reason="no modes"),
        rows("b", [1.0, 1.1], metric="modes"),
    )
    told = "no number for any row: w1 (300 test points are fewer than 5000 (size))"
    assert told in text.splitlines()
