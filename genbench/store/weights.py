"""Inception's weights, which metrics may need when all is trained: said before it is."""

from collections.abc import Sequence
from pathlib import Path

from genbench.lookup import describe
from genbench.places import inception_file
from genbench.suites.plan import Plan
from genbench.suites.spec import RunSpec


def missing_weights(plan: Plan, specs: Sequence[RunSpec] | None = None) -> list[str]:
    """A line where metrics of these runs of a plan (all, by default) may read Inception's weights,
    and they are not here."""
    if inception_file().is_file():
        return []
    readers: dict[str, None] = {}
    for run in {run.dataset: run for run in (plan.runs if specs is None else specs)}.values():
        if plan.datasets[run.dataset].kind == "images":
            readers |= dict.fromkeys(
                f"{metric.name} on {run.dataset}" for metric in run.evaluate
                if _reads_inception(metric.options.get("extractor"), run)
            )
    return [
        f"{', '.join(readers)}: Inception's weights, for images in colour, without labels or with "
        "`extractor: inception`, are not here; `genbench run` downloads them once a run is "
        f"trained, `genbench fetch {plan.path}` now, and --weights FILE names others"
    ] if readers else []


def _reads_inception(extractor: object, run: RunSpec) -> bool:
    folder = Path(run.folder) if run.folder else None
    if extractor != "auto":
        return extractor == "inception"
    data = describe("dataset", run.data.name, folder)
    return not data.constants.get("auto_classifier", False)
