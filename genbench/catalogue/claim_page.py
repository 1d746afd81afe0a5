"""The page of all claims, in Markdown and for a terminal."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from genbench.catalogue.claim_table import (
    FROM_TABLE,
    STANDINGS,
    ClaimRow,
    counts,
    grouped,
    standing,
)
from genbench.catalogue.documents import document_titles
from genbench.judging.effects import Effect
from genbench.text.markdown import code, escape, table
from genbench.text.tidy import csv_text, json_text

_OPEN = ("NO RESULTS", "NOT JUDGED")
_STYLES = {"CONFIRMED": "green", "REFUTED": "red", "NO DIFFERENCE": "cyan", "MIXED": "magenta",
           "INCONCLUSIVE": "yellow"}
_WIDE = 140
"""Characters of a terminal that has room for the comparisons."""

_Groups = list[list[ClaimRow]]


def _sections(rows: Sequence[ClaimRow]) -> tuple[_Groups, _Groups, _Groups]:
    """The documents' claims that are judged, those that are not, and the suites' own."""
    groups = grouped(rows)
    about = [group for group in groups if group[0].of]
    return (
        [group for group in about if standing(group) not in _OPEN],
        [group for group in about if standing(group) in _OPEN],
        [group for group in groups if not group[0].of],
    )


def _judging(group: Sequence[ClaimRow]) -> list[ClaimRow]:
    """The rows of the suites that judge it, or would."""
    return [row for row in group if row.verdict != "NOT JUDGED"]


def _reasons(group: Sequence[ClaimRow]) -> str:
    return "; ".join(dict.fromkeys(row.evidence for row in group))


def _effect(row: ClaimRow) -> str:
    """The size of what is compared; a dash where it is not one comparison."""
    if row.effect is None:
        return "–"
    return Effect(row.quantity, row.effect, row.low, row.high).text


def _notes(rows: Sequence[ClaimRow]) -> list[str]:
    judged = [row for row in rows if row.verdict not in _OPEN]
    notes = []
    if any(row.of for row in judged):
        notes.append("A verdict is on what the suite judges of a document's sentence, which may "
                     "be a part of it.")
    if any(row.effect is not None for row in judged):
        notes.append(
            "An effect is left side less right side, or their ratio, with its 95 % confidence "
            "interval, which is not corrected for the number of claims, as the verdict is; of an "
            "identity the largest deviation. Claims of several comparisons have none. Seeds are "
            "those of the cell that has the fewest."
        )
    if any(row.post_hoc for row in judged):
        notes.append("Post hoc: the claim was not in the suite, or not this comparison at these "
                     "looks, when a run that it rests on first began.")
    unknown = sorted({row.suite for row in judged if row.judged_from != FROM_TABLE
                      and row.post_hoc is None and row.seeds is not None})
    if unknown:
        notes.append("Runs that do not say which claims they were started with, which would tell "
                     f"what is post hoc: some of {', '.join(unknown)}.")
    undated = sorted({row.suite for row in judged if row.judged_from == FROM_TABLE})
    if undated:
        notes.append(f"Judged from metrics.csv, without the runs, which would tell what is post "
                     f"hoc: {', '.join(undated)}.")
    return notes


# --- Markdown ----------------------------------------------------------------------------------


def markdown(rows: Sequence[ClaimRow], reports: Mapping[str, str] | None = None) -> str:
    """The page; `reports` has where the reports of suites lie, for links."""
    links = reports or {}
    judged, unjudged, own = _sections(rows)
    parts = ["# Claims\n", _counts_markdown(rows)]
    if judged:
        parts += ["## Judged\n", _verdicts_markdown(judged, links)]
    if unjudged:
        lines = [[group[0].of, escape(group[0].sentence), escape(group[0].source),
                  escape(_reasons(group))] for group in unjudged]
        parts += ["## Not judged\n", table(["claim", "sentence", "source", "why"], lines, left=4)]
    if own:
        parts += ["## Claims of the suites' own\n", _verdicts_markdown(own, links)]
    notes = _notes(rows)
    if notes:
        parts += ["## Notes\n", "\n".join(f"- {escape(note)}" for note in notes) + "\n"]
    if judged or unjudged:
        titles = "\n".join(f"- {escape(name)}: {escape(title)}"
                           for name, title in document_titles().items())
        parts += ["## Sources\n", titles + "\n"]
    return "\n".join(parts)


def _counts_markdown(rows: Sequence[ClaimRow]) -> str:
    lines = [
        [f"{what} ({sum(found.values())})", *(str(found[one]) for one in STANDINGS)]
        for what, found in _counted(rows)
    ]
    return table(["claims", *STANDINGS], lines)


def _counted(rows: Sequence[ClaimRow]) -> list[tuple[str, dict[str, int]]]:
    both = [("of the documents", counts(rows)), ("of the suites' own", counts(rows, own=True))]
    return [(what, found) for what, found in both if any(found.values())]


def _verdicts_markdown(groups: _Groups, links: Mapping[str, str]) -> str:
    """A line for each sentence of the documents, and one for each suite that judges it."""
    lines = []
    for group in groups:
        one, judging = group[0], _judging(group)
        if one.of:
            sentence = f"**{escape(one.sentence)}** ({escape(one.source)})"
            over = f"**{standing(group)}**" if len(judging) > 1 else ""
            lines.append([f"**{one.of}**", sentence, "", over, "", ""])
        lines += [_line(row, links) for row in judging or group]
    head = ["claim", "statement", "suite", "verdict", "effect", "seeds"]
    return table(head, lines, left=5)


def _line(row: ClaimRow, links: Mapping[str, str]) -> list[str]:
    statement = escape(row.statement)
    statement += f": {code(row.expectation)}" if row.expectation else f": {escape(row.evidence)}"
    suite = escape(row.suite)
    if row.suite in links:
        suite = f"[{suite}]({links[row.suite]})"
    verdict = row.verdict + " *post hoc*" * bool(row.post_hoc)
    seeds = "–" if row.seeds is None else str(row.seeds)
    return [escape(row.claim), statement, suite, verdict, _effect(row), seeds]


# --- for a terminal ----------------------------------------------------------------------------


def screen(rows: Sequence[ClaimRow], width: int) -> Group:
    """The page for a terminal of `width` characters."""
    judged, unjudged, own = _sections(rows)
    blocks: list[RenderableType] = []
    for title, groups in (("Judged", judged), ("Not judged", unjudged),
                          ("Claims of the suites' own", own)):
        if groups:
            names = max(len(group[0].of or group[0].claim) for group in groups)
            blocks += [Text(title, style="bold underline"), Text("")]
            blocks += [part for group in groups for part in (_block(group, names, width), "")]
    blocks += [part for note in _notes(rows) for part in (Text(note, style="dim"), "")]
    for what, found in _counted(rows):
        told = ", ".join(f"{number} {one}" for one, number in found.items() if number)
        blocks.append(Text(f"{sum(found.values())} claims {what}: {told}"))
    return Group(*blocks)


def _block(group: Sequence[ClaimRow], names: int, width: int) -> Table:
    """A sentence, where it is from, and a line for each suite; `names` is the width of ids."""
    one, judging = group[0], _judging(group)
    parts: list[RenderableType] = [Text(one.sentence)]
    if one.source:
        parts.append(Text(one.source, style="dim"))
    if judging and (standing(group) not in _OPEN or not one.of):
        for statement in dict.fromkeys(row.statement for row in judging):
            if one.of:
                parts.append(Text(f"judged: {statement}", style="italic"))
            rows = [row for row in judging if row.statement == statement]
            parts.append(_suites(rows, max(len(_label(row)) for row in judging), width))
    else:
        parts.append(Text(_reasons(group), style="yellow"))
    block = Table.grid(padding=(0, 2, 0, 0))
    block.add_column(no_wrap=True, style="bold", min_width=names)
    block.add_column()
    block.add_row(Text(one.of or one.claim), Group(*parts))
    return block


def _label(row: ClaimRow) -> str:
    """The suite, and which part of the documents' claim it is."""
    part = row.claim.removeprefix(row.of).removeprefix("-") if row.of else ""
    return f"{row.suite} ({part})" if part else row.suite


