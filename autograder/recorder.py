"""Verdicts on their way into the gradebook: finished in files, then recorded a batch at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from autograder.course import Course, Submission, mark_recorded
from autograder.errors import AutograderError
from autograder.gradebook import Entry, entry_of
from autograder.grading import Graded, Verdict
from autograder.plain_text import plain

# The gradebook is written when so many verdicts wait, or one of them has waited so long.
BATCH = 25
BATCH_SECONDS = 2.0

# What could not be written together is tried alone; 25 times the usual patience is too long.
_PATIENCE_ALONE_SECONDS = 1.0


@dataclass
class ClassResult:
    """What came of one run; the verdicts themselves are in the course folder.

    Args:
        graded: submissions graded and recorded.
        recovered: verdicts that an earlier run had finished, and this one recorded.
        unchanged: submissions that were left alone.
        failed: submissions without a recorded verdict, and what is wrong.
        flags: sheet, student and text of what a person should look at in new verdicts.
    """

    graded: int = 0
    recovered: int = 0
    unchanged: int = 0
    failed: list[tuple[Submission, str]] = field(default_factory=list)
    flags: list[tuple[str, str, str]] = field(default_factory=list)

    def fail(self, submission: Submission, error: Exception, what: str = "not graded") -> None:
        reason = str(error)
        if not isinstance(error, AutograderError | OSError):
            reason = f"{type(error).__name__}: {reason}"
        self.failed.append((submission, f"{what}: {reason}"))

    def flag_lines(self) -> list[str]:
        return [plain(f"{student}/{sheet}: {text}") for sheet, student, text in sorted(self.flags)]

    def failure_lines(self) -> list[str]:
        return [plain(f"{s.student}/{s.sheet}: {reason}") for s, reason in self.failed]


@dataclass(frozen=True)
class _Finished:
    submission: Submission
    digest: str
    verdict: Verdict
    entry: Entry
    is_new: bool


class Recorder:
    """Takes verdicts and tells the gradebook of them; leaving its context writes what waits."""

    def __init__(self, course: Course, on_verdict: Callable[[Verdict], None]) -> None:
        self.result = ClassResult()
        self._course = course
        self._on_verdict = on_verdict
        self._gradebook = course.gradebook()
        self._students: dict[str, set[str]] = {}
        self._waiting: list[_Finished] = []
        self._since = 0.0

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.flush()
        finally:
            self._gradebook.close()

    def has(self, submission: Submission, digest: str) -> bool:
        """Whether nothing is left to do for this submission."""
        sheet = submission.sheet
        if sheet not in self._students:
            self._students[sheet] = self._gradebook.students(sheet) or set()
        # A gradebook that was thrown away, or replaced by an older copy, is filled again.
        in_gradebook = submission.student in self._students[sheet]
        return in_gradebook and self._course.is_recorded(submission, digest)

    def recover(self, submission: Submission, digest: str) -> bool:
        """Take the verdict that an earlier run finished; False where there is none to take."""
        if not self._course.is_finished(submission, digest):
            return False
        try:
            self._take(submission, digest, self._course.finished(submission), is_new=False)
        except Exception:
            return False  # whatever is wrong with the files: grading again makes them anew
        return True

    def finish(self, submission: Submission, digest: str, graded: Graded) -> None:
        """Take a new verdict: its files are written at once, the gradebook when `flush` is due."""
        self._course.finish(submission, graded, digest)
        self._take(submission, digest, graded, is_new=True)

    def _take(self, submission: Submission, digest: str, graded: Graded, *, is_new: bool) -> None:
        entry = entry_of(submission.student, submission.sheet, submission.timestamp, graded)
        if not self._waiting:
            self._since = monotonic()
        self._waiting.append(_Finished(submission, digest, graded.verdict, entry, is_new))

    def seconds_left(self) -> float | None:
        """Until a flush is due; None where nothing waits."""
        if not self._waiting:
            return None
        if len(self._waiting) >= BATCH:
            return 0.0
        return max(0.0, self._since + BATCH_SECONDS - monotonic())

    def flush_if_due(self) -> None:
        if self.seconds_left() == 0.0:
            self.flush()

    def flush(self) -> None:
        """Write what waits into the gradebook: together, or where that fails one by one.

        What cannot be written costs the others nothing, and stays finished for the next run.
        """
        together = self._written_together()
        while self._waiting:
            finished = self._waiting[0]
            submission = finished.submission
            folder = self._course.graded_folder(submission.student, submission.sheet)
            try:
                if not together:
                    self._gradebook.write([finished.entry], _PATIENCE_ALONE_SECONDS)
                mark_recorded(folder, finished.digest)
            except Exception as error:
                self._waiting.pop(0)
                self.result.fail(submission, error, "graded, but only the next run can record it")
            else:
                self._waiting.pop(0)
                self._count(finished)
                self._on_verdict(finished.verdict)

    def _written_together(self) -> bool:
        if not self._waiting:
            return True
        try:
            self._gradebook.write(finished.entry for finished in self._waiting)
        except Exception:
            return False  # which of them is to blame, and why, comes out when they are alone
        return True

    def _count(self, finished: _Finished) -> None:
        if not finished.is_new:
            self.result.recovered += 1
            return
        self.result.graded += 1
        sheet, student = finished.submission.sheet, finished.submission.student
        for flag in finished.verdict["flags"]:
            self.result.flags.append((sheet, student, f"{flag['kind']}: {flag['detail']}"))
