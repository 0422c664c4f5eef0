"""Where examiners come from: one process with torch imported, which forks one a submission."""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from autograder.errors import AutograderError
from autograder.student_side import control

# Importing with a garbage collector takes a third longer.
_MAIN = "import gc; gc.disable(); from autograder.examiner import main; main()"

# Importing torch from a cold disk takes a while.
_START_SECONDS = 120


class ExaminerError(AutograderError):
    """The process that runs the tests ended by itself, or could not be started."""


class _Server:
    """The process that examiners are forked from; started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def ensure_running(self) -> socket.socket:
        """Start the process where it does not run, without waiting for it to be ready."""
        if self._control is None or self._process is None or self._process.poll() is not None:
            self.close()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _MAIN, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the grader, which ends this in its turn
                )
            self._control.settimeout(_START_SECONDS)
        return self._control

    def start(self) -> None:
        with self._lock:
            self.ensure_running()

    def fork(self, channel: socket.socket, calls: socket.socket) -> int:
        """Fork an examiner that gets these two sockets; returns its process id."""
        with self._lock:
            server = self.ensure_running()
            try:
                control.send(server, {}, (channel.fileno(), calls.fileno()))
                return int(control.receive(server)[0]["started"])
            except (EOFError, OSError) as error:
                self.close()
                raise ExaminerError(
                    "cannot start a process to run the tests in. Does "
                    f"'{sys.executable} -c \"import autograder.examiner\"' run without an error?"
                ) from error

    def kill(self, examiner: int) -> None:
        with self._lock, contextlib.suppress(OSError):
            control.send(self.ensure_running(), {"kill": examiner})

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)  # and examiners at work
            self._process.wait()
        self._control = self._process = None


_server = _Server()


def start() -> None:
    """Start what examiners are forked from, so that it is ready when one is needed."""
    _server.start()


@contextlib.contextmanager
def started(request: dict[str, Any], calls: socket.socket) -> Iterator[socket.socket]:
    """A new examiner at work on a request, and the channel from which its reports come.

    Raises:
        ExaminerError: none can be started, or it ended before it had its request.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            examiner = _server.fork(theirs, calls)
        try:
            control.send(ours, request)
            yield ours
        except OSError as error:
            raise ExaminerError(f"the process that runs the tests ended: {error}") from error
        finally:
            # Only the server, which is its parent, can kill it without hitting another process.
            _server.kill(examiner)
