"""A bounded reader and writer of ZeroMQ's wire protocol: one connection to one socket of a kernel.

    greeting (64 bytes) + frames; frame = flags (1 byte) + length (1 or 8 bytes) + body

ZeroMQ's own library holds a message until its last frame has come, however many there are, and
ends its process when it finds no memory. Here a message that is too large is passed over while it
comes: of what a kernel sends, never more than one message of `MAX_MESSAGE` is held.

Protocol: ZMTP 3.0 (rfc.zeromq.org/spec/23) with the mechanism NULL.
"""

import socket

MAX_MESSAGE = 2 * 2**20  # ten times the output that is kept of a cell
FRAME_COST = 100  # bytes that a frame counts for besides its body
CHUNK = 2**18
SECONDS = 10.0  # for a kernel to take what is sent
MORE, LONG, COMMAND = 1, 2, 4
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
LOST = object()  # stands for a message that was too large


def frame(body, flags=0):
    """Return one frame."""
    if len(body) > 255:
        return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body


def _shake_hands(end, kind):
    """Exchange greetings and what kinds of sockets meet; nothing else may be sent before."""
    said = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    end.sendall(GREETING + frame(said, COMMAND))
    heard = _exactly(end, len(GREETING) + 2)
    _exactly(end, heard[-1])  # the other's READY, which is short
    if kind == b"SUB":
        end.sendall(frame(b"\x01"))  # a subscription to everything


def _exactly(end, size):
    heard = b""
    while len(heard) < size:
        part = end.recv(size - len(heard))
        if not part:
            raise ConnectionResetError
        heard += part
    return heard


class Connection:
    """A connection to a kernel's socket, made when `connect` finds that one.

    Args:
        address: str, a local socket's path, or the pair of a host and a port.
        kind: bytes. `b"DEALER"`, or `b"SUB"`, which hears everything.

    Attributes:
        end: the socket; None before it is connected and after it was closed.
    """

    def __init__(self, address, kind):
        self._address, self._kind = address, kind
        self.end = None
        self._came = bytearray()
        self._parts, self._size, self._drop, self._lost = [], 0, 0, False

    def connect(self):
        """Try to connect; return whether it is connected."""
        if self.end is not None:
            return True
        local = isinstance(self._address, str)
        end = socket.socket(socket.AF_UNIX if local else socket.AF_INET, socket.SOCK_STREAM)
        end.settimeout(SECONDS)
        try:
            end.connect(self._address)
            _shake_hands(end, self._kind)
        except OSError:  # it does not listen yet
            end.close()
            return False
        self.end = end
        return True

    def send(self, parts):
        """Send one message; what is not connected, or takes nothing, gets none."""
        flags = [MORE] * (len(parts) - 1) + [0]
        if self.end is None:
            return
        self.end.settimeout(SECONDS)
        try:
            self.end.sendall(b"".join(map(frame, parts, flags)))
        except OSError:
            self.close()

    def take(self):
        """Return the next message as a list of bytes, `LOST`, or None where none is whole yet."""
        while self._came:
            if self._drop:
                dropped = min(self._drop, len(self._came))
                del self._came[:dropped]
                self._drop -= dropped
            else:
                whole, message = self._take_frame()
                if message is not None or not whole:
                    return message
        return None

    def receive(self):
        """Read what has come; to be called when something has."""
        self.end.settimeout(0)
        try:
            came = self.end.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            self.close()
        dropped = 0 if self._came else min(self._drop, len(came))
        self._drop -= dropped
        self._came += came[dropped:] if dropped else came

    def _take_frame(self):
        """Take one frame; return whether it was there, and the message that it ends, or None."""
        start = 9 if self._came[0] & LONG else 2
        if len(self._came) < start:
            return False, None
        flags, length = self._came[0], int.from_bytes(self._came[1:start], "big")
        if flags & COMMAND:
            del self._came[:start]
            self._drop = length
            return True, None
        self._size += length + FRAME_COST
        if self._lost or self._size > MAX_MESSAGE:
            return True, self._pass_over(start, length, flags & MORE)
        if len(self._came) < start + length:
            self._size -= length + FRAME_COST  # it is counted when it is here
            return False, None
        self._parts.append(bytes(self._came[start : start + length]))
        del self._came[: start + length]
        return True, None if flags & MORE else self._end_message()

    def _pass_over(self, start, length, more):
        """Leave out a frame of a message that is too large; say so once."""
        del self._came[:start]
        said, self._lost, self._drop, self._parts = self._lost, True, length, []
        if not more:
            self._end_message()
        return None if said else LOST

    def _end_message(self):
        parts, self._parts, self._size, self._lost = self._parts, [], 0, False
        return parts

    def close(self):
        """Close the connection; a message that has come whole can still be taken."""
        end, self.end = self.end, None
        if end is not None:
            end.close()
