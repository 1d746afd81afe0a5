"""Training curves: mean and ± 1 standard deviation over seeds, one panel for each loss term."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.drawing.canvas import (
    LINE,
    PanelGrid,
    canvas,
    image_of,
    inches_of,
    look,
    panel_titles,
    say,
    wrapped,
)
from genbench.reporting.figures.drawing.palette import INK
from genbench.reporting.figures.drawing.scales import choose_scale, sweep_axis

POINTS = 150
"""Points on a curve: seeds may have been logged at different updates."""
COLUMNS = 3
ALONE, TOGETHER = (2.72, 1.7), (1.26, 1.2)
"""Width and height of a panel in inches, where it is the only one and where it is not."""
ACROSS = 0.62
"""Inches between panels."""
BRIEF = 0.1
"""The share of the longest curve's updates below which another does not stretch the axis."""
THOUSANDS = 20_000
"""The number of updates from which the axis counts in thousands."""


@dataclass(frozen=True)
class Curve:
    """One term of one method: for each seed, updates and values (2, N).

    `style` is the method's place among the rows, so that it looks the same in every panel.
    """

    method: str
    style: int
    seeds: Sequence[np.ndarray]

    @property
    def drawable(self) -> bool:
        """Whether there are two points to draw a line through."""
        return max(int(np.isfinite(seed[1]).sum()) for seed in self.seeds) > 1

    def band(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Updates, mean and standard deviation over the seeds that reached them, each (P,)."""
        last = max(float(seed[0, -1]) for seed in self.seeds)
        first = min(float(seed[0, 0]) for seed in self.seeds)
        longest = max(seed.shape[1] for seed in self.seeds)
        at = np.linspace(first, last, min(POINTS, max(2, longest)))
        if longest <= POINTS and all(np.array_equal(s[0], self.seeds[0][0]) for s in self.seeds):
            at = self.seeds[0][0].astype(float)
        rows = np.stack([
            np.interp(at, seed[0], seed[1], left=np.nan, right=np.nan) for seed in self.seeds
        ])  # (seeds, P)
        there = np.isfinite(rows)
        count = there.sum(0)
        at, rows, there, count = at[count > 0], rows[:, count > 0], there[:, count > 0], count[
            count > 0
        ]
        mean = np.where(there, rows, 0).sum(0) / count
        square = (np.where(there, rows - mean, 0) ** 2).sum(0) / np.maximum(count - 1, 1)
        return at, mean, np.sqrt(square)


@dataclass(frozen=True)
class CurvePanels:
    """What a sheet of curves shows: a panel for each title, in the order given."""

    panels: Mapping[str, Sequence[Curve]]
    lines: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Title → the label and level of a dashed line."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Title → words in the panel."""
    absent: Sequence[str] = ()
    """Words below the legend: what is missing, and why."""
    axis: str = ""
    """What the curves run over, if not updates; logarithmic where its values are positive and far
    apart."""
    ordered: bool = False
    """Whether panels keep their order and share the horizontal axis; else those that most rows
    share come first."""


def curve_sheet(shown: CurvePanels) -> Image.Image:
    """The panels, with one legend below."""
    terms, lines = shown.panels, shown.lines
    titles = list(terms)
    if not shown.ordered:
        titles.sort(key=lambda title: (-len(terms[title]), title))
    styles = {c.method: c.style for title in titles for c in terms[title]}
    drawn = {title: lines[title] for title in titles if title in lines and terms[title]}
    handles = [
        *((method, look(style)) for method, style in sorted(styles.items(), key=lambda p: p[1])),
        *((label, TRUTH) for label in dict.fromkeys(label for label, _ in drawn.values())),
    ]
    panel = ALONE if len(titles) == 1 else TOGETHER
    columns = 2 if len(titles) == 4 else min(COLUMNS, max(1, len(titles)))
    heads, above = panel_titles(titles, panel[0] + 0.08)
    room = columns * (panel[0] + ACROSS) - ACROSS
    absent = [line for words in shown.absent for line in wrapped(words, room, lines=9).split("\n")]
    legend = _lines(handles, columns, panel)
    below = LINE * (len(absent) + len(legend)) + 0.1
    grid = PanelGrid(len(titles), columns, panel, (0.56, 0.12, above, 0.3 + below),
                (ACROSS, 0.36 + above))
    last = max((float(s[0, -1]) for title in titles for c in terms[title] for s in c.seeds),
               default=0.0)
    with canvas(grid.size) as figure:
        for title, words, ax in zip(titles, heads, grid.axes(figure), strict=True):
            note = shown.notes.get(title, "")
            _panel(ax, words, terms[title], drawn.get(title), note, panel[0],
                   dots=bool(shown.axis))
            if shown.axis:
                sweep_axis(ax, shown.axis, [c.seeds[0][0] for c in terms[title]], panel[0])
            else:
                _updates(ax, last if shown.ordered else 0.0, few=3 if panel is TOGETHER else 5)
        _legend(figure, grid, legend, absent)
        return image_of(figure)


TRUTH: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 3))}
"""How the line of a known value looks."""
Handle = tuple[str, dict[str, Any]]


