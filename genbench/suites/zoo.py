"""The zoo: every named method, a YAML file each."""

from functools import cache
from pathlib import Path

from genbench.errors import UnknownName
from genbench.lookup import ROOT, suggest
from genbench.suites.yaml_source import Source, read

FOLDER = ROOT / "zoo"


@cache
def method_names() -> tuple[str, ...]:
    """The sorted names of the zoo's methods."""
    return tuple(path.stem for path in sorted(FOLDER.glob("*.yaml")))


def zoo_path(name: str) -> Path:
    """The file of a method.

    Raises:
        UnknownName: the zoo has none of that name.
    """
    if name not in method_names():
        raise UnknownName(f"no method '{name}'{suggest(name, method_names())}")
    return FOLDER / f"{name}.yaml"


@cache
def zoo_source(name: str) -> Source:
    """A method's file as data.

    Raises:
        UnknownName: the zoo has none of that name.
        SuiteError: the file is not what a method's file must be.
    """
    return read(zoo_path(name))
