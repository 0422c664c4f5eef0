"""A sheet's proof: what must pass passes, what must fail fails, and nobody spoils another."""

from collections import Counter

import pytest
import yaml
from made_up import EQUIVALENT, NAME, RIGHT, WRONG, changed, sheet_from, write_solutions

from autograder.errors import AnswerError
from autograder.grading import grade_rebuilt
from autograder.sheets import load_sheet, sheet_names
from autograder.verify import verify


def verified(folder, sheet=None) -> dict:
    sheet = sheet or load_sheet(NAME, folder)
    return verify(sheet, jobs=2, solutions=folder, cache=folder / "cache", progress=False)


def row(result: dict, name: str) -> dict:
    return next(row for row in result["answers"] if row["name"] == name)


@pytest.fixture(scope="module")
def result(solutions):
    return verified(solutions)


def test_a_sheet_that_is_as_expected(result):
    assert result["ok"] is True
    assert list(result) == ["sheet", "ok", "max_score", "answers", "mutants"]
    assert (result["sheet"], result["max_score"]) == (NAME, 8.5)


def test_the_table_of_answers(result):
    assert [(r["kind"], r["expected"], r["actual"], r["score"]) for r in result["answers"]] == [
        ("reference", "pass", "pass", 8.5),
        ("blank", "fail", "fail", 0),
        ("wrong", "fail", "fail", 6.5),
        ("wrong", "fail", "fail", 6.5),
        ("wrong", "fail", "fail", 5.5),
        ("wrong", "fail", "fail", 5.5),
        ("wrong", "fail", "fail", 7.0),
        ("wrong", "fail", "fail", 7.5),
        ("right", "pass", "pass", 8.5),
        ("right", "pass", "pass", 8.5),
        ("right", "pass", "pass", 8.5),
        ("right", "pass", "pass", 8.5),
    ]
    first = row(result, "total__forgets_the_first")
    assert first["exercise"] == "total"
    assert first["message"] == "add every number once"
    assert row(result, "reference")["exercise"] == ""


def test_the_count_of_mutants(result):
    assert result["mutants"] == {
        "total": 23, "killed": 22, "equivalent": 1, "survived": [], "stale": [], "without": {}
    }  # fmt: skip


@pytest.fixture
def spoilt(tmp_path):
    """A solutions folder with one passage of one file replaced."""

    def spoil(name: str, old: str, new: str, text: str):
        folder = write_solutions(tmp_path)
        (folder / NAME / name).write_text(changed(old, new, text), encoding="utf-8")
        return folder

    return spoil


def test_a_wrong_answer_that_passes(spoilt):
    result = verified(spoilt("wrong.py", "sum(numbers[1:])", "sum(numbers)", WRONG))
    assert result["ok"] is False
    entry = row(result, "total__forgets_the_first")
    assert (entry["expected"], entry["actual"]) == ("fail", "pass")


def test_an_answer_that_breaks_another_exercise_is_named(tmp_path):
    folder = write_solutions(tmp_path)
    spoils = "def total__spoils(numbers):\n    'Spoils floor.'\n    math.floor = None"
    (folder / NAME / "wrong.py").write_text(f"import math\n\n\n{spoils}", encoding="utf-8")
    formula = "(fahrenheit - 32) * 5 / 9"
    sheet = sheet_from(folder, changed(formula, f"math.floor({formula})"))
    result = verified(folder, sheet)
    assert result["ok"] is False
    assert row(result, "total__spoils")["actual"] == "loses celsius too"


def test_a_right_answer_that_fails(spoilt):
    result = verified(spoilt("right.py", "return _add(numbers)", "return 7", RIGHT))
    assert result["ok"] is False
    entry = row(result, "total__builtin")
    assert (entry["expected"], entry["actual"]) == ("pass", "fail")


def test_a_survivor_is_listed(spoilt):
    result = verified(spoilt("equivalent.yaml", EQUIVALENT, "[]", EQUIVALENT))
    assert result["ok"] is False
    assert result["mutants"]["survived"] == [
        {"exercise": "clip", "before": "if number <= low:", "after": "if number < low:"}
    ]


def test_an_equivalent_that_no_mutant_is_is_stale(spoilt):
    more = '- {exercise: clip, before: "x = 1", after: "x = 2", reason: long gone}\n'
    result = verified(spoilt("equivalent.yaml", EQUIVALENT, EQUIVALENT + more, EQUIVALENT))
    assert result["ok"] is False
    assert [entry["reason"] for entry in result["mutants"]["stale"]] == ["long gone"]


