"""A metric that raises: the run is done, and the session says so and ends with exit code 3."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
from rich.console import Console

from genbench.errors import GenbenchError
from genbench.judging.cells import cells_of
from genbench.reporting.summary import summaries
from genbench.running.executors.base import Event, Executor, Job
from genbench.running.executors.cluster import ClusterExecutor, ExitStatus
from genbench.running.executors.mailbox import Mailbox
from genbench.running.session import Request, plan_status, run_suite
from genbench.store.runs import Store
from genbench.store.table import tidy
from genbench.suites.plan import Plan


class Given(Executor):
    """Writes the runs of the fake store, with a metric of the seed 0 of `nice` that raised."""

    def __init__(self, fake: ModuleType, store: Store, status: str) -> None:
        self.fake, self.store, self.status = fake, store, status

    def where(self, device: str) -> str:
        return "here"

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        return jobs

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        for job in jobs:
            self.fake.write_run(job.spec, self.store)
            if (job.spec.method, job.spec.seed) == ("nice", 0):
                with self.store.claim(job.spec.id) as held:
                    stored = held.folder.metrics()
                    first, *others = stored["measurements"]
                    raised = {"value": None, "status": self.status, "reason": "OSError: no luck"}
                    held.write_metrics(job.spec, [replaced(first, **raised), *others], {})
                    held.seal()
            yield Event(job.spec.id, "finished", state="done")

    def stop(self) -> None: ...
    def close(self) -> None: ...


def replaced(one, **changes):
    return type(one)(**{**vars(one), **changes})


@pytest.mark.parametrize(("status", "code"), [("failed", 3), ("skipped", 0)])
def test_it_is_said_and_measured_again(
    fake: ModuleType, tmp_path: Path, status: str, code: int
) -> None:
    plan: Plan = fake.make_plan(tmp_path, methods=("nice",), datasets=("ring",), seeds=2)
    store, screen = Store(tmp_path / "results"), io.StringIO()
    console = Console(file=screen, width=200)
    request = Request(Given(fake, store, status), "cpu", tmp_path, tmp_path)
    outcome = run_suite(plan, store, request, console)
    assert outcome.exit_code == code
    assert len(outcome.states["done"]) == 3
    [run] = [spec.id for spec in plan.runs if spec.method == "nice" and spec.seed == 0]
    again = plan_status(plan, store).to_do
    [summary] = summaries(cells_of(tidy(plan, store)))
    remark = "* nice, nll: 1 of 2 runs failed (OSError: no luck)"
    if status == "skipped":
        assert outcome.unmeasured == again == []
        assert "failed" not in screen.getvalue()
    else:
        assert outcome.unmeasured == [run] == [spec.id for spec in again]
        assert f"{run} done: nll failed: OSError: no luck\n" in screen.getvalue()
        assert "metrics of 1 run failed; the same command measures" in screen.getvalue()
        assert remark in summary.remarks()


class _Polls(ClusterExecutor):
    """Gives what its `poll` says, or raises it."""

    found: ClassVar[object] = None

    def where(self, device: str) -> str:
        return "here"

    def submit(self, jobs: Sequence[Job], mailbox: Mailbox) -> None: ...

    def poll(self, seconds: float) -> list[tuple[str, ExitStatus]]:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def cancel(self, run: str) -> None: ...
    def close(self) -> None: ...


@pytest.mark.parametrize(("found", "says"), [
    (ConnectionError("the network"), "executor _Polls: ConnectionError: the network"),
    (None, r"_Polls.poll gives a list of (run id, ExitStatus); got None"),
    ([("gan--ring--s0", "done")], "got ('gan--ring--s0', 'done')"),
])
def test_an_executor_of_ones_own_that_breaks_is_one_line(
    fake: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: object, says: str
) -> None:
    plan: Plan = fake.make_plan(tmp_path, methods=("nice",), datasets=("ring",), seeds=2)
    monkeypatch.setattr(_Polls, "found", found)
    request = Request(_Polls(), "cpu", tmp_path, tmp_path)
    with pytest.raises(GenbenchError, match=re.escape(says)):
        run_suite(plan, Store(tmp_path / "results"), request, Console(file=io.StringIO()))
