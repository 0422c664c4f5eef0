"""Execute a rebuilt submission in a process of its own and say what came of every cell.

The process is forked from a server that has torch imported, so it is ready in a fraction of a
second. It is *not yet* a lock: student code and tests share it, and it runs with the rights of
whoever grades. Verdicts say so (`"sandbox": "none"`).
"""

import contextlib
import json
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from autograder import launch
from autograder.errors import AutograderError
from autograder.sheets import Limits

SANDBOX = "none"

# The first process waits for torch to be imported, on a cold disk too.
_START_SECONDS = 120

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["autograder.launch", "autograder.shell"])


def execute(cells: list[dict[str, Any]], limits: Limits) -> dict[int, dict[str, Any]]:
    """Run the cells in order in a fresh process.

    Args:
        cells: `{"index", "id", "kind", "source"}` each, as `autograder.shell.run` takes them.
        limits: wall time and output that the cells may use.

    Returns: by cell index, `{"outputs": [...], "error": {"name", "message"} or None, "seconds"}`.
        The cell during which the process died or ran out of time has the error name `Died` or
        `Timeout`; cells after it are absent.
    """
    receiver, sender = _context.Pipe(duplex=False)
    request = {
        "cells": cells,
        "cell_seconds": limits.cell_seconds,
        "output_bytes": limits.output_bytes,
    }
    process = _context.Process(target=launch.run, args=(sender, request), daemon=False)
    process.start()
    sender.close()
    try:
        _wait_until_ready(receiver)
        return _collect(receiver, cells, time.monotonic() + limits.submission_seconds)
    finally:
        _end(process)
        receiver.close()


def _wait_until_ready(receiver: Connection) -> None:
    try:
        if receiver.poll(_START_SECONDS):
            receiver.recv_bytes()
            return
        reason = f"it was not ready after {_START_SECONDS} seconds"
    except EOFError:
        reason = "it ended before the first cell"
    raise AutograderError(
        f"cannot start a process to run a submission in: {reason}. "
        "Does 'python -m autograder.shell' run without an error?"
    )


def _collect(
    receiver: Connection, cells: list[dict[str, Any]], deadline: float
) -> dict[int, dict[str, Any]]:
    reports: dict[int, dict[str, Any]] = {}
    for cell in cells:
        ending = None
        try:
            if receiver.poll(max(0.0, deadline - time.monotonic())):
                report = json.loads(receiver.recv_bytes())
                reports[int(report["index"])] = report
            else:
                ending = {"name": "Timeout", "message": "the submission's time was used up"}
        except (EOFError, OSError, ValueError):
            ending = {"name": "Died", "message": "the process ended while this cell ran"}
        if ending:
            reports[cell["index"]] = {"outputs": [], "error": ending, "seconds": 0.0}
            break
    return reports


def _end(process: BaseProcess) -> None:
    """End the process and everything in its group."""
    process.join(timeout=0.5)
    if process.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
    process.close()
