"""Adversarial training: a critic discriminates data from samples, a model is trained against it
(Goodfellow et al., 2014, arXiv:1406.2661). With D(x) = sigmoid(c(x)):

    minimax         min_G max_D  E log D(x) + E log(1 − D(G(z)))
    non_saturating  D as above;  max_G  E log D(G(z))
    least_squares   min_c ½E(c(x) − 1)² + ½E c(G(z))²;  min_G ½E(c(G(z)) − 1)²
    wasserstein     min_G max_c  E c(x) − E c(G(z)),  ‖c‖_L ≤ K
    hinge           min_c E max(0, 1 − c(x)) + E max(0, 1 + c(G(z)));  max_G E c(G(z))

Its parts are in `gan/`. A class-conditional model has a class-conditional critic: both are
conditioned on the batch's labels. A tutorial: Goodfellow, 2016, arXiv:1701.00160; more in
`genbench docs pointers`.

Feature matching, minibatch discrimination, virtual batch norm, label smoothing and historical
averaging: Salimans et al., 2016, arXiv:1606.03498; minibatch deviation: Karras et al., 2018,
arXiv:1710.10196; instance noise: Arjovsky, Bottou, 2017, arXiv:1701.04862.
"""

from genbench.objectives.base import Model
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss


class Adversarial(AdversarialGame):
    """A critic against the model; loss pair, penalty, critic and tricks are chosen by name."""

    cite = "goodfellow2014generative"

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        return []
