"""The database behind a gradebook: a file of SQLite's, or one on a PostgreSQL server."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nbgrader.api import Assignment, Base, Course, Gradebook, get_alembic_version
from sqlalchemy import URL, Connection, Engine, create_engine, insert, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import AutograderError, UsageError

# One number for everybody who makes the tables of this package's gradebooks.
_MAKING_TABLES = 0x6E62677264

_CONNECT_SECONDS = 10


@contextlib.contextmanager
def errors_named(what: str, url: URL | str) -> Iterator[None]:
    """Say what could not be done with which database, and why; never with which password.

    Raises:
        AutograderError: in place of any error of SQLAlchemy's.
    """
    try:
        yield
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        # What the database said, without the statement, its parameters and a link.
        reason = str(error.orig if isinstance(error, DBAPIError) else error)
        lines = [line.strip() for line in reason.splitlines() if line.strip()]
        if not isinstance(error, DBAPIError):
            lines = lines[:1]
        raise AutograderError(f"cannot {what} {shown(url)}: {' '.join(lines)}") from error


def shown(url: URL | str) -> str:
    """A database's URL as people may see it: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def checked_url(text: str) -> str:
    """A URL that somebody typed.

    Raises:
        UsageError: it is none, or of a database that gradebooks are not tried on.
    """
    form = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise UsageError(f"this is not the URL of a database; {form}") from error
    if url.get_backend_name() not in ("sqlite", "postgresql") or not url.database:
        raise UsageError(f"a gradebook cannot lie in {shown(url)}; {form}")
    return text


def engine_of(url: URL | str) -> Engine:
    """An engine that gives up on a server that does not answer, and notices a lost connection."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        return create_engine(place)
    return create_engine(
        place, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_SECONDS}
    )


def create_gradebook(url: str) -> None:
    """Make the tables of nbgrader's gradebook where there are none yet: all of them or none.

    nbgrader makes them in several steps, and would take a half-made gradebook for complete.

    Raises:
        AutograderError: the database cannot be reached or written.
    """
    place = make_url(url)
    with errors_named("make a gradebook in", place):
        if place.get_backend_name() == "sqlite":
            _create_in_file(place)
        else:
            _create_on_server(place)


def has_gradebook(url: str) -> bool:
    """Whether nbgrader's tables are there; to look for them in a file does not make it.

    Raises:
        AutograderError: the database cannot be reached or read.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").is_file():
        return False
    with errors_named("read", url):
        engine = engine_of(url)
        try:
            return inspect(engine).has_table(Assignment.__tablename__)
        finally:
            engine.dispose()


def _create_in_file(place: URL) -> None:
    if not place.database or Path(place.database).exists():
        return
    draft = Path(f"{place.database}.new")
    draft.unlink(missing_ok=True)
    Gradebook(f"sqlite:///{draft}").close()
    draft.replace(place.database)


def _create_on_server(place: URL) -> None:
    engine = engine_of(place)
    try:
        with engine.begin() as connection:
            if _has_tables(connection):
                return
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING_TABLES})"))
            if _has_tables(connection):
                return  # somebody else was making them
            Base.metadata.create_all(connection)
            # What nbgrader does after it made its tables.
            table = "alembic_version (version_num VARCHAR(32) NOT NULL)"
            connection.execute(text(f"CREATE TABLE {table}"))
            version = {"version": get_alembic_version()}
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), version)
            # nbgrader's programs file sheets under a course without a name unless they are told
            # another, and never make it: SQLite does not mind.
            connection.execute(insert(Course).values(id=""))
    finally:
        engine.dispose()


def _has_tables(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version")


def set_patience(session: Session, engine: Engine, seconds: float) -> None:
    """How long this transaction waits for another program, such as formgrader, that is writing."""
    milliseconds = int(1000 * seconds)
    if engine.dialect.name == "sqlite":
        session.execute(text(f"PRAGMA busy_timeout = {milliseconds}"))
    else:
        # To PostgreSQL 0 means for ever.
        session.execute(text(f"SET LOCAL lock_timeout = {max(1, milliseconds)}"))
