"""Real servers for the browser to talk to: started by the course's own commands, ended by pid."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
LEARNER = "mia"
START, STOP = 120, 30


class Server:
    """A running Jupyter server.

    Attributes:
        address: what it printed for the browser, token included.
        folder: the folder it serves.
        log: the file that holds what it printed.
    """

    def __init__(self, command, folder, scratch, environment=None, end=signal.SIGTERM):
        """Start a server and wait until it has printed its address.

        Args:
            command: the program of the environment and its arguments.
            folder: the folder it serves, and its working directory if it exists.
            scratch: a folder of its own for its settings, kernels' files and log.
            environment: variables to add.
            end: the signal that ends it.
        """
        self.folder, self.log, self._end = Path(folder), scratch / "server.log", end
        self._scratch = str(scratch)
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [BIN / command[0], *command[1:]],
                cwd=folder if Path(folder).is_dir() else scratch,
                env=private(scratch) | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.address = self._wait_for_address()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def base(self):
        """The address without page and token."""
        return re.match(r"https?://[^/]+", self.address)[0]

    @property
    def token(self):
        """What lets a browser in."""
        return self.address.partition("token=")[2]

    def page(self, path):
        """Return the address of a page of this server, with no other tab beside it."""
        return f"{self.base}{path}?reset&token={self.token}"

    def stop(self):
        """End the server; fail if it, a kernel or anything else it started stays behind."""
        self._process.send_signal(self._end)
        try:
            code = self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"The server did not stop in {STOP} s:\n{self.tail()}") from None
        assert code == 0, f"The server ended with {code}:\n{self.tail()}"
        wait_until(lambda: not started_by(self._scratch), 20, "its processes have ended")

    def tail(self):
        """Return the end of what it printed."""
        return self.log.read_text(errors="replace")[-3000:]

    def _wait_for_address(self):
        end = time.monotonic() + START
        while time.monotonic() < end:
            found = re.search(r"https?://(?:localhost|127\.0\.0\.1):\S+token=\w+", self.tail())
            if found:
                return found[0]
            if self._process.poll() is not None:
                raise AssertionError(f"The server did not start:\n{self.tail()}")
            time.sleep(0.05)
        raise AssertionError(f"The server did not start in {START} s:\n{self.tail()}")


def course_lab(workspace, scratch):
    """Start `course lab` for a learner, in a workspace."""
    environment = {"COURSE_WORKSPACE": str(workspace), "NO_BROWSER": "1"}
    command = ["course", "lab", "--learner", LEARNER, "--port", str(free_port())]
    return Server(command, workspace, scratch, environment, signal.SIGINT)


def jupyter_lab(folder, scratch):
    """Start JupyterLab as it comes, as an instructor does in a course folder."""
    command = ["jupyter", "lab", "--no-browser", f"--port={free_port()}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")
    return Server(command, folder, scratch)


def private(scratch):
    """Return the environment, with Jupyter's and IPython's own folders inside `scratch`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "COURSE_"))}
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(scratch / name.lower()) for name in names}
    return kept | own | {"PYTHONUNBUFFERED": "1", "JUPYTER_PREFER_ENV_PATH": "1"}


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("localhost", 0)) as probe:
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Wait for a state that no browser shows.

    Returns:
        What `condition` returned: the first result that is true.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"After {seconds} s it does not hold that {what}."
        time.sleep(0.05)
    return found


def started_by(scratch):
    """Return the processes whose environment names a scratch folder, where /proc tells."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if scratch.encode() in place.read_bytes():
                found.append(int(place.parent.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found
