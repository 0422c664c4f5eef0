"""What the tests of the builder share: the import path, a sheet, and a book of three pages."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "book" / "_ext"), str(REPOSITORY / "book")]

from tiny_book import TinyBook, student_notebook  # noqa: E402


@pytest.fixture
def sheet_file(tmp_path: Path) -> Path:
    """A released sheet of 2 points by tests and 1 by hand."""
    path = tmp_path / "release" / "overlap" / "overlap.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(student_notebook(), path)
    return path


@pytest.fixture
def tiny_book(tmp_path: Path, sheet_file: Path) -> TinyBook:
    """A small book with the configuration of the real one."""
    return TinyBook(tmp_path, release=sheet_file.parents[1])
