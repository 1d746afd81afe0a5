"""Events of runs on other machines, as files in the shared results folder.

    results/<suite>/runs/.mailboxes/<session>/<run id>.json   the latest event of a run
                                          stop            exists once a stop is requested

A mailbox belongs to one `genbench run` and is deleted at its end.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from genbench.errors import StoreError
from genbench.running.executors.base import Event, Job

PROGRESS_INTERVAL = 0.5
"""Seconds between progress events of a run, and between polls for `stop`."""


class Mailbox:
    """The folder of event files of one session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, int] = {}

    @classmethod
    def open(cls, runs_folder: Path) -> Mailbox:
        """A new mailbox.

        Raises:
            StoreError: the folder cannot be written.
        """
        parent = runs_folder / ".mailboxes"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            return cls(Path(tempfile.mkdtemp(prefix=f"{int(time.time())}-", dir=parent)))
        except OSError as error:
            raise StoreError(f"cannot make a folder in {parent}: {error.strerror}") from None

    def send(self, event: Event) -> None:
        """Replace the run's event file; an event that cannot be written is dropped."""
        temporary = self.folder / f".{event.run}.{os.getpid()}"
        with suppress(OSError):
            temporary.write_text(json.dumps(asdict(event)))
            os.replace(temporary, self.folder / f"{event.run}.json")

    def receive(self) -> list[Event]:
        """The events sent since the last call, at most one per run."""
        found = []
        for entry in self._entries():
            with suppress(OSError, ValueError, TypeError):
                stamp = entry.stat().st_mtime_ns
                if self._seen.get(entry.name) != stamp:
                    event = Event(**json.loads(Path(entry.path).read_text()))
                    self._seen[entry.name] = stamp
                    found.append(event)
        return found

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                return [entry for entry in entries if entry.name.endswith(".json")]
        except OSError:
            return []

    def remove(self, run: str) -> None:
        """Delete the event file of a finished run."""
        with suppress(OSError):
            (self.folder / f"{run}.json").unlink(missing_ok=True)

    def request_stop(self) -> None:
        """Request that all runs save and stop."""
        with suppress(OSError):
            (self.folder / "stop").touch()

    def stopping(self) -> bool:
        """Whether a stop is requested, or the session has ended and deleted the mailbox."""
        return (self.folder / "stop").exists() or not self.folder.exists()

    def close(self) -> None:
        """Delete the mailbox."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()


class MailboxMessenger:
    """Sends a run's progress to a mailbox.

    A signal handler sets `preempted` when the job's own time limit is near.
    """

    def __init__(self, mailbox: Mailbox, job: Job) -> None:
        self.mailbox, self.run, self.updates = mailbox, job.spec.id, job.spec.updates
        self.preempted = False
        self._last_sent = self._last_poll = 0.0
        self._stop = False
        mailbox.send(Event(self.run, "started", 0, self.updates))

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Updates done, and the latest losses."""
        now = time.monotonic()
        if now - self._last_sent > PROGRESS_INTERVAL:
            self._last_sent = now
            self.mailbox.send(Event(self.run, "progress", update, self.updates, dict(losses)))

    def evaluating(self, step: str = "", fraction: float = 0.0) -> None:
        """Training is over; a step of the evaluation begins."""
        self.mailbox.send(
            Event(self.run, "evaluating", self.updates, self.updates, step=step, fraction=fraction)
        )

    def stopping(self) -> bool:
        """Whether to save and stop."""
        now = time.monotonic()
        if now - self._last_poll > PROGRESS_INTERVAL:
            self._last_poll, self._stop = now, self.mailbox.stopping()
        return self._stop or self.preempted
