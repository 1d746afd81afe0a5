"""Any folder or zip file of images."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbench.data._decode import Decoder
from genbench.data._layout import Layout, arrange
from genbench.data._sources import ImageSource, count_lossy, open_images
from genbench.data.base import Data, Dataset, Split
from genbench.errors import DataError
from genbench.fields import Annotated, Count, Field, FilePath, Literal
from genbench.lookup import own_class
from genbench.seeding import digest

_TABLES = (".csv", ".h5", ".hdf5", ".json", ".mat", ".npy", ".npz", ".parquet", ".pkl", ".pt",
           ".pth", ".tsv", ".txt", ".xlsx")
"""Endings of files that hold numbers; some of them are zips as well."""


class ImageFolder(Dataset):
    """Images of a folder or zip file, of any size and 1 to 4 channels.

    Below it there may be folders `train` (or `training`), `test` (`testing`) and `validation`
    (`val`, `valid`), in small letters or capitals, and in those one folder a class. Without a
    `test` folder a fixed fraction of the training images is held out. There are labels only with
    at least two folders of classes. Links are followed.

    Images are taken upright, as their orientation says, palettes as their colours, CMYK as RGB
    without a profile. Several frames and more than 8 bits a channel are refused. Files that are
    not called as images are counted aloud.
    """

    kind = "images"
    labelled = True
    reads = ("path",)

    path: FilePath
    """The folder or zip file, from the data folder on, or absolute."""
    size: Count | None = None
    """Side to which images are resized and cropped, or null if all have the same size."""
    channels: Literal[1, 2, 3, 4] | None = None
    """Channels to convert to (grey, grey and alpha, RGB, RGBA), or null as stored; alpha that is
    opaque everywhere does not count."""
    background: Literal["black", "white"] | None = None
    """What shows through transparent pixels; null refuses them where 1 or 3 channels are asked
    for, and otherwise keeps alpha as a channel."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """The fraction of the training images that is held out where there is no test folder."""
    memory_limit: Count = 2048
    """MiB of decoded images over which they stay on the disk and are read batch by batch."""

    def files(self, root: Path) -> list[Path]:
        return [root / os.path.expanduser(self.path)]

    def load(self, root: Path, *, offline: bool = False) -> Data:
        """Large sets are decoded once, into a cache (`GENBENCH_CACHE`); images that are corrupt
        or unlike the others, and a zip that is not safe to read, are refused.
        """
        source = self._open(root)
        layout = arrange(source.names, self.test_share)
        decoder = Decoder(source, layout.names, self.size, self.channels, self.background)
        x = decoder.array(self.memory_limit * 2**20)
        y = torch.tensor(layout.labels) if layout.labels else None
        first, last = len(layout.train), len(layout.train) + len(layout.validation)
        counts = f"{first} {last}"
        return Data(
            "images", tuple(x.shape[1:]), _split(x, y, last, len(x)), _split(x, y, 0, first),
            _split(x, y, first, last) if layout.validation else None,
            classes=len(layout.classes), class_names=layout.classes, levels=256,
            warnings=tuple(_warnings(source, layout)),
            fingerprint=digest(f"{decoder.fingerprint} {counts}", 16),
        )

    def _open(self, root: Path) -> ImageSource:
        path = self.files(root)[0]
        if not path.exists():
            raise DataError(f"{path}: no such folder or zip file; give `path` from the data "
                            "folder on, or an absolute one")
        if path.is_file() and path.suffix.lower() in _TABLES:
            raise DataError(f"{path}: neither a folder nor a zip file of images; numbers in a "
                            f"table or array are read by {own_class('dataset')}")
        return open_images(path)


def _split(x: np.ndarray, y: Tensor | None, start: int, stop: int) -> Split:
    rows = x[start:stop]
    return Split(
        rows if isinstance(rows, np.memmap) else torch.from_numpy(rows),
        None if y is None else y[start:stop],
    )


def _warnings(source: ImageSource, layout: Layout) -> list[str]:
    found = [*source.notes, *layout.notes]
    lossy = count_lossy(layout.names)
    if lossy:
        found.append(
            f"{lossy} of the {len(layout.names)} images of {source.path.name} are "
            "JPEGs: distances between samples and such images measure compression too"
        )
    return [f"image_folder: {note}" for note in found]
