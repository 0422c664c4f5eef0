"""A throw-away book: small enough to be built in two seconds, with the real configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

REPOSITORY = Path(__file__).resolve().parents[2]
CANARY = "canary_that_must_never_be_published"

CONTENTS = """\
format: jb-book
root: intro
chapters:
  - file: overlap
    sections:
      - file: exercises/overlap
"""
INTRO = """\
# A tiny book

It has one chapter, [](overlap.md).
"""
HEADER = """\
---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---
"""
# The smallest picture there is: matplotlib would take longer to import than the rest to run.
DRAW = """\
import base64
from IPython.display import Image
import detseg
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4"
    "2mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
print("drawn by", detseg.NAME)
Image(base64.b64decode(PIXEL))
"""
CHAPTER = f"""\
{HEADER}
# Overlap

Two boxes {{footcite:p}}`box2020`.

$$
\\frac{{1}}{{2}}
$$

```{{code-cell}} python
---
mystnb:
  image:
    alt: One dark pixel.
---
{DRAW}```

```{{exercise-card}} overlap
```

```{{footbibliography}}
```
"""
REFERENCES = """\
@article{box2020,
  author = {Box, Bea}, title = {On Boxes}, journal = {Journal of Boxes}, year = {2020},
}
"""


class TinyBook:
    """A repository in miniature below a folder, to be changed at will before it is built.

    Args:
        folder: where it is made.
        release: the students' notebooks.
    """

    def __init__(self, folder: Path, release: Path) -> None:
        self.root = folder / "repository"
        self.release = release
        self.site = self.root / "build" / "html"
        (self.root / "book").mkdir(parents=True)
        for part in ("_static", "_scripts"):
            shutil.copytree(REPOSITORY / "book" / part, self.root / "book" / part)
        shutil.copy(REPOSITORY / "_config.yml", self.root)
        self.write("_toc.yml", CONTENTS)
        self.write("book/intro.md", INTRO)
        self.write("book/overlap.md", CHAPTER)
        self.write("book/references.bib", REFERENCES)
        self.write("detseg/__init__.py", "NAME = 'the first version'\n")
        self.write("data/numbers.txt", "1\n")
        self.write("requirements.txt", "torch==2\n")
        self.write("solutions/overlap/overlap.md", f"def solution():\n    {CANARY} = 1\n")

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add_to_chapter(self, text: str) -> int:
        """Append to the chapter; returns the 1-based line where the addition begins."""
        path = self.root / "book" / "overlap.md"
        before = path.read_text(encoding="utf-8") + "\n"
        path.write_text(before + text, encoding="utf-8")
        return before.count("\n") + 1

    def published(self, name: str) -> str:
        """Text of a file of the site."""
        return (self.site / name).read_text(encoding="utf-8")


def student_notebook() -> NotebookNode:
    """A sheet as nbgrader releases it."""
    new = nbformat.v4
    notebook = new.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "course": {
                "title": "Overlap of boxes",
                "minutes": 30,
                "points": 2,
                "manual_points": 1,
            },
        }
    )
    graded = {"grade": True, "schema_version": 3, "task": False}
    notebook.cells = [
        new.new_markdown_cell("# Exercises: overlap\n\nTwo boxes, $A$ and $B$."),
        new.new_markdown_cell("## Exercise 1: the area\n\nWrite `area`."),
        new.new_code_cell(
            "def area(box):\n    raise NotImplementedError",
            metadata={"nbgrader": {"grade": False, "solution": True, "grade_id": "area"}},
        ),
        new.new_code_cell(
            "assert area((0, 0, 2, 3)) == 6",
            metadata={
                "nbgrader": {**graded, "solution": False, "points": 2.0, "grade_id": "test-area"}
            },
        ),
        new.new_markdown_cell(
            "Why is there no +1?",
            metadata={"nbgrader": {**graded, "solution": True, "points": 1, "grade_id": "why"}},
        ),
    ]
    return notebook
