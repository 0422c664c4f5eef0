"""A pool of threads: futures as the library's, and an end that waits for nobody."""

import subprocess
import sys
import threading
from concurrent.futures import wait

import pytest

from autograder.daemon_threads import DaemonThreads


def test_what_is_submitted_is_done():
    with DaemonThreads(2) as pool:
        futures = [pool.submit(divmod, number, 7) for number in range(100)]
        keyword = pool.submit(int, "z", base=36)
        assert [future.result() for future in futures] == [divmod(n, 7) for n in range(100)]
        assert keyword.result() == 35


def test_what_fails_fails_where_it_is_asked_for():
    with DaemonThreads(1) as pool:
        failed, after = pool.submit(divmod, 1, 0), pool.submit(divmod, 7, 2)
        with pytest.raises(ZeroDivisionError):
            failed.result()
        assert after.result() == (3, 1)


def test_as_many_at_a_time_as_there_are_jobs():
    both = threading.Barrier(2, timeout=60)
    with DaemonThreads(2) as pool:
        wait([pool.submit(both.wait), pool.submit(both.wait)])
    assert not both.broken


def test_what_has_not_begun_can_be_cancelled():
    begun, end = threading.Event(), threading.Event()
    with DaemonThreads(1) as pool:
        running = pool.submit(lambda: begun.set() or end.wait(60))
        begun.wait(60)
        waiting = pool.submit(divmod, 1, 1)
        assert (running.cancel(), waiting.cancel()) == (False, True)
        end.set()
        assert running.result()


def test_the_program_ends_although_a_thread_has_not():
    code = (
        "import threading\n"
        "from autograder.daemon_threads import DaemonThreads\n"
        "begun = threading.Event()\n"
        "with DaemonThreads(1) as pool:\n"
        "    pool.submit(lambda: begun.set() or threading.Event().wait())\n"
        "    begun.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
