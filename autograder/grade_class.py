"""Grade all that is new or changed in a course folder: many workers, one writer."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from tqdm import tqdm

from autograder.course import Course, Submission, digest_of
from autograder.errors import AutograderError
from autograder.grading import Graded, Verdict, grade
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
    with course.locked():
        submissions = course.submissions(list(by_name))
        for name in sorted({submission.sheet for submission in submissions}):
            course.prepare(by_name[name])
        waiting = []
        for submission in submissions:
            data = submission.read()
            digest = digest_of(texts[submission.sheet], data)
            if course.is_graded(submission, digest):
                result.unchanged += 1
            else:
                waiting.append((submission, data, digest))
        with (
            _executor(jobs, cluster) as executor,
            tqdm(total=len(waiting), unit="submission", disable=None if progress else True) as bar,
        ):
            futures = {
                executor.submit(grade_bytes, s.sheet, texts[s.sheet], data, s.student): (s, digest)
                for s, data, digest in waiting
            }
            for future in as_completed(futures):
                submission, digest = futures[future]
                try:
                    graded = Graded.from_json(future.result())
                    course.record(submission, graded, digest)
                except (AutograderError, OSError) as error:
                    result.failed.append((submission, str(error)))
                else:
                    result.verdicts.append(graded.verdict)
                    on_verdict(graded.verdict)
                bar.set_postfix(failed=len(result.failed), refresh=False)
                bar.update()
    return result


def grade_bytes(sheet_name: str, sheet_json: str, submission: bytes, student: str) -> str:
    """Bytes in, JSON out: what a worker does, wherever it runs."""
    return grade(Sheet.from_json(sheet_name, sheet_json), submission, student=student).to_json()


def _executor(jobs: int, cluster: str | None) -> Executor:
    """A pool of threads, each of which waits for a process of its own, or Dask's executor."""
    if cluster is None:
        return ThreadPoolExecutor(jobs)
    from distributed import Client

    try:
        return Client(cluster, timeout=10).get_executor(pure=False)
    except OSError as error:
        raise AutograderError(f"no Dask scheduler answers at {cluster}: {error}") from error


def waiting_lines(result: ClassResult) -> Iterator[str]:
    """One line for each submission that a person should look at."""
    for verdict in sorted(result.verdicts, key=lambda v: (v["sheet"], v["student"])):
        for flag in verdict["flags"]:
            yield f"{verdict['student']}/{verdict['sheet']}: {flag['kind']}: {flag['detail']}"
    for submission, reason in result.failed:
        yield f"{submission.student}/{submission.sheet}: not graded: {reason}"
