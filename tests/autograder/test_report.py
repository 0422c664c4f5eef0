"""The class report: counts, what went wrong, who is to be looked at."""

import base64
import io
import re

import pytest
from made_up import NAME
from PIL import Image

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.report import render, summarise, write_report


def entry(check_id: str, result: str = "pass", message: str = "") -> dict:
    return {"id": check_id, "verdict": result, "message": message, "exercise": check_id[5:],
            "points": 0.0, "max_points": 1.0}  # fmt: skip


def verdict(student: str, score: float, checks: list[dict], **more: object) -> dict:
    return {"sheet": NAME, "student": student, "score": score, "max_score": 8.5,
            "manual_max": 2.0, "sandbox": "none", "checks": checks, "flags": []} | more  # fmt: skip


IDS = ["test_total", "test_mean", "test_clip", "test_clip__low", "test_celsius"]


def everybody_fails(count: int, messages: list[str]) -> list[dict]:
    return [
        verdict(f"s{k}", 0.0, [entry(name, "fail", messages[k % len(messages)]) for name in IDS])
        for k in range(count)
    ]


def test_a_summary_a_check(sheet):
    verdicts = [
        verdict("a", 1, [entry("test_total"), entry("test_mean", "fail", "no")]),
        verdict("b", 1, [entry("test_total"), entry("test_mean", "error", "never")]),
        verdict("c", 1, [entry("test_total", "not-run", "not reached"),
                         entry("test_mean", "fail", "no")]),
    ]  # fmt: skip
    total, mean, clip, *_ = summarise(sheet, verdicts)
    assert (total.id, total.label, total.passed, total.total) == ("test_total", "total", 2, 3)
    assert total.share == pytest.approx(2 / 3)
    assert total.messages == [("not reached", 1)]
    assert (mean.passed, mean.messages) == (0, [("no", 2), ("never", 1)])
    assert (clip.passed, clip.total, clip.share, clip.messages) == (0, 0, 0.0, [])


def test_rare_messages_are_left_out(sheet):
    total, *_ = summarise(sheet, everybody_fails(20, [f"message {k}" for k in range(7)]))
    assert len(total.messages) == 5
    assert [count for _, count in total.messages] == [3, 3, 3, 3, 3]


def pictures(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_the_report_of_a_class(graded_class, sheet):
    path = write_report(graded_class.course, sheet)
    assert path == graded_class.course.root / "report" / f"{NAME}.html"
    page = path.read_text(encoding="utf-8")
    assert "5 submissions. Mean 3.9, median 3.5 of 8.5 points from tests; 2 more" in page
    assert "add every number once" in page
    assert "Could not be read, graded 0: <strong>dora</strong>, <strong>emil</strong>." in page
    assert "ran without a sandbox" not in page
    assert "chloé de la tour" in page
    assert page.index("<td>ada</td>") < page.index("<td>chloé de la tour</td>")
    assert page.index("<td>chloé de la tour</td>") < page.index("<td>ben</td>")
    assert [picture.format for picture in pictures(page)] == ["PNG", "PNG"]


def test_what_students_wrote_is_text(sheet):
    nasty = "<script>alert(1)</script>"
    flags = [{"kind": "unreadable", "detail": nasty}]
    verdicts = [verdict(nasty, 0, [entry("test_total", "fail", nasty)], flags=flags)]
    page = render(sheet, verdicts)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_a_sandbox_is_missed_where_there_is_none(sheet):
    locked = verdict("a", 0, [], sandbox="bubblewrap")
    page = render(sheet, [locked])
    assert "without a sandbox" not in page
    assert "ran without a sandbox" in render(sheet, [locked, verdict("b", 0, [])])
    assert "Nothing was flagged." in page


@pytest.mark.parametrize("count", [1, 2, 500])
def test_classes_of_any_size(sheet, count):
    page = render(sheet, everybody_fails(count, ["no"]))
    assert f"{count} submissions." in page


def test_the_histogram_has_a_bar_for_every_score(sheet, monkeypatch):
    drawn = {}

    def hist(_, values, bins, **__):
        drawn.update(values=list(values), bins=list(bins))

    monkeypatch.setattr("matplotlib.axes.Axes.hist", hist)
    scores = [0.0, 0.5, 4.25, 8.0, 8.5]
    render(sheet, [verdict(f"s{k}", score, []) for k, score in enumerate(scores)])
    assert drawn["values"] == scores
    assert drawn["bins"][0] <= 0
    assert drawn["bins"][-1] >= 8.5


def test_two_checks_of_one_exercise_have_a_bar_each(sheet, monkeypatch):
    drawn = []
    barh = __import__("matplotlib.axes").axes.Axes.barh

    def spy(axes, names, *rest, **options):
        drawn.extend(names)
        return barh(axes, names, *rest, **options)

    monkeypatch.setattr("matplotlib.axes.Axes.barh", spy)
    render(sheet, everybody_fails(2, ["no"]))
    assert drawn == ["total", "mean", "clip", "clip: low", "celsius"]


def test_nothing_graded_yet(tmp_path, sheet):
    with pytest.raises(AutograderError, match="no graded submission of 'sums' in "):
        write_report(Course(tmp_path), sheet)
