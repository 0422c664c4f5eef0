"""What a kernel does to itself before it runs a line of a student's code.

It was forked in a sandbox that has namespaces of its own (bubblewrap made them), with the rights to
set up more. The kernel takes namespaces and a scratch folder of its own, so that nothing of one
submission meets another; then it gives up every right, takes limits, and gives up the system calls
that it has no use for.
"""

import ctypes
import os
import re
import resource
from pathlib import Path

from autograder.student_side import system_calls
from autograder.student_side.limits import Limits

SCRATCH = Path("/scratch")

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_MAX_CAPABILITY = 63


def confine(limits: Limits, user: int | None) -> None:
    """Lock this process in, for good.

    Args:
        user: id to become; None where bubblewrap's user namespace made us nobody special already.

    Raises:
        OSError: a step failed; nothing may be run then.
    """
    # Whose processes the system counts: the user's, or else those in a user namespace.
    is_counted_alone = user is not None or _take_own_users()
    owner = os.getuid() if user is None else user
    _take_own_places(limits, owner)
    # The first to go where the machine itself runs out of memory.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _hide_processes()
    _give_up_rights(user)
    limit_resources(limits)
    if is_counted_alone:
        _limit(resource.RLIMIT_NPROC, limits.processes)
    system_calls.restrict()


def fork_as_first_process() -> int:
    """As `os.fork`; the child is the first process of a PID namespace: all in it end with it."""
    _call("unshare", _CLONE_NEWPID)
    child = -1
    try:
        child = os.fork()
    finally:
        if child != 0:  # later children are to be in this process's own namespace again
            with Path("/proc/self/ns/pid").open("rb") as own:
                _call("setns", own.fileno(), _CLONE_NEWPID)
    return child


def adopt_orphans() -> None:
    """Become the parent of what this process's children leave behind."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def limit_resources(limits: Limits) -> None:
    """Set what the system counts for each process."""
    cpu = max(1, int(limits.cpu_seconds))
    # The second number of the processor time gets the uncaught signal, should the first be caught.
    _limit(resource.RLIMIT_CPU, cpu, cpu + 1)
    _limit(resource.RLIMIT_DATA, limits.memory_bytes)
    _limit(resource.RLIMIT_FSIZE, limits.scratch_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    highest = resource.getrlimit(what)[1]
    wanted = [soft, soft if hard is None else hard]
    if highest != resource.RLIM_INFINITY:
        wanted = [min(value, highest) for value in wanted]
    resource.setrlimit(what, (wanted[0], wanted[1]))


def _take_own_users() -> bool:
    """A user namespace within bubblewrap's, where the system counts processes by namespace.

    Before Linux 5.14 it counts everything that the user runs on the machine; then False, and only
    the warden counts, which a bomb of forks may outrun to the end of its own submission.
    """
    major, minor = re.findall(r"\d+", os.uname().release)[:2]
    if (int(major), int(minor)) < (5, 14):
        return False
    user, group = os.getuid(), os.getgid()
    _call("unshare", _CLONE_NEWUSER)
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", file).write_text(text, encoding="ascii")
    return True


def _take_own_places(limits: Limits, owner: int) -> None:
    """Mounts, IPC and a network without a device, which end with this submission."""
    _call("unshare", _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWUTS)
    options = (
        f"size={limits.scratch_bytes},nr_inodes={limits.scratch_files},"
        f"mode=0700,uid={owner},gid={owner}"
    )
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _call("mount", b"scratch", bytes(SCRATCH), b"tmpfs", flags, options.encode())


def _hide_processes() -> None:
    """Cover /proc, which shows this sandbox's first process and the machine."""
    _call("mount", b"nothing", b"/proc", b"tmpfs", _MS_RDONLY, b"size=4096,nr_inodes=1,mode=0555")


def _give_up_rights(user: int | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_MAX_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # those that exist
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def capabilities() -> int:
    """The rights of root that this process has or could take, one bit each."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    _call("capget", header, sets)
    bits = 0
    for number in sets:
        bits |= number
    return bits


def _call(name: str, *arguments: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
