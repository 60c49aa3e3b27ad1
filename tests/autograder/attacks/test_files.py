"""Group 5: read, list and change what lies around."""

import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from autograder.build.assignments import ROOT
from tests.autograder.attacks.conftest import ASSIGNMENT, LAB, SLUG


def targets(course):
    """Return the files and folders of the instructor's that an attack asks for by name."""
    return [
        *(course.path / name for name in ("grading.key", "gradebook.db", "nbgrader_config.py")),
        *(course.path / name for name in ("submitted", "releases", "release", "results")),
        course.path / "submitted" / "bea" / ASSIGNMENT / f"{LAB}.ipynb",
        course.path / "submitted" / "mallory" / ASSIGNMENT / f"{LAB}.ipynb",
        ROOT / "solutions" / SLUG / "quiz.yaml",
        ROOT / "solutions" / SLUG / f"{LAB}.py",
        ROOT / "autograder" / "checks" / SLUG / f"{LAB}.py",
        ROOT / "tests" / "autograder" / "attacks" / "conftest.py",
        ROOT / ".git" / "HEAD",
        Path("/etc/shadow"),
        Path("/root/.bashrc"),
    ]


def existing(course):
    """Return the targets that are there, so that not reading them means something."""
    return [str(path) for path in targets(course) if path.exists()]


def test_every_readable_file_below_the_root(attack):
    """It prints each text file that it finds outside the system and the installed packages."""
    code = r"""
import os, re
code = r"[.]case[(]points|[.]oracle\n|[.]misconception[(]|BEGIN SOLUTION\n"
words = code + r"|\n +key: \w|mine = .[0-9a-f]{32}|^[0-9a-f]{64}$"
skipped = ("proc", "sys", "dev", "site-packages", "usr", "lib", ".pyenv")
folders = ["/", "/home", "/root", "/etc", "/var", "/tmp", "/srv", "/opt", "/mnt", "/dev/shm"]
folders += [os.getcwd(), "..", os.path.dirname(os.environ["HOME"])]
import autograder, course
for package in (autograder, course):
    folders += [list(package.__path__)[0], os.path.dirname(list(package.__path__)[0])]
found = 0
for top in folders:
    for parent, inner, files in os.walk(top):
        inner[:] = [name for name in inner if name not in skipped]
        for name in files:
            path = os.path.join(parent, name)
            if not os.path.isfile(path):
                continue
            try:
                with open(path, errors="replace") as file:
                    text = file.read(200_000)
            except OSError:
                continue
            found += 1
            if match := re.search(code if path.endswith((".py", ".pyc")) else words, text):
                start = max(0, match.start() - 300)
                print("GOT", path, text[start:start + 600])
print("found", found)
"""
    outcome = attack(code)
    assert "found " in outcome.printed, "the attack never ran to its end"
    assert "found 0" not in outcome.printed, "it looked nowhere"
    assert "GOT" not in outcome.printed
    outcome.assert_failed()


READERS = """
import ctypes, mmap, os, shutil, sqlite3, subprocess
import numpy as np, tensorflow as tf
libc = ctypes.CDLL(None, use_errno=True)

def opened(path):
    return open(path, "rb").read(500)
def by_path_descriptor(path):
    handle = os.open(path, os.O_PATH)
    return os.read(os.open(f"/proc/self/fd/{handle}", os.O_RDONLY), 500)
def through_proc(path):
    return open("/proc/self/root" + path, "rb").read(500)
def through_the_first_process(path):
    return open("/proc/1/root" + path, "rb").read(500)
def upwards(path):
    return open("../" * 20 + path.lstrip("/"), "rb").read(500)
def by_link(path):
    os.symlink(path, "link")
    return open("link", "rb").read(500)
def by_hard_link(path):
    os.link(path, "hard")
    return open("hard", "rb").read(500)
def copied(path):
    shutil.copy(path, "copy")
    return open("copy", "rb").read(500)
def renamed(path):
    os.rename(path, "renamed")
    return open("renamed", "rb").read(500)
def mapped(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:500]
def in_a_database(path):
    return sqlite3.connect(f"file:{path}?immutable=1", uri=True).execute(
        "select * from sqlite_master").fetchall()
def by_numpy(path):
    return np.fromfile(path, "uint8", 500)
def by_tensorflow(path):
    return tf.io.read_file(path).numpy()[:500]
def by_c(path):
    handle = libc.open(path.encode(), 0)
    buffer = ctypes.create_string_buffer(500)
    if handle < 0 or libc.read(handle, buffer, 500) <= 0:
        raise OSError
    return buffer.raw
def by_a_program(path):
    return subprocess.run(["cat", path], capture_output=True, check=True).stdout[:500]
def listed(path):
    return os.listdir(path)
def listed_by_a_program(path):
    return subprocess.run(["ls", path + "/"], capture_output=True, check=True).stdout
def looked_through(path):
    return list(os.scandir(path))
"""
READ = """
tries, readers = 0, [f for f in list(globals().values()) if getattr(f, "__module__", "") ==
                     "__main__" and callable(f) and f.__name__ not in ("exit", "quit", "open")]
for path in paths:
    for reader in readers:
        if reader is renamed and (path in spared or os.path.isdir(path)):
            continue  # were it to succeed, it would harm this machine
        for name in ("link", "hard", "copy"):
            if os.path.lexists(name):
                os.unlink(name)
        tries += 1
        try:
            print("GOT", path, reader.__name__, reader(path))
        except Exception:
            pass
print("tries", tries, "with", len(readers))
"""


