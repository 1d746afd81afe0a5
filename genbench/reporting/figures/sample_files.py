"""Samples of one run in a file: as a picture, or as numbers (`genbench sample`)."""

import io
import math
from pathlib import Path

import numpy as np

from genbench.errors import GenbenchError
from genbench.reporting.figures.corner import corner_sheet
from genbench.reporting.figures.drawing.images import BLOCK, image_grid
from genbench.reporting.figures.drawing.panels import Panel, Panels
from genbench.reporting.figures.drawing.png import encode
from genbench.reporting.figures.samples import point_sheet
from genbench.store.files import write_bytes, write_npz


def check_ending(out: Path) -> None:
    """Refuse a file that `write_samples` cannot write, before anything is drawn for it.

    Raises:
        GenbenchError: an ending that says nothing.
    """
    if out.suffix not in (".png", ".npz", ".csv"):
        raise GenbenchError(f"{out}: expected a file that ends in .png, .npz or .csv")


def write_samples(samples: np.ndarray, out: Path) -> None:
    """Write samples, bytes (N, C, H, W) or points (N, D), to a .png or, as numbers, to a .npz or
    (a row for each sample) a .csv. The picture of points that are not of a plane is a corner.

    Raises:
        GenbenchError: another ending.
        StoreError: the file cannot be written.
    """
    check_ending(out)
    if out.suffix == ".npz":
        write_npz(out, {"samples": samples})
        return
    if out.suffix == ".csv":
        rows = samples.reshape(len(samples), -1)
        text = io.StringIO()
        np.savetxt(text, rows, "%.9g", ",", comments="",
                   header=",".join(f"x{index}" for index in range(rows.shape[1])))
        write_bytes(out, text.getvalue().encode())
        return
    if samples.ndim == 4:
        columns = math.ceil(math.sqrt(len(samples)))
        buffer = io.BytesIO()
        side = max(BLOCK // 8, *samples.shape[2:])
        image_grid(samples, columns, side).save(buffer, "PNG")
        write_bytes(out, buffer.getvalue())
        return
    n = len(samples)
    shown = Panels([Panel(f"{n:,} samples", {"samples": samples})])
    plane = samples.shape[1] == 2
    write_bytes(out, encode(
        point_sheet(shown, count=n) if plane else corner_sheet(shown, dots=n), ""))
