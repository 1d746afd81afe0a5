"""Two sets of results side by side: differences and whether the seeds can tell them from noise.

Cells are matched by method, dataset, metric *and* protocol, or one method's with another's:
numbers of different protocols are never subtracted. The test is `difference_test`: Welch's, and by
pairs where both sides have the same seeds; two-sided, at 95 % after Holm's correction over the
cells that are compared. With fewer than three seeds on a side it says nothing. A value that is not
finite, and a run that diverged, is the worst there is; of a metric that is best at a target,
distances from it are compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from genbench.errors import GenbenchError, ProtocolError
from genbench.judging.cells import Cell, trouble_text
from genbench.judging.floors import is_floor
from genbench.judging.power import how
from genbench.judging.significance import difference_test
from genbench.judging.statistics import ALPHA, MIN_SEEDS, Test, holm
from genbench.lookup import suggest
from genbench.text.html import html_table
from genbench.text.markdown import ARROWS
from genbench.text.numbers import mean_and_std, number, p_text, spread_text

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"better": "green", "worse": "red", "different": "yellow", "inconclusive": "yellow",
            "not comparable": "magenta"}


@dataclass
class Comparison:
    """One cell of A against the same cell of B."""

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str = "none"
    unit: str = ""
    a: float = math.nan
    """Mean over A's seeds."""
    a_std: float = math.nan
    a_seeds: int = 0
    b: float = math.nan
    b_std: float = math.nan
    b_seeds: int = 0
    difference: float = math.nan
    """B − A."""
    low: float = math.nan
    """Lower end of the 95 % confidence interval of the difference."""
    high: float = math.nan
    p: float = math.nan
    """Two-sided, after Holm's correction."""
    verdict: str = ""
    """B against A: better, worse, different (no better direction), not told apart, same values,
    inconclusive, not comparable, only in A, only in B."""
    reason: str = ""
    dearer: bool = False
    """Whether B is the worse of the two, significantly or not."""


