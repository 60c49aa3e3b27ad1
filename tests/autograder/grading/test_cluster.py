"""`course grade --scheduler`: a real scheduler and real workers, each a process of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from shutil import copytree

import dask
import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell

from autograder.build.assignments import ROOT
from autograder.confine.tiers import Reach, chosen
from autograder.errors import CourseError
from autograder.grading import cluster as cluster_module
from autograder.grading import parcel as parcel_module
from autograder.grading.execute import Limits
from autograder.grading.folder import CourseFolder
from autograder.grading.grade import grade
from autograder.grading.parcel import Parcel, grade_parcel
from autograder.grading.worker import task_of
from tests.autograder.grading.test_killed import COMMAND, all_gone, wait_for
from tests.autograder.grading.test_record import ASSIGNMENT, LAB, contents

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
FOREVER = "import time; time.sleep(600)"


class Machines:
    """A scheduler and its workers on this machine; what has died is started anew by `start`."""

    def __init__(self, folder, code=ROOT, tls=None):
        self._folder, self._code, self._tls = folder, code, tls or {}
        self._file = folder / "scheduler.json"
        self.temporary = folder / "temporary"
        self.scheduler, self.workers = None, []

    def start(self, workers):
        """Start what is missing of so many workers, and wait for the scheduler's address."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.end()
            self._file.unlink(missing_ok=True)
            protocol = ("--protocol", "tls" if self._tls else "tcp")
            options = ("--host", "127.0.0.1", "--port", "0", "--no-show", "--idle-timeout", "600")
            self.scheduler = self._run("scheduler", *options, *protocol)
            wait_for(lambda: self._file.is_file() and self._file.stat().st_size, self.scheduler)
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < workers:
            options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0")
            options += ("--death-timeout", "60")  # neither outlives a test run that was killed
            self.workers.append(self._run("worker", *options))
        return self

    @property
    def address(self):
        return json.loads(self._file.read_text())["address"]

    def end(self):
        """End all of it, and see that nothing stays behind."""
        mine = [each for each in (*self.workers, self.scheduler) if each is not None]
        family = [p for each in mine for p in descendants(each)]
        for process in mine:
            process.terminate()
        for process in mine:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.workers = []
        assert all_gone(family)

    def kernels(self):
        """The kernels that run now."""
        return [kernel for worker in self.workers for kernel in kernels_of(worker)]

    def _run(self, *arguments):
        command = [sys.executable, "-m", "dask", *arguments]
        command += ["--scheduler-file", str(self._file), "--no-dashboard"]
        command += [part for name, path in self._tls.items() for part in (f"--tls-{name}", path)]
        path = os.pathsep.join(filter(None, [str(self._code), os.environ.get("PYTHONPATH")]))
        self.temporary.mkdir(exist_ok=True)
        environment = os.environ | {"PYTHONPATH": path, "TMPDIR": str(self.temporary)}
        return subprocess.Popen(command, cwd=self._folder, env=environment, **QUIET)


def descendants(process, recursive=True):
    try:
        return psutil.Process(process.pid).children(recursive)
    except psutil.NoSuchProcess:
        return []


def command_line(process):
    try:
        return " ".join(process.cmdline())
    except (psutil.Error, AttributeError):
        return ""


def kernels_of(worker):
    """The forks of a worker's zygotes, which are named as the zygote is."""
    return [p for p in descendants(worker) if "kernels.zygote" in command_line(parent_of(p))]


def parent_of(process):
    try:
        return process.parent()
    except psutil.Error:
        return None


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """A scheduler and workers; use `cluster`, which starts what a test has killed."""
    found = Machines(tmp_path_factory.mktemp("cluster"))
    yield found
    found.end()


@pytest.fixture
def cluster(machines):
    return machines.start(workers=1)


@contextmanager
def started(folder, address, **settings):
    """Start the command on a cluster for a `with` block; it never outlives it."""
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--scheduler", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | settings,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def sleepy(answer, released):
    """A right notebook with one more cell, which sleeps."""

    def make(source=FOREVER):
        notebook = answer(released)
        notebook.cells.append(new_code_cell(source))
        return notebook

    return make


@pytest.fixture
def class_hands_in(hand_in, answer, released, answers, sleepy):
    """Return the function that hands in for four learners; one notebook may sleep."""

    def hand(source="pass"):
        hand_in("ada", answer(released))
        hand_in("ben", answer(released, causal_mask=answers["causal_mask"]))
        hand_in("cleo", "This is no notebook.")
        hand_in("dan", sleepy(source))

    return hand


CLASS = ("ada", "ben", "cleo", "dan")
_calm = []


