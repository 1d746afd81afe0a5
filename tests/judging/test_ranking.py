"""Bold and marks: by significance, among rows with all their seeds, and never beyond the truth."""

from __future__ import annotations

import numpy as np
import pytest

from genbench.judging.cells import Cell, Trouble
from genbench.judging.looks import Look, LookSchedule
from genbench.judging.ranking import Rank, best_legend, held_against, ranks
from genbench.suites.looks import shares

B, W, N, UP = Rank.BEST, Rank.WORSE, Rank.NONE, Rank.BETTER
LOOKS = [5, 10, 20, 40]


def cell(method, values, better="lower", *, lost=(), **more):
    return Cell(
        method, "ring", "nll", "v1", better, values=dict(enumerate(values)),
        troubles={100 + k: Trouble(status, "") for k, status in enumerate(lost)}, **more,
    )


def found(*cells):
    return [ranks(cells)[each.method] for each in cells]


def test_what_noise_cannot_tell_from_the_best_is_bold_too():
    assert found(
        cell("a", [1.0, 1.1, 0.9]), cell("b", [1.2, 0.95, 1.12]), cell("c", [5.0, 5.2, 4.9]),
    ) == [B, B, W]
    # once bold, by its mean alone: 0.00023 ± 0.00040 beside 0 ± 0
    assert found(cell("a", [0.0, 0.0, 0.0]), cell("b", [0.0, 0.0, 0.0007])) == [B, B]
    assert found(
        cell("a", [1.0, 1.1, 0.9], "higher"), cell("c", [5.0, 5.2, 4.9], "higher")
    ) == [W, B]


@pytest.mark.parametrize(
    "lost", ["failed", "queued", "diverged", "not-finite", "timed-out", "skipped"]
)
def test_survivors_are_neither_bold_nor_the_best(lost):
    cells = (cell("a", [0.1, 0.11, 0.12], lost=[lost]), cell("b", [1.0, 1.1, 0.9]),
             cell("c", [5.0, 5.2, 4.9]))
    assert found(*cells)[0] is not B
    assert found(*cells)[1:] == [B, W]


def test_enough_infinite_seeds_are_significantly_worse():
    lost = cell("a", [0.1], lost=["not-finite"] * 7)
    assert found(lost, cell("b", np.linspace(1, 2, 8))) == [W, B]


def test_nothing_beyond_the_real_row_is_bold():
    """BEGAN with one mode of 25 has a high-quality share of 1; the truth has 0.989."""
    aim = {"better": "target", "aim": "0.989 from below", "target": 0.989}
    assert found(
        cell("began", [1.0, 1.0, 1.0], **aim), cell("a", [0.95, 0.951, 0.952], **aim),
        cell("b", [0.5, 0.51, 0.52], **aim), cell("real", [0.989], **aim),
    ) == [N, B, W, N]
    copies = {"better": "target", "aim": "0.01 from above", "target": 0.01}
    assert found(
        cell("noise", [0.0, 0.0001, 0.0], **copies),
        cell("fresh", [0.012, 0.011, 0.013], **copies), cell("copy", [0.9, 0.91, 0.92], **copies),
    ) == [N, B, W]
    for better, beyond, near in (("lower", [0.1, 0.11, 0.12], [0.6, 0.61, 0.62]),
                                 ("higher", [0.9, 0.91, 0.92], [0.4, 0.41, 0.42])):
        assert found(
            cell("a", beyond, better), cell("b", near, better), cell("c", near[::-1], better),
            cell("real", [0.5], better),
        )[0] is N


def test_fewer_than_three_seeds_and_equal_rows_are_not_ranked():
    assert found(cell("a", [1.0, 1.1]), cell("b", [2.0, 2.1])) == [N, N]
    assert found(cell("a", [6.0] * 3), cell("b", [6.0] * 3)) == [N, N]
    assert found(cell("a", [1.0, 1.1, 1.2])) == [N]
    assert found(cell("a", [1.0, 1.1, 1.2], "none"), cell("b", [2.0, 2.1, 2.2], "none")) == [N, N]


