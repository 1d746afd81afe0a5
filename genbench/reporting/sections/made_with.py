"""The versions and machines by which a report's runs were made."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.origins import Origin
from genbench.reporting.results import Results
from genbench.text.markdown import escape, seed_list, table

PLACE = 120


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """Each distinct value once, and when and where runs were accepted."""
    found: dict[str, dict[str, None]] = {}
    for origin in results.origins:
        for name, values in origin.facts.items():
            found.setdefault(name, {}).update(dict.fromkeys(values))
    if not found:
        return []
    rows = [[name, escape(", ".join(sorted(values)))] for name, values in found.items()]
    accepted = _accepted(results.origins)
    return ["## Made with", table(["", "of the runs above"], rows, left=2),
            *(["\n".join(accepted)] if accepted else [])]


def _accepted(origins: Sequence[Origin]) -> list[str]:
    """A line for each day and machine; which runs it is about, where there are others."""
    found: dict[tuple[str, ...], dict[tuple[str, str], list[int]]] = {}
    for one in origins:
        if (made := one.acceptance) is not None:
            where = (made.date, made.genbench, made.cpu, made.platform)
            rows = found.setdefault(where, {})
            rows.setdefault((one.dataset, one.method), []).append(one.seed)
    lines = []
    for (date, version, *machine), rows in sorted(found.items()):
        seeds = sum(map(len, rows.values()))
        which = "all runs" if seeds == len(origins) else "; ".join(
            f"{method} on {dataset}, {seed_list(of)}" for (dataset, method), of in rows.items()
        )
        place = ", ".join(filter(None, machine))
        lines.append(f"- accepted on {date} with genbench {version} ({escape(place)}): "
                     f"{escape(which)}")
    return lines
