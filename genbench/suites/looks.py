"""The looks that a suite plans: after how many seeds its claims are tested."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

LEAST = 3
"""Seeds of a first look: fewer have no spread to test by."""
MAX_SEEDS = 10_000


def _increasing(looks: list[int]) -> list[int]:
    if not looks or any(after <= before for before, after in pairwise(looks)):
        raise ValueError("numbers of seeds that increase, e.g. [5, 10, 20, 40]")
    return looks


Looks = Annotated[
    list[Annotated[int, Field(ge=LEAST, le=MAX_SEEDS)]], AfterValidator(_increasing)
]


def shares(looks: Sequence[int]) -> list[float]:
    """The share of the error that each look spends: that of the seeds that are new to it.

    This is the linear spending function α·t at t = n / N (K. Kim, D. L. DeMets, Design and
    analysis of group sequential tests based on the type I error spending rate function,
    Biometrika 74, 1987, https://doi.org/10.1093/biomet/74.1.149): looks that are planned as
    doublings spend more the later they come, and the first one enough to see what is large.
    """
    return [
        (seeds - before) / looks[-1]
        for before, seeds in zip([0, *looks], looks, strict=False)
    ]
