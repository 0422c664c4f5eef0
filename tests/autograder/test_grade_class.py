"""Grading a class: everything new or changed, once, and nobody pays for anybody else."""

import os
import shutil
import threading
from dataclasses import dataclass, field

import pytest
from gradebook_rows import made_up_verdict
from made_up import NAME, changed, flags, hand_in, handed_in, sheet_from
from nbgrader.api import Gradebook

from autograder import grade_class as module
from autograder.course import Course, Submission
from autograder.errors import AutograderError, UsageError
from autograder.grade_class import ClassResult, grade_class
from autograder.sheets import Sheet

WRONG = "def celsius(fahrenheit):\n    return fahrenheit"


@dataclass
class Run(ClassResult):
    """What a run came to, and the verdicts that it told."""

    verdicts: list[dict] = field(default_factory=list)


def graded(root, sheet, **options) -> Run:
    told: list[dict] = []
    options = {"jobs": 2, "progress": False, "on_verdict": told.append} | options
    return Run(**vars(grade_class(Course(root), [sheet], **options)), verdicts=told)


def students(run: Run) -> list[str]:
    return sorted(verdict["student"] for verdict in run.verdicts)


@pytest.fixture
def no_engine(sheet, monkeypatch):
    """Verdicts are made up: every test passes, and nothing runs."""

    def grade_bytes(_sheet_name, sheet_json, submission, student, _files, locked):
        assert locked
        assert sheet_json == sheet.to_json()
        return made_up_verdict(sheet, student, submission).to_json()

    monkeypatch.setattr(module, "grade_bytes", grade_bytes)


def scores(course: Course) -> dict[str, float]:
    return {verdict["student"]: verdict["score"] for verdict in course.verdicts(NAME)}


def in_gradebook(course: Course) -> dict[str, float]:
    with Gradebook(course.database) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(NAME)}


def test_every_submission_gets_a_verdict(graded_class):
    result = graded_class.result
    assert (result.graded, result.recovered, result.unchanged, result.failed) == (5, 0, 0, [])
    assert scores(graded_class.course) == graded_class.scores


def test_the_gradebook_has_the_same_scores(graded_class):
    assert in_gradebook(graded_class.course) == graded_class.scores


def test_broken_files_are_named(graded_class):
    lines = graded_class.result.flag_lines()
    assert [line.partition(": ")[0] for line in lines] == [f"dora/{NAME}", f"emil/{NAME}"]
    assert "unreadable: not a notebook" in lines[0]
    assert "unreadable: nothing to read" in lines[1]


def test_what_did_not_change_is_left_alone(root, sheet):
    hand_in(root, "ada", handed_in(sheet))
    hand_in(root, "ben", b"")
    assert students(graded(root, sheet)) == ["ada", "ben"]
    again = graded(root, sheet)
    assert (again.graded, again.unchanged, again.failed, again.verdicts) == (0, 2, [], [])
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
    (line,) = result.failure_lines()
    assert line.startswith(f"ada/{NAME}: not graded: ")


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
    assert reason.startswith("not graded: UnicodeEncodeError: ")
    assert "".join(result.failure_lines()).encode(), "and can be printed"


def test_what_cannot_be_written_as_it_came(root, sheet):
    loud = "def total(numbers):\n    print('\\ud800')\n    raise ValueError('\\ud800')\ntotal([])"
    hand_in(root, "ada", handed_in(sheet, total=loud, mean="x = '\ud800'"))
    assert students(graded(root, sheet)) == ["ada"]


def test_an_interrupted_run_keeps_what_is_finished_and_continues(root, sheet, monkeypatch):
    interrupted = threading.Event()
    begun = []
    grade_bytes = module.grade_bytes

    def waits_but_the_first(*arguments):
        begun.append(arguments[3])
        if len(begun) > 1:
            assert interrupted.wait(60)
        return grade_bytes(*arguments)

    def interrupt(_):
        raise KeyboardInterrupt

    def noted(self, *arguments):
        futures.append(submit(self, *arguments))
        return futures[-1]

    futures, submit = [], module.DaemonThreads.submit
    monkeypatch.setattr(module.DaemonThreads, "submit", noted)
    monkeypatch.setattr(module, "grade_bytes", waits_but_the_first)
    for number in range(20):
        hand_in(root, f"s{number:02}", b"")
    with pytest.raises(KeyboardInterrupt):
        graded(root, sheet, on_verdict=interrupt)
    assert len(futures) < 20
    assert any(future.cancelled() for future in futures), "what had not begun need not"
    assert all(future.done() or future.running() for future in futures)
    interrupted.set()
    assert len(Course(root).verdicts(NAME)) == 1
    second = graded(root, sheet)
    assert (second.graded, second.recovered, second.unchanged) == (19, 0, 1)


