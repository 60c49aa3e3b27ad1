"""What learners leave in a folder: it is counted, and it can be removed."""

import os
import subprocess

import pytest

from autograder.confine.folders import BLOCK, DEEPEST, remove_room, size
from autograder.confine.usage import held, used
from tests.unprivileged import unprivileged

LARGE = 2**40


def nest(folder, depth, name, each=lambda handle: None):
    """Make folders below each other, by descriptors: no path need be so long."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=handle)
        inner = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
        each(handle)
    os.close(handle)


def write(handle, name="file", text=b"x"):
    file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=handle)
    os.write(file, text)
    os.close(file)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_files_folders_links_and_pipes_count(tmp_path):
    (tmp_path / "file").write_bytes(bytes(3 * BLOCK))
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").write_bytes(b"x")
    (tmp_path / "link").symlink_to("/usr")
    os.mkfifo(tmp_path / "pipe")
    assert size(tmp_path, LARGE) == 3 * BLOCK + 5 * BLOCK


def test_what_lies_beyond_the_longest_path_counts(tmp_path):
    before = descriptors()
    nest(tmp_path, 60, "x" * 200, lambda handle: write(handle, text=b"y" * BLOCK))
    assert 60 * 200 > os.pathconf(tmp_path, "PC_PATH_MAX")
    assert size(tmp_path, LARGE) >= 60 * 2 * BLOCK
    assert descriptors() == before
    assert remove_room(tmp_path)


def test_counting_stops_where_it_is_enough(tmp_path):
    for number in range(17):
        (tmp_path / str(number)).touch()
    assert size(tmp_path, 5 * BLOCK) == 6 * BLOCK


def test_what_cannot_be_counted_is_too_much(tmp_path):
    before = descriptors()
    nest(tmp_path, DEEPEST, "d")
    assert size(tmp_path, LARGE) < LARGE
    nest(tmp_path, DEEPEST + 1, "e")
    assert size(tmp_path, LARGE) == LARGE + 1
    assert size(tmp_path / "gone", LARGE) == LARGE + 1
    assert descriptors() == before
    assert remove_room(tmp_path)


def test_a_folder_that_cannot_be_listed_is_too_much(tmp_path):
    """For root it is no hindrance; for the learner's own user it is one."""
    (tmp_path / "closed").mkdir(0o300)
    code = f"from autograder.confine.folders import size; print(size({str(tmp_path)!r}, 2**40))"
    done = subprocess.run(unprivileged(code), capture_output=True, text=True, check=True)
    assert int(done.stdout) == LARGE + 1


def test_a_room_goes_whatever_is_in_it(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("stays")
    room = tmp_path / "room"
    room.mkdir()

    def fill(handle):
        write(handle)
        os.symlink(outside, "link", dir_fd=handle)
        os.mkfifo("pipe", dir_fd=handle)

    before = descriptors()
    nest(room, 1500, "d" * 9, fill)
    nest(room, 60, "x" * 200)
    for name in (".0", ".1", ".3"):  # names that removing could have chosen itself
        (room / name / "inner" / "more").mkdir(parents=True)
    (room / "closed" / "inner").mkdir(parents=True)
    (room / "closed" / "inner" / "file").touch()
    (room / "closed" / "inner").chmod(0)
    (room / "closed").chmod(0o300)
    code = f"from autograder.confine.folders import remove_room; print(remove_room({str(room)!r}))"
    done = subprocess.run(unprivileged(code), capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert not room.exists()
    assert (outside / "file").read_text() == "stays"
    assert descriptors() == before


def test_a_room_that_is_a_link_or_gone(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    assert not remove_room(tmp_path / "link")
    assert (tmp_path / "outside" / "file").exists()
    assert remove_room(tmp_path / "gone")


@pytest.mark.parametrize("name", ["a", "a\x0cb", "a\u2028b", "a\nb"])
def test_files_without_a_name_count_whatever_they_were_called(tmp_path, name):
    import mmap

    places = used([os.getpid()]).places
    before = held(places, str(tmp_path)).unlinked
    path = tmp_path / name
    with open(path, "w+b") as file:
        file.write(bytes(8 * BLOCK))
        file.flush()
        named = mmap.mmap(file.fileno(), 0)
        assert held(places, str(tmp_path)).unlinked == before, "it still has its name"
        path.unlink()
        assert held(places, str(tmp_path)).unlinked == before + 8 * BLOCK
    assert held(places, str(tmp_path)).unlinked == before + 8 * BLOCK, "mapped, and not open"
    named.close()
    assert held(places, str(tmp_path)).unlinked == before
