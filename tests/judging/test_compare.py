"""Comparing two sets of results, and reading them back."""

from __future__ import annotations

import io
import math

import pytest
from made_rows import rows, table
from rich.console import Console
from scipy import stats

from genbench.errors import GenbenchError, ProtocolError
from genbench.judging.cells import cells_of
from genbench.judging.compare import compare, compare_table
from genbench.judging.gate import accept
from genbench.judging.stored import load_cells
from genbench.store.table import FORMATS


def compared(a, b, **options):
    """The comparison of two tables, as a table."""
    return sides(a, b, **options).table


def sides(a, b, **options):
    """The comparison of two tables."""
    return compare(cells_of(a), cells_of(b), **options)


def text_of(renderable):
    console = Console(file=io.StringIO(), width=200)
    console.print(renderable)
    return console.file.getvalue()


HEAD = "suite,method,dataset,seed,metric,protocol,value,better,unit,status,reason,run"
A = rows("flow[layers=4]", [1.0, 1.1, 0.9])


def test_differences_and_their_significance():
    b = rows("flow[layers=4]", [2.0, 2.4, 1.9])
    row = compared(table(A), table(b)).iloc[0]
    apart = stats.ttest_ind([2.0, 2.4, 1.9], [1.0, 1.1, 0.9], equal_var=False)
    pairs = stats.ttest_rel([2.0, 2.4, 1.9], [1.0, 1.1, 0.9])
    assert row.difference == pytest.approx(1.1)
    assert row.p == pytest.approx(2 * min(apart.pvalue, pairs.pvalue))
    best = min(apart, pairs, key=lambda test: test.pvalue)
    assert (row.low, row.high) == pytest.approx(tuple(best.confidence_interval(0.975)))
    assert (row.a_seeds, row.b_seeds, row.verdict) == (3, 3, "worse")
    assert compared(table(b), table(A)).iloc[0].verdict == "better"


def test_why_there_is_no_verdict_is_said_with_the_metrics_that_it_is_true_of():
    lacking = [
        rows("a", [1.0, "skipped", 1.2], metric=name) for name in ("w1", "w1_floor", "emd")
    ]
    frame = table(rows("a", [1.0, 1.1, 1.2]), *lacking)
    text = text_of(compare_table(sides(frame, frame)))
    assert "a on ring (w1, emd), inconclusive: A: 1 of 3 runs skipped" in text
    assert "1.10 ± 0.14 (n=2)" in text
    whole = table(*lacking)
    text = text_of(compare_table(sides(whole, whole)))
    assert "a on ring, inconclusive: A: 1 of 3 runs skipped" in text


@pytest.mark.parametrize(("better", "verdict"), [("higher", "better"), ("none", "different")])
def test_direction(better, verdict):
    a, b = rows("a", [1.0, 1.1, 0.9], better=better), rows("a", [2.0, 2.1, 1.9], better=better)
    assert compared(table(a), table(b)).iloc[0].verdict == verdict


def test_holm_over_the_cells():
    a = [row for place in range(5) for row in rows(f"m{place}", [1.0, 1.1, 0.9])]
    b = [row for place in range(5) for row in rows(f"m{place}", [1.3, 1.4, 1.25])]
    alone = compared(table(a[:3]), table(b[:3])).iloc[0]
    crowd = compared(table(a), table(b))
    assert crowd.p.tolist() == pytest.approx([5 * alone.p] * 5)


def test_noise_constants_and_few_seeds():
    found = compared(
        table(A, rows("b", [1.0] * 3), rows("c", [1.0, 2.0])),
        table(rows("flow[layers=4]", [1.02, 1.12, 0.8]), rows("b", [1.0] * 3), rows("c", [5, 6])),
    )
    assert found.verdict.tolist() == ["not told apart", "same values", "inconclusive"]
    assert found.reason[2] == "fewer than 3 seeds"


def test_other_protocols_are_marked_and_excluded():
    b = [*rows("flow[layers=4]", [1.0] * 3, metric="fid", protocol="inception-50k"), *A]
    a = [*A, *rows("flow[layers=4]", [1.0] * 3, metric="fid", protocol="inception-10k")]
    found = compared(table(a), table(b))
    assert found.verdict.tolist() == ["same values", "not comparable"]
    assert "A is inception-10k, B is inception-50k" in found.reason[1]
    assert found.difference.isna().tolist() == [False, True]


def test_nothing_under_one_protocol_is_refused():
    with pytest.raises(ProtocolError, match="A is v1, B is v2"):
        compared(table(A), table(rows("flow[layers=4]", [1.0, 2.0], protocol="v2")))


def test_nothing_in_common_is_refused():
    with pytest.raises(GenbenchError, match="no cell in common"):
        compared(table(A), table(rows("other", [1.0])))


