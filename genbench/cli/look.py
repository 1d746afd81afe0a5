"""Commands that look things up: validate, schema, list, info, cite, show, docs.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

import json
import sys
from textwrap import indent
from typing import Annotated

import typer
from rich.markdown import Markdown

from genbench.cli.options import (
    RESULTS,
    DataRoot,
    Results,
    RunArgument,
    SuiteArgument,
    warn,
)
from genbench.cli.output import console_for, say, write
from genbench.places import at_home, data_root


def validate(
    suite: SuiteArgument, results: Results = RESULTS, data: DataRoot = None
) -> None:
    """Check a suite, and say what it would run, what of it takes long and which data it lacks."""
    from genbench.api.places import store_of
    from genbench.store.costs import costs
    from genbench.store.weights import missing_weights
    from genbench.suites.contents import missing
    from genbench.suites.expand import load_plan
    from genbench.suites.packages import check_packages

    plan = load_plan(suite)
    for line in plan.warnings:
        warn(line)
    check_packages(plan)
    say(f"{suite}: fine; runs: {len(plan.runs)}, methods: {len(plan.methods)}, "
          f"datasets: {len(plan.datasets)}")
    for line in [*costs(plan, store_of(results, plan)), *missing(plan, data_root(data)),
                 *missing_weights(plan)]:
        say(line)


def show(
    run: RunArgument,
    results: Results = RESULTS,
    spec: Annotated[bool, typer.Option(
        "--spec", help="The whole specification too.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Show a run's numbers, where they came from, and the command that repeats them."""
    import yaml

    from genbench.running.show import history
    from genbench.store.find import find_run

    found = history(find_run(run, results))
    if json_:
        write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    else:
        if not spec:
            del found["specification"]
        endless = float("inf")  # a command is one line
        text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=endless)
        say(text.rstrip("\n"))


def schema() -> None:
    """Print the JSON Schema of suites, for editors."""
    from genbench.suites.json_schema import json_schema

    write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


def list_(
    kind: Annotated[str | None, typer.Argument(
        help="models, objectives, methods, datasets, metrics, figures, executors or suites; "
        "all by default.",
    )] = None,
) -> None:
    """List models, objectives, methods, datasets, metrics, kinds of figures, executors, suites."""
    from genbench.catalogue.listing import KINDS, listing

    if kind:
        say(listing(kind))
        return
    for each in KINDS:
        say(f"{each}:\n{indent(listing(each), '  ')}")


def info(
    name: Annotated[str, typer.Argument(
        help="A method, model, objective, dataset, metric, kind of figure, executor or suite.")],
) -> None:
    """Show formula, citation, every option with its default and meaning, and the resolved YAML."""
    from genbench.catalogue.listing import info as describe

    say(describe(name))


def cite(
    name: Annotated[str, typer.Argument(
        help="A suite, method, model, objective, dataset, metric or executor.", callback=at_home)],
) -> None:
    """Print the BibTeX of everything that a suite uses, or of what has that name."""
    from genbench.catalogue.cite import cite as bibtex

    say(bibtex(name))


def docs(
    topic: Annotated[str, typer.Argument(
        help="A page of the manual; without one, they are listed.", show_default=False)] = "",
) -> None:
    """Show a page of the manual."""
    from genbench.cli.manual import page, summary, topics

    if not topic:
        width = max(map(len, topics()))
        say("\n".join(f"{name:<{width}}  {summary(name)}" for name in topics()))
        return
    text = page(topic)
    if sys.stdout.isatty():
        console_for(sys.stdout).print(Markdown(text))
    else:
        write(text)
