"""What is said of runs under way: the step, the part that is done, the time that is left."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from genbench.data.digits import Digits
from genbench.data.scaling import scaling_for
from genbench.evaluation._steps import told
from genbench.evaluation.evidence import Evidence, Settings
from genbench.evaluation.extractors import classifier
from genbench.evaluation.measure import measure
from genbench.noise import Noise
from genbench.running import progress
from genbench.running.executor import Event
from genbench.running.progress import Pace, display
from genbench.suites.spec import MetricSpec


def training(run: str, update: int) -> Event:
    return Event(run, "progress", update, 100, {"model.nll": 1.5})


def evaluating(run: str, step: str, share: float) -> Event:
    return Event(run, "evaluating", 100, 100, step=step, share=share)


def test_the_time_that_is_left_counts_the_evaluation() -> None:
    pace = Pace()
    pace.take(training("a", 0), 0.0)
    pace.take(training("a", 50), 10.0)  # 5 updates a second
    assert pace.left("a", 10.0) == "0:10 left + evaluation"
    pace.take(evaluating("a", "classifier", 0.0), 20.0)
    assert pace.left("a", 50.0) == ""  # nobody can know
    pace.take(evaluating("a", "FID 2/3", 0.25), 60.0)
    assert pace.left("a", 60.0) == "2:00 left"
    pace.take(Event("a", "finished", 100, 100, state="done"), 180.0)  # 160 s of evaluation
    pace.take(training("b", 0), 200.0)
    pace.take(training("b", 50), 210.0)
    assert pace.left("b", 210.0) == "2:50 left"
    pace.take(evaluating("b", "FID 1/3", 0.0), 220.0)
    assert pace.left("b", 280.0) == "1:40 left"
    assert pace.left("b", 500.0) == "0:00 left"


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
        noise=Noise(0, torch.device("cpu")), cache=tmp_path, settings=Settings(50, 2),
    )
    said: list[tuple[str, float]] = []
    with told(lambda step, share: said.append((step, share))):
        measure([MetricSpec(name="fid"), MetricSpec(name="clipped")], evidence)
    names = [name for name, _ in said]
    assert {"FID 1/2", "FID 2/2", "classifier", "features 1/2", "features 2/2"} <= set(names)
    assert names.index("classifier") < names.index("features 1/2")
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 0.5)
