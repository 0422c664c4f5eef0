"""The first process of a sandbox: warm, single-threaded, never runs a student's code itself.

It has imported what sheets need. For every submission it forks a kernel, the first process of a PID
namespace, watches what the kernel uses, and ends it: with it ends, by the system's own rule,
everything that the kernel started.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NoReturn

import psutil
import torch

from autograder.student_side import confinement, control, kernel, shell
from autograder.student_side.forking import settle
from autograder.student_side.limits import Limits

_WATCH_SECONDS = 0.1
_DYING_SECONDS = 1.0

# Some of what is ended starts others meanwhile.
_ROUNDS = 10


def main() -> None:
    """Serve the control socket, whose descriptor is the only argument, until it closes."""
    grader = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the grader's to end this
    confinement.adopt_orphans()  # without a lock no namespace ends them
    torch.set_num_threads(1)
    notebook = shell.Notebook()
    settle()
    control.send(grader, {"ready": True})
    warden = _Warden(grader, notebook)
    try:
        warden.serve()
    finally:
        warden.end()
    os._exit(0)  # Python would take a second to forget what it has imported


class _Submission:
    """One kernel, and the grader's socket, on which its end is asked for and answered.

    `ending`: why the kernel ended, or had to be ended, before it was asked for: "memory",
    "processes", "cpu", "signal 11", "exit 3"; or "". `patience`: until when a kernel that the
    grader believes dead may die by itself. `scratch`: where a kernel without a lock works; a
    locked one makes a folder of its own, which ends with it. `children`: of one without a lock,
    that had to be killed.
    """

    def __init__(
        self,
        kernel: int,
        grader: socket.socket,
        limits: Limits,
        scratch: tempfile.TemporaryDirectory | None,
    ) -> None:
        self.kernel = kernel
        self.process = os.pidfd_open(kernel)
        self.grader = grader
        self.limits = limits
        self.scratch = scratch
        self.ending = ""
        self.patience: float | None = None
        self.is_asked = self.is_killed = self.is_over = False
        self.children: list[psutil.Process] = []

    def kill(self) -> None:
        """End the kernel, where it has not ended yet."""
        self.is_killed = True
        if self.is_over:
            return
        if self.scratch is not None:  # without a lock its children do not end with it
            os.kill(self.kernel, signal.SIGSTOP)
            for _ in range(_ROUNDS):
                family = _families([self])[self.kernel]
                children = [process for process in family if process.pid != self.kernel]
                if not children:
                    break
                _kill(children)
                self.children += children
        os.kill(self.kernel, signal.SIGKILL)

    def bury(self) -> None:
        """Note how the kernel ended."""
        _, status, used = os.wait4(self.kernel, 0)
        self.is_over = True
        if not self.is_killed:
            self.ending = _how_it_ended(status, used.ru_utime + used.ru_stime, self.limits)

    def answer(self) -> None:
        """Tell the grader; this is the last of it."""
        if self.scratch is not None:
            self.scratch.cleanup()
        with contextlib.suppress(OSError):
            control.send(self.grader, {"ended": self.ending})
        self.grader.close()
        os.close(self.process)


class _Warden:
    """Waits for the grader and for all kernels at once, and for none of them alone."""

    def __init__(self, grader: socket.socket, notebook: shell.Notebook) -> None:
        self._grader = grader
        self._notebook = notebook
        self._poll = select.poll()
        self._poll.register(grader, select.POLLIN)
        self._submissions: list[_Submission] = []
        # By the descriptors on which something is still to be heard of them.
        self._awaited: dict[int, _Submission] = {}

    def serve(self) -> None:
        """Until the grader is gone."""
        last_look = 0.0
        while True:
            patience = 1000 * _WATCH_SECONDS if self._submissions else None
            ready = [descriptor for descriptor, _ in self._poll.poll(patience)]
            for descriptor in ready:
                if descriptor in self._awaited:
                    self._hear(descriptor)
            # Last, since what it opens gets the numbers of what was closed just now.
            if self._grader.fileno() in ready:
                try:
                    settings, files = control.receive(self._grader)
                except (EOFError, ConnectionError):
                    return
                self._begin(settings, files)
            if time.monotonic() - last_look >= _WATCH_SECONDS:
                self._look()
                last_look = time.monotonic()

    def end(self) -> None:
        """End what still runs."""
        _kill(psutil.Process().children(recursive=True))
        for submission in self._submissions:
            submission.answer()

    def _begin(self, settings: dict[str, Any], files: list[int]) -> None:
        channel, calls, watch = files
        grader = socket.socket(fileno=watch)
        try:
            submission = self._fork(settings, channel, calls, grader)
        except OSError:  # the machine has no room for it; the grader sees its sockets close
            grader.close()
        else:
            self._submissions.append(submission)
            for descriptor in (submission.process, watch):
                self._awaited[descriptor] = submission
                self._poll.register(descriptor, select.POLLIN)
        os.close(channel)
        os.close(calls)

    def _fork(
        self, settings: dict[str, Any], channel: int, calls: int, grader: socket.socket
    ) -> _Submission:
        scratch, fork = None, confinement.fork_as_first_process
        if not settings["locked"]:
            scratch = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
            settings["scratch"] = scratch.name
            fork = os.fork
        child = fork()
        if child == 0:
            self._become_kernel(settings, channel, calls)
        return _Submission(child, grader, Limits(**settings["limits"]), scratch)

    def _become_kernel(self, settings: dict[str, Any], channel: int, calls: int) -> NoReturn:
        try:
            _close_all_but(channel, calls)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            kernel.run(settings, channel, calls, self._notebook)
        finally:
            os._exit(70)

    def _hear(self, descriptor: int) -> None:
        submission = self._awaited.pop(descriptor)
        self._poll.unregister(descriptor)
        if descriptor == submission.process:
            submission.bury()
        else:
            submission.is_asked = True
            # Its sockets close before a process is gone: where the grader saw that, wait for it.
            if _read(submission.grader) == control.STOP_DEAD and not submission.is_over:
                submission.patience = time.monotonic() + _DYING_SECONDS
            else:
                submission.kill()
        self._finish_if_over(submission)

    def _look(self) -> None:
        """End what uses too much, or has had its time to die."""
        families = _families(self._submissions)
        for submission in list(self._submissions):
            family = families[submission.kernel]
            if not submission.is_killed and not submission.is_over:
                submission.ending = _excess(family, submission.limits)
                if submission.ending or _is_past(submission.patience):
                    submission.kill()
            self._finish_if_over(submission)

    def _finish_if_over(self, submission: _Submission) -> None:
        if not (submission.is_asked and submission.is_over):
            return
        if submission.scratch is not None:
            self._reap_orphans()
            if any(process.is_running() for process in submission.children):
                return  # until the next look
        self._submissions.remove(submission)
        submission.answer()

    def _reap_orphans(self) -> None:
        kernels = [submission.kernel for submission in self._submissions]
        for process in psutil.Process().children():
            if process.pid not in kernels:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)


def _close_all_but(first: int, second: int) -> None:
    """Close other submissions' descriptors and the grader's; Python's own three stay open."""
    low, high = sorted((first, second))
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))


