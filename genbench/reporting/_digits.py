"""Numbers as text, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genbench.reporting.statistics import mean_and_std

__all__ = ["mean_text", "number", "p_text"]


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


def mean_text(values: Sequence[float]) -> str:
    """`mean ± std (n=…)` over seeds; the spread is left out for a single value."""
    if not values:
        return "–"
    mean, std = mean_and_std(values)
    if len(values) == 1:
        return f"{number(mean)} (n=1)"
    return f"{number(mean)} ± {number(std, 2)} (n={len(values)})"


def p_text(p: float | None) -> str:
    """`p = 0.013`, or `p < 0.0001`."""
    if p is None or math.isnan(p):
        return "no p-value"
    return "p < 0.0001" if p < 1e-4 else f"p = {number(p, 2)}"
