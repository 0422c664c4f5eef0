"""The examiner's kernel: runs the tests, in a process that no student's code enters.

What tests call of the student's is a proxy (`remote`). What they say is theirs: the author's.
"""

import ast
import builtins
import contextlib
import io
import json
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import matplotlib
import matplotlib.pyplot as plt
import torch
import torchvision  # noqa: F401

import detseg
import detseg.exam
from autograder.remote import ShortcutUsedError, Student, StudentEndedError
from autograder.student_side import control
from autograder.student_side.forking import settle
from autograder.student_side.limits import Limits
from autograder.student_side.shell import seed, text_of, use_torch

matplotlib.use("agg")

# Tests work on copies of what the student's kernel has, and on what it returns.
_MEMORY_FACTOR = 2

# Tests that compute for ever are the author's mistake; the wait for the student's code is over
# by then.
_GRACE_SECONDS = 2.0

# The name of the cells that prepare the tests, in tracebacks.
_SETUP = "<setup>"


class CellTimeoutError(BaseException):
    """The tests themselves take too long."""


class SetupError(Exception):
    """A cell that prepares the tests fails: the author's mistake."""


class _Names(dict[str, Any]):
    """A test's namespace: a name that the student has to define is fetched when it is used."""

    def __init__(self, prepared: dict[str, Any], theirs: frozenset[str], student: Student) -> None:
        super().__init__(prepared)
        self._theirs, self._student = theirs, student

    def __missing__(self, name: str) -> Any:
        if name not in self._theirs or hasattr(builtins, name):
            raise KeyError(name)
        self[name] = self._student.get(name)
        return self[name]


def main() -> None:
    """Fork an examiner for every pair of sockets that comes over the control socket.

    The descriptor of that is the only argument. This process has imported what tests need; it
    never sees a test.
    """
    grader = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the grader's to end this
    torch.set_num_threads(1)
    use_torch()
    settle()
    children: list[int] = []
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            message, files = control.receive(grader)
            children = _alive(children)
            if "kill" in message:
                if message["kill"] in children:
                    os.kill(message["kill"], signal.SIGKILL)
                continue
            child = os.fork()
            if child == 0:
                grader.close()
                _examine(*files)
            for descriptor in files:
                os.close(descriptor)
            children.append(child)
            control.send(grader, {"started": child})


def _alive(children: list[int]) -> list[int]:
    """Those that have not ended; only these may still be killed by their ids."""
    return [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]


def _examine(channel: int, calls: int) -> NoReturn:
    try:
        with socket.socket(fileno=channel) as connection, socket.socket(fileno=calls) as student:
            run(connection, control.receive(connection)[0], student)
    finally:
        os._exit(0)


def run(channel: socket.socket, request: dict[str, Any], calls: socket.socket) -> None:
    """Run the tests and write one line of JSON for each: `index`, `error`, `ending`, `points`.

    A test is run in parts that share its `id`: where one has failed, the others are not run and
    are reported as it was. After a report with an `ending` there is no other.

    Args:
        channel: where the reports go.
        request: `setup`: sources of the cells that prepare the tests; `tests`: `{"index": int,
            "id": str, "source": str, "released": bool, "limits": Limits' fields}` each, of which
            released ones may quote what the student's code says; `names`: those that the student
            has to define; `files`: what was handed in beside the notebook, bytes as Latin-1;
            `seed`: int; `until_failure`: run no test after one that fails; `limits`: the
            submission's, the time being what is left.
        calls: the private socket to the student's kernel.
    """
    limits = Limits(**request["limits"])
    memory = _MEMORY_FACTOR * limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    student = Student(calls, limits)
    student.submission_deadline = time.monotonic() + limits.submission_seconds
    theirs = frozenset(request["names"])
    detseg.exam.handed_in = {n: text.encode("latin-1") for n, text in request["files"].items()}
    prepared: dict[str, Any] = {"__name__": "tests"}
    with _silence():
        for source in request["setup"]:
            seed(request["seed"])
            try:
                exec(compile(source, _SETUP, "exec"), prepared)
            except Exception as error:
                _say(channel, {"failed": f"{type(error).__name__}: {text_of(error)}"})
                return
        failed: dict[str, dict[str, Any]] = {}
        for test in request["tests"]:
            report = failed.get(test["id"])
            if report is None:
                seed(request["seed"])
                report = _run(test, _Names(prepared, theirs, student), student)
                plt.close("all")
            if report["error"]:
                failed[test["id"]] = report
            _say(channel, report | {"index": test["index"]})
            if report["ending"] or (report["error"] and request["until_failure"]):
                return


def _say(channel: socket.socket, report: dict[str, Any]) -> None:
    channel.sendall(json.dumps(report).encode() + b"\n")


def _run(test: dict[str, Any], names: _Names, student: Student) -> dict[str, Any]:
    student.with_text = test["released"]
    student.limits = Limits(**test["limits"])
    seconds = student.limits.cell_seconds
    student.cell_deadline = time.monotonic() + seconds
    filename = f"<{test['id']}>"
    error, ending, points = None, "", None
    try:
        with _alarm(seconds + _GRACE_SECONDS):
            points = _points(_value_of_last_line(test["source"], filename, names))
    except StudentEndedError as ended:
        ending = ended.ending
    except CellTimeoutError:
        ending = "hung"
    except BaseException as failure:
        error = _error(failure, filename)
    return {"error": error, "ending": ending, "points": points}


def _value_of_last_line(source: str, filename: str, names: _Names) -> Any:
    """Run a cell as a notebook does; returns what it would show: None where it ends otherwise."""
    body = compile(source, filename, "exec", ast.PyCF_ONLY_AST)
    assert isinstance(body, ast.Module)
    last = body.body.pop() if body.body and isinstance(body.body[-1], ast.Expr) else None
    exec(compile(body, filename, "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), filename, "eval"), names)


def _points(value: Any) -> float | None:
    """A part of the points, where a test ends in one; what is no finite number earns nothing."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else 0.0


def _error(failure: BaseException, filename: str) -> dict[str, Any]:
    """The failure by the name of a built-in class, and where in the test it arose."""
    lines, by_cell = [], False
    trace = failure.__traceback__
    while trace is not None:
        where = trace.tb_frame.f_code.co_filename
        by_cell = where in (filename, _SETUP)
        if where == filename:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    known = (c.__name__ for c in type(failure).__mro__ if getattr(builtins, c.__name__, 0) is c)
    shortcut = isinstance(failure, ShortcutUsedError)
    name = ShortcutUsedError.__name__ if shortcut else next(known)
    return {"name": name, "message": text_of(failure), "lines": lines, "by_cell": by_cell}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def expire(*_: object) -> None:
        raise CellTimeoutError

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
