"""The generated parts of the manual: `python -m genbench.catalogue.manual FILE … [--check]`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. What it says is read from
source, from the zoo and from the command line's own help, so that the manual cannot lag behind
the code; a test asks for `--check`.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from genbench.errors import GenbenchError
from genbench.lookup import ROOT, Component, available, describe
from genbench.suites.expand import load_plan
from genbench.suites.expectation import parse_cell
from genbench.suites.parts import capabilities, in_words, metric_values, requirements
from genbench.suites.schema import Target
from genbench.suites.zoo import method_names, zoo_source
from genbench.text.markdown import escape, table
from genbench.text.numbers import number

FAMILIES = ("GAN", "flow", "mixture", "VAE", "diffusion", "hybrid", "classical")
"""The order of the families in the table of methods; others follow."""
WORKS = ROOT.parent / "suites" / "works.yaml"
"""The suite whose targets say what every method reaches at a small budget."""
WIDTH = 88
_PART = re.compile(
    r"^(?P<start><!-- generated: (?P<name>\S+) -->\n)(?P<body>.*?)^(?P<end><!-- end -->)$",
    re.MULTILINE | re.DOTALL,
)
_COLOURS = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "CLICOLOR_FORCE", "TERMINAL_WIDTH")
"""Variables that would make the help coloured, or of another width."""


def regenerate(text: str) -> str:
    """The same text with every generated part written anew.

    Raises:
        GenbenchError: a part of an unknown name, or a part without its beginning or end.
    """
    starts, parts = text.count("<!-- generated: "), list(_PART.finditer(text))
    if not len(parts) == starts == text.count("<!-- end -->"):
        raise GenbenchError(
            f"{starts} lines '<!-- generated: NAME -->' and {text.count('<!-- end -->')} lines "
            f"'<!-- end -->' make {len(parts)} parts; each part needs one of both, in this order"
        )

    def fill(match: re.Match[str]) -> str:
        if match["name"] not in PARTS:
            raise GenbenchError(
                f"no generated part '{match['name']}'; there is {', '.join(sorted(PARTS))}"
            )
        return f"{match['start']}\n{PARTS[match['name']]().strip()}\n\n{match['end']}"

    return _PART.sub(fill, text)


def methods() -> str:
    """The zoo, by family."""
    rows = []
    for name in method_names():
        entry = zoo_source(name).data
        family = str(entry.get("family", ""))
        place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
        cells = [_prose(entry.get(key, "")) for key in ("title", "family", "summary")]
        rows.append((place, family, name, [f"`{name}`", *cells]))
    head = ["method", "title", "family", "what it is"]
    return table(head, [cells for *_, cells in sorted(rows)], left=4)


def models() -> str:
    """The models, and what each has besides samples."""
    rows = []
    for component in _components("model"):
        kinds = component.constants.get("accepts", ("points", "images"))
        able = in_words(sorted(capabilities(component)))
        rows.append([*_named(component), ", ".join(kinds), ", ".join(able) or "–"])
    return table(["model", "what it is", "data", "has, besides samples"], rows, left=4)


def objectives() -> str:
    """The objectives, and what each needs of a model."""
    rows = []
    for component in _components("objective"):
        requires = [one.words for one in requirements(component)]
        plays = component.constants.get("plays", ("model",))
        rows.append([*_named(component), ", ".join(requires) or "–", ", ".join(plays) or "–"])
    return table(["objective", "what it does", "needs of the model", "players"], rows, left=4)


def datasets() -> str:
    """The datasets, and what is known of each."""
    rows = []
    for component in _components("dataset"):
        has = [word for key, word in (("labelled", "labels"), ("has_modes", "modes"))
               if component.constants.get(key)]
        kind = str(component.constants.get("kind", "points"))
        rows.append([*_named(component), kind, ", ".join(has) or "–"])
    return table(["dataset", "what it is", "data", "has"], rows, left=4)


def metrics() -> str:
    """The metrics: a row for each number, with the options' defaults in its name."""
    rows = []
    for component in _components("metric"):
        defaults = {option.name: option.default for option in component.options}
        name, what = _named(component)
        kinds = component.constants.get("kinds", ("points", "images"))
        needs = in_words(component.constants.get("needs", ()))
        facts = ", ".join(kinds) + (f"; {', '.join(needs)}" if needs else "")
        for value, about in metric_values(component, defaults).items():
            better = about.get("better", "none")
            unit = escape(about.get("unit", "")) or "–"
            rows.append([name, f"`{value}`", unit, better if better != "none" else "–", facts,
                         what])
            name = facts = what = ""
    return table(["metric", "column", "unit", "better", "applies to", "what it is"], rows, left=6)


