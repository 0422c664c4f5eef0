"""Marked regions of a cell."""

import pytest

from autograder.cells import exercise_of, region_lines, without_region

SOURCE = """\
def f(x):
    ### BEGIN SOLUTION
    y = x

    return y
    ### END SOLUTION
f(1)
### BEGIN HIDDEN TESTS
f(2)
### END HIDDEN TESTS
f(3)
  ### BEGIN SOLUTION
f(4)
  ### END SOLUTION"""


def test_lines_of_a_region():
    assert region_lines(SOURCE, "SOLUTION") == [3, 4, 5, 13]
    assert region_lines(SOURCE, "HIDDEN TESTS") == [9]
    assert region_lines("", "SOLUTION") == []


def test_a_region_is_emptied_and_the_other_lines_keep_their_numbers():
    before, after = SOURCE.split("\n"), without_region(SOURCE, "SOLUTION").split("\n")
    assert len(after) == len(before)
    assert [n for n, (a, b) in enumerate(zip(before, after, strict=True), 1) if a != b] == [
        3,
        5,
        13,
    ]
    assert [after[number - 1] for number in (3, 4, 5, 13)] == ["", "", "", ""]
    assert without_region("", "SOLUTION") == ""


@pytest.mark.parametrize(
    ("test_id", "exercise"),
    [("test_nms", "nms"), ("test_box_iou__empty", "box_iou"), ("test_test_x", "test_x")],
)
def test_the_exercise_of_a_test(test_id, exercise):
    assert exercise_of(test_id) == exercise
