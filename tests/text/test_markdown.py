from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from genbench.text.markdown import (
    WIDE,
    Footnotes,
    code,
    count,
    escape,
    lead_and_rest,
    prose,
    table,
    tables,
)
from genbench.text.numbers import mean_and_std, spread_text


@pytest.mark.parametrize(("values", "text"), [
    ([2.0], "2"),
    ([2.34567], "2.346"),
    ([1.0, 2.0, 3.0], "2.0 ± 1.0"),
    ([100.0, 102.0], "101.0 ± 1.4"),
    ([1234.0, 1534.0], "1380 ± 210"),
    ([0.00102, 0.00104], "0.001030 ± 0.000014"),
    ([5.0, 5.0], "5 ± 0"),
    ([-2.0, -4.0], "-3.0 ± 1.4"),
    ([1e7, 3e7], "(2.0 ± 1.4)e+07"),
    # once "1 ± 4.3e-05", "12346 ± 0.0095" and "1.23e+06 ± 18"
    ([1 - 3e-5, 1 + 3e-5], "1.000000 ± 0.000042"),
    ([12345.67, 12345.6837], "12345.6768 ± 0.0097"),
    ([1234554.0, 1234580.0], "1234567 ± 18"),
    ([0.99, 1.09], "1.040 ± 0.071"),
    ([0.00009, -0.00002], "(3.5 ± 7.8)e-05"),
    ([-0.1, 0.1], "0.00 ± 0.14"),
    ([0.0, 1.41], "0.7 ± 1.0"),
])
def test_the_spread_decides_the_digits(values, text):
    assert spread_text(*mean_and_std(values)) == text


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=6))
def test_any_numbers_can_be_written(values):
    text = spread_text(*mean_and_std(values))
    power = re.sub(r"[^)]*\)", "", text) if text.startswith("(") else ""
    mean, _, std = text.lstrip("(").partition(")")[0].partition(" ± ")
    assert float(mean + power) == pytest.approx(
        math.fsum(values) / len(values), rel=0.06, abs=1e-4 + 0.06 * max(map(abs, values))
    )
    spread = mean_and_std(values)[1]
    if spread > 0:  # two digits of it, and the mean to the same place
        assert float(std + power) == pytest.approx(spread, rel=0.051)
        assert len(mean.partition(".")[2]) == len(std.partition(".")[2])


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (math.nan, "–"), (0, "0"), (1500, "1,500"), (192000, "192k"), (6.4e6, "6.4M"),
])
def test_counts(value, text):
    assert count(value) == text


def test_notes_are_numbered_once():
    notes = Footnotes()
    assert [notes.mark("a"), notes.mark("b"), notes.mark("a")] == ["⁽¹⁾", "⁽²⁾", "⁽¹⁾"]
    assert notes.text() == "⁽¹⁾ a  \n⁽²⁾ b  \n"
    for index in range(10):
        notes.mark(str(index))
    assert notes.mark("9") == "⁽¹²⁾"


def test_a_number_and_its_spread_stay_on_one_line():
    assert table(["a", "b"], [["x ± y", "**(5.1 ± 0.7)e-04** †"]]).splitlines()[2] == (
        "| x ± y | **(5.1\u00a0±\u00a00.7)e\u201104**\u00a0† |"
    )
    assert "| -3.3e\u201105 |" in table(["a", "b"], [["x", "-3.3e-05"]])
    assert "| not finite |" in table(["a", "b"], [["x", "not finite"]])


@pytest.mark.parametrize(("columns", "wanted"), [(1, [1]), (6, [6]), (8, [4, 4]), (14, [5, 5, 4])])
def test_a_table_is_no_wider_than_a_page(columns, wanted):
    head = ["method", *(f"metric {i}, nats ↓" for i in range(columns))]
    rows = [[f"row {r}", *("**1.234 ± 0.012** †" for _ in range(columns))] for r in range(3)]
    parts = tables(head, rows, range(1, 1 + columns)).split("\n\n")
    assert [part.splitlines()[0].count("metric") for part in parts] == wanted
    assert [f"metric {i}, nats" in parts[-1] for i in (0, columns - 1)] == [len(parts) == 1, True]
    for part in parts:
        lines = part.splitlines()
        assert [line.split(" | ")[0] for line in lines[2:]] == ["| row 0", "| row 1", "| row 2"]
        assert max(map(len, lines[2:])) < 1.3 * WIDE


