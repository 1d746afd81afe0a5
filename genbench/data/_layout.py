"""Which images of a folder train, which test, and what their classes are: from names alone."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from genbench.errors import DataError
from genbench.seeding import derive
from genbench.visible import visible

_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
_SPLIT_OF = {folder: split for split, folders in _SPLITS.items() for folder in folders}
"""What the folders of the splits are called, in small letters or capitals."""
_LONGEST = sorted(_SPLIT_OF, key=len, reverse=True)


@dataclass(frozen=True)
class Layout:
    """The files of each split, in a fixed order that mixes the classes, and their labels."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    classes: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    """Of train, validation and test, one after another; empty where there are no classes."""
    notes: tuple[str, ...] = ()
    """What of the folder is not as one would expect it."""

    @property
    def names(self) -> tuple[str, ...]:
        """All files: train, validation and test, one after another."""
        return self.train + self.validation + self.test


def arrange(names: Sequence[str], test_share: float) -> Layout:
    """Split names (`/` between folders) by their folders.

    A single folder around everything is looked through. Where there is a folder of training
    images, images outside the folders of the splits are left out. Without a folder of test images,
    a fraction of the training images, chosen by a hash of their names, is held out.

    Raises:
        DataError: too few images, test images without training images, or images beside folders
            of classes.
    """
    parts = _unwrapped({name: tuple(name.split("/")) for name in names})
    split = _is_split(parts.values())
    groups: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in _SPLITS}
    others: Counter[str] = Counter()
    for name, path in parts.items():
        group = _split(path)
        if not split:
            groups["train"][name] = path
        elif group is not None:
            groups[group][name] = path[1:]
        else:
            others[path[0] + "/" if len(path) > 1 else path[0]] += 1
    train, validation, test = (_mixed(list(group)) for group in groups.values())
    notes = [_left_out(others)] if others else []
    if not test:
        train, test = _held_out(train, test_share)
        if split:
            notes.append(f"no folder of test images ({' or '.join(_SPLITS['test'])}): "
                         f"{len(test)} of the training images are held out for testing")
    used = {name: path for group in groups.values() for name, path in group.items()}
    used = _unwrapped(used, among=()) if split else used
    order = train + validation + test
    classes, labels = _labels([(name, used[name]) for name in order])
    untrained = [one for k, one in enumerate(classes) if k not in labels[:len(train)]]
    if untrained:
        notes.append(f"no training images of the class {', '.join(untrained[:5])}")
    return Layout(tuple(train), tuple(validation), tuple(test), classes, labels, tuple(notes))


def _split(path: tuple[str, ...]) -> str | None:
    """The split whose folder a file lies in."""
    return _SPLIT_OF.get(path[0].casefold()) if len(path) > 1 else None


def _is_split(paths: Collection[tuple[str, ...]]) -> bool:
    """Whether there is a folder of training images.

    Raises:
        DataError: there is none, and yet folders of other splits; or folders that are called
            nearly so, such as `train_set` and `test_set`, and would pass for classes.
    """
    splits, tops = {_split(path) for path in paths}, {path[0] for path in paths if len(path) > 1}
    if "train" in splits:
        return True
    known = [split for split in ("test", "validation") if split in splits]
    if known == ["test"] or (known and len(tops) > 1):
        raise DataError(f"image_folder: there is a folder of {known[0]} images, but none that is "
                        f"called {' or '.join(_SPLITS['train'])}")
    alike: dict[str, dict[str, str]] = {}
    for top in sorted(tops):
        word = next((word for word in _LONGEST if word in top.casefold()), "")
        if word:
            rest = top.casefold().replace(word, "", 1)
            alike.setdefault(rest, {}).setdefault(_SPLIT_OF[word], top)
    for found in alike.values():
        if len(found) > 1:
            raise DataError(
                f"image_folder: the folders {' and '.join(map(visible, found.values()))} are "
                f"called nearly as splits, and would be classes; call them {' and '.join(found)}"
            )
    return False


def _left_out(others: Counter[str]) -> str:
    """How many images lie beside the folders of the splits, and where."""
    most = ", ".join(name for name, _ in others.most_common(5))
    more = ", …" if len(others) > 5 else ""
    return (f"{others.total()} images beside the folders of the splits are left out: "
            f"{most}{more}")


def _unwrapped(
    parts: dict[str, tuple[str, ...]], among: Collection[str] = _SPLIT_OF
) -> dict[str, tuple[str, ...]]:
    """Without a folder that holds everything and nothing but folders, and is none of `among`."""
    while parts and all(len(path) > 2 for path in parts.values()):
        tops = {path[0] for path in parts.values()}
        if len(tops) > 1 or {top.casefold() for top in tops} & set(among):
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
                f"image_folder: {visible(name)} lies beside the folders of the classes "
                f"{', '.join(classes[:3])}…; expected every image in one, or all side by side"
            )
    number = {name: index for index, name in enumerate(classes)}
    return tuple(classes), tuple(number[path[0]] for _, path in files)
