"""A PostgreSQL server of the tests' own: a free port, a temporary folder, a password.

Without PostgreSQL's programs its tests are skipped, unless COURSE_NEEDS_POSTGRESQL is set, as
`.ci/run` does: then they fail.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

NEEDED = "COURSE_NEEDS_POSTGRESQL"
USER, PASSWORD = "jane", "s3cret/of:jane"


def programs():
    """Return the folder of the server's programs, the newest where there are several; or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found.sort(key=lambda path: float(path.parent.name))
    elsewhere = shutil.which("initdb")
    return found[-1] if found else Path(elsewhere).parent if elsewhere else None


class Server:
    """A server that runs in a `with` block.

    As root it runs as the user `postgres` or `nobody`, since PostgreSQL refuses root.
    """

    def __init__(self):
        self.bin = programs()
        if self.bin is None:
            reason = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
            (pytest.fail if os.environ.get(NEEDED) else pytest.skip)(reason)
        self._account = ordinary_account() if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="course-postgresql-"))
        self.port, self.count = free_port(), 0

    def __enter__(self):
        try:
            self._make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        if self._account:
            shutil.chown(self.folder, self._account["user"], self._account["group"])
        key = self.folder / "password"
        key.write_text(PASSWORD)
        key.chmod(0o644)
        self._run(
            "initdb", "-D", "data", "-U", USER, f"--pwfile={key}", "--auth=scram-sha-256",
            "--no-sync", "--encoding=UTF8", "--locale=C",
        )  # fmt: skip
        key.unlink()

    def __exit__(self, *exception):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder)

    def start(self):
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.folder}"
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self):
        """Break every connection and end it."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", "data")

    def url(self, database, password=PASSWORD):
        """Return a database's address as an instructor writes it."""
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{database}"

    def new(self):
        """Make an empty database and return its address."""
        self.count += 1
        self.ask(f"CREATE DATABASE course{self.count}")
        return self.url(f"course{self.count}")

    def disconnect(self, database):
        """Break every connection to a database, and return one row for each."""
        return self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )

    def ask(self, query, database="postgres"):
        """Run a query and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            answer = connection.execute(query)
            return answer.fetchall() if answer.description else []

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self.bin / program, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
            **self._account,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def ordinary_account():
    """Return the arguments with which `subprocess` runs a program as an ordinary user."""
    import pwd  # Windows has none

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = known.get("postgres") or known["nobody"]
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def free_port():
    """Return a port of this machine that nothing uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
