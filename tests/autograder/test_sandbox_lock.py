"""The lock is tried before it is trusted: a machine on which it does not hold is refused."""

from pathlib import Path

import pytest

from autograder import bubblewrap, sandbox
from autograder.sandbox import Sandbox, SandboxError
from autograder.student_side import confinement, system_calls

pytestmark = pytest.mark.skipif(bool(sandbox.unable()), reason=sandbox.unable() or "can be locked")


def _started() -> None:
    """Start a sandbox, and end it."""
    box = Sandbox(locked=True)
    try:
        box.wait_until_ready()
    finally:
        box.close()


def test_the_lock_holds():
    _started()


def test_a_sandbox_that_shows_the_repository_is_refused(monkeypatch):
    real = bubblewrap.command

    def command(program, inside):
        arguments, files = real(program, inside)
        at = arguments.index("--remount-ro")
        shown = str(bubblewrap.REPOSITORY)
        return [*arguments[:at], "--ro-bind", shown, shown, *arguments[at:]], files

    monkeypatch.setattr(bubblewrap, "command", command)
    with pytest.raises(SandboxError, match=r"the lock does not hold.*see .*solutions"):
        _started()


# As root another user's folder is not even writable.
_NO_SCRATCH = "cannot lock a process in|see a scratch folder of others"
_STEPS = {
    "no filter of system calls": ("system_calls.restrict()", "pass", "run another program"),
    "the machine's processes": ("    _hide_processes()\n", "", "read about processes"),
    "rights of root": ('    _call("capset", header', "    _ = (header", "keep rights of root"),
    "no scratch folder": ("    _take_own_places(limits, owner)\n", "", _NO_SCRATCH),
}


@pytest.mark.parametrize(("step", "instead", "deed"), _STEPS.values(), ids=_STEPS)
def test_a_confinement_that_leaves_out_a_step_is_refused(monkeypatch, step, instead, deed):
    """The sandbox gets another copy of the code that confines."""
    real = bubblewrap._copies

    def copies():
        for content, place in real():
            if place.name == Path(confinement.__file__).name:
                assert step.encode() in content
                content = content.replace(step.encode(), instead.encode())
                if "capset" in step:  # root loses its rights when it becomes nobody as well
                    kept = b"if user is not None:\n        os.setgroups"
                    content = content.replace(kept, kept.replace(b"user is not None", b"False"))
            yield content, place

    monkeypatch.setattr(bubblewrap, "_copies", lambda: list(copies()))
    with pytest.raises(SandboxError, match=deed):
        _started()


def test_a_machine_without_bubblewrap_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: None)
    with pytest.raises(SandboxError, match=r"no bubblewrap.*--no-sandbox"):
        Sandbox(locked=True)


def test_a_machine_whose_system_calls_are_not_known_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(system_calls, "is_supported", lambda: False)
    with pytest.raises(SandboxError, match=r"system calls of .* are not known"):
        Sandbox(locked=True)


def test_a_sandbox_that_does_not_start_says_its_last_words(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: no permissions to make a namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "find_bubblewrap", lambda: str(program))
    with pytest.raises(SandboxError, match="does not start: bwrap: no permissions"):
        _started()
