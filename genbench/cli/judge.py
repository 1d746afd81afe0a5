"""Commands that judge: eval, compare, check, claims.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

import sys
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from genbench.cli.options import (
    RESULTS,
    DataRoot,
    Device,
    Format,
    Offline,
    Results,
    Seeds,
    SuiteArgument,
    Weights,
    warn,
)
from genbench.cli.output import console_for, printed_aside, say, write
from genbench.errors import GenbenchError
from genbench.places import at_home


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
    from genbench.api.scoring import evaluate
    from genbench.reporting.terminal import measurement_table
    from genbench.store.files import write_json

    names = [name.strip() for name in metrics.split(",") if name.strip()]
    with printed_aside():
        found = evaluate(
            samples, dataset, names, value_range=value_range, count=count, sets=sets, data=data,
            device=device, weights=weights, offline=offline, progress=console_for(sys.stderr),
        )
    whole = found.to_dict()
    if json == Path("-"):
        write(dumps(whole, indent=1, sort_keys=True) + "\n")
    else:
        console_for(sys.stdout).print(measurement_table(found.measurements, found.notes))
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
    from genbench.api.results import compare as differences
    from genbench.judging.compare import compare_table

    found = differences(a, b, results=results)
    console_for(sys.stdout).print(compare_table(found, a, b))


def check(
    suite: SuiteArgument,
    baseline: Annotated[Path | None, typer.Option(
        "--baseline", help="A file of accepted numbers, in the place of the accepted runs.",
        show_default=False, callback=at_home)] = None,
    results: Results = RESULTS,
    seeds: Seeds = None,
    update: Annotated[bool, typer.Option(
        "--update", help="Write the stored numbers to the file that --baseline names.")] = False,
    junit: Annotated[Path | None, typer.Option(
        "--junit", help="Write the verdicts as JUnit XML.", callback=at_home)] = None,
    markdown: Annotated[Path | None, typer.Option(
        "--markdown", help="Write the verdicts as Markdown.", callback=at_home)] = None,
    allow_inconclusive: Annotated[bool, typer.Option(
        "--allow-inconclusive", help="Do not fail on cells with fewer than three seeds.")] = False,
    exact: Annotated[bool, typer.Option(
        "--exact", help="Ask for the same bits, which one machine gives.")] = False,
) -> None:
    """Hold the runs that are stored here against accepted ones.

    Exit code 0: fine; 1: regressed; 2: usage or missing input; 3: runs failed or nothing measured.
    """
    from genbench.api import results as stored
    from genbench.judging import junit as writing
    from genbench.store.files import write_text

    if update:
        if baseline is None:
            raise GenbenchError("--update writes a file that --baseline names; `genbench accept "
                                f"{suite}` accepts runs")
        if junit or markdown or allow_inconclusive or exact:
            raise GenbenchError("--update writes numbers and judges none: leave out --junit, "
                                "--markdown, --allow-inconclusive and --exact")
        path, cells = stored.write_baseline(suite, baseline=baseline, results=results, seeds=seeds)
        say(f"{path}: {cells} cells accepted")
        return
    outcome = stored.check(
        suite, baseline=baseline, results=results, seeds=seeds,
        allow_inconclusive=allow_inconclusive, exact=exact,
    )
    if junit:
        write_text(junit, writing.junit_xml(outcome))
    if markdown:
        write_text(markdown, writing.markdown(outcome))
    console = console_for(sys.stdout)
    table = writing.terminal_table(outcome, width=console.width)
    if table.row_count:
        console.print(table)
    for line in (*outcome.notes, outcome.summary):
        say(line)
    raise typer.Exit(outcome.exit_code)


def claims(
    suite: Annotated[str | None, typer.Argument(
        help="A suite's YAML file or name; by default all suites, and the documents behind them.",
        show_default=False, callback=at_home)] = None,
    results: Results = RESULTS,
    format: Annotated[Format | None, typer.Option(
        "--format", help="How to write them; by default for the screen.",
        show_default=False)] = None,
    write_page: Annotated[bool, typer.Option(
        "--write", help="Write the pages claims.md and claims.csv of the folder of results anew, "
        "from accepted results alone, as `genbench accept` does.")] = False,
) -> None:
    """Print every claim: sentence, source, where it is judged, verdict, effect and seeds."""
    from genbench.api.claims import claim_rows, write_claims
    from genbench.catalogue.claim_page import FORMATS, screen

    if write_page:
        if suite is not None or format is not None:
            raise GenbenchError("--write is of all suites, in both formats: give it alone")
        say("\n".join(map(str, write_claims(results=results, warn=warn))))
        return
    rows = claim_rows(suite, results=results, warn=warn)
    console = console_for(sys.stdout)
    if format is not None:
        write(FORMATS[format.value](rows))
    elif rows:
        console.print(screen(rows, console.width))
    else:
        say(f"{suite} has no claims")
