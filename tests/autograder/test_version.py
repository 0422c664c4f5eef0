"""The grader's version changes with whatever may change a verdict."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograder import version


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """A made-up repository, whose version is asked for."""
    for name in ("autograder/engine.py", "autograder/inside/wire.py", "detseg/boxes.py",
                 "data/weights.bin", "tests/test_engine.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(version, "_REPOSITORY", tmp_path)
    return tmp_path


def asked_anew() -> str:
    return version.grader_version.__wrapped__()


def test_the_version_of_this_grader():
    assert len(version.grader_version()) == 64
    assert version.grader_version() == asked_anew()


def test_every_file_counts(repository):
    seen = {asked_anew()}
    for name in ("autograder/inside/wire.py", "detseg/boxes.py", "data/weights.bin"):
        (repository / name).write_text("changed", encoding="utf-8")
        seen.add(asked_anew())
    (repository / "autograder" / "new.py").touch()
    seen.add(asked_anew())
    (repository / "autograder" / "new.py").rename(repository / "autograder" / "newer.py")
    seen.add(asked_anew())
    assert len(seen) == 6
    (repository / "tests" / "test_engine.py").unlink()
    (repository / "autograder" / "__pycache__").mkdir()
    (repository / "autograder" / "__pycache__" / "engine.pyc").touch()
    assert asked_anew() in seen


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("package", ["torch", "torchvision", "nbgrader"])
def test_installed_releases_count(package, monkeypatch):
    before, real = asked_anew(), version.version
    monkeypatch.setattr(version, "version", lambda name: real(name) + ".1" * (name == package))
    assert asked_anew() != before


def test_it_imports_none_of_them():
    code = (
        "import sys\nfrom autograder.version import grader_version\ngrader_version()\n"
        "assert {'torch', 'torchvision', 'nbgrader'}.isdisjoint(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
