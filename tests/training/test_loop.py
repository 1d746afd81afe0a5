"""The loop: who moves when, that it resumes with the same bits, and that it sees a NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from genbench.data.base import Data, Split
from genbench.data.feed import Feed
from genbench.data.scaling import Scaling
from genbench.errors import Diverged, GenbenchError
from genbench.fields import Optimiser
from genbench.noise import Noise
from genbench.objectives.base import Batch, Player
from genbench.objectives.sum import WeightedSum
from genbench.training.loop import Interrupted, Settings, Stage, Training
from genbench.training.optimisers import PlayerOptimiser, check_groups, learning_rate


class Line(nn.Module):
    """y = w·x, with a batch norm so that there are buffers to keep, and dropout.

    Dropout draws from torch's own generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(nn.functional.dropout(x, 0.2, self.training)) @ self.weight


class Sides(nn.Module):
    """Two players: a critic that moves twice, and the model."""

    plays = ("critic", "model")

    def __init__(self, poison_at: int | None = None) -> None:
        super().__init__()
        self.critic = nn.Linear(2, 1)
        self.poison_at = poison_at
        self.seen: list[tuple[str, bool, bool]] = []
        self.prepared = 0

    def players(self, model: nn.Module) -> list:
        from genbench.objectives.base import Player

        return [
            Player("critic", {"": list(self.critic.parameters())}, times=2),
            Player("model", {"": list(model.parameters())}),
        ]

    def begin(self, updates: int) -> None:
        pass

    def prepare(self, model: nn.Module, draw: object, noise: Noise) -> None:
        self.prepared += 1

    def loss(self, player: str, model: nn.Module, batch: Batch, noise: Noise) -> Mapping:
        moving = (self.critic.weight.requires_grad, model.weight.requires_grad)
        self.seen.append((player, *moving))
        jitter = noise.normal("jitter", *batch.x.shape)
        out = model(batch.x + 0.1 * jitter) + self.critic(batch.x)[:, 0]
        value = (out - 1).square().mean()
        if self.poison_at is not None and len(self.seen) == self.poison_at:
            value = value * math.nan
        return {"square": value}

    def log(self, player: str, model: nn.Module, batch: Batch, noise: Noise) -> Mapping:
        return {}

    def after_update(self, player: str, model: nn.Module, batch: Batch, step: int) -> None:
        pass


