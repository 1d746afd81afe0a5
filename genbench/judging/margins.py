"""Equivalence: whether a difference lies within a claim's margin.

- D. J. Schuirmann, A comparison of the two one-sided tests procedure and the power approach for
  assessing the equivalence of average bioavailability, Journal of Pharmacokinetics and
  Biopharmaceutics 15, 1987, https://doi.org/10.1007/BF01068419
- S. Wellek, Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd edition, 2010,
  section 6.1: for a margin in standard deviations, which are estimates themselves, a noncentral t
  distribution stands in the place of two one-sided tests.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy.special import nctdtr

from genbench.judging.cells import Cell
from genbench.judging.claim_tests import contrast_of, tested
from genbench.judging.significance import contrast_test
from genbench.suites.expectation import Expectation
from genbench.suites.schema import Margin
from genbench.text.numbers import mean_and_std, number, p_text


def within_margin(
    expectation: Expectation, cells: Sequence[Cell], margin: float | Margin
) -> tuple[float, str]:
    """One-sided p that both sides differ by less, and the words for it.

    `expectation` compares values by < <= > or >=; the cells are complete and in its order.
    """
    if isinstance(margin, Margin) and margin.spread is not None:
        p, what = _within_spreads(expectation, cells, margin.spread), f"{margin.spread:g} std"
    else:
        ratio = expectation.on_logs
        if isinstance(margin, Margin):
            assert margin.factor is not None
            assert ratio is not None
            alike, what = ratio, f"a factor of {margin.factor:g}"
            tolerance = math.log(margin.factor)
        else:
            alike, what, tolerance = expectation, number(margin), margin
        try:
            p = tested(replace(alike, relation="~=", tolerance=tolerance), cells).confirm
        except ValueError as reason:  # a value without logarithm
            return 1.0, str(reason)
    return p, f"within {what}: {p_text(min(1.0, 2 * p))}"


def _within_spreads(expectation: Expectation, cells: Sequence[Cell], margin: float) -> float:
    """Against a difference of `margin` pooled standard deviations, which are equal if any is."""
    terms, constant, variance = contrast_of(expectation, cells)
    trained = [(factor, cell.outcomes) for factor, cell in terms]
    test = contrast_test(trained, constant, variance=variance)
    freedom = sum(len(sample) - 1 for _, sample in trained)
    squares = sum((len(sample) - 1) * mean_and_std(list(sample.values()))[1] ** 2
                  for _, sample in trained)
    pooled = math.sqrt(squares / freedom)
    if test.infinite or test.logs or pooled == 0:
        return 1.0  # no spread to measure by
    error = math.sqrt(sum(factor**2 / len(sample) for factor, sample in trained))
    t = abs(test.estimate) / (pooled * error)
    away = margin / error
    return float(nctdtr(freedom, away, t) - nctdtr(freedom, away, -t))
