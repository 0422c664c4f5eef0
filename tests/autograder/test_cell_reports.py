"""A line from a student's kernel is data from a stranger."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.cell_reports import Allowance, CellError, CellReport
from autograder.cell_reports import read_report as read_report_within

GOOD = {"index": 3, "outputs": [{"text": "hello"}, {"png": "iVBOR"}], "error": None}


def line(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def read_report(data: bytes, index: int, allowance: Allowance | None = None) -> CellReport:
    return read_report_within(data, index, allowance or Allowance(1000))


def test_a_report():
    report = read_report(line(), 3)
    assert report == CellReport([{"text": "hello"}, {"png": "iVBOR"}], None, "", "")
    assert not report.ran_too_long


def test_a_report_of_an_error():
    error = {"name": "ValueError", "message": "no"}
    assert read_report(line(error=error), 3).error == CellError("ValueError", "no", [], False)


def test_a_students_kernel_has_no_say_in_where_an_error_arose():
    error = {"name": "AssertionError", "message": "no", "lines": [3, 1], "by_cell": True}
    assert read_report(line(error=error), 3).error == CellError("AssertionError", "no", [], False)


def test_a_stopped_cell_and_a_killed_process_ran_too_long():
    error = {"name": "CellTimeoutError", "message": ""}
    assert read_report(line(error=error), 3).ran_too_long
    assert CellReport(ending="hung").ran_too_long
    assert not CellReport(ending="timeout").ran_too_long


def test_the_process_cannot_say_how_it_ended():
    report = read_report(line(ending="died", detail="memory"), 3)
    assert (report.ending, report.detail) == ("", "")


def test_long_texts_are_cut():
    error = {"name": "N" * 1000, "message": "m" * 1000}
    read = read_report(line(error=error), 3).error
    assert (len(read.name), len(read.message)) == (100, 500)


# What a submission may show, whatever its kernel says that it may.


def shown(allowance: Allowance, *outputs: dict) -> list[dict]:
    return read_report(line(outputs=outputs), 3, allowance).outputs


def test_the_allowance_is_the_submissions_not_the_cells():
    allowance = Allowance(10)
    assert shown(allowance, {"text": "123456"}, {"text": "789"}) == [
        {"text": "123456"}, {"text": "789"}
    ]  # fmt: skip
    assert shown(allowance, {"text": "abc"}, {"text": "d"}) == [{"text": "a"}]
    assert shown(allowance, {"text": "e"}) == []


def test_a_picture_is_kept_or_is_not():
    allowance = Allowance(10)
    kept, dropped = {"png": "p" * 20}, {"png": "q" * 31}
    assert shown(allowance, kept, dropped, kept, kept) == [kept, kept]


def test_text_and_pictures_have_allowances_of_their_own():
    allowance = Allowance(10)
    outputs = [{"text": "t" * 10}, {"png": "p" * 50}]
    assert shown(allowance, *outputs) == outputs


def test_pictures_of_all_cells_share_an_allowance():
    allowance = Allowance(10)
    picture = {"png": "p"}
    kept = [len(shown(allowance, *[picture] * 30)) for _ in range(3)]
    assert kept == [30, 20, 0]


def test_what_no_file_can_hold_and_no_terminal_should_get_is_left_out():
    error = {"name": "\ud800\r", "message": "\udfff\x1b[31m\x00"}
    report = read_report(line(outputs=[{"text": "a\ud800"}], error=error), 3)
    assert report.outputs == [{"text": "a?"}]
    assert (report.error.name, report.error.message) == ("", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"index": None}, "not a report of cell 3"),
        ({"index": 4}, "not a report of cell 3"),
        ({"index": "3"}, "not a report of cell 3"),
        ({"outputs": None}, "outputs are a list"),
        ({"outputs": {"text": "x"}}, "outputs are a list"),
        ({"outputs": [{"html": "<b>"}]}, "an output is a text or a picture"),
        ({"outputs": [{"text": 3}]}, "an output is a text or a picture"),
        ({"outputs": [{"text": "x", "png": "x"}]}, "an output is a text or a picture"),
        ({"outputs": ["x"]}, "an output is a text or a picture"),
        ({"error": "x"}, "an error is a mapping"),
        ({"error": {"name": "x"}}, "an error has a name and a message"),
        ({"error": {"name": 3, "message": "x"}}, "an error has a name and a message"),
        ({"error": {"name": "x", "message": None}}, "an error has a name and a message"),
    ],
)
def test_what_is_no_report(changes, reason):
    with pytest.raises(ValueError, match=reason):
        read_report(line(**changes), 3)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_json(data):
    with pytest.raises(ValueError, match="not a line of JSON"):
        read_report(data, 3)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["outputs", "error", "index", "more"]), values))
def test_anything_is_a_report_or_refused(changes):
    try:
        report = read_report(line(**changes), 3)
    except ValueError:
        return
    for output in report.outputs:
        assert set(output) <= {"text", "png"}
    assert report.ending == ""