@dataclass(frozen=True, repr=False)
class Comparisons:
    """Every cell of two sets of results side by side, in A's order."""

    rows: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()
    """What is to be known of the two sides."""

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def table(self) -> pd.DataFrame:
        """A line for each comparison, its fields the columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def __repr__(self) -> str:
        counts = Counter(row.verdict for row in self.rows)
        return f"<Comparisons: {', '.join(f'{n} {verdict}' for verdict, n in counts.items())}>"

    def _repr_html_(self) -> str:
        head = ("method", "dataset", "metric", "A", "B", "B − A", "p", "verdict", "why")
        lines = [
            (row.method, row.dataset, row.metric, *_texts(row), row.verdict, row.reason)
            for row in self.rows
        ]
        return html_table(head, lines) + "".join(f"<p>{escape(n)}</p>" for n in self.remarks)

    @property
    def remarks(self) -> list[str]:
        """How the numbers were compared, over how many p is corrected, and the notes."""
        tested = sum(not math.isnan(row.p) for row in self.rows)
        if not tested:
            return list(self.notes)
        over = f"the {tested} numbers that are" if tested > 1 else "one number that is"
        return [
            f"p is two-sided, after Holm's correction over {over} compared; where both sides have "
            "the same seeds, they are compared apart and by pairs, and the smaller p counts twice",
            *self.notes,
        ]


def compare(
    a: Sequence[Cell], b: Sequence[Cell], *,
    methods: tuple[str | None, str | None] = (None, None), notes: Sequence[str] = (),
) -> Comparisons:
    """Compare the cells of two sets of results, in A's order.

    `methods` are the row of A and the row of B that are set against each other, where they are not
    those of the same name; `notes` are shown below. Cells whose protocols differ, that have
    runs without a result, or whose budgets were cut are marked, not compared.

    Raises:
        ProtocolError: the two share rows, but not one under the same protocol.
        GenbenchError: the two share nothing, or lack a row that is asked for.
    """
    named = " | ".join(method for method in methods if method)
    left, right = (
        _by_row(_rows_of(side, cells, method or other, named))
        for side, cells, method, other in (("A", a, *methods), ("B", b, *methods[::-1]))
    )
    rows: list[Comparison] = []
    tests: list[Test | None] = []
    for key in dict.fromkeys([*left, *right]):
        for row, test in _matched(key, left.get(key, {}), right.get(key, {})):
            rows.append(row)
            tests.append(test)
    _refuse_strangers(rows)
    tested = [place for place, test in enumerate(tests) if test is not None]
    adjusted = holm([test.p for test in tests if test is not None])
    for place, p in zip(tested, adjusted, strict=True):
        _conclude(rows[place], p)
    return Comparisons(tuple(rows), tuple(notes))


def compare_table(rows: Comparisons, a: str = "A", b: str = "B") -> Group:
    """The result of `compare` for a terminal; `a` and `b` name the two sides.

    A table for each row and dataset, which fits 80 columns without breaking a word. Reasons stand
    below the tables, and protocols only where one metric has several.
    """
    protocols: dict[tuple[str, str], set[str]] = {}
    tables: dict[tuple[str, str], Table] = {}
    for row in rows:
        protocols.setdefault((row.dataset, row.metric), set()).add(row.protocol)
    for row in rows:
        title = (row.method, row.dataset)
        table = tables.setdefault(title, _sides(f"{row.method} on {row.dataset}"))
        several = len(protocols[row.dataset, row.metric] - {""}) > 1
        metric = f"{row.metric}@{row.protocol}" if several and row.protocol else row.metric
        table.add_row(*(Text(text) for text in (
            f"{metric}{ARROWS.get(row.better, '')}",
            *_texts(row),
        )), Text(row.verdict, style=_COLOURS.get(row.verdict, "")))
    notes = [*_notes(rows.rows), *rows.remarks]
    head = Text(f"{b} against {a} (B against A)\n")
    return Group(head, *tables.values(), *(Text(note) for note in notes))


def _notes(rows: Sequence[Comparison]) -> list[str]:
    """Why there is no verdict, once for each story, with the metrics that it is a story of."""
    stories: dict[tuple[str, str, str, str], list[str]] = {}
    every: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        every.setdefault((row.method, row.dataset), {})[row.metric] = None
        if row.reason and row.verdict in ("inconclusive", "not comparable"):
            key = (row.method, row.dataset, row.verdict, row.reason)
            stories.setdefault(key, []).append(row.metric)
    lines = []
    for (method, dataset, verdict, reason), metrics in stories.items():
        named = ""
        if len(set(metrics)) < len(every[method, dataset]):
            some = [one for one in dict.fromkeys(metrics) if not is_floor(one, metrics)]
            named = f" ({', '.join(some)})"
        lines.append(f"{method} on {dataset}{named}, {verdict}: {reason}")
    return lines


def _sides(title: str) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for heading in ("A", "B", "B − A", "p"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    return table


def _texts(row: Comparison) -> tuple[str, str, str, str]:
    """A, B, their difference and p."""
    p = "" if math.isnan(row.p) else p_text(row.p).removeprefix("p ").removeprefix("= ")
    return (_side(row.a, row.a_std, row.a_seeds), _side(row.b, row.b_std, row.b_seeds),
            number(row.difference), p)


def _side(mean: float, std: float, seeds: int) -> str:
    if not seeds:
        return "–"
    return f"{spread_text(mean, std)} (n={seeds})"


# --- matching ---------------------------------------------------------------------------------

_Key = tuple[str, str, str]


def _rows_of(
    side: str, cells: Sequence[Cell], method: str | None, named: str
) -> Sequence[Cell]:
    """The cells of one row, under the name that both sides share; all of them without one."""
    if method is None:
        return cells
    found = [replace(cell, method=named) for cell in cells if cell.method == method]
    if not found:
        known = list(dict.fromkeys(cell.method for cell in cells))
        swept = [name for name in known if name.startswith(f"{method}[")]
        hint = suggest(method, known)
        if swept:
            hint = f"; it is {len(swept)} rows, {', '.join(swept)}: name one"
        raise GenbenchError(f"{side} has no row '{method}'{hint}")
    return found


def _by_row(cells: Sequence[Cell]) -> dict[_Key, dict[str, Cell]]:
    rows: dict[_Key, dict[str, Cell]] = {}
    for cell in cells:
        if cell.values or cell.troubles:
            rows.setdefault((cell.method, cell.dataset, cell.metric), {})[cell.protocol] = cell
    return rows


def _matched(
    key: _Key, left: dict[str, Cell], right: dict[str, Cell]
) -> list[tuple[Comparison, Test | None]]:
    if not left or not right:
        side, cells = ("A", left) if left else ("B", right)
        return [
            (_filled(key, left.get(p), right.get(p), p, f"only in {side}"), None) for p in cells
        ]
    shared = [protocol for protocol in left if protocol in right]
    matched = [_pair(key, left[protocol], right[protocol]) for protocol in shared]
    if matched:
        return matched
    # What did not end has no protocol; otherwise these are numbers of different protocols.
    first, second = next(iter(left.values())), next(iter(right.values()))
    if not first.values or not second.values:
        return [_pair(key, first, second)]
    reason = f"A is {' and '.join(left)}, B is {' and '.join(right)}"
    row = _filled(key, first, second, f"{first.protocol} | {second.protocol}", "not comparable")
    row.reason = f"different protocols: {reason}"
    return [(row, None)]


def _pair(key: _Key, a: Cell, b: Cell) -> tuple[Comparison, Test | None]:
    row = _filled(key, a, b, a.protocol or b.protocol, "")
    for side, cell in (("A", a), ("B", b)):
        if cell.limited:
            row.verdict, row.reason = "not comparable", f"--limit-updates cut the budget of {side}"
            return row, None
        if not cell.complete or (cell.lost and not cell.directed):
            row.verdict = "inconclusive"
            row.reason = f"{side}: {trouble_text(cell) or 'no values'}"
            return row, None
    row.difference = row.b - row.a
    if a.outcomes == b.outcomes:
        row.verdict, row.difference = "same values", 0.0
        return row, None
    known = a if a.target is not None else b  # a file of old may not know the target
    first, second = (
        replace(cell, better=known.better, target=known.target, aim=known.aim) for cell in (a, b)
    )
    row.better = known.better
    test = difference_test(second.costs, first.costs, certain=a.fixed and b.fixed)
    if not test.conclusive:
        row.verdict, row.reason = "inconclusive", f"fewer than {MIN_SEEDS} seeds"
        return row, None
    if row.better != "target" and not test.logs:
        low, high = test.low, test.high
        row.low, row.high = (-high, -low) if row.better == "higher" else (low, high)
    row.dearer, row.reason = test.p_greater < test.p_less, how(test).strip(" ()")
    return row, test


def _filled(
    key: _Key, a: Cell | None, b: Cell | None, protocol: str, verdict: str
) -> Comparison:
    row = Comparison(*key, protocol, verdict=verdict)
    for cell in (b, a):
        if cell is not None:
            row.better, row.unit = cell.better, cell.unit
    if a is not None and a.outcomes:
        (row.a, row.a_std), row.a_seeds = mean_and_std([*a.outcomes.values()]), len(a.outcomes)
    if b is not None and b.outcomes:
        (row.b, row.b_std), row.b_seeds = mean_and_std([*b.outcomes.values()]), len(b.outcomes)
    return row


def _conclude(row: Comparison, p: float) -> None:
    row.p = p
    if p > ALPHA:
        row.verdict = "not told apart"
        row.reason = "; ".join(filter(None, ("within the noise of the seeds", row.reason)))
    elif row.better == "none":
        row.verdict = "different"
    else:
        row.verdict = "worse" if row.dearer else "better"


def _refuse_strangers(rows: Sequence[Comparison]) -> None:
    shared = [row for row in rows if not row.verdict.startswith("only in")]
    if not shared:
        raise GenbenchError(
            "A and B have no cell in common; compare results that share a method, a dataset and "
            "a metric"
        )
    if all(row.reason.startswith("different protocols") for row in shared):
        first = shared[0]
        raise ProtocolError(
            f"no number of A was measured under the protocol of B, so nothing can be compared: "
            f"{first.metric}[{first.method}, {first.dataset}] has {first.reason}"
        )
