"""The autograder as nbgrader's preprocessors, for `nbgrader autograde` and formgrader's button."""

import os
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from autograder.course import Course, mark_finished, write_verdict
from autograder.grading import grade_rebuilt
from autograder.rebuild import Flag, Rebuilt, rebuild
from autograder.sheets import Sheet
from autograder.submission import Submission


class RebuildFromSource(NbGraderPreprocessor):
    """Replaces what was handed in by the source with the student's answers in it."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        names = resources["nbgrader"]
        rebuilt = rebuild(_sheet(names["assignment"]), nbformat.writes(nb).encode())
        for flag in rebuilt.flags:
            self.log.warning("%s: %s", flag.kind, flag.detail)
        # The flags travel in the notebook, since the next step reads it from a file.
        rebuilt.notebook.metadata["flags"] = [[flag.kind, flag.detail] for flag in rebuilt.flags]
        return rebuilt.notebook, resources


class GradeRebuilt(NbGraderPreprocessor):
    """Runs a rebuilt notebook, writes verdict.json, and leaves verdicts where nbgrader looks."""

    sandbox = Bool(True, help="Lock students' code in; without, verdicts say so.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        names = resources["nbgrader"]
        sheet, student = _sheet(names["assignment"]), names["student"]
        flags = [Flag(kind, detail) for kind, detail in nb.metadata.pop("flags", [])]
        course = Course(Path.cwd())
        place = course.root / "submitted" / student / sheet.name
        submission = Submission(student, sheet.name, place)
        data, files = submission.read(), submission.read_files(sheet.files)
        graded = grade_rebuilt(
            sheet, Rebuilt(nb, flags), student=student, files=files, locked=self.sandbox
        )
        folder = course.graded_folder(student, sheet.name)
        write_verdict(folder, graded.verdict)
        # Finished, not recorded: nbgrader writes the gradebook after this.
        digest = submission.digest(sheet.to_json(), data, files, locked=self.sandbox)
        mark_finished(folder, digest)
        return graded.notebook, resources


def _sheet(name: str) -> Sheet:
    """The course's own copy of the source; nbgrader runs its converters in the course folder."""
    source = Path(os.curdir) / "source" / name / f"{name}.ipynb"
    return Sheet.from_json(name, source.read_text(encoding="utf-8"))
