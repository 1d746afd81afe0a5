"""Bold and marks: by significance, among rows with all their seeds, and never beyond the truth."""

from __future__ import annotations

import numpy as np
import pytest

from genbench.judging.cells import Cell, Trouble
from genbench.judging.ranking import Rank, ranks

B, W, N = Rank.BEST, Rank.WORSE, Rank.NONE


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
