"""What the rows of a suite cost: updates, rows drawn, seconds, and on what."""

from collections.abc import Sequence
from typing import NamedTuple

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from genbench.reporting.numbers import Numbers
from genbench.reporting.origins import Origin
from genbench.store.table import MetricRow
from genbench.suites.spec import REAL
from genbench.text.markdown import count
from genbench.text.numbers import mean_and_std, number

HEAD = ("method", "dataset", "updates", "rows drawn", "seconds", "device", "threads")


class Cost(NamedTuple):
    """A row on a dataset: means over the runs that have them, as text."""

    method: str
    """As the suite names it."""
    dataset: str
    updates: str
    examples: str
    seconds: str
    device: str
    threads: str

    @property
    def where(self) -> tuple[str, str]:
        """The device and the CPU threads."""
        return self.device, self.threads


def costs_of(numbers: Numbers, origins: Sequence[Origin]) -> list[Cost]:
    """What is known of every row that began, by dataset and in the suite's order."""
    threads: dict[tuple[str, str], set[str]] = {}
    for origin in origins:
        known = threads.setdefault((origin.method, origin.dataset), set())
        known.update(origin.facts.get("threads", ()))
    found = []
    for dataset in numbers.plan.datasets:
        for method in numbers.methods(dataset):
            runs = list(numbers.runs.get((method, dataset), {}).values())
            if method == REAL or all(run.updates is None for run in runs):
                continue
            of = sorted(threads.get((method, dataset), ()))
            found.append(Cost(method, dataset, *_means(runs), ", ".join(of) or "–"))
    return found


def _means(runs: Sequence[MetricRow]) -> tuple[str, str, str, str]:
    """Updates, rows drawn, seconds and devices."""
    # A run that was cut short would pull the means of the others down.
    runs = [run for run in runs if run.examples is not None] or runs
    updates = _mean([run.updates for run in runs])
    examples = _mean([run.examples for run in runs])
    seconds = _mean([run.seconds for run in runs])
    devices = sorted({run.device for run in runs if run.device})
    return count(updates), count(examples), number(seconds, 3), ", ".join(devices) or "–"


def _mean(found: Sequence[float | None]) -> float | None:
    known = [float(one) for one in found if one is not None]
    return mean_and_std(known)[0] if known else None


def cost_table(costs: Sequence[Cost]) -> Group:
    """The same for a terminal; names of rows are folded where it is narrow."""
    datasets = len({cost.dataset for cost in costs}) > 1
    shared = len({cost.where for cost in costs}) == 1
    made = Table(title=Text("cost"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in kept(HEAD, datasets, shared):
        text = name in ("method", "dataset", "device")
        made.add_column(name, justify="left" if text else "right", no_wrap=not text,
                        overflow="fold")
    for cost in costs:
        made.add_row(*map(Text, kept(cost, datasets, shared)))
    return Group(made, Text(words(costs, shared)))


def kept(line: Sequence[str], datasets: bool, shared: bool) -> list[str]:
    """The cells of a line, less what is the same everywhere."""
    return [line[0], *(line[1:2] if datasets else ()), *line[2:5], *(() if shared else line[5:])]


def words(costs: Sequence[Cost], shared: bool) -> str:
    """What the numbers are, and on what all of it was trained."""
    text = ("Means over seeds; updates are those of the model, rows those that all players of a "
            "run drew, and seconds those of training.")
    if not shared:
        return text
    device, threads = costs[0].where
    of = "" if threads == "–" else f", {threads} thread{'s' * (threads != '1')} each"
    return f"{text} All of it on {device}{of}." if device != "–" else text
