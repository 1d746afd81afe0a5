"""A stored run: its numbers, and its trained model."""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genbench.arguments import COUNT, FLAG, PATH, TEXT, checked, optional, whole
from genbench.errors import DataError, in_a_line
from genbench.places import at_home, cache_folder, data_root
from genbench.steps import LOADING, step
from genbench.store.find import find_run
from genbench.store.folder import RunFolder
from genbench.store.frame import by_metric
from genbench.store.records import Status
from genbench.suites.spec import RunSpec

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.evaluation.evidence import Evidence
    from genbench.models.base import Model
    from genbench.running.migrate import Migrated


class Run:
    """One run as it is stored. Files are read, and the model is made, when they are asked for.

    `data` is the folder of data files, which only models that were not trained here need.
    """

    def __init__(self, folder: RunFolder, *, data: Path, device: str = "cpu") -> None:
        self.folder = folder
        self._data, self._device = data, device

    @property
    def id(self) -> str:
        """The run's id, `method--dataset--sN--hash`."""
        return self.folder.id

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @cached_property
    def spec(self) -> RunSpec:
        """Everything that decides the run: model, objective, data, seed, budget, metrics."""
        return self.folder.spec()

    @property
    def status(self) -> Status:
        """Its state and why, updates and seconds."""
        return self.folder.effective_status()

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, commit, machine and command that made it."""
        return self.folder.provenance()

    @property
    def metrics(self) -> pd.DataFrame:
        """What was measured, by metric: value, sampling_std, unit, better, protocol, status, …"""
        return by_metric(self.folder.metrics()["measurements"])

    @property
    def curves(self) -> pd.DataFrame:
        """The training curves: update, stage, player, term, value."""
        return pd.DataFrame(self.folder.curves(),
                            columns=["update", "stage", "player", "term", "value"])

    @cached_property
    def _evidence(self) -> Evidence:
        with step(LOADING):
            from genbench.running.sample import trained

        return trained(self.folder, data=self._data, cache=cache_folder(), device=self._device)

    @property
    def model(self) -> Model | None:
        """The trained model, on scaled data; None for the row of the data themselves.

        Raises:
            StoreError: the run has no finished checkpoint, or a damaged one.
        """
        return self._evidence.model

    @checked(n=COUNT, seed=whole(0))
    def sample(self, n: int, *, seed: int = 0) -> np.ndarray:
        """`n` samples: raw points (n, D) float32, or bytes of images (n, C, H, W) uint8.

        `seed` numbers the sample set; the first of set 0 are those that the run was measured on.

        Raises:
            GenbenchError: `n` is no whole number ≥ 1, or `seed` none ≥ 0.
        """
        evidence = self._evidence
        with step(f"drawing {n} samples of {self.id}"):
            return evidence.samples(seed, n).numpy()

    def log_prob(
        self, x: np.ndarray | Tensor, context: np.ndarray | Tensor | None = None
    ) -> np.ndarray:
        """Exact log density of raw points (N, D), or of bytes of images (N, C, H, W), in nats.

        `context` is what a conditional model is conditioned on: a class label for each row, (N,).
        Returns (N,) float64: per raw point, or per image on the [0, 1] scale, dequantised by a
        fixed draw; the unit of the metric `nll`.

        Raises:
            NotApplicable: the model has no exact density, or none in that unit.
            DataError: an array of another shape or type than the data's.
        """
        import torch

        evidence = self._evidence
        try:
            rows, shape = torch.as_tensor(x), evidence.data.shape
            given = None if context is None else torch.as_tensor(context)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"{self.id} gives densities of arrays of numbers: {in_a_line(error)}"
                            ) from None
        classes = evidence.data.classes
        if given is not None and not given.is_floating_point() and classes and given.numel():
            low, high = int(given.min()), int(given.max())
            if low < 0 or high >= classes:
                raise DataError(f"{self.id} is conditioned on labels from 0 to {classes - 1}; "
                                f"got {low if low < 0 else high}")
        if rows.shape[1:] != shape or not len(rows):
            raise DataError(f"{self.id} gives densities of rows {shape}; "
                            f"got an array of shape {tuple(rows.shape)}")
        if evidence.data.kind == "points":
            return evidence.log_prob(rows.float(), given).numpy()
        if rows.dtype != torch.uint8:
            raise DataError(f"{self.id} gives densities of bytes (uint8), 0 to 255; "
                            f"got {str(rows.dtype).removeprefix('torch.')}")
        return evidence.log_prob(evidence.data.of_bytes(rows), given).numpy()

    def __repr__(self) -> str:
        status = self.status
        return f"<Run {self.id}: {status.state}{status.reason and f', {status.reason}'}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.metrics.to_html(na_rep='–')}"


@checked(results=PATH, data=optional(PATH), trust_data=FLAG)
def migrate(
    results: str | Path = "results", *, data: str | Path | None = None, trust_data: bool = False
) -> Migrated:
    """Give runs that an earlier genbench made the ids of today, so that none is trained again.

    `results` is the folder of results or of one suite's; `trust_data` takes the files of today for
    those of runs that noted no hash.

    Raises:
        StoreError: no runs there, or a folder that cannot be written.
    """
    from genbench.running.migrate import Migrated, retrained
    from genbench.running.migrate import migrate as moved

    folder = at_home(Path(results))
    runs = tuple(moved(folder, data_root(data), trust_data=trust_data))
    return Migrated(runs, tuple(retrained(folder)))


@checked(run=PATH, results=PATH, data=optional(PATH), device=TEXT)
def load(
    run: str | Path, *, results: str | Path = "results", data: str | Path | None = None,
    device: str = "cpu",
) -> Run:
    """A stored run, by its id, its start or the hash at its end, perhaps behind `suite/`; or its
    folder.

    Raises:
        StoreError: there is none, or several could be meant.
    """
    folder = find_run(str(run), at_home(Path(results)))
    return Run(folder, data=data_root(data), device=device)
