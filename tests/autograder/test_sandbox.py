"""Submissions in a sandbox: what they find, that nothing of them is left, that it comes back."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from autograder import bubblewrap, engine, sandbox
from autograder.engine import Work, execute
from autograder.sandbox import Sandbox
from autograder.student_side.limits import Limits

pytestmark = pytest.mark.skipif(bool(sandbox.unable()), reason=sandbox.unable() or "can be locked")


@pytest.fixture(scope="module", autouse=True)
def _own_sandboxes():
    """Sandboxes of these tests only, all ended afterwards."""
    current = sandbox._Current()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_current", current)
        yield
    current.close()


def _process() -> psutil.Process:
    """The sandbox that is in use."""
    return psutil.Process(sandbox._current.get(locked=True)._process.pid)


def _run(*sources: str, locked: bool = True, **limits: float) -> dict:
    cells = [{"index": i, "source": s, "seconds": 20} for i, s in enumerate(sources)]
    return execute(Work(cells), Limits(**limits), locked=locked)


def _says(source: str, locked: bool = True) -> str:
    """What a cell of a submission prints."""
    report = _run(source, locked=locked)[0]
    assert report.error is None, report.error
    return "".join(output.get("text", "") for output in report.outputs)


# What a submission finds.


def test_only_listed_variables_are_there(monkeypatch):
    monkeypatch.setenv("A_SECRET", "of the grader")
    found = set(_says("import os\nprint(*os.environ)").split())
    own = {
        "COLUMNS",
        "PWD",
        "LC_CTYPE",
        "MPLBACKEND",
        "KINETO_LOG_LEVEL",
        "TORCHINDUCTOR_CACHE_DIR",
    }
    assert found - own <= set(bubblewrap.ENVIRONMENT)


def test_no_file_is_open_but_its_own():
    source = """
import os, stat
found = []
for number in range(256):
    try:
        found.append(os.fstat(number))
    except OSError:
        pass
print(sum(stat.S_ISSOCK(f.st_mode) for f in found))
print({f.st_rdev == os.stat("/dev/null").st_rdev for f in found if not stat.S_ISSOCK(f.st_mode)})
"""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        other = sandbox.start_kernel(Limits(), theirs, locked=True)
        assert other.channel.recv(100).startswith(b'{"ready"')
        # To the grader and to the examiner; what a process reads and writes by itself is nothing.
        assert _says(source) == "2\n{True}\n"
        other.stop()


# Nothing passes on.

_MARK = "the-first-submissions-" + "unmistakable-word"


def _memory_holds(process: psutil.Process, word: bytes) -> bool:
    """Whether a word is anywhere in the memory of a process that it can write to."""
    try:
        maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        descriptor = os.open(f"/proc/{process.pid}/mem", os.O_RDONLY)
    except ProcessLookupError:  # it has ended meanwhile
        return False
    with os.fdopen(descriptor, "rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if "w" not in rights:
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            memory.seek(start)
            try:
                if word in memory.read(end - start):
                    return True
            except OSError:
                continue  # reserved, without a page behind it
    return False


def _kernels() -> list[psutil.Process]:
    return _process().children(recursive=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the memory of these processes")
def test_the_next_kernels_memory_does_not_hold_the_last_submission():
    seen: dict[str, list[bool]] = {"same": [], "next": [], "warm": []}

    def watch(source: str, key: str) -> None:
        class Watched(engine._Lines):
            def next(self, deadline):
                line = super().next(deadline)
                if line.startswith(b'{"outputs"'):
                    seen[key] += [_memory_holds(k, _MARK.encode()) for k in _kernels()[1:]]
                    seen["warm"].append(_memory_holds(_process(), _MARK.encode()))
                return line

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "_Lines", Watched)
            assert _run(source)[0].error is None

    watch(f"word = '{_MARK}'", "same")
    watch("word = 'another'", "next")
    assert any(seen["same"]), "the search finds what is there"
    assert not any(seen["next"])
    assert not any(seen["warm"])


def test_nothing_is_left_by_a_submission():
    places = [Path("/dev/shm"), Path(tempfile.gettempdir())]
    _run("x = 1")
    before = [set(place.iterdir()) for place in places]
    code = """
