"""The entry point of a forked process, light enough to be imported by the one that asks for it."""

from multiprocessing.connection import Connection
from typing import Any


def run(connection: Connection, request: dict[str, Any]) -> None:
    """See `autograder.shell.run`."""
    # Imported long ago in the process that this one is forked from; too heavy for the asking one.
    from autograder import shell

    shell.run(connection, request)