def test_verdicts_are_told_as_they_come(root, sheet):
    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    told: list[str] = []
    graded(root, sheet, on_verdict=lambda verdict: told.append(verdict["student"]))
    assert sorted(told) == ["ada", "ben"]


def test_two_writers_keep_apart(root, sheet):
    hand_in(root, "ada", b"")
    with (
        Course(root).locked(),
        pytest.raises(AutograderError, match=rf"by another process \(pid {os.getpid()}\)$"),
    ):
        graded(root, sheet)
    assert students(graded(root, sheet)) == ["ada"]


def test_a_folder_without_submissions_is_named_and_not_made(tmp_path, sheet):
    with pytest.raises(UsageError, match=r"nowhere/submitted does not exist: put each student's"):
        graded(tmp_path / "nowhere", sheet)
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_class(root, sheet):
    (root / "submitted").mkdir()
    result = graded(root, sheet)
    assert result == Run()


def test_sheets_that_nobody_handed_in_are_not_set_up(tmp_path, sheet):
    (tmp_path / "submitted").mkdir()
    graded(tmp_path, sheet)
    assert not (tmp_path / "source").exists()


# Many workers, one writer.


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


def sent_to_workers(monkeypatch) -> list[str]:
    """Who was sent to a worker, as it happens."""
    sent: list[str] = []
    submit = module.DaemonThreads.submit

    def noted(self, grade_bytes, sheet_name, sheet_json, submission, student, *more):
        sent.append(f"{student}/{sheet_name}")
        return submit(self, grade_bytes, sheet_name, sheet_json, submission, student, *more)

    monkeypatch.setattr(module.DaemonThreads, "submit", noted)
    return sent


@pytest.mark.usefixtures("no_engine")
def test_the_work_is_done_by_sheet_then_student(root, sheet, monkeypatch):
    sheets = [Sheet("b-sheet", sheet.notebook), Sheet("a-sheet", sheet.notebook)]
    for student in ("cleo", "ada", "ben"):
        for name in ("b-sheet", "a-sheet"):
            folder = hand_in(root, student, b"")
            folder.rename(folder.with_name(name))
    sent = sent_to_workers(monkeypatch)
    result = grade_class(Course(root), sheets, jobs=1, progress=False)
    assert result.graded == 6
    assert sent == ["ada/a-sheet", "ben/a-sheet", "cleo/a-sheet",
                    "ada/b-sheet", "ben/b-sheet", "cleo/b-sheet"]  # fmt: skip


def test_few_submissions_are_in_memory_at_a_time(root, sheet, monkeypatch):
    for number in range(30):
        hand_in(root, f"s{number:02}", b"")
    sent = sent_to_workers(monkeypatch)
    taken: list[int] = []
    take = module._take

    def noted(*arguments):
        taken.append(len(sent) - len(taken))
        take(*arguments)

    monkeypatch.setattr(module, "_take", noted)
    assert graded(root, sheet, jobs=3).graded == 30
    assert max(taken) == 2 * 3, "each worker has one and finds one more when it is done"


@pytest.mark.usefixtures("no_engine")
def test_a_folder_that_vanishes_is_named_and_costs_the_others_nothing(root, sheet, monkeypatch):
    for student in ("ada", "ben", "cleo", "dora"):
        hand_in(root, student, handed_in(sheet))
    grade_bytes = module.grade_bytes

    def and_remove_cleos(*arguments):
        shutil.rmtree(root / "submitted" / "cleo", ignore_errors=True)
        return grade_bytes(*arguments)

    monkeypatch.setattr(module, "grade_bytes", and_remove_cleos)
    result = graded(root, sheet, jobs=1)
    assert students(result) == ["ada", "ben", "dora"]
    ((submission, reason),) = result.failed
    assert submission.student == "cleo"
    assert reason == f"not graded: {root}/submitted/cleo/{NAME} is no longer there"


@pytest.mark.usefixtures("no_engine")
def test_a_file_that_cannot_be_read_is_named_and_costs_the_others_nothing(root, sheet, monkeypatch):
    read = Submission.read

    def denied(self):
        if self.student == "ada":
            raise PermissionError(13, "Permission denied", str(self.path))
        return read(self)

    monkeypatch.setattr(Submission, "read", denied)
    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    result = graded(root, sheet)
    assert students(result) == ["ben"]
    (line,) = result.failure_lines()
    assert line.startswith(f"ada/{NAME}: not graded: [Errno 13] Permission denied: ")


