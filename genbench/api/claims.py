"""The claims of all suites, and of the documents behind them, with their verdicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.api.places import recall, store_of
from genbench.arguments import PATH, Kind, checked, optional
from genbench.errors import GenbenchError
from genbench.places import at_home
from genbench.steps import step
from genbench.suites.expand import Plan, load_plan, suite_names

if TYPE_CHECKING:
    import pandas as pd

    from genbench.catalogue.claim_table import ClaimRow, Judged

RESULTS = "results"
_WARN = optional(Kind("a function", callable))


@checked(suite=optional(PATH), results=PATH)
def claims(suite: str | Path | None = None, *, results: str | Path = RESULTS) -> pd.DataFrame:
    """Every claim of a suite, or of all suites and of the documents behind them.

    A row for each claim and suite: suite, claim, of (the claim of the documents that it judges),
    sentence, source, statement, expectation, verdict, quantity, effect, low, high, seeds, p (after
    Holm's correction), post_hoc and evidence. Of a suite without runs its metrics.csv is judged.

    Raises:
        GenbenchError: no such suite, one that cannot be read, or a damaged run folder.
    """
    import pandas as pd

    from genbench.catalogue.claim_table import ClaimRow

    found = claim_rows(suite, results=results)
    frame = pd.DataFrame(found, columns=list(ClaimRow._fields))
    sizes = ("effect", "low", "high", "p")
    return frame.astype({**dict.fromkeys(sizes, "float64"), "seeds": "Int64",
                         "post_hoc": "boolean"})


@checked(suite=optional(PATH), results=PATH, warn=_WARN)
def claim_rows(
    suite: str | Path | None = None, *, results: str | Path = RESULTS,
    warn: Callable[[str], None] | None = None,
) -> list[ClaimRow]:
    """The same, without pandas.

    With `warn`, one of all suites that cannot be read is a line to it, and left out.

    Raises:
        GenbenchError: as `claims`.
    """
    from genbench.catalogue.claim_table import claim_rows as rows_of

    folder = at_home(Path(results))
    plans = [load_plan(at_home(suite))] if suite is not None else _plans(warn)
    with step("judging the claims"):
        judged = [_judged(plan, folder) for plan in plans]
    return rows_of(judged, documents=suite is None)


def _plans(warn: Callable[[str], None] | None) -> list[Plan]:
    plans = []
    for name in suite_names():
        try:
            plans.append(load_plan(name))
        except GenbenchError as error:
            if warn is None:
                raise
            warn(f"without the suite {name}, which cannot be read: {error}")
    return plans


@checked(results=PATH, warn=_WARN)
def write_claims(
    *, results: str | Path = RESULTS, warn: Callable[[str], None] | None = None
) -> tuple[Path, Path]:
    """Write RESULTS/claims.md, the page of all claims, and the table claims.csv beside it, anew.

    With `warn`, a suite that cannot be read is a line to it, and left out.

    Raises:
        GenbenchError: as `claims`, or a file that cannot be written.
    """
    from genbench.catalogue.claim_page import FORMATS, markdown
    from genbench.store.files import write_text

    folder = at_home(Path(results))
    rows = claim_rows(results=results, warn=warn)
    reports = {
        row.suite: f"{row.suite}/report.md" for row in rows
        if row.suite and (folder / row.suite / "report.md").is_file()
    }
    page, table = folder / "claims.md", folder / "claims.csv"
    write_text(page, markdown(rows, reports))
    write_text(table, FORMATS["csv"](rows))
    return page, table


def _judged(plan: Plan, results: Path) -> Judged:
    """A suite's verdicts from its runs, or from the metrics.csv of its report, or none."""
    from genbench.catalogue.claim_table import Judged
    from genbench.judging.claims import judge
    from genbench.judging.stored import load_cells
    from genbench.reporting.results import gather

    claims, folder = plan.suite.report.claims, results / plan.name
    verdicts, dated = None, True
    if claims and store_of(results, plan).names():
        verdicts = gather(*recall(plan, results)).verdicts
    elif claims and (folder / "metrics.csv").is_file():
        verdicts, dated = judge(plan, load_cells(folder / "metrics.csv")), False
    by_id = None if verdicts is None else {verdict.id: verdict for verdict in verdicts}
    return Judged(plan.name, claims, by_id, dated)