def test_too_few_noticed_mutants_are_not_enough_though_all_are_explained(tmp_path):
    folder = write_solutions(tmp_path)
    text = changed('    assert mean([]) == 0, "the mean of nothing is 0"\n', "")
    survivors = verified(folder, sheet_from(folder, text))["mutants"]["survived"]
    assert {"exercise": "mean", "before": "return 0.0", "after": "return 1.0"} in survivors
    entries = [*yaml.safe_load(EQUIVALENT), *({**entry, "reason": "x"} for entry in survivors)]
    (folder / NAME / "equivalent.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    result = verified(folder)
    assert result["mutants"]["survived"] == result["mutants"]["stale"] == []
    assert result["mutants"]["killed"] < 0.95 * result["mutants"]["total"]
    assert result["ok"] is False


@pytest.mark.parametrize("text", ["- {exercise: clip}", "- clip", "[", "3"])
def test_a_list_of_equivalents_that_is_none(spoilt, text):
    folder = spoilt("equivalent.yaml", EQUIVALENT, text, EQUIVALENT)
    with pytest.raises(AnswerError, match=r"equivalent\.yaml: a list of exercise, before"):
        verified(folder)


def test_an_exercise_may_fall_with_another_that_its_tests_use(tmp_path):
    folder = write_solutions(tmp_path)
    uses = 'assert mean([3]) == total([3]), "of one number"'
    sheet = sheet_from(folder, changed("def test_mean():", f"{uses}\n\n\ndef test_mean():"))
    result = verified(folder, sheet)
    fallen = row(result, "total__forgets_the_first")
    assert (fallen["actual"], fallen["score"]) == ("fail", 3.5)
    assert row(result, "total__whole_numbers_only")["score"] == 6.5
    assert row(result, "mean__divides_by_two")["score"] == 5.5


def test_an_exercise_without_mutants(tmp_path):
    reason = "{grade_id: total, solution: true}\nwithout_mutants: its test is a smoke test"
    folder = write_solutions(tmp_path)
    sheet = sheet_from(folder, changed("{grade_id: total, solution: true}", reason))
    result = verified(folder, sheet)
    assert row(result, "total__forgets_the_first")["actual"] == "fail"
    assert result["mutants"]["without"] == {"total": "its test is a smoke test"}
    assert 0 < result["mutants"]["total"] < 23


def test_a_part_of_the_points_is_not_what_a_right_answer_earns(tmp_path):
    folder = write_solutions(tmp_path)
    part = "test_mean()\nround(3 - abs(mean([1, 1, 4]) - 2), 3)\n```"
    sheet = sheet_from(folder, changed("test_mean()\n```", part))
    text = RIGHT + "\n\ndef mean__median(numbers):\n    'Near.'\n"
    text += "    return sorted(numbers)[len(numbers) // 2] if len(numbers) == 3 else "
    text += "sum(numbers) / max(1, len(numbers))\n"
    (folder / NAME / "right.py").write_text(text, encoding="utf-8")
    result = verified(folder, sheet)
    assert row(result, "reference")["score"] == 8.5
    assert row(result, "mean__median")["actual"] == "fail"
    assert row(result, "mean__median")["score"] == 7.5


def test_answers_get_the_files_that_the_author_hands_in(tmp_path):
    folder = write_solutions(tmp_path)
    text = changed("minutes: 10", "minutes: 10\n  files: {a.txt: 9}")
    text = changed(
        "    return (fahrenheit - 32)", "    return (fahrenheit - int(open('a.txt').read()))", text
    )
    (folder / NAME / "a.txt").write_text("32", encoding="utf-8")
    sheet = sheet_from(folder, text)
    assert row(verified(folder, sheet), "reference")["actual"] == "pass"
    (folder / NAME / "a.txt").write_text("31", encoding="utf-8")
    assert row(verified(folder, sheet), "reference")["actual"] == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", sheet_names())
def test_a_real_sheet_is_as_expected(name):
    sheet = load_sheet(name)
    result = verify(sheet, jobs=2, progress=False)
    unexpected = [row for row in result["answers"] if row["actual"] != row["expected"]]
    assert unexpected == []
    assert result["mutants"]["survived"] == result["mutants"]["stale"] == []
    assert result["mutants"]["killed"] >= 0.95 * result["mutants"]["total"]
    assert result["ok"]
    for kind, enough in (("wrong", 4), ("right", 2)):
        rows = [row for row in result["answers"] if row["kind"] == kind]
        counts = Counter(row["exercise"] for row in rows)
        for exercise in sheet.exercises:
            assert counts[exercise] >= enough, f"{kind} answers to {exercise}"
    # A wrong answer is to fail for its misconception, not because its file lacks a helper.
    assert not [
        r for r in result["answers"] if r["kind"] == "wrong" and "NameError" in r["message"]
    ]


def test_a_test_that_means_something_else_in_the_students_own_notebook(tmp_path):
    folder = write_solutions(tmp_path)
    passed_on = 'given = [1, 2]\ntotal(given)\nassert given == [1, 2], "the list is not yours"'
    text = changed('assert total([1, 2, 4]) == 7, "add every number once"', passed_on)
    takes = "def total__takes(numbers):\n    'Empties the list.'\n    copy = [*numbers]\n"
    takes += "    numbers.clear()\n    return sum(copy)"
    (folder / NAME / "wrong.py").write_text(takes, encoding="utf-8")
    result = verified(folder, sheet_from(folder, text))
    said = row(result, "total__takes")["actual"]
    assert said == "test_total says otherwise in the student's own notebook"
    assert result["ok"] is False


def test_what_has_not_changed_is_not_graded_again(tmp_path, monkeypatch):
    folder = write_solutions(tmp_path)
    first = verified(folder)
    graded = []

    def grade(sheet, rebuilt, **options):
        graded.append(rebuilt)
        return grade_rebuilt(sheet, rebuilt, **options)

    monkeypatch.setattr("autograder.verify.grade_rebuilt", grade)
    assert verified(folder) == first
    assert graded == []
    changed_one = changed("return sum(numbers[1:])", "return sum(numbers[:-1])", WRONG)
    (folder / NAME / "wrong.py").write_text(changed_one, encoding="utf-8")
    verified(folder)
    assert len(graded) == 1
