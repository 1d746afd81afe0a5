"""A mixture's components as one batched computation against the loop over them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from _ratios import interleaved
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from genbench.data.space import Space
from genbench.models.mixture import MixtureModel
from genbench.models.nice import NICE

Ratio = Callable[[str, str, str], None]
UPDATES, BATCH, COMPONENTS = 60, 300, 6
POINTS = Space("points", (2,))
NETS: dict[str, dict[str, object]] = {
    "the thesis's": {"couplings": 2, "widths": [50, 50, 50], "log_scale": 0.0},
    "larger": {"couplings": 4, "widths": [64, 64, 64], "log_scale": 0.0},
}


class Loop(nn.Module):
    """The same mixture, one flow after another."""

    def __init__(self, options: dict[str, object]) -> None:
        super().__init__()
        self.flows = nn.ModuleList(NICE(POINTS, **options) for _ in range(COMPONENTS))
        self.logits = nn.Parameter(torch.zeros(COMPONENTS))

    def log_prob(self, x: Tensor) -> Tensor:
        columns = [flow.log_prob(x) for flow in self.flows]  # type: ignore[operator]
        return torch.logsumexp(torch.stack(columns, 1) + self.logits.log_softmax(0), 1)


def trains(model: nn.Module) -> Callable[[], None]:
    """The same optimiser for both: Adam, fused."""
    adam = torch.optim.Adam(model.parameters(), 1e-3, (0.5, 0.9), fused=True)
    x = 5 * torch.randn(BATCH, 2)

    def run() -> None:
        for _ in range(UPDATES):
            loss = -model.log_prob(x).mean()  # type: ignore[operator]
            adam.zero_grad()
            loss.backward()
            adam.step()

    return run


@pytest.mark.parametrize("nets", list(NETS))
def test_stacked_components(benchmark: BenchmarkFixture, ratio: Ratio, nets: str) -> None:
    torch.set_flush_denormal(True)  # as the runner does
    torch.manual_seed(0)
    stacked = MixtureModel(
        POINTS, components=COMPONENTS, component_options=NETS[nets], start="random"
    )
    batched, looped = trains(stacked), trains(Loop(NETS[nets]))
    ours, theirs = interleaved(batched, looped, rounds=9)
    benchmark.extra_info["ratio"] = theirs / ours
    what = f"Mixflow update, {COMPONENTS} components ({nets} nets), loop / stacked"
    ratio(what, f"{theirs / ours:.2f}", "≥ 1.5")
    benchmark.pedantic(batched, rounds=1)
