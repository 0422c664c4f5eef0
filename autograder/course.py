"""A course folder: nbgrader's own layout, what is in it, and what has been graded.

course/
  nbgrader_config.py            so that nbgrader and formgrader grade as this package does
  gradebook.db                  nbgrader's, unless the configuration names another database
  source/<sheet>/               the sheet with solutions and tests
  release/<sheet>/              the students' notebook
  submitted/<student>/<sheet>/  what a student handed in: <sheet>.ipynb, timestamp.txt
  autograded/<student>/<sheet>/ the graded notebook, verdict.json, digest.txt
  feedback/<student>/<sheet>/   HTML for the student
  report/<sheet>.html           HTML for the instructor

A digest.txt that holds a submission's digest says that its verdict is finished and need not be
found again; followed by the word "recorded", that the gradebook has it too.
"""

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from autograder.errors import AutograderError, UsageError
from autograder.grading import Graded, Verdict
from autograder.sheets import Sheet
from autograder.submission import Submission

if TYPE_CHECKING:
    from autograder.gradebook import GradebookWriter

CONFIG_TEMPLATE = Path(__file__).parent / "templates" / "nbgrader_config.py"
DEFAULT_COURSE = Path("course")

_SQLITE = "sqlite:///"
_DATABASE_LINE = '# c.CourseDirectory.db_url = "postgresql://user:password@host/database"'
_RECORDED = "recorded"


