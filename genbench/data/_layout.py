"""Which images of a folder train, which test, and what their classes are: from names alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genbench.errors import DataError
from genbench.seeding import derive

__all__ = ["Layout", "arrange"]

_TEST = ("test",)
_TRAIN = ("train", "training")
_VALIDATION = ("validation", "val", "valid")


@dataclass(frozen=True)
class Layout:
    """The files of each split, in a fixed order that mixes the classes, and their labels."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    classes: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    """Of train, validation and test, one after another; empty where there are no classes."""
    ignored: int = 0
    """Images beside the folders of the splits."""

    @property
    def names(self) -> tuple[str, ...]:
        """All files: train, validation and test, one after another."""
        return self.train + self.validation + self.test


def arrange(names: Sequence[str], test_share: float) -> Layout:
    """Split names (`/` between folders) by their folders.

    A single folder around everything is looked through. Where there is a `train` folder, images
    outside `train`, `validation` and `test` are ignored. Without a `test` folder, a share of the
    training images, chosen by a hash of their names, is held out.

    Raises:
        DataError: too few images, or images beside folders of classes.
    """
    parts = {name: tuple(name.split("/")) for name in names}
    parts = _unwrapped(parts)
    tops = {path[0] for path in parts.values() if len(path) > 1}
    split = bool(tops & set(_TRAIN))
    groups: dict[str, dict[str, tuple[str, ...]]] = {"train": {}, "validation": {}, "test": {}}
    for name, path in parts.items():
        if not split:
            groups["train"][name] = path
        elif len(path) > 1:
            for group, folders in (
                ("train", _TRAIN), ("validation", _VALIDATION), ("test", _TEST)
            ):
                if path[0] in folders:
                    groups[group][name] = path[1:]
    used = {name: path for group in groups.values() for name, path in group.items()}
    train, validation, test = (_mixed(list(group)) for group in groups.values())
    if not test:
        train, test = _held_out(train, test_share)
    order = train + validation + test
    classes, labels = _labels([(name, used[name]) for name in order])
    return Layout(
        tuple(train), tuple(validation), tuple(test), classes, labels, len(parts) - len(used)
    )


def _unwrapped(parts: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without a folder that holds everything and nothing but folders."""
    while parts and all(len(path) > 2 for path in parts.values()):
        tops = {path[0] for path in parts.values()}
        if len(tops) > 1 or tops & {*_TRAIN, *_TEST}:
            break
        parts = {name: path[1:] for name, path in parts.items()}
    return parts


def _mixed(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (derive("genbench", "image_folder", name), name))


def _held_out(train: list[str], share: float) -> tuple[list[str], list[str]]:
    count = max(1, round(share * len(train)))
    if count >= len(train):
        raise DataError(
            f"image_folder: {len(train)} training images are too few to hold out "
            f"{share:.0%} for testing"
        )
    return train[count:], train[:count]


def _labels(
    files: list[tuple[str, tuple[str, ...]]],
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Classes, sorted, and each file's; none where all lie flat or in one folder."""
    classes = sorted({path[0] for _, path in files if len(path) > 1})
    if len(classes) < 2:
        return (), ()
    for name, path in files:
        if len(path) == 1:
            raise DataError(
                f"image_folder: {name} lies beside the folders of the classes "
                f"{', '.join(classes[:3])}…; expected every image in one, or all side by side"
            )
    number = {name: index for index, name in enumerate(classes)}
    return tuple(classes), tuple(number[path[0]] for _, path in files)
