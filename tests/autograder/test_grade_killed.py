"""A grading that is killed loses nothing, leaves nothing behind, and continues where it stopped."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from gradebook_rows import rows
from made_up import NAME, as_bytes, code_cell, hand_in, notebook_of

from autograder.course import Course

pytestmark = pytest.mark.slow

STUDENTS = 40
KILLS = 20

GRADE = """
import sys
from functools import partial
from pathlib import Path
from autograder import cli, sheets

sheets.load_sheets = partial(sheets.load_sheets, solutions=Path(sys.argv[1]))
sys.exit(cli.main(["grade", "--course", sys.argv[2], "--jobs", "2"]))
"""

PAUSE = "import time\ntime.sleep(0.3)"

ANSWERS = [
    {},
    {"total": "def total(numbers):\n    return 0"},
    {"mean": "def mean(numbers):\n    return 1 / 0"},
    {"clip": "import os\nos._exit(1)"},
    {"celsius": "print('hot')\ndef celsius(f):\n    return f", "written_why": "So."},
]


@pytest.fixture
def class_of_40(root, sheet) -> Path:
    """A course folder with submissions right, wrong, deadly and unreadable.

    Each takes a while, or several would be finished between two looks.
    """
    for number in range(STUDENTS):
        code = ANSWERS[number % len(ANSWERS)]
        notebook = notebook_of(sheet, **code)
        notebook["cells"].append(code_cell(PAUSE))
        data = b"{" if number % 11 == 10 else as_bytes(notebook)
        when = f"2026-03-01 12:{number:02}:00 UTC" if number % 2 else None
        hand_in(root, f"s{number:02}", data, when)
    return root


@pytest.fixture
def temporary(tmp_path) -> Path:
    """The folder for temporary files of the processes under test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def start(solutions, temporary):
    def start(course: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", GRADE, str(solutions), str(course)],
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    return start


def left_by(course: Course) -> tuple[dict, dict, list[str]]:
    """The gradebook, the verdicts without their times, and the names of all files."""
    verdicts = {
        verdict["student"]: json.dumps(verdict | {"seconds": 0})
        for verdict in course.verdicts(NAME)
    }
    folder = course.root / "autograded"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return rows(course.database), verdicts, files


def kill(process: subprocess.Popen) -> list[psutil.Process]:
    """End it at once; returns what it had started."""
    process.send_signal(signal.SIGSTOP)  # so that it starts nothing more while we look
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.kill()
    finish(process)
    return children


def finish(process: subprocess.Popen) -> tuple[int, str]:
    """Wait for it: its exit status, and what it said on stderr."""
    _, err = process.communicate()
    return process.returncode, err


def finished(course: Course) -> int:
    return len(list(course.root.glob(f"autograded/*/{NAME}/digest.txt")))


def run_until(process: subprocess.Popen, condition: Callable[[], bool]) -> None:
    """Wait for the condition, or for the process to end by itself."""
    while process.poll() is None and not condition():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)


def test_killed_again_and_again(class_of_40, tmp_path, start, temporary):
    killed = Course(shutil.copytree(class_of_40, tmp_path / "killed"))
    undisturbed = Course(class_of_40)
    assert finish(start(undisturbed.root)) == (0, "")
    libraries = sorted(temporary.iterdir())  # torch leaves an empty folder of its own

    rng = random.Random(0)
    progress = []
    for _ in range(KILLS):
        # Spread over the work: most runs are left to finish a verdict or two, however fast they
        # are; some are killed before they have begun.
        wanted = finished(killed) + rng.choice((0, 1, 1, 1))
        process = start(killed.root)
        run_until(process, lambda wanted=wanted: finished(killed) >= wanted)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=rng.uniform(0, 0.5 if wanted == finished(killed) else 0.05))
        _, alive = psutil.wait_procs(kill(process), timeout=30)
        assert alive == [], "what it had started ends with it"
        progress.append(finished(killed))
    assert progress == sorted(progress), "no finished verdict is lost"
    assert len(set(progress)) > KILLS / 2, "most kills hit a run at work"

    assert finish(start(killed.root)) == (0, "")
    assert left_by(killed) == left_by(undisturbed)
    assert sorted(temporary.iterdir()) == libraries


def test_ctrl_c_in_a_terminal(class_of_40, start, temporary):
    """Everything in the foreground gets the signal, and no verdict may come of that."""
    course = Course(class_of_40)
    process = start(course.root)
    run_until(process, lambda: finished(course) >= 5)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert finish(process) == (1, "autograder: interrupted; finished verdicts are kept\n")
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    assert [path.name for path in temporary.iterdir() if "torchinductor" not in path.name] == []
    recorded = list(course.root.glob(f"autograded/*/{NAME}/digest.txt"))
    assert 5 <= len(recorded) < STUDENTS
    assert all(path.read_text(encoding="utf-8").endswith(" recorded") for path in recorded)
    deadly = {f"s{number:02}" for number in range(STUDENTS) if number % len(ANSWERS) == 3}
    died = {
        verdict["student"]
        for verdict in course.verdicts(NAME)
        if any(check["verdict"] == "died" for check in verdict["checks"])
    }
    assert died <= deadly, "what the signal ended has no verdict"
