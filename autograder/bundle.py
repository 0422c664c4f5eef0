"""The students' bundle: sheets, the book's pages as notebooks, `detseg`, data, requirements."""

import zipfile
from pathlib import Path

from autograder.errors import AutograderError
from autograder.release import RELEASE, release
from autograder.repository import REPOSITORY
from autograder.sheets import load_sheets

PAGES = REPOSITORY / "build" / "html" / "downloads"

# A zip of the same content is the same file, whenever it is made; a zip knows no earlier date.
_DATE = (1980, 1, 1, 0, 0, 0)

_TOP = "detection-course"

_README = """# Object Detection and Segmentation: the exercise sheets

1. Install Python 3.11, 3.12 or 3.13.
2. In this folder: `python3 -m venv .venv`, then `.venv/bin/pip install -r requirements.txt`
   (on Windows `.venv\\Scripts\\pip`). It downloads several gigabytes, once.
3. `.venv/bin/jupyter lab`. The sheets are here, `<sheet>.ipynb`, and the pages of the book beside
   them, `book-<page>.ipynb`.
4. In a sheet, fill in the cells that say `YOUR CODE HERE`, run the test cell below each, and
   check the whole sheet with `.venv/bin/nbgrader validate <sheet>.ipynb`.
5. Hand in the notebook, under its own name, and beside it the files that the sheet asks for, if
   any.

Code: BSD-3-Clause (`LICENSE`). Text: CC BY 4.0 (`LICENSE-TEXT`). Data: see `data/README.md`.
"""

# nbgrader stops a cell after 30 seconds; a training takes longer.
_CONFIG = """c = get_config()
c.Execute.timeout = 900
"""


def make_bundle(path: Path) -> Path:
    """Write the zip of all sheets' student notebooks and what they need, and return its path.

    Raises:
        AutograderError: the book, whose pages go into the bundle as well, has not been built.
    """
    notebooks = release(load_sheets([]), RELEASE)
    files = {notebook.name: notebook.read_bytes() for notebook in notebooks}
    files |= _pages()
    files["README.md"] = _README.encode()
    files["nbgrader_config.py"] = _CONFIG.encode()
    for name in ("requirements.txt", "LICENSE", "LICENSE-TEXT"):
        files[name] = (REPOSITORY / name).read_bytes()
    for folder in ("detseg", "data"):
        for file in sorted((REPOSITORY / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                files[str(file.relative_to(REPOSITORY))] = file.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{_TOP}/{name}", _DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


def _pages() -> dict[str, bytes]:
    """The book's pages as notebooks, `book-<page>.ipynb`: sheets link to them."""
    pages = {path.name: path.read_bytes() for path in sorted(PAGES.glob("book-*.ipynb"))}
    if not pages:
        raise AutograderError(f"no page of the book in {PAGES}: run 'make book' first")
    return pages
