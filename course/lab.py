"""Start JupyterLab at the course's start page, in the learner's workspace."""

import os
import signal
import sys
from pathlib import Path

from course.errors import CourseError
from course.workspace import PACKAGE, labs_root, prepare, set_learner, workspace_root

START_PAGE = "start.md"


def print_now(line):
    """Print a line at once, also into a pipe or a file."""
    print(line, flush=True)


def lab_environment(workspace, environment=None):
    """Return the environment for JupyterLab, its kernels and its terminals.

    `mytransformer` is importable from every notebook, whatever folder it lies in, and a
    terminal in JupyterLab finds the `course` command.
    """
    environment = dict(os.environ if environment is None else environment)
    for name, value in (
        ("PYTHONPATH", workspace),
        ("JUPYTER_CONFIG_PATH", PACKAGE / "jupyter_config"),
        ("PATH", Path(sys.executable).parent),
    ):
        paths = [str(value), environment.get(name, "")]
        environment[name] = os.pathsep.join(path for path in paths if path)
    environment["COURSE_WORKSPACE"] = str(workspace)
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    environment.setdefault("JUPYTER_DEFAULT_PROVISIONER_NAME", "course-warm")
    environment.setdefault("KERAS_BACKEND", "tensorflow")
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return environment


def lab_options(workspace, port=None, browser=True):
    """Return the options JupyterLab is started with."""
    options = {
        "ServerApp.root_dir": workspace,
        "ServerApp.open_browser": browser,
        "ServerApp.log_level": "ERROR",
        "ServerApp.allow_root": getattr(os, "geteuid", lambda: 1)() == 0,
        "KernelManager.transport_encryption": "auto",
        "LabApp.default_url": f"/lab/tree/{START_PAGE}",
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.workspaces_dir": workspace / ".course" / "layouts",
        "LabApp.log_level": "ERROR",
    }
    if port is not None:
        options["ServerApp.port"] = port
    if os.name == "posix":  # no login shell: /etc/profile would forget the path to `course`
        shell = os.environ.get("SHELL") or "sh"
        options["ServerApp.terminado_settings"] = {"shell_command": [shell]}
    return [f"--{name}={value}" for name, value in options.items()]


def start_lab(port=None, browser=True, learner=None, say=print_now):
    """Prepare the workspace, start JupyterLab and serve until it is stopped.

    Args:
        port: int. The first port to try; a busy one is passed over. Defaults to 8888.
        browser: bool. Open a browser, or only print the address.
        learner: str. The learner's id, written down for the quizzes.
        say: called with each line for the person at the keyboard.
    """
    workspace = workspace_root()
    if not (labs_root() / START_PAGE).is_file():
        raise CourseError(f"{labs_root() / START_PAGE} is missing: run `course build` to make it.")
    for line in prepare(workspace=workspace):
        say(line)
    if learner:
        set_learner(workspace, learner)
    os.environ.update(lab_environment(workspace))
    os.chdir(workspace)  # where terminals begin
    from jupyterlab.labapp import LabApp

    server = LabApp.initialize_server(argv=lab_options(workspace, port, browser))
    server.log.addFilter(lambda record: "To access the server" not in record.getMessage())
    # The port is bound by a callback of the loop, so this one comes when the page answers.
    server.io_loop.add_callback(_announce, server.public_url, say)
    signal.signal(signal.SIGINT, lambda *_: _stop(server))
    server.start()
    say("JupyterLab has stopped. Your work is saved in " + str(workspace))


def _announce(address, say):
    say(f"The course is open at {address}")
    say("Press Ctrl-C here to stop it.")


def _stop(server):
    """End the server and its kernels; a second Ctrl-C ends at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server.stop(from_signal=True)
