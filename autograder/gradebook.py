"""Make and open nbgrader gradebooks."""

from contextlib import contextmanager
from pathlib import Path

from autograder.errors import CourseError


def create(url):
    """Create an empty gradebook with nbgrader's tables and schema version.

    nbgrader would ask for the version by starting `alembic` by name, which fails where the
    environment's scripts are not on the path.
    """
    import nbgrader
    import nbgrader.api
    import sqlalchemy
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(nbgrader.__file__).parent / "alembic"))
    config.set_main_option("path_separator", "os")
    head = ScriptDirectory.from_config(config).get_current_head()
    engine = sqlalchemy.create_engine(url)
    nbgrader.api.Base.metadata.create_all(bind=engine)
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        )
        connection.execute(
            sqlalchemy.text("INSERT INTO alembic_version VALUES (:head)"), {"head": head}
        )
    engine.dispose()


@contextmanager
def opened(url):
    """Open a gradebook for a `with` block.

    Raises:
        CourseError: the database is locked or unreadable.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import DatabaseError

    with said(url, DatabaseError):
        gradebook = Gradebook(url)
        try:
            yield gradebook
        finally:
            gradebook.close()


def due(url, assignment):
    """Return an assignment's due date as text, or None."""
    with opened(url) as gradebook:
        date = gradebook.find_assignment(assignment).duedate
    return None if date is None else date.isoformat()


@contextmanager
def said(url, kind):
    """Turn a database error into one sentence."""
    try:
        yield
    except kind as error:
        if "locked" in str(error):
            raise CourseError(
                f"The gradebook {shown(url)} is locked: another program is writing to it. "
                "Close that program or wait, then run the command again."
            ) from error
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise CourseError(f"The gradebook {shown(url)} cannot be used: {reason}.") from error


def shown(url):
    """Return the path of an SQLite gradebook, or the address without its password."""
    from sqlalchemy.engine import make_url

    url = make_url(url)
    return url.database if url.drivername.startswith("sqlite") else url.render_as_string()
