"""The size of what a claim compares, as a number with its interval."""

from typing import NamedTuple

from genbench.text.numbers import interval, number


class Effect(NamedTuple):
    """One estimate."""

    quantity: str
    """What it is: `difference` (of the two sides, left less right), `value`, `ratio`, …"""
    value: float
    low: float | None = None
    """Lower end of the 95 % confidence interval; None where the test gives none."""
    high: float | None = None

    @property
    def ends(self) -> str:
        """The interval; empty without one."""
        if self.low is None or self.high is None:
            return ""
        if self.quantity in ("difference", "value"):
            return interval(self.low, self.high)
        return f"{number(self.low)}, {number(self.high)}"

    @property
    def text(self) -> str:
        """`difference -1.2 [-1.5, -0.9]`."""
        ends = f" [{self.ends}]" if self.ends else ""
        return f"{self.quantity} {number(self.value)}{ends}"
