"""Make and open nbgrader gradebooks: SQLite files, and databases of a PostgreSQL server.

Whatever goes wrong there is one sentence, which never shows a password.
"""

import logging
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from autograder.errors import CourseError

ONE_AT_A_TIME = 7_305_808_869  # the advisory lock under which tables are made
INDEXED = (
    ("submitted_assignment", "student_id"), ("submitted_notebook", "assignment_id"),
    ("grade", "notebook_id"), ("comment", "notebook_id"),
)  # fmt: skip
PATIENCE = {"connect_timeout": "10", "options": "-c lock_timeout=30s"}
LOST = ("server closed the connection", "terminating connection", "connection failed",
        "connection is lost", "connection is closed", "consuming input failed",
        "connection timeout", "starting up", "shutting down")  # fmt: skip
REMEDIES = {
    "password authentication failed": "Check the user, and the password in ~/.pgpass or in the "
    "address",
    "no password supplied": "Put the password into ~/.pgpass",
    "Connection refused": "Start the server, or correct the address",
    "connection timeout": "Start the server, or correct the address",
    "permission denied": "Let its owner grant your user the right to create tables and to write",
}


class Locked(CourseError):
    """The gradebook is locked, full or out of reach: no further grade can be recorded."""


def create(url):
    """Put nbgrader's tables and schema version into a database, all of them or none.

    What is there already stays. nbgrader would ask for the version by starting `alembic` by
    name, which fails where the environment's scripts are not on the path.

    Raises:
        CourseError: the database cannot be used, or another version of nbgrader made its tables.
    """
    import nbgrader.api
    import sqlalchemy

    head, engine = _schema_version(), sqlalchemy.create_engine(address(url))
    try:
        with said(url), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                lock = sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": ONE_AT_A_TIME})
            found = _found_version(connection)
            if found and found != head:
                raise CourseError(
                    f"The gradebook {shown(url)} was made by another version of nbgrader. Save a "
                    "copy of it, then run `nbgrader db upgrade` in the course folder."
                )
            nbgrader.api.Base.metadata.create_all(bind=connection)
            _add_indexes(connection)
            if not found:
                _set_version(connection, head)
    finally:
        engine.dispose()


def _add_indexes(connection):
    """Let a submission's rows be found without reading everybody's, which nbgrader's tables do."""
    from sqlalchemy import text

    for table, column in INDEXED:
        name = f"course_{table}_{column}"
        connection.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))


def _schema_version():
    import nbgrader
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(nbgrader.__file__).parent / "alembic"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()


def _found_version(connection):
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()


def _set_version(connection, head):
    from sqlalchemy import text

    make = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"
    connection.execute(text(make))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})


@contextmanager
def opened(url):
    """Open a gradebook for a `with` block; an empty database gets its tables first.

    Raises:
        CourseError: the database is locked, out of reach or unreadable.
    """
    from nbgrader.api import Gradebook

    with said(url):
        _fill_empty(url)
        gradebook = Gradebook(address(url))
        try:
            yield gradebook
        finally:
            gradebook.close()


def _fill_empty(url):
    path = sqlite_path(url)
    if path is None:
        _fill_server(url)
    elif not path.is_file() or not path.stat().st_size:
        create(url)


@cache
def _fill_server(url):
    """Make the tables where they are missing; asked once in a process."""
    create(url)


def require(gradebook, url, assignments):
    """Fail where a gradebook does not know an assignment, as one that is new does not."""
    from nbgrader.api import MissingEntry

    for name in assignments:
        try:
            gradebook.find_assignment(name)
        except MissingEntry:
            raise CourseError(
                f"The gradebook {shown(url)} does not know {name}: run `course release` to put "
                "it there."
            ) from None


@contextmanager
def said(url):
    """Turn a database error into one sentence."""
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import DBAPIError

    logging.getLogger("tornado.application").addFilter(_is_not_said_again)
    try:
        yield
    except (DBAPIError, InvalidEntry) as error:
        cause = cause_of(error)
        if cause is None:
            raise
        raise told(url, cause) from error


def _is_not_said_again(record):
    """Return whether a log record is anything but nbgrader's report of a database error."""
    return not str(record.msg).startswith("Rolling back session due to database error")


def cause_of(error):
    """Return the database's own error, which nbgrader may wrap; None where there is none."""
    from sqlalchemy.exc import DBAPIError

    causes = (error, error.__context__)
    return next((each for each in causes if isinstance(each, DBAPIError)), None)


def told(url, error):
    """Return a database error as a `CourseError`; as `Locked` when it concerns every grade."""
    reason = _reason(error)
    if "locked" in reason or "lock timeout" in reason:
        return Locked(
            f"The gradebook {shown(url)} is locked: another program is writing to it. "
            "Close that program or wait, then run the command again."
        )
    if "disk is full" in reason or "No space left" in reason:
        return Locked(
            f"The disk of the gradebook {shown(url)} is full, so no further grade can be recorded. "
            "Make space, then run the command again: it goes on where it was."
        )
    remedy = next((text for sign, text in REMEDIES.items() if sign in reason), "")
    if "database" in reason and "does not exist" in reason:
        remedy = "Make that database, for example with `createdb`, or correct the address"
    ends = is_lost(error)
    if ends and not remedy:
        remedy = "What is recorded is whole; run the command again when the server answers"
    sentence = f"The gradebook {shown(url)} cannot be used: {reason.rstrip('.')}."
    return (Locked if ends else CourseError)(f"{sentence} {remedy}.".removesuffix(" ."))


def is_lost(error):
    """Return whether the connection broke, or none could be made."""
    invalid = getattr(error, "connection_invalidated", False)
    return invalid or any(sign in _reason(error) for sign in LOST)


def _reason(error):
    """Return what the driver says, in one line; of several attempts the last one."""
    lines = [line.strip(" \t-") for line in str(getattr(error, "orig", error)).splitlines()]
    lines = [line for line in lines if line and not line.startswith(("Is the server", "DETAIL"))]
    attempts = [line for line in lines if line.startswith("host: ")]
    reason = (attempts or lines or ["no reason given"])[-1 if attempts else 0]
    return " ".join(reason.split())


def address(url):
    """Return an address as SQLAlchemy takes it, with limits on how long a server may keep us.

    Raises:
        CourseError: it is no address, or its driver is not installed.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        found = make_url(url)
        backend, dialect = found.get_backend_name(), found.get_dialect()
    except (ArgumentError, ValueError):  # an unknown dialect is an ArgumentError too
        backend = None
    if backend not in ("sqlite", "postgresql"):
        raise CourseError(
            "The gradebook's address (c.CourseDirectory.db_url) cannot be read; write it as "
            "postgresql://user@host:5432/database."
        )
    try:
        dialect.import_dbapi()
    except ImportError:
        extra = " with `pip install -c constraints.txt -e '.[postgresql]'`"
        raise CourseError(
            f"The gradebook {shown(url)} needs the package {dialect.driver}: install it"
            f"{extra if dialect.driver == 'psycopg' else ''}."
        ) from None
    return found.update_query_dict(PATIENCE) if backend == "postgresql" else found


def sqlite_path(url):
    """Return the file of an SQLite gradebook, or None for a server's."""
    found = address(url)
    return Path(found.database or "") if found.get_backend_name() == "sqlite" else None


def shown(url):
    """Return the path of an SQLite gradebook, or the address without password and options."""
    from sqlalchemy.engine import make_url

    found = make_url(url)
    if found.get_backend_name() == "sqlite":
        return found.database
    return found.set(query={}).render_as_string()
