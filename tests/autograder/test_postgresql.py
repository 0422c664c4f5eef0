"""A gradebook on a PostgreSQL server: made, written, read, and what is said when it cannot be."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradebook_rows import made_up_verdict
from made_up import NAME, hand_in, handed_in
from nbgrader.api import Gradebook
from postgresql import PASSWORD
from sqlalchemy import create_engine, inspect, text

from autograder.course import Course
from autograder.database import checked_url, create_gradebook, shown
from autograder.errors import AutograderError, UsageError
from autograder.export import collect
from autograder.feedback import write_feedback
from autograder.grade_class import grade_class
from autograder.gradebook import entry_of
from autograder.report import write_report
from autograder.repository import REPOSITORY


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    found = inspect(engine).get_table_names()
    engine.dispose()
    return found


def test_a_class_from_release_to_export(server, sheet, tmp_path):
    course = Course(tmp_path / "course")
    course.use_database(server.new_database())
    hand_in(course.root, "ada", handed_in(sheet, written_why="So."), "2026-03-01 12:00:00 UTC")
    hand_in(course.root, "ben", handed_in(sheet, celsius="def celsius(f):\n    return f"))
    assert grade_class(course, [sheet], jobs=2, progress=False).graded == 2
    with Gradebook(course.database) as gradebook:
        gradebook.find_grade("written_why", NAME, NAME, "ada").manual_score = 1.5
        gradebook.db.commit()
    assert grade_class(course, [sheet], jobs=2, progress=False).unchanged == 2
    (course.root / "autograded/ada" / NAME / "digest.txt").unlink()
    assert grade_class(course, [sheet], jobs=2, progress=False).graded == 1
    grades = collect(course, [sheet])
    assert {name: by[NAME].grade for name, by in grades.items()} == {"ada": 10.0, "ben": 7.5}
    page = write_feedback(course, sheet)[0].read_text(encoding="utf-8")
    assert "1.5" in page
    assert write_report(course, sheet).exists()
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "nbgrader"), "db", "student", "list"],
        cwd=course.root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ada" in listed.stdout
    assert "ben" in listed.stdout
    assert not list(course.root.rglob("gradebook.db"))


def test_another_program_that_is_writing(server, prepared_on_server, sheet, tmp_path):
    course = Course(tmp_path)
    course.use_database(server.copied_database(prepared_on_server))
    entry = entry_of("ada", NAME, None, made_up_verdict(sheet, "ada", handed_in(sheet)))
    writer = course.gradebook()
    engine = create_engine(course.database)
    with engine.connect() as other:
        other.execute(text("LOCK TABLE submitted_assignment IN EXCLUSIVE MODE"))
        with pytest.raises(AutograderError, match=r"cannot write postgresql:.* lock timeout"):
            writer.write([entry], patience=0.1)
        assert writer.students(NAME) == set()
    engine.dispose()
    writer.write([entry], patience=0.1)
    assert writer.students(NAME) == {"ada"}
    writer.close()


def test_a_lost_connection_is_made_again(server, prepared_on_server, tmp_path):
    course = Course(tmp_path)
    course.use_database(server.copied_database(prepared_on_server))
    writer = course.gradebook()
    assert writer.students(NAME) == set()
    engine = create_engine(server.url("postgres"))
    with engine.connect() as other:
        where = "datname LIKE 'gradebook%' AND pid <> pg_backend_pid()"
        other.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {where}"))
    engine.dispose()
    assert writer.students(NAME) == set()
    writer.close()


def test_it_is_made_at_once_or_not_at_all(server, monkeypatch):
    url = server.new_database()

    def killed():
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("autograder.database.get_alembic_version", killed)
        with pytest.raises(KeyboardInterrupt):
            create_gradebook(url)
    assert tables(url) == []
    create_gradebook(url)
    assert "alembic_version" in tables(url)


def test_two_make_it_at_the_same_time(server):
    url = server.new_database()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create_gradebook, [url] * 4))
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("gradebook", "nowhere"), "does not exist"),
        (lambda url: url.replace(PASSWORD, "wrong-secret"), "password authentication failed"),
        (lambda url: url.replace("host=", "host=/nowhere"), "No such file"),
    ],
)
def test_what_cannot_be_reached_is_named_without_its_password(server, change, reason):
    url = change(server.new_database())
    with pytest.raises(
        AutograderError, match=f"cannot make a gradebook in postgresql:.*{reason}"
    ) as (caught):
        create_gradebook(url)
    assert PASSWORD not in str(caught.value)
    assert "wrong-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "gradebook", "mysql://host/x", "oracle://host/x", "no-such://h/x", "postgresql://host"],
)
def test_what_is_no_url_of_a_gradebook(url):
    with pytest.raises(UsageError, match="write sqlite:///FILE or postgresql://USER:PASSWORD@HOST"):
        checked_url(url)


def test_a_url_is_shown_without_its_password():
    assert shown("postgresql://ada:pw@host/grades") == "postgresql://ada:***@host/grades"


def test_the_url_is_set_once_and_read_by_nobody_else(tmp_path):
    course = Course(tmp_path / "course")
    url = f"postgresql://ada:{PASSWORD}@host/grades"
    course.use_database(url)
    assert course.database == url
    assert course.config.stat().st_mode & 0o777 == 0o600
    course.use_database(url)
    with pytest.raises(UsageError, match=r"is postgresql://ada:\*\*\*@host/grades; to move it, ch"):
        course.use_database("sqlite:///gradebook.db")


def test_a_course_with_a_file_keeps_it(root):
    Course(root).use_database("sqlite:///gradebook.db")
    with pytest.raises(UsageError, match=r"is sqlite:///.*gradebook\.db; to move it, change c\."):
        Course(root).use_database("postgresql://ada@host/grades")
