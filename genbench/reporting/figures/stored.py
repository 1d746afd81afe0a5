"""What is stored of the rows of one figure."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from genbench.reporting.figures.drawing.panels import Panel
from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder, Store
from genbench.suites.spec import REAL, RunSpec

ORDER = ("diverged", "failed", "timed-out", "interrupted", "running", "queued")
WORDS = {"queued": "not run yet"}
"""States in other words."""


class Stored:
    """What is stored of some rows on a dataset; `chosen` are those that a suite asks for."""

    def __init__(
        self, numbers: Numbers, store: Store, dataset: str, methods: Sequence[str], *,
        chosen: bool = True,
    ) -> None:
        self.numbers, self.dataset, self.methods, self.chosen = numbers, dataset, methods, chosen
        self._store = store

    @property
    def images(self) -> bool:
        """Whether the dataset holds images."""
        return self.numbers.plan.datasets[self.dataset].kind == "images"

    @property
    def with_real(self) -> bool:
        """Whether the data themselves stand beside all rows."""
        return not self.chosen and REAL in self.numbers.methods(self.dataset)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Row → its title as plain text."""
        return _row_titles(self.numbers, self.methods)

    def runs(self, method: str) -> list[tuple[RunSpec, RunFolder]]:
        """The runs of a row, by seed."""
        where = (self.dataset, method)
        found = [s for s in self.numbers.plan.runs if (s.dataset, s.method) == where]
        return [(s, self._store.run(s.id)) for s in sorted(found, key=lambda spec: spec.seed)]

    @cached_property
    def panels(self) -> list[Panel]:
        """A panel for each row."""
        return [self._panel(method) for method in self.methods]

    @cached_property
    def real(self) -> Panel:
        """The data themselves."""
        return self._panel(REAL)

    @cached_property
    def dims(self) -> int:
        """How many coordinates points have; 0 for images, and where no samples are stored."""
        shapes = [panel.arrays["samples"].shape for panel in (self.real, *self.panels)
                  if "samples" in panel.arrays]
        return max((shape[1] for shape in shapes if len(shape) == 2), default=0)

    def left_out(self, panels: Sequence[Panel]) -> str:
        """Words on the rows that have nothing to show; `panels` are of all rows."""
        lost = [f"{panel.title} ({panel.why_not})" for panel in panels if panel.why_not]
        return f"Not shown: {'; '.join(lost)}." if lost else ""

    def _panel(self, method: str) -> Panel:
        title, runs = self.titles.get(method, "real data"), self.runs(method)
        for spec, folder in runs:
            if folder.sealed and folder.samples_path.exists():
                first = spec.seed == runs[0][0].seed
                arrays = folder.samples()
                return Panel(title if first else f"{title} (seed {spec.seed})", arrays,
                             "" if arrays else "its samples are not finite")
        return Panel(title, {}, standing([folder for _, folder in runs]))


def _row_titles(numbers: Numbers, methods: Sequence[str]) -> dict[str, str]:
    """The rows' titles as plain text; a row's name where others share its title."""
    titles = {method: numbers.title(method) for method in methods if method != REAL}
    shared = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    named = {m: m if title in shared else title for m, title in titles.items()}
    return {**named, REAL: "real data"}


def standing(folders: Sequence[RunFolder]) -> str:
    """Why runs have nothing to show, e.g. `diverged: nll became nan; not run yet`."""
    words = []
    for folder in sorted(folders, key=_place):
        state, reason = folder.state, folder.status().reason.split("\n")[0]
        said = WORDS.get(state, state)
        words.append(f"{said}: {reason}" if reason and state in ORDER[:2] else said)
    return "; ".join(dict.fromkeys(words)) or "no run on this dataset"


def unfinished(folders: Sequence[RunFolder]) -> str:
    """How many runs of a row have not come to their end, e.g. ` (1 diverged, 2 not run yet)`."""
    counts = Counter(folder.state for folder in folders)
    words = [f"{counts[state]} {WORDS.get(state, state)}" for state in ORDER if counts[state]]
    return f" ({', '.join(words)})" if words else ""


def _place(folder: RunFolder) -> int:
    return ORDER.index(folder.state) if folder.state in ORDER else len(ORDER)
