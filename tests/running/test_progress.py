"""What is said of runs under way: the step, the part that is done, the time that is left."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from genbench.data.digits import Digits
from genbench.data.scaling import scaling_for
from genbench.evaluation.evidence import Evidence, SampleSettings
from genbench.evaluation.extractors import classifier
from genbench.evaluation.measure import measure
from genbench.noise import Noise
from genbench.running import progress
from genbench.running.evaluate import evaluate
from genbench.running.executors.base import Context, Event
from genbench.running.fetch import fetch
from genbench.running.progress import Pace, display, steps_shown
from genbench.steps import portion, reporting_steps, set_fraction, step
from genbench.suites.expand import plan_of
from genbench.suites.spec import MetricSpec


def training(run: str, update: int) -> Event:
    return Event(run, "progress", update, 100, {"model.nll": 1.5})


def evaluating(run: str, step: str, fraction: float) -> Event:
    return Event(run, "evaluating", 100, 100, step=step, fraction=fraction)


def test_the_time_that_is_left_counts_the_evaluation() -> None:
    pace = Pace()
    pace.take(training("a", 0), 0.0)
    pace.take(training("a", 50), 10.0)  # 5 updates a second
    assert pace.time_left("a", 10.0) == "0:10 left + evaluation"
    pace.take(evaluating("a", "classifier", 0.0), 20.0)
    assert pace.time_left("a", 50.0) == ""  # nobody can know
    pace.take(evaluating("a", "FID 2/3", 0.25), 60.0)
    assert pace.time_left("a", 60.0) == "2:00 left"
    pace.take(Event("a", "finished", 100, 100, state="done"), 180.0)  # 160 s of evaluation
    pace.take(training("b", 0), 200.0)
    pace.take(training("b", 50), 210.0)
    assert pace.time_left("b", 210.0) == "2:50 left"
    pace.take(evaluating("b", "FID 1/3", 0.0), 220.0)
    assert pace.time_left("b", 280.0) == "1:40 left"
    assert pace.time_left("b", 500.0) == "0:00 left"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_line_now_and_then_names_the_step(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT", 0.02)
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, color_system=None)
    with display(console, "suite", 2) as show:
        show.show(Event("a--ring", "started", 0, 100))
        show.show(training("a--ring", 50))
        show.show(evaluating("a--ring", "features 2/3", 0.5))
        progress.time.sleep(0.5)
        show.show(Event("a--ring", "finished", 100, 100, state="done", seconds=3))
    text = stream.getvalue()
    assert "features 2/3" in text
    assert "50 %" in text or "50% of it done" in text
    assert "left" in text
    if not terminal:
        assert "\x1b" not in text
        assert text.count("features 2/3") > 1  # no event came between them
        assert text.splitlines()[-1] == "[1/2] a--ring done in 3.0 s"


@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupted_run_is_not_counted_as_done(terminal: bool) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, color_system=None)
    with display(console, "suite", 2) as show:
        show.show(Event("a--ring", "started", 0, 100))
        show.show(Event("a--ring", "finished", 50, 100, state="interrupted", seconds=3))
        show.show(Event("b--ring", "finished", 100, 100, state="done", seconds=3))
    assert "[0/2] a--ring interrupted" in stream.getvalue()
    assert "[1/2] b--ring done" in stream.getvalue()


def test_an_evaluation_names_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classifier that is trained among them, and what is done grows from 0 to 1."""
    monkeypatch.setattr(classifier, "SHIPPED", tmp_path)
    monkeypatch.setattr(classifier, "UPDATES", 1)
    monkeypatch.setattr(classifier, "EPOCHS", 0)
    data = Digits().load(tmp_path)
    evidence = Evidence(
        data=data, scaling=scaling_for(data, "unit", False), model=None,
        noise=Noise(0, torch.device("cpu")), cache=tmp_path, settings=SampleSettings(50, 2),
    )
    said: list[tuple[str, float]] = []
    with reporting_steps(lambda step, fraction: said.append((step, fraction))):
        measure([MetricSpec(name="fid"), MetricSpec(name="clipped")], evidence)
    names = [name for name, _ in said]
    assert {"FID 1/2", "FID 2/2", "classifier", "features 1/2", "features 2/2"} <= set(names)
    assert names.index("classifier") < names.index("features 1/2")
    shares = [fraction for _, fraction in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 0.5)


def test_portions_share_a_whole() -> None:
    said: list[tuple[str, float]] = []
    with reporting_steps(lambda name, fraction: said.append((name, fraction))):
        for index in range(2):
            with portion(index, 2):
                set_fraction(1, 2)
                with step(str(index)):
                    pass
    assert [each for each in said if each[0]] == [("0", 0.25), ("1", 0.75)]


def test_eval_and_fetch_name_their_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line now and then in a pipe; over two data sets what is done does not go back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "FIRST_LINE_AFTER", 0.005)
    monkeypatch.setattr(progress, "HEARTBEAT", 0.005)
    context = Context(tmp_path, tmp_path, tmp_path / "cache", "cpu", offline=True)
    rows = torch.randint(0, 17, (1000, 1, 8, 8)) * 15
    torch.save(rows.to(torch.uint8), tmp_path / "made.pt")
    text = """
datasets: {digits: {}, ring: {}}
methods: {gan: {}}
budget: {updates: 1}
evaluate: [fid]
protocol: {samples: 100}
"""
    stream = io.StringIO()
    console = Console(file=stream, width=120, color_system=None)
    with steps_shown(console, "eval made.pt"):
        evaluate("made.pt", "digits", ["fid"], context=context, count=100)
    assert "eval made.pt: data and samples, 0% of it done" in stream.getvalue()
    assert "\n[" not in stream.getvalue()
    context = replace(context, cache=tmp_path / "fresh")
    said: list[tuple[str, float]] = []
    with reporting_steps(lambda name, fraction: said.append((name, fraction))):
        list(fetch(plan_of(text, "small", tmp_path).runs, context))
    names = [name for name, _ in said]
    assert {"dataset digits", "features of the test split", "FID 1/3", "dataset ring"} <= {*names}
    assert [fraction for _, fraction in said] == sorted(fraction for _, fraction in said)
    assert dict(said)["dataset ring"] == 0.5
