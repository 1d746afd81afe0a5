from __future__ import annotations

import io
import json
import math
import os
import stat

import numpy as np
import pytest

from genbench.errors import StoreError
from genbench.store.files import replace_file, write_bytes, write_json, write_npz, write_text


def test_json_is_sorted_and_ends_with_a_line_end(tmp_path):
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"b": 0.1, "a": "ü"})
    assert path.read_text() == '{\n "a": "ü",\n "b": 0.1\n}\n'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_json_cannot_say(tmp_path, value):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": value})
    assert json.loads(path.read_text()) == {"a": 1}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(temporary):
        temporary.write_text("half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"a\.txt: No space left on device"):
        replace_file(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_interrupt_leaves_no_temporary_file(tmp_path):
    def interrupt(temporary):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "a.txt", interrupt)
    assert os.listdir(tmp_path) == []


def test_a_file_in_place_of_a_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write") as error:
        write_bytes(tmp_path / "file" / "a", b"x")
    assert "\n" not in str(error.value)


def test_others_may_read_what_is_written(tmp_path):
    mask = os.umask(0o022)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_npz_bytes_depend_on_the_arrays_alone(tmp_path):
    a, b = np.arange(6.0).reshape(2, 3), np.zeros((2, 2), np.uint8)
    write_npz(tmp_path / "1.npz", {"a": a, "b": b})
    write_npz(tmp_path / "2.npz", {"b": b, "a": a})
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    with np.load(io.BytesIO((tmp_path / "1.npz").read_bytes())) as loaded:
        assert (loaded["a"] == a).all()


def test_npz_refuses_pickles(tmp_path):
    with pytest.raises(ValueError, match=r"[Oo]bject arrays"):
        write_npz(tmp_path / "a.npz", {"a": np.array([object()])})
    assert os.listdir(tmp_path) == []