import os, multiprocessing.shared_memory as m, tempfile, pathlib
pathlib.Path('left-behind-h').write_text('x')
pathlib.Path(tempfile.gettempdir(), 'left-behind').write_text('x')
for place in ('/tmp/left-behind-by-name', '/dev/shm/left-behind-by-name'):
    try:
        pathlib.Path(place).write_text('x')
    except OSError:
        pass
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
"""
    assert _run(code)[0].error is None
    for place, names in zip(places, before, strict=True):
        assert not [path for path in set(place.iterdir()) - names if "left-behind" in path.name]
    look = "import os, tempfile\nprint(os.listdir('.'), os.listdir(tempfile.gettempdir()))"
    assert _says(look) == "[] []\n"


def test_no_process_is_left_by_a_submission():
    code = """
import ctypes, os
for _ in range(5):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"left-behind", 0, 0, 0)  # the process's name
        while True:
            pass
"""
    assert _run(code)[0].error is None
    assert "left-behind" not in [process.name() for process in _kernels()]


def test_a_closed_sandbox_leaves_no_process():
    box = Sandbox(locked=True)
    box.wait_until_ready()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        kernel = box.start_kernel(Limits(), theirs)
        assert kernel.channel.recv(100).startswith(b'{"ready"')
        first = psutil.Process(box._process.pid)
        processes = [first, *first.children(recursive=True)]
        assert len(processes) >= 3
        box.close()
        _, alive = psutil.wait_procs(processes, timeout=20)
        assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
        kernel.channel.close()
        kernel._warden.close()


# It comes back.


def test_a_sandbox_that_is_killed_is_replaced_and_the_submission_graded():
    first = _process()
    killed = []

    def kill_once(channel):
        if not killed:
            killed.append(first.pid)
            first.kill()
            first.wait()
        real(channel)

    real = engine._wait_until_ready
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_wait_until_ready", kill_once)
        assert _says("print(1 + 1)") == "2\n"
    assert killed
    assert _process().pid != first.pid


def test_two_submissions_at_once_are_apart():
    said: dict[int, str] = {}
    code = """
import os
from pathlib import Path
Path("mine").open("x").write("{0}")
Path(os.environ["TMPDIR"], "mine").open("x")
print(Path("mine").read_text())
"""

    def grade(number: int) -> None:
        said[number] = _says(code.format(number))

    threads = [threading.Thread(target=grade, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {number: f"{number}\n" for number in range(4)}


def test_without_a_lock_it_is_the_same_but_for_the_lock():
    assert _says("print(1 + 1)", locked=False) == "2\n"
    shown = f"import os\nprint(os.path.exists({str(bubblewrap.REPOSITORY / 'README.md')!r}))"
    assert _says(shown, locked=False) == "True\n"
    assert _says(shown, locked=True) == "False\n"


_GRADER = """
import sys, threading
from autograder.engine import Work, execute
from autograder.student_side.limits import Limits
print("started", flush=True)
execute(Work([{"index": 0, "source": "print(1)", "seconds": 60},
              {"index": 1, "source": "import time\\nwhile True: pass", "seconds": 600}]),
        Limits(submission_seconds=600))
"""


def test_a_grader_that_is_killed_leaves_no_process():
    grader = subprocess.Popen([sys.executable, "-c", _GRADER], stdout=subprocess.PIPE)
    with grader, grader.stdout:
        assert grader.stdout.readline() == b"started\n"
        mine = psutil.Process(grader.pid)
        below: list[psutil.Process] = []
        # The examiners' process, bubblewrap, its first process and a kernel.
        while len(below) < 4 and grader.poll() is None:
            below = mine.children(recursive=True)
        os.kill(grader.pid, signal.SIGKILL)
        grader.wait()
        _, alive = psutil.wait_procs(below, timeout=60)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
