"""The first process of a sandbox: warm, single-threaded, never runs a student's code itself.

It has imported what sheets need. For every submission it forks a guard, which forks the
submission's kernel as the first process of a PID namespace, watches what the kernel uses, and ends
it: with it ends, by the system's own rule, everything that the kernel started.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import psutil
import torch

from autograder.student_side import control, kernel, shell
from autograder.student_side.confinement import new_pid_namespace
from autograder.student_side.limits import Limits

_WATCH_SECONDS = 0.1
_DYING_SECONDS = 1.0
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Serve the control socket, whose descriptor is the only argument, until it closes."""
    grader = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the grader's to end this
    torch.set_num_threads(1)
    notebook = shell.Notebook()
    gc.collect()
    gc.freeze()  # so that no kernel copies pages only to look for garbage in them
    control.send(grader, {"ready": True})
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            settings, files = control.receive(grader)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            if os.fork() == 0:
                grader.close()
                _leave(_guard, settings, files, notebook)
            for descriptor in files:
                os.close(descriptor)


def _leave(function: Callable[..., object], *arguments: Any) -> NoReturn:
    """Call a function and end this process, whatever happens."""
    try:
        function(*arguments)
    finally:
        os._exit(70)


def _guard(settings: dict[str, Any], files: list[int], notebook: shell.Notebook) -> None:
    """Fork the kernel of one submission and watch over it until the grader says stop."""
    channel, calls, watch = files
    ending = ""
    with socket.socket(fileno=watch) as grader:
        with _scratch(settings) as folder:
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            if settings["locked"]:
                new_pid_namespace()
            child = os.fork()
            if child == 0:
                grader.detach()
                os.close(watch)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                _leave(kernel.run, settings | {"scratch": folder}, channel, calls, notebook)
            os.close(channel)
            os.close(calls)
            try:
                ending = _watch(grader, child, Limits(**settings["limits"]))
            finally:
                _end_all()
        with contextlib.suppress(OSError):
            control.send(grader, {"ended": ending})


@contextlib.contextmanager
def _scratch(settings: dict[str, Any]) -> Iterator[str]:
    """A folder for the submission; a confined kernel makes its own, which ends with it."""
    if settings["locked"]:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as folder:
        yield folder


def _watch(grader: socket.socket, child: int, limits: Limits) -> str:
    """Wait until the grader says stop, or is gone; end the kernel where it uses too much.

    Returns: why the kernel ended before that: "memory", "processes", "cpu", "signal 11",
        "exit 3"; or "".
    """
    process, stop = os.pidfd_open(child), grader.fileno()
    while True:
        ready, _, _ = select.select([stop, process], [], [], _WATCH_SECONDS)
        if process in ready:
            ending = _how_it_ended(child, limits)
            break
        if stop in ready:
            # Its sockets close before a process is gone: where the grader saw that, wait for it.
            dying = grader.recv(1) == control.STOP_DEAD
            ended = dying and select.select([process], [], [], _DYING_SECONDS)[0]
            return _how_it_ended(child, limits) if ended else ""
        ending = _excess(limits)
        if ending:
            break
    _end_all()
    select.select([stop], [], [])
    return ending


def _how_it_ended(child: int, limits: Limits) -> str:
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit {code}"
    # Where the first signal is caught, the second cannot be.
    by_limit = -code in (signal.SIGXCPU, signal.SIGKILL)
    used_up = used.ru_utime + used.ru_stime >= int(limits.cpu_seconds)
    return "cpu" if by_limit and used_up else f"signal {-code}"


def _excess(limits: Limits) -> str:
    """What the kernel and its children together use too much of."""
    processes = psutil.Process().children(recursive=True)
    if len(processes) > limits.processes:
        return "processes"
    # Cheap, and too high by what the processes share; the exact number is dear.
    if _sum(processes, lambda process: process.memory_info().rss) <= limits.memory_bytes:
        return ""
    exact = _sum(processes, lambda process: process.memory_full_info().pss)
    return "memory" if exact > limits.memory_bytes else ""


def _sum(processes: list[psutil.Process], measure: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += measure(process)
    return total


def _end_all() -> None:
    """End every process that the submission started, and wait until they are gone."""
    while True:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
