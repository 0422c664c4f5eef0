"""Run a submission's cells in a student's kernel, and the tests in an examiner's.

Both kernels are forked from processes that have torch imported, so they are ready in a fraction of
a second. The student's is locked in (`sandbox`); the examiner's is never entered by a student's
code: it asks, over a socket between the two, and gets data (`remote`).
"""

import json
import os
import select
import socket
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from autograder import examiners, sandbox
from autograder.cell_reports import MAX_REPORT_BYTES, Allowance, CellError, CellReport, read_report
from autograder.errors import AutograderError
from autograder.examiners import ExaminerError
from autograder.sandbox import SandboxError
from autograder.student_side import control
from autograder.student_side.limits import Limits

# A cell stops itself at its limit; one that does not listen is stopped this much later.
_GRACE_SECONDS = 5.0

# A kernel waits for its processor; the first one of a machine for torch to be imported.
_START_SECONDS = 120

# What the end of a student's kernel means, by why the sandbox says that it ended.
_MEANING = {"memory": "memory", "cpu": "timeout"}


@dataclass(frozen=True)
class Work:
    """What is to be run of one submission.

    `cells`: the student's, `{"index", "source", "seconds"}` each. `tests`, `setup`, `names`: as
    `examiner.run` takes them. `forbidden`: dotted names of library calls that the student's
    functions must not use. `files`: what was handed in beside the notebook, by name. `seed`: the
    examiner's; the student's kernel never learns it. `until_failure`: run no test after one that
    fails.
    """

    cells: list[dict[str, Any]]
    tests: list[dict[str, Any]] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    forbidden: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    seed: int = 0
    until_failure: bool = False


def start(*, locked: bool = True) -> None:
    """Start the processes that kernels are forked from, without waiting for them.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    sandbox.start(locked=locked)
    examiners.start()


def warm_up(*, locked: bool = True) -> None:
    """Start the processes that kernels are forked from, and wait until the lock has been tried.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    start(locked=locked)
    sandbox.require(locked=locked)


def execute(work: Work, limits: Limits, *, locked: bool = True) -> dict[int, CellReport]:
    """Run all cells in order in a fresh kernel, then all tests.

    Returns: by index. The cell or test during which the student's kernel died, ran out of
        something or sent what it must not send has an `ending`; those after it are absent.

    Raises:
        SandboxError: this machine cannot lock code in.
        AutograderError: no process could be started.
    """
    try:
        warm_up(locked=locked)
        return _execute(work, limits, locked)
    except (SandboxError, ExaminerError):
        # A process may be ended by somebody else, or by a machine out of memory: another is made.
        # Where none can be made this says so.
        return _execute(work, limits, locked)


def _execute(work: Work, limits: Limits, locked: bool) -> dict[int, CellReport]:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            kernel = sandbox.start_kernel(limits, theirs, locked=locked)
        found: dict[int, CellReport] = {}
        try:
            lines = _Lines(kernel.channel)
            _wait_until_ready(lines)
            # Only now that the kernel is locked in.
            _hand_over(work, kernel.channel)
            _wait_until_ready(lines)
            deadline = time.monotonic() + limits.submission_seconds
            found = _collect_cells(lines, work, limits, deadline)
            if work.tests and not any(report.ending for report in found.values()):
                found |= _examine(work, limits, ours, deadline)
        finally:
            reason = kernel.stop(dead=any(r.ending == "died" for r in found.values()))
    return {index: _explained(report, reason) for index, report in found.items()}


def _explained(report: CellReport, reason: str) -> CellReport:
    """A report with what the sandbox knows of why the kernel ended."""
    if report.ending != "died":
        return report
    return replace(report, ending=_MEANING.get(reason, "died"), detail=reason)


class _Lines:
    """What a kernel writes, line by line, waiting for it no longer than until a deadline."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def next(self, deadline: float) -> bytes:
        """The next line.

        Raises:
            TimeoutError: it is not there at `deadline` (of `time.monotonic()`).
            EOFError: nobody is left to write it.
            ValueError: it has no end.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_REPORT_BYTES:
                raise ValueError(f"a line of more than {MAX_REPORT_BYTES} bytes")
            if not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            try:
                chunk = os.read(self._channel.fileno(), 1_000_000)
            except ConnectionError as error:
                raise EOFError from error
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line


def _wait_until_ready(lines: _Lines) -> None:
    """Wait for the kernel, in which no student's code has run yet."""
    try:
        said = lines.next(time.monotonic() + _START_SECONDS)
    except (TimeoutError, EOFError) as error:
        raise SandboxError("a kernel ended before its first cell") from error
    if said != b'{"ready": true}':
        raise SandboxError(f"cannot prepare a kernel: {said.decode('utf-8', 'replace')[:500]}")


def _hand_over(work: Work, channel: socket.socket) -> None:
    """Give the kernel what was handed in."""
    request = {
        "cells": work.cells,
        "forbidden": work.forbidden,
        "files": _as_text(work.files),
    }
    channel.settimeout(_START_SECONDS)
    try:
        control.send(channel, request)
    except OSError as error:
        raise SandboxError("a kernel ended before its first cell") from error


def _as_text(files: dict[str, bytes]) -> dict[str, str]:
    """Contents as text that JSON can hold: a character a byte."""
    return {name: content.decode("latin-1") for name, content in files.items()}


def _collect_cells(
    lines: _Lines, work: Work, limits: Limits, deadline: float
) -> dict[int, CellReport]:
    reports: dict[int, CellReport] = {}
    allowance = Allowance(limits.output_bytes)
    for cell in work.cells:
        index = cell["index"]
        own_deadline = time.monotonic() + cell["seconds"] + _GRACE_SECONDS
        try:
            line = lines.next(min(deadline, own_deadline))
            reports[index] = read_report(line, index, allowance)
        except TimeoutError:
            reports[index] = CellReport(ending="hung" if own_deadline < deadline else "timeout")
        except EOFError:
            reports[index] = CellReport(ending="died")
        except ValueError:
            reports[index] = CellReport(ending="protocol")
        if reports[index].ending:
            break
    return reports


def _examine(
    work: Work, limits: Limits, calls: socket.socket, deadline: float
) -> dict[int, CellReport]:
    """Let an examiner run the tests.

    Raises:
        ExaminerError: the examiner itself ended, which is no student's doing.
        AutograderError: a cell that prepares the tests fails.
    """
    request = {
        "setup": work.setup,
        "tests": work.tests,
        "names": work.names,
        "files": _as_text(work.files),
        "seed": work.seed,
        "until_failure": work.until_failure,
        "limits": asdict(replace(limits, submission_seconds=deadline - time.monotonic())),
    }
    reports: dict[int, CellReport] = {}
    with examiners.started(request, calls) as channel:
        lines = _Lines(channel)
        for _ in work.tests:
            try:
                said = json.loads(lines.next(deadline + _START_SECONDS))
            except (TimeoutError, EOFError) as error:
                raise ExaminerError(
                    "the process that runs the tests ended, or does not answer"
                ) from error
            if "failed" in said:
                raise AutograderError(f"the sheet's own setup fails: {said['failed']}")
            failure = CellError(**said["error"]) if said["error"] else None
            reports[said["index"]] = CellReport([], failure, said["ending"], points=said["points"])
            if said["ending"] or (failure and work.until_failure):
                break
    return reports