@pytest.fixture
def calm(course, class_hands_in, tmp_path_factory):
    """The course folder as this machine alone leaves it; graded once, since no run differs."""
    if not _calm:
        class_hands_in()
        _calm.append(CourseFolder(copytree(course.path, tmp_path_factory.mktemp("calm") / "calm")))
        grade(_calm[0].path, jobs=1)
        shutil.rmtree(course.path / "submitted")
    return _calm[0]


def assert_same(one, other):
    """Gradebooks, notebooks and stores hold the same."""
    assert contents(one.url) == contents(other.url)
    for learner in CLASS:
        paths = (f.path / "autograded" / learner / ASSIGNMENT for f in (one, other))
        a, b = (nbformat.read(path / f"{LAB}.ipynb", as_version=4) for path in paths)
        assert a == b
    names = [sorted(p.name for p in (f.path / "results").iterdir()) for f in (one, other)]
    assert names[0] == names[1]


def test_a_cluster_gives_the_same_gradebook_and_notebooks(calm, cluster, course, class_hands_in):
    class_hands_in()
    cluster.start(workers=2)
    seen = []
    grades = grade(
        course.path, scheduler=cluster.address, progress=lambda *done: seen.append(done[1:])
    )
    assert [row.state for row in grades.rows] == ["graded", "graded", "unreadable", "graded"]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert_same(course, calm)
    again = grade(course.path, scheduler=cluster.address, learners=["ada", "dan"])
    assert {row.state for row in again.rows} == {"unchanged"}


@contextmanager
def meanwhile(action):
    """Do something in a thread during a `with` block."""
    with ThreadPoolExecutor(1) as thread:
        doing = thread.submit(action)
        yield
        doing.result()


def wait_until(condition, seconds=120):
    """Return what a condition gives once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_killed_worker_costs_nobody_anything(cluster, course, sleepy, hand_in):
    """Another worker takes the submission, and what the dead one had started ends."""
    hand_in("ada", sleepy("import time; time.sleep(3)"))
    cluster.start(workers=2)
    family = []

    def kill():
        (victim,) = wait_until(lambda: [w for w in cluster.workers if kernels_of(w)])
        family.extend(descendants(victim))
        victim.kill()
        victim.wait()

    with meanwhile(kill):
        grades = grade(course.path, scheduler=cluster.address)
    assert [row.score for row in grades.rows] == [grades.rows[0].max_score]
    assert all_gone(family)


@pytest.mark.parametrize("victim", ["command", "scheduler"])
def test_a_run_cut_short_goes_on_where_it_was(victim, calm, cluster, course, class_hands_in):
    """No grade is lost, nothing finished runs twice, and no worker goes on for nobody."""
    class_hands_in(FOREVER)

    def only_dan_is_left():
        places = (course.path / "autograded").glob("*/[!.]*/*.ipynb")  # a dot: not yet recorded
        return cluster.kernels() if len(list(places)) == len(CLASS) - 1 else []

    with started(course.path, cluster.address) as process:
        wait_for(only_dan_is_left, process)
        kernels = cluster.kernels()
        (process if victim == "command" else cluster.scheduler).kill()
        said = process.communicate()[1]
    if victim == "scheduler":
        assert process.returncode == 1
        assert said.count("\n") == 1
        assert "has gone. What was graded is recorded" in said
    assert all_gone(kernels)

    stored = {path: path.stat().st_mtime_ns for path in (course.path / "results").iterdir()}
    assert len(stored) == len(CLASS) - 1
    class_hands_in()
    grades = grade(course.path, scheduler=cluster.start(workers=1).address)
    assert [row.state for row in grades.rows] == ["unchanged", "unchanged", "unreadable", "graded"]
    assert all(path.stat().st_mtime_ns == when for path, when in stored.items())
    assert_same(course, calm)


def rooms(cluster):
    return list(cluster.temporary.glob("grading-*"))


def test_ctrl_c_takes_the_notebooks_back(cluster, course, sleepy, hand_in):
    """The kernels end, and their folders go."""
    hand_in("ada", sleepy())
    with started(course.path, cluster.address) as process:
        wait_for(cluster.kernels, process)
        kernels = cluster.kernels()
        assert rooms(cluster)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert all_gone(kernels)
    wait_until(lambda: not rooms(cluster))


def test_a_process_that_dies_twice_costs_its_own_submission_only(
    cluster, course, released, answer, sleepy, hand_in
):
    hand_in("ada", answer(released))
    hand_in("ben", sleepy())
    killed = set()
    with started(course.path, cluster.address) as process:
        wait_for((course.path / "autograded" / "ada" / ASSIGNMENT).is_dir, process)
        while len(killed) < 2:
            wait_for(cluster.kernels, process)
            for each in descendants(cluster.workers[0], recursive=False):
                if "grade_parcel" in command_line(each):
                    killed.add(each.pid)
                    each.kill()
            time.sleep(0.1)
        said = process.communicate()[1]
    assert process.returncode == 1
    assert f"submitted/ben/{ASSIGNMENT}/{LAB}.ipynb: it could not be graded" in said
    assert "ada" not in said


@pytest.fixture
def tls(tmp_path):
    """A certificate, for a name and an authority at once, as Dask's options call its files."""
    found = {name: str(tmp_path / f"{name}.pem") for name in ("cert", "key")}
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
         "-out", found["cert"], "-keyout", found["key"]],
        check=True, capture_output=True,
    )  # fmt: skip
    return found | {"ca-file": found["cert"]}


