"""Progress of a running suite: progress bars in a terminal, log lines in a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from genbench.running.executors.base import Event
from genbench.steps import reporting_steps

HEARTBEAT = 60.0
"""Seconds between log lines of one run."""
FIRST_LINE_AFTER = 2.0
"""Seconds to the first log line of an evaluation that is not a run of a suite."""
RESERVED_WIDTH = 66
"""Columns taken by a run's bar, counts and times, besides its name and losses."""
_COLOURS = {"done": "green", "diverged": "yellow", "failed": "red", "timed-out": "red",
            "interrupted": "yellow"}


class Display(Protocol):
    """Shows the events of a suite."""

    def __enter__(self) -> Display: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, event: Event) -> None:
        """Display one event."""
    def message(self, text: str) -> None:
        """Display a message in a line of its own."""


def display(console: Console, suite: str, total: int) -> Display:
    """Progress bars in a terminal, log lines otherwise."""
    kind = _Bars if console.is_terminal and not console.is_dumb_terminal else _Lines
    return kind(console, suite, total)


@contextmanager
def steps_shown(console: Console, what: str) -> Iterator[None]:
    """Show the steps of an evaluation that is not a run of a suite, in a transient bar."""
    with display(console, what, 0) as show:
        def callback(step: str, fraction: float) -> None:
            show.show(Event(what, "evaluating", step=step, fraction=fraction))

        show.show(Event(what, "started"))
        callback("", 0.0)
        with reporting_steps(callback):
            yield


class Pace:
    """Progress and remaining time of the running runs, at times `now` in seconds."""

    def __init__(self) -> None:
        self.latest: dict[str, Event] = {}
        self._first: dict[str, tuple[float, int]] = {}
        self._evaluating: dict[str, float] = {}
        self._evaluations: list[float] = []
        """Durations of the finished evaluations, in seconds."""

    def take(self, event: Event, now: float) -> None:
        """Update with one event."""
        run = event.run
        if event.kind == "finished":
            self.latest.pop(run, None)
            self._first.pop(run, None)
            began = self._evaluating.pop(run, None)
            if began is not None and event.state == "done":
                self._evaluations.append(now - began)
            return
        self.latest[run] = event
        if event.kind == "progress":
            self._first.setdefault(run, (now, event.update))
        elif event.kind == "evaluating":
            self._evaluating.setdefault(run, now)

    def rate(self, run: str, now: float) -> float:
        """Updates per second; 0 if not known yet."""
        began, first = self._first.get(run, (now, 0))
        return (self.latest[run].update - first) / (now - began) if now > began else 0.0

    def time_left(self, run: str, now: float) -> str:
        """The remaining time of a run with its evaluation; empty where it cannot be estimated."""
        event, typical = self.latest[run], self._mean_evaluation()
        if event.kind == "evaluating":
            spent = now - self._evaluating[run]
            if event.fraction > 0:
                return f"{_clock(spent * (1 - event.fraction) / event.fraction)} left"
            return "" if typical is None else f"{_clock(max(0.0, typical - spent))} left"
        rate = self.rate(run, now)
        if not rate:
            return ""
        training = (event.updates - event.update) / rate
        if typical is None:
            return f"{_clock(training)} left + evaluation"
        return f"{_clock(training + typical)} left"

    def _mean_evaluation(self) -> float | None:
        return sum(self._evaluations) / len(self._evaluations) if self._evaluations else None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


