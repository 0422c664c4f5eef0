"""The filter of system calls, interpreted as the kernel would, for both architectures."""

import errno
import platform
import re
import struct
from pathlib import Path

import pytest

from autograder.student_side import system_calls
from autograder.student_side.system_calls import program

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028}

# Numbers of the kernel's own tables, written down here a second time.
CALLS = {
    "x86_64": {
        "read": 0, "write": 1, "mmap": 9, "socket": 41, "socketpair": 53, "clone": 56,
        "fork": 57, "execve": 59, "kill": 62, "ptrace": 101, "prctl": 157, "mount": 165,
        "exit_group": 231, "openat": 257, "unshare": 272, "prlimit64": 302, "seccomp": 317,
        "bpf": 321, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438, "futex": 202,
    },
    "aarch64": {
        "read": 63, "write": 64, "mmap": 222, "socket": 198, "socketpair": 199,
        "clone": 220, "execve": 221, "kill": 129, "ptrace": 117, "prctl": 167, "mount": 40,
        "exit_group": 94, "openat": 56, "unshare": 97, "prlimit64": 261, "seccomp": 277,
        "bpf": 280, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438, "futex": 98,
    },
}  # fmt: skip

on_both = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def _run(code: bytes, data: bytes) -> int:
    """What classic BPF returns for a `struct seccomp_data`."""
    steps = list(struct.iter_unpack("HBBI", code))
    accumulator, at = 0, 0
    tests = {
        0x15: lambda value: accumulator == value,
        0x35: lambda value: accumulator >= value,
        0x25: lambda value: accumulator > value,
        0x45: lambda value: accumulator & value != 0,
    }
    while True:
        operation, skip_if, skip_else, value = steps[at]
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            assert value % 4 == 0, "the kernel loads aligned words only"
            (accumulator,) = struct.unpack_from("I", data, value)
        else:
            at += skip_if if tests[operation](value) else skip_else


def _verdict(machine: str, number: int, *arguments: int, called_as: str | None = None) -> object:
    """ "allowed", "killed", or the error's name."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("iIQ6Q", number, ARCHITECTURES[called_as or machine], 0, *padded)
    found = _run(program(machine), data)
    if found == ALLOW:
        return "allowed"
    if found == KILL:
        return "killed"
    assert found & 0xFFFF0000 == ERRNO
    return errno.errorcode[found & 0xFFFF]


@on_both
@pytest.mark.parametrize(
    "name",
    ["read", "write", "mmap", "openat", "futex", "kill", "exit_group", "socketpair", "prctl"],
)
def test_what_python_needs_is_allowed(machine, name):
    assert _verdict(machine, CALLS[machine][name]) == "allowed"


@on_both
@pytest.mark.parametrize(
    "name", ["execve", "ptrace", "mount", "unshare", "bpf", "io_uring_setup", "pidfd_getfd"]
)
def test_what_leads_out_is_refused(machine, name):
    assert _verdict(machine, CALLS[machine][name]) == "EPERM"


@on_both
def test_every_call_on_the_list_is_refused(machine):
    column = list(CALLS).index(machine)
    numbers = [both[column] for both in system_calls._DENIED.values() if both[column] is not None]
    assert len(set(numbers)) == len(numbers) > 50
    assert {_verdict(machine, number) for number in numbers} == {"EPERM"}


@on_both
def test_calls_of_another_architecture_end_the_process(machine):
    others = set(ARCHITECTURES) - {machine}
    for number in CALLS[machine].values():
        assert {_verdict(machine, number, called_as=other) for other in others} == {"killed"}


def test_calls_by_their_x32_numbers_are_refused():
    for number in CALLS["x86_64"].values():
        assert _verdict("x86_64", number + 0x40000000) == "ENOSYS"
    assert _verdict("x86_64", -1) == "ENOSYS"


@on_both
@pytest.mark.parametrize("number", [473, 500, 1000, 2**31 - 1])
def test_calls_that_came_later_do_not_exist(machine, number):
    assert _verdict(machine, number) == "ENOSYS"


@on_both
def test_only_sockets_of_this_machine_are_made(machine):
    socket = CALLS[machine]["socket"]
    assert _verdict(machine, socket, 1, 1) == "allowed"
    assert {_verdict(machine, socket, family) for family in range(50) if family != 1} == {"EPERM"}
    # The kernel takes an int; the upper half of the register says nothing.
    assert _verdict(machine, socket, 2 + 2**32) == "EPERM"
    assert _verdict(machine, socket, 2**31 + 1) == "EPERM"


_NAMESPACES = {
    "mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip


@on_both
@pytest.mark.parametrize("flag", _NAMESPACES.values(), ids=_NAMESPACES)
def test_a_child_in_a_namespace_of_its_own_is_refused(machine, flag):
    clone, signal_of_a_child = CALLS[machine]["clone"], 17
    assert _verdict(machine, clone, flag | signal_of_a_child) == "EPERM"
    assert _verdict(machine, clone, flag | 0x3D0F00) == "EPERM"
    assert _verdict(machine, clone, flag << 32 | signal_of_a_child) == "allowed"  # not read


@on_both
def test_threads_and_plain_children_are_allowed(machine):
    clone = CALLS[machine]["clone"]
    assert _verdict(machine, clone, 0x3D0F00) == "allowed"  # as the C library makes a thread
    assert _verdict(machine, clone, 0x01200011) == "allowed"  # and a child


@on_both
def test_clone3_does_not_exist_so_that_the_c_library_uses_clone(machine):
    assert _verdict(machine, CALLS[machine]["clone3"]) == "ENOSYS"


@on_both
def test_limits_can_be_read_and_set_of_oneself_only(machine):
    prlimit = CALLS[machine]["prlimit64"]
    assert _verdict(machine, prlimit, 0, 7) == "allowed"
    assert _verdict(machine, prlimit, 1, 7) == "EPERM"
    assert _verdict(machine, prlimit, 2**32 - 1, 7) == "EPERM"


@on_both
def test_the_filter_is_short_enough_for_the_kernel_and_every_path_ends(machine):
    code = program(machine)
    assert len(code) % 8 == 0
    assert len(code) // 8 <= 4096
    for number in range(-5, 600):
        for argument in (0, 1, 2, _NAMESPACES["user"]):
            assert _verdict(machine, number, argument) in ("allowed", "EPERM", "ENOSYS")


def _numbers_of_this_system() -> dict[str, int]:
    for header in Path("/usr/include").glob("**/asm/unistd_64.h"):
        found = re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read_text())
        return {name: int(number) for name, number in found}
    return {}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the header is of x86_64")
@pytest.mark.skipif(not _numbers_of_this_system(), reason="the kernel's headers are not installed")
def test_the_numbers_are_those_of_the_systems_header():
    header = _numbers_of_this_system()
    special = {"socket": 41, "clone": 56, "clone3": 435, "prlimit64": 302}
    listed = {name: both[0] for name, both in system_calls._DENIED.items()} | special
    known = {name: number for name, number in listed.items() if name in header}
    assert {name: header[name] for name in known} == known
    unknown = listed.keys() - known
    newer_than_the_header = {name for name in unknown if listed[name] > max(header.values())}
    assert unknown - newer_than_the_header <= {"uselib", "nfsservctl", "_sysctl", "lookup_dcookie"}
    assert set(CALLS["x86_64"].items()) <= set(header.items())
