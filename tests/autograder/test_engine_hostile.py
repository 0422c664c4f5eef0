"""What runs too long, ends its process, takes too much or says what it must not say."""

import psutil
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


@pytest.mark.parametrize(
    "body", ["while True:\n        pass", "try:\n        f()\n    except:\n        f()"]
)
def test_a_function_that_runs_too_long_for_a_test_ends_the_run(body):
    reports = run(
        student(f"def f():\n    {body}"), examine("1", "a"), examine("f()", "b"), examine("f", "c"),
        cell_seconds=1,
    )  # fmt: skip
    assert names(reports)[:3] == ["", "", "hung"]
    assert len(reports) == 3
    assert reports[2].ran_too_long


def test_a_test_cannot_catch_the_end_of_what_it_tests():
    hide = "try:\n    f()\nexcept Exception:\n    pass"
    code = "def f():\n    import os\n    os._exit(0)"
    assert names(run(student(code), examine(hide))) == ["", "died"]


def test_a_test_that_itself_runs_too_long_is_stopped():
    reports = run(examine("while True:\n    pass", "a"), examine("1", "b"), cell_seconds=0.1)
    assert names(reports) == ["hung"]


def test_a_test_may_have_less_time_than_the_others():
    function = "import time\ndef f():\n    time.sleep(0.3)"
    tests = [examine("f()", "a"), examine("f()", "b")]
    assert names(run(student(function), *tests)) == ["", "", ""]
    reports = run(student(function), tests[0], examine("f()", "b", cell_seconds=0.1))
    assert names(reports) == ["", "", "hung"]


def test_a_submissions_time_ends_everything():
    reports = run(student("x = 1"), student("while True:\n    pass"), student("x = 2"),
                  submission_seconds=0.3)  # fmt: skip
    assert names(reports) == ["", "timeout"]


def test_a_submissions_time_ends_its_tests_too():
    cells = [student("def f():\n    while True:\n        pass"), examine("f()", "a"), examine("f")]
    assert names(run(*cells, submission_seconds=0.5)) == ["", "timeout"]


def test_a_processors_time_is_counted_even_where_the_clocks_is_not_used_up():
    code = "import signal\nsignal.signal(signal.SIGXCPU, lambda *_: None)\nwhile True:\n    pass"
    reports = run(student("x = 1"), student(code), student("x = 2"), cpu_seconds=1)
    assert names(reports) == ["", "timeout"]
    assert reports[1].detail == "cpu"


# Ends.


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("import os\nos._exit(0)", "exit 0"),
        ("import os\nos._exit(3)", "exit 3"),
        ("import os\nos.abort()", "signal 11"),
        ("import ctypes\nctypes.string_at(0)", "signal 11"),
    ],
)
def test_a_process_that_ends_is_noticed(source, detail):
    reports = run(student("x = 1"), student(source), student("x = 2"))
    assert names(reports) == ["", "died"]
    assert reports[1].detail == detail


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM", "SIGSTOP", "SIGHUP"])
def test_the_first_process_of_a_namespace_gets_no_signal_from_itself(signal):
    code = (
        f"import os, signal\nos.kill(os.getpid(), signal.{signal})\nos.killpg(0, signal.{signal})"
    )
    assert names(run(student(code), student("x = 1"), examine("x"))) == ["", "", ""]


def test_without_a_lock_a_process_can_end_itself_by_a_signal():
    (report,) = run(student("import os\nos.kill(os.getpid(), 9)"), locked=False)
    assert (report.ending, report.detail) == ("died", "signal 9")


def test_a_process_that_ends_in_a_test_is_noticed():
    reports = run(student("def f():\n    import os\n    os._exit(0)"), examine("f()"), examine("f"))
    assert names(reports) == ["", "died"]
    assert reports[1].detail == "exit 0"


def test_a_forked_child_does_not_run_the_rest():
    code = "import os\npid = os.fork()\nx = 1"
    reports = run(student(code), student("print('parent' if pid else 'child')"))
    assert names(reports) == ["", ""]
    assert texts(reports[1]) == "parent\n"


RENAME = "ctypes.CDLL(None).prctl(15, b'left-behind', 0, 0, 0)"


@pytest.mark.parametrize("locked", [True, False])
def test_what_a_cell_started_does_not_outlive_it(locked):
    child = f"""
        import ctypes, os, signal, threading
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            {RENAME}
            for number in set(signal.Signals) - {{signal.SIGKILL, signal.SIGSTOP}}:
                signal.signal(number, signal.SIG_IGN)
            if os.fork() == 0:
                os.write(writing, b"x")
            while True:
                signal.pause()
        print(os.read(reading, 1))
    """
    thread = "threading.Thread(target=threading.Event().wait).start()"
    reports = run(student(child), student(thread), examine("True"), locked=locked)
    assert names(reports) == ["", "", ""]
    assert texts(reports[0]) == "b'x'\n"
    left = [process.name() for process in psutil.process_iter()]
    assert "left-behind" not in left


