"""What lateness costs, who has more time, and that gradebook, feedback and export agree."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from gradebook_rows import made_up_verdict, rows
from made_up import NAME, handed_in
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import TraitError
from traitlets.config import Config

from autograder.course import Course
from autograder.due import Due, due, extend, parse_duration, parse_time, set_due, shown
from autograder.errors import AutograderError, UsageError
from autograder.export import collect
from autograder.feedback import write_feedback
from autograder.gradebook import entry_of
from autograder.late import LatePolicy

DAY = 24 * 60 * 60
DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def policy(**settings: object) -> LatePolicy:
    return LatePolicy(config=Config(LatePolicy=settings))


@pytest.mark.parametrize(
    ("settings", "seconds", "penalty"),
    [
        ({}, 9 * DAY, None),
        ({"percent_a_day": 10}, 1, 0.8),
        ({"percent_a_day": 10}, DAY, 0.8),
        ({"percent_a_day": 10}, DAY + 1, 1.6),
        ({"percent_a_day": 10}, 30 * DAY, 8.0),
        ({"percent_a_day": 10, "most_percent": 25}, 30 * DAY, 2.0),
        ({"percent_a_day": 10, "grace_minutes": 15}, 15 * 60, None),
        ({"percent_a_day": 10, "grace_minutes": 15}, 15 * 60 + 1, 0.8),
        ({"percent_a_day": 10, "nothing_after_days": 2}, 2 * DAY, 1.6),
        ({"percent_a_day": 10, "nothing_after_days": 2}, 2 * DAY + 1, 8.0),
        ({"nothing_after_days": 0}, 1, 8.0),
        ({"nothing_after_days": 0, "grace_minutes": 1}, 60, None),
    ],
)
def test_what_it_costs(settings, seconds, penalty):
    found = policy(**settings).late_submission_penalty("ada", 8.0, seconds)
    assert found == (penalty if penalty is None else pytest.approx(penalty))


@pytest.mark.parametrize(
    "settings",
    [{"percent_a_day": 101}, {"percent_a_day": -1}, {"grace_minutes": -1}, {"most_percent": "x"},
     {"nothing_after_days": -2}],
)  # fmt: skip
def test_nonsense_is_refused(settings, root):
    with pytest.raises(TraitError):
        policy(**settings)
    course = late_course(root, "".join(f"c.LatePolicy.{k} = {v!r}\n" for k, v in settings.items()))
    with pytest.raises(AutograderError, match=r"late policy in nbgrader_config\.py: The .* trait"):
        course.gradebook()


def late_course(root, settings: str = "c.LatePolicy.percent_a_day = 10\n") -> Course:
    course = Course(root)
    with course.config.open("a", encoding="utf-8") as config:
        config.write(settings)
    return course


@pytest.fixture(params=["sqlite", "postgresql"])
def course(request, root, sheet) -> Course:
    """Ten percent a day; ada handed in a day and an hour late, ben in time, and it is due."""
    settings = "c.LatePolicy.percent_a_day = 10\n"
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        url = server.copied_database(request.getfixturevalue("prepared_on_server"))
        settings += f"c.CourseDirectory.db_url = {url!r}\n"
    course = late_course(root, settings)
    set_due(course, NAME, DUE)
    writer = course.gradebook()
    for student, hours in [("ada", 25), ("ben", -1)]:
        graded = made_up_verdict(sheet, student, handed_in(sheet))
        time = f"{DUE + timedelta(hours=hours):%Y-%m-%d %H:%M:%S} UTC"
        writer.write([entry_of(student, NAME, time, graded)])
    writer.close()
    return course


def penalties(course: Course, sheet) -> dict[str, float]:
    return {name: by[NAME].penalty for name, by in collect(course, [sheet]).items()}


def test_late_and_in_time(course, sheet):
    assert penalties(course, sheet) == pytest.approx({"ada": 1.7, "ben": 0.0})


def test_a_later_date_forgives_and_an_earlier_one_costs_more(course, sheet):
    set_due(course, NAME, DUE + timedelta(hours=24))
    course.count_penalties([sheet])
    assert penalties(course, sheet) == pytest.approx({"ada": 0.85, "ben": 0.0})
    set_due(course, NAME, DUE - timedelta(hours=2))
    course.count_penalties([sheet])
    assert penalties(course, sheet) == pytest.approx({"ada": 1.7, "ben": 0.85})
    set_due(course, NAME, None)
    course.count_penalties([sheet])
    assert penalties(course, sheet) == {"ada": 0.0, "ben": 0.0}


def test_an_extension(course, sheet):
    extend(course, NAME, ["ada", "zoe"], timedelta(days=2))
    course.count_penalties([sheet])
    assert penalties(course, sheet) == {"ada": 0.0, "ben": 0.0}, "and zoe handed in nothing"
    assert due(course, NAME) == Due(DUE, {"ada": timedelta(days=2), "zoe": timedelta(days=2)})
    with Gradebook(course.database) as gradebook:
        assert gradebook.find_submission(NAME, "ada").duedate == datetime(2026, 3, 3, 12)
    extend(course, NAME, ["ada"], timedelta(0))
    course.count_penalties([sheet])
    assert penalties(course, sheet)["ada"] == pytest.approx(1.7)
    set_due(course, NAME, None)
    assert due(course, NAME) == Due(), "an extension of nothing would stop nbgrader"
    with pytest.raises(AutograderError, match="'sums' has no due date that could be extended"):
        extend(course, NAME, ["ada"], timedelta(days=1))


def test_points_by_hand_are_part_of_the_score(course, sheet):
    with Gradebook(course.database) as gradebook:
        gradebook.find_grade("written_why", NAME, NAME, "ada").manual_score = 1.5
        gradebook.db.commit()
    course.count_penalties([sheet])
    assert penalties(course, sheet)["ada"] == pytest.approx(2.0)


def test_how_many_changed(course):
    writer = course.gradebook()
    assert writer.count_penalties(NAME) == 0
    set_due(course, NAME, DUE + timedelta(hours=24))
    assert writer.count_penalties(NAME) == 1
    writer.close()


def test_nbgrader_finds_the_same_penalty(course, sheet):
    before = rows(course.database)
    names = {"notebook": NAME, "assignment": NAME, "student": "ada", "db_url": course.database}
    AssignLatePenalties(config=course.nbgrader_config()).preprocess(
        sheet.notebook, {"nbgrader": names}
    )
    assert rows(course.database) == before


def test_a_sheet_that_is_released_anew_stays_due(root, sheet):
    course = Course(root)
    set_due(course, NAME, DUE)
    (course.root / ".prepared" / NAME).unlink()
    course.prepare(sheet)
    assert due(course, NAME).date == DUE


def test_feedback_says_it(graded_class, sheet, tmp_path):
    root = shutil.copytree(graded_class.course.root, tmp_path / "course")
    course = late_course(root)
    set_due(course, NAME, DUE - timedelta(days=1))
    course.count_penalties([sheet])
    pages = {
        path.parts[-3]: path.read_text(encoding="utf-8") for path in write_feedback(course, sheet)
    }
    assert "Handed in late: 0.85 points are taken off." in pages["ada"]
    assert "Handed in late" not in pages["ben"]


def test_a_sheet_nobody_knows(root):
    with pytest.raises(AutograderError, match="does not know the sheet 'other'"):
        due(Course(root), "other")


@pytest.mark.parametrize("text", ["soon", "2026-10-01T23:59", "2026-13-01T00:00Z", ""])
def test_what_is_no_time(text):
    with pytest.raises(UsageError, match="write 2026-10-01T23:59"):
        parse_time(text)


@pytest.mark.parametrize("text", ["", "2", "d", "2h1d", "-1d", "1.5d", "9999999999w"])
def test_what_is_no_length_of_time(text):
    with pytest.raises(UsageError, match="is no length of time; write 2d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "1d", "1d12h", "90m", "1w2d3h4m"])
def test_lengths_of_time(text):
    time = parse_duration(text)
    assert parse_duration(shown(time)) == time


def test_what_is_set_is_shown():
    assert str(Due()) == "no due date"
    text = "due 2026-03-01 12:00 UTC; later for ada +2d, ben +1h30m"
    assert str(Due(DUE, {"ben": timedelta(minutes=90), "ada": timedelta(days=2)})) == text
