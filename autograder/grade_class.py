"""Grade all that is new or changed in a course folder: many workers, one writer."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from tqdm import tqdm

from autograder.course import Course, Submission
from autograder.errors import AutograderError
from autograder.grading import Graded, Verdict, grade
from autograder.plain_text import plain
from autograder.sheets import Sheet


@dataclass
class ClassResult:
    """What came of one run: new verdicts, submissions left alone, and what could not be graded."""

    verdicts: list[Verdict] = field(default_factory=list)
    unchanged: int = 0
    failed: list[tuple[Submission, str]] = field(default_factory=list)


def grade_class(
    course: Course,
    sheets: list[Sheet],
    *,
    jobs: int,
    cluster: str | None = None,
    progress: bool = True,
    on_verdict: Callable[[Verdict], None] = lambda _: None,
) -> ClassResult:
    """Grade every submission to `sheets` whose bytes or whose sheet changed since its verdict.

    Args:
        jobs: submissions graded at a time on this machine.
        cluster: address of a Dask scheduler; its workers grade, this process writes.
        on_verdict: called with each verdict as it is recorded.
    """
    result = ClassResult()
    by_name = {sheet.name: sheet for sheet in sheets}
    texts = {sheet.name: sheet.to_json() for sheet in sheets}
    submissions = course.submissions(list(by_name))
    with course.locked():
        for name in sorted({submission.sheet for submission in submissions}):
            course.prepare(by_name[name])
        waiting = list(_waiting(course, submissions, texts, result))
        with (
            _executor(jobs, cluster) as executor,
            tqdm(total=len(waiting), unit="submission", disable=None if progress else True) as bar,
        ):
            futures = {
                executor.submit(grade_bytes, s.sheet, texts[s.sheet], data, s.student): (s, digest)
                for s, data, digest in waiting
            }
            waiting.clear()
            try:
                for future in as_completed(futures):
                    # Not kept: results of a large class do not fit in memory together.
                    submission, digest = futures.pop(future)
                    verdict = _recorded(course, submission, digest, future, result)
                    if verdict:
                        on_verdict(verdict)
                    bar.set_postfix(failed=len(result.failed), refresh=False)
                    bar.update()
            finally:
                for future in futures:
                    future.cancel()  # interrupted: what has not begun need not
    return result


def _waiting(
    course: Course, submissions: list[Submission], texts: dict[str, str], result: ClassResult
) -> Iterator[tuple[Submission, bytes, str]]:
    """Submissions without a verdict of just these bytes, with the bytes and their digest."""
    for submission in submissions:
        try:
            data = submission.read()
            digest = submission.digest(texts[submission.sheet], data)
            if course.is_graded(submission, digest):
                result.unchanged += 1
                continue
            _ = submission.timestamp  # before the work, not after it
        except (AutograderError, OSError) as error:
            result.failed.append((submission, str(error)))
        else:
            yield submission, data, digest


def _recorded(
    course: Course, submission: Submission, digest: str, future: Future, result: ClassResult
) -> Verdict | None:
    """The verdict, written into the course; None where it could not be had or written.

    Whatever goes wrong with one submission is told of this one and costs the others nothing.
    """
    try:
        graded = Graded.from_json(future.result())
        course.record(submission, graded, digest)
    except (AutograderError, OSError) as error:
        result.failed.append((submission, str(error)))
    except Exception as error:
        result.failed.append((submission, f"{type(error).__name__}: {error}"))
    else:
        result.verdicts.append(graded.verdict)
        return graded.verdict
    return None


def grade_bytes(sheet_name: str, sheet_json: str, submission: bytes, student: str) -> str:
    """Bytes in, JSON out: what a worker does, wherever it runs."""
    return grade(Sheet.from_json(sheet_name, sheet_json), submission, student=student).to_json()


@contextlib.contextmanager
def _executor(jobs: int, cluster: str | None) -> Iterator[Executor]:
    """A pool of threads, each of which waits for a process of its own, or Dask's executor."""
    if cluster is None:
        with ThreadPoolExecutor(jobs) as pool:
            yield pool
        return
    from distributed import Client

    try:
        client = Client(cluster, timeout=10)
    except (OSError, ValueError) as error:
        raise AutograderError(f"no Dask scheduler answers at {cluster}: {error}") from error
    with client:
        yield client.get_executor(pure=False)


def waiting_lines(result: ClassResult) -> Iterator[str]:
    """One line for each submission that a person should look at."""
    for verdict in sorted(result.verdicts, key=lambda v: (v["sheet"], v["student"])):
        for flag in verdict["flags"]:
            yield plain(
                f"{verdict['student']}/{verdict['sheet']}: {flag['kind']}: {flag['detail']}"
            )
    for submission, reason in result.failed:
        yield plain(f"{submission.student}/{submission.sheet}: not graded: {reason}")
