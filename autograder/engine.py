"""Execute a rebuilt submission in a process of its own and say what came of every cell.

The process is forked from a server that has torch imported, so it is ready in a fraction of a
second. It is *not yet* a lock: student code and tests share it, and it runs with the rights of
whoever grades. Verdicts say so (`"sandbox": "none"`).
"""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from autograder import launch
from autograder.cell_reports import MAX_REPORT_BYTES, CellReport, read_report
from autograder.errors import AutograderError
from autograder.sheets import Limits

SANDBOX = "none"

# A cell stops itself at its limit; one that does not listen is stopped this much later.
_GRACE_SECONDS = 5.0

# The first process waits for torch to be imported, on a cold disk too.
_START_SECONDS = 120

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["autograder.launch", "autograder.shell"])


def execute(cells: list[dict[str, Any]], limits: Limits) -> dict[int, CellReport]:
    """Run the cells in order in a fresh process, in a folder of its own.

    Args:
        cells: `{"index", "id", "kind", "source"}` each, as `autograder.shell.run` takes them.
        limits: wall time and output that the cells may use.

    Returns: by cell index. The cell during which the process died, ran out of time or sent what
        is no report has an `ending`; cells after it are absent.

    Raises:
        AutograderError: no process could be started.
    """
    with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as scratch:
        receiver, sender = _context.Pipe(duplex=False)
        request = {
            "cells": cells,
            "scratch": scratch,
            "cell_seconds": limits.cell_seconds,
            "output_bytes": limits.output_bytes,
        }
        process = _context.Process(target=launch.run, args=(sender, request), daemon=False)
        with receiver:
            with sender:
                # A worker of Dask is a daemon, and to multiprocessing daemons have no children,
                # which might outlive them. These end with the pipe that they write to.
                multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
                process.start()
            try:
                lines = _Lines(receiver)
                _wait_until_ready(lines)
                return _collect(lines, cells, limits)
            finally:
                _end(process)


class _Lines:
    """What a process writes, line by line, waiting for it no longer than until a deadline.

    Not `Connection.recv_bytes`: that waits for ever for the rest of a message that never comes.
    """

    def __init__(self, receiver: Connection) -> None:
        self._receiver = receiver
        self._buffer = b""

    def next(self, deadline: float) -> bytes:
        """The next line.

        Raises:
            TimeoutError: it is not there at `deadline` (of `time.monotonic()`).
            EOFError: nobody is left to write it.
            ValueError: it has no end.
        """
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_REPORT_BYTES:
                raise ValueError(f"a line of more than {MAX_REPORT_BYTES} bytes")
            if not self._receiver.poll(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            chunk = os.read(self._receiver.fileno(), 1_000_000)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _wait_until_ready(lines: _Lines) -> None:
    try:
        lines.next(time.monotonic() + _START_SECONDS)
    except TimeoutError:
        reason = f"it was not ready after {_START_SECONDS} seconds"
    except EOFError:
        reason = "it ended before the first cell"
    else:
        return
    raise AutograderError(
        f"cannot start a process to run a submission in: {reason}. "
        "Does 'python -m autograder.shell' run without an error?"
    )


def _collect(lines: _Lines, cells: list[dict[str, Any]], limits: Limits) -> dict[int, CellReport]:
    reports: dict[int, CellReport] = {}
    deadline = time.monotonic() + limits.submission_seconds
    for cell in cells:
        index = cell["index"]
        own_deadline = time.monotonic() + limits.cell_seconds + _GRACE_SECONDS
        try:
            reports[index] = read_report(lines.next(min(deadline, own_deadline)), index)
        except TimeoutError:
            reports[index] = CellReport(ending="hung" if own_deadline < deadline else "timeout")
        except (EOFError, OSError):
            reports[index] = CellReport(ending="died")
        except ValueError:
            reports[index] = CellReport(ending="protocol")
        if reports[index].ending:
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
