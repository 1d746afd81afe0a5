"""PNG files that carry a digest of what they were drawn from, so that they need no redrawing."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from genbench.errors import GenbenchError, user_code
from genbench.reporting.figures.drawing.palette import INK, PAPER, font
from genbench.seeding import digest
from genbench.store.files import write_bytes
from genbench.store.samples import StoredArrays

T = TypeVar("T")
KEY = "genbench"
"""The name of the PNG's text entry that holds the digest."""
MANY, PHOTOGRAPHS = 100_000, 1_000_000
"""Bytes above which a picture gets a palette; one of samples in colour, which it would speckle."""
KEPT = 32
"""Colours that a palette keeps as they are."""


def encode(image: Image.Image, mark: str, *, photographs: bool = False) -> bytes:
    """The image as PNG bytes with the digest of its inputs and nothing else besides.

    Grey images as grey ones, without loss; others that take more than `MANY` bytes with 256
    colours, photographs from `PHOTOGRAPHS` on.
    """
    red, green, blue = image.convert("RGB").split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return _bytes(red, mark)
    whole = _bytes(image, mark)
    most = PHOTOGRAPHS if photographs else MANY
    return whole if len(whole) <= most else _bytes(_with_palette(image), mark)


def _with_palette(image: Image.Image) -> Image.Image:
    """The image in 256 colours, each pixel in the nearest.

    The most frequent colours, those of areas, stay as they are; the others are chosen so that
    none is far off. The usual palettes merge the rare colours of dots that tell components apart.
    """
    pixels = np.asarray(image.convert("RGB")).astype(np.int64)
    packed, place, counts = np.unique(
        pixels @ (65536, 256, 1), return_inverse=True, return_counts=True
    )
    found = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1)  # (N, 3)
    others = image.quantize(256 - KEPT, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.concatenate([
        found[np.argsort(-counts, kind="stable")[:KEPT]],
        np.reshape(others, (-1, 3))[: 256 - KEPT],
    ])
    size = (palette**2).sum(1)  # (256,)
    nearest = np.concatenate([  # in parts: photographs have as many colours as pixels
        (size - 2 * part @ palette.T).argmin(1).astype(np.uint8)
        for part in np.array_split(found, 1 + len(found) // 2**16)
    ])
    made = Image.fromarray(nearest[place].reshape(pixels.shape[:2]), "P")
    made.putpalette(palette.flatten().tolist())
    return made


def _bytes(image: Image.Image, mark: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text(KEY, mark)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info, compress_level=9)
    return buffer.getvalue()


def content_digest(content: Any) -> str:
    """A digest of everything that decides a picture: what it shows, and what draws it.

    Raises:
        TypeError: the content holds something else than arrays, text, numbers and what holds them.
    """
    sums = [digest(part, 16) for part in _parts(content)]
    return digest("\x1f".join([_drawn_with(), *sums]), 16)


def _parts(content: Any) -> Iterator[bytes | str]:
    """The content as a flat row of text and bytes, with brackets, so that no two are alike."""
    if isinstance(content, np.ndarray):
        yield f"{content.dtype} {content.shape}"
        yield np.ascontiguousarray(content).tobytes()
    elif content is None or isinstance(content, str | int | float | np.generic):
        yield f"{type(content).__name__} {content}"
    elif is_dataclass(content):
        yield from _parts([getattr(content, one.name) for one in fields(content)])
    elif isinstance(content, StoredArrays):
        yield from _parts(content.whole)
    elif isinstance(content, Mapping):
        yield from _parts([list(content.keys()), list(content.values())])
    elif isinstance(content, Sequence):
        yield "["
        for item in content:
            yield from _parts(item)
        yield "]"
    else:
        raise TypeError(f"a figure cannot show {type(content).__name__}: its content is arrays, "
                        "text, numbers, and dataclasses, lists and mappings of them")


@cache
def drawing() -> tuple[Path, ...]:
    """The files whose code decides a picture: all of the folder of figures."""
    return tuple(sorted(Path(__file__).parents[1].rglob("*.py")))


@cache
def _drawn_with() -> str:
    """The drawing code and the versions of what it draws with."""
    code = digest(b"".join(path.read_bytes() for path in drawing()), 16)
    return "\x1f".join([code, *(version(name) for name in ("pillow", "matplotlib", "numpy"))])


def keep_or_draw(path: Path, mark: str, draw: Callable[[str], bytes]) -> str:
    """Leave a picture that was drawn from the same inputs; write a new one otherwise.

    What goes wrong in one picture stands in its place and is given back, in a line; it is tried
    again next time.
    """
    if _mark(path) == mark:
        return ""
    picture, fault = or_words(path, partial(draw, mark))
    if picture is not None:
        write_bytes(path, picture)
    return fault


def or_words(path: Path, read: Callable[[], T]) -> tuple[T | None, str]:
    """What code that may be somebody else's gives, or why it failed, which a picture then says.

    Raises:
        GenbenchError: damaged results, of which no report is made.
    """
    try:
        with user_code("not drawn", _NotDrawn):
            return read(), ""
    except _NotDrawn as error:
        blank = Image.new("RGB", (900, 120), PAPER)
        write_text(blank, (20, 50), str(error), 18, width=860)
        write_bytes(path, encode(blank, "not drawn"))
        return None, str(error)


class _NotDrawn(GenbenchError):
    """Code that draws failed."""


def is_ours(path: Path) -> bool:
    """Whether a PNG was drawn by genbench."""
    return bool(_mark(path))


def _mark(path: Path) -> str:
    try:
        with Image.open(path) as image:
            mark = str(image.info.get(KEY, ""))
            image.verify()  # checks every chunk: a damaged picture is drawn again
        return mark
    except (OSError, SyntaxError, ValueError):
        return ""


def write_text(
    image: Image.Image, xy: tuple[float, float], text: str, size: int, *, anchor: str = "la",
    colour: str = INK, width: int | None = None,
) -> None:
    """Write a line of text; with `width` in pixels, it is cut short with an ellipsis to fit."""
    letters = font(size)
    if width is not None and letters.getlength(text) > width:
        while text and letters.getlength(text + "…") > width:
            text = text[:-1]
        text += "…"
    ImageDraw.Draw(image).text(xy, text, fill=colour, font=letters, anchor=anchor)
