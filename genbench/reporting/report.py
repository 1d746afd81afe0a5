"""The report of a suite: Markdown, CSV and PNG from the store alone, the same bytes each time.

No clock, no absolute path, nothing unordered: a report is rebuilt from stored runs and differs
only where they do.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from genbench.errors import GenbenchError, in_a_line
from genbench.reporting.figures.draw import Figure, draw_figures
from genbench.reporting.results import Results, gather
from genbench.reporting.sections import Section, sections
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
        parts = [part for one in sections() for part in _written(one, results, figures, warn)]
        write_text(out / "metrics.csv", FORMATS["csv"](results.survey.rows))
        write_text(out / "report.md", "\n\n".join(parts) + "\n")
    return out / "report.md"


def _written(
    section: Section, results: Results, figures: Sequence[Figure], warn: Callable[[str], object]
) -> list[str]:
    """A section's parts; one that fails costs its own place, and not the report."""
    try:
        return [part.strip("\n") for part in section.section(results, figures)]
    except GenbenchError:
        raise
    except Exception as error:
        name = getattr(section, "__name__", "").rpartition(".")[2]
        line = f"section '{name}' of the report could not be written: {in_a_line(error)}"
        warn(line)
        return [f"*{line}*"]
