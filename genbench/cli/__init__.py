"""The command line: a command parses, calls the function of the same name, and prints."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. Ctrl-C ends it without a word while it is still being imported too."""
    try:
        from genbench.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
