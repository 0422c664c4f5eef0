"""What the tests of the autograder share: a made-up sheet."""

from pathlib import Path

import pytest
from made_up import NAME, write_solutions

from autograder.sheets import Sheet, load_sheet


@pytest.fixture(scope="session")
def solutions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A solutions folder with the made-up sheet; read only."""
    return write_solutions(tmp_path_factory.mktemp("solutions"))


@pytest.fixture(scope="session")
def sheet(solutions: Path) -> Sheet:
    """The made-up sheet; tests must not change it."""
    return load_sheet(NAME, solutions)
