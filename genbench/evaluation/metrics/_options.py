"""Options that several metrics share."""

from genbench.configured import Options
from genbench.fields import Literal


class FeatureOptions(Options):
    """The feature extractor of the samples and the reference."""

    extractor: Literal["auto", "classifier", "inception"] = "auto"
    """The network whose features are used; auto takes the classifier for labelled grey images."""


class ScaleOptions(Options):
    """The scale on which distances between points are taken."""

    scale: Literal["auto", "standard", "raw"] = "auto"
    """Points as they are (`raw`), or each column over its std in the test split (`standard`);
    `auto`: standard where there are several columns and the true density is not known."""
