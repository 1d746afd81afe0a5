"""What every component says of itself, read from source."""

from __future__ import annotations

from pathlib import Path

import pytest

from genbench import lookup

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
    assert len(cls.__bases__) == 1, "the source is read along one line of descent"
