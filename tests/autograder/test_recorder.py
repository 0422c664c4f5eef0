"""Verdicts on their way into the gradebook: none is lost, none takes others with it."""

import contextlib
import errno
import itertools
import shutil
import sqlite3
from pathlib import Path

import pytest
from gradebook_rows import made_up_verdict, rows
from made_up import NAME, hand_in, handed_in
from nbgrader.api import Gradebook

from autograder import grade_class as grading
from autograder import recorder as module
from autograder.course import Course, Submission
from autograder.errors import AutograderError
from autograder.grade_class import grade_class
from autograder.gradebook import GradebookWriter
from autograder.recorder import ClassResult, Recorder

WRONG = "def celsius(fahrenheit):\n    return fahrenheit"


@pytest.fixture(autouse=True)
def graded_students(sheet, monkeypatch) -> list[str]:
    """Whose submissions were graded, in this order; verdicts are made up, nothing runs."""
    begun: list[str] = []

    def grade_bytes(_sheet_name, _sheet_json, submission, student, *_):
        begun.append(student)
        failed = {"test_celsius"} if b'return fahrenheit"' in submission else set()
        return made_up_verdict(sheet, student, submission, frozenset(failed)).to_json()

    monkeypatch.setattr(grading, "grade_bytes", grade_bytes)
    return begun


@pytest.fixture
def course(root, sheet) -> Course:
    """Three students handed in, and nothing is graded."""
    for student in ("ada", "ben", "cleo"):
        hand_in(root, student, handed_in(sheet, written_why="So."), "2026-03-01 12:00:00 UTC")
    return Course(root)


def run(course: Course, sheet) -> ClassResult:
    return grade_class(course, [sheet], jobs=1, progress=False)


def counts(result: ClassResult) -> tuple[int, int, int, int]:
    return result.graded, result.recovered, result.unchanged, len(result.failed)


def files(course: Course) -> dict[str, str]:
    """What grading left: every file's content by its path."""
    folder = course.root / "autograded"
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Batches.


@pytest.fixture
def batches(monkeypatch) -> list[int]:
    """How many submissions each transaction had."""
    sizes: list[int] = []
    write = GradebookWriter.write

    def counted(self, entries, *patience):
        entries = list(entries)
        write(self, entries, *patience)
        sizes.append(len(entries))

    monkeypatch.setattr(GradebookWriter, "write", counted)
    return sizes


def test_the_gradebook_is_written_in_few_transactions(root, sheet, monkeypatch, batches):
    monkeypatch.setattr(module, "BATCH_SECONDS", 1e9)
    for number in range(60):
        hand_in(root, f"s{number:02}", b"")
    assert counts(run(Course(root), sheet)) == (60, 0, 0, 0)
    assert sum(batches) == 60
    assert len(batches) <= 4
    assert max(batches) <= module.BATCH + 1


def test_a_verdict_waits_no_longer_than_a_moment(course, sheet, monkeypatch):
    now = itertools.count(step=0.5)
    monkeypatch.setattr(module, "monotonic", lambda: next(now))
    with Recorder(course, lambda _: None) as recorder:
        assert recorder.seconds_left() is None
        for student in ("ada", "ben"):
            submission = Submission(student, NAME, course.root / "submitted" / student / NAME)
            recorder.finish(submission, "digest", made_up_verdict(sheet, student, b""))
        assert recorder.seconds_left() == 1.5
        assert recorder.seconds_left() == 1.0
        recorder.flush_if_due()
        assert recorder.result.graded == 0
        recorder.flush_if_due()
        assert recorder.result.graded == 2
        assert recorder.seconds_left() is None


def test_what_waits_at_the_end_is_written(course, sheet, batches):
    assert counts(run(course, sheet)) == (3, 0, 0, 0)
    assert sum(batches) == 3
    assert counts(run(course, sheet)) == (0, 0, 3, 0)


# What cannot be written.


def refuse(monkeypatch, refused) -> None:
    """Let the database answer as a full or locked one for those batches that are `refused`."""
    write = GradebookWriter.write

    def answer(self, entries, *patience):
        entries = list(entries)
        if refused([entry.student for entry in entries]):
            raise AutograderError("cannot write sqlite:///gradebook.db: database is full")
        write(self, entries, *patience)

    monkeypatch.setattr(GradebookWriter, "write", answer)