class Course:
    """Reads and writes one course folder. `locked()` keeps two writers apart."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.config = self.root / "nbgrader_config.py"

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
        with (self.root / ".lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise AutograderError(
                    f"{self.root} is being graded by another process (pid {lock.read() or '?'})"
                ) from error
            # The lock goes with the process, whatever ends it; the number is for people.
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def prepare(self, sheet: Sheet) -> None:
        """Put a sheet's source, release and gradebook entry in place, where they are not yet.

        Raises:
            AutograderError: nbgrader refuses the sheet, for example because cells were added
                after students had handed it in.
        """
        from autograder.database import create_gradebook

        source = self.root / "source" / sheet.name / f"{sheet.name}.ipynb"
        # Not beside the source: nbgrader hands out what lies there.
        prepared = self.root / ".prepared" / sheet.name
        for path in (source, prepared):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._write_config()
        _put_alembic_on_path()
        create_gradebook(self.database)
        text = nbformat.writes(sheet.notebook) + "\n"
        before = source.read_text(encoding="utf-8") if source.exists() else None
        if prepared.exists() and before == text and self._is_released(sheet.name):
            return
        prepared.unlink(missing_ok=True)
        _replace(source, text)
        try:
            self._generate_assignment(sheet.name)
        except AutograderError:
            source.unlink()
            if before is not None:
                _replace(source, before)
            raise
        prepared.touch()

    def use_database(self, url: str) -> None:
        """Keep the gradebook of a course that is being set up at this URL.

        Raises:
            UsageError: it is no URL of a database that a gradebook may lie in, or the course has
                its gradebook elsewhere.
        """
        from autograder.database import checked_url, shown

        checked_url(url)
        if not self._write_config(url) and self.database != self._absolute(url):
            raise UsageError(
                f"the gradebook of {self.root} is {shown(self.database)}; "
                f"to move it, change c.CourseDirectory.db_url in {self.config}"
            )

    def _write_config(self, url: str | None = None) -> bool:
        """Write nbgrader_config.py; False where there is one."""
        if self.config.exists():
            return False
        text = CONFIG_TEMPLATE.read_text(encoding="utf-8")
        if url is not None:
            text = text.replace(_DATABASE_LINE, f"c.CourseDirectory.db_url = {url!r}")
        self.root.mkdir(parents=True, exist_ok=True)
        # A URL may hold a password.
        _replace(self.config, text, mode=None if url is None else 0o600)
        return True

    def _is_released(self, sheet: str) -> bool:
        with contextlib.closing(self.gradebook()) as gradebook:
            return gradebook.students(sheet) is not None

    def _generate_assignment(self, sheet: str) -> None:
        from nbgrader.apps import NbGraderAPI

        answer = NbGraderAPI(config=self.nbgrader_config()).generate_assignment(sheet, force=True)
        if answer.get("error", "").rstrip().endswith("KeyboardInterrupt"):
            raise KeyboardInterrupt  # to nbgrader, Ctrl-C is a failure like any other
        if not answer["success"]:
            reason = (answer.get("log") or answer.get("error") or "no reason given").strip()
            raise AutograderError(f"nbgrader cannot release '{sheet}' in {self.root}:\n{reason}")

    def nbgrader_config(self) -> Any:
        """The course's nbgrader_config.py as a traitlets Config, for nbgrader's own classes.

        Raises:
            AutograderError: it cannot be run.
        """
        from traitlets.config import PyFileConfigLoader

        try:
            return PyFileConfigLoader(self.config.name, path=str(self.root)).load_config()
        except Exception as error:
            raise AutograderError(f"{self.config}: {type(error).__name__}: {error}") from error

    @property
    def database(self) -> str:
        """The gradebook's URL: `c.CourseDirectory.db_url`, else a file in the course folder."""
        url = _SQLITE + "gradebook.db"
        if self.config.exists():
            url = str(self.nbgrader_config().CourseDirectory.get("db_url") or url)
        return self._absolute(url)

    def _absolute(self, url: str) -> str:
        if not url.startswith(_SQLITE):
            return url
        # nbgrader runs in the course folder, and reads a relative path from there.
        return _SQLITE + str(self.root / url.removeprefix(_SQLITE))

    def gradebook(self) -> "GradebookWriter":
        """The course's gradebook to write into; the caller closes it."""
        from autograder.gradebook import GradebookWriter

        return GradebookWriter(self.database, self.nbgrader_config())

    def count_penalties(self, sheets: list[Sheet]) -> None:
        """Find late penalties anew: points by hand, due dates and the policy may have changed.

        Raises:
            AutograderError: the gradebook cannot be written.
        """
        from autograder.database import has_gradebook

        if self.config.exists() and has_gradebook(self.database):
            with contextlib.closing(self.gradebook()) as gradebook:
                for sheet in sheets:
                    if gradebook.students(sheet.name):
                        gradebook.count_penalties(sheet.name)

    def is_finished(self, submission: Submission, digest: str) -> bool:
        """Whether a verdict with just this digest is there, in the gradebook or not yet."""
        folder = self.graded_folder(submission.student, submission.sheet)
        return _marks(folder)[:1] == [digest] and all(
            path.is_file() and path.stat().st_size > 0
            for path in (folder / "verdict.json", folder / f"{submission.sheet}.ipynb")
        )

    def is_recorded(self, submission: Submission, digest: str) -> bool:
        """Whether a verdict with just this digest is there and in the gradebook."""
        folder = self.graded_folder(submission.student, submission.sheet)
        return self.is_finished(submission, digest) and _marks(folder)[1:] == [_RECORDED]

    def finish(self, submission: Submission, graded: Graded, digest: str) -> None:
        """Write one verdict's files, and last the mark that it is finished.

        A process may be killed at any moment: the mark is there only when the files are, and no
        file is ever half of one. Nothing waits for the disk, though: after a power failure files
        can be empty, which `is_finished` notices, so that the submission is graded again. What
        the gradebook then has is what SQLite promises.
        """
        folder = self.graded_folder(submission.student, submission.sheet)
        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            f"{submission.sheet}.ipynb": nbformat.writes(graded.notebook) + "\n",
            "verdict.json": _as_json(graded.verdict),
        }
        if submission.timestamp:
            texts["timestamp.txt"] = submission.timestamp
        drafts = {name: folder / f"{name}.new" for name in texts}
        try:
            # All before any is put in place: a full disk leaves the old verdict as it was.
            for name, draft in drafts.items():
                draft.write_text(texts[name], encoding="utf-8")
            (folder / "digest.txt").unlink(missing_ok=True)
            (folder / "timestamp.txt").unlink(missing_ok=True)
            for name, draft in drafts.items():
                draft.replace(folder / name)
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
        mark_finished(folder, digest)

    def finished(self, submission: Submission) -> Graded:
        """What `finish` wrote.

        Raises:
            ValueError: the files are not as they were written.
        """
        folder = self.graded_folder(submission.student, submission.sheet)
        verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        return Graded(verdict, nbformat.read(folder / f"{submission.sheet}.ipynb", as_version=4))


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write `verdict.json` into a submission's graded folder."""
    _replace(folder / "verdict.json", _as_json(verdict))


def mark_finished(folder: Path, digest: str) -> None:
    """Say that the verdict in a graded folder need not be found again, only recorded."""
    _replace(folder / "digest.txt", digest)


def mark_recorded(folder: Path, digest: str) -> None:
    """Say that the gradebook has the verdict in a graded folder."""
    _replace(folder / "digest.txt", f"{digest} {_RECORDED}")


def _put_alembic_on_path() -> None:
    """To make a gradebook nbgrader runs `alembic`, which lies beside this Python."""
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])


def _marks(folder: Path) -> list[str]:
    path = folder / "digest.txt"
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


def _as_json(verdict: Verdict) -> str:
    return json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str, mode: int | None = None) -> None:
    """Put a file in place so that it is either the old one or the new one, never half of it.

    nbgrader leaves its files read-only: they are replaced, not written to.
    """
    draft = path.with_name(f"{path.name}.new")
    if mode is not None:
        draft.touch(mode)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
