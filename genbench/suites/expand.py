"""From a suite's file to its plan: every run, resolved, or every problem with its line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genbench.arguments import COUNT, PATH, checked, optional
from genbench.errors import PluginError, SuiteError
from genbench.lookup import suggest
from genbench.suites.contents import published
from genbench.suites.external import ExternalRow, external_rows
from genbench.suites.figures import faults_of_kinds
from genbench.suites.looks import MAX_SEEDS
from genbench.suites.matrix import (
    DatasetRow,
    check_batch,
    check_method,
    check_pair,
    divide,
    limit,
    runs_on,
    trial,
)
from genbench.suites.methods import Method, resolve_method
from genbench.suites.parts import find, metric_values, resolve
from genbench.suites.plan import DatasetInfo, MethodInfo, Plan, find_suite, suite_names
from genbench.suites.problems import Problems
from genbench.suites.reported import check_report, density_warnings, metric_warnings
from genbench.suites.rows import Row, expand_grids, read_rows
from genbench.suites.schema import Budget, Suite
from genbench.suites.silent import (
    check_external,
    check_settings,
    check_shown,
    check_training,
)
from genbench.suites.spec import REAL, ComponentSpec, MetricSpec, ProtocolSpec, RunSpec
from genbench.suites.typed import check, shown
from genbench.suites.versions import with_versions
from genbench.suites.yaml_source import Source, parse, read

__all__ = [
    "DatasetInfo", "MethodInfo", "Plan", "find_suite", "load_plan", "plan_of", "suite_names",
]

MAX_RUNS = 100_000
MAX_ID = 200
"""Characters of a run's id, which names its folder: file systems take 255 with what is added."""


@checked(path=PATH, seeds=optional(COUNT), limit_updates=optional(COUNT))
def load_plan(
    path: Path | str, *, seeds: int | None = None, limit_updates: int | None = None
) -> Plan:
    """Read, check and expand a suite.

    `seeds` replaces the suite's seeds by 0 … seeds−1, `limit_updates` cuts every budget to that
    many updates (and, where that cuts anything, the samples of every metric) and marks the runs.

    Raises:
        UnknownName: no such suite.
        SuiteError: what is wrong, with file and line; SuiteErrors when it is more than one thing.
    """
    file = find_suite(path)
    return _Loader(read(file), file, seeds, limit_updates).plan()


def plan_of(text: str, name: str, folder: Path) -> Plan:
    """The plan of a suite's text; `name` is what messages call it, `folder` where paths start.

    Raises:
        SuiteError: as `load_plan`.
    """
    return _Loader(parse(text, name), folder / f"{name}.yaml", None, None).plan()


