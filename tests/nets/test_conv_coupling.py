"""The convolutional coupling: bijective, exact in evaluation mode, the same in a stack."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.mixture import MixtureModel
from genbench.models.nice import NICE
from genbench.nets.conv_coupling import ConvNetwork
from genbench.noise import Noise

IMAGES = Space("images", (1, 8, 8), levels=17, low=0.0, high=1.0, dequantised=True)
CNN = {"couplings": 3, "widths": [12], "network": "cnn", "channels": 4}


def warm(model: torch.nn.Module, x: torch.Tensor) -> torch.nn.Module:
    """In evaluation mode, with running moments from a batch."""
    model.train()
    model.log_prob(x)  # type: ignore[operator]
    return model.eval()


def data(n: int = 6) -> torch.Tensor:
    return Noise(1).uniform("x", n, 1, 8, 8).double()


def test_it_is_a_flow_of_volume_preserving_couplings() -> None:
    torch.manual_seed(0)
    model = warm(NICE(IMAGES, **CNN).double(), data())
    x = model.generate(4, Noise(2))
    z = Noise(2).normal("z", 4, 64).double()
    torch.testing.assert_close(model.to_base(x)[0], z)
    jacobian = torch.autograd.functional.jacobian(
        lambda v: model.flow.couplings(v[None])[0][0], data(1).flatten()
    )
    assert float(torch.linalg.slogdet(jacobian).logabsdet) == pytest.approx(0, abs=1e-9)
    alone = torch.cat([model.log_prob(row[None]) for row in data()])
    torch.testing.assert_close(model.log_prob(data()), alone)


def test_every_pixel_acts_on_every_other() -> None:
    torch.manual_seed(0)
    model = warm(NICE(IMAGES, **CNN).double(), data())
    jacobian = torch.autograd.functional.jacobian(
        lambda v: model.to_base(v.reshape(1, 1, 8, 8))[0][0], data(1).flatten()
    )
    assert (jacobian != 0).all(1).sum() >= 32


def test_a_stack_is_its_networks_side_by_side() -> None:
    torch.manual_seed(0)
    stacked = ConvNetwork(32, 32, size=(8, 8), widths=[12], channels=4, stack=3).double()
    x = torch.randn(3, 5, 32, dtype=torch.float64)
    together = stacked(x)
    for c in range(3):
        one = ConvNetwork(32, 32, size=(8, 8), widths=[12], channels=4).double()
        with torch.no_grad():
            for own, other in zip(one.dense, stacked.dense, strict=True):
                if hasattr(own, "weight"):
                    own.weight.copy_(other.weight[c].t())
                    own.bias.copy_(other.bias[c, 0])
            one.convolutions[0].weight.copy_(stacked.convolutions[0].weight[4 * c : 4 * c + 4])
            one.convolutions[3].weight.copy_(stacked.convolutions[3].weight[4 * c : 4 * c + 4])
            one.convolutions[3].bias.copy_(stacked.convolutions[3].bias[c : c + 1])
        torch.testing.assert_close(one(x[c]), together[c])


def test_a_mixture_of_them_learns_and_samples() -> None:
    torch.manual_seed(0)
    model = MixtureModel(
        IMAGES, components=3, component_options={**CNN, "base": "logistic"}, start="random"
    )
    x = data(12).float()
    model.log_prob(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.eval().generate(7, Noise(0)).shape == (7, 1, 8, 8)


def test_running_moments_are_those_of_data_however_much_is_sampled() -> None:
    torch.manual_seed(0)
    model, taught = NICE(IMAGES, **CNN).double(), NICE(IMAGES, **CNN).double()
    taught.load_state_dict(model.state_dict())
    x = data(50)
    for step in range(3):
        model.log_prob(x).sum().backward()
        taught.log_prob(x).sum().backward()
        model.generate(40, Noise(step)).sum().backward()  # a critic's gradient
        with torch.no_grad():
            model.log_prob(3 * x)  # a posterior that is a constant
    for key, value in taught.state_dict().items():
        torch.testing.assert_close(model.state_dict()[key], value, rtol=0, atol=0)


def test_what_is_sampled_in_training_is_the_inverse_of_what_is_evaluated() -> None:
    torch.manual_seed(0)
    model = warm(NICE(IMAGES, **CNN).double(), data()).train()
    drawn = model.generate(4, Noise(2))
    assert drawn.requires_grad
    torch.testing.assert_close(drawn, model.eval().generate(4, Noise(2)))


def test_bf16_moves_a_float32_half_and_is_undone() -> None:
    torch.manual_seed(0)
    model = warm(NICE(IMAGES, **CNN), data().float())
    x = data().float()
    with torch.autocast("cpu", torch.bfloat16):
        z, _ = model.to_base(x)
        back = model.from_base(z)
    assert z.dtype == torch.float32
    torch.testing.assert_close(back, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 6, 8), (1, 8, 10)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    space = Space("images", shape, levels=17, low=0.0, high=1.0, dequantised=True)
    with pytest.raises(GenbenchError, match="multiples of 4"):
        NICE(space, **CNN)
    with pytest.raises(GenbenchError, match="use mlp"):
        NICE(Space("points", (2,)), **CNN)
