"""Commands that judge: eval, compare, check.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

from __future__ import annotations

import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.options import (
    RESULTS,
    DataRoot,
    Device,
    Offline,
    Results,
    Seeds,
    SuiteArgument,
    Weights,
    at_home,
    data_root,
    recall,
    weights_file,
)
from genbench.cli.output import console_for, printed_aside, say, write
from genbench.cli.waiting import LOADING
from genbench.places import cache_folder
from genbench.steps import step

if TYPE_CHECKING:
    from pandas import DataFrame


__all__ = ["check", "compare", "eval_"]


def eval_(
    samples: Annotated[str, typer.Argument(
        help="A folder or zip of images; an array in a .npy, .npz or .pt file; or a trained "
        "model, my_file.py:Model.", show_default=False, callback=at_home)],
    dataset: Annotated[str, typer.Option(
        "--dataset", help="What they are samples of: a dataset, or '{ring: {modes: 8}}'.",
        show_default=False)],
    metrics: Annotated[str, typer.Option(
        "--metrics", help="Names with commas between; by default all usual ones that apply.",
        show_default=False)] = "",
    value_range: Annotated[tuple[float, float], typer.Option(
        "--range", help="Black and white, where images are floats.")] = (0.0, 1.0),
    count: Annotated[int | None, typer.Option(
        "--samples", min=2, help="Samples of each set; by default as many as the reference has, "
        "at most 10,000.")] = None,
    sets: Annotated[int, typer.Option(
        "--sets", min=1, help="Independent sets, as far as there are samples.")] = 3,
    json: Annotated[Path | None, typer.Option(
        "--json", help="Write everything as JSON too; - for the screen alone.",
        callback=at_home)] = None,
    data: DataRoot = None,
    device: Device = "auto",
    weights: Weights = None,
    offline: Offline = False,
) -> None:
    """Score samples, or a model, made elsewhere under the protocol of a suite's rows."""
    from genbench.reporting.terminal import measurement_table
    from genbench.running.executor import Context

    with step(LOADING):
        from genbench.running.foreign import evaluate
    from genbench.running.progress import steps_shown
    from genbench.store.files import write_json

    context = Context(
        Path(), data_root(data), cache_folder(), device, weights=weights_file(weights),
        offline=offline,
    )
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    with steps_shown(console_for(sys.stderr), f"eval {Path(samples).name}"), printed_aside():
        found = evaluate(
            samples, dataset, names, context=context, value_range=value_range, count=count,
            sets=sets,
        )
    whole = found.to_dict()
    if json == Path("-"):
        write(dumps(whole, indent=1, sort_keys=True) + "\n")
    else:
        console_for(sys.stdout).print(measurement_table(whole["measurements"], found.notes))
        if json is not None:
            write_json(json, whole)
    if not any(one.status == "ok" for one in found.measurements):
        raise typer.Exit(3)


def compare(
    a: Annotated[str, typer.Argument(
        help="A suite, a results folder, a table or a baseline; with :METHOD, that row of it.",
        callback=at_home)],
    b: Annotated[str, typer.Argument(
        help="What is set against it; SUITE:A SUITE:B are two methods of one suite.",
        callback=at_home)],
    results: Results = RESULTS,
) -> None:
    """Print how B's numbers differ from A's, and which differences are significant."""
    from genbench.reporting.compare import compare as differences
    from genbench.reporting.compare import compare_table

    (left, one), (right, other) = (numbers_of(name, results) for name in (a, b))
    with step("comparing the numbers"):
        frame = differences(left, right, methods=(one, other))
    console_for(sys.stdout).print(compare_table(frame, a, b))


def check(
    suite: SuiteArgument,
    baseline: Annotated[Path | None, typer.Option(
        "--baseline", help="Accepted numbers; by default results/<suite>/baseline.json.",
        show_default=False, callback=at_home)] = None,
    results: Results = RESULTS,
    seeds: Seeds = None,
    update: Annotated[bool, typer.Option(
        "--update", help="Accept the stored numbers as the baseline.")] = False,
    junit: Annotated[Path | None, typer.Option(
        "--junit", help="Write the verdicts as JUnit XML.", callback=at_home)] = None,
    markdown: Annotated[Path | None, typer.Option(
        "--markdown", help="Write the verdicts as Markdown.", callback=at_home)] = None,
    allow_inconclusive: Annotated[bool, typer.Option(
        "--allow-inconclusive", help="Do not fail on cells with fewer than three seeds.")] = False,
    exact: Annotated[bool, typer.Option(
        "--exact", help="Ask for the same bits, which one machine gives.")] = False,
) -> None:
    """Hold stored numbers against a baseline.

    Exit code 0: fine; 1: regressed; 2: usage or missing input; 3: runs failed or nothing measured.
    """
    from genbench.reporting import gate
    from genbench.reporting import junit as writing
    from genbench.store.files import write_text
    from genbench.store.holder import check_holder
    from genbench.store.table import tidy
    from genbench.suites.expand import load_plan

    plan, store = recall(load_plan(suite, seeds=seeds), results)
    frame = tidy(plan, store)
    if baseline is None:
        check_holder(store.root, plan.path)
    accepted = baseline or results / plan.name / "baseline.json"
    if update:
        kept = gate.accept(frame, accepted, plan)
        say(f"{accepted}: {len(kept.cells)} cells accepted")
        return
    with step("comparing the numbers"):
        outcome = gate.check(
            frame, accepted, allow_inconclusive=allow_inconclusive, exact=exact, plan=plan
        )
    if junit:
        write_text(junit, writing.junit_xml(outcome))
    if markdown:
        write_text(markdown, writing.markdown(outcome))
    console = console_for(sys.stdout)
    table = writing.terminal_table(outcome)
    if table.row_count:
        console.print(table)
    for line in (*outcome.notes, outcome.summary):
        console.print(line, soft_wrap=True, markup=False)
    raise typer.Exit(outcome.exit_code)


def numbers_of(name: str, results: Path) -> tuple[DataFrame, str | None]:
    """The tidy table of a suite, a results folder, a metrics.csv or a baseline.json.

    And the row that is asked for, where the name ends in :METHOD.
    """
    from genbench.reporting.stored_tables import load_numbers
    from genbench.store.table import tidy
    from genbench.suites.expand import load_plan

    method = None
    if ":" in name and not Path(name).exists():
        name, _, method = name.partition(":")
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or not path.exists():
        return tidy(*recall(load_plan(name), results)), method
    return load_numbers(path), method


