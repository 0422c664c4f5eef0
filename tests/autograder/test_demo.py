"""The made-up class: 24 students, the same every time, five of them with broken files."""

import json

import pytest

from autograder import answers
from autograder.demo import SIZE, make_class
from autograder.grading import grade
from autograder.rebuild import rebuild
from autograder.sheets import load_sheet

BROKEN = {"s20": "cell-missing", "s21": "unreadable", "s22": "wrong-sheet", "s23": "wrong-sheet",
          "s24": "unreadable"}  # fmt: skip


@pytest.fixture(scope="module")
def real():
    return load_sheet("iou-nms")


@pytest.fixture(scope="module")
def paths(real, tmp_path_factory):
    return make_class(real, tmp_path_factory.mktemp("demo"))


def test_24_students(paths, real):
    assert SIZE == len(paths) == 24
    assert [path.parts[-3] for path in paths] == [f"s{number:02}" for number in range(1, 25)]
    assert all(path.parts[-4:-3] == ("submitted",) for path in paths)
    assert {path.name for path in paths} == {f"{real.name}.ipynb"}


def test_the_same_class_every_time(paths, real, tmp_path):
    again = make_class(real, tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]
    others = make_class(real, tmp_path / "other", seed=1)
    assert [path.read_bytes() for path in others] != [path.read_bytes() for path in paths]


def test_a_file_that_does_not_change_is_not_touched(real, tmp_path):
    before = [path.stat().st_mtime_ns for path in make_class(real, tmp_path)]
    assert [path.stat().st_mtime_ns for path in make_class(real, tmp_path)] == before


def test_the_broken_ones_are_named_and_nobody_else(paths, real):
    found = {}
    for path in paths:
        for flag in rebuild(real, path.read_bytes()).flags:
            found.setdefault(path.parts[-3], flag.kind)
    assert found == BROKEN


def test_no_two_answers_are_alike_but_the_broken_ones(paths):
    texts = [path.read_bytes() for path in paths[:19]]
    assert len(set(texts)) == 19


def test_submissions_are_made_of_the_released_notebook(paths):
    text = paths[0].read_text(encoding="utf-8")
    assert "HIDDEN TESTS" not in text
    assert json.loads(text)["nbformat"] == 4


@pytest.mark.slow
def test_the_first_has_everything_the_second_nothing(paths, real):
    perfect, blank, *_ = (grade(real, path.read_bytes()).verdict for path in paths[:2])
    assert perfect["score"] == perfect["max_score"] == real.max_score
    assert perfect["flags"] == []
    assert blank["score"] == 0


def test_a_mixture_takes_whole_answers(paths, real):
    known = {
        named.code
        for kind in ("right", "wrong")
        for named in answers.named_answers(real, kind)
    } | set(answers.blank(real).values())  # fmt: skip
    for path in paths[2:19]:
        for cell in json.loads(path.read_bytes())["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") in real.exercises:
                assert "".join(cell["source"]) in known
