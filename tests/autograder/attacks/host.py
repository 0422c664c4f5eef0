"""The machine as an attack sees it: what there is to find, and what an attack may leave there."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacks.reading import FOLDER

# Stands in every place of the machine that an attack looks at.
CANARY = "canary-7433"

# The names of files that attacks make begin with this.
MARK = "stowaway"

_FILES = ("canary.txt", "gradebook.db")


@contextlib.contextmanager
def canaries(folder: Path) -> Iterator[dict[str, Any]]:
    """Put files, a process and servers on the machine; yields what an attack may know of them."""
    for name in _FILES:
        (folder / name).write_text(CANARY, encoding="utf-8")
    sleeper = [sys.executable, "-c", "import signal; signal.pause()", CANARY]
    with contextlib.ExitStack() as stack:
        neighbour = stack.enter_context(subprocess.Popen(sleeper, env={"COURSE_TOKEN": CANARY}))
        stack.callback(neighbour.kill)
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for name in (str(folder / "socket"), f"\0{folder}"):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(name)
            server.listen()
        yield {
            "folder": str(folder), "marker": folder.name, "file": str(folder / "canary.txt"),
            "gradebook": str(folder / "gradebook.db"), "sheet": str(FOLDER / "sheet.md"),
            "home": str(Path.home()), "pid": neighbour.pid, "grader": os.getpid(),
            "port": port.getsockname()[1], "socket": str(folder / "socket"),
            "abstract": str(folder),
        }  # fmt: skip


def left_behind(host: dict[str, Any]) -> list[str]:
    """What a submission has left: its processes, its files, changes of the canaries."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8").strip() == host["process"]:
                found.append(str(path))
    places = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/", Path.home(), Path.cwd(), sys.prefix]
    places += [host["folder"], *(path for path in sys.path if path.endswith("site-packages"))]
    found += [str(path) for place in places for path in Path(place).glob(f"{MARK}*")]
    now = {path.name for path in Path(host["folder"]).iterdir()} - {"socket"}
    found += sorted(now.symmetric_difference(_FILES))
    return found
