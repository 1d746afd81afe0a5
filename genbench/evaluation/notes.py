"""Footnotes that a reader of a run's numbers needs."""

from genbench.errors import NotFinite
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.sample_sets import CHUNK


def notes(evidence: Evidence) -> list[str]:
    """Footnotes that a reader of the numbers needs; call it after `measure`."""
    found = list(evidence.data.warnings)
    if evidence.critic is not None and evidence.critic.tied and evidence.data.kind == "points":
        found.append("the critic's value has no picture: batch norm or minibatch layers tie the "
                     "examples of a batch, so that no point has a score by itself")
    for network in evidence.extractors():
        accuracy = getattr(network, "accuracy", None)
        if accuracy is not None:
            found.append(f"classifier test accuracy: {100 * accuracy:.2f} %")
        if network.name != "raw" and evidence.count <= network.dims:
            found.append(
                f"{network.name}: {evidence.count} samples for {network.dims} features; "
                "FID leans on a covariance without full rank"
            )
    try:
        clipped = evidence.clipped(CHUNK) if evidence.data.kind == "images" else 0.0
    except NotFinite:
        return found
    if clipped > 0.01:
        found.append(f"{100 * clipped:.1f} % of the samples' values lay out of range, clamped")
    return found