@pytest.mark.parametrize(("n", "rows", "lead"), [(3, 4, 0.0), (5, 2, 0.0), (5, 10, 0.0),
                                                 (5, 6, 0.3)])
def test_the_truly_best_row_is_seldom_marked(n, rows, lead):
    """Though the best mean is chosen by looking, and its luck counts against the others."""
    rng, trials = np.random.default_rng(n), 150
    marked = 0
    for _ in range(trials):
        best = cell("best", rng.normal(-lead, size=n))
        others = [cell(str(k), rng.normal(size=n)) for k in range(rows - 1)]
        marked += ranks([best, *others])["best"] is W
    assert marked / trials <= 0.05 + 2.3 * (0.05 * 0.95 / trials) ** 0.5


def test_what_is_far_behind_is_marked_with_three_seeds_and_many_rows():
    """4.0 ± 1.3 once stood in bold beside 0.08, for the correction was that of all pairs."""
    near = [cell(str(k), [0.08 + 0.01 * k, 0.09 + 0.01 * k, 0.10 + 0.01 * k]) for k in range(4)]
    assert found(*near, cell("far", [3.8, 4.0, 4.3]))[-1] is W


def test_what_is_as_good_as_the_real_row_up_to_noise_is_bold():
    """A mean that passes the real row's by less than the seeds can tell is the best there is."""
    assert found(
        cell("real", [0.5]), cell("a", [0.49, 0.50, 0.505]), cell("b", [0.9, 0.91, 0.92]),
    ) == [N, B, W]


# --- from a named row --------------------------------------------------------------------------


def against(*cells, name="base", schedule=None):
    held = held_against(name, [(cells, name)], *([schedule] if schedule else []))
    return [held.ranks[0][each.method] for each in cells]


def test_rows_are_marked_better_or_worse_than_the_named_one():
    base = cell("base", [1.0, 1.1, 0.9])
    assert against(
        base, cell("near", [1.2, 0.95, 1.12]), cell("low", [0.1, 0.12, 0.09]),
        cell("high", [5.0, 5.2, 4.9]),
    ) == [N, N, UP, W]
    up = [cell(one, values, "higher") for one, values in (
        ("base", [1.0, 1.1, 0.9]), ("low", [0.1, 0.12, 0.09]), ("high", [5.0, 5.2, 4.9]))]
    assert against(*up) == [N, W, UP]
    aim = {"better": "target", "aim": "0.989 from below", "target": 0.989}
    assert against(
        cell("base", [0.5, 0.51, 0.52], **aim), cell("near", [0.95, 0.951, 0.952], **aim),
        cell("far", [0.1, 0.11, 0.12], **aim), cell("beyond", [1.0, 1.0, 1.0], **aim),
    ) == [N, UP, W, N]


def test_what_cannot_be_compared_with_the_named_row_has_no_mark():
    base, far = cell("base", [1.0, 1.1, 0.9]), [5.0, 5.2, 4.9]
    assert against(base, cell("real", [0.01] * 3), cell("few", far[:2]),
                   cell("failed", far, lost=["failed"]), cell("trial", far, limited=True),
                   ) == [N] * 5
    assert against(cell("base", [1.0, 1.1, 0.9], "none"), cell("a", far, "none")) == [N, N]
    assert against(cell("base", [1.0, 1.1]), cell("a", far)) == [N, N]
    assert against(cell("a", far), cell("b", [1.0, 1.1, 0.9])) == [N, N]  # no such row here
    # nothing is better than the data
    assert against(base, cell("beyond", [0.1, 0.11, 0.09]), cell("real", [0.5])) == [N, N, N]
    assert against(cell("base", [0.1, 0.11, 0.09]), cell("a", far), cell("real", [0.5]),
                   ) == [N, N, N]


