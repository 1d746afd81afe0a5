"""What a person sees while a suite runs: bars in a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from genbench.running.executor import Event

__all__ = ["Display", "display"]

HEARTBEAT = 30.0
"""Seconds between two plain lines about one run."""
BESIDE = 58
"""Characters that a run's bar, counts and times take beside its name and losses."""
_COLOURS = {"done": "green", "diverged": "yellow", "failed": "red", "timed-out": "red",
            "interrupted": "yellow"}


class Display(Protocol):
    """Shows the events of a suite."""

    def __enter__(self) -> Display: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, event: Event) -> None:
        """Take notice of one event."""
    def say(self, text: str) -> None:
        """A line for the person."""


def display(console: Console, suite: str, total: int) -> Display:
    """Bars where there is a terminal, plain lines where there is none."""
    kind = _Bars if console.is_terminal and not console.is_dumb_terminal else _Lines
    return kind(console, suite, total)


class _Bars:
    """A bar for the suite, and one for each run that is under way."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), _Count(), _Rate(),
            _Left(), TextColumn("[dim]{task.fields[losses]}"),
            console=console, transient=True, refresh_per_second=5,
        )
        self.suite = self.bars.add_task(
            f"[bold]{escape(suite)}", total=total, losses="", unit="runs"
        )
        self.tasks: dict[str, TaskID] = {}
        self.finished, self.total = 0, total

    def __enter__(self) -> Display:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        self.console.print(text)

    def show(self, event: Event) -> None:
        if event.kind == "started":
            self.tasks[event.run] = self.bars.add_task(
                f"  {escape(event.run)}", total=max(1, event.updates), losses="", unit="updates"
            )
        elif event.kind == "finished":
            if event.run in self.tasks:
                self.bars.remove_task(self.tasks.pop(event.run))
            self.finished += 1
            self.bars.update(self.suite, completed=self.finished)
            self.console.print(_closing(event, self.finished, self.total), highlight=False)
        elif event.run in self.tasks:
            text = "evaluating" if event.kind == "evaluating" else losses_text(event.losses)
            room = max(10, self.console.width - len(event.run) - BESIDE)
            short = text if len(text) <= room else text[: room - 1] + "…"
            self.bars.update(self.tasks[event.run], completed=event.update, losses=short)


class _Lines:
    """One line when a run starts and ends, and one now and then in between."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console, self.total, self.finished = console, total, 0
        self.began: dict[str, tuple[float, int]] = {}
        self.said: dict[str, float] = {}

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def show(self, event: Event) -> None:
        now = time.monotonic()
        if event.kind == "started":
            self.said[event.run] = now
        elif event.kind == "finished":
            self.finished += 1
            line = _closing(event, self.finished, self.total)
            self.console.print(line, soft_wrap=True, highlight=False)
        elif event.kind == "progress":
            first, at = self.began.setdefault(event.run, (now, event.update))
            if now - self.said.get(event.run, 0.0) > HEARTBEAT:
                self.said[event.run] = now
                rate = (event.update - at) / max(now - first, 1e-9)
                self.say(escape(
                    f"{event.run}: {event.update}/{event.updates} updates, {rate:.3g} updates/s, "
                    f"{losses_text(event.losses)}"
                ))


def _closing(event: Event, finished: int, total: int) -> str:
    state = event.state
    colour = _COLOURS.get(state, "white")
    reason = f": {escape(event.reason)}" if event.reason else ""
    timing = f" in {event.seconds:.1f} s" if event.seconds else ""
    width = len(str(total))
    return (
        f"[dim]\\[{finished:>{width}}/{total}][/dim] {escape(event.run)} "
        f"[{colour}]{state}[/{colour}]{timing}{reason}"
    )


def losses_text(losses: Mapping[str, float]) -> str:
    """The latest losses, short."""
    short = {name.removeprefix("model."): value for name, value in losses.items()}
    return "  ".join(f"{name} {value:.4g}" for name, value in short.items())


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        unit = " runs" if task.fields["unit"] == "runs" else ""
        return Text(f"{int(task.completed)}/{int(task.total or 0)}{unit}", no_wrap=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.speed
        show = speed is not None and task.fields["unit"] == "updates"
        return Text(f"{speed:,.0f}/s" if show else "", style="cyan")


class _Left(ProgressColumn):
    def render(self, task: Task) -> Text:
        left = task.time_remaining
        if left is None:
            return Text("")
        minutes, seconds = divmod(int(left), 60)
        return Text(f"{minutes}:{seconds:02d} left", style="magenta", no_wrap=True)
