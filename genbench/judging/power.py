"""What so few seeds could tell apart, and how many would tell it.

The power of a t-test is that of the noncentral t distribution (Jacob Cohen: Statistical Power
Analysis for the Behavioral Sciences, 2nd edition, 1988): with n seeds, a difference δ and a spread
σ, |t| has the noncentrality δ√n/σ where methods share their seeds (σ is that of the paired
differences), else δ√(n/2)/σ (σ is that of one method, pooled).
"""

import math

from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from genbench.judging import exact
from genbench.judging.statistics import ALPHA, Test
from genbench.text.numbers import number

ENOUGH = 0.8
"""The chance of telling two methods apart that is asked for."""
MOST_SEEDS = 10_000
"""Seeds beyond which nobody would go."""


def power(effect: float, seeds: int, *, paired: bool) -> float:
    """The chance that a two-sided t-test at 5 % finds a difference of `effect` spreads.

    `seeds` is the number for each method, 2 at least.
    """
    df = seeds - 1 if paired else 2 * seeds - 2
    shift = abs(effect) * math.sqrt(seeds if paired else seeds / 2)
    limit = stdtrit(df, 1 - ALPHA / 2)
    found = 1 - nctdtr(df, shift, limit) + nctdtr(df, shift, -limit)
    return float(found) if math.isfinite(found) else 1.0  # far in the tail scipy gives up


def seeds_needed(effect: float, *, paired: bool) -> int | None:
    """The fewest seeds of each method with a power of 80 %; None if that is over 10,000."""
    if effect == 0 or power(effect, MOST_SEEDS, paired=paired) < ENOUGH:
        return None
    low, high = 1, MOST_SEEDS  # too few, enough
    while high - low > 1:
        middle = (low + high) // 2
        if middle >= 2 and power(effect, middle, paired=paired) >= ENOUGH:
            high = middle
        else:
            low = middle
    return high


def quantile(p: float) -> float:
    """The standard normal deviate of a one-sided p."""
    return -float(ndtri(p))


def predictive_power(z: float, share: float, level: float) -> float:
    """The chance that a one-sided test at `level` finds with all seeds what is at `z` with some.

    `share` is the part of the seeds that `z` is of. The effect is that of these seeds, as
    uncertain as they leave it (D. J. Spiegelhalter, L. S. Freedman, P. R. Blackburn, Monitoring
    clinical trials: conditional or predictive power?, Controlled Clinical Trials 7, 1986,
    https://doi.org/10.1016/0197-2456(86)90003-6).
    """
    limit = quantile(level)
    if share >= 1:
        return float(z >= limit)
    return float(ndtr((z / math.sqrt(share) - limit) / math.sqrt((1 - share) / share)))


def seeds_to_decide(z: float, seeds: int, level: float) -> int | None:
    """With how many seeds a one-sided test at `level` has a power of 80 %, if the effect is that
    which gave `z` with `seeds`; None if that is over 10,000.
    """
    if z <= 0:
        return None
    needed = math.ceil(seeds * ((quantile(level) + quantile(1 - ENOUGH)) / z) ** 2)
    return needed if needed <= MOST_SEEDS else None


def seeds_text(needed: int | None) -> str:
    """How many seeds would tell, in words; None stands for more than anybody would take."""
    return f"over {MOST_SEEDS:,} seeds" if needed is None else f"about {needed:,} seeds"


def smallest_change(test: Test, before: float, level: float) -> float | None:
    """The smallest change that this spread would have told from noise; None if there is none.

    For Student's test; of one that took its place (`how`) it is an approximation, as that depends
    on every value.
    """
    if test.rivals:
        found = [smallest_change(one, before, level / len(test.rivals)) for one in test.rivals]
        return min((change for change in found if change is not None), default=None)
    if not math.isfinite(test.standard_error) or test.standard_error == 0:
        return None
    if test.kind.startswith("exact") and exact.floor(test.seeds) > level:
        return None
    half = float(stdtrit(min(test.df, 1e9), 1 - level)) * test.standard_error
    return abs(before) * math.expm1(half) if test.logs else half


def would_be(test: Test, smallest: float | None, level: float) -> str:
    """That change in words, or why there is none."""
    if smallest is not None:
        rough = any(how(one) for one in test.rivals or (test,))
        return f"smallest change that would be: {'about ' * rough}{number(smallest, 2)}"
    if exact.floor(test.seeds) > level / max(1, len(test.rivals)):
        return "no change would be: so few seeds have no smaller p"
    return "no spread to tell what would be"


def how(test: Test) -> str:
    """What took the place of Student's test."""
    if test.infinite:
        return " (by ranks: a value is not finite)"
    if test.logs:
        return " (on logs: heavy tails)"
    if test.kind.startswith("Hall"):
        return " (Hall's test: heavy tails)"
    return " (exact test: tied values or heavy tails)" if test.kind.startswith("exact") else ""
