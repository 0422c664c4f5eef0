"""The command line: exit codes, what goes to stdout, what is imported."""

import json
import shutil
import subprocess
import sys
from functools import partial

import pytest
from made_up import NAME, SECRETS, changed, hand_in, handed_in, sheet_from

from autograder import cli, release, sheets
from autograder.repository import REPOSITORY

MEAN = "def mean(numbers):\n    return sum(numbers) / (len(numbers) or 1)\n"
RIGHT = (
    "def total(numbers):\n    return sum(numbers)\n\n" + MEAN + "\n"
    "def clip(number, low, high):\n    return sorted([number, low, high])[1]\n\n"
    "def celsius(fahrenheit):\n    return (fahrenheit - 32) / 1.8\n"
)


@pytest.fixture(autouse=True)
def _made_up_sheets_alone(monkeypatch, solutions):
    monkeypatch.setattr(sheets, "load_sheets", partial(sheets.load_sheets, solutions=solutions))


@pytest.fixture
def command(capsys):
    """Run a command in this process: exit status, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(str(end.code))
        return status, *capsys.readouterr()

    return run


# Usage.


def test_help_lists_the_commands(command):
    status, out, err = command("--help")
    assert (status, err) == (0, "")
    for name in ("release", "grade", "try", "verify", "feedback", "report", "export", "bundle"):
        assert f"\n    {name} " in out
        assert command(name, "--help")[0] == 0


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom autograder.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    imported = set(result.stderr.split())
    heavy = {"torch", "numpy", "matplotlib", "nbgrader", "nbformat", "jupytext", "IPython",
             "sqlalchemy", "distributed", "mistune", "tqdm", "yaml", "detseg"}  # fmt: skip
    assert imported.isdisjoint(heavy)
    assert "autograder.cli" in imported


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["grad"], "invalid choice: 'grad'"),
        (["grade", "--jobs", "0"], "a whole number above 0 is expected, not '0'"),
        (["grade", "--jobs", "-1"], "expected, not '-1'"),
        (["grade", "--jobs", "two"], "expected, not 'two'"),
        (["export", "--format", "xls"], "invalid choice: 'xls'"),
        (["try", NAME], "the following arguments are required: FILE.py"),
    ],
)
def test_wrong_usage_is_2(command, arguments, message):
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    "arguments",
    [["release", "sum"], ["grade", "sum"], ["verify", "sum"], ["feedback", "sum"],
     ["report", "sum"], ["export", "sum"], ["try", "sum", "x.py"], ["demo-class", "sum"]],
)  # fmt: skip
def test_an_unknown_sheet_is_2_and_lists_those_there_are(command, arguments):
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert err == "autograder: no sheet is called 'sum'; there are: sums\n"


# try


def test_try_a_right_answer(command, tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    status, out, err = command("try", NAME, tmp_path / "mine.py")
    assert (status, err) == (0, "")
    assert "pass     2/2  test_total\n" in out
    assert out.endswith("8.5 of 8.5 points\n")


def test_try_a_wrong_answer_is_no_failure_of_the_command(command, tmp_path):
    (tmp_path / "mine.py").write_text("def total(numbers):\n    return 0", encoding="utf-8")
    status, out, _ = command("try", NAME, tmp_path / "mine.py")
    assert status == 0
    assert "fail     0/2  test_total: add every number once\n" in out
    assert "error    0/1  test_celsius: not written yet: the stub is still there\n" in out
    assert out.endswith("0 of 8.5 points\n")
    assert not any(secret in out for secret in SECRETS)


def test_try_as_json_prints_one_object(command, tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    status, out, err = command("try", NAME, tmp_path / "mine.py", "--json")
    assert (status, err) == (0, "")
    verdict = json.loads(out)
    assert (verdict["sheet"], verdict["student"], verdict["score"]) == (NAME, "mine", 8.5)


def test_try_with_and_without_shortcuts(command, tmp_path):
    cheat = RIGHT.replace(MEAN, "from statistics import mean as m\nmean = lambda n: m(n or [0])\n")
    (tmp_path / "mine.py").write_text(cheat, encoding="utf-8")
    _, out, _ = command("try", NAME, tmp_path / "mine.py")
    assert "test_mean: statistics.mean: not allowed here" in out
    assert "flag     shortcut: mean uses statistics.mean" in out
    assert out.endswith("5.5 of 8.5 points\n")
    _, out, _ = command("try", NAME, tmp_path / "mine.py", "--allow-shortcuts")
    assert out.endswith("8.5 of 8.5 points\n")


def test_try_takes_the_files_that_lie_beside(command, tmp_path, monkeypatch):
    sheet = sheet_from(tmp_path, changed("minutes: 10", "minutes: 10\n  files: {a.txt: 9}"))
    monkeypatch.setattr(sheets, "load_sheets", lambda _: [sheet])
    (tmp_path / "mine.py").write_text(RIGHT.replace("/ 1.8", "/ float(open('a.txt').read())"))
    _, out, _ = command("try", NAME, tmp_path / "mine.py")
    assert "error    0/1  test_celsius: FileNotFoundError" in out
    assert "flag     file-missing: a.txt: not handed in beside the notebook\n" in out
    (tmp_path / "a.txt").write_text("1.8", encoding="utf-8")
    _, out, _ = command("try", NAME, tmp_path / "mine.py")
    assert out.endswith("8.5 of 8.5 points\n")
    assert "flag" not in out


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"def total(", 1, "is not Python: '(' was never closed"),
        (b"\xff\xfe", 2, "can't decode byte"),
        (None, 2, "No such file or directory"),
    ],
)
def test_try_what_cannot_be_tried(command, tmp_path, content, status, message):
    if content is not None:
        (tmp_path / "mine.py").write_bytes(content)
    found, out, err = command("try", NAME, tmp_path / "mine.py")
    assert (found, out) == (status, "")
    assert err.startswith("autograder: ")
    assert f"{tmp_path}/mine.py" in err
    assert message in err


def test_try_a_folder(command, tmp_path):
    assert command("try", NAME, tmp_path)[0] == 2


# grade, feedback, report, export


@pytest.fixture
def course(root, sheet):
    hand_in(root, "ada", handed_in(sheet))
    hand_in(root, "ben", b"{")
    return root


def test_grade(command, course):
    status, out, _ = command("grade", "--course", course, "--jobs", "2")
    assert status == 0, "a file that cannot be read has a verdict"
    flag, summary = out.splitlines()
    assert flag.startswith("ben/sums: unreadable: not a notebook")
    assert summary.startswith("2 graded, 0 unchanged, 0 failed in ")
    assert summary.endswith(f"verdicts in {course / 'autograded'}")


def test_grade_as_json_prints_one_verdict_a_line_and_nothing_else(command, course):
    status, out, _ = command("grade", NAME, "--course", course, "--json")
    assert status == 0
    verdicts = [json.loads(line) for line in out.splitlines()]
    assert {v["student"]: v["score"] for v in verdicts} == {"ada": 8.5, "ben": 0}
    status, out, _ = command("grade", NAME, "--course", course, "--json")
    assert (status, out) == (0, "")


def test_grade_is_1_where_a_submission_could_not_be_graded(command, course):
    (course / "submitted" / "ben" / NAME / "timestamp.txt").write_text("soon", encoding="utf-8")
    status, out, err = command("grade", "--course", course, "--json")
    assert status == 1
    assert [json.loads(line)["student"] for line in out.splitlines()] == ["ada"]
    assert "ben/sums: not graded: " in err
    assert "'soon' is no time" in err


def test_grade_without_submissions(command, tmp_path):
    status, out, err = command("grade", "--course", tmp_path / "nowhere")
    assert (status, out) == (2, "")
    assert "put each student's notebook at" in err


@pytest.mark.parametrize("name", ["feedback", "report", "export"])
def test_nothing_graded_yet_is_1(command, root, name):
    status, out, err = command(name, "--course", root)
    assert (status, out) == (1, "")
    assert "run 'autograder grade' first" in err


def test_feedback_report_and_export(command, graded_class, tmp_path):
    root = graded_class.course.root
    assert command("feedback", "--course", root) == (0, f"5 pages in {root / 'feedback'}\n", "")
    assert command("report", "--course", root) == (0, f"{root}/report/{NAME}.html\n", "")
    status, out, _ = command("export", "--course", root)
    assert status == 0
    assert out.startswith("student,sums,total\r\nada,8.5,8.5\r\n")
    target = tmp_path / "grades.csv"
    status, printed, _ = command("export", "--course", root, "--output", target)
    assert (status, printed) == (0, f"{target}\n")
    assert target.read_bytes().decode() == out


def test_due_dates_and_extensions(command, root):
    def say(*arguments: str) -> tuple[int, str, str]:
        return command("due", *arguments, "--course", root)

    assert say() == (0, f"{NAME}: no due date\n", "")
    shown = f"{NAME}: due 2026-10-01 21:59 UTC"
    assert say(NAME, "2026-10-01T23:59+02:00") == (0, f"{shown}\n", "")
    later = f"{shown}; later for ada +2d, ben +2d\n"
    assert say(NAME, "--student", "ada", "ben", "--extension", "2d") == (0, later, "")
    assert say(NAME) == (0, later, "")
    assert say() == (0, later, "")
    assert say(NAME, "none") == (0, f"{NAME}: no due date\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sums", "2026-10-01"], "has no time zone"),
        (["sums", "--student", "ada"], "--student and --extension belong together"),
        (["sums", "--extension", "2d"], "--student and --extension belong together"),
        (["sums", "--student", "ada", "--extension", "soon"], "is no length of time"),
    ],
)
def test_due_dates_that_are_none(command, root, arguments, said):
    status, out, err = command("due", *arguments, "--course", root)
    assert (status, out) == (2, "")
    assert said in err


def test_export_for_those_on_a_list(command, graded_class, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("student\nben\nnew\n", encoding="utf-8")
    at = ("export", "--course", graded_class.course.root)
    status, out, err = command(*at, "--roster", roster, "--missing", "zero")
    assert (status, out) == (0, "student,sums,total\r\nben,3.5,3.5\r\nnew,0,0\r\n")
    assert "not in the roster, so not exported: ada, chloé de la tour, dora, emil\n" in err
    assert "sums: 1 with answers that are not graded by hand yet: ada\n" in err
    target = tmp_path / "grades.csv"
    status, out, err = command(*at, "--strict", "--output", target)
    assert (status, out) == (1, "")
    assert "nothing exported, grades are unfinished\nsums: 1 with answers" in err
    assert not target.exists()


def test_a_database_for_a_new_course(command, root):
    status, _, err = command("release", "--database", "postgresql://host/grades")
    assert (status, err) == (2, "autograder: --database needs the course folder: --course DIR\n")
    at = ("release", "--course", root, "--database")
    assert command(*at, "mysql://host/grades")[0] == 2
    status, _, err = command(*at, "postgresql://ada:secret@host/grades")
    assert status == 2
    assert "to move it, change c.CourseDirectory.db_url" in err


def test_a_file_that_cannot_be_written_is_1(command, graded_class, tmp_path):
    target = tmp_path / "nowhere" / "grades.csv"
    status, out, err = command("export", "--course", graded_class.course.root, "--output", target)
    assert (status, out) == (1, "")
    assert err.startswith("autograder: ")
    assert str(target) in err


# The others.


def test_release_into_a_course_folder(command, prepared, tmp_path, monkeypatch):
    folder = shutil.copytree(prepared, tmp_path / "course")
    monkeypatch.setattr(release, "release", partial(release.release, folder=tmp_path / "made"))
    status, out, _ = command("release", "--course", folder)
    made = tmp_path / "made" / NAME / f"{NAME}.ipynb"
    assert (status, out) == (0, f"{made}\ncourse folder: {folder}\n")
    assert made.exists()


RESULT = {
    "sheet": NAME, "ok": True, "max_score": 8.5,
    "answers": [{"kind": "wrong", "name": "total__x", "exercise": "total", "expected": "fail",
                 "actual": "fail", "score": 6.5, "message": "m"}],
    "mutants": {"total": 3, "killed": 3, "equivalent": 0, "survived": [], "stale": [],
                "without": {"mean": "too slow"}},
}  # fmt: skip


def test_verify(command, monkeypatch):
    monkeypatch.setattr("autograder.verify.verify", lambda sheet, jobs, fresh: RESULT)  # noqa: ARG005
    status, out, _ = command("verify")
    assert status == 0
    assert out.startswith("sums: as expected\n  ok  wrong     total__x ")
    assert "mutants: 3 of 3 noticed, 0 equivalent, 0 survived" in out
    assert "no mutants of mean: too slow" in out
    status, out, _ = command("verify", "--json")
    assert (status, json.loads(out)) == (0, [RESULT])


def test_verify_is_1_where_anything_is_not_as_expected(command, monkeypatch):
    survivor = {"exercise": "total", "before": "a < b", "after": "a <= b"}
    bad = RESULT | {
        "ok": False,
        "answers": [RESULT["answers"][0] | {"actual": "pass"}],
        "mutants": RESULT["mutants"] | {"survived": [survivor], "stale": [survivor]},
    }
    monkeypatch.setattr("autograder.verify.verify", lambda sheet, jobs, fresh: bad)  # noqa: ARG005
    status, out, _ = command("verify")
    assert status == 1
    assert "sums: NOT AS EXPECTED" in out
    assert "  BAD wrong     total__x" in out
    assert "BAD survived in total: a < b  →  a <= b" in out
    assert "BAD equivalent.yaml names a mutant that does not survive: a < b" in out
    assert command("verify", "--json")[0] == 1


def test_an_interruption_is_said_in_one_line(command, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.verify.verify", interrupt)
    status, out, err = command("verify")
    assert (status, out) == (1, "")
    assert err == "autograder: interrupted; finished verdicts are kept\n"
