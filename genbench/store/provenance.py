"""Where a number came from: versions, commit, machine. Nothing is imported to learn a version."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "torch", "torchvision", "torch-fidelity", "numpy", "scipy", "scikit-learn", "pandas",
    "pydantic", "safetensors",
)
"""The packages that can change a number."""
TELLING = ("genbench", *PACKAGES, "device", "CPU", "threads", "data")
"""What can change a number, and so should not differ among the seeds of a row."""

Facts = dict[str, tuple[str, ...]]
"""By name: one value, or those of all who worked on a run, the first first."""


def provenance(device: str, threads: int) -> dict[str, Any]:
    """What to store beside a run: all of it plain JSON, without absolute paths.

    `device` is the device's name as reports show it; `threads` are torch's CPU threads.
    """
    return {
        "command": _command(),
        **machine(),
        "device": device,
        "git": _git(),
        "threads": threads,
        "versions": _versions(),
    }


def machine() -> dict[str, str]:
    """The machine that this is."""
    return {"cpu": _cpu(), "platform": platform.platform()}


def append_provenance(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance `now` of a run that is resumed, or measured anew, after `before`.

    What stood there stays under "earlier", oldest first and each once.
    """
    earlier = [one for one in provenance_history(before) if one != now]
    return {**now, "earlier": earlier} if earlier else dict(now)


def provenance_history(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each provenance that a stored one holds, oldest first; none of an empty one."""
    latest = {name: value for name, value in provenance.items() if name != "earlier"}
    return [*map(dict, provenance.get("earlier") or []), *([latest] if latest else [])]


def facts(provenances: Iterable[Mapping[str, Any]]) -> Facts:
    """What a reader wants to know of a run's provenances, as text; the unknown is left out."""
    found: dict[str, dict[str, None]] = {}
    for one in provenances:
        for name, value in _texts(one).items():
            if value:
                found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def _texts(provenance: Mapping[str, Any]) -> dict[str, str]:
    versions = provenance.get("versions") or {}
    git = provenance.get("git") or {}
    commit = str(git.get("commit", ""))[:12]
    return {
        **{str(name): str(version) for name, version in sorted(versions.items())},
        "commit": f"{commit} (with changes)" if commit and git.get("dirty") else commit,
        "device": str(provenance.get("device") or ""),
        "CPU": str(provenance.get("cpu") or ""),
        "threads": str(provenance.get("threads") or ""),
        "data": str(provenance.get("data") or ""),
        "switches": "; ".join(map(str, provenance.get("switches") or ())),
        "platform": str(provenance.get("platform") or ""),
    }


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "genbench": package_version("genbench")}
    found |= {name: package_version(name) for name in PACKAGES}
    return {name: number for name, number in found.items() if number}


def package_version(package: str) -> str:
    """The version of an installed package; empty where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _command() -> str:
    """The command line; absolute paths are cut down to their last part."""
    return " ".join(_short(word) for word in sys.argv)


def _short(word: str) -> str:
    option, equals, value = word.partition("=")
    if equals and option.startswith("-"):
        return f"{option}={_short(value)}"
    return Path(word).name if os.path.isabs(word) else word


@cache
def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@cache
def _git() -> dict[str, Any] | None:
    """Commit and whether tracked files differ from it; None outside a checkout of genbench.

    A package installed inside another project's checkout (its virtual environment) has no commit
    of its own: the top level must be the folder that holds the package.
    """
    home = Path(__file__).resolve().parents[2]
    top = _run_git(home, "rev-parse", "--show-toplevel")
    commit = _run_git(home, "rev-parse", "HEAD")
    if not top or not commit or Path(top).resolve() != home:
        return None
    changes = _run_git(home, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": changes != ""}


def _run_git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, timeout=10, check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
