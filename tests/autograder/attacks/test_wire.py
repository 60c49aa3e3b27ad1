"""Group 12: the learner's side of the wire says what it likes, and the output channel too.

`channel.serve` runs in the learner's kernel, so a cell can put another one in its place. This one
answers the calls of one exercise as the attack likes, and the rest honestly.
"""

import pytest

from autograder.exercise import find
from tests.autograder.attacks.conftest import SILENT, SLUG

EXERCISES = [find(f"{SLUG}.{name}") for name in SILENT]
LIMITS = {"call_seconds": 2, "cell_seconds": 5}
SERVE = """
import json, os, struct, threading, time
import numpy as np
from autograder.wire import channel, codec, probe
FRAME = struct.Struct(">QQ")
def serve(number, namespace):
    honest, lock = probe.Probe(namespace), threading.Lock()
    def write(data):
        with lock: channel._write(number, data)
    while frame := channel._read(number, FRAME.size):
        request, size = FRAME.unpack(frame)
        if not size: return
        message = channel._read(number, size)
        reply = honest.handle(message)
        asked = codec.decode(message)["arguments"]
        (evil if asked.get("target") in targets else send)(write, request, reply)
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


REPLIES = {
    "extra_replies": "for number in range(request + 50): send(write, number, reply)",
    "wrong_numbers": """
for number in (0, request - 1, request + 1, 2**64 - 1): send(write, number, reply)
""",
    "a_giant_length": "write(FRAME.pack(request, 2**63) + reply)",
    "a_length_that_is_too_long": "write(FRAME.pack(request, len(reply) + 2**20) + reply)",
    "no_length": "write(FRAME.pack(request, 0))",
    "no_frames": "write(os.urandom(2**20))",
    "a_stalled_half": """
write(FRAME.pack(request, len(reply)) + reply[:len(reply) // 2])
time.sleep(3600)
""",
    "the_end_of_the_wire": "os.close(4); os.closerange(100, 200); write(b'')",
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


@pytest.mark.parametrize("way", REPLIES)
def test_replies(attack, way):
    attack(evil(REPLIES[way]), answers=SILENT, limits=LIMITS).assert_failed()


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
    cases = [case for exercise in EXERCISES for case in exercise.cases]
    assert len(cases) >= len(values), "not every value would be said"
    attack(f"said = [{', '.join(values)}]\n{cell}", answers=SILENT, limits=LIMITS).assert_failed()


def test_values_that_are_no_answers(attack):
    """Each call returns the next one."""
    source = f"""
returned = [{", ".join(VALUES_OF_CALLS)}]
def masked_softmax(*args, **kwargs):
    import numpy as np
    returned.append(returned.pop(0))
    return returned[-1](np)
"""
    attack(answers={"masked_softmax": source}, limits=LIMITS).assert_failed()


def test_late_replies(attack):
    """The right answer to the last question comes after its time, for the next question."""
    body = """
time.sleep(1.5)
send(write, request, reply)
"""
    attack(evil(body), answers=SILENT, limits=LIMITS).assert_failed()


def test_replies_from_a_thread(attack):
    """A thread goes on sending, also while the next exercise is checked."""
    body = """
def flood():
    for number in range(10**9): send(write, number % 5000 + 10**6, reply)
threading.Thread(target=flood, daemon=True).start()
time.sleep(3600)
"""
    attack(evil(body), answers=SILENT, limits=LIMITS).assert_failed()


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
for _ in range(3):
    kernel.iopub_thread.schedule(lambda: publish(kernel.iopub_thread.socket))
print("sent 600 MB thrice")
"""
    attack(code, limits=LIMITS | {"memory": 2000}).assert_failed()


def test_forged_ends_of_a_cell(attack):
    """It says that its cell and all later ones are done, with any number, before they begin."""
    code = """
kernel = get_ipython().kernel
for state in ("idle", "busy", "idle", "starting", ["idle"], None):
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": state},
                        parent=kernel.get_parent(), ident=b"status")
    for content in ({}, {"status": "ok", "payload": [{"source": "set_next_input"}]}):
        kernel.session.send(kernel.iopub_socket, "execute_reply", content,
                            parent=kernel.get_parent(), ident=b"x")
        kernel.session.send(kernel.shell_stream or kernel.shell_socket, "execute_reply", content,
                            parent=kernel.get_parent(), ident=kernel._parent_ident)
"""
    attack(code, limits=LIMITS).assert_failed()
