"""A student's kernel: one submission's cells, then its answers to the examiner."""

import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.student_side import confinement, control
from autograder.student_side.blocking import Blocker
from autograder.student_side.limits import Limits
from autograder.student_side.probe import violations
from autograder.student_side.serving import Server
from autograder.student_side.shell import Allowance, Notebook, put_in_order, seed


def run(settings: dict[str, Any], channel: int, calls: int, notebook: Notebook) -> None:
    """Run in a forked process, which ends when this returns.

    What was handed in comes over `channel` only once this process is locked in: what it was forked
    from never holds it, and so cannot show it to the next submission.

    Args:
        settings: `locked`: whether to confine, and then `user`: whom to become, or None;
            otherwise `scratch`: the folder to run in. `limits`. `probe`: None,
            or paths that must not be seen: then only what the lock fails to prevent is said.
        channel: descriptor of a socket. From it comes `cells`: the student's, `{"index": int,
            "source": str, "seconds": float}` each; `forbidden`: dotted names; `files`: contents by
            name, bytes as Latin-1. To it goes one line of JSON a cell.
        calls: descriptor of the socket to the examiner.
    """
    limits = Limits(**settings["limits"])
    _silence()
    os.setsid()
    try:
        work = _enter(settings, limits)
    except OSError as error:
        _write_line(channel, {"failed": str(error)})
        return
    if settings["probe"] is not None:
        _write_line(channel, {"violations": violations(settings["probe"])})
        return
    _write_line(channel, {"ready": True})
    try:
        request = _read_request(channel)
        for name, text in request["files"].items():
            (work / name).write_bytes(text.encode("latin-1"))
        blocker = Blocker(request["forbidden"], notebook.namespace)
    except Exception as error:
        _write_line(channel, {"failed": f"{type(error).__name__}: {error}"})
        return
    _write_line(channel, {"ready": True})
    myself = os.getpid()
    allowance = Allowance(limits.output_bytes)
    seed(0)
    put_in_order(work)
    for cell in request["cells"]:
        report = notebook.run(cell["source"], cell["seconds"], allowance)
        if os.getpid() != myself:
            os._exit(0)  # a child that the cell forked: its parent goes on
        _write_line(channel, report | {"index": cell["index"]})
    os.close(channel)
    blocker.active = True
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    with socket.socket(fileno=calls) as connection:
        Server(connection, notebook.namespace, limits, lambda: put_in_order(work)).serve()


def _read_request(channel: int) -> dict[str, Any]:
    with socket.socket(fileno=os.dup(channel)) as connection:
        return control.receive(connection)[0]


def _enter(settings: dict[str, Any], limits: Limits) -> Path:
    """Lock this process in; returns the folder to run in."""
    if settings["locked"]:
        confinement.confine(limits, settings["user"])
        scratch = confinement.SCRATCH
    else:
        confinement.adopt_orphans()
        confinement.limit_resources(limits)
        scratch = Path(settings["scratch"])
    folders = {name: scratch / name for name in ("work", "home", "tmp", "shm")}
    for folder in folders.values():
        folder.mkdir()
    os.environ["HOME"] = os.environ["IPYTHONDIR"] = str(folders["home"])
    os.environ["TMPDIR"] = tempfile.tempdir = str(folders["tmp"])
    return folders["work"]


def _silence() -> None:
    """What is written past Python's own streams is lost, and nothing can be read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123


def _write_line(descriptor: int, report: dict[str, Any]) -> None:
    rest = memoryview(json.dumps(report).encode() + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
