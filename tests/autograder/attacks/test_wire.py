"""Group 12: the learner's side of the wire says what it likes, and the output channel too.

`channel.serve` runs in the learner's kernel, so a cell can put another one in its place. This one
answers the calls of one exercise as the attack likes, and the rest honestly. Each test asserts that
the attack happened: the last cell says how often, or, where the kernel does not live to see that
cell, the feedback says what it met.
"""

import re

import nbformat
import pytest

from autograder.exercise import find
from tests.autograder.attacks.conftest import SILENT, SLUG
from tests.autograder.grading.conftest import ANSWERS

EXERCISES = [find(f"{SLUG}.{name}") for name in SILENT]
LIMITS = {"call_seconds": 2, "cell_seconds": 5}
SERVE = """
import json, os, struct, threading, time
import numpy as np
from autograder.wire import channel, codec, probe
FRAME, ran = struct.Struct(">QQ"), []
def serve(number, namespace):
    global number_of_the_wire
    number_of_the_wire = number
    honest, lock = probe.Probe(namespace), threading.Lock()
    def write(data):
        with lock: channel._write(number, data)
    while frame := channel._read(number, FRAME.size):
        request, size = FRAME.unpack(frame)
        if not size: return
        message = channel._read(number, size)
        reply = honest.handle(message)
        asked = codec.decode(message)["arguments"]
        if asked.get("target") not in targets:
            send(write, request, reply)
            continue
        ran.append(request)
        evil(write, request, reply)
def send(write, request, reply):
    write(FRAME.pack(request, len(reply)) + reply)
def header(text):
    text = text if isinstance(text, bytes) else text.encode()
    return len(text).to_bytes(4, "big") + text
channel.serve = serve
masked_softmax = causal_mask = scaled_dot_product_attention = lambda *a, **k: np.zeros((2, 3))
"""


def evil(body, *targets):
    """Return the attack's cell: a wire that answers calls of the targets by `body`."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    targets = targets or ("masked_softmax",)
    return f"targets = {targets}\n{SERVE}\ndef evil(write, request, reply):\n{lines}\n"


TOO_LATE = "Your code ran for more than 2 seconds"
REPLIES = {  # what is sent, and what the feedback says where the kernel does not live to tell
    "extra_replies": (
        "for number in (*range(50), request, request, request + 1): send(write, number, reply)",
        "",
    ),
    "wrong_numbers": (
        "for number in (0, request - 1, request + 1, 2**64 - 1): send(write, number, reply)",
        TOO_LATE,
    ),
    "a_giant_length": ("write(FRAME.pack(request, 2**63) + reply)", "too large to check"),
    "a_length_that_is_too_long": (
        "write(FRAME.pack(request, len(reply) + 2**20) + reply)",
        TOO_LATE,
    ),
    "no_length": ("write(FRAME.pack(request, 0))", ""),
    "no_frames": ("write(bytes([255]) * 2**20)", "too large to check"),
    "a_stalled_half": (
        "write(FRAME.pack(request, len(reply)) + reply[:len(reply) // 2])\ntime.sleep(3600)",
        TOO_LATE,
    ),
    "the_end_of_the_wire": ("os.close(number_of_the_wire)", "The kernel died"),
}
VALUES = {  # what replies say that they return: JSON, and its arrays
    "deep_json": ("""'{"l":[' * 100_000 + ']}' * 100_000""", "[]"),
    "deeper_json": ("'[' * 3_000_000", "[]"),
    "not_a_number": ("'NaN'", "[]"),
    "infinity": ("'1e999'", "[]"),
    "a_float_without_end": ("""'{"f":' + '9' * 4000 + '}'""", "[]"),
    "an_integer_without_end": ("'9' * 4000", "[]"),
    "an_infinite_handle": ("""'{"h":Infinity}'""", "[]"),
    "an_object": ("""'{"a":0}'""", '[["object",[1]]]'),
    "a_negative_shape": ("""'{"a":0}'""", '[["float32",[-1]]]'),
    "a_shape_without_end": ("""'{"a":0}'""", '[["float32",[0,2147483647,2147483647]]]'),
}
VALUES_OF_CALLS = [
    "lambda np: np.full((3, 5), np.nan)",
    "lambda np: float('inf')",
    "lambda np: 10**400",
    "lambda np: (x := []) or x.append(x) or x",
    "lambda np: np.zeros(75_000_000, 'float32')",
    "lambda np: np.zeros((2, 3), complex)",
]


def tell(notebook):
    """Let the last cell say how often the attack ran."""
    notebook.cells.append(nbformat.v4.new_code_cell("print(f'the attack ran {len(ran)} times')"))


def times(outcome):
    """Return how often the attack ran, as the last cell says."""
    (found,) = re.findall(r"the attack ran (\d+) times", outcome.printed)
    return int(found)


@pytest.mark.parametrize("way", REPLIES)
def test_replies(attack, way):
    body, met = REPLIES[way]
    outcome = attack(evil(body), answers=SILENT, limits=LIMITS, change=tell)
    outcome.assert_failed()
    assert met in outcome.text
    assert met or times(outcome) > 0


def test_values_as_no_encoder_writes_them(attack):
    """Each reply holds the next one; whatever follows it in the message is no pickle to load."""
    values = [f"({value}, {arrays!r})" for value, arrays in VALUES.values()]
    body = """