class _Bars:
    """A progress bar for the suite, and one for each running run."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console = console
        self.pace = Pace()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), _Count(), _Rate(),
            _TimeLeft(self.pace), TextColumn("[dim]{task.fields[losses]}"),
            console=console, transient=True, refresh_per_second=5,
        )
        self.suite = self.bars.add_task(
            f"[bold]{escape(suite)}", total=total, losses="", unit=" runs", run=None,
            visible=total > 0,
        )
        self.tasks: dict[str, TaskID] = {}
        self.finished, self.total = 0, total

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def message(self, text: str) -> None:
        self.console.print(text, markup=False)

    def show(self, event: Event) -> None:
        self.bars.start()  # not earlier: messages before the first event are printed plainly
        self.pace.take(event, time.monotonic())
        if event.kind == "started":
            self.tasks[event.run] = self.bars.add_task(
                f"  {escape(event.run)}", total=max(1, event.updates), losses="", unit="",
                run=event.run,
            )
        elif event.kind == "finished":
            if event.run in self.tasks:
                self.bars.remove_task(self.tasks.pop(event.run))
            self.finished += event.state != "interrupted"
            self.bars.update(self.suite, completed=self.finished)
            self.console.print(_finished_line(event, self.finished, self.total), highlight=False)
        elif event.run in self.tasks:
            room = max(10, self.console.width - len(event.run) - RESERVED_WIDTH)
            text = event.step or "evaluating" if event.kind == "evaluating" else _losses_text(
                event.losses
            )
            short = escape(text if len(text) <= room else text[: room - 1] + "…")
            task = self.tasks[event.run]
            if event.kind == "evaluating":
                self.bars.update(task, total=100, completed=int(100 * event.fraction), unit=" %",
                                 losses=short)
            else:
                self.bars.update(task, completed=event.update, losses=short)


class _Lines:
    """One log line when a run finishes, and one a minute while it is running."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console, self.total, self.finished = console, total, 0
        self.pace = Pace()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Display:
        self._clock.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._clock.join()

    def _beat(self) -> None:
        # a thread: during a long step of an evaluation there is no event to trigger a line
        wait = HEARTBEAT if self.total else FIRST_LINE_AFTER
        while not self._over.wait(wait):
            wait = HEARTBEAT
            with self._lock:  # no line about a run after that of its end
                for line in self.lines(time.monotonic()):
                    self.message(line)

    def lines(self, now: float) -> list[str]:
        """A status line for each running run."""
        return [_status_line(self.pace, event, now) for event in list(self.pace.latest.values())]

    def message(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False)

    def show(self, event: Event) -> None:
        with self._lock:
            self.pace.take(event, time.monotonic())
            if event.kind == "finished":
                self.finished += event.state != "interrupted"
                line = _finished_line(event, self.finished, self.total)
                self.console.print(line, soft_wrap=True, highlight=False)


def _status_line(pace: Pace, event: Event, now: float) -> str:
    """A run's progress, in a line."""
    if event.kind == "evaluating":
        named = f"evaluating: {event.step}" if event.updates else event.step
        parts = [named if event.step else "evaluating", f"{event.fraction:.0%} of it done"]
    else:
        parts = [f"{event.update}/{event.updates} updates",
                 f"{pace.rate(event.run, now):.3g} updates/s"]
    parts += [pace.time_left(event.run, now), _losses_text(event.losses)]
    return f"{event.run}: {', '.join(part for part in parts if part)}"


def _finished_line(event: Event, finished: int, total: int) -> str:
    state = event.state
    colour = _COLOURS.get(state, "white")
    reason = f": {escape(event.reason)}" if event.reason else ""
    timing = f" in {event.seconds:.1f} s" if event.seconds else ""
    width = len(str(total))
    return (
        f"[dim]\\[{finished:>{width}}/{total}][/dim] {escape(event.run)} "
        f"[{colour}]{state}[/{colour}]{timing}{reason}"
    )


def _losses_text(losses: Mapping[str, float]) -> str:
    """The latest losses, abbreviated."""
    short = {name.removeprefix("model."): value for name, value in losses.items()}
    return "  ".join(f"{name} {value:.4g}" for name, value in short.items())


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        unit = task.fields["unit"]
        of = "" if unit == " %" else f"/{int(task.total or 0)}"
        return Text(f"{int(task.completed)}{of}{unit}", no_wrap=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.speed
        show = speed is not None and not task.fields["unit"]
        return Text(f"{speed:,.0f}/s" if show else "", style="cyan")


class _TimeLeft(ProgressColumn):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self.pace = pace

    def render(self, task: Task) -> Text:
        run = task.fields["run"]
        if run is not None:
            text = self.pace.time_left(run, time.monotonic()) if run in self.pace.latest else ""
        else:
            left = task.time_remaining
            text = "" if left is None else f"{_clock(left)} left"
        return Text(text, style="magenta", no_wrap=True)
