"""A claim's comparison, put to the test: p for it and against it, and the words for both."""

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from scipy.special import stdtr

from genbench.judging import exact
from genbench.judging.cells import Cell, is_reference
from genbench.judging.effects import Effect
from genbench.judging.significance import contrast_test
from genbench.judging.statistics import Test, Variance, welch
from genbench.suites.expectation import Expectation
from genbench.text.numbers import mean_and_std, number, p_text

MANY = 1_000_000
"""Sets, where how many is not known: a table without its suite."""
INFINITE = "what is not finite is the worst there is"


class Tested(NamedTuple):
    """One-sided p for a comparison and against it."""

    confirm: float
    refute: float
    text: str
    """What the verdict rests on."""
    settled: bool = False
    """Whether it is refuted without a test: what it calls better is infinite."""
    effect: Effect | None = None
    """What was estimated; None where a value is infinite."""


def contrast_of(
    expectation: Expectation, cells: Sequence[Cell]
) -> tuple[list[tuple[float, Cell]], float, Variance]:
    """The trained cells with their coefficients, the constant, and its variance.

    The row of the data counts as part of the constant, known up to its sampling spread: that of
    one set and not of their mean, which is on the safe side.

    Raises:
        ValueError: a value that has no logarithm, where those are compared.
    """
    trained, constant, squares, spent = [], expectation.constant, 0.0, 0.0
    for (factor, name), cell in zip(expectation.terms, cells, strict=True):
        compared = cell.transformed(name in expectation.magnitudes, expectation.logs)
        if is_reference(compared):
            constant += factor * mean_and_std(compared.sample)[0]
            square = (factor * compared.sampling_std) ** 2
            squares += square
            spent += square**2 / max(1, (compared.sets or MANY) - 1)
        else:
            trained.append((factor, compared))
    return trained, constant, Variance(squares, squares**2 / spent if spent else math.inf)


def tested(expectation: Expectation, cells: Sequence[Cell]) -> Tested:
    """Test a comparison on its cells, which are in its own order and complete.

    Raises:
        ValueError: a value that has no logarithm, where those are compared.
    """
    if expectation.spread:
        return _spreads(expectation, cells[0], cells[1])
    trained, constant, variance = contrast_of(expectation, cells)
    shifts = (0.0,) if expectation.tolerance is None else (-1.0, 1.0)
    tests = [
        contrast_test(
            [(factor, cell.outcomes) for factor, cell in trained],
            constant + shift * (expectation.tolerance or 0.0), variance=variance,
            pairs=len({cell.dataset for _, cell in trained}) == 1,
            certain=all(cell.fixed for cell in cells),
        )
        for shift in shifts
    ]
    confirm, refute, settled = _both_ways(expectation.relation, tests)
    if settled:
        return Tested(confirm, refute, INFINITE, True)
    p = min(1.0, 2 * min(confirm, refute))
    effect = _effect(expectation, tests)
    text = _estimate_text(expectation, tests, effect, p)
    if effect is None:
        text = f"{INFINITE}; {text}"
    return Tested(confirm, refute, text, effect=effect)


def _both_ways(relation: str, tests: Sequence[Test]) -> tuple[float, float, bool]:
    """One-sided p for the claim and against it, and whether infinity refutes it."""
    test = tests[0]
    if relation == "~=":
        upper, lower = tests  # of the contrast less the tolerance, and of it plus the tolerance
        if upper.infinite:
            return 1.0, 1.0, not math.isnan(upper.estimate)
        if upper.certain:
            inside = upper.estimate <= 0 <= lower.estimate
            return (0.0, 1.0, False) if inside else (1.0, 0.0, False)
        return max(upper.p_less, lower.p_greater), min(upper.p_greater, lower.p_less), False
    if test.certain and test.estimate == 0:
        return (0.0, 1.0, False) if "=" in relation else (1.0, 0.0, False)
    down = relation in ("<", "<=")
    against = math.inf if down else -math.inf
    confirm, refute = test.p_less, test.p_greater
    return (confirm, refute, test.estimate == against) if down else (
        refute, confirm, test.estimate == against
    )


# --- spreads over seeds ----------------------------------------------------------------------


