"""What ordinary notebooks do goes on working in every tier that this machine reaches."""

import sys

import pytest

from autograder.confine.tiers import ORDER, reach
from autograder.grading.execute import Limits, Sandbox

TIERS = ORDER[ORDER.index(reach().tier) : -1]


@pytest.fixture(scope="module", params=TIERS or ["none"])
def sandbox(request):
    if request.param == "none":
        pytest.skip("this machine confines nothing")
    with Sandbox(Limits(cell_seconds=20), request.param) as opened:
        yield opened


def printed(sandbox, source):
    ran = sandbox.run(source)
    assert not ran.problem, ran
    return "".join(output.get("text", "") for output in ran.outputs)


def test_a_large_output(sandbox):
    """ZMQ sends what is larger than 64 KB from a thread that it starts then."""
    assert "left out" in printed(sandbox, "big = 'x' * 10**6\nprint(big, flush=True)")
    assert printed(sandbox, "print(len(big))") == "1000000\n"


def test_many_small_outputs(sandbox):
    lines = printed(sandbox, "for number in range(3000): print(number, flush=True)").split()
    assert lines == [str(number) for number in range(3000)]


def test_tensors_programs_and_files(sandbox):
    code = """
import os, subprocess, tempfile
import keras, numpy as np
with tempfile.TemporaryDirectory() as folder:
    np.save(f"{folder}/a.npy", np.ones((3, 4)))
    found = np.load(f"{folder}/a.npy", mmap_mode="r+")
    print(float(keras.ops.sum(keras.ops.matmul(found, found.T))))
print(subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout)
"""
    assert printed(sandbox, code).split() == ["36.0", "hi"]


def test_python_is_this_interpreter(sandbox):
    """Also where the grader was started by its path, in no activated environment."""
    code = """
from pathlib import Path
Path("show.py").write_text("import sys; print(sys.argv[1], sys.prefix)")
!python show.py hello
"""
    assert printed(sandbox, code).split() == ["hello", sys.prefix]


def test_what_the_tiers_differ_in(sandbox):
    """As the README says."""
    code = """
import multiprocessing, os, subprocess, tempfile
def attempt(name, step):
    try: step()
    except OSError: print(name, "fails")
    else: print(name, "works")
def write(path):
    with open(path, "w") as file: file.write("x")
def stop():
    sleeping = subprocess.Popen(["sleep", "60"])
    sleeping.terminate()
attempt("here", lambda: write("here"))
attempt("tempfile", lambda: tempfile.NamedTemporaryFile().close())
attempt("/tmp", lambda: write("/tmp/there"))
attempt("lock", multiprocessing.Lock)
attempt("terminate", stop)
"""
    lines = printed(sandbox, code).splitlines()
    does = "works" if sandbox.tier == "sealed" else "fails"
    assert lines == ["here works", "tempfile works", f"/tmp {does}", f"lock {does}",
                     f"terminate {does}"]  # fmt: skip
