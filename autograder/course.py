"""A course folder: nbgrader's own layout, what is in it, and what has been graded.

course/
  nbgrader_config.py            so that nbgrader and formgrader grade as this package does
  gradebook.db                  nbgrader's
  source/<sheet>/               the sheet with solutions and tests
  release/<sheet>/              the students' notebook
  submitted/<student>/<sheet>/  what a student handed in: <sheet>.ipynb, timestamp.txt
  autograded/<student>/<sheet>/ the graded notebook, verdict.json
  feedback/<student>/<sheet>/   HTML for the student
  report/<sheet>.html           HTML for the instructor
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.errors import AutograderError, UsageError
from autograder.grading import Graded, Verdict
from autograder.rebuild import MAX_SUBMISSION_BYTES
from autograder.sheets import Sheet

CONFIG_TEMPLATE = Path(__file__).parent / "templates" / "nbgrader_config.py"
DEFAULT_COURSE = Path("course")


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one sheet."""

    student: str
    sheet: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.sheet}.ipynb"

    def read(self) -> bytes:
        """The notebook's bytes; empty where there is no regular file of the expected name.

        Links are not followed: a link could name any file that the grader may read.
        """
        if self.folder.is_symlink() or self.path.is_symlink() or not self.path.is_file():
            return b""
        with self.path.open("rb") as file:
            return file.read(MAX_SUBMISSION_BYTES + 1)

    @property
    def timestamp(self) -> str | None:
        """When it was handed in, as nbgrader writes it; None where nothing says when.

        Raises:
            AutograderError: `timestamp.txt` holds no time.
        """
        from nbgrader.utils import parse_utc

        text = self._timestamp_as_written()
        try:
            parse_utc(text or None)
        except (ValueError, OverflowError) as error:
            path = self.folder / "timestamp.txt"
            raise AutograderError(
                f"{path}: '{text[:80]}' is no time; write '2026-03-01 12:00:00 UTC'"
            ) from error
        return text or None

    def _timestamp_as_written(self) -> str:
        path = self.folder / "timestamp.txt"
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(1000).strip()

    def digest(self, sheet_json: str, data: bytes) -> str:
        """What a verdict and its grade depend on: the sheet, the bytes and when they came."""
        digest = hashlib.sha256()
        for part in (sheet_json.encode(), data, self._timestamp_as_written().encode()):
            digest.update(len(part).to_bytes(8) + part)
        return digest.hexdigest()


class Course:
    """Reads and writes one course folder. `locked()` keeps two writers apart."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def submissions(self, sheets: list[str]) -> list[Submission]:
        """All submissions to the named sheets, by sheet and student.

        Raises:
            UsageError: the course has no folder of submissions.
        """
        submitted = self.root / "submitted"
        if not submitted.is_dir():
            raise UsageError(
                f"{submitted} does not exist: put each student's notebook at "
                f"{submitted}/<student>/<sheet>/<sheet>.ipynb"
            )
        found = [
            Submission(folder.parent.name, folder.name, folder)
            for folder in sorted(submitted.glob("*/*"))
            if folder.is_dir() and folder.name in sheets
        ]
        return sorted(found, key=lambda submission: (submission.sheet, submission.student))

    def verdicts(self, sheet: str) -> list[Verdict]:
        """All verdicts of one sheet, by student."""
        paths = sorted(self.root.glob(f"autograded/*/{sheet}/verdict.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def graded_folder(self, student: str, sheet: str) -> Path:
        return self.root / "autograded" / student / sheet

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the course for writing.

        Raises:
            AutograderError: another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AutograderError(f"{self.root} is being graded by another process") from error
            yield

    def prepare(self, sheet: Sheet) -> None:
        """Put a sheet's source, release and gradebook entry in place, where they are not yet.

        Raises:
            AutograderError: nbgrader refuses the sheet, for example because cells were added
                after students had handed it in.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        config = self.root / "nbgrader_config.py"
        if not config.exists():
            shutil.copy(CONFIG_TEMPLATE, config)
        source = self.root / "source" / sheet.name / f"{sheet.name}.ipynb"
        text = nbformat.writes(sheet.notebook) + "\n"
        if source.exists() and source.read_text(encoding="utf-8") == text:
            return
        source.parent.mkdir(parents=True, exist_ok=True)
        before = source.read_text(encoding="utf-8") if source.exists() else None
        source.write_text(text, encoding="utf-8")
        try:
            self._generate_assignment(sheet.name)
        except AutograderError:
            source.unlink()
            if before is not None:
                source.write_text(before, encoding="utf-8")
            raise

    def _generate_assignment(self, sheet: str) -> None:
        from nbgrader.apps import NbGraderAPI

        # To make a gradebook nbgrader runs `alembic`, which lies beside this Python, and which
        # the PATH need not name.
        beside = str(Path(sys.executable).parent)
        if beside not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])
        answer = NbGraderAPI(config=self.nbgrader_config()).generate_assignment(sheet, force=True)
        if not answer["success"]:
            reason = (answer.get("log") or answer.get("error") or "no reason given").strip()
            raise AutograderError(f"nbgrader cannot release '{sheet}' in {self.root}:\n{reason}")

    def nbgrader_config(self) -> Any:
        """The course's nbgrader_config.py as a traitlets Config, for nbgrader's own classes."""
        from traitlets.config import PyFileConfigLoader

        return PyFileConfigLoader("nbgrader_config.py", path=str(self.root)).load_config()

    @property
    def database(self) -> str:
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def is_graded(self, submission: Submission, digest: str) -> bool:
        """Whether a finished verdict of exactly these bytes and this sheet is there."""
        path = self.graded_folder(submission.student, submission.sheet) / "digest.txt"
        return path.is_file() and path.read_text(encoding="utf-8") == digest

    def record(self, submission: Submission, graded: Graded, digest: str) -> None:
        """Write one verdict: files first, then the gradebook, last the mark that it is finished."""
        folder = self.graded_folder(submission.student, submission.sheet)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "digest.txt").unlink(missing_ok=True)
        _replace(folder / f"{submission.sheet}.ipynb", nbformat.writes(graded.notebook) + "\n")
        write_verdict(folder, graded.verdict)
        if submission.timestamp:
            _replace(folder / "timestamp.txt", submission.timestamp)
        self._save_grades(submission, graded)
        (folder / "digest.txt").write_text(digest, encoding="utf-8")

    def _save_grades(self, submission: Submission, graded: Graded) -> None:
        """Let nbgrader's own preprocessors write the grades and the late penalty."""
        from nbgrader.api import Gradebook
        from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
        from sqlalchemy.exc import SAWarning

        sheet, student = submission.sheet, submission.student
        config = self.nbgrader_config()
        names = {
            "notebook": sheet,
            "assignment": sheet,
            "student": student,
            "db_url": self.database,
        }
        timestamp = {"timestamp": submission.timestamp} if submission.timestamp else {}
        with warnings.catch_warnings():
            # nbgrader adds to the session what SQLAlchemy would like to have been told earlier.
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(self.database) as gradebook:
                gradebook.update_or_create_student(student)
                gradebook.update_or_create_submission(sheet, student, **timestamp)
            for step in (SaveAutoGrades, AssignLatePenalties):
                step(config=config).preprocess(graded.notebook, {"nbgrader": names})


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write `verdict.json` into a submission's graded folder."""
    _replace(folder / "verdict.json", json.dumps(verdict, indent=1, ensure_ascii=False) + "\n")


def _replace(path: Path, text: str) -> None:
    """Put a file in place so that it is either the old one or the new one, never half of it.

    nbgrader leaves its files read-only: they are replaced, not written to.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
