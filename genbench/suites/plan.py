"""A suite expanded into runs, and where suites are found."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genbench.errors import SuiteError, UnknownName
from genbench.lookup import ROOT, suggest
from genbench.suites.schema import Suite
from genbench.suites.spec import MetricSpec, RunSpec

SUITES = Path("suites")
"""The folder, where the command is typed, in which suites are found by name."""
_CLONE = ROOT.parent
SHIPPED = _CLONE / "suites" if (_CLONE / "pyproject.toml").is_file() else ROOT / "shipped"
"""The suites that come with genbench: of its clone, or packed into the wheel."""


@dataclass(frozen=True)
class MethodInfo:
    """What reports say of a method row."""

    title: str
    family: str
    summary: str
    formula: str
    cite: str
    zoo: str | None


@dataclass(frozen=True)
class DatasetInfo:
    """What reports say of a dataset row."""

    name: str
    kind: str
    summary: str
    labelled: bool
    has_modes: bool
    cite: str


@dataclass(frozen=True)
class Plan:
    """A suite expanded: dataset by dataset, method by method, seed by seed, the real row first."""

    name: str
    title: str
    path: Path
    suite: Suite
    runs: tuple[RunSpec, ...]
    methods: Mapping[str, MethodInfo]
    """By method row, in the suite's order; without the row `real`."""
    datasets: Mapping[str, DatasetInfo]
    """By dataset row, in the suite's order."""
    metrics: tuple[MetricSpec, ...]
    values: tuple[str, ...]
    """The names of everything that the metrics measure: the columns that there can be."""
    warnings: tuple[str, ...]
    further: tuple[RunSpec, ...] = ()
    """The runs of looks after the first, which only some rows will need."""

    @property
    def claim_marks(self) -> tuple[str, ...]:
        """What runs record of the claims that are judged."""
        suite = self.suite
        return tuple(one.mark(suite.looks) for one in suite.report.claims if one.parts)

    def only(self, patterns: Sequence[str]) -> Plan:
        """The plan of the runs whose method row, dataset row or id matches one of the patterns.

        Raises:
            SuiteError: a pattern that no run matches.
        """
        kept = set[str]()
        for pattern in patterns:
            matching = {run.id for run in (*self.runs, *self.further) if _matches(run, pattern)}
            if not matching:
                hint = suggest(pattern, [*self.methods, *self.datasets])
                raise SuiteError(f"no run matches '{pattern}'{hint}", file=self.path)
            kept |= matching
        return self.where(lambda run: run.id in kept)

    def where(self, wanted: Callable[[RunSpec], bool]) -> Plan:
        """The plan of some of the runs."""
        return replace(self, runs=tuple(filter(wanted, self.runs)),
                       further=tuple(filter(wanted, self.further)))

    def grown(self, wanted: Callable[[RunSpec], bool]) -> Plan:
        """The plan with some of the runs of later looks among its runs, at their place."""
        more = {run.id for run in self.further if wanted(run)}
        if not more:
            return self
        rows: dict[tuple[str, str], list[RunSpec]] = {}
        for run in (*self.runs, *(run for run in self.further if run.id in more)):
            rows.setdefault((run.dataset, run.method), []).append(run)
        return replace(self, runs=tuple(run for row in rows.values() for run in row),
                       further=tuple(run for run in self.further if run.id not in more))


def _matches(run: RunSpec, pattern: str) -> bool:
    names = (run.method, run.dataset, run.id)
    return pattern in names or any(fnmatch.fnmatchcase(name, pattern) for name in names)


def suite_names() -> list[str]:
    """The names of the suites in ./suites, and of those that come with genbench."""
    return sorted({path.stem for folder in (SUITES, SHIPPED) for path in folder.glob("*.yaml")})


def find_suite(name: Path | str) -> Path:
    """The file of a suite, given as a path or as the name of one that `suite_names` has.

    Raises:
        UnknownName: there is no such suite.
    """
    path = Path(name)
    try:
        if path.suffix in (".yaml", ".yml") and path.is_file():
            return path
        for folder in (SUITES, SHIPPED):
            named = folder / f"{name}.yaml"
            if path.name == str(name) and named.is_file():
                return named
    except OSError as error:
        raise UnknownName(f"no suite '{name}': {error.strerror}") from None
    raise UnknownName(f"no suite '{name}'{_where_instead(path, str(name))}")


def _where_instead(path: Path, name: str) -> str:
    """What may have been meant by the name of a suite that is not there."""
    hint = suggest(path.stem, suite_names())
    if path.suffix in (".yaml", ".yml") or path.name != name:
        return f": there is no such file{hint if 'did you mean' in hint else ''}"
    beside = Path(f"{name}.yaml")
    return f"; did you mean '{beside}'?" if beside.is_file() else hint
