"""The contract of a dataset, and what loading one gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from genbench.configured import Configured
from genbench.noise import Noise

__all__ = ["Data", "Dataset", "Modes", "Noise", "Split", "Truth"]


@dataclass(frozen=True)
class Modes:
    """The modes of a toy: centres (M, D), covariances (M, D, D) and weights (M,) that sum to 1.

    All are float64, on the CPU.
    """

    centres: Tensor
    covariances: Tensor
    weights: Tensor


class Truth(ABC):
    """The exact distribution of a toy dataset, in float64 where precision matters."""

    modes: Modes | None = None

    @abstractmethod
    def sample(self, n: int, noise: Noise) -> Tensor:
        """`n` exact draws, (n, D) float32."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log density of x (N, D) in nats, (N,) float64."""

    @abstractmethod
    def entropy(self) -> float:
        """The entropy in nats, to at least 1e-3."""

    @abstractmethod
    def moments(self) -> tuple[Tensor, Tensor]:
        """Exact mean and standard deviation of each coordinate, each (D,) float32."""


@dataclass
class Split:
    """One part of a dataset: rows `x` and, where there are labels, `y` (N,) int64.

    `x` is (N, D) float32 for points and (N, C, H, W) uint8 *levels* (0 … levels−1) for images. It
    is a tensor, which moves to the device whole, or a read-only memory map for data that do not
    fit, of which only the rows asked for are read.

    `pixel_probs` (N, C, H, W) uint8 is there for dynamically binarised images alone: a pixel is 1
    with probability pixel_probs/255, resampled for every batch; `x` is then one fixed draw, for
    all other uses.
    """

    x: Tensor | np.ndarray
    y: Tensor | None = None
    pixel_probs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor | None]:
        """Rows of `index` (B,) int64, on the index's device, and their labels.

        With `noise`, rows that have `pixel_probs` are resampled.
        """
        if noise is not None and self.pixel_probs is not None:
            probs = self.pixel_probs[index].float() / 255
            rows = (noise.uniform("binarise", *probs.shape) < probs).to(torch.uint8)
        elif isinstance(self.x, Tensor):
            rows = self.x[index]
        else:
            rows = torch.from_numpy(self.x[index.cpu().numpy()]).to(index.device)
        return rows, None if self.y is None else self.y[index]

    def to(self, device: torch.device) -> Split:
        """The same split with its tensors on `device`; a memory map stays where it is."""
        x = self.x.to(device) if isinstance(self.x, Tensor) else self.x
        y, pixel_probs = (None if t is None else t.to(device) for t in (self.y, self.pixel_probs))
        return Split(x, y, pixel_probs)


@dataclass
class Data:
    """A loaded dataset.

    `train` is None for a toy that draws fresh points for every batch (`truth` then draws them).
    `levels` is the number of grey levels of images, None for points; `bytes` maps levels to the
    bytes of the image contract: byte = round(level · 255 / (levels − 1)).
    """

    kind: Literal["points", "images"]
    shape: tuple[int, ...]
    test: Split
    train: Split | None = None
    validation: Split | None = None
    truth: Truth | None = None
    classes: int = 0
    class_names: tuple[str, ...] = ()
    levels: int | None = None
    warnings: tuple[str, ...] = ()
    """Caveats for a report, e.g. that the images were JPEGs."""
    mode_count: int | None = None
    """The number of modes of image data, where it is known (10 digits, 1000 stacks)."""
    shared_unit: bool = False
    """Whether the columns of points share one unit, as those of every toy with a `truth` do, so
    that distances between them are taken as they are."""
    class_counts: tuple[int, ...] = ()
    """The number of training rows of each class, where the rows are not loaded."""
    fingerprint: str = ""
    """A hash of the contents, kept in the provenance."""

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor | None]:
        """`n` random training rows (without replacement where there are enough) and labels."""
        if self.train is None:
            assert self.truth is not None
            return self.truth.sample(n, noise), None
        index = noise.permutation("rows", len(self.train))
        index = index.repeat(-(-n // len(index)))[:n]
        return self.train.take(index, noise)

    def to(self, device: torch.device) -> Data:
        """The same data with its tensors on `device`."""
        train, validation = (
            None if part is None else part.to(device) for part in (self.train, self.validation)
        )
        return replace(self, train=train, validation=validation, test=self.test.to(device))

    def bytes(self, levels: Tensor) -> Tensor:
        """Levels (…) uint8 as the bytes 0 … 255 of the image contract, uint8."""
        if self.levels is None or self.levels == 256:
            return levels
        return (levels.float() * (255 / (self.levels - 1))).round().to(torch.uint8)

    def of_bytes(self, values: Tensor) -> Tensor:
        """The levels (…) uint8 that lie nearest to bytes of the image contract."""
        if self.levels is None or self.levels == 256:
            return values
        return (values.float() * ((self.levels - 1) / 255)).round().to(torch.uint8)


class Dataset(Configured, ABC):
    """A dataset: typed options, and `load`.

    Class constants, read without importing: `kind`, `labelled` (has class labels), `has_modes`
    (has modes to count), `train_rows` (training rows at most, where no option `train_size` says
    so; 0 where that is not known), `reads` (which options are paths of files, below the data
    folder or absolute: what they hold decides a run; without it the data are loaded to know),
    `auto_classifier` (whether the extractor `auto` is the classifier: labelled images, grey or
    stacked), `archive` (the published archive that it reads, of `genbench.archives`: files that
    are not the published ones decide a run), `version` (raised whenever other rows are drawn, or
    dealt to the splits, from the same options and files: they decide a run too), `changed`,
    `formerly`, `retired` and `aliases` (as of a `Model`) and `cite` (keys of references.bib, or
    BibTeX entries).
    """

    component_kind: ClassVar[str] = "dataset"
    kind: ClassVar[Literal["points", "images"]]
    labelled: ClassVar[bool] = False
    has_modes: ClassVar[bool] = False
    train_rows: ClassVar[int] = 0
    reads: ClassVar[tuple[str, ...]] = ()
    auto_classifier: ClassVar[bool] = False
    archive: ClassVar[str] = ""
    version: ClassVar[int] = 1
    changed: ClassVar[Mapping[int, Mapping[str, object]]] = {}
    formerly: ClassVar[Mapping[str, object]] = {}
    retired: ClassVar[Mapping[str, object]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    cite: ClassVar[str] = ""

    def __init__(self, **options: object) -> None:
        self.configure(options)

    def files(self, root: Path) -> list[Path]:
        """The data files that `load` reads, whether or not they are there; none for toys."""
        return []

    @abstractmethod
    def load(self, root: Path, *, offline: bool = False) -> Data:
        """Read the data, on the CPU.

        `root` is the folder of data files (a torchvision root). Relative paths in options are
        relative to it. Published files that are missing are downloaded, unless `offline`.

        Raises:
            DataError: missing (says what to put where), corrupt, or of the wrong kind.
        """
