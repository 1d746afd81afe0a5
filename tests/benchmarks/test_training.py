"""The loop against the same step written out by hand, and the feed against a DataLoader."""

from __future__ import annotations

import gzip
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from _ratios import interleaved
from pytest_benchmark.fixture import BenchmarkFixture

from genbench.data.base import Data, Split
from genbench.data.feed import Feed
from genbench.data.ring import Ring
from genbench.data.scaling import Scaling, scaling_for
from genbench.fields import Optimiser
from genbench.models.dcgan import DCGAN
from genbench.models.generator import Generator
from genbench.models.nice import NICE
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.likelihood import Likelihood
from genbench.objectives.sum import WeightedSum
from genbench.training.loop import Settings, Stage, Training

Ratio = Callable[[str, str, str], None]


class Quiet:
    def progress(self, update: int, losses: Mapping[str, float]) -> None: ...
    def stopping(self) -> bool:
        return False

    def save(self, training: Training) -> None: ...


def images(n: int = 10_000) -> Data:
    """Images of MNIST's size; what they show does not matter to the clock."""
    x = torch.randint(256, (n, 1, 28, 28), dtype=torch.uint8)
    split = Split(x, torch.randint(10, (n,)))
    return Data("images", (1, 28, 28), test=split, train=split, classes=10, levels=256)


@pytest.mark.parametrize(
    ("kind", "updates", "rounds"), [(Generator, 30, 11), (DCGAN, 1, 9)], ids=["mlp", "dcgan"]
)
def test_wgan_gp_on_mnist(
    benchmark: BenchmarkFixture, ratio: Ratio, kind: type, updates: int, rounds: int
) -> None:
    data, batch = images(), 64
    scaling = Scaling("symmetric")
    adam = Optimiser(lr=1e-4, betas=(0.5, 0.9))

    def harness() -> None:
        torch.manual_seed(0)
        model = kind(scaling.space(data))
        objective = Adversarial(
            model, loss="wasserstein", penalty="gradient", penalty_weight=10.0, critic_steps=5
        )
        training = Training(
            model, [Stage(WeightedSum([(1.0, objective)]), updates)],
            Feed(data, scaling, batch, Noise(1)), Noise(2), Settings(adam),
        )
        training.run(Quiet())

    def by_hand() -> None:
        torch.manual_seed(0)
        model = kind(scaling.space(data))
        critic = Adversarial(model, loss="wasserstein").network
        g = torch.optim.Adam(model.parameters(), 1e-4, (0.5, 0.9), fused=True)
        d = torch.optim.Adam(critic.parameters(), 1e-4, (0.5, 0.9), fused=True)
        rows = data.train.x  # type: ignore[union-attr]

        def net() -> torch.Tensor:
            return model.decode(torch.randn(batch, model.latent)).reshape(batch, 1, 28, 28)

        order, at = torch.randperm(len(rows)), 0
        for _ in range(updates):
            for _ in range(5):
                real = rows[order[at:at + batch]].float() / 127.5 - 1
                at = (at + batch) % (len(rows) - batch)
                with torch.no_grad():
                    fake = net()
                a = torch.rand(batch, 1, 1, 1)
                x = (a * real + (1 - a) * fake).requires_grad_()
                r, f = critic(torch.cat((real, fake))).chunk(2)
                (grad,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
                penalty = (grad.flatten(1).norm(dim=1) - 1).square().mean()
                d.zero_grad()
                (f.mean() - r.mean() + 10 * penalty).backward()
                d.step()
            for p in critic.parameters():
                p.requires_grad_(False)
            g.zero_grad()
            (-critic(net()).mean()).backward()
            g.step()
            for p in critic.parameters():
                p.requires_grad_(True)

    ours, theirs = interleaved(harness, by_hand, rounds=rounds)
    benchmark.extra_info["ratio"] = ours / theirs
    what = f"WGAN-GP update on MNIST ({kind.__name__}), loop / by hand"
    ratio(what, f"{ours / theirs:.3f}", "≤ 1.05")
    benchmark.pedantic(harness, rounds=1)


def test_nice_on_the_ring(benchmark: BenchmarkFixture, ratio: Ratio) -> None:
    data = Ring(modes=6, radius=5.0, variance=0.1).load(Path())
    scaling, updates, batch = scaling_for(data, "raw", False), 150, 300
    truth = data.truth
    assert truth is not None

    def model() -> NICE:
        torch.manual_seed(0)
        return NICE(scaling.space(data), couplings=4, widths=[100] * 5)

    def harness() -> None:
        nice = model()
        training = Training(
            nice, [Stage(WeightedSum([(1.0, Likelihood(nice))]), updates)],
            Feed(data, scaling, batch, Noise(1)), Noise(2), Settings(Optimiser(lr=1e-3)),
        )
        training.run(Quiet())

    angles = torch.arange(6) * (2 * torch.pi / 6)
    centres = 5 * torch.stack((angles.cos(), angles.sin()), 1)

    def by_hand() -> None:
        nice = model()
        adam = torch.optim.Adam(nice.parameters(), 1e-3, fused=True)
        for _ in range(updates):
            x = centres[torch.randint(6, (batch,))] + 0.1**0.5 * torch.randn(batch, 2)
            loss = -nice.log_prob(x).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            loss.item()

    ours, theirs = interleaved(harness, by_hand, rounds=15)
    benchmark.extra_info["ratio"] = ours / theirs
    ratio("NICE update on the ring, loop / by hand", f"{ours / theirs:.3f}", "≤ 1.05")
    benchmark.pedantic(harness, rounds=3)


def _write_mnist(root: Path, n: int) -> None:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        for name, magic, array in (
            (f"{part}-images-idx3-ubyte", 2051, pixels),
            (f"{part}-labels-idx1-ubyte", 2049, labels),
        ):
            header = struct.pack(f">{1 + array.ndim}i", magic, *array.shape)
            (raw / name).write_bytes(header + array.tobytes())
            with gzip.open(raw / f"{name}.gz", "wb", compresslevel=1) as file:
                file.write(header + array.tobytes())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_feed_against_a_data_loader(
    benchmark: BenchmarkFixture, ratio: Ratio, tmp_path: Path
) -> None:
    from torchvision import transforms
    from torchvision.datasets import MNIST

    n, batch = 6_400, 64
    _write_mnist(tmp_path, n)
    to_tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    loader = torch.utils.data.DataLoader(
        MNIST(tmp_path, transform=to_tensor), batch_size=batch, shuffle=True
    )
    feed = Feed(images(n), Scaling("symmetric"), batch, Noise(1))

    def harness() -> None:
        for position in range(n // batch):
            feed.batch(position)

    def peer() -> None:
        for _ in loader:
            pass

    ours, theirs = interleaved(harness, peer, rounds=3, clock=time.perf_counter)
    benchmark.extra_info["ratio"] = theirs / ours
    ratio("feeding MNIST, DataLoader / tensor", f"{theirs / ours:.1f}", "≥ 10")
    benchmark.pedantic(harness, rounds=3)
