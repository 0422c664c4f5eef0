"""Fingerprints change with what matters, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from coursebook.fingerprint import execution_key, files_below, fingerprint


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name in ("detseg/a.py", "detseg/b/c.py", "data/d.bin", "requirements.txt", "book/e.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.mark.parametrize("name", ["detseg/a.py", "detseg/b/c.py", "data/d.bin", "requirements.txt"])
def test_execution_key_changes_with_what_cells_can_see(repository: Path, name: str) -> None:
    before = execution_key(repository)
    (repository / name).write_text("*" * len(name))  # as long as before

    assert execution_key(repository) != before


@pytest.mark.parametrize("name", ["detseg/new.py", "data/new.bin"])
def test_execution_key_changes_with_a_new_file(repository: Path, name: str) -> None:
    before = execution_key(repository)
    (repository / name).write_text("")

    assert execution_key(repository) != before


def test_execution_key_changes_with_a_missing_and_a_renamed_file(repository: Path) -> None:
    before = execution_key(repository)
    (repository / "detseg/a.py").rename(repository / "detseg/aa.py")  # in the same order
    renamed = execution_key(repository)
    (repository / "detseg/aa.py").unlink()

    assert len({before, renamed, execution_key(repository)}) == 3


@pytest.mark.parametrize(
    "name", ["book/e.md", "detseg/__pycache__/a.txt", "detseg/b.pyc", "README.md"]
)
def test_execution_key_keeps_with_everything_else(repository: Path, name: str) -> None:
    before = execution_key(repository)
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text("changed")

    assert execution_key(repository) == before


def test_a_copy_has_the_same_fingerprint(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "copy")

    assert execution_key(repository) == execution_key(tmp_path / "copy")


def test_name_and_content_do_not_run_into_each_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "ab").write_text("c")
    (tmp_path / "two" / "a").write_text("bc")
    (tmp_path / "two").rename(tmp_path / "kept")
    first = fingerprint([tmp_path / "one"])
    (tmp_path / "one").rename(tmp_path / "gone")
    (tmp_path / "kept").rename(tmp_path / "one")

    assert fingerprint([tmp_path / "one"]) != first


def test_absent_files_are_allowed(tmp_path: Path) -> None:
    assert files_below(tmp_path / "nothing") == []
    assert fingerprint([tmp_path / "nothing"]) == fingerprint([])
