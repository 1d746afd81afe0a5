"""Stored numbers as pandas' DataFrames, for notebooks."""

from collections.abc import Sequence

import pandas as pd

from genbench.store.measurement import Measurement
from genbench.store.table import MetricRow

DTYPES: dict[str, str] = {
    "suite": "object", "method": "object", "dataset": "object", "seed": "int64",
    "metric": "object", "protocol": "object", "value": "float64", "better": "object",
    "unit": "object", "status": "object", "reason": "object", "run": "object",
    "sampling_std": "float64", "title": "object", "updates": "Int64", "examples": "Int64",
    "seconds": "float64", "device": "object", "limited": "bool", "target": "object",
    "tolerance": "float64",
}
"""Column → its dtype, in order."""


def frame_of(rows: Sequence[MetricRow]) -> pd.DataFrame:
    """The tidy table, a line for each row."""
    columns = list(zip(*rows, strict=True)) or [()] * len(DTYPES)
    return pd.DataFrame({
        name: pd.Series(column, dtype=DTYPES[name])
        for name, column in zip(MetricRow._fields, columns, strict=True)
    })


def by_metric(measurements: Sequence[Measurement]) -> pd.DataFrame:
    """What was measured of one model, by metric."""
    columns = ["metric", "value", "sampling_std", "unit", "better", "protocol", "status", "reason"]
    rows = [[getattr(one, name) for name in columns] for one in measurements]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"value": float, "sampling_std": float}).set_index("metric")
