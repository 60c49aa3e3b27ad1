"""Groups 5, 7 and 10 again, graded by an ordinary user, whom a fenced kernel then is too.

Where the grader is root, each kernel has a user id of its own; else it has the grader's, and every
file and process of the grader's is its own as far as permissions go. Nested here, since the tests
may run as root; an ordinary user's own run of the attacks is this already.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from autograder.build.assignments import ROOT
from autograder.confine.tiers import reach
from tests.ordinary import UID, ordinary

HERE = Path(__file__).parent
FILES = ("test_files", "test_neighbours", "test_endings", "test_confinement")


@pytest.fixture
def theirs():
    """A folder of the ordinary user's, with a short path."""
    path = tempfile.mkdtemp(prefix="user-")
    os.chown(path, UID, UID)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.skipif(os.getuid() != 0, reason="the attacks are graded by an ordinary user already")
@pytest.mark.skipif(reach().tier == "open", reason="this machine confines nothing")
@pytest.mark.parametrize("name", FILES)
def test_attacks_on_an_ordinary_users_grader(name, theirs):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "XDG_"))}
    environment |= {"HOME": theirs, "TMPDIR": theirs, "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "attack", "-k", "fenced"]
    arguments += [
        "--tb=short",
        f"--basetemp={theirs}/pytest",
        f"{os.path.dirname(__file__)}/{name}.py",
    ]
    done = subprocess.run(
        ordinary(arguments, ROOT), capture_output=True, text=True, env=environment, cwd=ROOT
    )
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"Python lies where others cannot go: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert re.search(r"[1-9]\d* passed", done.stdout), done.stdout[-2000:]
    assert "skipped" not in done.stdout, done.stdout[-2000:]
