"""What a person sees while a suite runs: bars in a terminal, plain lines in a pipe."""

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
from genbench.steps import told

HEARTBEAT = 60.0
"""Seconds between two plain lines about one run."""
FIRST = 2.0
"""Seconds to the first one about what is no run of a suite, of which nothing else was said."""
BESIDE = 66
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


@contextmanager
def steps_shown(console: Console, what: str) -> Iterator[None]:
    """Show the steps of an evaluation that is no run of a suite; nothing stays of a bar."""
    with display(console, what, 0) as show:
        def tell(step: str, share: float) -> None:
            show.show(Event(what, "evaluating", step=step, share=share))

        show.show(Event(what, "started"))
        tell("", 0.0)
        with told(tell):
            yield


class Pace:
    """How far the runs under way are, and how long they will take, at times `now` in seconds."""

    def __init__(self) -> None:
        self.latest: dict[str, Event] = {}
        self._first: dict[str, tuple[float, int]] = {}
        self._evaluating: dict[str, float] = {}
        self._evaluations: list[float] = []
        """Seconds that the evaluations so far took."""

    def take(self, event: Event, now: float) -> None:
        """Take notice of one event."""
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
        """Updates a second; 0 where that is not known yet."""
        began, first = self._first.get(run, (now, 0))
        return (self.latest[run].update - first) / (now - began) if now > began else 0.0

    def left(self, run: str, now: float) -> str:
        """The time to the run's end, with its evaluation; empty where it cannot be told."""
        event, typical = self.latest[run], self._typical()
        if event.kind == "evaluating":
            spent = now - self._evaluating[run]
            if event.share > 0:
                return f"{_clock(spent * (1 - event.share) / event.share)} left"
            return "" if typical is None else f"{_clock(max(0.0, typical - spent))} left"
        rate = self.rate(run, now)
        if not rate:
            return ""
        training = (event.updates - event.update) / rate
        if typical is None:
            return f"{_clock(training)} left + evaluation"
        return f"{_clock(training + typical)} left"

    def _typical(self) -> float | None:
        return sum(self._evaluations) / len(self._evaluations) if self._evaluations else None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


class _Bars:
    """A bar for the suite, and one for each run that is under way."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console = console
        self.pace = Pace()
        self.bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), _Count(), _Rate(),
            _Left(self.pace), TextColumn("[dim]{task.fields[losses]}"),
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

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def show(self, event: Event) -> None:
        self.bars.start()  # now at last: what is said before the first event has the screen
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
            self.console.print(_closing(event, self.finished, self.total), highlight=False)
        elif event.run in self.tasks:
            room = max(10, self.console.width - len(event.run) - BESIDE)
            text = event.step or "evaluating" if event.kind == "evaluating" else losses_text(
                event.losses
            )
            short = escape(text if len(text) <= room else text[: room - 1] + "…")
            task = self.tasks[event.run]
            if event.kind == "evaluating":
                self.bars.update(task, total=100, completed=int(100 * event.share), unit=" %",
                                 losses=short)
            else:
                self.bars.update(task, completed=event.update, losses=short)


class _Lines:
    """One line when a run ends, and one a minute while it is under way."""

    def __init__(self, console: Console, suite: str, total: int) -> None:
        self.console, self.total, self.finished = console, total, 0
        self.pace = Pace()
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Display:
        self._clock.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._clock.join()

    def _beat(self) -> None:
        # a thread, since a long step of an evaluation sends no event that a line could follow
        wait = HEARTBEAT if self.total else FIRST
        while not self._over.wait(wait):
            wait = HEARTBEAT
            with self._turn:  # of a run that has ended nothing is said after its last line
                for line in self.lines(time.monotonic()):
                    self.say(line)

    def lines(self, now: float) -> list[str]:
        """What is to be said of the runs under way."""
        return [_standing(self.pace, event, now) for event in list(self.pace.latest.values())]

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False)

    def show(self, event: Event) -> None:
        with self._turn:
            self.pace.take(event, time.monotonic())
            if event.kind == "finished":
                self.finished += event.state != "interrupted"
                line = _closing(event, self.finished, self.total)
                self.console.print(line, soft_wrap=True, highlight=False)


def _standing(pace: Pace, event: Event, now: float) -> str:
    """Where a run is, in a line."""
    if event.kind == "evaluating":
        named = f"evaluating: {event.step}" if event.updates else event.step
        parts = [named if event.step else "evaluating", f"{event.share:.0%} of it done"]
    else:
        parts = [f"{event.update}/{event.updates} updates",
                 f"{pace.rate(event.run, now):.3g} updates/s"]
    parts += [pace.left(event.run, now), losses_text(event.losses)]
    return f"{event.run}: {', '.join(part for part in parts if part)}"


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
        unit = task.fields["unit"]
        of = "" if unit == " %" else f"/{int(task.total or 0)}"
        return Text(f"{int(task.completed)}{of}{unit}", no_wrap=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.speed
        show = speed is not None and not task.fields["unit"]
        return Text(f"{speed:,.0f}/s" if show else "", style="cyan")


class _Left(ProgressColumn):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self.pace = pace

    def render(self, task: Task) -> Text:
        run = task.fields["run"]
        if run is not None:
            text = self.pace.left(run, time.monotonic()) if run in self.pace.latest else ""
        else:
            left = task.time_remaining
            text = "" if left is None else f"{_clock(left)} left"
        return Text(text, style="magenta", no_wrap=True)
