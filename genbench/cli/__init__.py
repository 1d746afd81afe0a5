"""The command line: a command parses, calls the function of the same name, and prints."""

from genbench.cli.app import main

__all__ = ["main"]
