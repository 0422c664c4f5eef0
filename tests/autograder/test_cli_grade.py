"""`autograder grade`: what it says, and where."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from gradebook_rows import made_up_verdict
from made_up import NAME, hand_in, handed_in
from nbgrader.api import Gradebook

from autograder import cli, grade_class, recorder, sheets
from autograder.course import Course


@pytest.fixture(autouse=True)
def _made_up_sheets_and_verdicts(monkeypatch, solutions, sheet):
    def grade_bytes(_sheet_name, _sheet_json, submission, student, *_):
        graded = made_up_verdict(sheet, student, submission)
        if student == "ben":
            graded.verdict["flags"].append({"kind": "unreadable", "detail": "\x1b[31mno\u202e"})
        return graded.to_json()

    monkeypatch.setattr(sheets, "load_sheets", partial(sheets.load_sheets, solutions=solutions))
    monkeypatch.setattr(grade_class, "grade_bytes", grade_bytes)


@pytest.fixture
def course(root, sheet) -> Path:
    hand_in(root, "ada", handed_in(sheet))
    hand_in(root, "ben", b"{")
    return root


@pytest.fixture
def grade(course, capsys):
    """Run the command: exit status, stdout, stderr."""

    def run(*options: str) -> tuple[int, str, str]:
        return cli.main(["grade", "--course", str(course), *options]), *capsys.readouterr()

    return run


def test_flags_and_a_summary(grade, course):
    status, out, err = grade()
    assert (status, err) == (0, "")
    flag, summary = out.splitlines()
    assert flag == "ben/sums: unreadable: no", "what a student wrote is shown as plain text"
    assert summary.startswith("2 graded, 0 unchanged, 0 failed in ")
    assert summary.endswith(f"verdicts in {course / 'autograded'}")


def test_nothing_to_do_is_said(grade, course):
    grade()
    assert grade() == (
        0, "nothing to do: all 2 were graded before and have not changed\n", ""
    )  # fmt: skip
    for student in ("ada", "ben"):
        (course / "submitted" / student / NAME).rename(course / "submitted" / student / "other")
    status, out, err = grade()
    where = course / "submitted" / "<student>" / "<sheet>" / "<sheet>.ipynb"
    assert (status, err) == (0, "")
    assert out == f"nothing to do: no submission to sums; expected at {where}\n"


def test_verdicts_alone_are_on_stdout_with_json(grade):
    status, out, err = grade("--json")
    assert status == 0
    assert sorted(json.loads(line)["student"] for line in out.splitlines()) == ["ada", "ben"]
    assert err.startswith("2 graded, ")
    assert grade("--json")[:2] == (0, "")


def test_what_failed_is_on_stderr(grade, course):
    (course / "submitted" / "ben" / NAME / "timestamp.txt").write_text("soon", encoding="utf-8")
    status, out, err = grade()
    assert status == 1
    assert out.startswith("1 graded, 0 unchanged, 1 failed in ")
    assert err.startswith("ben/sums: not graded: ")
    assert err.count("\n") == 1


def test_what_an_earlier_run_could_not_record(grade, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(recorder, "mark_recorded", lambda *_: {}["full"])
        status, out, err = grade()
    assert (status, out[:9], err.count("only the next run can record it")) == (1, "0 graded,", 2)
    status, out, err = grade()
    assert (status, err) == (0, "")
    assert out.startswith("0 graded, 2 graded before and now recorded, 0 unchanged, 0 failed in ")


def test_a_second_run_says_at_once_who_is_grading(grade, course):
    with Course(course).locked():
        status, out, err = grade()
    assert (status, out) == (1, "")
    message = f"{course} is being graded by another process (pid {os.getpid()})"
    assert err == f"autograder: {message}\n"


def test_without_a_sandbox_there_is_a_warning(grade, monkeypatch, sheet):
    def grade_bytes(_name, _text, submission, student, _files, locked):
        assert not locked
        return made_up_verdict(sheet, student, submission).to_json()

    monkeypatch.setattr(grade_class, "grade_bytes", grade_bytes)
    status, out, err = grade("--no-sandbox")
    assert (status, out[:8]) == (0, "2 graded")
    assert err.startswith("autograder: warning: no sandbox: ")


def test_a_bar_is_for_terminals(grade, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = grade("--json")
    assert "2/2" in err
    assert "failed=0" in err


SLOW = """
import sys, threading
from functools import partial
from pathlib import Path
sys.path.insert(0, {tests!r})
from gradebook_rows import made_up_verdict
from autograder import cli, grade_class, recorder, sheets

sheets.load_sheets = partial(sheets.load_sheets, solutions=Path({solutions!r}))
recorder.BATCH = 1
stuck = threading.Barrier(3)

def grade_bytes(name, text, submission, student, *_):
    if student > "s03":
        stuck.wait()  # for ever: there are only two workers
    return made_up_verdict(sheets.Sheet.from_json(name, text), student, submission).to_json()

grade_class.grade_bytes = grade_bytes
sys.exit(cli.main(["grade", "--course", {course!r}, "--jobs", "2", "--json"]))
"""


def test_ctrl_c_abandons_what_runs_and_keeps_what_is_finished(root, solutions):
    for number in range(20):
        hand_in(root, f"s{number:02}", b"")
    code = SLOW.format(tests=str(Path(__file__).parent), solutions=str(solutions), course=str(root))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = {json.loads(process.stdout.readline())["student"] for _ in range(4)}
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (1, "")
    assert err == "autograder: interrupted; finished verdicts are kept\n"
    assert told == {"s00", "s01", "s02", "s03"}
    with Gradebook(Course(root).database) as gradebook:
        found = gradebook.assignment_submissions(NAME)
        assert {submission.student.id for submission in found} == told