def figures() -> str:
    """The kinds of figures, and the keys that each takes beside those of every figure."""
    rows = []
    for component in _components("figure"):
        kinds = component.constants.get("accepts", ("points", "images"))
        automatic = component.constants.get("automatic", ())
        keys = ", ".join(f"`{option.name}`" for option in component.options)
        rows.append([*_named(component), ", ".join(kinds), ", ".join(automatic) or "–",
                     keys or "–"])
    return table(["figure", "what it shows", "data", "drawn unasked of", "own keys"], rows, left=5)


def works() -> str:
    """The floors that every method reaches at a small budget, by dataset."""
    plan = load_plan(WORKS)
    floors: dict[str, dict[str, list[str]]] = {row: {} for row in plan.methods}
    notes: dict[str, list[str]] = {row: [] for row in plan.methods}
    for target in plan.suite.report.targets:
        metric, row, dataset = parse_cell(target.cell)
        floors[row].setdefault(dataset or "", []).append(f"`{metric}` {_bound(target)}")
        notes[row] += [target.note] if target.note else []
    rows = [
        [f"`{row}`", *("; ".join(floors[row].get(name, [])) or "–" for name in plan.datasets),
         _prose(" ".join(dict.fromkeys(notes[row]))) or "–"]
        for row in plan.methods
    ]
    return table(["method", *plan.datasets, "note"], rows, left=len(plan.datasets) + 2)


def _bound(target: Target) -> str:
    if target.at_most is not None:
        return f"≤ {number(target.at_most)}"
    return f"≥ {number(target.at_least or 0.0)}"


def help_text(*command: str) -> str:
    """What `genbench … --help` prints, as a block of text."""
    environment = {name: value for name, value in os.environ.items() if name not in _COLOURS}
    environment |= {
        "COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "genbench", *command, "--help"], env=environment,
        capture_output=True, encoding="utf-8", check=False,
    )
    if done.returncode:
        raise GenbenchError(f"genbench {' '.join(command)} --help failed: {done.stderr.strip()}")
    text = done.stdout.replace("python -m genbench", "genbench")
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return f"```text\n{lines}\n```"


PARTS: Mapping[str, Callable[[], str]] = {
    "datasets": datasets,
    "figures": figures,
    "help": help_text,
    "help-run": lambda: help_text("run"),
    "methods": methods,
    "metrics": metrics,
    "models": models,
    "objectives": objectives,
    "works": works,
}
"""Name of a part → what writes it."""


def _components(kind: str) -> list[Component]:
    return [describe(kind, name) for name in available(kind)]


def _named(component: Component) -> list[str]:
    """The first two cells of a component's row: its name and its summary."""
    return [f"`{component.name}`", _prose(component.summary)]


def _prose(text: object) -> str:
    """Text of our own on one line of a table; what it puts in backticks stays code."""
    return escape(str(text)).replace("\\`", "`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the parts, or with `--check` say whether they are up to date: exit code 0, 1 or 2."""
    parser = argparse.ArgumentParser(
        prog="python -m genbench.catalogue.manual",
        description="Write the generated parts of Markdown files anew.",
    )
    parser.add_argument("files", type=Path, nargs="+", help="the Markdown files")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if outdated")
    given = parser.parse_args(arguments)
    return max(_page(file, given.check) for file in given.files)


def _page(file: Path, check: bool) -> int:
    try:
        before = file.read_text(encoding="utf-8")
        after = regenerate(before)
        if before == after:
            return 0
        if check:
            print(f"{file}: generated parts are out of date; run make docs", file=sys.stderr)
            return 1
        file.write_text(after, encoding="utf-8")
    except OSError as error:
        print(f"error: {file}: {error.strerror}", file=sys.stderr)
        return 2
    except (GenbenchError, UnicodeDecodeError) as error:
        print(f"error: {file}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
