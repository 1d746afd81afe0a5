"""The report of a suite: Markdown, CSV and PNG from the store alone, the same bytes each time.

No clock, no absolute path, nothing unordered: a report is rebuilt from stored runs and differs
only where they do.
"""

from collections.abc import Callable
from pathlib import Path

from genbench.reporting.figures.draw import draw_figures
from genbench.reporting.results import Results, gather
from genbench.reporting.sections import sections
from genbench.steps import step
from genbench.store.files import write_text
from genbench.store.runs import Store
from genbench.store.table import FORMATS, unmeasured_lines
from genbench.suites.plan import Plan


def build(
    plan: Plan, store: Store, out: Path, found: Results | None = None,
    warn: Callable[[str], object] = lambda line: None,
) -> Path:
    """Write `report.md`, `metrics.csv` and `figures/` into `out`; gives the report's path.

    `found` is what `gather` gives, for those who have it already; `warn` takes a line on each
    figure that could not be drawn, and on metrics of trained runs that are not measured.

    Raises:
        StoreError: a damaged run folder, or an `out` that cannot be written.
    """
    with step("drawing and writing the report"):
        results = found or gather(plan, store)
        figures = draw_figures(results.numbers, store, out)
        faults = [figure.fault for figure in figures if figure.fault]
        for line in [*unmeasured_lines(results.survey.rows, plan.path), *faults]:
            warn(line)
        parts = [part for one in sections() for part in one.section(results, figures)]
        write_text(out / "metrics.csv", FORMATS["csv"](results.survey.rows))
        write_text(out / "report.md", "\n\n".join(part.strip("\n") for part in parts) + "\n")
    return out / "report.md"
