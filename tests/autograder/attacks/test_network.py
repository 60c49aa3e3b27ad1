"""Group 9: reach somebody, by any socket. The test listens; nothing may be heard."""

import contextlib
import os
import socket
import threading
import uuid

import pytest

TRY = """
import ctypes, os, socket, struct
def attempt(name, step):
    try: print(name, "got through:", step())
    except OSError as error: print(name, "refused:", error)
"""


@pytest.fixture
def listeners(tmp_path_factory):
    """Listen on sockets of several kinds; return their addresses and what they heard."""
    folder = tmp_path_factory.mktemp("s")
    for place in (folder, folder.parent, folder.parent.parent):
        os.chmod(place, 0o777)
    name = uuid.uuid4().hex[:12]
    addresses = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "unix": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream")),
        "unix_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram")),
        "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}-stream"),
        "abstract_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{name}-datagram"),
    }
    heard, found, ends = [], {}, []
    for kind, (family, way, address) in addresses.items():
        end = socket.socket(family, way)
        end.bind(address)
        found[kind] = end.getsockname() if family == socket.AF_INET else address
        if isinstance(address, str) and address[0] == "/":
            os.chmod(address, 0o777)
        if way == socket.SOCK_STREAM:
            end.listen()
        ends.append(end)
        threading.Thread(target=_listen, args=(kind, end, way, heard), daemon=True).start()
    yield found, heard
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _listen(kind, end, way, heard):
    with contextlib.suppress(OSError):
        while True:
            if way == socket.SOCK_STREAM:
                end.accept()[0].close()
            else:
                end.recv(100)
            heard.append(kind)


def _assert_refused(outcome, heard, attempts):
    outcome.assert_failed()
    assert outcome.printed.count(" refused:") >= attempts
    assert " got through:" not in outcome.printed
    assert not heard


def test_tcp_and_udp(attack, listeners):
    addresses, heard = listeners
    code = f"""
from urllib.request import urlopen
tcp, udp = {addresses["tcp"]!r}, {addresses["udp"]!r}
attempt("tcp", lambda: socket.create_connection(tcp, 1))
attempt("http", lambda: urlopen("http://%s:%d" % tcp, timeout=1).read())
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"mine", udp))
attempt("listening", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("tcp6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
"""
    _assert_refused(attack(TRY + code), heard, 5)


def test_tcp_by_a_program(attack, listeners):
    """What the notebook starts is confined like itself."""
    addresses, heard = listeners
    code = """
import subprocess, sys
program = "import socket; socket.create_connection(%r, 1)"
done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
print("program", "got through:" if done.returncode == 0 else "refused:", done.stderr[-100:])
done = subprocess.run("exec 3<>/dev/tcp/%s/%d", shell=True, executable="/bin/bash",
                      capture_output=True, text=True)
print("bash", "got through:" if done.returncode == 0 else "refused:", done.stderr[-100:])
"""
    host, port = addresses["tcp"]
    _assert_refused(attack(TRY + code % (addresses["tcp"], host, port)), heard, 2)


def test_names_of_the_internet(attack):
    """A looked-up name would carry text out; none is looked up, whoever is asked."""
    code = """
attempt("resolver", lambda: socket.getaddrinfo("mine.example.com", 80))
attempt("mail", lambda: socket.gethostbyname("mine.example.org"))
attempt("port 53", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
    b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4mine\\0\\0\\1\\0\\1", ("127.0.0.53", 53)))
"""
    _assert_refused(attack(TRY + code), [], 3)


def test_unix_and_abstract_sockets(attack, listeners):
    addresses, heard = listeners
    code = f"""
def connect(way, address):
    end = socket.socket(socket.AF_UNIX, way)
    end.connect(address)
    return end.send(b"mine")
for address in {[addresses["unix"], addresses["abstract"]]!r}:
    attempt("stream", lambda: connect(socket.SOCK_STREAM, address))
for address in {[addresses["unix_datagram"], addresses["abstract_datagram"]]!r}:
    attempt("datagram", lambda: connect(socket.SOCK_DGRAM, address))
"""
    _assert_refused(attack(TRY + code), heard, 4)


def test_a_socket_of_a_pair_sends_elsewhere(attack, listeners):
    """A datagram socket may be one of a pair and still send to any address."""
    addresses, heard = listeners
    code = f"""
for address in {[addresses["unix_datagram"], addresses["abstract_datagram"]]!r}:
    for way in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt("pair", lambda: socket.socketpair(socket.AF_UNIX, way)[0].sendto(b"a", address))
"""
    _assert_refused(attack(TRY + code), heard, 4)


def test_netlink_and_every_other_family(attack):
    code = """
for family in range(1, 47):
    for way in (1, 2, 3, 5):
        attempt(f"family {family}", lambda: socket.socket(family, way))
libc = ctypes.CDLL(None, use_errno=True)
def ring():
    made = libc.syscall(425, 8, ctypes.create_string_buffer(120))
    if made < 0: raise OSError(ctypes.get_errno(), "io_uring")
    return made
attempt("io_uring", ring)
"""
    _assert_refused(attack(TRY + code), [], 46 * 4 + 1)
