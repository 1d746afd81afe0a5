"""The stored results of a plan, read once, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from genbench.judging.cells import Cell, cells_of
from genbench.judging.claims import ClaimVerdict, judge
from genbench.reporting.costs import Cost, costs_of
from genbench.reporting.numbers import Numbers
from genbench.reporting.origins import Origin, mixed_rows, origins_of, planned_claims
from genbench.store.runs import Record, Store
from genbench.store.table import Survey, survey
from genbench.suites.plan import Plan


@dataclass(frozen=True)
class Results:
    """What is stored of a plan's runs; what follows from it is worked out when it is asked for."""

    plan: Plan
    store: Store
    survey: Survey
    """The rows of the tidy table, and the records of the runs."""

    @cached_property
    def cells(self) -> list[Cell]:
        """The table by cell."""
        return cells_of(self.survey.rows)

    @cached_property
    def origins(self) -> list[Origin]:
        """Where each run was made, by which versions."""
        return origins_of(self.plan, self.store)

    @cached_property
    def numbers(self) -> Numbers:
        """The cells by row and column, and their titles."""
        budgets = {r: one.metrics.get("budget", {}) for r, one in self.survey.records.items()}
        log_dets = {
            run: float(budget["log_det"])
            for run, budget in budgets.items() if budget.get("log_det") is not None
        }
        return Numbers(
            self.plan, self.survey.rows, mixed_rows(self.origins), log_dets, self.cells
        )

    @cached_property
    def verdicts(self) -> list[ClaimVerdict]:
        """On every claim of the suite."""
        if not self.plan.suite.report.claims:
            return []
        return judge(self.plan, self.cells, planned_claims(self.origins))

    @cached_property
    def costs(self) -> list[Cost]:
        """Updates, rows drawn and seconds of every row."""
        return costs_of(self.numbers, self.origins)


def gather(plan: Plan, store: Store, known: Mapping[str, Record] | None = None) -> Results:
    """Read the runs of a plan, but for those of which the record is `known`.

    Raises:
        StoreError: a damaged run folder.
    """
    return Results(plan, store, survey(plan, store, known))
