"""The numbers that a sweep runs over: in the name of a grid's row, or at the end of a metric's."""

import re

_GRID = re.compile(r"(?P<base>[^\[]+)\[(?P<option>[^=\[\]]+)=(?P<value>[^=\[\]]+)\]")
_METRIC = re.compile(r"(?P<base>.+)_(?P<value>[0-9.]+(e[-+]?[0-9]+)?)")


def grid_value(row: str) -> tuple[str, str, float] | None:
    """`line[offset=0.5]` as ("line", "offset", 0.5); None for a row of no numeric grid."""
    match = _GRID.fullmatch(row)
    value = None if match is None else _number(match["value"])
    return None if match is None or value is None else (match["base"], match["option"], value)


def metric_value(metric: str) -> tuple[str, float] | None:
    """`sinkhorn_0.1` as ("sinkhorn", 0.1); None for a name that ends in no number."""
    match = _METRIC.fullmatch(metric)
    value = None if match is None else _number(match["value"])
    return None if match is None or value is None else (match["base"], value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
