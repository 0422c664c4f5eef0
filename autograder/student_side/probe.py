"""What a confined process must not be able to do, tried out."""

import contextlib
import ctypes
import os
import socket
from collections.abc import Callable
from pathlib import Path

from autograder.student_side.confinement import SCRATCH, capabilities

_UNSHARE_USER = 0x10000000


def violations(hidden: list[str]) -> list[str]:
    """Try everything; returns what could be done although it must not, in words.

    Run in a confined process; an empty list means that the lock holds as far as can be seen.

    Args:
        hidden: paths of the machine that must not be there.
    """
    attempts: dict[str, Callable[[], object]] = {
        "open an internet socket": lambda: socket.socket(socket.AF_INET),
        "open a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "run another program": _run_program,
        "make a namespace": lambda: _system("unshare", _UNSHARE_USER),
        "trace a process": lambda: _system("ptrace", 16, 1, 0, 0),
        "make a mount": lambda: _system("mount", b"x", bytes(SCRATCH), b"tmpfs", 0, b""),
        "read about processes": Path("/proc/self").stat,
        # What libraries left in the scratch folder of the process that this one was forked from.
        "see a scratch folder of others": Path(os.environ["MPLCONFIGDIR"]).stat,
        "write beside the scratch folder": lambda: Path("/probe").touch(),
        "write into the Python environment": lambda: Path(os.__file__).touch(),
        "write into the course's code": lambda: Path(__file__).touch(),
        "become root": lambda: os.setuid(0),
        "change the limits of another process": lambda: _system("prlimit", 1, 7, None, None),
        "keep rights of root": _has_rights,
    }
    attempts |= {f"see {path}": Path(path).stat for path in hidden}
    return [deed for deed, attempt in attempts.items() if _succeeds(attempt)]


def _succeeds(attempt: Callable[[], object]) -> bool:
    with contextlib.suppress(OSError):
        attempt()
        return True
    return False


def _run_program() -> None:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.execv("/proc/self/exe", ["python", "-c", ""])
        with contextlib.suppress(OSError):
            os.execv("/usr/bin/env", ["env", "true"])
        os._exit(77)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77:
        raise PermissionError("execve")


def _has_rights() -> None:
    if capabilities() == 0:
        raise PermissionError("no capabilities")


def _system(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)
