"""What a picture shows is what is read, or it is refused: one reader for data and for samples."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genbench.data._given import read_given
from genbench.data.base import Data, Split
from genbench.data.image_folder import ImageFolder
from genbench.errors import DataError

SHADES = np.random.default_rng(0).integers(20, 236, (4, 6), dtype=np.uint8)
COLOURS = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def as_data(folder: Path, channels: int | None = None, **options: object) -> torch.Tensor:
    """The first image of a folder, as a dataset gives it."""
    data = ImageFolder(path=str(folder), channels=channels, **options).load(folder)
    return data.train.x[0]


def as_samples(folder: Path, channels: int | None = None) -> torch.Tensor:
    """The first image of a folder, as samples of an image dataset with these channels."""
    like = torch.zeros(4, channels or 1, *SHADES.shape, dtype=torch.uint8)
    data = Data("images", tuple(like.shape[1:]), Split(like), levels=256)
    return read_given(folder, data).rows[0]


READERS = pytest.mark.parametrize("read", [as_data, as_samples])
Read = Callable[..., torch.Tensor]


def saved(folder: Path, image: Image.Image, suffix: str = "png", **options: object) -> Path:
    for number in range(3):
        image.save(folder / f"{number}.{suffix}", **options)
    return folder


def with_alpha(alpha: np.ndarray | int) -> Image.Image:
    plane = np.broadcast_to(np.asarray(alpha, np.uint8), SHADES.shape)
    return Image.fromarray(np.stack([SHADES, plane], -1))


def palette(transparent: bool) -> tuple[Image.Image, dict[str, object]]:
    image = Image.fromarray((SHADES > 128).astype(np.uint8)).convert("P")
    image.putpalette([200, 100, 50, 10, 20, 30])
    return image, {"transparency": 0} if transparent else {}


@READERS
def test_opaque_alpha_does_not_count(tmp_path: Path, read: Read) -> None:
    saved(tmp_path, with_alpha(255))
    assert torch.equal(read(tmp_path, 1)[0], torch.from_numpy(SHADES))
    assert len(as_data(tmp_path)) == 1


@READERS
def test_transparent_pixels_are_refused(tmp_path: Path, read: Read) -> None:
    hole = np.full(SHADES.shape, 255)
    hole[1, 2] = 254
    saved(tmp_path, with_alpha(hole))
    with pytest.raises(DataError, match="has transparent pixels; paste it on the background"):
        read(tmp_path, 1)
    image, options = palette(True)
    saved(tmp_path, image, **options)
    with pytest.raises(DataError, match="has transparent pixels"):
        read(tmp_path, 3)
    saved(tmp_path, Image.fromarray(COLOURS), transparency=tuple(map(int, COLOURS[0, 0])))
    with pytest.raises(DataError, match="has transparent pixels"):
        read(tmp_path, 3)


@pytest.mark.parametrize(("background", "wanted"), [("white", 255), ("black", 0)])
def test_a_background_shows_through(tmp_path: Path, background: str, wanted: int) -> None:
    alpha = np.where(np.arange(6) < 3, 255, 0)
    saved(tmp_path, with_alpha(alpha))
    for channels in (None, 1):
        found = as_data(tmp_path, channels, background=background)
        assert torch.equal(found[0, :, :3], torch.from_numpy(SHADES[:, :3]))
        assert found[0, :, 3:].unique().tolist() == [wanted]
    assert torch.equal(as_data(tmp_path)[1, 0], torch.from_numpy(alpha).byte())  # kept as it is


@READERS
def test_palettes_are_their_colours(tmp_path: Path, read: Read) -> None:
    saved(tmp_path, palette(False)[0])
    wanted = np.where(SHADES[None] > 128, [[[10]], [[20]], [[30]]], [[[200]], [[100]], [[50]]])
    assert (read(tmp_path, 3).numpy() == wanted).all()


@READERS
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_images_stand_upright(
    tmp_path: Path, read: Read, orientation: int, suffix: str
) -> None:
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpositions that undo each
    image = Image.fromarray(COLOURS)
    stored = image if orientation == 1 else image.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    saved(tmp_path, stored, suffix, exif=exif, **options)
    assert (read(tmp_path, 3).numpy() == COLOURS.transpose(2, 0, 1)).all()


def many(folder: Path, suffix: str) -> None:
    frames = [Image.fromarray(SHADES), Image.fromarray(255 - SHADES)]
    saved(folder, frames[0], suffix, save_all=True, append_images=frames[1:])


@READERS
@pytest.mark.parametrize("suffix", ["gif", "png", "tiff", "webp"])
def test_several_frames_are_refused(tmp_path: Path, read: Read, suffix: str) -> None:
    many(tmp_path, suffix)
    with pytest.raises(DataError, match="holds 2 frames or pages; save each as an image"):
        read(tmp_path, 1)


def deep_png(colour_type: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads and cannot write."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body))

    width = 6 * {0: 1, 2: 3, 4: 2, 6: 4}[colour_type] * 2
    head = struct.pack(">IIBBBBB", 6, 4, 16, colour_type, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(range(width)) for _ in range(4)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@READERS
@pytest.mark.parametrize("colour_type", [0, 2, 4, 6])
def test_sixteen_bits_are_refused(tmp_path: Path, read: Read, colour_type: int) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(deep_png(colour_type))
    with pytest.raises(DataError, match="more than 8 bits a channel"):
        read(tmp_path, 3 if colour_type in (2, 6) else 1)


@READERS
@pytest.mark.parametrize("suffix", ["jp2", "tiff", "pgm"])
def test_sixteen_bits_of_other_formats_are_refused(
    tmp_path: Path, read: Read, suffix: str
) -> None:
    saved(tmp_path, Image.fromarray(SHADES.astype(np.uint16) * 200), suffix)
    with pytest.raises(DataError, match="more than 8 bits a channel"):
        read(tmp_path, 1)


@READERS
def test_few_bits_reach_white(tmp_path: Path, read: Read) -> None:
    saved(tmp_path, Image.fromarray(SHADES > 128))  # one bit
    assert (read(tmp_path, 1).numpy() == 255 * (SHADES > 128)).all()
    for number in range(3):  # sixteen levels
        (tmp_path / f"{number}.png").unlink()
        (tmp_path / f"{number}.pgm").write_bytes(b"P5 6 4 15\n" + bytes(i % 16 for i in range(24)))
    assert read(tmp_path, 1).flatten().tolist() == [17 * (i % 16) for i in range(24)]


@READERS
def test_cmyk_becomes_rgb(tmp_path: Path, read: Read) -> None:
    saved(tmp_path, Image.new("CMYK", (6, 4), (0, 255, 255, 0)), "tiff")
    assert read(tmp_path, 3)[:, 0, 0].tolist() == [255, 0, 0]


@READERS
def test_no_program_is_started(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(COLOURS).save(buffer, "EPS")
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(buffer.getvalue())
    for name in ("Popen", "check_call", "call", "run"):
        monkeypatch.setattr(subprocess, name, None)
    with pytest.raises(DataError, match="no image of the formats"):
        read(tmp_path, 3)


def test_colours_are_no_samples_of_grey_images(tmp_path: Path) -> None:
    saved(tmp_path, Image.fromarray(np.stack([SHADES] * 3, -1)))
    assert (as_samples(tmp_path, 1).numpy() == SHADES).all()  # grey, however it is stored
    saved(tmp_path, Image.fromarray(COLOURS))
    with pytest.raises(DataError, match="is in colour, and the dataset's images are grey"):
        as_samples(tmp_path, 1)
    assert len(as_data(tmp_path, 1)) == 1  # who asks for one channel wants it
