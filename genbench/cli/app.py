"""The application: its commands, and how errors become one line and an exit code."""

import gc
import sys
from typing import Annotated, NoReturn

import typer

from genbench import __version__
from genbench.cli.accept import accept
from genbench.cli.executors import with_flags
from genbench.cli.fetch import doctor, fetch
from genbench.cli.judge import check, claims, compare, eval_
from genbench.cli.look import cite, docs, info, list_, schema, show, validate
from genbench.cli.migrate import migrate
from genbench.cli.output import check_written, prepare_streams, say, tell
from genbench.cli.run import report, run, sample, table
from genbench.cli.waiting import slow_steps_said
from genbench.errors import GenbenchError

app = typer.Typer(
    name="genbench", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Train and judge deep generative models side by side: likelihood and sample quality in "
    "one table.",
)
for command in (
    with_flags(run), report, table, show, compare, check, accept, claims, sample, validate, schema,
    info, cite, docs, fetch, doctor, migrate,
):
    app.command()(command)
app.command(name="eval")(eval_)
app.command(name="list")(list_)


def main() -> NoReturn:
    """Run the command line; what a user can mend is one line and exit code 2."""
    gc.set_threshold(5_000_000, 20, 10)  # few cycles, but a report keeps millions of objects
    prepare_streams()
    code: int | str | None = 0
    try:
        with_flags(run, sys.argv)
        with slow_steps_said():
            app()
    except GenbenchError as error:
        code = _refuse(error)
    except KeyboardInterrupt:
        code = 130
    except SystemExit as leaving:  # as every command of typer ends
        code = leaving.code
    try:
        check_written()
    except GenbenchError as error:
        code = code or _refuse(error)
    sys.exit(code)


def _refuse(error: GenbenchError) -> int:
    tell(f"error: {error}", "red")
    return 2


def _version(value: bool) -> None:
    if value:
        say(f"genbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option(
        "--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass
