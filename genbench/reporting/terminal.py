"""What `genbench run` and `genbench eval` leave on the screen."""

from collections.abc import Sequence
from math import inf, nan

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from genbench.judging.ranking import Rank
from genbench.reporting.summary import Shown, Summary
from genbench.store.measurement import Measurement
from genbench.text.markdown import ARROWS
from genbench.text.numbers import spread_text

PADDING = 3
"""Characters between two columns."""


def summary_table(summary: Summary, width: int | None = None) -> Group:
    """The table of a dataset and its remarks, with as many columns as fit into `width` characters.

    None of them is wrapped.
    """
    names = [Text(line.title, style="italic" if line.real else "") for line in summary.lines]
    seeds = [Text(str(line.seeds)) for line in summary.lines]
    table = Table(
        title=Text(summary.dataset), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("method", no_wrap=True)
    table.add_column("seeds", justify="right", no_wrap=True)
    room = inf if width is None else width - _wide(names, "method") - _wide(seeds, "seeds")
    body = [names, seeds]
    for place, column in enumerate(summary.columns):
        texts = [_text(line.cells[place]) for line in summary.lines]
        room -= _wide(texts, column.heading)
        if room < 0 and len(body) > 2:
            break
        table.add_column(Text(column.heading), justify="right", no_wrap=True)
        body.append(texts)
    for row in zip(*body, strict=True):
        table.add_row(*row)
    # Not the table's caption: that would be wrapped to the width of the table.
    return Group(table, *(Text(note) for note in summary.remarks(len(body) - 2)))


def _wide(texts: Sequence[Text], heading: str) -> int:
    return max(cell_len(text) for text in (heading, *(t.plain for t in texts))) + PADDING


def _text(shown: Shown) -> Text:
    if shown.number:
        style = "bold" if shown.rank is Rank.BEST else ""
    else:
        style = "dim" if shown.status in ("", "not run") else "red"
    return Text(str(shown), style=style)


def measurement_table(measurements: Sequence[Measurement], notes: Sequence[str]) -> Group:
    """Every number with its spread over sample sets and its protocol, or why there is none."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("protocol", overflow="fold")
    for one in measurements:
        value, spread = one.value, one.sampling_std
        text = "–" if value is None else spread_text(value, nan if spread is None else spread)
        why = one.protocol if one.status == "ok" else one.reason
        table.add_row(f"{one.metric}{ARROWS.get(one.better, '')}", text, one.unit,
                      escape(why))
    return Group(table, *(Text(note, style="yellow") for note in notes))
