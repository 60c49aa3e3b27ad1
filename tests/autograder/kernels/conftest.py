"""Kernels forked from one zygote."""

import json
import os

import pytest
from jupyter_client.connect import write_connection_file

from autograder.kernels.client import CellClient
from autograder.kernels.owner import Zygote, supported

pytestmark = pytest.mark.skipif(bool(supported()), reason=supported() or "supported")


class Running:
    """A forked kernel with a client."""

    def __init__(self, zygote, folder, environment=None):
        place, _ = write_connection_file(
            str(folder / "kernel.json"), transport="ipc", ip=str(folder / "s"), key=b"secret"
        )
        settings = os.environ | {"IPYTHONDIR": str(folder)} | (environment or {})
        self.kernel = zygote.fork(["-f", place], folder, settings)
        self.client = CellClient(place, lambda: self.kernel.poll() is None)
        assert self.client.wait_until_ready()

    def run(self, source, seconds=60):
        """Run a cell; return what it printed, or the name of its error."""
        messages, said = self.client.messages(self.client.execute(source), seconds), []
        while True:
            try:
                kind, content, _ = next(messages)
            except StopIteration as end:
                return "".join(said).strip() if end.value else "it did not end"
            said.append(
                {"stream": content.get("text"), "error": content.get("ename")}.get(kind) or ""
            )

    def value(self, expression):
        """Return the value of an expression that JSON can hold."""
        return json.loads(self.run(f"import json; print(json.dumps({expression}))"))

    def close(self):
        """End it."""
        self.client.close()
        self.kernel.close()
        self.kernel.wait_gone(5)


@pytest.fixture(scope="session")
def zygote():
    """One warm process for all tests."""
    if supported():
        pytest.skip(supported())
    zygote = Zygote(os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
    yield zygote
    zygote.stop()


@pytest.fixture
def start(zygote, tmp_path_factory):
    """Return the function that starts a kernel; all are ended with the test."""
    running = []

    def run(environment=None, of=zygote):
        running.append(Running(of, tmp_path_factory.mktemp("k"), environment))
        return running[-1]

    yield run
    for each in running:
        each.close()