def test_troubles_and_cut_budgets_are_not_compared():
    a = [*A, *rows("x", [1.0, 2.0, 3.0]), *rows("y", [1.0, 2.0, 3.0]), *rows("z", [1.0])]
    b = [*A, *rows("x", ["diverged", 2.0, 3.0]), *rows("y", [1.0, 2.0, 3.0], limited=True)]
    found = compared(table(a), table(b)).set_index("method")
    assert found.verdict["x"] == "not told apart"
    assert "by ranks: a value is not finite" in found.reason["x"]
    assert found.b["x"] == math.inf
    c = [*A, *rows("x", ["failed", 2.0, 3.0])]
    found_c = compared(table(a), table(c)).set_index("method")
    assert found_c.verdict["x"] == "inconclusive"
    assert found_c.reason["x"] == "B: 1 of 3 runs failed"
    assert found.verdict["y"] == "not comparable"
    assert found.verdict["z"] == "only in A"


def test_infinity_is_worse_than_any_number():
    fine = rows("x", [1.0, 1.1, 1.2, 1.05])
    lost = [row._replace(protocol="v1") for row in rows("x", ["not-finite", 5.0, 6.0, 7.0])]
    found = compared(table(fine), table(lost)).iloc[0]
    assert (found.verdict, found.p) == ("worse", pytest.approx(2 / 70))
    assert compared(table(lost), table(fine)).iloc[0].verdict == "better"
    assert "∞ (n=4)" in text_of(compare_table(sides(table(fine), table(lost))))


def test_two_methods_of_one_suite():
    suite = table(
        rows("a", [1.0, 1.1, 0.9]), rows("b", [2.0, 2.2, 1.9]), rows("c", [5.0]),
        rows("a", [3.0, 3.1, 3.2], metric="fid"), rows("b", [1.0, 1.15, 1.2], metric="fid"),
    )
    found = compared(suite, suite, methods=("a", "b"))
    assert found.method.tolist() == ["a | b"] * 2
    assert found.metric.tolist() == ["nll", "fid"]
    assert found.verdict.tolist() == ["worse", "better"]
    swapped = compared(suite, suite, methods=("b", "a"))
    assert swapped.verdict.tolist() == ["better", "worse"]
    assert len(compared(suite, suite, methods=("a", None))) == 2
    with pytest.raises(GenbenchError, match="no row 'aa'; did you mean 'a'"):
        compared(suite, suite, methods=("aa", "b"))


def test_a_target_is_what_is_compared():
    aim = {"metric": "hq", "better": "target", "target": "real from below"}
    real = rows("real", [0.989], **aim)
    suite = table(real, rows("near", [0.97, 0.971, 0.9685], **aim),
                  rows("far", [0.5, 0.51, 0.52], **aim))
    found = compared(suite, suite, methods=("near", "far")).iloc[0]
    assert (found.verdict, found.better) == ("worse", "target")


def test_the_table_shows_names_as_they_are():
    text = text_of(compare_table(sides(table(A), table(A)), "old[1]", "new"))
    assert "flow[layers=4]" in text
    assert "new against old[1]" in text
    assert "1.00 ± 0.10" in text


def test_no_word_is_broken_at_80_columns():
    named = {"metric": "covered_by_count_k5"}
    long = rows("relaxed-wgan-of-a-long-name", [123.456, 124.5, 122.1], **named)
    other = rows("relaxed-wgan-of-a-long-name", [133.456, 144.5, 122.1], **named)
    found = compare_table(sides(table(A, long), table(A, other)), "results/old", "results/new")
    stream = io.StringIO()
    Console(file=stream, width=80).print(found)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in stream.getvalue()
    words = set(stream.getvalue().split())
    assert {"relaxed-wgan-of-a-long-name", "covered_by_count_k5", "told"} <= words


def test_csv_and_baseline_read_back(tmp_path):
    frame = table(A, rows("b", [1.0, "diverged", 1e-300]), rows("c", ["skipped"]))
    (tmp_path / "metrics.csv").write_text(FORMATS["csv"](frame))
    accept(frame, tmp_path / "sub" / "mine.json")
    for path in (tmp_path, tmp_path / "metrics.csv", tmp_path / "sub" / "mine.json"):
        found = compare(load_cells(path), cells_of(frame)).table
        found = found.sort_values("method", ascending=False)
        assert found.verdict.tolist() == ["same values", "same values"]
        assert found.a_seeds.tolist() == [3, 3]


@pytest.mark.parametrize(("name", "text", "says"), [
    ("metrics.csv", "", "not a table of metrics"),
    ("metrics.csv", "a,b\n1,2\n", "lacks the columns suite"),
    ("metrics.csv", f"{HEAD}\n"
     "s,m,d,0,nll,v1,abc,lower,,ok,,r\n", "metrics.csv:2: value: expected a number, got 'abc'"),
    ("metrics.csv", f"{HEAD}\n"
     "s,m,d,0,nll,v1,1,lower,,ok,,r\ns,m,d,,nll,v1,1,lower,,ok,,r\n", "metrics.csv:3: seed"),
    ("metrics.csv", f"{HEAD}\ns,m\n", "metrics.csv:2: expected 12 columns"),
    ("metrics.csv", f'{HEAD}\ns,"m', "unexpected end of data"),
    ("baseline.json", "{", "Invalid JSON"),
])
def test_bad_files_get_one_line(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(GenbenchError) as caught:
        load_cells(tmp_path / name)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path):
    with pytest.raises(GenbenchError, match="holds no metrics"):
        load_cells(tmp_path)
    with pytest.raises(GenbenchError, match="there is no"):
        load_cells(tmp_path / "none")
