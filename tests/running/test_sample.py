"""A finished run is drawn from with its own files alone: the data may be gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from genbench.store.runs import Store

SUITE = """
datasets:
  pictures: {use: image_folder, path: pictures}
  cloud: {use: "cloud.py:Cloud"}
seeds: 1
budget: {updates: 3, batch: 16}
methods:
  cgan: {datasets: [pictures]}
  nice: {model: {widths: [8]}}
protocol: {samples: 20, sets: 1}
evaluate: [nll]
"""
CLOUD = """
import numpy as np
import torch
from genbench.data.base import Data, Dataset, Split

class Cloud(Dataset):
    kind = "points"

    def load(self, root, *, offline=False):
        x = torch.from_numpy(np.loadtxt(root / "cloud.txt", dtype=np.float32))
        return Data("points", (2,), test=Split(x[:30]), train=Split(x[30:]))
"""


def test_samples_without_the_data(genbench, folder: Path) -> None:
    draw = np.random.default_rng(0)
    for name, low in (("cats", 0), ("dogs", 100)):
        (folder / "pictures" / name).mkdir(parents=True)
        for i in range(30 if low else 10):
            pixels = draw.integers(low, low + 100, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / name / f"{i}.png")
    np.savetxt(folder / "cloud.txt", draw.normal(3, [1, 50], (90, 2)))
    (folder / "cloud.py").write_text(CLOUD)
    (folder / "three.yaml").write_text(SUITE)
    genbench("run", "three.yaml", "--data", ".")
    shutil.rmtree(folder / "pictures")
    (folder / "cloud.txt").unlink()
    trained = [p for p in (folder / "results/three/runs").glob("[!.]*") if p.name[:4] != "real"]
    assert len(trained) == 3
    for run in trained:
        genbench("sample", run.name, "--n", "20", "--out", "drawn.npz")
        with np.load(folder / "drawn.npz") as drawn, np.load(run / "samples.npz") as stored:
            kept = stored["samples"]
            assert len(kept) >= 4
            np.testing.assert_array_equal(drawn["samples"][: len(kept)], kept[:20])


@pytest.mark.usefixtures("finished")
def test_a_checkpoint_of_before_asks_for_the_data(genbench, folder: Path) -> None:
    """What was stored without an outline of its data is drawn from as it was."""
    run = next(p for p in (folder / "results/tiny/runs").iterdir() if p.name.startswith("flow"))
    path = run / "checkpoint.safetensors"
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    meta = json.loads(header["__metadata__"]["genbench"])
    del meta["data"], meta["sum"]
    save_file(load_file(path), path, {"genbench": json.dumps(meta)})
    with Store(run.parents[1]).claim(run.name) as held:
        held.seal()
    genbench("sample", run.name, "--n", "30", "--out", "points.npz")
    with np.load(folder / "points.npz") as drawn, np.load(run / "samples.npz") as stored:
        np.testing.assert_array_equal(drawn["samples"], stored["samples"][:30])
