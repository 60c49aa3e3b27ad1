"""JupyterLab's kernels: warm where that is the same kernel, else ordinary."""

import os
import sys
import time

import psutil
import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from autograder.kernels import provisioner
from autograder.kernels.owner import supported
from autograder.kernels.provisioner import ForkedProcess, WarmProvisioner, cold_reason

pytestmark = pytest.mark.skipif(bool(supported()), reason=supported() or "supported")
COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "kernel.json"]


@pytest.fixture(scope="module", autouse=True)
def _one_zygote():
    yield
    if provisioner._zygote is not None:
        provisioner._zygote.stop()
        provisioner._zygote = None


@pytest.fixture
def manager(monkeypatch, tmp_path):
    """A kernel manager as JupyterLab has it, with the course's provisioner."""
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", "course-warm")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    manager = KernelManager(kernel_name="python3", shutdown_wait_time=5.0)
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


@pytest.fixture
def ask(manager):
    """Return the function that runs code in the kernel and returns what it printed."""
    clients = []

    def run(code, start=True, **options):
        if not manager.has_kernel and start:
            manager.start_kernel(**options)
        client = manager.blocking_client()
        clients.append(client)
        client.start_channels()
        client.wait_for_ready(60)
        said = []

        def hook(message):
            said.append(message["content"].get("text") or message["content"].get("ename") or "")

        def answer(message):
            client.input("forty-two")

        client.execute_interactive(code, timeout=60, output_hook=hook, stdin_hook=answer)
        return "".join(said).strip()

    yield run
    for client in clients:
        client.stop_channels()


def test_a_lab_kernel_is_a_fork_and_answers(manager, ask):
    assert ask("import sys; print('tensorflow' in sys.modules)") == "True"
    assert isinstance(manager.provisioner, WarmProvisioner)
    assert isinstance(manager.provisioner.process, ForkedProcess)
    assert ask("print(input('what? '))") == "forty-two"
    assert "hello" in ask("!echo hello")


def test_a_restart_is_a_new_fork(manager, ask):
    first = int(ask("kept = 1; import os; print(os.getpid())"))
    manager.restart_kernel(now=True)
    assert ask("print('kept' in dir())") == "False"
    assert int(ask("import os; print(os.getpid())")) != first
    assert not psutil.pid_exists(first)


def test_an_interrupt_reaches_the_cell(manager, ask):
    ask("1")
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(60)
    request = client.execute("while True: pass")
    time.sleep(1)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=30)
    while reply["parent_header"].get("msg_id") != request:
        reply = client.get_shell_msg(timeout=30)
    client.stop_channels()
    assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_a_shutdown_leaves_no_process(manager, ask):
    pid = int(ask("import os; print(os.getpid())"))
    manager.shutdown_kernel()
    assert not psutil.pid_exists(pid)


def test_another_environment_starts_cold(manager, ask):
    """What TensorFlow and Keras read at import cannot be changed in a fork."""
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0"}
    code = "import os, sys; print(os.environ['TF_ENABLE_ONEDNN_OPTS'], 'keras' in sys.modules)"
    assert ask(code, env=environment) == "0 False"
    assert not isinstance(manager.provisioner.process, ForkedProcess)


@pytest.mark.parametrize(
    "command",
    [
        ["bash", "-c", "true"],
        ["/usr/bin/python3", *COMMAND[1:]],
        [sys.executable, "-m", "another_kernel", "-f", "kernel.json"],
        [sys.executable, "-c", "pass"],
    ],
)
def test_other_kernels_start_cold(command):
    assert cold_reason(command, dict(os.environ)) == "it is not the course's own Python kernel."


def test_installed_packages_start_the_warm_process_anew(monkeypatch):
    assert cold_reason(COMMAND, dict(os.environ)) == ""
    before = provisioner.zygote()
    monkeypatch.setattr(provisioner, "installed", lambda: ["something new"])
    assert provisioner.zygote() is not before


def test_platforms_without_fork_start_cold(monkeypatch):
    monkeypatch.setattr(provisioner, "_zygote", None)
    monkeypatch.setattr("autograder.kernels.owner.sys.platform", "darwin")
    assert "no warm kernels" in cold_reason(COMMAND, dict(os.environ))
    assert "need Linux" in supported()
