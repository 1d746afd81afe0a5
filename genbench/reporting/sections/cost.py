"""What the rows of a suite cost."""

from collections.abc import Sequence

from genbench.reporting.costs import HEAD, kept, words
from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.text.markdown import escape, table

PLACE = 100


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """What every row cost; what is the same for every row is said once."""
    numbers, costs = results.numbers, results.costs
    if not costs:
        return []
    datasets = len({cost.dataset for cost in costs}) > 1
    shared = len({cost.where for cost in costs}) == 1
    rows = []
    for cost in costs:
        label = numbers.label(cost.method, numbers.methods(cost.dataset))
        line = [label, escape(cost.dataset), cost.updates, cost.examples, cost.seconds,
                escape(cost.device), cost.threads]
        rows.append(kept(line, datasets, shared))
    text = table(kept(HEAD, datasets, shared), rows, left=2 if datasets else 1)
    return ["## Cost", f"{words(costs, shared)}\n\n{text}"]