def _suites(rows: Sequence[ClaimRow], labels: int, width: int) -> Table:
    found = Table.grid(padding=(0, 2, 0, 0))
    found.add_column(min_width=min(labels, width // 3), overflow="fold")
    found.add_column(no_wrap=True, min_width=12)
    found.add_column(overflow="fold")
    found.add_column(no_wrap=True)
    if width >= _WIDE:
        found.add_column(style="dim", overflow="fold")
    for row in rows:
        verdict = Text(row.verdict, style=_STYLES.get(row.verdict, "dim"))
        verdict.append(" post hoc" * bool(row.post_hoc), style="italic")
        seeds = "" if row.seeds is None else f"{row.seeds} seed{'s' * (row.seeds > 1)}"
        line = [Text(_label(row)), verdict, Text(_effect(row)), Text(seeds), Text(row.expectation)]
        found.add_row(*(line if width >= _WIDE else line[:4]))
    return found


def _tidy(
    write: Callable[[Sequence[str], Sequence[tuple[Any, ...]]], str], rows: Sequence[ClaimRow]
) -> str:
    """With six digits: the last of sixteen differ by the version of scipy."""
    return write(ClaimRow._fields, [
        tuple(float(f"{one:.6g}") if isinstance(one, float) else one for one in row)
        for row in rows
    ])


FORMATS: dict[str, Callable[[Sequence[ClaimRow]], str]] = {
    "csv": partial(_tidy, csv_text), "json": partial(_tidy, json_text), "markdown": markdown,
}
"""Format → the whole of it as text, with a line end at its end."""
