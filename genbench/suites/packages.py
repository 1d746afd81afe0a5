"""What the files of a user's own import, and whether it is installed here; nothing is imported."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from genbench.errors import PluginError
from genbench.lookup import describe
from genbench.suites.plan import Plan
from genbench.suites.spec import RunSpec


def check_packages(plan: Plan) -> None:
    """Refuse a suite whose own files import what is not installed, as every run would fail.

    What stands in `try` is taken to be optional.

    Raises:
        PluginError: the first such import, with its file and line.
    """
    named = dict.fromkeys(pair for run in plan.runs for pair in _own_parts(run))
    for kind, name in named:
        path = describe(kind, name, plan.path.resolve().parent).path
        for line, package in _imports(path):
            if not _installed(package):
                raise PluginError(f"{path}:{line}: {kind} '{name}' imports '{package}', which is "
                                  "not installed here")


def _own_parts(run: RunSpec) -> Iterator[tuple[str, str]]:
    parts = [("model", run.model.name), ("dataset", run.data.name)]
    parts += [("objective", term.objective.name) for stage in run.stages for term in stage.terms]
    parts += [("metric", metric.name) for metric in run.evaluate]
    return (part for part in parts if ":" in part[1])


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and package of every import at the top of a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Import(names):
                yield from ((node.lineno, alias.name.partition(".")[0]) for alias in names)
            case ast.ImportFrom(str(module), _, 0):
                yield node.lineno, module.partition(".")[0]


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # it is imported already, by somebody who forgot to say from where
        return True
