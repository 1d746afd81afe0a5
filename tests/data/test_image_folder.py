"""Folders and zips of images: layouts, classes, shapes, caches, and what is refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genbench.data import _decode
from genbench.data._layout import arrange
from genbench.data.image_folder import ImageFolder
from genbench.errors import DataError, GenbenchError
from genbench.suites.contents import file_contents


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GENBENCH_CACHE", str(folder))
    return folder


def png(value: int, size: tuple[int, int] = (4, 3), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    fill = value if len(Image.new(mode, (1, 1)).getbands()) == 1 else (
        (value,) * len(Image.new(mode, (1, 1)).getbands())
    )
    Image.new(mode, size, fill).save(buffer, "PNG")
    return buffer.getvalue()


def folder_of(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


CLASSED = {
    f"{split}/{label}/{i}.png": png(10 * i + shade)
    for split, count in (("train", 6), ("test", 3))
    for shade, label in ((1, "cat"), (2, "dog")) for i in range(count)
}


def test_folder_and_zip_give_the_same(tmp_path: Path) -> None:
    left = {".DS_Store": b"x", "train/Thumbs.db": b"x", "__MACOSX/a.png": b"x"}  # no word of these
    folder_of(tmp_path / "set", {**CLASSED, **left})
    zip_of(tmp_path / "set.zip", {"wrapped/" + name: raw for name, raw in CLASSED.items()})
    one, two = (ImageFolder(path=name).load(tmp_path) for name in ("set", "set.zip"))
    for data in (one, two):
        assert data.shape == (3, 3, 4)
        assert (len(data.train), len(data.test)) == (12, 6)
        assert data.class_names == ("cat", "dog")
        assert data.warnings == ()
        for split in (data.train, data.test):
            shade = split.x[:, 0, 0, 0].long() % 10
            assert torch.equal(shade, split.y + 1)
    assert sorted(one.train.x[:, 0, 0, 0].tolist()) == sorted(two.train.x[:, 0, 0, 0].tolist())


def test_pixels_are_those_of_the_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    data = ImageFolder(path=str(tmp_path)).load(Path("/nonexistent"))
    got = torch.cat([data.train.x, data.test.x])
    want = {tuple(image.transpose(2, 0, 1).ravel().tolist()) for image in pixels}
    assert {tuple(image.flatten().tolist()) for image in got} == want
    assert data.classes == 0
    assert data.train.y is None


def test_a_share_is_held_out_the_same_each_time(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"{i}.png": png(i) for i in range(20)})
    first, second = (
        ImageFolder(path=str(tmp_path), test_share=0.25).load(tmp_path) for _ in range(2)
    )
    assert (len(first.train), len(first.test)) == (15, 5)
    assert torch.equal(first.test.x, second.test.x)
    assert first.fingerprint == second.fingerprint
    values = torch.cat([first.train.x, first.test.x])[:, 0, 0, 0].tolist()
    assert sorted(values) == list(range(20))


def test_fingerprint_follows_the_contents(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"{i}.png": png(i) for i in range(5)})
    before = ImageFolder(path=str(tmp_path)).load(tmp_path).fingerprint
    (tmp_path / "3.png").write_bytes(png(99))
    assert ImageFolder(path=str(tmp_path)).load(tmp_path).fingerprint != before


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4),
                                                ("P", 3), ("1", 1)])
def test_channels_as_stored(tmp_path: Path, mode: str, channels: int) -> None:
    folder_of(tmp_path, {f"{i}.png": png(1, mode=mode) for i in range(3)})
    assert ImageFolder(path=str(tmp_path)).load(tmp_path).shape == (channels, 3, 4)


def test_size_and_channels_convert(tmp_path: Path) -> None:
    sizes = {"a.png": (40, 20), "b.png": (16, 16), "c.png": (9, 33)}
    folder_of(tmp_path, {name: png(7, size) for name, size in sizes.items()})
    data = ImageFolder(path=str(tmp_path), size=16, channels=1).load(tmp_path)
    assert data.shape == (1, 16, 16)
    assert torch.cat([data.train.x, data.test.x]).unique().tolist() == [7]


def test_odd_sizes_and_channels_name_the_file_and_the_option(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a.png": png(1), "b.png": png(1), "odd.png": png(1, (8, 8))})
    says = r"\.png: is .*; convert all to one \(the option `size` of"
    with pytest.raises(DataError, match=says):
        ImageFolder(path=str(tmp_path)).load(tmp_path)
    (tmp_path / "odd.png").write_bytes(png(1, mode="L"))
    with pytest.raises(DataError, match=r"convert all to one \(the option `channels` of"):
        ImageFolder(path=str(tmp_path)).load(tmp_path)


def test_jpegs_are_warned_of(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), (9, 9, 9)).save(buffer, "JPEG")
    folder_of(tmp_path, {"a.JPG": buffer.getvalue(), "b.png": png(1), "c.png": png(2)})
    (warning,) = ImageFolder(path=str(tmp_path)).load(tmp_path).warnings
    assert "1 of the 3 images" in warning


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png",
                                  "C:/evil.png", "..\\evil.png"])
def test_zips_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    zip_of(tmp_path / "bad.zip", {"a.png": png(1), "b.png": png(2), name: png(3)})
    with pytest.raises(DataError, match="leads outside the zip"):
        ImageFolder(path="bad.zip").load(tmp_path)


def damaged(raw: bytes, kind: str) -> bytes:
    return {"truncated": raw[: len(raw) // 2], "empty": b"", "text": b"hello"}[kind]


@pytest.mark.parametrize("kind", ["truncated", "empty", "text"])
def test_a_corrupt_image_is_named(tmp_path: Path, kind: str) -> None:
    files = {f"{i}.png": png(i, (64, 64)) for i in range(5)}
    files["3.png"] = damaged(png(3, (64, 64)), kind)
    folder_of(tmp_path / "set", files)
    zip_of(tmp_path / "set.zip", files)
    for name, where in (("set", r"set.3\.png: corrupt"), ("set.zip", r"zip: 3\.png: corrupt")):
        with pytest.raises(DataError, match=where) as caught:
            ImageFolder(path=name).load(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_damaged_zip_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(3):
            archive.writestr(f"{i}.png", png(i))
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"IHDR") + 20] ^= 255
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"0\.png: corrupt entry"):
        ImageFolder(path="set.zip").load(tmp_path)


def test_decompression_bombs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    for size in ((15, 15), (100, 100)):  # what Pillow warns of, and what it refuses
        folder_of(tmp_path, {"0.png": png(1), "1.png": png(1), "big.png": png(1, size)})
        with pytest.raises(DataError, match=r"big\.png: has more than 150 pixels"):
            ImageFolder(path=str(tmp_path), size=4).load(tmp_path)


@pytest.mark.parametrize("name", ["points.csv", "POINTS.NPY", "points.npz"])
def test_a_table_is_shown_the_way(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "points.npz", x=np.zeros((3, 2)))  # a zip, by the way
    if name != "points.npz":
        (tmp_path / name).write_bytes(b"1,2")
    with pytest.raises(DataError, match=r"no.* zip file of images.*docs extending/dataset"):
        ImageFolder(path=name).load(tmp_path)


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.new("I;16", (4, 3)).save(tmp_path / "a.png")
    Image.new("I;16", (4, 3)).save(tmp_path / "b.png")
    with pytest.raises(DataError, match="8 bits a channel"):
        ImageFolder(path=str(tmp_path)).load(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder or zip file"):
        ImageFolder(path="gone").load(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no images"):
        ImageFolder(path="empty").load(tmp_path)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        ImageFolder(path="broken.zip").load(tmp_path)
    folder_of(tmp_path / "one", {"a.png": png(1)})
    with pytest.raises(DataError, match="too few to hold out"):
        ImageFolder(path="one").load(tmp_path)
    with pytest.raises(GenbenchError, match="path"):
        ImageFolder()


def test_large_sets_are_mapped_from_a_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{i}.png": png(i % 250, (128, 128)) for i in range(30)}
    folder_of(tmp_path, files)
    small = ImageFolder(path=str(tmp_path)).load(tmp_path)
    assert not list(cache.rglob("*.npy"))
    mapped = ImageFolder(path=str(tmp_path), memory_limit=1).load(tmp_path)
    assert isinstance(mapped.train.x, np.memmap)
    assert not mapped.train.x.flags.writeable
    index = torch.arange(len(mapped.train))
    assert torch.equal(mapped.train.take(index)[0], small.train.x)
    (stored,) = cache.rglob("*.npy")
    assert not list(cache.rglob("*.tmp"))
    monkeypatch.setattr(_decode.Decoder, "_write", None)  # the second time decodes nothing
    again = ImageFolder(path=str(tmp_path), memory_limit=1).load(tmp_path)
    assert np.array_equal(again.test.x, mapped.test.x)
    monkeypatch.undo()
    monkeypatch.setenv("GENBENCH_CACHE", str(cache))
    os.truncate(stored, 1000)
    mended = ImageFolder(path=str(tmp_path), memory_limit=1).load(tmp_path)
    assert torch.equal(mended.train.take(index)[0], small.train.x)


def test_a_cache_without_room_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(tmp_path / "set", {f"{i}.png": png(i, (256, 256)) for i in range(10)})
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="GENBENCH_CACHE"):
        ImageFolder(path="set", memory_limit=1).load(tmp_path)


def test_layouts() -> None:
    flat = arrange([f"{i}.png" for i in range(10)], 0.1)
    assert (len(flat.train), len(flat.test), flat.classes) == (9, 1, ())
    one = arrange([f"images/{i}.png" for i in range(10)], 0.1)
    assert one.classes == ()
    classed = arrange([f"{c}/{d}/{i}.png" for c in "ab" for d in "xy" for i in range(5)], 0.2)
    assert classed.classes == ("a", "b")
    assert len(classed.test) == 4
    names = [f"{s}/{c}/{i}.png" for s in ("train", "val") for c in "ab" for i in range(5)]
    split = arrange([*names, "extra/z.png"], 0.2)
    assert (len(split.train), len(split.validation), len(split.test)) == (8, 5 * 2, 2)
    assert split.notes == (
        "1 images beside the folders of the splits are left out: extra/",
        "no folder of test images (test or testing): 2 of the training images are held out for "
        "testing",
    )
    wanted = [split.classes.index(name.split("/")[1]) for name in split.names]
    assert list(split.labels) == wanted
    with pytest.raises(DataError, match=r"odd\.png lies beside"):
        arrange([*names, "train/odd.png"], 0.2)


@pytest.mark.parametrize("names", [("Train", "Test", "VAL"), ("training", "testing", "valid")])
def test_splits_by_their_usual_names(names: tuple[str, ...]) -> None:
    found = arrange([f"{s}/{c}/{i}.png" for s in names for c in "ab" for i in range(5)], 0.1)
    assert [len(part) for part in (found.train, found.test, found.validation)] == [10, 10, 10]
    assert (found.classes, found.notes) == (("a", "b"), ())


@pytest.mark.parametrize("tops", [("Test", "cats"), ("val", "cats"), ("Test",), ("val", "test")])
def test_test_images_without_training_images_are_refused(tops: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="none that is called train or training"):
        arrange([f"{s}/{i}.png" for s in tops for i in range(5)], 0.1)


@pytest.mark.parametrize("tops", [
    ("train_set", "test_set"), ("seg_train", "seg_test"), ("Training Data", "Test Data"),
    ("trainA", "trainB", "testA", "testB"), ("train2017", "val2017"), ("train ", "test "),
])
def test_folders_called_nearly_as_splits_are_no_classes(tops: tuple[str, ...]) -> None:
    """They would be classes, and test images trained on."""
    with pytest.raises(DataError, match="called nearly as splits, and would be classes; call"):
        arrange([f"{top}/{c}/{i}.png" for top in tops for c in "ab" for i in range(5)], 0.1)


def test_classes_may_hold_the_words_of_splits() -> None:
    names = ("train_station", "test_tube", "value", "validated")
    found = arrange([f"{name}/{i}.png" for name in names for i in range(5)], 0.1)
    assert found.classes == tuple(sorted(names))


def test_classes_below_a_folder_in_each_split() -> None:
    names = [f"{s}/images/{c}/{i}.png" for s in ("train", "test") for c in "ab" for i in range(5)]
    found = arrange(names, 0.1)
    assert found.classes == ("a", "b")
    assert [found.classes[label] for label in found.labels] == [
        name.split("/")[2] for name in found.names]


def test_what_systems_leave_behind_is_no_data(tmp_path: Path) -> None:
    left = {
        "@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg": png(3), "$RECYCLE.BIN/1.png": png(4),
        "#recycle/2.png": png(5), "lost+found/x.png": png(6), "Icon\r": b"", "ehthumbs.db": b"",
        "System Volume Information/a.png": png(7),
    }
    plain = {f"{i}.png": png(i) for i in range(10, 20)}
    folder_of(tmp_path / "clean", plain)
    before = file_contents(tmp_path / "clean")
    folder_of(tmp_path / "clean", left)
    zip_of(tmp_path / "z.zip", plain | left)
    for name in ("clean", "z.zip"):
        data = ImageFolder(path=name).load(tmp_path)
        assert (len(data.train), len(data.test), data.warnings) == (9, 1, ())
        assert int(torch.cat([data.train.x, data.test.x]).min()) == 10
    assert file_contents(tmp_path / "clean") == before


def test_zips_whose_names_begin_with_a_dot(tmp_path: Path) -> None:
    """As some programs write them: they are not hidden."""
    zip_of(tmp_path / "a.zip", {f"./{name}": raw for name, raw in CLASSED.items()})
    data = ImageFolder(path="a.zip").load(tmp_path)
    assert (len(data.train), len(data.test), data.classes) == (12, 6, 2)


def test_a_file_that_changes_while_it_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """Else the old hash would name a cache of the new pixels for good."""
    monkeypatch.setattr(_decode, "_CACHE_FROM", 0)
    folder_of(tmp_path, {f"{i}.png": png(i) for i in range(5)})
    decoded = _decode.Decoder._decoded

    def change(self, raw: bytes, name: str) -> np.ndarray:
        for i in range(5):
            (tmp_path / f"{i}.png").write_bytes(png(200 + i))
        return decoded(self, raw, name)

    monkeypatch.setattr(_decode.Decoder, "_decoded", change)
    with pytest.raises(DataError, match=r"\.png: changed while it was read"):
        ImageFolder(path=str(tmp_path)).load(tmp_path)
    assert not list(cache.rglob("*.npy"))


def test_a_class_that_is_never_trained_is_named() -> None:
    names = [f"train/{c}/{i}.png" for c in ("cat", "dog") for i in range(5)]
    found = arrange([*names, "test/Cat/1.png", "test/dog/1.png"], 0.1)
    assert found.notes == ("no training images of the class Cat",)


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    folder_of(tmp_path / "shared", {f"{c}/{i}.png": png(i) for c in "ab" for i in range(4)})
    folder_of(tmp_path / "set", {f"train/{c}/{i}.png": png(i) for c in "ab" for i in range(10)})
    (tmp_path / "set/test").symlink_to(tmp_path / "shared")
    (tmp_path / "set/train/a/up").symlink_to(tmp_path / "set")
    data = ImageFolder(path="set").load(tmp_path)
    assert (len(data.train), len(data.test), data.warnings) == (20, 8, ())
    (tmp_path / "set/validation").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"validation: cannot be read.*is a link: .*gone"):
        ImageFolder(path="set").load(tmp_path)


def test_files_passed_over_are_counted(tmp_path: Path) -> None:
    files = {f"{i}.png": png(i) for i in range(4)} | {"a.txt": b"", "b.txt": b"", "README": b""}
    says = ("image_folder: passed over 3 of the files in {}, which are not called as images are: "
            "2 with .txt, 1 with no suffix")
    folder_of(tmp_path / "set", files)
    zip_of(tmp_path / "set.zip", files)
    for name in ("set", "set.zip"):
        assert ImageFolder(path=name).load(tmp_path).warnings == (says.format(name),)
    folder_of(tmp_path / "other", {"a.svg": b"", "b.svg": b""})
    with pytest.raises(DataError, match="holds no images among its 2 files"):
        ImageFolder(path="other").load(tmp_path)


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "pbm", "pgm", "pnm", "tga", "jp2", "avif",
                                    "bmp", "dib", "gif", "tiff", "webp", "apng", "JPG"])
def test_every_suffix_of_a_format_is_read(tmp_path: Path, suffix: str) -> None:
    for i in range(3):
        image = Image.new("1" if suffix == "pbm" else "L", (16, 16), 255 * (i % 2))
        image.save(tmp_path / f"{i}.{suffix}", "PPM" if suffix in ("pgm", "pnm") else None)
    data = ImageFolder(path=str(tmp_path), channels=1).load(tmp_path)
    assert len(data.train) + len(data.test) == 3
    values = torch.cat([data.train.x, data.test.x]).int()
    assert sorted(values.flatten(1).float().mean(1).round().tolist()) == [0, 0, 255]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"{i}.png": png(i) for i in range(4)})
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb") as file:
        file.write(png(9))
    data = ImageFolder(path=str(tmp_path)).load(tmp_path)
    assert len(data.train) + len(data.test) == 5
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=r"caf\\udce9\.png: corrupt") as caught:
        ImageFolder(path=str(tmp_path)).load(tmp_path)
    str(caught.value).encode()


def test_windows_zips_and_names_that_are_there_twice(tmp_path: Path) -> None:
    zip_of(tmp_path / "w.zip", {name.replace("/", "\\"): raw for name, raw in CLASSED.items()})
    assert ImageFolder(path="w.zip").load(tmp_path).class_names == ("cat", "dog")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a.png", png(1))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", png(2))
    with pytest.raises(DataError, match=r"a\.png: there twice"):
        ImageFolder(path="twice.zip").load(tmp_path)


def test_a_folder_is_one_however_it_is_spelt(tmp_path: Path) -> None:
    spelt = {ImageFolder(path=path).path for path in ("faces", "./faces", "faces/", ".//faces/.")}
    assert spelt == {"faces"}


@pytest.mark.slow
@pytest.mark.skipif("GENBENCH_DATA" not in os.environ, reason="needs GENBENCH_DATA")
def test_cifar_as_a_zip_of_jpegs() -> None:
    root = Path(os.environ["GENBENCH_DATA"])
    if not (root / "cifar10-jpeg.zip").exists():
        pytest.skip("needs cifar10-jpeg.zip")
    data = ImageFolder(path="cifar10-jpeg.zip").load(root)
    assert data.train.x.shape == (50_000, 3, 32, 32)
    assert torch.bincount(data.test.y).tolist() == [1000] * 10
    assert torch.bincount(data.test.y[:1000], minlength=10).min() > 60
    assert float(data.train.x.double().mean() / 255) == pytest.approx(0.4734, abs=0.005)
