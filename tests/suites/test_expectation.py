"""Claims' text: what parses to what, and what is refused how."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench.errors import SuiteError
from genbench.suites.expectation import parse_expectation


def test_two_cells():
    found = parse_expectation("nll[mixflow-ml] < nll[flow-ml]")
    assert found.relation == "<"
    assert found.cells == [("nll", "mixflow-ml", None), ("nll", "flow-ml", None)]
    assert found.terms == (
        (1.0, ("nll", "mixflow-ml", None)), (-1.0, ("nll", "flow-ml", None))
    )
    assert found.constant == 0
    assert found.tolerance is None


def test_sides_are_sums_and_gather_on_the_left():
    found = parse_expectation("fid[gan, mnist] - 1e-1 >= 1.5*fid[real, mnist]+2 - fid[gan,mnist]")
    assert {cell: factor for factor, cell in found.terms} == {
        ("fid", "gan", "mnist"): 2.0, ("fid", "real", "mnist"): -1.5
    }
    assert found.constant == pytest.approx(-2.1)


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">="])
def test_a_number_on_either_side(relation):
    assert parse_expectation(f"kid[a] {relation} -0.5").constant == 0.5
    assert parse_expectation(f"-0.5{relation}kid[a]").constant == -0.5


def test_rows_of_a_grid_hold_brackets_and_commas():
    found = parse_expectation("nll[nice[widths=[64, 64],layers=4], ring[modes=6]] < 3")
    assert found.cells == [("nll", "nice[widths=[64, 64],layers=4]", "ring[modes=6]")]


def test_metrics_may_name_their_protocol():
    found = parse_expectation("fid@inception-10k-test[a] - fid@inception-10k-test[b] < 0")
    assert [cell[0] for cell in found.cells] == ["fid@inception-10k-test"] * 2


@pytest.mark.parametrize("word", ["within", "±"])
def test_tolerance(word):
    found = parse_expectation(f"modes_covered[gan] ~= 6 {word} 0.5")
    assert (found.relation, found.constant, found.tolerance) == ("~=", -6, 0.5)


@pytest.mark.parametrize(("text", "says"), [
    ("", "expected a number or metric[row], got the end"),
    ("nll[a]", "expected one of < <= > >= ~="),
    ("nll[a] = 3", "expected one of < <= > >= ~=, got '= 3'"),
    ("nll < nll[a]", "'[' and a row after 'nll'"),
    ("nll[a < 3", "is not closed"),
    ("nll[] < 3", "takes a row"),
    ("nll[a, b, c] < 3", "not 'a, b, c'"),
    ("nll[a] < 3 < nll[b]", "expected the end, got '< nll[b]'"),
    ("nll[a] ~= 3", "needs a tolerance"),
    ("nll[a] < 3 within 2", "a tolerance goes with '~='"),
    ("nll[a] ~= 3 within x", "a tolerance (a number)"),
    ("2 < 3", "names no cell"),
    ("nll[a] < nll[a]", "cancels out"),
    ("|nll[a]| < 2 * nll[a]", "nll[a] stands with bars and without"),
    ("nll[a, ring] > 2 * |nll[a, ring]| on logs", "nll[a] stands with bars and without"),
    ("nll[a] < 1e999", "too large"),
    ("nll[a] < 2 + nll[b] on logs", "one term a side"),
    ("nll[a] ~= nll[b] on logs", "one term a side"),
    ("nll[a] < -2 * nll[b] on logs", "not positive"),
    ("nll[a] > 0 on logs", "one term a side"),
    ("2 < 3 on logs", "another or a number"),
    ("nll[a] < 2 * nll[a] on logs", "another or a number"),
    ("|nll[a] < 3", "expected '|'"),
])
def test_refusals_say_what_was_expected(text, says):
    with pytest.raises(SuiteError) as caught:
        parse_expectation(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_logarithms_and_magnitudes():
    found = parse_expectation("nll[a] > 10 * |fid[b, d]| on logs")
    assert found.logs
    assert found.terms == ((1.0, ("nll", "a", None)), (-1.0, ("fid", "b", "d")))
    assert found.constant == -math.log(10)
    assert found.magnitudes == {("fid", "b", "d")}
    found = parse_expectation("3 < nll[a] on logs")
    assert (found.terms, found.constant) == (((-1.0, ("nll", "a", None)),), math.log(3))


@given(st.text(alphabet="nl[]a,1.<>=~*+-| withonlogs±e\t", max_size=40))
def test_anything_parses_or_is_refused(text):
    try:
        found = parse_expectation(text)
    except SuiteError:
        return
    assert found.cells


_row = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True)


@given(_row, _row, st.floats(1e-3, 1e3), st.sampled_from(["<", "<=", ">", ">="]))
def test_what_is_written_is_read(first, second, factor, relation):
    found = parse_expectation(f"nll[{first}, d]{relation}{factor!r} * fid[{second}]")
    assert found.terms == ((1.0, ("nll", first, "d")), (-factor, ("fid", second, None)))
    assert found.relation == relation
