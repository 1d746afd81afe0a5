"""The names that a report may use: rows, datasets, metrics and players of its suite."""

from collections.abc import Sequence

from genbench.lookup import suggest
from genbench.suites.matrix import DatasetRow
from genbench.suites.methods import Method
from genbench.suites.problems import Path, Problems
from genbench.suites.rows import Row
from genbench.suites.spec import REAL


class Known:
    """What there is, and a note of a problem where a name is of nothing.

    `others` are the rows that are not trained, `values` what the metrics measure.
    """

    def __init__(
        self, methods: Sequence[Method], others: Sequence[Row], datasets: Sequence[DatasetRow],
        values: list[str], problems: Problems,
    ) -> None:
        self.methods: list[Row] = [*(method.row for method in methods), *others]
        self.kinds = {dataset.row.name: dataset.kind for dataset in datasets}
        self.datasets, self.values, self.problems = list(self.kinds), values, problems
        self.players = sorted({
            str(player) for method in methods for _, objective, _ in method.terms()
            for player in objective.constants.get("plays", ("model",))
        } | {"watched"})

    def rows(self, name: str, path: Path) -> list[str]:
        """The method rows of a name: itself, or those that a grid made of it."""
        known = [row.name for row in self.methods]
        found = [row.name for row in self.methods if name in (row.name, row.base)]
        if name == REAL or found:
            return found or [REAL]
        self.problems.add(path, f"no method row '{name}'{suggest(name, known)}")
        return []

    def dataset(self, name: str, path: Path) -> None:
        """A dataset row."""
        if name not in self.datasets:
            self.problems.add(path, f"no dataset row '{name}'{suggest(name, self.datasets)}")

    def all_rows(self, names: Sequence[str] | None, path: Path) -> list[str] | None:
        """The method rows of names, each once, in order; None of None."""
        if names is None:
            return None
        rows = [self.rows(name, (*path, index)) for index, name in enumerate(names)]
        return list(dict.fromkeys(row for found in rows for row in found))

    def metric(self, name: str, path: Path) -> None:
        """What a metric measures, perhaps of one protocol: `fid@classifier`."""
        value = name.partition("@")[0]
        if value not in self.values:
            hint = suggest(value, self.values) if self.values else ""
            self.problems.add(path, f"'{value}' is not among what is evaluated{hint}")

    def term(self, term: str, path: Path) -> None:
        """A term of a loss, as `player: term`, and the player's name."""
        player, colon, name = (part.strip() for part in term.partition(":"))
        if not colon or not player or not name:
            self.problems.add(path, f"expected a player and a term, as 'model: nll', not '{term}'")
        elif player not in self.players:
            self.problems.add(path, f"no player is called '{player}'"
                                    f"{suggest(player, self.players)}")
