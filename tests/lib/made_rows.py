"""Made-up rows of a tidy table, for tests of what is judged and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from genbench.store.table import MetricRow

__all__ = ["rows", "rows_in", "table"]


def rows(
    method: str, values: Sequence[float | str], *, dataset: str = "ring", metric: str = "nll",
    better: str = "lower", protocol: str = "v1", seeds: Sequence[int] | None = None, **more: Any,
) -> list[MetricRow]:
    """A row for each seed; a text in the place of a value is a status."""
    made = []
    for seed, value in zip(seeds or range(len(values)), values, strict=True):
        ended = not isinstance(value, str)
        row = MetricRow(
            "ci", method, dataset, seed, metric, protocol if ended else "",
            float(value) if ended else None, better, "nats", "ok" if ended else str(value), "",
            f"{method}-{seed}", sampling_std=0.0,
        )
        made.append(row._replace(**more))
    return made


def table(*parts: Sequence[MetricRow]) -> list[MetricRow]:
    """The rows of all parts."""
    return [row for part in parts for row in part]


def rows_in(frame: pd.DataFrame) -> list[MetricRow]:
    """The rows of a tidy table, as `frame_of` gives it."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [MetricRow(**{str(k): v for k, v in one.items()}) for one in plain.to_dict("records")]
