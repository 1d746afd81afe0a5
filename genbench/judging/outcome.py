"""What the gate finds: a verdict on every cell, and on the suite."""

from collections import Counter
from dataclasses import dataclass
from html import escape

from genbench.text.html import html_table
from genbench.text.numbers import mean_text, number

VERDICTS = (
    "regressed", "changed", "inconclusive", "failed", "missing", "changed-protocol", "unresolved",
    "improved", "new", "ok",
)
"""Worst first."""
_UNMEASURED = ("failed", "missing", "changed-protocol")
EVERY = "every metric"
"""What is said to be missing of a row that is new, and of which no run has a result."""


@dataclass(frozen=True)
class CellVerdict:
    """The verdict on one cell."""

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str
    unit: str
    verdict: str
    detail: str
    baseline: tuple[float, ...] = ()
    """The baseline's values, in the order of their seeds."""
    values: tuple[float, ...] = ()
    p: float | None = None
    """One-sided in the direction of the change, after Holm's correction; None if not tested."""
    compared: bool = False
    """Whether numbers were held against numbers."""
    smallest: float | None = None
    """The smallest change that so few seeds would have told from noise; None if not worked out."""

    @property
    def name(self) -> str:
        """`metric[row, dataset]`."""
        return f"{self.metric}[{self.method}, {self.dataset}]"


@dataclass(frozen=True)
class GateOutcome:
    """The verdicts on a suite, worst first."""

    suite: str
    findings: tuple[CellVerdict, ...]
    allow_inconclusive: bool = False
    changes: tuple[str, ...] = ()
    """What changed in the specification of a row since the baseline, a line each.

    And one on the versions and machines, where those are others.
    """

    @property
    def counts(self) -> dict[str, int]:
        """How many cells got each verdict, worst first, zeros left out."""
        counter = Counter(finding.verdict for finding in self.findings)
        return {verdict: counter[verdict] for verdict in VERDICTS if counter[verdict]}

    @property
    def exit_code(self) -> int:
        """0 fine, 1 regressed or changed, 3 runs failed or nothing measured."""
        counts = self.counts
        bad = ["regressed", "changed"] + ["inconclusive"] * (not self.allow_inconclusive)
        if any(verdict in counts for verdict in bad):
            return 1
        compared = any(finding.compared for finding in self.findings)
        return 3 if not compared or any(verdict in counts for verdict in _UNMEASURED) else 0

    @property
    def summary(self) -> str:
        """One line: `ci: 1 regressed, 12 ok; exit code 1`."""
        parts = [
            self._unresolved if verdict == "unresolved" else f"{count} {verdict}"
            for verdict, count in self.counts.items()
        ]
        if not any(finding.compared for finding in self.findings):
            parts.append("nothing compared")
        return f"{self.suite}: {', '.join(parts)}; exit code {self.exit_code}"

    @property
    def notes(self) -> list[str]:
        """What a reader should know besides, a line each."""
        lines = list(self.changes)
        tested = sum(finding.p is not None for finding in self.findings)
        if tested:
            over = f" over {tested} numbers" if tested > 1 else ""
            lines.append(f"p is one-sided, after Holm's correction{over}; that of `genbench "
                         "compare` is two-sided")
        return lines

    def __repr__(self) -> str:
        return f"<GateOutcome: {self.summary}>"

    def _repr_html_(self) -> str:
        """The summary and what is not simply ok."""
        head = ("verdict", "cell", "baseline", "now", "why")
        rows = [
            (one.verdict, one.name, mean_text(one.baseline), mean_text(one.values), one.detail)
            for one in self.findings if one.verdict != "ok"
        ]
        lines = "".join(f"<p>{escape(line)}</p>" for line in (*self.notes, self.summary))
        return html_table(head, rows) + lines if rows else lines

    @property
    def _unresolved(self) -> str:
        """What lies beyond its tolerance and is not told from noise, and what would be."""
        found = [finding for finding in self.findings if finding.verdict == "unresolved"]
        seeds = sorted({min(len(f.baseline), len(f.values)) for f in found})
        few = " to ".join(str(n) for n in dict.fromkeys((seeds[0], seeds[-1])))
        compared = sum(finding.compared for finding in self.findings)
        text = (f"{len(found)} of {compared} worse than the tolerance, not told from noise by "
                f"{few} seeds")
        smallest = [finding.smallest for finding in found]
        if len(found) == 1 and smallest[0] is not None:
            return f"{text} (smallest change that would be: {number(smallest[0], 2)})"
        return text