def test_a_batch_that_fails_is_written_one_by_one(course, sheet, monkeypatch):
    refuse(monkeypatch, lambda students: len(students) > 1)
    assert counts(run(course, sheet)) == (3, 0, 0, 0)
    with Gradebook(course.database) as gradebook:
        assert len(gradebook.assignment_submissions(NAME)) == 3


def test_one_that_cannot_be_recorded_costs_the_others_nothing(
    course, sheet, monkeypatch, graded_students
):
    with monkeypatch.context() as patched:
        refuse(patched, lambda students: "ben" in students)
        first = run(course, sheet)
    assert counts(first) == (2, 0, 0, 1)
    (line,) = first.failure_lines()
    assert line == (
        "ben/sums: graded, but only the next run can record it: "
        "cannot write sqlite:///gradebook.db: database is full"
    )
    graded_students.clear()
    assert counts(run(course, sheet)) == (0, 1, 2, 0)
    assert graded_students == [], "what is finished is not graded again"
    with Gradebook(course.database) as gradebook:
        assert gradebook.find_submission(NAME, "ben").score == 8.5
    assert counts(run(course, sheet)) == (0, 0, 3, 0)


def test_a_gradebook_that_stays_locked(course, sheet, monkeypatch, graded_students):
    monkeypatch.setattr(module, "_PATIENCE_ALONE_SECONDS", 0.0)
    monkeypatch.setattr(GradebookWriter.write, "__defaults__", (0.0,))
    formgrader = sqlite3.connect(course.root / "gradebook.db")
    formgrader.execute("BEGIN IMMEDIATE")
    first = run(course, sheet)
    formgrader.close()
    assert counts(first) == (0, 0, 0, 3)
    assert all(line.endswith("database is locked") for line in first.failure_lines()), first
    assert len(course.verdicts(NAME)) == 3
    assert counts(run(course, sheet)) == (0, 3, 0, 0)
    assert len(graded_students) == 3


def test_a_gradebook_that_cannot_be_read_ends_the_run_at_once(course, sheet, graded_students):
    (course.root / "gradebook.db").write_bytes(b"this is no database, although it is long enough")
    with pytest.raises(AutograderError, match=r"cannot read sqlite:///.*gradebook\.db: "):
        run(course, sheet)
    assert graded_students == []


def no_space(monkeypatch, *places: str) -> None:
    """Let the disk be full for files whose path has all these parts."""

    def full(real):
        def call(self, *arguments, **options):
            if all(place in str(self) for place in places):
                raise OSError(errno.ENOSPC, "No space left on device", str(self))
            return real(self, *arguments, **options)

        return call

    monkeypatch.setattr(Path, "write_text", full(Path.write_text))


@pytest.mark.parametrize("file", ["verdict.json", f"{NAME}.ipynb", "timestamp.txt", "digest.txt"])
def test_a_full_disk_leaves_the_old_verdict(course, sheet, monkeypatch, graded_students, file):
    run(course, sheet)
    before = files(course)
    hand_in(course.root, "ada", handed_in(sheet, celsius=WRONG), "2026-03-02 12:00:00 UTC")
    hand_in(course.root, "ben", handed_in(sheet, celsius=WRONG), "2026-03-02 12:00:00 UTC")
    with monkeypatch.context() as patched:
        no_space(patched, "/autograded/ben/", file)
        result = run(course, sheet)
    assert counts(result) == (1, 0, 1, 1)
    assert "[Errno 28] No space left on device" in result.failure_lines()[0]
    after = files(course)
    assert not any(name.endswith(".new") for name in after)
    if file != "digest.txt":
        assert {n: t for n, t in after.items() if "ben" in n} == {
            n: t for n, t in before.items() if "ben" in n
        }
    graded_students.clear()
    assert counts(run(course, sheet)) == (1, 0, 2, 0)
    assert graded_students == ["ben"]
    assert [verdict["score"] for verdict in course.verdicts(NAME)] == [7.5, 7.5, 8.5]


def test_a_disk_that_is_full_after_recording(course, sheet, monkeypatch, graded_students):
    mark_recorded = module.mark_recorded

    def full(folder, digest):
        if "ben" in folder.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        mark_recorded(folder, digest)

    with monkeypatch.context() as patched:
        patched.setattr(module, "mark_recorded", full)
        assert counts(run(course, sheet)) == (2, 0, 0, 1)
    assert counts(run(course, sheet)) == (0, 1, 2, 0)
    assert len(graded_students) == 3


# What was lost is found again.