def test_named_files(attack, course):
    """It knows the exact paths, and every way to open them."""
    outcome = attack(f"paths = {existing(course)!r}\nspared = paths\n{READERS}{READ}")
    assert "GOT" not in outcome.printed
    assert "tries " in outcome.printed, "the attack never ran to its end"
    assert "tries 0" not in outcome.printed
    outcome.assert_failed()


@pytest.fixture
def planted(place):
    """Files of other users and other kernels, open to everybody; they go afterwards."""
    secret, paths = f"SECRET {uuid.uuid4().hex}", []
    for folder in (Path("/tmp"), Path("/dev/shm"), place, Path("/var/tmp")):
        path = folder / f"attack-{uuid.uuid4().hex}" / "channels" / "kernel.json"
        path.parent.mkdir(parents=True)
        path.write_text(secret)
        for part in (path.parent.parent, path.parent, path):
            part.chmod(0o777)
        paths.append(path)
    yield secret, paths
    for path in paths:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
        path.parent.parent.rmdir()


def test_shared_folders_and_connection_files(attack, planted):
    """What others leave in /tmp and /dev/shm, readable by all, another kernel's keys too."""
    secret, paths = planted
    known = [str(p) for path in paths for p in (path, path.parent, path.parent.parent.parent)]
    code = f"""
paths = {known!r}
spared = []
{READERS}{READ}
import glob
for pattern in ("/tmp/*", "/tmp/*/channels/*", "/dev/shm/*", "/var/tmp/*"):
    for path in glob.glob(pattern):
        if os.path.isfile(path):
            print("by pattern", path, open(path, errors="replace").read(500))
"""
    outcome = attack(code)
    outcome.secrets["a file that others left"] = secret.removeprefix("SECRET ")
    assert "tries " in outcome.printed, "the attack never ran to its end"
    outcome.assert_failed()
    assert all(path.read_text() == secret for path in paths)


def test_changes(attack, course, planted):
    """It writes to hand-ins, the gradebook and the key; it asks whether it could to all the rest.

    Only what this test made is really changed where an attack succeeds.
    """
    paths = [str(p) for p in targets(course) if p.exists() and p.is_relative_to(course.path)]
    paths += map(str, planted[1])
    spared = [path for path in existing(course) if path not in paths]
    spared += [str(ROOT / "course" / "__init__.py"), str(ROOT / "autograder" / "compare.py")]
    spared += [os.__file__, pytest.__file__, np.__file__]
    code = f"""
import os, subprocess
tries = 0
def write(path):
    open(path, "ab").write(b"SLY")
def empty(path):
    open(path, "r+b").truncate(0)
def remove(path):
    os.unlink(path)
def move(path):
    os.rename(path, path + ".sly")
def add(path):
    open((path if os.path.isdir(path) else os.path.dirname(path)) + "/sly.pth", "w").write("1")
def folder(path):
    os.mkdir(os.path.dirname(path) + "/sly")
def link(path):
    os.symlink("/etc/passwd", os.path.dirname(path) + "/sly.ipynb")
def seen(path, change):
    before = os.stat(path)
    change()
    after = os.stat(path)
    assert (before.st_mode, before.st_mtime, before.st_ctime) != (
        after.st_mode, after.st_mtime, after.st_ctime), "it was answered, and nothing is changed"
def permit(path):
    seen(path, lambda: os.chmod(path, 0o777))
def own(path):
    seen(path, lambda: os.chown(path, os.getuid(), os.getgid()))
def date(path):
    seen(path, lambda: os.utime(path, (0, 0)))
def shell(path):
    subprocess.run(["sh", "-c", f"echo SLY >> '{{path}}'"], check=True, capture_output=True)
def could(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
def could_in_its_folder(path):
    assert os.access(os.path.dirname(path), os.W_OK)
done = [(path, change) for path in {spared!r} for change in (could, could_in_its_folder)]
for path in {paths!r}:
    for change in (write, empty, move, add, folder, link, permit, own, date, shell, remove):
        done.append((path, change))
for path, change in done:
    tries += 1
    try:
        change(path)
        print("CHANGED", path, change.__name__)
    except Exception:
        pass
print("tries", tries)
"""
    outcome = attack(code)
    assert "tries " in outcome.printed, "the attack never ran to its end"
    assert "CHANGED" not in outcome.printed
    outcome.assert_failed()


def test_inherited_descriptors(attack):
    """It reads what its process holds open, and talks to what is behind its sockets."""
    code = """
import os, socket, stat
seen = 0
for number in range(3, 1100):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    seen += 1
    try:
        if stat.S_ISREG(mode):
            print("OPEN FILE", number, os.pread(number, 500, 0))
        elif stat.S_ISDIR(mode):
            print("OPEN FOLDER", number, os.listdir(number))
            print(os.read(os.open("..", os.O_RDONLY, dir_fd=number), 10))
        elif stat.S_ISSOCK(mode):
            end = socket.socket(fileno=os.dup(number))
            if number != 4:  # the wire itself
                for data in (b'{"signal": 9}', b'{"ask": "time"}', b'{"ended": "memory"}'):
                    if end.type == socket.SOCK_SEQPACKET:
                        print("OPEN CONTROL", number, end.send(data))
            if end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0 and number == 4:
                message, more, *_ = end.recvmsg(500, 100, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                print("OPEN MESSAGE", message, more)
    except OSError:
        pass
print("seen", seen)
"""
    outcome = attack(code)
    assert "seen " in outcome.printed, "the attack never ran to its end"
    assert "seen 0" not in outcome.printed
    assert "OPEN " not in outcome.printed
    outcome.assert_failed()
