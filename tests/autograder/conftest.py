"""What the tests of the autograder share: a made-up sheet and a small class that was graded."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_up import NAME, hand_in, handed_in, write_solutions
from postgresql import Server, running_server

from autograder.course import Course
from autograder.grade_class import ClassResult, grade_class
from autograder.sheets import Sheet, load_sheet


@pytest.fixture(scope="session")
def solutions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A solutions folder with the made-up sheet; read only."""
    return write_solutions(tmp_path_factory.mktemp("solutions"))


@pytest.fixture(scope="session")
def sheet(solutions: Path) -> Sheet:
    """The made-up sheet; tests must not change it."""
    return load_sheet(NAME, solutions)


@pytest.fixture(scope="session")
def prepared(sheet: Sheet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with the sheet set up and nothing handed in, to be copied."""
    root = tmp_path_factory.mktemp("prepared")
    Course(root).prepare(sheet)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    """A course folder of the test's own, with the sheet set up: nbgrader takes seconds for that."""
    return shutil.copytree(prepared, tmp_path / "course")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of these tests' own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def prepared_on_server(sheet: Sheet, server: Server, tmp_path_factory) -> str:
    """The URL of a gradebook in which the sheet is set up, to be copied."""
    course = Course(tmp_path_factory.mktemp("prepared_on_server"))
    course.use_database(server.new_database())
    course.prepare(sheet)
    return course.database


@dataclass
class GradedClass:
    """A course folder, what grading it said, and the points that each student should have."""

    course: Course
    result: ClassResult
    scores: dict[str, float]


@pytest.fixture(scope="session")
def graded_class(
    sheet: Sheet, prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> GradedClass:
    """Five students, two of them with broken files, graded once; tests must not change it."""
    root = shutil.copytree(prepared, tmp_path_factory.mktemp("graded") / "course")
    wrong = "def total(numbers):\n    print('<b>adding</b>')\n    return 0"
    hand_in(root, "ada", handed_in(sheet, written_why="So it *is*."), "2026-03-01 12:00:00 UTC")
    hand_in(root, "ben", handed_in(sheet, total=wrong))
    hand_in(root, "chloé de la tour", handed_in(sheet, celsius="def celsius(f):\n    return f"))
    hand_in(root, "dora", handed_in(sheet)[:500])
    hand_in(root, "emil", b"")
    course = Course(root)
    result = grade_class(course, [sheet], jobs=2, progress=False)
    scores = {"ada": 8.5, "ben": 3.5, "chloé de la tour": 7.5, "dora": 0.0, "emil": 0.0}
    return GradedClass(course, result, scores)
