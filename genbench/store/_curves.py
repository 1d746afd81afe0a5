"""Training curves as CSV, and packed: a third of what the CSV takes when it is deflated.

Packed are the columns, each as the steps from line to line, and the values as the bytes of
floats, of single precision where that says them all: first all first bytes, then all second ones.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

CURVE_FIELDS = ("update", "stage", "player", "term", "value")


def csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of CURVE_FIELDS; floats are written so that they read back the same."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CURVE_FIELDS)
    writer.writerows([*keys, repr(float(value))] for *keys, value in rows)
    return buffer.getvalue().encode()


def packed(text: bytes) -> bytes | None:
    """The CSV, packed; None for one that would not come out as it was."""
    try:
        _, *rows = csv.reader(io.StringIO(text.decode()))
        update, stage, player, term, value = zip(*rows, strict=True)
        names = list(dict.fromkeys(zip(player, term)))
        place = {name: number for number, name in enumerate(names)}
        columns = [update, stage, [place[name] for name in zip(player, term)]]
        steps = np.diff(np.array(columns, dtype=np.int64), prepend=0).astype("<i4")
        values = np.array(value, dtype="<f8")
        with np.errstate(over="ignore"):
            single = values.astype("<f4")
        if np.array_equal(single, values, equal_nan=True):
            values = single
        octets = values.view(np.uint8).reshape(len(values), -1).T
        said = np.frombuffer(json.dumps(names).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, steps=steps, octets=np.ascontiguousarray(octets), names=said)
        found = buffer.getvalue()
        return found if unpacked(found) == text else None
    except ValueError:  # no rows, or no such table
        return None


def unpacked(content: bytes) -> bytes:
    """The CSV of packed curves.

    Raises:
        ValueError, KeyError, OSError: they are damaged.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        update, stage, places = found["steps"].cumsum(1, dtype=np.int64).tolist()
        octets = np.ascontiguousarray(found["octets"].T)
        names = json.loads(found["names"].tobytes())
    values = octets.view(f"<f{octets.shape[1]}")[:, 0].tolist()
    return csv_bytes(
        (at, part, *names[place], value)
        for at, part, place, value in zip(update, stage, places, values, strict=True)
    )
