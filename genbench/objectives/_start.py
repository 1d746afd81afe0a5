"""The start from data that several objectives give a model."""

from genbench.models.base import DataInitialisation
from genbench.objectives.base import Draw, Model, Noise

START_POINTS = 2000
"""Training data shown to a model that starts from the data (the k-means of a mixture)."""


def start_from_data(model: Model, draw: Draw, noise: Noise, points: int = START_POINTS) -> None:
    """Let a model that has `initialise` place itself on the data; it does so once."""
    if isinstance(model, DataInitialisation):
        model.initialise(draw(points, noise.child("data")).x, noise)
