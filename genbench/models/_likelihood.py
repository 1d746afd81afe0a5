"""Why a model's density is no likelihood of the data that it was built for."""

from genbench.data.space import Space


def density_reason(space: Space) -> str | None:
    """The reason why a *density* of data of this space is meaningless, or None.

    A density of quantised images without dequantisation can grow without limit (Theis, van den
    Oord, Bethge, "A note on the evaluation of generative models", 2016,
    arXiv:1511.01844, section 3.1).
    """
    if space.levels is not None and not space.dequantised:
        return (
            f"a density of images with {space.levels} grey levels is unbounded; "
            "set dequantise: true for this method"
        )
    return None