class Quiet:
    """Hooks that keep what was saved, and stop where they are told to."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.saved, self.seen = stop_at, [], 0

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        self.seen = update

    def stopping(self) -> bool:
        return self.stop_at is not None and self.seen >= self.stop_at

    def save(self, training: Training) -> None:
        tensors, meta = training.state()
        self.saved.append(({k: v.clone() for k, v in tensors.items()}, meta))


def make(
    updates: int = 20, stages: int = 1, poison_at: int | None = None,
    objective: nn.Module | None = None,
) -> Training:
    torch.manual_seed(0)
    rows = torch.randn(50, 2)
    data = Data("points", (2,), test=Split(rows), train=Split(rows))
    model = Line()
    settings = Settings(
        Optimiser(lr=0.01, schedule="cosine"), {"critic": Optimiser(name="rmsprop")}, ema=0.9,
        every=1,
    )
    feed = Feed(data, Scaling("raw"), 8, Noise(3))
    parts = [
        Stage(WeightedSum([(1.0, objective or Sides(poison_at))]), updates)  # type: ignore[list-item]
        for _ in range(stages)
    ]
    return Training(model, parts, feed, Noise(4), settings)  # type: ignore[arg-type]


def test_the_critic_moves_twice_and_the_other_stands_still() -> None:
    training = make(updates=2)
    training.run(Quiet())
    log = training.stages[0].objective.objectives[0].seen
    assert log == [("critic", True, False)] * 2 + [("model", False, True)] + (
        [("critic", True, False)] * 2 + [("model", False, True)]
    )


def test_an_interrupted_run_ends_with_the_same_bits() -> None:
    whole = make(updates=12, stages=2)
    whole.run(Quiet())
    for stop_at in (1, 7, 12, 13, 23):
        first, hooks = make(updates=12, stages=2), Quiet(stop_at)
        with pytest.raises(Interrupted):
            first.run(hooks)
        again = make(updates=12, stages=2)
        again.restore(*hooks.saved[-1])
        again.run(Quiet())
        for (name, a), (_, b) in zip(
            whole.state()[0].items(), again.state()[0].items(), strict=True
        ):
            assert torch.equal(a, b), (stop_at, name)
        assert whole.curves.rows == again.curves.rows


def test_stages_prepare_once_each() -> None:
    training = make(updates=3, stages=2)
    training.run(Quiet())
    assert [s.objective.objectives[0].prepared for s in training.stages] == [1, 1]


def test_nan_is_named_with_the_update_in_which_it_appeared() -> None:
    training = make(updates=20, poison_at=3 * 6 + 1)  # first move of the seventh update
    with pytest.raises(Diverged) as caught:
        training.run(Quiet())
    assert caught.value.term == "critic.square"
    assert caught.value.update == 7


def test_a_parameter_that_ends_as_nan_is_seen() -> None:
    training = make(updates=2)
    training.settings.optimisers["model"] = Optimiser(name="sgd", lr=3e38)  # type: ignore[index]
    with pytest.raises(Diverged):
        training.run(Quiet())


def test_curves_are_means_over_stretches() -> None:
    training = make(updates=6)
    training.curves.every = 3
    training.run(Quiet())
    rows = [r for r in training.curves.rows if r["player"] == "model"]
    assert [r["update"] for r in rows] == [3, 6]
    fine = make(updates=6)
    fine.run(Quiet())
    values = [r["value"] for r in fine.curves.rows if r["player"] == "model"]
    assert rows[0]["value"] == pytest.approx(sum(values[:3]) / 3)


def test_the_average_follows_by_its_rule() -> None:
    training = make(updates=0)
    assert training.average is not None
    with torch.no_grad():
        training.model.weight.fill_(1.0)  # type: ignore[union-attr]
    training.average.update(0)  # decay (1 + 0)/(10 + 0)
    assert training.average.model.weight.tolist() == pytest.approx([0.9, 0.9])


def test_the_moments_of_batch_norm_are_averaged_with_the_weights_and_counts_are_copied() -> None:
    training = make(updates=0)
    assert training.average is not None
    norm = training.model.norm  # type: ignore[union-attr]
    norm.running_mean.fill_(1.0)
    norm.num_batches_tracked.fill_(7)
    training.average.update(0)
    norm.running_mean.fill_(100.0)  # of weights that the average has not seen
    average = training.average.read().norm
    assert average.running_mean.tolist() == pytest.approx([0.9, 0.9])
    assert average.num_batches_tracked == 7


@pytest.mark.parametrize(
    ("schedule", "update", "factor"),
    [("constant", 5, 1.0), ("linear", 5, 0.5), ("cosine", 5, 0.5), ("cosine", 0, 1.0)],
)
def test_schedules(schedule: str, update: int, factor: float) -> None:
    spec = Optimiser(schedule=schedule)  # type: ignore[arg-type]
    assert learning_rate(spec, update, 10) == pytest.approx(factor)


def test_warmup_rises_linearly() -> None:
    spec = Optimiser(warmup=4)
    assert [learning_rate(spec, u, 10) for u in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


class CriticAlone(Sides):
    """The model stands still."""

    plays = ("critic",)

    def players(self, model: nn.Module) -> list:
        return super().players(model)[:1]


def test_batch_norm_of_a_model_that_stands_still_keeps_its_moments() -> None:
    training = make(objective=CriticAlone())
    before = {key: value.clone() for key, value in training.model.state_dict().items()}
    training.run(Quiet())
    for key, value in training.model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_a_group_has_every_setting_of_its_own() -> None:
    plain, own, tied = (nn.Parameter(torch.ones(3)) for _ in range(3))
    player = Player("model", {"": [plain], "own": [own], "tied": [tied]})
    default = Optimiser(name="adam", lr=0.1, betas=(0.5, 0.9), clip=1.0)
    sgd = Optimiser(name="sgd", lr=0.5, momentum=0.9, weight_decay=0.1)
    moving = PlayerOptimiser(player, default, {"model.own": sgd}, updates=10)
    moved = torch.ones(3, requires_grad=True)
    alone = torch.optim.SGD([moved], 0.5, momentum=0.9, weight_decay=0.1)
    for update in range(4):
        moving.zero()
        for parameter in (plain, own, tied, moved):
            parameter.grad = torch.full((3,), 2.0)
        moving.step(update)
        alone.step()
    assert own.tolist() == pytest.approx(moved.tolist())
    assert plain.grad is not None
    assert tied.grad is not None
    assert torch.cat((plain.grad, tied.grad)).norm().item() == pytest.approx(1)  # clipped as one
    assert own.grad is not None
    assert own.grad.tolist() == [2.0, 2.0, 2.0]
    again = PlayerOptimiser(player, default, {"model.own": sgd}, updates=10)
    again.restore(moving.state())
    assert {k: v.tolist() for k, v in again.state().items()} == {
        k: v.tolist() for k, v in moving.state().items()
    }


def test_settings_of_a_group_that_nobody_moves_are_refused() -> None:
    settings = {"critic.heads": Optimiser()}
    with pytest.raises(GenbenchError, match=r"'critic\.heads'"):
        check_groups([Player("critic", {"": []})], settings)


class Controlled(Sides):
    """One whose preparation and control move the model."""

    def prepare(self, model: nn.Module, draw: object, noise: Noise) -> None:
        self.prepared += 1
        model.weight.data.fill_(7.0)  # type: ignore[union-attr, operator]

    def after_update(self, player: str, model: nn.Module, batch: Batch, step: int) -> None:
        model.weight.data.add_(1.0)  # type: ignore[union-attr, operator]


def test_an_objective_of_weight_0_moves_nothing_and_asks_for_no_moves() -> None:
    watched = Controlled()
    training = make(objective=watched)
    training.stages[0].objective.weights[0] = 0.0
    before = {key: value.clone() for key, value in training.model.state_dict().items()}
    training.run(Quiet())
    assert watched.prepared == 1
    for key, value in training.model.state_dict().items():
        if not key.endswith("num_batches_tracked"):  # a count that nothing is computed from
            assert torch.equal(value, before[key]), key
    assert [who for who, *_ in watched.seen[:2]] == ["critic", "model"]
    assert {row["term"] for row in training.curves.rows} == {"square"}


def test_the_rows_of_every_move_are_counted_and_kept() -> None:
    whole = make(updates=12)
    whole.run(Quiet())
    assert whole.rows == 12 * 3 * 8
    first, hooks = make(updates=12), Quiet(5)
    with pytest.raises(Interrupted):
        first.run(hooks)
    again = make(updates=12)
    again.restore(*hooks.saved[-1])
    again.run(Quiet())
    assert again.rows == whole.rows
    again._draw(100, Noise(0))
    assert again.rows == whole.rows + 100
