"""One process at a time for what rewrites a store as a whole: migrate, accept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from genbench.steps import step
from genbench.store.runs import Store


@contextmanager
def alone(store: Store, command: str) -> Iterator[None]:
    """Wait for another process with that command on a store, and have others wait for this one.

    A file system without locks lets both go on.
    """
    lock = FileLock(store.runs_folder / ".locks" / f"{command}.lock")
    try:
        Path(lock.lock_file).parent.mkdir(exist_ok=True)
        with step(f"waiting for another `genbench {command}` of {store.root}"):
            lock.acquire()
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        lock.release()