# Memory, processes, room.

GB = 10**9


def test_more_memory_than_is_allowed_is_an_error_in_the_cell():
    reports = run(student("b'x' * (2 * 10**9)"), student("x = 1"), memory_bytes=GB)
    assert names(reports) == ["MemoryError", ""]


SHARE = """
import mmap, os, signal
def take():
    shared = mmap.mmap(-1, 2 * 10**9)
    while True:
        shared.seek(0)
        while shared.tell() < len(shared):
            shared.write(b"x" * 10**6)
"""


def test_memory_that_is_shared_is_counted_as_well():
    reports = run(student(f"{SHARE}\ntake()"), student("x = 1"), memory_bytes=GB)
    assert names(reports) == ["memory"]
    assert reports[0].detail == "memory"


def test_memory_that_a_function_takes_during_a_test():
    assert names(run(student(SHARE), examine("take()"), memory_bytes=GB)) == ["", "memory"]


def test_too_many_processes_end_a_submission():
    code = (
        "import os, signal\nfor _ in range(4):\n    if os.fork() == 0:\n        signal.pause()\n"
        "signal.pause()"
    )
    (report,) = run(student(code), processes=4, locked=False)
    assert (report.ending, report.detail) == ("died", "processes")


def test_a_locked_submission_cannot_start_more_processes_than_allowed():
    code = (
        "import os, signal\nstarted = 0\ntry:\n    while True:\n        if os.fork() == 0:\n"
        "            signal.pause()\n        started += 1\nexcept OSError:\n    print(started < 8)"
    )
    reports = run(student(code), processes=8)
    assert names(reports) in ([""], ["died"])
    assert texts(reports[0]) == "True\n" or reports[0].detail == "processes"


@pytest.mark.parametrize("locked", [True, False])
def test_room_for_files_is_limited(locked):
    code = "for _ in range(20):\n    file.write(b'x' * 10**6)\n    file.flush()"
    reports = run(
        student("file = open('large', 'wb')"), student(code), student("1"),
        scratch_bytes=10**7, locked=locked,
    )  # fmt: skip
    assert names(reports) == ["", "OSError", ""]
    full = ("No space left on device", "File too large")
    assert any(words in reports[1].error.message for words in full)


def test_the_number_of_files_is_limited():
    code = "for number in range(200):\n    open(f'{number}', 'w').close()"
    (report,) = run(student(code), scratch_files=100)
    assert "No space left on device" in report.error.message


def test_a_test_shows_nothing():
    code = "def f():\n    print('input was', 31337)\n    import os\n    os.write(1, b'31337')"
    (_, report) = run(student(code), examine("f()"))
    assert report.outputs == []
    assert report.error is None


# A process that says what it must not say.

CHANNEL = """
import os, stat
def is_socket(descriptor):
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False
channel, calls = filter(is_socket, range(256))
def say(data):
    os.write(channel, data)
"""


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"",
        b"[]",
        b'{"index": 7, "outputs": [], "error": null}',
        b'{"index": 0, "outputs": 3, "error": null}',
    ],
)
def test_what_is_no_report_ends_the_run(data):
    assert names(run(student(f"{CHANNEL}\nsay({data!r} + b'\\n')"), student("1"))) == ["protocol"]


def test_a_report_that_was_made_up_is_no_more_than_an_output():
    says = b'{"index": 0, "outputs": [{"text": "forged"}], "error": null, "ending": "died"}\n'
    cells = [student(f"{CHANNEL}\nsay({says!r})\nx = 1"), examine("assert x == 2, 'two'")]
    reports = run(*cells)
    assert texts(reports[0]) == "forged"
    assert names(reports) == ["", "AssertionError"]


def test_half_a_report_does_not_hold_the_grader_up():
    code = f"{CHANNEL}\nsay(b'{{')\nimport time\ntime.sleep(30)"
    assert names(run(student(code), submission_seconds=0.5)) == ["timeout"]


def test_a_report_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("autograder.engine.MAX_REPORT_BYTES", 100_000)
    code = f"{CHANNEL}\nwhile True:\n    say(b'x' * 60_000)"
    assert names(run(student(code))) == ["protocol"]


def test_a_closed_channel_is_an_end():
    code = f"{CHANNEL}\nos.close(channel)"
    assert names(run(student(code), student("x = 1"))) == ["died"]


def test_answers_written_before_anything_was_asked_are_no_answers():
    code = f"{CHANNEL}\nos.write(calls, b'x' * 100)\ndef f():\n    return 1"
    assert names(run(student(code), examine("f()"))) == ["", "protocol"]


def test_a_closed_line_to_the_examiner_is_an_end():
    code = f"{CHANNEL}\nos.close(calls)\ndef f():\n    return 1"
    assert names(run(student(code), examine("f()"))) == ["", "died"]
