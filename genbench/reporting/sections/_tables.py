"""Tables as the literature prints them, from the cells.

Rows are methods, columns metrics; mean ± std over seeds, the best value bold, the published number
and the difference beside ours. An empty cell carries a note that says why it is empty. Numbers of
two protocols never share a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.judging.cells import SKIPPED, Trouble
from genbench.judging.floors import is_floor
from genbench.judging.ranking import Rank
from genbench.reporting.numbers import Column, Numbers
from genbench.reporting.summary import shown
from genbench.suites.schema import Table
from genbench.suites.spec import REAL
from genbench.text.markdown import Footnotes, code, escape, seed_list, tables
from genbench.text.numbers import mean_and_std, mean_text, number

MEANS = "samples are the decoder's means, without the noise of its likelihood (option sample_mean)"


@dataclass(frozen=True)
class MarkdownTable:
    """One table of the report, as Markdown."""

    title: str
    dataset: str
    text: str
    """The table and its notes."""
    spread: str = ""
    """The table of spreads over sample sets, or empty where no metric has one."""
    against: str = ""
    """The row that the others are held against; empty where that is the best of each column."""


def make_tables(numbers: Numbers) -> list[MarkdownTable]:
    """The tables that the suite asks for, or one of everything for each dataset.

    A table without a dataset becomes one for each dataset on which it has anything to show.
    """
    asked = list(numbers.plan.suite.report.tables)
    datasets = list(numbers.plan.datasets)
    if not asked:
        return [_table(numbers, dataset, dataset, [], Table()) for dataset in datasets]
    made = []
    for one in asked:
        for dataset in [one.dataset] if one.dataset else datasets:
            methods = numbers.methods(dataset, one.methods or ())
            if not one.dataset and not _says_anything(numbers, one.columns, dataset, methods):
                continue
            title = one.title or dataset
            if not one.dataset and len(datasets) > 1 and one.title:
                title = f"{one.title}: {dataset}"
            if one.variants:
                made.append(_variants(numbers, title, dataset, one))
            else:
                made.append(_table(numbers, title, dataset, methods, one))
    return made


def _says_anything(
    numbers: Numbers, columns: Sequence[str], dataset: str, methods: Sequence[str]
) -> bool:
    if not columns:
        return True
    shown = [
        numbers.cell(method, column) for name in columns
        for column in numbers.columns(name, dataset, methods) for method in methods
    ]
    return any(cell.values or cell.troubles for cell in shown)


def _table(
    numbers: Numbers, title: str, dataset: str, methods: Sequence[str], one: Table
) -> MarkdownTable:
    methods, published = list(methods) or numbers.methods(dataset), one.published
    names, unused = list(one.columns), ""
    if not names:
        names, unused = _default_columns(numbers, dataset, methods)
    columns = [c for name in names for c in numbers.columns(name, dataset, methods)]
    notes = Footnotes()
    groups = [(column, methods, one.against or "") for column in columns]
    ranks, marks = _ranked(numbers, one.against, groups)
    by_column = dict(zip(columns, ranks, strict=True))
    compared = [c for c in columns if any(c.name in published.get(m, {}) for m in methods)]
    lines = [
        _line(numbers, method, dataset, methods, columns, by_column, compared, published, notes)
        for method in methods
    ]
    head, starts = ["method"], []
    for column in columns:
        starts.append(len(head))
        head.append(column.head)
        head += ["published", "difference"] if column in compared else []
    text = tables([*head, "seeds"], lines, starts or [1]) + marks + _floors(numbers, columns)
    if notes.text():
        text += "\n" + notes.text()
    if unused:
        text += f"\nNot applicable to any row here: {unused}.\n"
    return MarkdownTable(
        title, dataset, text, _spread(numbers, methods, columns), one.against or ""
    )


def _ranked(
    numbers: Numbers, against: str | None, groups: Sequence[tuple[Column, Sequence[str], str]]
) -> tuple[Sequence[Mapping[str, Rank]], str]:
    """The places of rows for each column and its rows, and a line on what marks them."""
    if against is None:
        return [numbers.ranks(column, methods) for column, methods, _ in groups], ""
    held = numbers.held(against, groups)
    return held.ranks, f"\n{held.legend(numbers.label(against))}\n"


def _variants(numbers: Numbers, title: str, dataset: str, one: Table) -> MarkdownTable:
    """Each row's settings side by side: published, one column for each variant, difference."""
    there = numbers.methods(dataset)
    bases = [m for m in one.methods or there if m != REAL]
    if not one.methods:
        suffixes = [suffix for suffix in one.variants.values() if suffix]
        bases = [m for m in bases if not any(m.endswith(suffix) for suffix in suffixes)]
    groups = {
        heading: [base + suffix for base in bases if base + suffix in there]
        for heading, suffix in one.variants.items()
    }
    everyone = [method for group in groups.values() for method in group]
    names = list(one.columns) or _default_columns(numbers, dataset, everyone)[0]
    columns = [c for name in names for c in numbers.columns(name, dataset, everyone)]
    notes, head, starts = Footnotes(), ["method"], []
    compared = [c for c in columns if any(c.name in one.published.get(b, {}) for b in bases)]
    for column in columns:
        starts.append(len(head))
        head += [f"{column.head}: published"] if column in compared else []
        head += [f"{column.head}: {escape(heading)}" for heading in groups]
        head += ["difference"] if column in compared else []
    settings = [(column, heading) for column in columns for heading in groups]
    ranks, legend = _ranked(numbers, one.against, [
        (column, groups[heading], f"{one.against}{one.variants[heading]}")
        for column, heading in settings
    ])
    placed = dict(zip(settings, ranks, strict=True))
    lines = []
    for base in bases:
        rows = [base + suffix for suffix in one.variants.values() if base + suffix in there]
        label = numbers.label(base if base in there else base + next(iter(one.variants.values())))
        marks = dict.fromkeys(_marks(numbers, row, dataset, notes) for row in rows)
        line = [label + "".join(marks)]
        for column in columns:
            cells = []
            for heading, suffix in one.variants.items():
                method = base + suffix
                where = placed[column, heading].get(method, Rank.NONE)
                cells.append(
                    _cell_text(numbers, method, column, where, notes) if method in there else "–"
                )
            if column in compared:
                first = base + next(iter(one.variants.values()))
                known = one.published.get(base, {})
                printed = _published_cells(numbers, first, column, {first: known}, notes)
                cells = [printed[0], *cells, printed[1]]
            line += cells
        lines.append(line)
    text = tables(head, lines, starts or [1]) + legend + _floors(numbers, columns)
    text += "\n" + notes.text() if notes.text() else ""
    return MarkdownTable(title, dataset, text, against=one.against or "")


