"""The students' zip: all that they need, the same bytes every time."""

import json
import zipfile
from pathlib import Path

import pytest
from nbgrader.preprocessors import Execute
from traitlets.config import PyFileConfigLoader

from autograder import bundle
from autograder.bundle import make_bundle
from autograder.errors import AutograderError
from autograder.sheets import load_sheets

TOP = "detection-course"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "pages").mkdir()
    (folder / "pages" / "book-intro.ipynb").write_text('{"cells": []}', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "RELEASE", folder / "release")
        patch.setattr(bundle, "PAGES", folder / "pages")
        path = make_bundle(folder / "made" / "bundle.zip")
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(archive) -> dict[str, bytes]:
    return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_in_it(files):
    names = {name.removeprefix(f"{TOP}/") for name in files}
    assert all(name.startswith(f"{TOP}/") for name in files)
    assert names >= {
        "iou-nms.ipynb", "book-intro.ipynb", "README.md", "requirements.txt", "LICENSE",
        "LICENSE-TEXT",
        "detseg/__init__.py", "detseg/draw.py",
    }  # fmt: skip
    assert any(name.startswith("data/checkpoints/") for name in names)


def test_what_is_not_in_it(files):
    names = [name.removeprefix(f"{TOP}/") for name in files]
    tops = {name.partition("/")[0] for name in names}
    assert tops.isdisjoint({"solutions", "autograder", "tests", "build", "course", ".git"})
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert not [name for name in names if name.startswith((".", "/")) or ".." in name]


def test_cells_that_train_can_be_validated(files, tmp_path):
    (tmp_path / "nbgrader_config.py").write_bytes(files[f"{TOP}/nbgrader_config.py"])
    config = PyFileConfigLoader("nbgrader_config.py", str(tmp_path)).load_config()
    assert Execute().timeout < 120 < Execute(config=config).timeout


def test_every_sheet_is_in_it(files):
    for sheet in load_sheets([]):
        notebook = json.loads(files[f"{TOP}/{sheet.name}.ipynb"])
        assert notebook["metadata"]["course"]["title"] == sheet.title


def test_the_same_bytes_every_time(archive, tmp_path, monkeypatch):
    first = Path(archive.filename)
    monkeypatch.setattr(bundle, "RELEASE", tmp_path / "release")
    monkeypatch.setattr(bundle, "PAGES", first.parents[1] / "pages")
    assert make_bundle(tmp_path / "again.zip").read_bytes() == first.read_bytes()


def test_it_can_be_unpacked_anywhere(archive):
    assert archive.testzip() is None
    for info in archive.infolist():
        assert info.external_attr >> 16 == 0o644
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert archive.namelist() == sorted(archive.namelist())


def test_the_readme_names_what_is_there(files):
    readme = files[f"{TOP}/README.md"].decode()
    for name in ("requirements.txt", "LICENSE", "LICENSE-TEXT", "data/README.md"):
        assert name in readme
        assert f"{TOP}/{name}" in files


def test_without_the_book_there_is_no_bundle(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "RELEASE", tmp_path / "release")
    monkeypatch.setattr(bundle, "PAGES", tmp_path / "nowhere")
    with pytest.raises(AutograderError, match=r"no page of the book in .*nowhere: run 'make book'"):
        make_bundle(tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()