said.append(said.pop(0))
value, arrays = said[-1]
text = '{"value":{"d":[["value",' + value + ']]},"arrays":' + arrays + '}'
send(write, request, header(text) + b"cos\\nsystem\\n(S'true'\\ntR.")
"""
    cell = evil(body, "masked_softmax", "causal_mask", "scaled_dot_product_attention")
    outcome = attack(
        f"said = [{', '.join(values)}]\n{cell}", answers=SILENT, limits=LIMITS, change=tell
    )
    outcome.assert_failed()
    assert times(outcome) >= len(values), "not every value was said"


def test_values_that_are_no_answers(attack):
    """Each call returns the next one."""
    source = f"""
ran, returned = [], [{", ".join(VALUES_OF_CALLS)}]
def masked_softmax(*args, **kwargs):
    import numpy as np
    ran.append(returned.pop(0))
    returned.append(ran[-1])
    return returned[-1](np)
"""
    outcome = attack(answers={"masked_softmax": source}, limits=LIMITS, change=tell)
    outcome.assert_failed()
    assert times(outcome) >= len(VALUES_OF_CALLS), "not every value was returned"


def test_late_replies(attack):
    """The right answer to each question comes after its time, while the next one is asked."""
    body = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
time.sleep(1.5)
send(write, request, reply)
"""
    right = f"{evil(body)}\n{ANSWERS['masked_softmax']}"
    outcome = attack(
        "import numpy as np", answers=SILENT | {"masked_softmax": right}, change=tell,
        limits=LIMITS | {"call_seconds": 1},
    )  # fmt: skip
    outcome.assert_failed()
    assert times(outcome) == len(find(f"{SLUG}.masked_softmax").cases)
    assert "Your code ran for more than 1 seconds" in outcome.text


def test_replies_from_a_thread(attack):
    """A thread goes on sending, also while the next exercise is checked."""
    body = """
def flood():
    for number in range(10**9):
        send(write, number % 5000 + 10**6, reply)
        ran.append(number)
if len(ran) == 1: threading.Thread(target=flood, daemon=True).start()
send(write, request, reply)
"""
    outcome = attack(evil(body), answers=SILENT, limits=LIMITS, change=tell)
    outcome.assert_failed()
    assert times(outcome) > 1000


def test_an_array_named_a_thousand_times(attack):
    """A small message that would fill the referee's memory when it is stacked."""
    body = """
many = ",".join(['{"a":0}'] * 4000)
text = '{"value":{"d":[["value",{"l":[%s]}]]},"arrays":[["uint8",[8000000]]]}' % many
send(write, request, header(text) + bytes(8_000_000))
"""
    outcome = attack(evil(body), answers=SILENT, limits=LIMITS)
    outcome.assert_failed()
    assert "an array twice" in outcome.text


def test_an_error_of_four_million_letters(attack):
    """Its text must not keep the referee busy, nor fill the feedback."""
    body = """
text = json.dumps({"value": {"d": [["error", "E" * 10**6], ["text", "{{" * 10**6]]}, "arrays": []})
send(write, request, header(text))
"""
    outcome = attack(evil(body), answers=SILENT, limits=LIMITS)
    outcome.assert_failed()
    assert len(outcome.text) < 2_000_000


def test_a_message_of_600_mb(attack):
    """One message on the output channel, longer than any that is taken."""
    code = """
import zmq
kernel = get_ipython().kernel
big = bytes(600 * 2**20)  # pages that nobody has touched
def publish(socket):
    socket.send_multipart([b"stream", b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", big], copy=False)
kernel.iopub_thread.schedule(lambda: publish(kernel.iopub_thread.socket))
print("sent 600 MB")
"""
    outcome = attack(code, limits=LIMITS | {"memory": 2000})
    outcome.assert_failed()
    assert "sent 600 MB" in outcome.printed
    assert "the rest of the output was left out" in outcome.printed


def test_forged_ends_of_a_cell(attack):
    """It says that its cell and all later ones are done, with any number, before they begin."""
    code = """
import threading
kernel, sent, done = get_ipython().kernel, [], threading.Event()
parent, shell = kernel.get_parent(), kernel.shell_stream
def send(socket, kind, content, ident):
    kernel.session.send(socket, kind, content, parent=parent, ident=ident)
    sent.append(kind)
def replies(ident):
    for content in ({}, {"status": "ok", "payload": [{"source": "set_next_input"}]}):
        for _ in range(6): send(shell, "execute_reply", content, ident)
    done.set()
for state in ("idle", "busy", "idle", "starting", ["idle"], None):
    send(kernel.iopub_socket, "status", {"execution_state": state}, b"status")
    send(kernel.iopub_socket, "execute_reply", {"status": "ok"}, b"x")
shell.io_loop.add_callback(replies, kernel._parent_ident["shell"])
done.wait()
"""
    tell = SILENT | {"causal_mask": "print('forged', len(sent), 'ends')"}
    outcome = attack(code, answers=tell, limits=LIMITS)
    outcome.assert_failed()
    assert "forged 24 ends" in outcome.printed