class _Loader:
    """The steps of reading one file; each goes on as far as the ones before allow."""

    def __init__(
        self, source: Source, file: Path, seeds: int | None, limit_updates: int | None
    ) -> None:
        self.file, self.folder = file, file.resolve().parent
        self.seeds, self.limit_updates = seeds, limit_updates
        self.problems = Problems(source)
        self.constants: dict[str, tuple[Row, Mapping[str, Any]]] = {}

    def plan(self) -> Plan:
        raw = self.problems.source.data
        suite, faults = check(Suite, self.without_grids(raw))
        if suite is None:
            self.problems.faults((), faults_of_kinds(faults, raw, self.folder))
            self.problems.stop()
        assert suite is not None
        seeds, later = self.seed_lists(suite)
        check_training(suite, raw, self.problems)
        datasets = [d for r in self.rows("dataset", suite.datasets) if (d := self.dataset(r))]
        methods = [
            m for r in self.method_rows(raw, suite) if (m := self.method(r, datasets, suite))
        ]
        metrics, values = self.metrics(suite.evaluate)
        others = external_rows(
            suite.external, [m.row.name for m in methods], datasets, self.folder, self.problems
        )
        check_external(others, datasets, self.problems)
        self.problems.stop()
        runs = trial(tuple(self.runs(suite, datasets, methods, others, metrics, [*seeds, *later])))
        rows = [other.row for other in others]
        suite = check_report(
            suite, methods, rows, datasets, values, self.folder, self.problems
        )
        names = [m.row.name for m in methods] + [row.name for row in rows]
        check_shown(suite, names, self.problems)
        self.check_ids(runs)
        self.problems.stop()
        own = [run.method not in suite.external and run.seed in later for run in runs]
        further = tuple(run for run, is_later in zip(runs, own, strict=True) if is_later)
        runs = tuple(run for run, is_later in zip(runs, own, strict=True) if not is_later)
        return Plan(
            self.file.stem, suite.title or self.file.stem, self.file, suite, runs,
            {m.row.name: m.info for m in methods}
            | {other.row.name: other.info for other in others},
            {d.row.name: d.info for d in datasets},
            tuple(metrics), tuple(values),
            tuple(self.warnings(metrics, methods, datasets)), further,
        )

    def warnings(
        self, metrics: list[MetricSpec], methods: list[Method], datasets: list[DatasetRow]
    ) -> Iterator[str]:
        for warn in (metric_warnings, density_warnings):
            yield from warn(metrics, methods, datasets, self.constants, self.problems)

    @staticmethod
    def without_grids(raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """The suite without the settings that `method_rows` moves into the methods."""
        kept = {k: v for k, v in raw.items() if not (k in ("precision", "compile") and _grid(v))}
        budget = raw.get("budget")
        if isinstance(budget, Mapping):
            kept["budget"] = {k: v for k, v in budget.items() if not _grid(v)}
        return kept

    def rows(self, what: str, value: Any) -> list[Row]:
        rows = read_rows(value, (f"{what}s",), what, self.problems)
        return [row for base in rows for row in expand_grids(base, self.problems)]

    def method_rows(self, raw: Mapping[str, Any], suite: Suite) -> list[Row]:
        """The method rows; a grid over a setting of the suite is one of each of its methods."""
        settings = {k: raw[k] for k in ("precision", "compile") if k in raw and _grid(raw[k])}
        budget = {k: v for k, v in (raw.get("budget") or {}).items() if _grid(v)}
        rows: list[Row] = []
        if suite.methods is None and suite.external:
            return rows
        for row in read_rows(suite.methods, ("methods",), "method", self.problems):
            if row.name == REAL:
                self.problems.add(row.path, "the row 'real' stands for the data themselves; "
                                            "give the method another name")
                continue
            entry = {**settings, **row.entry}
            own = entry.get("budget") or {}
            if budget and isinstance(own, Mapping):
                entry["budget"] = {**budget, **own}
            rows += expand_grids(replace(row, entry=entry), self.problems)
        return rows

    def seed_lists(self, suite: Suite) -> tuple[Sequence[int], Sequence[int]]:
        """The seeds of every row, and those that looks after the first add to some."""
        if self.seeds is not None:
            return range(self.seeds), ()
        if suite.looks is None:
            return self.seed_list(suite.seeds), ()
        return range(suite.looks[0]), range(suite.looks[0], suite.looks[-1])

    def seed_list(self, value: Any) -> list[int]:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if whole and 1 <= value <= MAX_SEEDS:
            return list(range(value))
        if isinstance(value, list) and 1 <= len(value) <= MAX_SEEDS:
            seen: set[int] = set()
            for index, seed in enumerate(value):
                good = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**63
                if not good:
                    self.problems.add(("seeds", index),
                                      f"a seed is a whole number ≥ 0, not {shown(seed)}")
                elif seed in seen:
                    self.problems.add(("seeds", index), f"seed {seed} is there twice")
                else:
                    seen.add(seed)
            return value
        self.problems.add(("seeds",), f"expected how many seeds (1 to {MAX_SEEDS}), or a list of "
                                      f"whole numbers ≥ 0, got {shown(value)}")
        return []

    def dataset(self, row: Row) -> DatasetRow | None:
        options = {k: v for k, v in row.entry.items() if k not in ("use", "budget")}
        budget, faults = check(Budget, row.entry.get("budget") or {})
        self.problems.faults((*row.path, "budget"), faults)
        name, where = row.entry.get("use", row.base), row.path
        component = find("dataset", name, where, self.folder, self.problems)
        if component is None:
            return None
        spec = resolve(component, options, where, self.folder, self.problems)
        if spec is None or budget is None:
            return None
        if archive := component.constants.get("archive"):
            spec = spec.holding(published(archive))
        return DatasetRow(row, component, spec, budget)

    def method(self, row: Row, datasets: Sequence[DatasetRow], suite: Suite) -> Method | None:
        method = resolve_method(row, self.folder, self.problems)
        if method is None:
            return None
        check_method(method, self.problems)
        names = {name for d in datasets for name in (d.row.name, d.row.base)}
        for index, name in enumerate(method.entry.datasets or []):
            if name not in names and not self.problems.found:
                self.problems.add((*row.path, "datasets", index),
                                  f"no dataset row '{name}'{suggest(name, names)}")
        its_own = [dataset for dataset in datasets if runs_on(method, dataset)]
        for dataset in its_own:
            check_pair(method, dataset, self.problems)
        check_settings(method, its_own, suite, self.problems)
        return method

    def metrics(self, value: Any) -> tuple[list[MetricSpec], dict[str, Row]]:
        specs: list[MetricSpec] = []
        values: dict[str, Row] = {}
        rows = read_rows(value, ("evaluate",), "metric", self.problems)
        for row in (r for base in rows for r in expand_grids(base, self.problems)):
            component = find("metric", row.base, row.path, self.folder, self.problems)
            if component is None:
                continue
            part = resolve(component, row.entry, row.path, self.folder, self.problems)
            if part is None:
                continue
            spec = MetricSpec(
                name=part.name, options=part.options, source=part.source,
                version=component.constants.get("version", 1),
            )
            if spec in specs:
                self.problems.add(row.path, f"metric '{row.base}' is there twice")
            specs.append(spec)
            self.constants[spec.name] = (row, component.constants)
            try:
                values |= dict.fromkeys(metric_values(component, part.options), row)
            except PluginError as error:
                self.problems.add(row.path, str(error))
        return specs, values

    def runs(
        self, suite: Suite, datasets: list[DatasetRow], methods: list[Method],
        others: list[ExternalRow], metrics: list[MetricSpec], seeds: list[int],
    ) -> Iterator[RunSpec]:
        if len(datasets) * len(methods) * len(seeds) > MAX_RUNS:
            raise SuiteError(f"the suite has more than {MAX_RUNS} runs", file=self.file)
        common: dict[str, Any] = {
            "suite": self.file.stem, "evaluate": metrics, "folder": str(self.folder),
            "protocol": ProtocolSpec(**suite.protocol.model_dump()),
        }
        for dataset in datasets:
            of_row: dict[str, Any] = {**common, "dataset": dataset.row.name, "data": dataset.spec}
            if suite.real:
                real = RunSpec(method=REAL, seed=0, model=ComponentSpec(name=REAL), **of_row)
                yield with_versions(real)
            for method in methods:
                if runs_on(method, dataset):
                    run = self.run(suite, dataset, method, of_row)
                    yield from with_versions(run).with_seeds(seeds) if run else ()
            for other in others:
                if other.dataset == dataset.row.name:
                    yield from map(with_versions, other.runs(of_row))

    def run(
        self, suite: Suite, dataset: DatasetRow, method: Method, common: Mapping[str, Any]
    ) -> RunSpec | None:
        budget = method.budget(suite.budget, dataset.budget)
        stages = divide(method, budget, self.problems)
        if stages is None:
            return None
        batch = budget.batch or 128
        check_batch(method, dataset, batch, self.problems)
        cut = stages if self.limit_updates is None else limit(stages, self.limit_updates)
        return RunSpec(
            **common, method=method.row.name, seed=0, model=method.model, stages=cut,
            batch=batch, optimiser=method.optimiser,
            optimisers=dict(method.optimisers), ema=method.setting("ema"),
            scale=method.setting("scale") or "auto", dequantise=method.setting("dequantise"),
            precision=method.setting("precision", suite.precision) or "fp32",
            compile=bool(method.setting("compile", suite.compile)), limited=cut != stages,
        )

    def check_ids(self, runs: Sequence[RunSpec]) -> None:
        for run in {(run.method, run.dataset): run for run in runs}.values():
            if len(run.id) > MAX_ID:
                shorter = len(run.method) < len(run.dataset)
                where = ("datasets", run.dataset) if shorter else ("methods", run.method)
                self.problems.add(where, f"the name is too long: a folder would be called by "
                                         f"{len(run.id)} characters, and {MAX_ID} is the most")
        counts = Counter(run.id.lower() for run in runs)
        twins = sorted(name for name, count in counts.items() if count > 1)
        if twins:
            self.problems.add(("methods",), f"rows whose names differ too little: both would be "
                                            f"stored as {twins[0]}")


def _grid(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"grid"}