def test_a_gradebook_that_was_thrown_away_is_filled_again(course, sheet, graded_students):
    run(course, sheet)
    before = rows(course.database)
    (course.root / "gradebook.db").unlink()
    assert counts(run(course, sheet)) == (0, 3, 0, 0)
    assert rows(course.database) == before
    assert len(graded_students) == 3


@pytest.mark.parametrize("file", ["verdict.json", f"{NAME}.ipynb"])
@pytest.mark.parametrize(
    ("content", "mark"),
    [(None, " recorded"), (b"", " recorded"), (b"", ""), (b"\0" * 500, ""), (b"{", "")],
)
def test_a_file_that_a_power_failure_damaged_is_made_anew(
    course, sheet, graded_students, file, content, mark
):
    """Nothing waits for the disk: a finished file may come out of a power failure empty."""
    run(course, sheet)
    folder = course.graded_folder("ben", NAME)
    digest = (folder / "digest.txt").read_text(encoding="utf-8")
    (folder / "digest.txt").write_text(digest.removesuffix(" recorded") + mark, encoding="utf-8")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    graded_students.clear()
    assert counts(run(course, sheet)) == (1, 0, 2, 0)
    assert graded_students == ["ben"]
    assert counts(run(course, sheet)) == (0, 0, 3, 0)


# Killed at every step.


class Killed(BaseException):
    """The process ends here: whatever it would do next is not done."""


def kill_at(monkeypatch, step: int) -> list[str]:
    """Let the process end just before its `step`-th change; lists the changes up to then."""
    done: list[str] = []

    def mortal(name, real):
        def call(self, *arguments, **options):
            if len(done) >= step:
                raise Killed
            done.append(f"{name} {getattr(self, 'name', '')}")
            return real(self, *arguments, **options)

        return call

    for name in ("write_text", "unlink", "replace", "mkdir", "touch"):
        monkeypatch.setattr(Path, name, mortal(name, getattr(Path, name)))
    monkeypatch.setattr(GradebookWriter, "write", mortal("commit", GradebookWriter.write))
    return done


def test_what_is_marked_as_finished_is_what_was_finished(course, sheet, monkeypatch):
    submission = Submission("ada", NAME, course.root / "submitted" / "ada" / NAME)
    verdicts = {
        digest: made_up_verdict(sheet, "ada", b"", frozenset(failed))
        for digest, failed in [("old", ["test_mean"]), ("new", [])]
    }
    marked = []
    for step in range(20):
        course.finish(submission, verdicts["old"], "old")
        with monkeypatch.context() as patched:
            kill_at(patched, step)
            with contextlib.suppress(Killed):
                course.finish(submission, verdicts["new"], "new")
        for digest, graded in verdicts.items():
            if course.is_finished(submission, digest):
                marked.append(digest)
                assert course.finished(submission) == graded, step
    assert marked[0] == "old"
    assert marked[-1] == "new"
    assert len(marked) < 20


@pytest.fixture
def handed_in_again(course, sheet, monkeypatch) -> Course:
    """Ada was graded before, by a person too, and has handed in anew since."""
    monkeypatch.setattr(module, "BATCH", 2)
    (course.root / "submitted" / "ben").rename(course.root / "ben")
    run(course, sheet)
    (course.root / "ben").rename(course.root / "submitted" / "ben")
    with Gradebook(course.database) as gradebook:
        grade = gradebook.find_grade("written_why", NAME, NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    hand_in(course.root, "ada", handed_in(sheet, celsius=WRONG, written_why="No!"))
    return course


def test_killed_at_every_step_and_continued(handed_in_again, sheet, monkeypatch, tmp_path):
    """Whenever it is killed, the next run ends where an undisturbed one does."""

    def copy(name: str) -> Course:
        return Course(shutil.copytree(handed_in_again.root, tmp_path / name))

    undisturbed = copy("undisturbed")
    assert counts(run(undisturbed, sheet)) == (2, 0, 1, 0)
    steps = 0
    while True:
        killed = copy(f"killed-{steps}")
        with monkeypatch.context() as patched:
            done = kill_at(patched, steps)
            try:
                run(killed, sheet)
            except Killed:
                ended = False
            else:
                ended = True
        if ended:
            break
        result = run(killed, sheet)
        assert result.failed == [], done
        assert files(killed) == files(undisturbed), done
        assert rows(killed.database) == rows(undisturbed.database), done
        shutil.rmtree(killed.root)
        steps += 1
    assert steps > 30
    assert sum(change.startswith("commit") for change in done) == 1
