"""The verdicts on a suite's claims."""

from collections.abc import Sequence

from genbench.judging.claims import ClaimVerdict
from genbench.reporting.figures.draw import Figure
from genbench.reporting.origins import withdrawn
from genbench.reporting.results import Results
from genbench.text.markdown import Footnotes, code, escape, table
from genbench.text.numbers import p_text

PLACE = 40


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """The verdicts, or nothing for a suite without claims."""
    if not results.verdicts:
        return []
    notes = Footnotes()
    looks = results.plan.suite.looks
    rows = [
        [
            escape(v.id), escape(v.text), code(v.expect) if v.expect else "–",
            f"**{v.verdict}**{' (futile)' * v.futile}{' *post hoc*' * bool(v.post_hoc)}"
            f"{notes.mark(v.evidence)}",
            *(_looked(v) if looks else []),
        ]
        for v in results.verdicts
    ]
    head = ["claim", "statement", "expectation", "verdict"]
    head += ["look", "seeds", "adjusted p"] if looks else []
    text = table(head, rows, left=4)
    if looks:
        planned = ", ".join(map(str, looks))
        text += (f"\nLooks are planned at {planned} seeds of each row. The error of 5 % is spent "
                 "over them by the seeds that are new to each, at each over the claims (Holm). "
                 "The adjusted p is to be held against 0.05.\n")
    if any(v.post_hoc for v in results.verdicts):
        text += ("\n*Post hoc*: the claim was not in the suite, or not this comparison at these "
                 "looks, when a run that it rests on first began.\n")
    gone = withdrawn(results.plan, results.origins)
    if gone:
        text += (f"\nRuns here were started for {gone} more comparison{'s' * (gone > 1)}, which "
                 "the suite does not claim now: the correction is over those that it does.\n")
    return ["## Claims", text + "\n" + notes.text()]


def _looked(verdict: ClaimVerdict) -> list[str]:
    """At which look a claim stands, on how many seeds, with which p."""
    if verdict.look is None:
        return ["–"] * 3
    seeds = "–" if verdict.seeds is None else str(verdict.seeds)
    p = "–" if verdict.p is None else p_text(verdict.p).removeprefix("p ").removeprefix("= ")
    return [str(verdict.look), seeds, p]
