"""HTML feedback for students: their own code and output, and the verdict of every check.

No test is shown, neither its source nor its input. Everything that comes from a student is text.
"""

import base64
import binascii
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mistune
import nbformat
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from nbformat import NotebookNode
from PIL import Image, UnidentifiedImageError

from autograder.cells import grade_id, is_manual, is_solution, is_test
from autograder.course import Course
from autograder.plain_text import plain
from autograder.sheets import Sheet
from autograder.standings import standings

# What one output or answer may fill of a page.
_MAX_TEXT = 20_000

# A picture of a notebook has a tenth of these pixels; unpacked, each takes four bytes.
_MAX_PIXELS = 20_000_000


@dataclass
class Part:
    """One solution cell as the student sees it: code or answer, output, checks."""

    name: str
    source: str
    html: str = ""
    outputs: list[dict[str, str]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    manual: dict[str, Any] | None = None


def write_feedback(course: Course, sheet: Sheet) -> list[Path]:
    """Write `feedback/<student>/<sheet>/<sheet>.html` for every graded submission."""
    paths = []
    standing = standings(course.database, sheet.name)
    for verdict in course.verdicts(sheet.name):
        student = verdict["student"]
        notebook = nbformat.read(
            course.graded_folder(student, sheet.name) / f"{sheet.name}.ipynb", as_version=4
        )
        penalty = standing[student].penalty if student in standing else 0.0
        page = render(sheet, verdict, notebook, manual_grades(course, sheet, student), penalty)
        path = course.root / "feedback" / student / sheet.name / f"{sheet.name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        paths.append(path)
    return paths


def render(
    sheet: Sheet,
    verdict: dict[str, Any],
    notebook: NotebookNode,
    manual: dict[str, dict[str, Any]],
    penalty: float = 0.0,
) -> str:
    """The feedback page for one verdict; `penalty` is taken off for lateness."""
    environment = Environment(loader=PackageLoader("autograder"), autoescape=True)
    return environment.get_template("feedback.html").render(
        sheet=sheet, verdict=verdict, penalty=penalty, parts=_parts(notebook, verdict, manual)
    )


def manual_grades(course: Course, sheet: Sheet, student: str) -> dict[str, dict[str, Any]]:
    """What a person gave, by grade id: `score` (None while not graded), `max_score`, `comment`."""
    from nbgrader.api import Gradebook, MissingEntry

    found = {}
    with Gradebook(course.database) as gradebook:
        for name, points in sheet.manual_points.items():
            try:
                grade = gradebook.find_grade(name, sheet.name, sheet.name, student)
                comment = gradebook.find_comment(name, sheet.name, sheet.name, student)
            except MissingEntry:
                continue
            # Grading anew asks for a second look, but the points that were given still count.
            waiting = grade.needs_manual_grade and grade.manual_score is None
            given = None if waiting else grade.score
            found[name] = {"score": given, "max_score": points, "comment": comment.comment or ""}
    return found


def _parts(
    notebook: NotebookNode, verdict: dict[str, Any], manual: dict[str, dict[str, Any]]
) -> list[Part]:
    parts: list[Part] = []
    for cell in notebook.cells:
        if is_manual(cell):
            part = Part(grade_id(cell), _shown(cell.source), _markdown(cell.source))
            part.manual = manual.get(part.name)
            parts.append(part)
        elif is_solution(cell) or cell.metadata.get("course", {}).get("extra"):
            name = grade_id(cell) or "extra cell"
            parts.append(Part(name, _shown(cell.source), outputs=_outputs(cell)))
        elif is_test(cell):
            check = next(c for c in verdict["checks"] if c["id"] == grade_id(cell))
            owner = next((p for p in reversed(parts) if p.name == check["exercise"]), None)
            if owner is not None:
                owner.checks.append(check)
        elif parts and cell.cell_type == "code":
            parts[-1].outputs += _outputs(cell)
    return parts


def _outputs(cell: NotebookNode) -> list[dict[str, str]]:
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append({"text": _shown(output.text)})
        elif output.output_type == "error":
            shown.append({"text": _shown(f"{output.ename}: {output.evalue}"), "kind": "error"})
        elif "image/png" in output.get("data", {}):
            picture = _reencoded(output.data["image/png"])
            if picture:
                shown.append({"png": picture})
    return shown


def _shown(text: str) -> str:
    """Text as it stands on the page: plain, and cut where it is endless."""
    text = plain(text)
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "\n… (cut)"


def _markdown(text: str) -> Markup:
    """A written answer as HTML; raw HTML in it is shown, not obeyed; pictures are dropped."""
    renderer = mistune.create_markdown(escape=True)
    html = str(renderer(_shown(text)))
    return Markup(re.sub(r"<img\b[^>]*>", "", html))


def _reencoded(data: str) -> str:
    """The picture, decoded and written anew; "" for what is none."""
    try:
        with Image.open(
            io.BytesIO(base64.b64decode(data, validate=False)), formats=["PNG"]
        ) as image:
            if image.width * image.height > _MAX_PIXELS:
                return ""
            buffer = io.BytesIO()
            image.convert("RGBA").save(buffer, "PNG")
    except (
        UnidentifiedImageError,
        binascii.Error,
        OSError,
        ValueError,
        Image.DecompressionBombError,
    ):
        return ""
    return base64.b64encode(buffer.getvalue()).decode()
