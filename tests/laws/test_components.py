"""What every component says of itself, read from source."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from genbench import lookup
from genbench.configured import Configured, Options

CELLS = [(kind, name) for kind in lookup.KINDS for name in lookup.available(kind)]
pytestmark = pytest.mark.parametrize(("kind", "name"), CELLS)


def test_every_option_has_a_docstring(kind: str, name: str) -> None:
    for option in lookup.describe(kind, name).options:
        assert option.doc, f"{option.name} has no docstring below it"
        assert option.doc.rstrip().endswith((".", ")")), f"{option.name}: {option.doc}"


def test_its_options_are_types_that_can_be_checked(kind: str, name: str) -> None:
    model = lookup.options_model(lookup.describe(kind, name))
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    if not required:
        assert set(model().model_dump()) == set(model.model_fields)


def test_it_has_a_summary_and_its_file_a_page(kind: str, name: str) -> None:
    component = lookup.describe(kind, name)
    assert component.summary.endswith(".")
    assert component.module_doc.strip()
    assert Path(component.path).stem == name


def test_it_imports_as_the_class_that_the_source_shows(kind: str, name: str) -> None:
    component = lookup.describe(kind, name)
    cls = lookup.load(component)
    assert cls.__name__ == component.class_name
    assert not getattr(cls, "__abstractmethods__", None)
    assert lookup.KINDS[kind][1] in [base.__name__ for base in cls.__mro__]
    groups = [base for base in cls.__bases__ if not issubclass(base, Configured)]
    assert len(cls.__bases__) == len(groups) + 1, "the source is read along one line of descent"
    assert all(issubclass(base, Options) for base in groups)


def test_what_it_inherits_from_is_abstract_and_near(kind: str, name: str) -> None:
    """Abstract or final: behaviour is shared by parts, options by groups of options."""
    cls = lookup.load(lookup.describe(kind, name))
    assert generations(cls) <= 4
    for base in cls.__mro__[1:]:
        if base.__module__.startswith("genbench.") and not inspect.isabstract(base):
            assert base in (Configured, Options) or not issubclass(base, Configured), base
            assert not issubclass(base, Options) or not behaviour(base), base


def generations(cls: type) -> int:
    """The longest line of descent within the package."""
    own = [base for base in cls.__bases__ if base.__module__.startswith("genbench.")]
    return 1 + max(map(generations, own), default=0)


def behaviour(group: type) -> list[str]:
    """The methods of a group of options: it has fields, and what follows from them."""
    return [name for name, value in vars(group).items() if inspect.isfunction(value)]