def _lines(
    handles: Sequence[Handle], columns: int, panel: tuple[float, float]
) -> list[list[Handle]]:
    """The legend in lines of as many entries as fit side by side."""
    room = columns * (panel[0] + ACROSS) - ACROSS
    widest = max((inches_of(label) for label, _ in handles), default=0.0) + 0.42
    each = min(4, max(1, int(room / widest)))
    return [list(handles[i : i + each]) for i in range(0, len(handles), each)]


def _legend(
    figure: Any, grid: PanelGrid, lines: Sequence[Sequence[Handle]], absent: Sequence[str]
) -> None:
    """The entries in columns below the panels, and words below them."""
    from matplotlib.lines import Line2D

    width, height = grid.size
    room = width - grid.margins[0] - grid.margins[1]
    y = LINE * (len(lines) + len(absent)) + 0.02
    for line in lines:
        y -= LINE
        for column, (label, style) in enumerate(line):
            x = grid.margins[0] + column * room / max(1, len(lines[0]))
            ends, middle = (x / width, (x + 0.24) / width), (y + LINE / 2) / height
            figure.add_artist(Line2D(ends, (middle, middle), **style))
            text = wrapped(label, room / max(1, len(lines[0])) - 0.34, lines=1)
            figure.text((x + 0.3) / width, middle, text, va="center_baseline")
    for words in absent:
        y -= LINE
        figure.text(grid.margins[0] / width, (y + LINE / 2) / height, words, va="center_baseline")


def _panel(
    ax: Any, title: str, curves: Sequence[Curve], line: tuple[str, float] | None, note: str,
    inches: float, *, dots: bool,
) -> None:
    ax.set_title(title, loc="left")
    if not curves:
        say(ax, note or "no run has this", inches)
        ax.tick_params(left=False, labelleft=False)
        return
    means, stds, ends = [], [], []
    for curve in curves:
        at, mean, std = curve.band()
        style = look(curve.style)
        ax.plot(at, mean, **style, marker="o" if dots else None, markersize=2.2)
        if len(curve.seeds) > 1:
            ax.fill_between(at, mean - std, mean + std, color=style["color"], alpha=0.2, lw=0)
        means.append(mean)
        stds.append(std)
        ends.append(at[-1] if len(at) else 0.0)
    if not dots:  # what blew up at once would flatten all that went on
        long = [end >= BRIEF * max(ends) for end in ends]
        means, stds = list(compress(means, long)), list(compress(stds, long))
    if line is not None:
        ax.axhline(line[1], **TRUTH)
    scale = choose_scale(means, stds, [] if line is None else [line[1]], whole=dots)
    if scale is not None:
        scale.apply(ax)
    if note:
        ax.text(0.98, 0.97, wrapped(note, 0.9 * inches, lines=3), transform=ax.transAxes,
                ha="right", va="top")


def _updates(ax: Any, last: float, *, few: int) -> None:
    """The horizontal axis; `last` is the end that panels share, 0 for each its own."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if last:
        ax.set_xlim(-0.02 * last, 1.02 * last)
    ax.xaxis.set_major_locator(MaxNLocator(few, steps=[1, 2, 5, 10]))
    thousands = ax.get_xlim()[1] >= THOUSANDS
    if thousands:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}"))
    ax.set_xlabel("thousand updates" if thousands else "update")
