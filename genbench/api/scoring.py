"""`genbench.evaluate`: samples, or a model, made elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from rich.console import Console

from genbench.arguments import (
    COUNT,
    FLAG,
    NAMES,
    PATH,
    PROGRESS,
    TEXT,
    Kind,
    checked,
    optional,
    whole,
)
from genbench.errors import DataError, GenbenchError
from genbench.places import at_home, cache_folder, data_root, weights_file
from genbench.steps import LOADING, step

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.running.evaluate import Evaluation


def _is_dataset(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return isinstance(value, str)
    return len(value) == 1 and all(
        isinstance(name, str) and isinstance(options, Mapping | None)
        for name, options in value.items()
    )


def _is_range(value: Any) -> bool:
    pair = isinstance(value, Sequence) and len(value) == 2
    return pair and all(isinstance(end, int | float) for end in value)


@checked(
    dataset=Kind("a name, or {name: {option: value}}", _is_dataset), metrics=NAMES,
    value_range=Kind("two numbers, those of black and white", _is_range),
    count=optional(whole(2)), sets=COUNT, data=optional(PATH), device=TEXT,
    weights=optional(PATH), offline=FLAG, progress=PROGRESS,
)
def evaluate(
    samples: str | Path | np.ndarray | Tensor, dataset: str | Mapping[str, Any],
    metrics: str | Sequence[str] = (), *, value_range: tuple[float, float] = (0.0, 1.0),
    count: int | None = None, sets: int = 3, data: str | Path | None = None,
    device: str = "auto", weights: str | Path | None = None, offline: bool = False,
    progress: bool | Console = False,
) -> Evaluation:
    """Score samples, or a model, made elsewhere, under the protocol of a suite's rows.

    Args:
        samples: an array of points (n, D) or of images; a folder or zip of images; an array in a
            .npy, .npz or .pt file; or a trained model, `my_file.py:Model`.
        dataset: what they are samples of: a name, or a name with options, {"ring": {"modes": 8}}.
        metrics: names; by default all usual ones that apply.
        value_range: black and white, where images are floats.
        count: samples of each set; by default as many as the reference has, at most 10,000.
        sets: independent sets, as far as there are samples.

    Raises:
        GenbenchError: in one line, what is wrong with the samples, the data or a metric's name.
    """
    from genbench.running.executors.base import Context
    from genbench.running.progress import steps_shown

    with step(LOADING):
        from genbench.running.evaluate import evaluate as scored

    context = Context(
        Path(), data_root(data), cache_folder(), device,
        weights=weights_file(weights), offline=offline,
    )
    console = progress if isinstance(progress, Console) else Console(
        stderr=True, highlight=False, emoji=False, quiet=not progress
    )
    named = [metrics] if isinstance(metrics, str) else metrics
    what = dataset if isinstance(dataset, str) else yaml.safe_dump(
        {name: dict(options or {}) for name, options in dataset.items()},
        default_flow_style=True, width=float("inf"),
    ).strip()
    with tempfile.TemporaryDirectory() as folder:
        given, title = str(samples), Path(str(samples)).name
        if not isinstance(samples, str | Path):
            given, title = _written(samples, Path(folder)), "the array"
        try:
            with steps_shown(console, f"eval {title}"):
                return scored(
                    at_home(given), what, named, context=context, value_range=value_range,
                    count=count, sets=sets,
                )
        except GenbenchError as error:
            raise type(error)(str(error).replace(given, title)) from None


def _written(samples: Any, folder: Path) -> str:
    """An array as a file, which is read as any other."""
    try:
        array = (samples.detach().cpu().numpy() if hasattr(samples, "detach")
                 else np.asarray(samples))
    except ValueError:  # rows of several lengths
        array = np.array(None)
    if array.dtype == object:
        raise DataError("samples: an array of numbers is expected, of one shape for all samples")
    np.save(folder / "array.npy", array)
    return str(folder / "array.npy")
