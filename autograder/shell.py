"""Run a notebook's cells in this process, one after the other, and report each.

This module is what a fresh process for a submission is forked from, so it imports at once what
every sheet needs (torch takes seconds) and starts nothing: no thread, no socket, no shell.
"""

import contextlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import matplotlib
import numpy as np
import torch
import torchvision  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import detseg
import detseg.draw  # noqa: F401

matplotlib.use("agg")

# The first message of a process: it can run cells.
READY = b"ready"

# One message for the student, not a report: an exception may quote a whole tensor.
MAX_MESSAGE_CHARACTERS = 500


class CellTimeoutError(BaseException):
    """Raised in a cell that runs too long; no Exception, so that `except Exception` lets it by."""


class _BoundedText(io.StringIO):
    """Keeps the first characters of what is written and drops the rest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        super().write(text[: self._left])
        self._left = max(0, self._left - len(text))
        return len(text)


def run(connection: Connection, request: dict[str, Any]) -> None:
    """Run `request["cells"]` and send one JSON object a cell, as each ends.

    Args:
        connection: where the objects go, as UTF-8 bytes; closed at the end.
        request: `cells`: list of `{"index": int, "id": str, "kind": "student" or "test",
            "source": str}`; `cell_seconds`: float; `output_bytes`: int.
    """
    os.setsid()  # one process group to end whatever the cells start
    _silence()
    with tempfile.TemporaryDirectory(prefix="submission-") as scratch, contextlib.chdir(scratch):
        os.environ["IPYTHONDIR"] = os.environ["HOME"] = scratch
        torch.set_num_threads(1)
        shell = _shell()
        connection.send_bytes(READY)
        for cell in request["cells"]:
            _seed()
            started = time.perf_counter()
            with _alarm(request["cell_seconds"]):
                if cell["kind"] == "test":
                    report = _run_test(shell, cell)
                else:
                    report = _run_student(shell, cell, request["output_bytes"])
            report |= {"index": cell["index"], "seconds": time.perf_counter() - started}
            connection.send_bytes(json.dumps(report).encode())
    connection.close()


def _silence() -> None:
    """What is written past Python's own streams is lost, and nothing can be read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123


class _Shell(InteractiveShell):
    """IPython without a window system: `%matplotlib inline` asks for none."""

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def _showtraceback(self, *_: object) -> None:
        """An error is reported with its cell; it need not be printed as well."""


def _shell() -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = _Shell.instance(config=config)
    # A __main__ of its own, not the grader's: it is what pickle and dataclasses ask for.
    sys.modules["__main__"] = types.ModuleType("__main__")
    shell.user_ns["__name__"] = "__main__"
    shell.run_line_magic("matplotlib", "inline")
    return shell


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def expire(*_: object) -> None:
        raise CellTimeoutError(f"longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _run_student(shell: InteractiveShell, cell: dict[str, Any], limit: int) -> dict[str, Any]:
    """Run one of the student's cells by IPython's rules; its output is kept for the feedback."""
    stdout, stderr = _BoundedText(limit), _BoundedText(limit)
    failure: BaseException | None = None
    with capture_output() as captured:
        sys.stdout, sys.stderr = stdout, stderr
        try:
            result = shell.run_cell(cell["source"])
            failure = result.error_before_exec or result.error_in_exec
        except BaseException as error:
            failure = error
    outputs = [{"text": stdout.getvalue()}] if stdout.getvalue() else []
    outputs += [{"text": stderr.getvalue()}] if stderr.getvalue() else []
    for shown in captured.outputs:
        picture = shown.data.get("image/png")
        if isinstance(picture, str) and len(picture) <= limit:
            outputs.append({"png": picture})
    return {"outputs": outputs, "error": _describe(failure)}


def _run_test(shell: InteractiveShell, cell: dict[str, Any]) -> dict[str, Any]:
    """Run a test cell as plain Python; nothing that it or the student's code prints is kept."""
    filename = f"<{cell['id']}>"
    failure: BaseException | None = None
    # A copy: a test's own names must not replace a student's helper of the same name.
    namespace = dict(shell.user_ns)
    with contextlib.redirect_stdout(_BoundedText(0)), contextlib.redirect_stderr(_BoundedText(0)):
        try:
            exec(compile(cell["source"], filename, "exec"), namespace)
        except BaseException as error:
            failure = error
    report = _describe(failure)
    if report is not None and failure is not None:
        report["lines"] = _lines_in(failure, filename)
    return {"outputs": [], "error": report}


def _describe(failure: BaseException | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    try:
        message = str(failure)
    except Exception:
        message = ""
    return {"name": type(failure).__name__, "message": message[:MAX_MESSAGE_CHARACTERS]}


def _lines_in(failure: BaseException, filename: str) -> list[int]:
    """Numbers of the test cell's lines on the way to the failure, outermost first."""
    lines = []
    trace = failure.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines
