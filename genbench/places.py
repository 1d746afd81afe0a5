"""Where files lie: data, weights, and what genbench can make, or fetch, again."""

import os
from pathlib import Path
from typing import TypeVar

from genbench.errors import DataError, GenbenchError

INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
"""The file of Inception's weights, as torch-fidelity publishes it."""

P = TypeVar("P", bound=str | Path | None)


def at_home(path: P) -> P:
    """A path, with the home folder in the place of `~`: no shell does that in `--option=~/x`.

    Raises:
        GenbenchError: there is no home folder, or none of the user who is named.
    """
    if path is None or not str(path).startswith("~"):
        return path
    try:
        return type(path)(Path(path).expanduser())
    except RuntimeError:
        raise GenbenchError(f"{path}: there is no such home folder") from None


def cache_folder() -> Path:
    """Extractors, reference statistics and decoded images: `GENBENCH_CACHE`, or the home folder's
    `.cache/genbench`.

    Raises:
        GenbenchError: there is no home folder, as for a container's user without a name.
    """
    given = os.environ.get("GENBENCH_CACHE")
    try:
        return Path(given).expanduser() if given else Path.home() / ".cache" / "genbench"
    except RuntimeError:
        raise GenbenchError(
            "there is no home folder for the cache; name another folder in GENBENCH_CACHE"
        ) from None


def downloads_folder() -> Path:
    """The root of data files where none is named."""
    return cache_folder() / "data"


def data_root(given: str | Path | None, *, make: bool = False) -> Path:
    """The data root: --data, GENBENCH_DATA, or a folder in the cache that downloads go to.

    One that GENBENCH_DATA names may be missing: not every suite reads files.

    Raises:
        DataError: --data names a folder that is not there, or, with `make`, cannot be made.
    """
    chosen = given or (os.environ.get("GENBENCH_DATA") or None)
    if chosen is None:
        return downloads_folder()
    folder = at_home(Path(chosen))
    source = "--data" if given else "GENBENCH_DATA"
    if make:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{source} {folder}: cannot make it: {error.strerror}") from None
    if given and not folder.is_dir():
        raise DataError(f"{source} {folder}: there is no such folder")
    return folder


def inception_file() -> Path:
    """Where torch-fidelity keeps Inception's weights, whether or not they are there.

    In the checkpoints of `torch.hub`, which is not imported for that.
    """
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    torch_home = os.environ.get("TORCH_HOME", os.path.join(caches, "torch"))
    return Path(os.path.expanduser(torch_home)) / "hub" / "checkpoints" / INCEPTION


def weights_file(given: str | Path | None) -> Path | None:
    """The file of Inception weights, where one was given."""
    if given is None:
        return None
    path = at_home(Path(given))
    if not path.is_file():
        raise DataError(f"--weights {path}: there is no such file")
    return path
