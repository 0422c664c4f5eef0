"""What runs too long, ends its process, writes without end or says what it must not say."""

import time

import pytest
from cells_run import examine, names, run, student, texts

# Time.


def test_a_cell_that_runs_too_long_is_stopped_and_the_next_runs():
    reports = run(
        student("while True:\n    pass"), student("x = 1"), examine("x"), cell_seconds=0.3
    )
    assert names(reports) == ["CellTimeoutError", "", ""]
    assert reports[0].ran_too_long


def test_except_exception_does_not_save_a_cell_that_runs_too_long():
    code = "import time\ntry:\n    time.sleep(30)\nexcept Exception:\n    pass\nx = 1"
    assert names(run(student(code), cell_seconds=0.3)) == ["CellTimeoutError"]


def test_a_cell_that_does_not_listen_is_ended(monkeypatch):
    monkeypatch.setattr("autograder.engine._GRACE_SECONDS", 0.2)
    code = "import time\nwhile True:\n    try:\n        time.sleep(30)\n    except:\n        pass"
    reports = run(student("x = 1"), student(code), student("x = 2"), cell_seconds=0.2)
    assert names(reports) == ["", "hung"]


def test_a_test_that_runs_too_long_is_stopped_and_the_next_runs():
    reports = run(
        student("def f():\n    while True:\n        pass"), examine("f()", "a"), examine("f", "b"),
        cell_seconds=0.3,
    )  # fmt: skip
    assert names(reports) == ["", "CellTimeoutError", ""]


def test_a_submissions_time_ends_everything():
    reports = run(student("x = 1"), student("while True:\n    pass"), student("x = 2"),
                  submission_seconds=0.3)  # fmt: skip
    assert names(reports) == ["", "timeout"]


# Ends.


@pytest.mark.parametrize(
    "source",
    ["import os\nos._exit(0)", "import os\nos.kill(os.getpid(), 9)", "import os\nos.abort()"],
)
def test_a_process_that_ends_is_noticed(source):
    reports = run(student("x = 1"), student(source), student("x = 2"))
    assert names(reports) == ["", "died"]


def test_a_process_that_ends_in_a_test_is_noticed():
    reports = run(student("def f():\n    import os\n    os._exit(0)"), examine("f()"), examine("f"))
    assert names(reports) == ["", "died"]


def test_a_forked_child_does_not_run_the_rest():
    code = "import os\npid = os.fork()\nx = 1"
    reports = run(student(code), student("print('parent' if pid else 'child')"))
    assert names(reports) == ["", ""]
    assert texts(reports[1]) == "parent\n"


def test_what_a_cell_started_does_not_outlive_it(tmp_path):
    alive = tmp_path / "alive"
    child = f"""
        import os, pathlib, time
        if os.fork() == 0:
            while True:
                pathlib.Path({str(alive)!r}).write_text("x")
                time.sleep(0.01)
        while not os.path.exists({str(alive)!r}):
            time.sleep(0.01)
    """
    thread = f"""
        import threading
        def spin():
            while True:
                pathlib.Path({str(tmp_path / "thread")!r}).write_text("x")
        threading.Thread(target=spin).start()
    """
    assert names(run(student(child), student(thread), examine("True"))) == ["", "", ""]
    assert alive.exists()
    for path in (alive, tmp_path / "thread"):
        path.unlink(missing_ok=True)
    time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


# Output.


def test_endless_output_is_cut():
    code = "while True:\n    print('x' * 1000)"
    (report, after) = run(student(code), student("print(1)"), cell_seconds=1, output_bytes=5000)
    assert len(texts(report)) == 5000
    assert report.ran_too_long
    assert texts(after) == "", "the allowance is the submission's, not the cell's"


def test_stdout_and_stderr_share_the_allowance():
    code = "import sys\nprint('x' * 70)\nprint('y' * 70, file=sys.stderr)"
    (report,) = run(student(code), output_bytes=100)
    assert texts(report) == "x" * 70 + "\n" + "y" * 29


def test_too_many_and_too_large_pictures_are_dropped():
    code = (
        "from IPython.display import display\n"
        "def show(data):\n"
        "    display({'image/png': data}, raw=True)\n"
        "show('a' * 1001)\n"
        "for _ in range(60):\n"
        "    show('b' * 1000)\n"
        "show(3)"
    )
    (report,) = run(student(code), output_bytes=1000)
    assert [output["png"][:1] for output in report.outputs] == ["b"] * 40


def test_a_test_shows_nothing():
    code = "def f():\n    print('input was', 31337)\n    import os\n    os.write(1, b'31337')"
    (_, report) = run(student(code), examine("f()"))
    assert report.outputs == []


def test_halves_of_characters_arrive_as_something_that_can_be_written():
    (report, raised) = run(student("print('\\ud800')"), student("raise ValueError('\\ud800')"))
    assert texts(report) == "?\n"
    assert raised.error.message == ""


# A process that says what it must not say.

PIPE = """
import gc, os
from multiprocessing.connection import Connection
(pipe,) = [c for c in gc.get_objects() if isinstance(c, Connection) and not c.closed]
def say(data):
    os.write(pipe.fileno(), data)
"""


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"",
        b"[]",
        b'{"index": 7, "outputs": [], "error": null, "seconds": 1.0}',
        b'{"index": 0, "outputs": 3, "error": null, "seconds": 1.0}',
    ],
)
def test_what_is_no_report_ends_the_run(data):
    assert names(run(student(f"{PIPE}\nsay({data!r} + b'\\n')"), student("1"))) == ["protocol"]


def test_half_a_report_does_not_hold_the_grader_up():
    code = f"{PIPE}\nsay(b'{{')\nimport time\ntime.sleep(30)"
    assert names(run(student(code), submission_seconds=0.5)) == ["timeout"]


def test_a_report_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("autograder.engine.MAX_REPORT_BYTES", 100_000)
    code = f"{PIPE}\nwhile True:\n    say(b'x' * 60_000)"
    assert names(run(student(code))) == ["protocol"]


def test_a_closed_pipe_is_an_end():
    code = f"{PIPE}\nos.close(pipe.fileno())"
    assert names(run(student(code), student("x = 1"))) == ["died"]
