"""The bounded reader of a kernel's messages, against ZeroMQ itself and what no peer of it sends."""

import socket
import threading
import tracemalloc
from multiprocessing.connection import wait

import pytest
import zmq

from autograder.kernels.zmtp import COMMAND, LOST, MAX_MESSAGE, MORE, Connection, frame

MEGABYTE = 2**20


def next_of(connection):
    """Return the next message, or None when the peer has closed."""
    while (message := connection.take()) is None and connection.end is not None:
        wait([connection.end])
        connection.receive()
    return message


@pytest.fixture
def peer(tmp_path):
    """Return the function that opens a socket of ZeroMQ's and a connection to it."""
    context, opened = zmq.Context(), []

    def run(theirs, ours, network=False):
        end = context.socket(theirs)
        place = str(tmp_path / "s")
        if network:
            place = ("127.0.0.1", end.bind_to_random_port("tcp://127.0.0.1"))
        else:
            end.bind(f"ipc://{place}")
        connection = Connection(place, ours)
        opened.extend([end, connection])
        assert connection.connect()
        return end, connection

    yield run
    for each in opened:
        each.close()
    context.destroy(0)


@pytest.fixture
def raw():
    """What writes bytes as it likes in a thread, and the connection that reads them."""
    theirs, ours = socket.socketpair()
    connection, threads = Connection("", b"SUB"), []
    connection.end = ours

    def write(*parts):
        def run():
            with theirs:
                for part in parts:
                    theirs.sendall(part)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return connection

    yield write
    connection.close()
    for thread in threads:
        thread.join()
    theirs.close()


@pytest.mark.parametrize("network", [False, True])
def test_a_dealer_and_a_router_understand_each_other(peer, network):
    router, connection = peer(zmq.ROUTER, b"DEALER", network)
    for size in (0, 1, 255, 256, 70_000):
        connection.send([b"first", bytes(size)])
        name, *parts = router.recv_multipart()
        assert parts == [b"first", bytes(size)]
        router.send_multipart([name, bytes(size), b"", b"last"])
        assert next_of(connection) == [bytes(size), b"", b"last"]


def test_a_subscriber_hears_everything(peer):
    publisher, connection = peer(zmq.XPUB, b"SUB")
    assert publisher.recv() == b"\x01"
    for number in range(100):
        publisher.send_multipart([b"topic", str(number).encode()])
    for number in range(100):
        assert next_of(connection) == [b"topic", str(number).encode()]


def test_nobody_listens(tmp_path):
    assert not Connection(str(tmp_path / "s"), b"SUB").connect()


def test_a_message_of_many_parts_is_passed_over_while_it_comes(peer):
    """ZeroMQ's own reader would hold all of it."""
    publisher, connection = peer(zmq.XPUB, b"SUB")
    assert publisher.recv() == b"\x01"
    publisher.send_multipart([bytes(MEGABYTE)] * 100)
    publisher.send_multipart([b"after"])
    tracemalloc.start()
    try:
        assert next_of(connection) is LOST
        assert next_of(connection) == [b"after"]
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_MESSAGE
    finally:
        tracemalloc.stop()


ENDLESS = {
    "a length without end": (b"\x02" + (2**62).to_bytes(8, "big"), bytes(MEGABYTE)),
    "empty frames without end": (bytes([MORE, 0]) * 50_000,),
    "frames without end": (frame(bytes(MEGABYTE), MORE),) * 20,
}


@pytest.mark.parametrize("way", ENDLESS)
def test_a_message_without_end_is_lost_once(raw, way):
    connection = raw(frame(b"before"), *ENDLESS[way])
    assert next_of(connection) == [b"before"]
    tracemalloc.start()
    try:
        assert next_of(connection) is LOST
        assert next_of(connection) is None
        assert tracemalloc.get_traced_memory()[1] < 5 * MAX_MESSAGE
    finally:
        tracemalloc.stop()


def test_the_largest_message_comes_whole_and_commands_are_no_messages(raw):
    largest = bytes(MAX_MESSAGE - 300)
    connection = raw(
        frame(b"\x04PING" + bytes(300), COMMAND), frame(b"a", MORE), frame(largest),
        frame(bytes(MAX_MESSAGE)), frame(b"b"), frame(b"c", MORE),
    )  # fmt: skip
    assert next_of(connection) == [b"a", largest]
    assert next_of(connection) is LOST
    assert next_of(connection) == [b"b"]
    assert next_of(connection) is None