def _read(grader: socket.socket) -> bytes:
    try:
        return grader.recv(1)
    except ConnectionError:
        return b""  # the grader is gone


def _is_past(moment: float | None) -> bool:
    return moment is not None and time.monotonic() > moment


def _how_it_ended(status: int, seconds: float, limits: Limits) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit {code}"
    # Where the first signal is caught, the second cannot be.
    by_limit = -code in (signal.SIGXCPU, signal.SIGKILL)
    return "cpu" if by_limit and seconds >= int(limits.cpu_seconds) else f"signal {-code}"


def _families(submissions: list[_Submission]) -> dict[int, list[psutil.Process]]:
    """By each kernel, itself and what it started, as far as that has not ended."""
    families: dict[int, list[psutil.Process]] = {each.kernel: [] for each in submissions}
    parents: dict[int, int] = {}
    processes = psutil.Process().children(recursive=True) if submissions else []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            parents[process.pid] = process.ppid()
    for process in processes:
        pid = process.pid
        while pid in parents and pid not in families:
            pid = parents[pid]
        with contextlib.suppress(psutil.Error):
            if pid in families and process.status() != psutil.STATUS_ZOMBIE:
                families[pid].append(process)
    return families


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _excess(family: list[psutil.Process], limits: Limits) -> str:
    """What a kernel and its children together use too much of."""
    if len(family) > limits.processes:
        return "processes"
    # Cheap, and too high by what the processes share; the exact number is dear.
    if _sum(family, lambda process: process.memory_info().rss) <= limits.memory_bytes:
        return ""
    exact = _sum(family, lambda process: process.memory_full_info().pss)
    return "memory" if exact > limits.memory_bytes else ""


def _sum(processes: list[psutil.Process], measure: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += measure(process)
    return total