@pytest.mark.usefixtures("no_engine")
def test_what_changes_before_it_is_its_turn_is_graded_as_it_is_then(root, sheet, monkeypatch):
    for student in ("ada", "ben", "cleo"):
        hand_in(root, student, b"")
    grade_bytes, seen = module.grade_bytes, {}

    def and_hand_in_again(*arguments):
        _, _, submission, student, *_ = arguments
        seen[student] = submission
        if student == "ada":
            hand_in(root, "cleo", handed_in(sheet))
        return grade_bytes(*arguments)

    monkeypatch.setattr(module, "grade_bytes", and_hand_in_again)
    assert students(graded(root, sheet, jobs=1)) == ["ada", "ben", "cleo"]
    assert seen == {"ada": b"", "ben": b"", "cleo": handed_in(sheet)}
    assert graded(root, sheet).unchanged == 3


@pytest.mark.usefixtures("no_engine")
def test_a_worker_that_fails_costs_the_others_nothing(root, sheet, monkeypatch):
    grade_bytes = module.grade_bytes

    def fails_for_ada(*arguments):
        return grade_bytes(*arguments) if arguments[3] != "ada" else {}["ada"]

    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    with monkeypatch.context() as patched:
        patched.setattr(module, "grade_bytes", fails_for_ada)
        result = graded(root, sheet)
    assert students(result) == ["ben"]
    assert result.failure_lines() == [f"ada/{NAME}: not graded: KeyError: 'ada'"]
    assert students(graded(root, sheet)) == ["ada"], "what failed is tried again"


@pytest.mark.usefixtures("no_engine")
def test_another_grader_grades_everything_anew(root, sheet, monkeypatch):
    hand_in(root, "ada", b"")
    assert graded(root, sheet).graded == 1
    assert graded(root, sheet).unchanged == 1
    monkeypatch.setattr("autograder.submission.grader_version", lambda: "another")
    assert graded(root, sheet).graded == 1


@pytest.mark.usefixtures("no_engine")
def test_a_gradebook_elsewhere(root, sheet, tmp_path):
    config = root / "nbgrader_config.py"
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}\nc.CourseDirectory.db_url = {url!r}\n", encoding="utf-8")
    (root / "gradebook.db").unlink()
    hand_in(root, "ada", b"")
    assert graded(root, sheet).graded == 1
    assert Course(root).database == url
    assert in_gradebook(Course(root)) == {"ada": 8.5}
    assert not (root / "gradebook.db").exists()


def test_files_beside_the_notebook_that_the_sheet_asks_for(root, tmp_path, monkeypatch):
    text = changed("  forbidden:", "  files: {weights.bin: 5}\n  forbidden:")
    sheet = sheet_from(tmp_path / "solutions", text)
    given: list[dict] = []

    def grade_bytes(_name, _json, submission, student, files, _locked):
        given.append(files)
        return made_up_verdict(sheet, student, submission).to_json()

    monkeypatch.setattr(module, "grade_bytes", grade_bytes)
    folder = hand_in(root, "ada", handed_in(sheet))
    (folder / "notes.txt").write_text("not asked for", encoding="utf-8")
    assert graded(root, sheet).graded == 1
    (folder / "weights.bin").write_bytes(b"\0\1\2")
    assert graded(root, sheet).graded == 1
    assert graded(root, sheet).unchanged == 1
    assert given == [{}, {"weights.bin": b"\0\1\2"}]


@pytest.mark.usefixtures("no_engine")
def test_a_verdict_without_a_lock_does_not_count_where_one_is_asked_for(root, sheet, monkeypatch):
    hand_in(root, "ada", b"")
    assert graded(root, sheet).graded == 1
    with monkeypatch.context() as patched:
        unlocked = made_up_verdict(sheet, "ada", b"").to_json()
        patched.setattr(module, "grade_bytes", lambda *given: {False: unlocked}[given[-1]])
        assert graded(root, sheet, locked=False).graded == 1
        assert graded(root, sheet, locked=False).unchanged == 1
    assert graded(root, sheet).graded == 1


def test_what_reads_the_verdicts_may_go_away(root, sheet):
    def closed(_):
        raise BrokenPipeError

    hand_in(root, "ada", b"")
    hand_in(root, "ben", b"")
    with pytest.raises(BrokenPipeError):
        graded(root, sheet, on_verdict=closed)
    result = graded(root, sheet)
    assert (result.graded, result.failed) == (0, [])
    assert result.recovered + result.unchanged == 2
