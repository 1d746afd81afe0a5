"""Rows as text for programs: CSV and JSON, and a plain table of Markdown."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

Rows = Sequence[tuple[Any, ...]]
"""Lines of a table, with a value or None for each column."""


def csv_text(columns: Sequence[str], rows: Rows) -> str:
    """With a line for the columns; empty for none, a float by repr, which reads back the same."""
    found = [_fields(column) for column in zip(*rows, strict=True)]
    lines = [map(_quoted, columns), *zip(*found, strict=True)]
    return "".join(f"{','.join(line)}\n" for line in lines)


def json_text(columns: Sequence[str], rows: Rows) -> str:
    """A list of objects."""
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def markdown_text(columns: Sequence[str], rows: Rows) -> str:
    """A pipe table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _fields(values: tuple[Any, ...]) -> Sequence[str]:
    """A column's cells as a CSV file has them; what comes again and again is quoted once."""
    if any(type(value) is float for value in values):
        return [_text(value) for value in values]
    quoted = {value: _quoted(_text(value)) for value in set(values)}
    as_they_are = all(value == quoted[value] for value in quoted)
    return values if as_they_are else [quoted[value] for value in values]


def _text(value: object) -> str:
    if value is None:
        return ""
    return repr(value) if type(value) is float else str(value)


def _quoted(text: str) -> str:
    buffer = io.StringIO()
    # not alone: an empty field would be quoted; with its line end: what holds one is quoted
    csv.writer(buffer, lineterminator="\n").writerow((text, 0))
    return buffer.getvalue().removesuffix(",0\n")


def _cell(value: object) -> str:
    return " ".join(_text(value).replace("|", "\\|").split())
