"""Shared by the tests of sheets: what a sheet's reference defines, to be called as it is."""

from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib as mpl
import pytest

from autograder import answers
from autograder.sheets import load_sheet


@cache
def _defined(sheet: str) -> dict[str, Any]:
    with mpl.rc_context():  # a sheet sets the book's style
        return answers.reference_names(load_sheet(sheet))


@pytest.fixture(scope="session")
def reference() -> Callable[[str], dict[str, Any]]:
    """A function: a sheet's name → the names that its setup and its reference define."""
    return _defined