def test_no_worker_then_one_of_another_version_over_tls(
    course, released, hand_in, tmp_path, monkeypatch, tls
):
    """The address of the worker in the sentence shows that the connection was encrypted."""
    hand_in("ada", released)
    other = tmp_path / "other"
    for house in ("autograder", "course", "solutions"):
        ignored = shutil.ignore_patterns("__pycache__", "images")
        copytree(ROOT / house, other / house, ignore=ignored)
    zygote = other / "autograder" / "kernels" / "zygote.py"
    zygote.write_text("raise SystemExit  # another version, which does not warm up")
    paths = {"ca-file": tls["cert"], "client.cert": tls["cert"], "client.key": tls["key"]}
    settings = {f"distributed.comm.tls.{name}": path for name, path in paths.items()}
    machines = Machines(tmp_path, other, tls)
    try:
        address = machines.start(workers=0).address
        with monkeypatch.context() as patch, dask.config.set(settings):
            patch.setattr(cluster_module, "WORKER_SECONDS", 0.5)
            with pytest.raises(CourseError, match=f"No worker is connected to .* at {address}"):
                grade(course.path, scheduler=address)
        machines.start(workers=1)
        variables = {
            "DASK_" + name.upper().replace(".", "__").replace("-", "_"): path
            for name, path in settings.items()
        }
        with started(course.path, address, **variables) as process:
            said = process.communicate()[1]
    finally:
        machines.end()
    assert process.returncode == 1
    assert re.fullmatch(r"The worker tls://\S+ has other files of the course .*\n", said)


@pytest.fixture
def content(course, released, hand_in):
    """What goes to a worker for an empty submission."""
    hand_in("ada", released)
    parcel = Parcel(task_of(course, "ada", ASSIGNMENT, Limits(), "open"))
    return json.loads(json.dumps(parcel.content)) | {"worker": "w", "zygote": None}


def test_a_parcel_holds_no_key(course, content):
    text = json.dumps(content)
    assert course.key.decode() not in text
    names = [cell.source for cell in course.released(ASSIGNMENT).cells if "check(" in cell.source]
    assert len(content["seeds"]) == len(names)


def test_a_worker_needs_no_course_folder(course, content):
    shutil.rmtree(course.path)
    reply = grade_parcel(content | {"tier": chosen(trust=True)})
    assert reply["failures"] == []
    scores = [cell for cell in reply["notebook"].cells if cell.metadata.get("nbgrader")]
    assert any(output.get("data") for cell in scores for output in cell.get("outputs", []))


def test_a_worker_with_other_packages_or_less_confinement_refuses(content, monkeypatch):
    """The reach is made up: this machine has only one."""
    other = grade_parcel(content | {"packages": "other"})
    assert "another Python or other packages" in other["refused"]
    low = Reach("fenced", ("sealed: no namespaces.",))
    monkeypatch.setattr(parcel_module.tiers, "reach", lambda: low)
    refused = grade_parcel(content | {"tier": "sealed"})["refused"]
    assert 'The worker w reaches only the tier "fenced"' in refused
    assert "sealed: no namespaces." in refused


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense://there", "tls://there"])
def test_no_scheduler_is_one_sentence(course, released, hand_in, monkeypatch, address):
    hand_in("ada", released)
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        address = address.format(port=taken.getsockname()[1])
        with pytest.raises(CourseError, match="No Dask scheduler answers at") as error:
            grade(course.path, scheduler=address)
    assert "\n" not in str(error.value)


def test_without_dask_the_sentence_says_how_to_install_it(course, released, hand_in, monkeypatch):
    hand_in("ada", released)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CourseError, match=r'install -c constraints.txt -e ".\[cluster\]"'):
        grade(course.path, scheduler="tcp://127.0.0.1:1")
