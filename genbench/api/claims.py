"""The claims of all suites, and of the documents behind them, with their verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.api.places import recall, recall_accepted
from genbench.arguments import PATH, Kind, checked, optional
from genbench.errors import GenbenchError
from genbench.places import at_home
from genbench.steps import step
from genbench.store.runs import Store
from genbench.suites.expand import Plan, load_plan, suite_names
from genbench.suites.plan import SHIPPED

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
    Holm's correction), post_hoc, evidence and judged_from (runs, accepted runs or metrics.csv). Of
    a suite without runs its metrics.csv is judged.

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
    plans = [load_plan(at_home(suite))] if suite is not None else _plans(suite_names(), warn)
    with step("judging the claims"):
        judged = [_judged(plan, folder, recall) for plan in plans]
    return rows_of(judged, documents=suite is None)


@checked(results=PATH, warn=_WARN)
def write_claims(
    *, results: str | Path = RESULTS, warn: Callable[[str], None] | None = None
) -> tuple[Path, Path]:
    """Write RESULTS/claims.md, the page of all claims, and the table claims.csv beside it, anew.

    They are judged from accepted runs alone, or from the metrics.csv of a suite that has none, so
    that a clone writes the same bytes wherever the command is typed. The suites are those that
    have such results and lie beside the folder of results, or in `suites/` there, and those that
    come with genbench.

    With `warn`, a suite that cannot be read is a line to it, and left out.

    Raises:
        GenbenchError: as `claims`, or a file that cannot be written.
    """
    from genbench.catalogue.claim_page import FORMATS, markdown
    from genbench.catalogue.claim_table import claim_rows as rows_of
    from genbench.store.files import write_text

    folder = at_home(Path(results))
    with step("judging the claims"):
        plans = _plans(suites_beside(folder).values(), warn)
        rows = rows_of([_judged(plan, folder, recall_accepted) for plan in plans])
    reports = {
        row.suite: f"{row.suite}/report.md" for row in rows
        if row.suite and (folder / row.suite / "report.md").is_file()
    }
    page, table = folder / "claims.md", folder / "claims.csv"
    write_text(page, markdown(rows, reports))
    write_text(table, FORMATS["csv"](rows))
    return page, table


def suites_beside(results: Path) -> dict[str, Path]:
    """Name → file of the suites that are on the page of a folder of results, by name."""
    home = Path(os.path.normpath(results / os.pardir))
    own = [*home.glob("*.yaml"), *(home / "suites").glob("*.yaml")]
    files = [*SHIPPED.glob("*.yaml"), *(one for one in own if _has_results(results / one.stem))]
    return dict(sorted({path.stem: path for path in files}.items()))


def _has_results(folder: Path) -> bool:
    return (folder / "accepted").is_dir() or (folder / "metrics.csv").is_file()


def _plans(
    suites: Iterable[str | Path], warn: Callable[[str], None] | None
) -> list[Plan]:
    plans = []
    for suite in suites:
        try:
            plans.append(load_plan(suite))
        except GenbenchError as error:
            if warn is None:
                raise
            name = Path(suite).stem
            warn(f"without the suite {name}, which cannot be read: {error}")
    return plans


def _judged(
    plan: Plan, results: Path, read: Callable[[Plan, Path], tuple[Plan, Store]]
) -> Judged:
    """A suite's verdicts from the runs that are read, or its report's metrics.csv, or none."""
    from genbench.catalogue.claim_table import FROM_TABLE, Judged
    from genbench.judging.claims import judge
    from genbench.judging.stored import load_cells
    from genbench.reporting.results import gather

    claims, written = plan.suite.report.claims, results / plan.name / "metrics.csv"
    if not claims:
        return Judged(plan.name, claims, None)
    (then, store), verdicts, source = read(plan, results), None, ""
    if store.names():
        verdicts = gather(then, store).verdicts
        source = "runs" if store.runs() else "accepted runs"
    elif written.is_file():
        verdicts, source = judge(plan, load_cells(written)), FROM_TABLE
    by_id = None if verdicts is None else {verdict.id: verdict for verdict in verdicts}
    return Judged(plan.name, claims, by_id, source)
