"""The sandbox in which students' code runs.

It is a process with torch imported, locked in by bubblewrap, from which a kernel is forked for
every submission (`autograder.student_side`). Without a lock it is the same process, with the
rights of whoever grades.
"""

import atexit
import contextlib
import itertools
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from autograder import bubblewrap
from autograder.errors import AutograderError
from autograder.repository import REPOSITORY
from autograder.student_side import control, system_calls
from autograder.student_side.limits import Limits

LOCKED, UNLOCKED = "bubblewrap", "none"

# Importing torch from a cold disk takes a while.
_START_SECONDS = 120

# Ending a submission's processes takes milliseconds; where it does not, the whole sandbox ends.
_STOP_SECONDS = 15

# A sandbox ends at once when it is told to.
_END_SECONDS = 5

# Ids that no account has: above those of people, below those that systemd gives out.
_FIRST_USER, _USERS = 60_600, 500

_numbers = itertools.count()

# Importing with a garbage collector takes a third longer.
_MAIN = """
import gc, sys
gc.disable()
sys.path.insert(0, {!r})
from autograder.student_side.warden import main
main()
"""


class SandboxError(AutograderError):
    """This machine cannot lock students' code in, or a sandbox ended by itself."""


class Kernel:
    """A student's kernel in a sandbox, from its start to its end.

    `channel` leads to the kernel: see `student_side.kernel`.
    """

    def __init__(self, channel: socket.socket, warden: socket.socket) -> None:
        self.channel = channel
        self._warden = warden

    def stop(self, *, dead: bool = False) -> str:
        """End everything that the submission started; returns why the kernel had ended already.

        Args:
            dead: the kernel does not answer any more; its end may not be complete.

        Returns: "memory", "processes", "cpu", "signal 11", "exit 3", or "" where it had not.

        Raises:
            SandboxError: the sandbox is gone, or does not answer.
        """
        self.channel.close()
        self._warden.settimeout(_STOP_SECONDS)
        with self._warden:
            try:
                self._warden.sendall(control.STOP_DEAD if dead else control.STOP)
                return str(control.receive(self._warden)[0]["ended"])
            except (EOFError, OSError) as error:
                raise SandboxError("a submission's sandbox has ended by itself") from error


class Sandbox:
    """One warm process and what is locked in with it; kernels are forked from it."""

    def __init__(self, *, locked: bool) -> None:
        self.locked = locked
        self._is_ready = False
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = self._start(theirs.fileno())
        except BaseException:
            self._control.close()
            self._errors.close()
            raise

    def wait_until_ready(self) -> None:
        """Wait for the first process, and try whether the lock holds; nothing where that is done.

        Raises:
            SandboxError: it does not, or the process cannot be started; nothing is run then.
        """
        if self._is_ready:
            return
        self._control.settimeout(_START_SECONDS)
        try:
            control.receive(self._control)
        except (EOFError, OSError) as error:
            raise SandboxError(
                f"a sandbox does not start: {self._complaint()}\n"
                "'autograder doctor' says what this machine lacks"
            ) from error
        if self.locked:
            self._probe()
        self._is_ready = True

    def start_kernel(
        self, limits: Limits, calls: socket.socket, *, probe: list[str] | None = None
    ) -> Kernel:
        """Fork a kernel for one submission.

        Args:
            calls: the kernel's end of the socket to the examiner.
            probe: only try whether the lock holds, and whether these paths are hidden.

        Raises:
            SandboxError: the sandbox is gone.
        """
        root = self.locked and os.geteuid() == 0
        settings = {
            "limits": asdict(limits),
            "locked": self.locked,
            # Another for each, since the system counts a user's processes.
            "user": _FIRST_USER + next(_numbers) % _USERS if root else None,
            "probe": probe,
        }
        channel, for_kernel = socket.socketpair()
        warden, for_warden = socket.socketpair()
        files = (for_kernel.fileno(), calls.fileno(), for_warden.fileno())
        with for_kernel, for_warden:
            try:
                with self._lock:
                    control.send(self._control, settings, files)
            except OSError as error:
                channel.close()
                warden.close()
                raise SandboxError(f"the sandbox has ended: {self._complaint()}") from error
        return Kernel(channel, warden)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the sandbox and everything in it."""
        self._control.close()  # the sign to end
        if not self._is_ready:
            self._kill()  # it does not look for signs yet
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._errors.close()

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        course = str(bubblewrap.COURSE if self.locked else REPOSITORY)
        inside = [sys.executable, "-P", "-B", "-c", _MAIN.format(course), str(descriptor)]
        files: list[int] = []
        environment = _environment()
        if self.locked:
            inside, files = bubblewrap.command(_program(), inside)
        try:
            return subprocess.Popen(
                inside,
                env=environment,
                pass_fds=[descriptor, *files],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                start_new_session=True,  # Ctrl-C is for the grader, which ends this in its turn
            )
        finally:
            for file in files:
                os.close(file)

    def _kill(self) -> None:
        if self.is_alive():
            os.killpg(self._process.pid, signal.SIGKILL)

    def _probe(self) -> None:
        ours, theirs = socket.socketpair()
        hidden = [REPOSITORY / "solutions", REPOSITORY / "README.md", Path.home() / ".bashrc"]
        with ours, theirs:
            kernel = self.start_kernel(Limits(), theirs, probe=[str(path) for path in hidden])
        with kernel.channel.makefile("rb") as file:
            said = json.loads(file.readline() or b"{}")
        ended = kernel.stop()
        if "failed" in said or "violations" not in said:
            raise SandboxError(f"cannot lock a process in: {said.get('failed') or ended}")
        if said["violations"]:
            raise SandboxError(
                "the lock does not hold on this machine: a student's code can "
                f"{', '.join(said['violations'])}"
            )

    def _complaint(self) -> str:
        """The last words of the process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self._process.returncode}"


