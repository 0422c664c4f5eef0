"""Grading a class: everything new or changed, once, and nobody pays for anybody else."""

import os
import threading

import pytest
from made_up import NAME, changed, flags, hand_in, handed_in, sheet_from
from nbgrader.api import Gradebook

from autograder import grade_class as module
from autograder.course import Course
from autograder.errors import AutograderError, UsageError
from autograder.grade_class import ClassResult, grade_class, waiting_lines

WRONG = "def celsius(fahrenheit):\n    return fahrenheit"


def graded(root, sheet, **options) -> ClassResult:
    return grade_class(Course(root), [sheet], jobs=2, progress=False, **options)


def students(result: ClassResult) -> list[str]:
    return sorted(verdict["student"] for verdict in result.verdicts)


def scores(course: Course) -> dict[str, float]:
    return {verdict["student"]: verdict["score"] for verdict in course.verdicts(NAME)}


def in_gradebook(course: Course) -> dict[str, float]:
    with Gradebook(course.database) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(NAME)}


def test_every_submission_gets_a_verdict(graded_class):
    assert students(graded_class.result) == sorted(graded_class.scores)
    assert graded_class.result.failed == []
    assert graded_class.result.unchanged == 0
    assert scores(graded_class.course) == graded_class.scores


def test_the_gradebook_has_the_same_scores(graded_class):
    assert in_gradebook(graded_class.course) == graded_class.scores


def test_broken_files_are_named(graded_class):
    lines = list(waiting_lines(graded_class.result))
    assert [line.partition(": ")[0] for line in lines] == [f"dora/{NAME}", f"emil/{NAME}"]
    assert "unreadable: not a notebook" in lines[0]
    assert "unreadable: nothing to read" in lines[1]


def test_what_did_not_change_is_left_alone(root, sheet):
    hand_in(root, "ada", handed_in(sheet))
    hand_in(root, "ben", b"")
    assert students(graded(root, sheet)) == ["ada", "ben"]
    again = graded(root, sheet)
    assert (again.verdicts, again.unchanged, again.failed) == ([], 2, [])
    hand_in(root, "ada", handed_in(sheet, celsius=WRONG))
    hand_in(root, "cleo", handed_in(sheet))
    third = graded(root, sheet)
    assert (students(third), third.unchanged) == (["ada", "cleo"], 1)
    expected = {"ada": 7.5, "ben": 0, "cleo": 8.5}
    assert scores(Course(root)) == in_gradebook(Course(root)) == expected


def test_a_changed_sheet_grades_everything_anew(root, sheet):
    hand_in(root, "ada", handed_in(sheet, celsius=WRONG))
    graded(root, sheet)
    text = changed("grade_id: test_celsius, grade: true, points: 1}",
                   "grade_id: test_celsius, grade: true, points: 4}")  # fmt: skip
    text = changed("celsius(212) == 100", "celsius(212) > 100", text)
    text = changed("celsius(32) == 0", "celsius(32) == 32", text)
    result = graded(root, sheet_from(root / "solutions", text))
    assert [verdict["score"] for verdict in result.verdicts] == [11.5]
    assert in_gradebook(Course(root)) == {"ada": 11.5}


def test_a_sheet_that_nbgrader_refuses_keeps_what_was_there(root, sheet):
    hand_in(root, "ada", handed_in(sheet))
    graded(root, sheet)
    source = root / "source" / NAME / f"{NAME}.ipynb"
    before = source.read_bytes()
    more = changed("grade_id: test_celsius,", "grade_id: test_celsius__new,")
    with pytest.raises(AutograderError, match=r"nbgrader cannot release 'sums' in "):
        graded(root, sheet_from(root / "solutions", more))
    assert source.read_bytes() == before
    assert graded(root, sheet).unchanged == 1


def test_a_changed_time_of_handing_in_is_recorded(root, sheet):
    hand_in(root, "ada", handed_in(sheet), "2026-03-01 12:00:00 UTC")
    graded(root, sheet)
    hand_in(root, "ada", handed_in(sheet), "2026-03-02 13:00:00 UTC")
    assert students(graded(root, sheet)) == ["ada"]
    with Gradebook(Course(root).database) as gradebook:
        assert str(gradebook.find_submission(NAME, "ada").timestamp) == "2026-03-02 13:00:00"


@pytest.mark.parametrize("text", ["yesterday at noon or so", "9" * 40, "2026-13-45"])
def test_a_time_that_is_none_is_told_and_costs_the_others_nothing(root, sheet, text):
    hand_in(root, "ada", b"", text)
    hand_in(root, "ben", b"")
    result = graded(root, sheet)
    assert students(result) == ["ben"]
    ((submission, reason),) = result.failed
    assert submission.student == "ada"
    assert f"timestamp.txt: '{text}' is no time; write '2026-03-01 12:00:00 UTC'" in reason
    assert list(waiting_lines(result))[-1].startswith(f"ada/{NAME}: not graded: ")


