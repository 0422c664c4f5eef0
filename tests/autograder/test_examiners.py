"""The process that examiners are forked from may be ended by anybody; grading goes on."""

import os
import signal

import pytest
from cells_run import examine, names, run, student

from autograder import examiners
from autograder.errors import AutograderError
from autograder.examiners import ExaminerError


def test_an_ended_server_is_replaced():
    assert names(run(student("x = 1"), examine("True"))) == ["", ""]
    process = examiners._server._process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert names(run(student("x = 1"), examine("True"))) == ["", ""]
    assert examiners._server._process.pid != process.pid


def test_an_examiner_that_ends_is_started_once_more(monkeypatch):
    ends = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    started = []
    real = examiners.started

    def count(*arguments):
        started.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(examiners, "started", count)
    with pytest.raises(ExaminerError, match="the process that runs the tests ended"):
        run(student("x = 1"), examine(ends))
    assert len(started) == 2


def test_a_server_that_cannot_start_is_said(monkeypatch):
    monkeypatch.setattr(examiners, "_MAIN", "raise SystemExit(3)")
    server = examiners._Server()
    monkeypatch.setattr(examiners, "_server", server)
    with pytest.raises(AutograderError, match="cannot start a process to run the tests in"):
        run(student("x = 1"), examine("True"))
    server.close()
