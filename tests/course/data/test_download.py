"""Downloads: a server on this machine, a tiny mirror, and everything that can go wrong."""

import gzip
import hashlib
import http.server
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from course.data import download
from course.data.download import Source, cache_folder, fetch
from course.errors import CourseError
from tests.unprivileged import unprivileged

CONTENT = "déjà vu\n".encode() * 30_000  # more than a block


def source(url, content=CONTENT):
    return Source("tiny", "tiny.txt", url, hashlib.sha256(content).hexdigest())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mirror"))
    (tmp_path / "mirror" / "tiny").mkdir(parents=True)
    return tmp_path / "mirror" / "tiny"


@pytest.fixture
def server():
    """A server whose paths say how it behaves; `server.asked` counts what was asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            if self.path == "/gone":
                self.send_error(404)
                return
            self.send_response(200)
            if self.path != "/unannounced":
                self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            sent = {"/short": CONTENT[:-7], "/other": CONTENT.upper()}.get(self.path, CONTENT)
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked = 0
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ["/file", "/unannounced"])
def test_a_file_is_fetched_once_and_kept(cache, server, path):
    wanted = source(server.url + path)
    assert fetch(wanted) == CONTENT
    assert (cache / "tiny" / "tiny.txt").read_bytes() == CONTENT
    assert files(cache) == ["tiny.txt"]
    assert fetch(wanted) == CONTENT
    assert server.asked == 1


def test_a_damaged_cache_is_fetched_again(cache, server):
    kept = cache / "tiny" / "tiny.txt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT[:-1])
    assert fetch(source(server.url)) == CONTENT == kept.read_bytes()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/other", "is not the file we know .*SHA-256.* not kept.*COURSE_DATA_DIR"),
        ("/gone", "answers 404 Not Found.*COURSE_DATA_DIR"),
        ("/short", r"broke off after 299,993 of 300,000 bytes: try again\."),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_leaves_nothing(cache, server, path, said):
    with pytest.raises(CourseError, match=said) as caught:
        fetch(source(server.url + path))
    assert "\n" not in str(caught.value)
    assert files(cache) == []


def test_a_wrong_answer_leaves_an_older_file_as_it_was(cache, server):
    kept = cache / "tiny" / "tiny.txt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"older")
    with pytest.raises(CourseError, match="SHA-256"):
        fetch(source(server.url + "/other"))
    assert kept.read_bytes() == b"older"
    assert files(cache) == ["tiny.txt"]


def test_no_network_is_one_sentence(cache):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: it refuses
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(CourseError, match=r"cannot be reached \(.*refused.*COURSE_DATA_DIR"):
            fetch(source(url))
    assert files(cache) == []


def test_a_server_that_hangs_up_is_one_sentence(cache):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: listening.accept()[0].close())
        thread.start()
        with pytest.raises(CourseError, match="cannot be reached"):
            fetch(source(f"http://127.0.0.1:{listening.getsockname()[1]}/file"))
        thread.join()
    assert files(cache) == []


def test_a_cache_that_cannot_be_written_is_one_sentence(cache, server):
    cache.mkdir()
    cache.chmod(0o500)
    wanted = source(server.url + "/file")
    code = (
        "from course.data.download import Source, fetch; from course.errors import CourseError\n"
        f"try: fetch(Source('tiny', 'tiny.txt', {wanted.url!r}, {wanted.sha256!r}))\n"
        "except CourseError as error: print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(download.__file__).parents[2])}
    done = subprocess.run(
        unprivileged(code), capture_output=True, text=True, env=environment, check=True
    )
    assert "cannot be written (Permission denied): set COURSE_CACHE_DIR" in done.stdout
    assert done.stdout.count("\n") == 1
    assert files(cache) == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_mirror_has_the_file_plain_or_compressed(mirror, packed):
    name, data = ("tiny.txt.gz", gzip.compress(CONTENT)) if packed else ("tiny.txt", CONTENT)
    (mirror / name).write_bytes(data)
    assert fetch(source("http://unused.invalid/")) == CONTENT
    assert files(mirror) == [name]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (None, b"", r"COURSE_DATA_DIR has no tiny.tiny\.txt: put the file into .*mirror"),
        ("tiny.txt", b"other", r"tiny\.txt is not the file we know .*SHA-256"),
        ("tiny.txt.gz", gzip.compress(b"other", mtime=0), r"tiny\.txt\.gz is not the file we know"),
        ("tiny.txt.gz", gzip.compress(CONTENT, mtime=0)[:-9], r"tiny\.txt\.gz is damaged"),
        ("tiny.txt.gz", b"no gzip at all", r"tiny\.txt\.gz is damaged"),
    ],
)
def test_a_wrong_mirror_is_one_sentence(mirror, name, data, said):
    if name:
        (mirror / name).write_bytes(data)
    with pytest.raises(CourseError, match=said) as caught:
        fetch(source("http://unused.invalid/"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"COURSE_CACHE_DIR": "/c"}, "/c"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/transformers-course"),
        ("linux", {}, "/home/ada/.cache/transformers-course"),
        ("darwin", {}, "/home/ada/Library/Caches/transformers-course"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/transformers-course"),
        ("win32", {}, "/home/ada/AppData/Local/transformers-course"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("COURSE_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ada", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(download.sys, "platform", platform)
    assert cache_folder() == Path(expected)