def test_links_are_not_followed(root, sheet):
    secret = root / "secret"
    (secret / NAME).mkdir(parents=True)
    (secret / NAME / f"{NAME}.ipynb").write_bytes(handed_in(sheet))
    (secret / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC", encoding="utf-8")
    folder = hand_in(root, "ada", b"")
    (folder / f"{NAME}.ipynb").unlink()
    (folder / f"{NAME}.ipynb").symlink_to(secret / NAME / f"{NAME}.ipynb")
    (folder / "timestamp.txt").symlink_to(secret / "timestamp.txt")
    (root / "submitted" / "ben").mkdir()
    (root / "submitted" / "ben" / NAME).symlink_to(secret / NAME)
    result = graded(root, sheet)
    assert scores(Course(root)) == {"ada": 0, "ben": 0}
    for verdict in result.verdicts:
        ((kind, detail),) = flags(verdict)
        assert kind == "unreadable"
        assert "a link" in detail
    assert not (root / "autograded" / "ada" / NAME / "timestamp.txt").exists()


def test_what_is_no_file_is_not_opened(root, sheet):
    folder = hand_in(root, "ada", b"")
    (folder / f"{NAME}.ipynb").unlink()
    os.mkfifo(folder / f"{NAME}.ipynb")
    folder = hand_in(root, "ben", b"")
    (folder / f"{NAME}.ipynb").unlink()
    (folder / f"{NAME}.ipynb").mkdir()
    hand_in(root, "cleo", b"").joinpath(f"{NAME}.ipynb").rename(root / "elsewhere")
    assert students(graded(root, sheet)) == ["ada", "ben", "cleo"]
    assert scores(Course(root)) == {"ada": 0, "ben": 0, "cleo": 0}


def test_odd_files_among_the_submissions_are_no_submissions(root, sheet):
    hand_in(root, "ada", b"")
    (root / "submitted" / "notes.txt").touch()
    (root / "submitted" / "ada" / "notes.txt").touch()
    (root / "submitted" / "ada" / "other-sheet").mkdir()
    assert students(graded(root, sheet)) == ["ada"]


@pytest.mark.parametrize("student", ["a b", "zoë", "李雷", "o'neil; drop", "-rf", "=1+1", "a.b"])
def test_names_of_students(root, sheet, student):
    hand_in(root, student, b"")
    assert students(graded(root, sheet)) == [student]
    assert in_gradebook(Course(root)) == {student: 0}


def test_a_name_that_no_file_can_hold_costs_the_others_nothing(root, sheet):
    hand_in(root, os.fsdecode(b"ad\xff"), b"")
    hand_in(root, "ben", b"")
    result = graded(root, sheet)
    assert students(result) == ["ben"]
    ((_, reason),) = result.failed
    assert reason.startswith("UnicodeEncodeError: ")
    assert "".join(waiting_lines(result)).encode(), "and can be printed"


def test_what_cannot_be_written_as_it_came(root, sheet):
    loud = "def total(numbers):\n    print('\\ud800')\n    raise ValueError('\\ud800')\ntotal([])"
    hand_in(root, "ada", handed_in(sheet, total=loud, mean="x = '\ud800'"))
    assert students(graded(root, sheet)) == ["ada"]


def test_a_submission_that_cannot_be_recorded_costs_the_others_nothing(root, sheet, monkeypatch):
    record = Course.record

    def fails_for_ada(self, submission, graded, digest):
        if submission.student == "ada":
            raise KeyError("ada")
        record(self, submission, graded, digest)

    monkeypatch.setattr(Course, "record", fails_for_ada)
    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    result = graded(root, sheet)
    assert students(result) == ["ben"]
    assert [(s.student, reason) for s, reason in result.failed] == [("ada", "KeyError: 'ada'")]
    monkeypatch.undo()
    assert students(graded(root, sheet)) == ["ada"], "what failed is tried again"


def test_an_interrupted_run_keeps_what_is_finished_and_continues(root, sheet, monkeypatch):
    interrupted = threading.Event()
    begun = []
    grade_bytes = module.grade_bytes

    def waits_but_the_first(*arguments):
        begun.append(arguments[-1])
        if len(begun) > 1:
            assert interrupted.wait(60)
        return grade_bytes(*arguments)

    def interrupt(_):
        interrupted.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "grade_bytes", waits_but_the_first)
    for number in range(20):
        hand_in(root, f"s{number:02}", b"")
    with pytest.raises(KeyboardInterrupt):
        graded(root, sheet, on_verdict=interrupt)
    assert len(begun) < 20, "what had not begun was not begun"
    assert len(Course(root).verdicts(NAME)) == 1
    second = graded(root, sheet)
    assert (len(second.verdicts), second.unchanged) == (19, 1)


def test_verdicts_are_told_as_they_come(root, sheet):
    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    told: list[str] = []
    graded(root, sheet, on_verdict=lambda verdict: told.append(verdict["student"]))
    assert sorted(told) == ["ada", "ben"]


def test_two_writers_keep_apart(root, sheet):
    hand_in(root, "ada", b"")
    with Course(root).locked(), pytest.raises(AutograderError, match="by another process"):
        graded(root, sheet)
    assert students(graded(root, sheet)) == ["ada"]


def test_a_folder_without_submissions_is_named_and_not_made(tmp_path, sheet):
    with pytest.raises(UsageError, match=r"nowhere/submitted does not exist: put each student's"):
        graded(tmp_path / "nowhere", sheet)
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_class(root, sheet):
    (root / "submitted").mkdir()
    result = graded(root, sheet)
    assert (result.verdicts, result.unchanged, result.failed) == ([], 0, [])


def test_sheets_that_nobody_handed_in_are_not_set_up(tmp_path, sheet):
    (tmp_path / "submitted").mkdir()
    graded(tmp_path, sheet)
    assert not (tmp_path / "source").exists()


def test_jobs_run_at_the_same_time(root, sheet, monkeypatch):
    both = threading.Barrier(2, timeout=60)

    def meet(*arguments):
        both.wait()
        return grade_bytes(*arguments)

    grade_bytes = module.grade_bytes
    monkeypatch.setattr(module, "grade_bytes", meet)
    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    assert students(graded(root, sheet)) == ["ada", "ben"]
