"""Parts of methods by their names, for scripts that train without a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genbench import lookup
from genbench.arguments import FLAG, PATH, TEXT, Kind, checked, optional
from genbench.places import data_root

if TYPE_CHECKING:
    from genbench.data.base import Data
    from genbench.data.space import Space
    from genbench.evaluation.base import Metric
    from genbench.models.base import Model
    from genbench.objectives.base import Objective


@checked(name=TEXT, root=optional(PATH), offline=FLAG)
def dataset(
    name: str, *, root: str | Path | None = None, offline: bool = False, **options: Any
) -> Data:
    """A dataset, loaded: `train`, `test`, and for a toy the exact `truth`.

    `root` is the folder of data files; by default GENBENCH_DATA. `name` may be `file.py:Class`.

    Raises:
        GenbenchError: no such dataset or option, or its files are not there.
    """
    made = _class("dataset", name)(**options)
    loaded: Data = made.load(data_root(root), offline=offline)
    return loaded


@checked(name=TEXT, space=Kind("a gb.Space", lambda value: hasattr(value, "kind")))
def model(name: str, space: Space, **options: Any) -> Model:
    """An untrained model of scaled data (`Scaling.space`). torch's generator initialises it.

    Raises:
        GenbenchError: no such model or option, or data that it is not for.
    """
    made: Model = _class("model", name)(space, **options)
    return made


@checked(name=TEXT, model=Kind("a gb.Model", lambda value: hasattr(value, "generate")))
def objective(name: str, model: Model, **options: Any) -> Objective:
    """A way to train a model.

    Raises:
        GenbenchError: no such objective or option, or a model that it cannot train.
    """
    made: Objective = _class("objective", name)(model, **options)
    return made


@checked(name=TEXT)
def metric(name: str, **options: Any) -> Metric:
    """A metric: `metric("fid").measure(evidence)`.

    Raises:
        GenbenchError: no such metric or option.
    """
    made: Metric = _class("metric", name)(**options)
    return made


def _class(kind: str, name: str) -> Any:
    return lookup.load(lookup.describe(kind, name))
