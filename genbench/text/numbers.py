"""Numbers as text, the same on every machine; means and their spread."""

import math
from collections.abc import Sequence


def number(value: float | None, digits: int = 4) -> str:
    """`value` to `digits` significant digits; `–` for none, as for NaN."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def spread_text(mean: float, std: float) -> str:
    """`mean ± std`: two digits of the spread, and the mean to the same place.

    Numbers far from 1 share a power of ten: `(3.3 ± 5.8)e-05`. Of a mean without a spread (NaN)
    four digits stand alone.
    """
    if math.isnan(std) or not math.isfinite(mean):
        return number(mean)
    if std == 0 or not math.isfinite(std):
        return f"{number(mean)} ± {number(std)}"
    largest = max(abs(mean), std)
    if 1e-3 <= largest < 1e7:
        place = _place(std)
        return f"{_to(mean, place)} ± {_to(std, place)}"
    power = math.floor(math.log10(largest))
    mean, std = mean / 10.0**power, std / 10.0**power
    place = _place(std)
    return f"({_to(mean, place)} ± {_to(std, place)})e{power:+03d}"


def mean_text(values: Sequence[float]) -> str:
    """`mean ± std (n=…)` over seeds; the spread is left out for a single value."""
    if not values:
        return "–"
    return f"{spread_text(*mean_and_std(values))} (n={len(values)})"


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (N − 1); NaN for the latter of a single value.

    Equal values give themselves and exactly 0, which a plain sum would miss by a rounding.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no value to take the mean of")
    n = len(values)
    if any(math.isinf(value) for value in values):
        return math.inf if max(values) == math.inf else -math.inf, math.nan
    if min(values) == max(values):
        return values[0], 0.0 if n > 1 else math.nan
    mean = math.fsum(values) / n
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))


def interval(low: float, high: float) -> str:
    """`low, high` to three digits of the width, so that the two can be told apart."""
    width = high - low
    if not (math.isfinite(width) and width > 0 and 1e-4 <= max(abs(low), abs(high)) < 1e7):
        return f"{number(low)}, {number(high)}"
    place = math.floor(math.log10(width)) - 2
    return f"{_to(low, place)}, {_to(high, place)}"


def _place(std: float) -> int:
    """The power of ten of the second digit of a spread, as it is rounded."""
    return int(f"{std:.1e}".partition("e")[2]) - 1


def _to(value: float, place: int) -> str:
    """A number rounded to a power of ten."""
    text = f"{round(value, -place):.{max(0, -place)}f}"
    return text.removeprefix("-") if not float(text) else text


def p_text(p: float | None) -> str:
    """`p = 0.013`, or `p < 0.0001`."""
    if p is None or math.isnan(p):
        return "no p-value"
    return "p < 0.0001" if p < 1e-4 else f"p = {number(p, 2)}"