def _floors(numbers: Numbers, columns: Sequence[Column]) -> str:
    """A line on what two true sets are apart, in the columns that have a floor."""
    told = [
        f"{column.head.rstrip(' ↓↑→')}: {text}"
        for column in columns if (text := numbers.floor(column))
    ]
    what = "Floor, what two true sets of the same size get (± over such sets)"
    return f"\n{what}: {'; '.join(told)}.\n" if told else ""


def _default_columns(
    numbers: Numbers, dataset: str, methods: Sequence[str]
) -> tuple[list[str], str]:
    """The metrics with something to show on a dataset, and the others by the reasons for it.

    Floors have a line of their own.
    """
    shown, unused = [], dict[str, str]()
    metrics = numbers.metrics(dataset)
    for metric in metrics:
        cells = [cell for m in methods for cell in numbers.row(m, dataset, metric)]
        absent = [trouble for cell in cells for trouble in cell.absent.values()]
        reasons = sorted({reason for status, reason in absent if status == SKIPPED})
        tried = any(cell.values for cell in cells) or any(
            status in ("not-finite", "failed") for status, _ in absent
        )
        if reasons and not tried:
            unused[metric] = "; ".join(reasons)
        elif not is_floor(metric, metrics):
            shown.append(metric)
    by_reason: dict[str, list[str]] = {}
    for metric, why in unused.items():
        if not is_floor(metric, unused):
            by_reason.setdefault(why, []).append(code(metric))
    return shown, "; ".join(f"{', '.join(m)} ({escape(why)})" for why, m in by_reason.items())


