"""The verdicts on a suite's claims."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.text.markdown import Footnotes, code, escape, table

PLACE = 40


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """The verdicts, or nothing for a suite without claims."""
    if not results.verdicts:
        return []
    notes = Footnotes()
    rows = [
        [
            escape(v.id), escape(v.text), code(v.expect) if v.expect else "–",
            f"**{v.verdict}**{' *post hoc*' * v.post_hoc}{notes.mark(v.evidence)}",
        ]
        for v in results.verdicts
    ]
    text = table(["claim", "statement", "expectation", "verdict"], rows, left=4)
    if any(v.post_hoc for v in results.verdicts):
        text += ("\n*Post hoc*: the claim was not in the suite, or not in these words, when a run "
                 "that it rests on first began.\n")
    return ["## Claims", text + "\n" + notes.text()]