def _spreads(expectation: Expectation, first: Cell, second: Cell) -> Tested:
    """Whether the seeds of one cell differ less than those of the other."""
    if first.lost or second.lost:
        smaller, larger = (first, second) if expectation.relation == "<" else (second, first)
        return Tested(1.0, 1.0, INFINITE, bool(smaller.lost) and not larger.lost)
    samples = [first.sample, second.sample]
    heavy = any(map(exact.heavy_tailed, samples))
    confirm, refute = _log_distances_differ(*map(_log_distances, samples), heavy=heavy)
    if expectation.relation == ">":
        confirm, refute = refute, confirm
    stds = [mean_and_std(sample)[1] for sample in samples]
    text = "; ".join(
        f"std of {cell.name} {number(std)}"
        for cell, std in zip((first, second), stds, strict=True)
    )
    how = "test of log distances from the median" + (" (heavy tails)" if heavy else "")
    p = min(1.0, 2 * min(confirm, refute))
    effect = Effect("ratio of stds", stds[0] / stds[1]) if stds[1] > 0 else None
    return Tested(confirm, refute, f"{text}; {how}, {p_text(p)}", effect=effect)


def _log_distances_differ(
    first: list[float], second: list[float], *, heavy: bool
) -> tuple[float, float]:
    """One-sided p that the first distances are smaller, and larger.

    The median of few values with heavy tails moves all distances at once: their variance is then
    counted twice, which the simulation of the tests asks for.
    """
    if -math.inf in (*first, *second) or _equal(first) or _equal(second):
        top = max(0.0, *first, *second)  # below 0, they are not taken for positive quantities
        test = contrast_test([
            (sign, {place: each - top for place, each in enumerate(logs)})
            for sign, logs in ((1.0, first), (-1.0, second))
        ])
        return test.p_less, test.p_greater
    test = welch(first, second)
    t = test.estimate / (test.standard_error * (math.sqrt(2) if heavy else 1.0))
    return float(stdtr(test.df, t)), float(stdtr(test.df, -t))


def _equal(logs: Sequence[float]) -> bool:
    """Whether two distances are the same: a spread of theirs says nothing then."""
    return any(after - before <= 1e-12 for before, after in pairwise(sorted(logs)))


def _log_distances(values: Sequence[float]) -> list[float]:
    """Logarithms of n − 1 distances from the median: one of n says nothing.

    For an odd n that is the median's own, 0; for an even one, that of the middle two, which are
    equally far from their mean.
    """
    middle = statistics.median(values)
    scale = max(map(abs, values))
    distances = sorted(abs(value - middle) for value in values)[1:]
    return [math.log(each) if each > 1e-12 * scale else -math.inf for each in distances]


# --- in words ---------------------------------------------------------------------------------


def _estimate_text(
    expectation: Expectation, tests: Sequence[Test], effect: Effect | None, p: float
) -> str:
    """What was estimated, its interval, and the test.

    `tests` has one, or the two one-sided ones of a tolerance.
    """
    test = tests[0]
    kind = f"{test.kind} test" if len(tests) == 1 else f"two one-sided {test.kind} tests"
    if effect is None:
        return f"{kind}, {p_text(p)}"
    estimate = f"{effect.quantity} {number(effect.value)}"
    if test.deterministic:
        estimate += ", without any spread over the seeds"
        return estimate if test.certain else f"{estimate}, {kind}, {p_text(p)}"
    if expectation.logs or test.logs:
        kind += " on logs"
    if test.logs:
        kind += " (heavy tails)"
    if effect.ends:
        estimate += f", 95 % CI [{effect.ends}]"
    return f"{estimate}, {kind}, {p_text(p)}"


def _effect(expectation: Expectation, tests: Sequence[Test]) -> Effect | None:
    """The estimate, with its interval unless the test was an exact one or had no spread."""
    test = tests[0]
    if test.infinite:
        return None
    shift = (expectation.tolerance or 0.0) if len(tests) > 1 else 0.0
    what, back = _back(expectation, test)
    value = back(test.estimate + shift)
    if test.deterministic or test.kind.startswith(("exact", "Hall")):
        return Effect(what, value)
    return Effect(what, value, *sorted((back(test.low + shift), back(test.high + shift))))


def _back(expectation: Expectation, test: Test) -> tuple[str, Callable[[float], float]]:
    """What is estimated, and how it follows from the contrast that was tested."""
    several = len(expectation.terms) > 1
    sign, moved = expectation.terms[0][0], expectation.constant
    if test.logs:
        sign = math.copysign(1, sign)
        return "ratio of the sides' geometric means", lambda x: math.exp(sign * x)
    if not expectation.logs:
        return ("difference" if several or expectation.constant else "value"), float
    return ("ratio" if several else "geometric mean"), lambda x: math.exp(sign * (x - moved))
