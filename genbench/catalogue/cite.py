"""What to cite: the BibTeX of a suite's parts, or of one part."""

from pathlib import Path

from genbench.bibliography import merged
from genbench.catalogue.listing import exists, found, zoo_method
from genbench.lookup import describe
from genbench.suites.expand import load_plan
from genbench.suites.plan import Plan
from genbench.suites.schema import FigureEntry
from genbench.suites.spec import EXTERNAL, REAL


def cite(suite: Plan | Path | str) -> str:
    """The BibTeX of a suite's methods, models, objectives, datasets, metrics and chosen figures.

    `suite` is a plan, a path, or the name of a suite; or the name, as `info` takes it, of a method
    or of another part, which is cited with what it is made of.

    Raises:
        GenbenchError: there is no such thing, or a suite that cannot be loaded.
    """
    if not isinstance(suite, Plan):
        name = str(suite)
        if not exists("suite", name) and not name.endswith((".yaml", ".yml")):
            return merged(_texts_of(*found(name)))
        suite = load_plan(suite)
    return merged(_texts_of_plan(suite))


def _texts_of(kind: str, name: str) -> list[str]:
    """The citations of a method, with its model and objectives, or of another part."""
    if kind != "method":
        return [str(describe(kind, name).constants.get("cite", ""))]
    method = zoo_method(name)
    parts = [method.component, *(part for _, part, _ in method.terms())]
    return [method.info.cite, *(str(part.constants.get("cite", "")) for part in parts)]


def _texts_of_plan(plan: Plan) -> list[str]:
    folder = plan.path.resolve().parent
    used: dict[tuple[str, str], None] = {}
    for run in plan.runs:
        used[("dataset", run.data.name)] = None
        if run.method != REAL and run.model.name != EXTERNAL:
            used[("model", run.model.name)] = None
        for stage in run.stages:
            used |= {("objective", term.objective.name): None for term in stage.terms}
    used |= {("metric", metric.name): None for metric in plan.metrics}
    used |= {("figure", figure.kind): None for figure in plan.suite.report.figures or []
             if isinstance(figure, FigureEntry)}
    texts = [method.cite for method in plan.methods.values()]
    return texts + [
        str(describe(kind, name, folder).constants.get("cite", "")) for kind, name in used
    ]
