"""The contract of a model, and the table of what one may be able to do: the capabilities.

A capability is a protocol, a class of `Capability`. An objective asks for it by `Objective[…]`, a
metric by its name in lower case in `needs`. That a model has it shows in its source by the first
method (models derive from none); how its docstring begins is what users are told.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from torch import Tensor, nn

from genbench.configured import Configured
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.noise import Noise

__all__ = [
    "Bound", "Capability", "DataInitialisation", "Denoiser", "Density", "Encoder", "Fit",
    "Latent", "LatentCodes", "LatentMixture", "LearnedVariance", "Mixture",
    "MixtureOfGenerators", "Model", "Noise", "Space", "SplitBound", "StochasticEncoder",
    "VariationalDenoiser", "capability", "conditioning",
]


class Model(nn.Module, Configured, ABC):
    """A distribution over data: noise → generate → samples.

    A concrete model declares its options as typed fields and makes its networks in `build`.
    Initialisation may use torch's global generator: the harness seeds and forks it.

    Class constants, read without importing:
        accepts: the kinds of data that the model can be built for.
        conditional: whether every method that takes a `context` needs one, and so a labelled
            dataset; the others refuse it.
        named_groups: the names of `groups`, but ''.
        refuses: options that cannot go together, with the reason (see `lookup.refusals`).
        expensive: what makes it slow (see `evaluation.Metric`).
        version: raised whenever its results, or the meaning of a default, change: such runs are
            others.
        changed: version → the options for which it changed results (in the words of `refuses`;
            also "data", "precision", "model" and "conditional"); for all where it is not there.
        formerly: options that came later → the values that runs before them amount to.
        retired: options that are gone → the values with which they did nothing.
        aliases: former names of options → the options.
        cite: keys of references.bib, or BibTeX entries.
    Attribute, after build:
        discrete: whether `log_prob` or `log_weights` is the log *probability* of a quantised
            image (a discretised-logistic or Bernoulli decoder), not a density.
        likelihood_reason: why neither has a meaning on this data; None where they have one.
    """

    component_kind: ClassVar[str] = "model"
    accepts: ClassVar[tuple[str, ...]] = ("points", "images")
    conditional: ClassVar[bool] = False
    named_groups: ClassVar[tuple[str, ...]] = ()
    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = ()
    expensive: ClassVar[tuple[tuple[dict[str, object], str], ...]] = ()
    version: ClassVar[int] = 1
    changed: ClassVar[Mapping[int, Mapping[str, object]]] = {}
    formerly: ClassVar[Mapping[str, object]] = {}
    retired: ClassVar[Mapping[str, object]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    cite: ClassVar[str] = ""
    discrete: bool = False
    likelihood_reason: str | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in CONDITIONED & vars(cls).keys():
            setattr(cls, name, _checking_context(vars(cls)[name]))

    def __init__(self, space: Space, **options: object) -> None:
        super().__init__()
        self.configure(options)
        self.refuse(data=space.kind)
        self.space = space
        self.build(space)

    @abstractmethod
    def build(self, space: Space) -> None:
        """Make the networks and parameters for data of this space.

        Raises:
            GenbenchError: the model, with these options, is not for such data.
        """

    @abstractmethod
    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        """`n` samples (n, *shape) on the scaled data's range, differentiable in the parameters.

        `context` is what each sample of a conditional model is conditioned on: class labels (n,)
        int64, or numbers (n, K), as the space says.
        """

    @classmethod
    def preferred_scaling(cls, kind: Literal["points", "images"], **options: object) -> tuple[
        str, bool
    ]:
        """The (scale, dequantise) that this model with these options is used with by default."""
        return ("standard", False) if kind == "points" else ("symmetric", False)

    def check_context(self, context: Tensor | None, rows: int) -> None:
        """Refuse a context that the model would ignore, or that its space does not describe.

        Raises:
            GenbenchError: the reason.
        """
        name = type(self).__name__
        if not self.conditional:
            if context is not None:
                raise GenbenchError(f"{name} is not conditional and takes no context")
            return
        if context is None:
            raise GenbenchError(
                f"{name} is conditional and needs a context for each of {rows} rows"
            )
        self.space.check_context(context, rows)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Named groups of parameters that may learn at rates of their own; '' is the rest."""
        return {"": list(self.parameters())}


CONDITIONED = {
    "generate", "log_prob", "log_weights", "bound_terms", "encode", "encode_draw", "decode",
}
"""The methods of models that a conditional one gives a `context`."""


