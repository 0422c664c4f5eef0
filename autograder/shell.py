"""Run a notebook's cells in this process, one after the other, and report each.

This module is what a fresh process for a submission is forked from, so it imports at once what
every sheet needs (torch takes seconds) and starts nothing: no thread, no socket, no shell.
"""

import base64
import builtins
import contextlib
import io
import json
import os
import random
import signal
import sys
import time
import types
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
import torchvision  # noqa: F401
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import detseg
import detseg.draw  # noqa: F401

matplotlib.use("agg")

# The first line of a process: it can run cells.
READY = b"ready"

# One message for the student, not a report: an exception may quote a whole tensor.
MAX_MESSAGE_CHARACTERS = 500

# An honest sheet draws a quarter of this.
MAX_PICTURES = 40


class CellTimeoutError(BaseException):
    """Raised in a cell that runs too long; no Exception, so that `except Exception` lets it by."""


class _Allowance:
    """What a submission may still write: characters of text, and pictures."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.largest_picture = characters
        self.pictures = MAX_PICTURES

    def take(self, text: str) -> str:
        taken = text[: self.characters]
        self.characters -= len(taken)
        return taken

    def takes_picture(self, picture: object) -> bool:
        if not isinstance(picture, str) or len(picture) > self.largest_picture:
            return False
        self.pictures -= 1
        return self.pictures >= 0


class _BoundedText(io.StringIO):
    """Keeps what is allowed of what is written and drops the rest."""

    def __init__(self, allowance: _Allowance) -> None:
        super().__init__()
        self._allowance = allowance

    def write(self, text: str) -> int:
        super().write(self._allowance.take(text))
        return len(text)


def run(connection: Connection, request: dict[str, Any]) -> None:
    """Run `request["cells"]` and write one line of JSON a cell, as each ends.

    A test is run in parts that share its `id`: where one has failed, the others are not run and
    are reported as it was.

    Args:
        connection: where the lines go; closed at the end.
        request: `cells`: list of `{"index": int, "id": str, "kind": "student" or "test",
            "source": str}`; `scratch`: an empty folder to run in; `cell_seconds`: float;
            `output_bytes`: int.
    """
    os.setsid()  # one process group to end whatever the cells start
    myself = os.getpid()
    _silence()
    home, folder = Path(request["scratch"], "home"), Path(request["scratch"], "work")
    home.mkdir()
    folder.mkdir()
    os.chdir(folder)
    os.environ["IPYTHONDIR"] = os.environ["HOME"] = str(home)
    torch.set_num_threads(1)
    shell, allowance = _shell(), _Allowance(request["output_bytes"])
    failed: dict[str, dict[str, Any]] = {}
    _write_line(connection, READY)
    for cell in request["cells"]:
        _seed()
        started = time.perf_counter()
        with _alarm(request["cell_seconds"]):
            if cell["kind"] != "test":
                report = _run_student(shell, cell, allowance)
            elif cell["id"] in failed:
                report = failed[cell["id"]]
            else:
                report = _run_test(shell, cell)
        if os.getpid() != myself:
            os._exit(0)  # a child that the cell forked: its parent goes on
        if cell["kind"] == "test" and report["error"]:
            failed[cell["id"]] = report
        report |= {"index": cell["index"], "seconds": time.perf_counter() - started}
        _write_line(connection, json.dumps(report).encode())
    connection.close()


def _write_line(connection: Connection, line: bytes) -> None:
    rest = memoryview(line + b"\n")
    while rest:
        rest = rest[os.write(connection.fileno(), rest) :]


def _silence() -> None:
    """What is written past Python's own streams is lost, and nothing can be read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123


class _DisplayHook(DisplayHook):
    """Shows a cell's last value without a number, and as a picture where it is one."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        if "image/png" in format_dict and self.shell:
            self.shell.display_pub.publish(format_dict)
        else:
            super().write_format_data(format_dict, md_dict)


class _Shell(InteractiveShell):
    """IPython without a window system: `%matplotlib inline` asks for none.

    An error is reported with its cell. It is not formatted as well: that takes IPython seconds
    where a function has called itself a thousand times.
    """

    displayhook_class = _DisplayHook

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def showtraceback(self, *_: object, **__: object) -> None:
        pass

    def showsyntaxerror(self, *_: object, **__: object) -> None:
        pass


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


def _run_student(
    shell: InteractiveShell, cell: dict[str, Any], allowance: _Allowance
) -> dict[str, Any]:
    """Run one of the student's cells by IPython's rules; its output is kept for the feedback."""
    stdout, stderr = _BoundedText(allowance), _BoundedText(allowance)
    failure: BaseException | None = None
    with capture_output() as captured:
        sys.stdout, sys.stderr = stdout, stderr
        try:
            result = shell.run_cell(cell["source"])
            failure = result.error_before_exec or result.error_in_exec
        except BaseException as error:
            failure = error
    texts = [stdout.getvalue(), stderr.getvalue()]
    outputs: list[dict[str, object]] = [{"text": text} for text in texts if text]
    for shown in captured.outputs:
        picture = shown.data.get("image/png")
        if isinstance(picture, bytes):
            picture = base64.b64encode(picture).decode()
        if allowance.takes_picture(picture):
            outputs.append({"png": picture})
    if failure is None:
        return {"outputs": outputs, "error": None}
    told = {"name": type(failure).__name__, "message": _text_of(failure)}
    return {"outputs": outputs, "error": told}


def _run_test(shell: InteractiveShell, cell: dict[str, Any]) -> dict[str, Any]:
    """Run a test cell as plain Python; nothing that it or the student's code prints is kept."""
    filename = f"<{cell['id']}>"
    # A copy: a test's own names must not replace a student's helper of the same name.
    namespace = dict(shell.user_ns)
    nowhere = _BoundedText(_Allowance(0))
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        try:
            exec(compile(cell["source"], filename, "exec"), namespace)
        except BaseException as failure:
            return {"outputs": [], "error": _error_in_test(failure, filename)}
    return {"outputs": [], "error": None}


def _error_in_test(failure: BaseException, filename: str) -> dict[str, Any]:
    """The failure by the name of a class that the student did not make, and where it arose."""
    known = (c for c in type(failure).__mro__ if getattr(builtins, c.__name__, None) is c)
    timeout = isinstance(failure, CellTimeoutError)
    lines, by_cell = [], False
    trace = failure.__traceback__
    while trace is not None:
        by_cell = trace.tb_frame.f_code.co_filename == filename
        if by_cell:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return {
        "name": CellTimeoutError.__name__ if timeout else next(known).__name__,
        "message": _text_of(failure),
        "lines": lines,
        "by_cell": by_cell,
    }


def _text_of(failure: BaseException) -> str:
    try:
        return str(failure)[:MAX_MESSAGE_CHARACTERS]
    except BaseException:
        return ""
