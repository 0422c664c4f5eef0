"""Grade all that is new or changed in a course folder: many workers, one writer.

Of a large class little is in memory at a time: a submission is read when a worker is about to
have it, and its verdict is written into files at once and forgotten when the gradebook has it.
"""

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from tqdm import tqdm

from autograder import engine
from autograder.course import Course, Submission
from autograder.daemon_threads import DaemonThreads
from autograder.errors import AutograderError
from autograder.grading import Graded, Verdict, grade
from autograder.recorder import ClassResult, Recorder
from autograder.sheets import Sheet


def grade_class(
    course: Course,
    sheets: list[Sheet],
    *,
    jobs: int,
    cluster: str | None = None,
    locked: bool = True,
    progress: bool = True,
    on_verdict: Callable[[Verdict], None] = lambda _: None,
) -> ClassResult:
    """Grade every submission to `sheets` that has no recorded verdict of just these bytes.

    However it ends, no finished verdict is lost: one that could not be recorded is recorded by
    the next run. Ctrl-C abandons what is being graded.

    Args:
        jobs: submissions graded at a time on this machine.
        cluster: address of a Dask scheduler; its workers grade, this process writes.
        locked: whether students' code is locked in a sandbox.
        progress: show a bar where stderr is a terminal.
        on_verdict: called with each verdict when it has been recorded.

    Raises:
        SandboxError: this machine cannot lock code in.
        AutograderError: another process grades this course, nbgrader refuses a sheet, or no
            scheduler answers.
        UsageError: the course has no folder of submissions.
    """
    by_name = {sheet.name: sheet for sheet in sheets}
    reader = _Reader(sheets, locked)
    submissions = course.submissions(list(by_name))
    if not submissions:
        return ClassResult()
    with course.locked():
        for name in sorted({submission.sheet for submission in submissions}):
            course.prepare(by_name[name])
        with Recorder(course, on_verdict) as recorder:
            todo = _sort_out(submissions, reader, recorder)
            if todo and cluster is None:
                engine.warm_up(locked=locked)  # or every submission would be told what is missing
            if todo:
                with (
                    _executor(jobs, cluster) as (executor, threads),
                    # None: where stderr is no terminal.
                    tqdm(total=len(todo), unit="submission", disable=not progress or None) as bar,
                ):
                    _grade(todo, reader, executor, threads, recorder, bar)
    return recorder.result


class _Reader:
    """Reads submissions, and says what a worker needs to grade them."""

    def __init__(self, sheets: list[Sheet], locked: bool) -> None:
        self._sheets = {sheet.name: (sheet.to_json(), sheet.files) for sheet in sheets}
        self._locked = locked

    def read(self, submission: Submission) -> tuple[str, tuple]:
        """The submission's digest, and the arguments of `grade_bytes`.

        Raises:
            AutograderError, OSError: it cannot be read, or is no longer there.
        """
        if not submission.folder.is_dir():
            raise AutograderError(f"{submission.folder} is no longer there")
        _ = submission.timestamp  # one that is none is refused before the work, not after it
        text, names = self._sheets[submission.sheet]
        data, files = submission.read(), submission.read_files(names)
        digest = submission.digest(text, data, files, locked=self._locked)
        return digest, (submission.sheet, text, data, submission.student, files, self._locked)


def _sort_out(
    submissions: list[Submission], reader: _Reader, recorder: Recorder
) -> deque[Submission]:
    """The submissions to be graded. Those that are only to be recorded go to the recorder."""
    todo: deque[Submission] = deque()
    for submission in submissions:
        try:
            digest, _ = reader.read(submission)
            if recorder.has(submission, digest):
                recorder.result.unchanged += 1
            elif not recorder.recover(submission, digest):
                todo.append(submission)
        except (AutograderError, OSError) as error:
            recorder.result.fail(submission, error)
        recorder.flush_if_due()
    return todo


def _grade(
    todo: deque[Submission],
    reader: _Reader,
    executor: Executor,
    threads: Callable[[], int],
    recorder: Recorder,
    bar: tqdm,
) -> None:
    running: dict[Future, tuple[Submission, str]] = {}
    try:
        while todo or running:
            # Twice as many as run at a time, so that no worker waits for this thread to write.
            while todo and len(running) < 2 * threads():
                submission = todo.popleft()
                try:
                    digest, arguments = reader.read(submission)
                except (AutograderError, OSError) as error:
                    recorder.result.fail(submission, error)
                    bar.update()
                else:
                    running[executor.submit(grade_bytes, *arguments)] = submission, digest
            finished, _ = wait(running, recorder.seconds_left(), FIRST_COMPLETED)
            for future in finished:
                _take(recorder, *running.pop(future), future)
                bar.set_postfix(failed=len(recorder.result.failed), refresh=False)
                bar.update()
            recorder.flush_if_due()
    finally:
        for future in running:
            future.cancel()  # interrupted: what has not begun need not


def _take(recorder: Recorder, submission: Submission, digest: str, future: Future) -> None:
    try:
        recorder.finish(submission, digest, Graded.from_json(future.result()))
    except Exception as error:
        # Whatever goes wrong with one submission is told of this one and costs the others nothing.
        recorder.result.fail(submission, error)


def grade_bytes(
    sheet_name: str,
    sheet_json: str,
    submission: bytes,
    student: str,
    files: dict[str, bytes] | None = None,
    locked: bool = True,
) -> str:
    """Bytes in, JSON out: what a worker does, wherever it runs."""
    sheet = _sheet(sheet_name, sheet_json)
    return grade(sheet, submission, student=student, files=files, locked=locked).to_json()


@functools.lru_cache(maxsize=32)
def _sheet(name: str, text: str) -> Sheet:
    """What is derived from a sheet is derived once, not for every submission."""
    return Sheet.from_json(name, text)


@contextlib.contextmanager
def _executor(jobs: int, cluster: str | None) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """A pool of threads, each of which waits for processes of its own, or Dask's executor.

    With it comes how many can run at a time, which on a cluster changes.
    """
    if cluster is None:
        with DaemonThreads(jobs) as pool:
            yield pool, lambda: jobs
        return
    from distributed import Client

    try:
        client = Client(cluster, timeout=10)
    except (OSError, ValueError) as error:
        raise AutograderError(f"no Dask scheduler answers at {cluster}: {error}") from error
    with client:
        yield client.get_executor(pure=False), lambda: sum(client.nthreads().values()) or 1
