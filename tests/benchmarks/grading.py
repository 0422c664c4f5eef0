"""How fast grading is: `make bench` prints a table, all of it from one run on this machine.

Compared with `nbgrader autograde` as it comes, on the same submissions of the same sheet, which
both have released before: the sheet as it is, whose pictures take most of the time, and the sheet
without them, which shows what the grader itself takes. No number is judged here.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

from autograder import answers, bubblewrap
from autograder.cells import grade_id, is_code, is_test, without_region
from autograder.course import Course
from autograder.sheets import SOLUTIONS, Sheet, load_sheet

BIN = Path(sys.executable).parent
COMPARED = 40
OWN_COMPUTE_OF = 10

# `autograder`, with sheets from another folder.
COMMAND = """
import sys
from pathlib import Path
from autograder import cli
def load(options):
    from autograder.sheets import load_sheets
    return load_sheets(options.sheets, solutions=Path(sys.argv[1]))
cli._sheets = load
sys.exit(cli.main(sys.argv[2:]))
"""


@dataclass
class Run:
    """One command: seconds on the clock, seconds of processors, most megabytes of memory.

    `each`: seconds on the clock from one verdict to the next, without the start of the command.
    """

    wall: float
    cpu: float
    grader: float
    together: float
    each: float


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", default="iou-nms", metavar="SHEET")
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 400, 2000], metavar="N")
    parser.add_argument("--no-nbgrader", action="store_true", help="leave the comparison out")
    options = parser.parse_args()
    sheet = load_sheet(options.sheet)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench(sheet, Path(folder), options.sizes, compare=not options.no_nbgrader)


def bench(sheet: Sheet, folder: Path, sizes: list[int], *, compare: bool) -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"{sheet.name}, {cores} cores\n")
    if compare:
        print(f"| {COMPARED} submissions | seconds, start included | from verdict to verdict |")
        print("| --- | --- | --- |")
        for solutions in (SOLUTIONS, without_pictures(sheet.name, folder / "solutions")):
            _compare(load_sheet(sheet.name, solutions), solutions, folder)
        print()
    runs = {}
    for size in sizes:
        course = folder / f"class-{size}"
        hand_in(sheet, course, size)
        _say(f"autograder grade, {size} submissions")
        runs[size] = autograder(sheet, course)
        shutil.rmtree(course)
    print("| submissions | seconds | from verdict to verdict | CPU each | MB grader | MB all |")
    print("| --- | --- | --- | --- | --- | --- |")
    for size, run in runs.items():
        print(
            f"| {size} | {run.wall:.0f} | {run.each:.3f} | {run.cpu / size:.2f} "
            f"| {run.grader:.0f} | {run.together:.0f} |"
        )
    if len(sizes) > 1:
        few, many = sizes[0], sizes[1]
        slope = (runs[many].cpu - runs[few].cpu) / (many - few)
        own = own_compute(sheet, folder / "own")
        print(f"\nCPU of one more submission: {slope:.2f} s, of which its own cells {own:.2f} s:")
        print(f"overhead {slope - own:.2f} s")


def _compare(sheet: Sheet, solutions: Path, folder: Path) -> None:
    ours, theirs = folder / "ours", folder / "nbgrader"
    hand_in(sheet, ours, COMPARED)
    hand_in(sheet, theirs, COMPARED)
    pictures = "with" if solutions == SOLUTIONS else "without"
    _say(f"nbgrader autograde, {COMPARED} submissions {pictures} pictures (takes minutes)")
    slow = nbgrader(sheet, theirs)
    _say(f"autograder grade, {COMPARED} submissions {pictures} pictures")
    fast = autograder(sheet, ours, solutions)
    for name, run in (("nbgrader autograde", slow), ("autograder grade", fast)):
        print(f"| {name}, {pictures} pictures | {run.wall:.1f} | {run.each:.3f} |")
    different = differences(sheet, ours, theirs)
    print(
        f"| ratio, {len(different)} checks judged differently {different or ''} "
        f"| {slow.wall / fast.wall:.1f} | {slow.each / fast.each:.1f} |",
        flush=True,
    )
    shutil.rmtree(ours)
    shutil.rmtree(theirs)


def without_pictures(name: str, solutions: Path) -> Path:
    """A folder of solutions with the sheet, but for the cells that show a student's result."""
    text = (SOLUTIONS / name / f"{name}.md").read_text(encoding="utf-8")
    place = solutions / name / f"{name}.md"
    place.parent.mkdir(parents=True)
    shown = re.compile(r"^```\{code-cell\}.*\n(?!---\n)(?:.*\n)*?```\n", re.MULTILINE)
    place.write_text(shown.sub("", text), encoding="utf-8")
    return solutions