def _line(
    numbers: Numbers, method: str, dataset: str, methods: Sequence[str],
    columns: Sequence[Column], ranks: Mapping[Column, Mapping[str, Rank]],
    compared: Sequence[Column],
    published: Mapping[str, Mapping[str, Any]], notes: Footnotes,
) -> list[str]:
    label = numbers.label(method, methods)
    if method == REAL:
        label = f"*{label}*"
    if (method, dataset) in numbers.ema:
        label += " (EMA)"
    if (method, dataset) in numbers.limited:
        label += " **not comparable**"
    label += _marks(numbers, method, dataset, notes)
    line = [label]
    for column in columns:
        where = ranks[column].get(method, Rank.NONE)
        line.append(_cell_text(numbers, method, column, where, notes))
        if column in compared:
            line += _published_cells(numbers, method, column, published, notes)
    return [*line, str(numbers.seeds(method, dataset))]


def _marks(numbers: Numbers, method: str, dataset: str, notes: Footnotes) -> str:
    """The marks of a row's notes: seeds made by different versions or machines, means as samples.
    """
    texts = [numbers.mixed.get((method, dataset), "")]
    texts += [MEANS] if (method, dataset) in numbers.means else []
    return "".join(notes.mark(text) for text in texts if text)


def _spread(numbers: Numbers, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Std over the sample sets of one model, mean over seeds, of the metrics that have one."""

    def stds(method: str, column: Column) -> list[float]:
        cell = numbers.cell(method, column)
        return [std for seed, std in cell.spreads.items() if seed in cell.values]

    having = [c for c in columns if any(stds(method, c) for method in methods)]
    if not having:
        return ""
    rows = [
        [numbers.label(method, methods), *(
            number(mean_and_std(stds(method, c))[0], 2) if stds(method, c) else "–"
            for c in having
        )]
        for method in methods if any(stds(method, c) for c in having)
    ]
    heads = [column.head.rstrip(" ↓↑→") for column in having]
    return tables(["method", *heads], rows, range(1, 1 + len(heads)))


# --- cells ------------------------------------------------------------------------------------


def _cell_text(
    numbers: Numbers, method: str, column: Column, rank: Rank, notes: Footnotes
) -> str:
    """Mean ± std, bold or marked by its place; what is lost, or why there is nothing."""
    cell, absent = numbers.cell(method, column), numbers.absent(method, column)
    values = cell.sample
    why = _why_not(absent, len(values), column) if absent or not values else ""
    seen = shown(cell, rank)
    if seen.lost and values:  # no mean of those that survive
        why += f"; the other {'seed' if len(values) == 1 else 'seeds'} {mean_text(values)}"
    mark = notes.mark(why) if why else ""
    if not (seen.lost or values):
        return f"–{mark}"
    text = seen.number or seen.status
    if seen.seeds is not None:
        text += f" (n = {seen.seeds})"
    if rank is Rank.BEST:
        text = f"**{text}**"
    return text + rank.mark + mark


def _why_not(absent: Mapping[int, Trouble], values: int, column: Column) -> str:
    """Why a cell is empty, or rests on fewer seeds than planned."""
    if not absent:
        return f"does not run on {column.dataset}, or {column.metric} is not asked for there"
    by_reason: dict[str, list[int]] = {}
    for seed, (state, reason) in absent.items():
        status = state.replace("-", " ")
        words = f"{status}: {reason}" if reason else status
        if state in (SKIPPED, "queued"):
            words = reason or "not applicable"
        by_reason.setdefault(words, []).append(seed)
    if len(by_reason) == 1 and not values:
        return next(iter(by_reason))
    return "; ".join(
        f"{seed_list(seeds)}: {reason}"
        for reason, seeds in sorted(by_reason.items(), key=lambda pair: min(pair[1]))
    )


def _published_cells(
    numbers: Numbers, method: str, column: Column,
    published: Mapping[str, Mapping[str, Any]], notes: Footnotes,
) -> list[str]:
    known = published.get(method, {}).get(column.name)
    if known is None:
        return ["", ""]
    value, source = float(getattr(known, "value", known)), getattr(known, "source", "")
    mark = notes.mark(f"published: {source}") if source else ""
    cell = numbers.cell(method, column)
    ours = [] if cell.lost else cell.sample
    difference = f"{mean_and_std(ours)[0] - value:+.4g}" if ours else "–"
    return [f"{number(value)}{mark}", difference]
