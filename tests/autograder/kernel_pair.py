"""A student's kernel in a thread and the examiner's view of it, without a sandbox: fast."""

import contextlib
import socket
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from autograder.remote import Student
from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.serving import Server
from autograder.student_side.shell import put_in_order

# Far longer than any test takes.
_SECONDS = 60


@contextlib.contextmanager
def student(source: str, limits: Limits = Limits()) -> Iterator[Student]:  # noqa: B008
    """The student whose notebook is this source."""
    namespace: dict = {"__name__": "__main__"}
    exec(textwrap.dedent(source), namespace)
    with student_of(namespace, limits) as found:
        yield found


@contextlib.contextmanager
def student_of(namespace: dict, limits: Limits = Limits()) -> Iterator[Student]:  # noqa: B008
    """The student whose notebook, run, is this namespace."""
    ours, theirs = socket.socketpair()
    here = Path.cwd()
    server = Server(theirs, namespace, limits, lambda: put_in_order(here))
    thread = threading.Thread(target=server.serve)
    thread.start()
    found = Student(ours, limits)
    found.server = server
    found.cell_deadline = found.submission_deadline = time.monotonic() + _SECONDS
    try:
        yield found
    finally:
        ours.close()
        thread.join()
        theirs.close()


@contextlib.contextmanager
def hostile(answers: Iterator | list, limits: Limits = Limits()) -> Iterator[Student]:  # noqa: B008
    """A student whose kernel gives these answers, whatever it is asked.

    Args:
        answers: messages, or pairs of a message and its raw bytes, or bytes to write as they are.
    """
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(EOFError, OSError), theirs:
            wire.receive(theirs, Limits())
            for answer in answers:
                if isinstance(answer, bytes):
                    theirs.sendall(answer)
                    continue
                message, blobs = answer if isinstance(answer, tuple) else (answer, [])
                wire.send(theirs, message, blobs)
                wire.receive(theirs, Limits())

    thread = threading.Thread(target=serve)
    thread.start()
    found = Student(ours, limits)
    found.cell_deadline = found.submission_deadline = time.monotonic() + _SECONDS
    try:
        yield found
    finally:
        ours.close()
        thread.join()