def hand_in(sheet: Sheet, course: Path, count: int) -> None:
    """A course folder with submissions: right, wrong and partly right answers in turn."""
    reference = answers.reference(sheet)
    given = [
        reference,
        *(
            answers.isolated(sheet, answer.exercise, answer.code)
            for kind in ("right", "wrong")
            for answer in answers.named_answers(sheet, kind)
        ),
    ]
    texts = [
        nbformat.writes(answers.typed_in(sheet, answer, notebook_for_students=True).notebook)
        for answer in given
    ]
    for number in range(count):
        place = course / "submitted" / f"s{number:05}" / sheet.name
        place.mkdir(parents=True)
        # A stride that meets every answer before it meets one twice, whatever the class's size.
        text = texts[number * 7 % len(texts)] if len(texts) % 7 else texts[number % len(texts)]
        (place / f"{sheet.name}.ipynb").write_text(text, encoding="utf-8")


def autograder(sheet: Sheet, course: Path, solutions: Path = SOLUTIONS) -> Run:
    """From the command to its end, start of all processes included."""
    program = [sys.executable, "-c", COMMAND, solutions]
    release = [*program, "release", sheet.name, "--course", course]
    subprocess.run(release, check=True, capture_output=True)
    command = [*program, "grade", sheet.name, "--course", course, "--json"]
    return _measured(command, course, at_a_time=len(os.sched_getaffinity(0)))


def nbgrader(sheet: Sheet, course: Path) -> Run:
    """As it comes: its own configuration, its own preprocessors, one submission at a time."""
    source = course / "source" / sheet.name / f"{sheet.name}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(nbformat.writes(sheet.notebook), encoding="utf-8")
    config = f"c = get_config()\nc.CourseDirectory.root = {str(course)!r}\n"
    (course / "nbgrader_config.py").write_text(config, encoding="utf-8")
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [BIN / "nbgrader", "generate_assignment", sheet.name],
        cwd=course, check=True, capture_output=True,
    )  # fmt: skip
    return _measured([BIN / "nbgrader", "autograde", sheet.name], course, at_a_time=1)


def _measured(command: list[str | Path], folder: Path, at_a_time: int) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        with _memory(process.pid) as peaks:
            status = process.wait()
    wall = time.monotonic() - started
    if status != 0:
        sys.exit(f"{command} failed:\n{(folder / 'output.txt').read_text()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    graded = folder.glob("autograded/*/*/*.ipynb")
    times = sorted(path.stat().st_mtime for path in graded)[at_a_time - 1 :]
    each = (times[-1] - times[0]) / (len(times) - 1)
    return Run(wall, cpu, peaks["grader"], peaks["together"], each)


@contextlib.contextmanager
def _memory(pid: int) -> Iterator[dict[str, float]]:
    """The most memory of a process, and of it and its children together, looked at every second."""
    peaks = {"grader": 0.0, "together": 0.0}
    done = threading.Event()

    def look() -> None:
        process = psutil.Process(pid)
        while not done.wait(1.0):
            with contextlib.suppress(psutil.Error):
                own = process.memory_info().rss / 1e6
                family = [process, *process.children(recursive=True)]
                whole = sum(_proportional(member) for member in family) / 1e6
                peaks["grader"] = max(peaks["grader"], own)
                peaks["together"] = max(peaks["together"], whole)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def differences(sheet: Sheet, ours: Path, theirs: Path) -> list[str]:
    """Checks on which the two gradebooks do not agree."""
    left, right = _scores(sheet, ours), _scores(sheet, theirs)
    return sorted(
        f"{student}/{check}"
        for student, check in left.keys() | right.keys()
        if left.get((student, check)) != right.get((student, check))
    )


def _scores(sheet: Sheet, course: Path) -> dict[tuple[str, str], float | None]:
    from nbgrader.api import Gradebook

    with Gradebook(Course(course).database) as gradebook:
        return {
            (submission.student.id, grade.name): grade.auto_score
            for submission in gradebook.assignment_submissions(sheet.name)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def own_compute(sheet: Sheet, folder: Path) -> float:
    """CPU seconds of a submission's cells and tests alone, in a process with torch imported."""
    hand_in(sheet, folder, OWN_COMPUTE_OF)
    sources = []
    for path in sorted(folder.glob("submitted/*/*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        answer = {grade_id(cell): cell.source for cell in notebook.cells if grade_id(cell)}
        cells = [cell for cell in answers.typed_in(sheet, answer).notebook.cells if is_code(cell)]
        tests = [cell.source for cell in cells if is_test(cell)]
        released = [without_region(source, "HIDDEN TESTS") for source in tests]
        sources.append([*(c.source for c in cells if not is_test(c)), *released, *tests])
    code = Path(__file__).with_name("own_compute.py")
    # Memory as in a kernel, or the cells would seem to take longer here than there.
    memory = {k: v for k, v in bubblewrap.ENVIRONMENT.items() if k.startswith("MALLOC_")}
    said = subprocess.check_output(
        [sys.executable, code], input=json.dumps(sources), text=True, env=os.environ | memory
    )
    return float(said)


def _say(text: str) -> None:
    print(f"{text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
