"""Collecting what is wrong with a suite, each with its file and line."""

from collections.abc import Iterable

from genbench.errors import SuiteError, SuiteErrors
from genbench.suites.typed import Fault
from genbench.suites.yaml_source import Source, dotted

Path = tuple[str | int, ...]


class Problems:
    """The problems of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[SuiteError] = []
        self._said: set[str] = set()

    def add(self, path: Path, message: str) -> None:
        """Note that something is wrong at a path (or at its nearest ancestor in the file)."""
        self._add(path, path, message)

    def faults(self, path: Path, faults: Iterable[Fault]) -> None:
        """Note what a check of the value at `path` found. An unknown key is shown at its owner."""
        for place, message in faults:
            where = (*path, *place)
            if message.startswith("unknown option"):
                self._add(where, where[:-1], message)
            else:
                self.add(where, message)

    def _add(self, place: Path, shown: Path, message: str) -> None:
        error = SuiteError(
            message, file=self.source.file, line=self.source.line(place), path=dotted(shown)
        )
        if str(error) not in self._said:  # rows of one grid say the same
            self._said.add(str(error))
            self.found.append(error)

    def stop(self) -> None:
        """Raise what was found.

        Raises:
            SuiteError: one thing was found.
            SuiteErrors: several were.
        """
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise SuiteErrors(sorted(self.found, key=lambda error: error.line or 0))