def test_a_row_that_is_infinite_is_worse_and_one_that_is_not_better():
    finite, lost = np.linspace(1, 2, 8), ["not-finite"] * 7
    assert against(cell("base", finite), cell("a", [0.1], lost=lost)) == [N, W]
    assert against(cell("base", [0.1], lost=lost), cell("a", finite)) == [N, UP]
    assert against(cell("base", finite[:4]), cell("a", [0.1, 0.2], lost=lost[:2])) == [N, N]


def test_the_correction_is_over_all_cells_of_the_table():
    rng = np.random.default_rng(0)
    columns = [[cell(m, rng.normal(size=5)) for m in ("base", "a", "b")] for _ in range(3)]
    columns[0] = [cell("base", [0.0, 1.0, 2.0, 1.5, 0.5]), cell("a", [2.5, 3.6, 3.1, 2.2, 4.4]),
                  cell("b", rng.normal(1.0, size=5))]
    alone = held_against("base", [(columns[0][:2], "base")])
    assert (alone.ranks[0]["a"], alone.comparisons) == (W, 1)
    whole = held_against("base", [(column, "base") for column in [columns[0], *columns[1:] * 9]])
    assert (whole.ranks[0]["a"], whole.comparisons) == (N, 38)
    assert "Holm's correction over the 38 comparisons of this table" in whole.legend("Base")
    assert "over one comparison of this table" in alone.legend("Base")
    assert held_against("base", []).legend("Base") == (
        "No row here can be compared with Base: no marks.")


def scheduled(*cells):
    looks = [
        Look(number, len(LOOKS), seeds, share, LOOKS[-1], shares(LOOKS)[-1])
        for number, (seeds, share) in enumerate(zip(LOOKS, shares(LOOKS), strict=True), 1)
    ]
    return LookSchedule(looks, {(one.method, one.dataset): set(range(LOOKS[-1])) for one in cells})


def test_rows_of_a_suite_with_looks_are_compared_at_the_last_one_of_both():
    far = [3.0 + 0.3 * (k % 3 - 1) + 0.02 * k for k in range(12)]
    base = cell("base", [1.0 + 0.3 * (k % 4 - 1.5) + 0.01 * k for k in range(5)])
    cells = (base, cell("a", far))
    one, other, look = scheduled(*cells).pair(*reversed(cells))
    assert (len(one.values), len(other.values), look.seeds) == (5, 5, 5)
    assert scheduled(*cells).pair(base, cell("a", far[:4])) is None
    assert against(*cells, schedule=scheduled(*cells)) == [N, W]
    nearer = cell("a", [value - 1.35 for value in far[:5]])
    assert against(base, nearer) == [N, W]
    assert against(base, nearer, schedule=scheduled(base, nearer)) == [N, N]
    assert "at the last look that both have reached" in held_against(
        "base", [(cells, "base")], scheduled(*cells)).legend("Base")
    assert "at the last look" in best_legend(scheduled(*cells))
    assert ranks([base, nearer], scheduled(base, nearer)) == {"base": B, "a": B}
    assert ranks([base, nearer]) == {"base": B, "a": W}


def stopped(rng):
    """Two rows that are alike, with more seeds until a look at all of them finds a difference."""
    values = [rng.normal(size=LOOKS[-1]) for _ in range(2)]
    for seeds in LOOKS:
        cells = [cell(one, row[:seeds]) for one, row in zip(("base", "a"), values, strict=True)]
        if against(*cells) != [N, N]:
            break
    return cells


def test_a_table_without_differences_is_seldom_marked():
    """Any mark in it is false: 5 % at most, and with looks that stop where a difference shows."""
    rng, trials = np.random.default_rng(1), 200
    fixed = looked = naive = 0
    for _ in range(trials):
        cells = [cell("base" if not k else str(k), rng.normal(size=5)) for k in range(4)]
        fixed += set(against(*cells)) != {N}
        cells = stopped(rng)
        looked += against(*cells, schedule=scheduled(*cells)) != [N, N]
        naive += against(*cells) != [N, N]
    limit = 0.05 + 2.3 * (0.05 * 0.95 / trials) ** 0.5
    assert max(fixed, looked) / trials <= limit
    assert looked < naive / 2
