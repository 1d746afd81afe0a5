"""Targets: which number counts, and that a missing seed never reaches one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from genbench.reporting.numbers import Numbers
from genbench.reporting.sections.targets import reached, section
from genbench.store.frame import frame_of
from genbench.store.table import tidy
from genbench.suites.schema import Report


def numbers_with(filled, targets):
    plan, store = filled
    report = Report.model_validate({"targets": targets})
    plan = replace(plan, suite=plan.suite.model_copy(update={"report": report}))
    return Numbers(plan, tidy(plan, store))


def told(numbers):
    return section(SimpleNamespace(numbers=numbers), [])


def values(filled, method, dataset, metric="nll"):
    frame = frame_of(tidy(*filled))
    wanted = (frame.method == method) & (frame.dataset == dataset) & (frame.metric == metric)
    return frame[wanted].value.dropna()


@pytest.mark.parametrize(("over", "pick"), [("median", "median"), ("mean", "mean"),
                                            ("worst", "max")])
def test_the_statistic_is_the_one_asked_for(filled, over, pick):
    seeds = values(filled, "nice", "ring")
    expected = getattr(seeds, pick)()
    for bound, yes in ((expected + 1e-9, True), (expected - 1e-6, False)):
        (one,) = reached(numbers_with(filled, [
            {"cell": "nll[nice, ring]", "at_most": bound, "over": over}
        ]))
        assert one.value == pytest.approx(expected)
        assert one.yes is yes


def test_the_worst_of_a_lower_bound_is_the_smallest(filled):
    seeds = values(filled, "nice", "ring", "modes_covered")
    (one,) = reached(numbers_with(filled, [
        {"cell": "modes_covered[nice, ring]", "at_least": seeds.min(), "over": "worst"}
    ]))
    assert one.value == seeds.min()
    assert one.yes


@pytest.mark.parametrize(("cell", "why"), [
    ("nll[mixflow, ring]", "1 of 3 seeds missing"), ("nll[gan, digits]", "diverged"),
])
def test_a_missing_or_diverged_seed_is_not_reached(filled, cell, why):
    (one,) = reached(numbers_with(filled, [{"cell": cell, "at_most": 1e9}]))
    assert not one.yes
    assert why in one.missing


def test_the_table_says_how_many(filled):
    heading, count, text = told(numbers_with(filled, [
        {"cell": "nll[nice, ring]", "at_most": 1e9, "note": "easy"},
        {"cell": "nll[nice, digits]", "at_most": -1e9},
    ]))
    assert heading == "## Targets"
    assert count == "1 of 2 reached."
    lines = text.splitlines()
    assert "**yes**" in lines[2]
    assert "easy" in lines[2]
    assert "| no |" in lines[3]
    assert told(numbers_with(filled, [])) == []
