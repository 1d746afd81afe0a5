"""Word from runs on other machines, through the folder that all of them share.

    results/<suite>/runs/.mailboxes/<session>/<run id>.json   the latest event of a run
                                          stop            there when everything is to stop

A mailbox belongs to one `genbench run`; it is gone when that ends.
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

TELL_EVERY = 0.5
"""Seconds between two messages about a run's progress, and between two looks for `stop`."""


class Mailbox:
    """Where the runs of one session leave word."""

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

    def tell(self, event: Event) -> None:
        """Leave word of a run; the word before is gone. What cannot be written is not told."""
        temporary = self.folder / f".{event.run}.{os.getpid()}"
        with suppress(OSError):
            temporary.write_text(json.dumps(asdict(event)))
            os.replace(temporary, self.folder / f"{event.run}.json")

    def news(self) -> list[Event]:
        """The events told since the last call, at most one a run."""
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

    def forget(self, run: str) -> None:
        """Take away a finished run's word."""
        with suppress(OSError):
            (self.folder / f"{run}.json").unlink(missing_ok=True)

    def ask_to_stop(self) -> None:
        """Ask every run to save and stop."""
        with suppress(OSError):
            (self.folder / "stop").touch()

    def stopping(self) -> bool:
        """Whether everything is to stop: asked for, or nobody is there any more to be told."""
        return (self.folder / "stop").exists() or not self.folder.exists()

    def close(self) -> None:
        """Take everything away."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()


class MailboxMessenger:
    """The hooks of a run, told through a mailbox.

    `ending` is set, from a signal handler, where the run's own time is up.
    """

    def __init__(self, mailbox: Mailbox, job: Job) -> None:
        self.mailbox, self.run, self.updates = mailbox, job.spec.id, job.spec.updates
        self.ending = False
        self._told = self._looked = 0.0
        self._stop = False
        mailbox.tell(Event(self.run, "started", 0, self.updates))

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Updates done, and the latest losses."""
        now = time.monotonic()
        if now - self._told > TELL_EVERY:
            self._told = now
            self.mailbox.tell(Event(self.run, "progress", update, self.updates, dict(losses)))

    def evaluating(self, step: str = "", share: float = 0.0) -> None:
        """Training is over; a step of the evaluation begins."""
        self.mailbox.tell(
            Event(self.run, "evaluating", self.updates, self.updates, step=step, share=share)
        )

    def stopping(self) -> bool:
        """Whether to save and stop."""
        now = time.monotonic()
        if now - self._looked > TELL_EVERY:
            self._looked, self._stop = now, self.mailbox.stopping()
        return self._stop or self.ending
