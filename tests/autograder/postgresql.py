"""A PostgreSQL server in a temporary folder, for the tests of gradebooks on one."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

PASSWORD = "open-sesame"


@dataclass
class Server:
    """Listens on a socket in `folder`, and nowhere else."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql://grader:{PASSWORD}@/{database}?host={self.folder}"

    def new_database(self, template: str = "template1") -> str:
        """Make a database, a copy of the template, and return its URL."""
        name = f"gradebook{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def copied_database(self, url: str) -> str:
        """The URL of a copy of another database of this server."""
        return self.new_database(str(make_url(url).database))

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Start a server; its data and itself are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user = _unprivileged(folder)

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [_program(name), "-D", str(folder / "data"), *arguments],
            check=True,
            cwd=folder,
            user=user,
            stdout=subprocess.DEVNULL,
        )

    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    if user:
        shutil.chown(folder / "password", user)
    try:
        run("initdb", "-U", "grader", "-A", "scram-sha-256", "--pwfile", str(folder / "password"),
            "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8")  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Server(folder)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> str | None:
    """Who runs the server: PostgreSQL refuses to run as root. None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    name = "postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "nobody"
    shutil.chown(folder, name)
    return name


def _program(name: str) -> str:
    """Debian puts a server's programs beside its version, not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = shutil.which(name) or (str(found[-1]) if found else None)
    assert path, f"these tests need PostgreSQL's {name}: 'make postgresql' installs it"
    return path