def _checking_context(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which now refuses a context that does not fit; see `Model.check_context`."""
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    names = ["context" if name == "labels" else name for name in names]  # its name before

    @functools.wraps(method)
    def checking(self: Model, *args: Any, **options: Any) -> Any:
        given = dict(zip(names, args)) | options
        rows = given[names[0]]
        self.check_context(given.get("context"), rows if isinstance(rows, int) else len(rows))
        return method(self, *args, **options)

    return checking


def conditioning(model: Model, labels: Tensor | None) -> dict[str, Tensor | None]:
    """The keyword `context` for a conditional model, and none for the others."""
    return {"context": labels} if model.conditional else {}


if TYPE_CHECKING:  # to a type checker, what is asked for a capability is a model
    Capability = Model
    _T = TypeVar("_T")

    def capability(protocol: _T) -> _T:
        """Beside `Capability`: whether a model has it can be asked by `isinstance`."""
        return protocol
else:
    from typing import Protocol as Capability
    from typing import runtime_checkable as capability


@capability
class Density(Capability):
    """Exact density."""

    @abstractmethod
    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Exact log density of scaled data x (B, *shape), nats, (B,)."""


@capability
class Mixture(Capability):
    """Component densities, of a mixture of T components."""

    @abstractmethod
    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density of x under each component, nats, (B, T)."""

    @abstractmethod
    def mixture_log_weights(self) -> Tensor:
        """Log weights (T,) that sum to 1 as probabilities."""


@capability
class Bound(Capability):
    """Likelihood bound, by importance weights."""

    @abstractmethod
    def log_weights(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> Tensor:
        """k independent log importance weights log p(x, z) − log q(z ∣ x), nats, (k, B).

        Their mean is the ELBO; log-mean-exp over k is the importance-weighted bound.
        """


@capability
class SplitBound(Bound, Capability):
    """Closed-form KL, the ELBO's second term."""

    @abstractmethod
    def bound_terms(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The terms of the negative ELBO by name, nats, (B,) each."""


@capability
class Latent(Capability):
    """Latent code, which a decoder maps to data."""

    latent: int
    """The dimensions d of the code."""

    @abstractmethod
    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """The (mean) data of codes z (B, d), (B, *shape)."""


@capability
class Encoder(Capability):
    """Encoder, of data to codes and back."""

    @abstractmethod
    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """The (mean) code of x (B, *shape), (B, d)."""

    @abstractmethod
    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """The (mean) data of codes z (B, d), (B, *shape)."""


@capability
class StochasticEncoder(Encoder, Capability):
    """Stochastic encoder."""

    @abstractmethod
    def encode_draw(self, x: Tensor, noise: Noise, context: Tensor | None = None) -> Tensor:
        """A draw from q(z ∣ x) for each x (B, *shape), (B, d)."""


@capability
class LatentCodes(Capability):
    """Codes, which samples follow: some categorical and some on [−1, 1]."""

    categories: list[int]
    """The number of values of each categorical code."""
    continuous: int
    """The number of continuous codes."""

    @abstractmethod
    def draw_codes(self, n: int, noise: Noise) -> Tensor:
        """Codes (n, K + C) float32 from their prior: indices in the first K columns."""

    @abstractmethod
    def generate_from_codes(self, codes: Tensor, noise: Noise) -> Tensor:
        """A sample (n, *shape) for each row of codes (n, K + C)."""


@capability
class MixtureOfGenerators(Capability):
    """Several generators, a weighted mixture of them without a density."""

    @abstractmethod
    def generate_components(self, n: int, noise: Noise) -> Tensor:
        """n samples of every generator, (T, n, *shape)."""

    @abstractmethod
    def component_log_weights(self) -> Tensor:
        """Log weights (T,) that sum to 1 as probabilities."""


@capability
class LatentMixture(Capability):
    """Latent prior that is a mixture of Gaussians, with learned variances."""

    @abstractmethod
    def latent_scales(self) -> Tensor:
        """Standard deviations (T, latent) of the latent's components."""


@capability
class Denoiser(Capability):
    """Prediction of the noise, of a diffusion in discrete time."""

    steps: int

    @abstractmethod
    def predict_noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        """The predicted noise of x_t (B, *shape) at step t (B,), (B, *shape)."""

    @abstractmethod
    def diffuse(self, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """x noised to step t (B,) int64 in [0, steps) with noise eps, (B, *shape)."""


@capability
class VariationalDenoiser(Denoiser, Capability):
    """Variational weights of the diffusion steps."""

    @abstractmethod
    def bound_weights(self, t: Tensor) -> Tensor:
        """Weight of each step's squared error in the variational bound, nats, (B,) of t (B,)."""


@capability
class LearnedVariance(Denoiser, Capability):
    """Learned variance of the diffusion steps."""

    learned: bool
    """Whether the variance is learned; without it the methods are not for use."""

    @abstractmethod
    def step_bound(
        self, x: Tensor, x_t: Tensor, t: Tensor, eps: Tensor, sigma: Tensor
    ) -> Tensor:
        """The bound's term of step t for predicted noise eps and deviation sigma, nats."""

    @abstractmethod
    def predict(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted noise of x_t at step t and the standard deviation, (B, *shape) each."""


@capability
class DataInitialisation(Capability):
    """Data-dependent initialisation."""

    @abstractmethod
    def initialise(self, x: Tensor, noise: Noise) -> None:
        """Place the model on training data x (N, *shape), before the first update; once.

        A model whose `one_of_each_class` is true is given one example of each class.
        """


@capability
class Fit(Capability):
    """Fit of its own, without gradients."""

    @abstractmethod
    def fit(self, x: Tensor, seed: int) -> None:
        """Fit the model to training data x (N, *shape)."""