def _environment() -> dict[str, str]:
    own = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    given = {name: os.environ[name] for name in own if name in os.environ}
    threads = {k: v for k, v in bubblewrap.ENVIRONMENT.items() if k.endswith("_NUM_THREADS")}
    return given | threads


def _program() -> str:
    why = unable()
    program = bubblewrap.find_bubblewrap()
    if why or program is None:
        raise SandboxError(
            f"this machine cannot lock students' code in: {why or 'no bubblewrap'}. "
            "'autograder doctor' says more. --no-sandbox grades without a lock: "
            "only people you trust."
        )
    return program


def unable() -> str:
    """Why this machine cannot lock code in, as far as can be said without trying; or ""."""
    if sys.platform != "linux":
        return f"it needs Linux, this is {platform.system()}"
    if not system_calls.is_supported():
        return f"system calls of {platform.machine()} are not known"
    return ""


class _Current:
    """The sandboxes of this process: at most one that locks and one that does not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[bool, Sandbox] = {}
        atexit.register(self.close)

    def get(self, *, locked: bool) -> Sandbox:
        with self._lock:
            found = self._started(locked=locked)
            try:
                found.wait_until_ready()
            except BaseException:
                del self._running[locked]
                found.close()
                raise
            return found

    def start(self, *, locked: bool) -> None:
        with self._lock:
            self._started(locked=locked)

    def _started(self, *, locked: bool) -> Sandbox:
        found = self._running.get(locked)
        if found is None or not found.is_alive():
            if found is not None:
                found.close()
            found = self._running[locked] = Sandbox(locked=locked)
        return found

    def close(self) -> None:
        """End them all."""
        with self._lock:
            for found in self._running.values():
                found.close()
            self._running.clear()


_current = _Current()


def start(*, locked: bool) -> None:
    """Start the sandbox of this process where it does not run yet, without waiting for it.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    _current.start(locked=locked)


def require(*, locked: bool) -> None:
    """Start the sandbox of this process where it does not run yet, and wait for it.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    _current.get(locked=locked)


def start_kernel(limits: Limits, calls: socket.socket, *, locked: bool) -> Kernel:
    """A new kernel for one submission, in the sandbox of this process: see `Sandbox`.

    Raises:
        SandboxError: this machine cannot lock code in.
    """
    return _current.get(locked=locked).start_kernel(limits, calls)
