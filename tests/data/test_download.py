"""Fetching missing files, with torchvision's classes replaced: no test uses the network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torchvision.datasets

from genbench.data._download import ensure
from genbench.errors import DataError


def missing(root: Path) -> Callable[[], list[Path]]:
    return lambda: [path for path in [root / "raw" / "file"] if not path.exists()]


def test_a_download_brings_the_file_and_prints_to_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(root: str, *, download: bool) -> None:
        assert download
        assert socket.getdefaulttimeout() is not None
        print("Downloading")
        (Path(root) / "raw").mkdir()
        (Path(root) / "raw" / "file").touch()

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    ensure("MNIST", tmp_path / "new", missing(tmp_path / "new"), offline=False)
    assert (tmp_path / "new" / "raw" / "file").exists()
    assert capsys.readouterr().out == ""
    assert socket.getdefaulttimeout() is None


def test_a_failed_download_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(root: str, *, download: bool) -> None:
        raise OSError("Name or service not known\nmore")

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    with pytest.raises(DataError, match=r"\(OSError: Name or service not known\)") as caught:
        ensure("MNIST", tmp_path, missing(tmp_path), offline=False)
    assert "\n" not in str(caught.value)
    assert "genbench fetch SUITE" in str(caught.value)


def test_nothing_is_fetched_offline_or_when_all_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "MNIST", None)
    with pytest.raises(DataError, match="offline"):
        ensure("MNIST", tmp_path, missing(tmp_path), offline=True)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "file").touch()
    ensure("MNIST", tmp_path, missing(tmp_path), offline=False)
