"""Tables that were written to files: metrics.csv and baseline.json."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from genbench.errors import GenbenchError
from genbench.judging.baseline import read_baseline
from genbench.judging.cells import COLUMNS

__all__ = ["load_numbers"]


def load_numbers(path: Path) -> pd.DataFrame:
    """The tidy table of a results folder, of a metrics.csv, or of a baseline.json.

    Raises:
        GenbenchError: there is nothing there, or it is not a table or baseline.
    """
    if path.is_dir():
        for name in ("metrics.csv", "baseline.json"):
            if (path / name).is_file():
                return load_numbers(path / name)
        raise GenbenchError(
            f"{path} holds neither metrics.csv nor baseline.json; 'genbench report SUITE' writes "
            f"the first"
        )
    if not path.exists():
        raise GenbenchError(
            f"there is no {path}; expected a results folder, a metrics.csv or a baseline.json"
        )
    return _from_baseline(path) if path.suffix == ".json" else _from_csv(path)


def _from_csv(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise GenbenchError(f"{path} is not a table of metrics: {line}") from None
    lacking = [column for column in COLUMNS if column not in frame.columns]
    if lacking:
        raise GenbenchError(
            f"{path} is not a table of metrics: it lacks the columns {', '.join(lacking)}"
        )
    for column in ("value", "sampling_std", "updates", "tolerance"):
        if column in frame.columns:
            frame[column] = _numbers(frame[column], path)
    seeds = _numbers(frame["seed"], path)
    if seeds.isna().any():
        raise GenbenchError(f"{path}:{int(seeds.isna().argmax()) + 2}: seed: expected a number")
    frame["seed"] = seeds.astype(int)
    return frame


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    numbers = pd.to_numeric(column.where(column != ""), errors="coerce")
    wrong = numbers.isna() & ~column.str.strip().str.lower().isin(["", "nan"])
    if wrong.any():
        place = int(wrong.argmax())
        raise GenbenchError(
            f"{path}:{place + 2}: {column.name}: expected a number, got '{column.iloc[place]}'"
        )
    return numbers


def _from_baseline(path: Path) -> pd.DataFrame:
    baseline = read_baseline(path)
    rows = []
    for cell in baseline.cells:
        shared = (cell.metric, cell.protocol)
        seeds = {seed: (value, "ok") for seed, value in cell.values.items()}
        absent = {seed: (math.nan, status) for seed, status in cell.absent.items()}
        for seed, (value, status) in sorted((seeds | absent).items()):
            rows.append((
                baseline.suite, cell.method, cell.dataset, seed, *shared, value, cell.better,
                cell.unit, status, "", "",
            ))
    return pd.DataFrame(rows, columns=list(COLUMNS))