def test_a_published_number_stays_beside_ours():
    three = ("fid", "published", "difference")
    head = ["method", *(f"{of} {i}" for i in range(5) for of in three)]
    rows = [["a", *("123.45 ± 6.78" for _ in head[1:])]]
    parts = tables(head, rows, range(1, 16, 3)).split("\n\n")
    assert len(parts) > 1
    for part in parts:
        names = part.splitlines()[0].strip("| ").split(" | ")[1:]
        assert [name.split()[0] for name in names] == [*three] * (len(names) // 3)


@given(st.text())
def test_no_text_breaks_a_table(text):
    lines = table(["head"], [[escape(text)]]).splitlines()
    assert len(lines) == 3
    assert lines[2].replace("\\\\", "").replace("\\|", "").count("|") == 2


def test_markup_is_shown_as_it_is():
    assert escape("<img src=x> *a* |b| & `c`") == "&lt;img src=x> \\*a\\* \\|b\\| &amp; \\`c\\`"


def test_code_in_a_table_keeps_its_cell():
    """A pipe ends a cell, in code too, unless it is escaped."""
    assert code("|a| > 3") == "`\\|a\\| > 3`"
    assert code("a`b") == "`` a`b ``"


@pytest.mark.parametrize("hostile", [
    "<img src=x onerror=alert(1)>", "</td><script>x</script>", "<!-- x", "<?php", "<svg/onload=x>",
    "[a](javascript:alert(1))", "[a]( \n javascript:x)", "[a](&#106;avascript:x)", "[a](data:x,y)",
    "[a](<javascript:x>)", "![a](vbscript:x)", "[a]\n\n[a]: javascript:x", "<javascript:x>",
    "[a](JaVaScRiPt:x)", "[a](java\\script:x)",
])
def test_a_users_markdown_makes_nothing_but_text(hostile: str) -> None:
    """As a parser of Markdown that lets HTML through reads it."""
    for text in (prose(hostile), f"| {escape(hostile)} |", f"# {escape(hostile)}"):
        html = MarkdownIt("commonmark").render(f"before {text} after\n\n{text}\n")
        assert not re.search(r"<(?!/?(?:p|h1)>)", html), html


def test_what_markdown_is_for_stays() -> None:
    text = "A *word*, `code`, [page](https://arxiv.org/abs/1), [file](figures/a.png)\n\n- a < b"
    assert prose(text) == text
    assert prose("<https://arxiv.org>") == "<https://arxiv.org>"
    assert escape("wgan-gp[steps=1] (a)") == "wgan-gp[steps=1] (a)"
    assert escape("a\x1b[2Jb\u202e") == "a\\x1b[2Jb\\u202e"


def test_code_cannot_be_left() -> None:
    for inside in ("a", "`a`", "``<img>``", "```"):
        html = MarkdownIt("commonmark").render(code(f"x {inside} <img> y"))
        assert re.fullmatch(r"<p><code>[^<]*</code></p>\n", html), html


def test_a_long_text_opens_with_its_first_sentence():
    long = "It follows Arjovsky et al. (2017), e.g. Fig. 2. Then " + "word " * 80 + "\n\n- a\n- b"
    lead, rest = lead_and_rest(long)
    assert lead == "It follows Arjovsky et al. (2017), e.g. Fig. 2."
    assert rest.startswith("Then word")
    assert rest.endswith("- a\n- b")
    assert lead_and_rest("One. Two.") == ("One. Two.", "")
    linked = "See [a. Page](x) there" + " word" * 80 + "."
    assert lead_and_rest(linked) == (linked, "")
