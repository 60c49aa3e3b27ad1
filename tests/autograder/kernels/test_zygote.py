"""Forks of the zygote are ordinary kernels, each on its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from autograder.kernels.owner import Zygote

OPENED = """
import os
def opened():
    # IPython writes its history in a thread of its own, whenever that has time
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    targets = [os.readlink(link) for link in links if os.path.islink(link)]
    return [target for target in targets if "profile_default" not in target]
"""
OPERATION = "import keras; print(float(keras.ops.sum(keras.ops.ones((3, 5)))))"


def gone(pid, seconds=10):
    """Return whether a process ends in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_fork_runs_tensorflow_plots_and_trains(start):
    kernel = start()
    assert kernel.run(OPERATION) == "15.0"
    train = """
import keras, numpy as np
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse", jit_compile=True)
history = model.fit(np.ones((8, 2)), np.zeros((8, 1)), epochs=3, verbose=0).history["loss"]
"""
    assert kernel.run(train) == ""
    assert kernel.value("history[0] > history[-1]")


@pytest.mark.parametrize("show", ["plt.show()", ""], ids=["shown", "at the end of the cell"])
def test_a_plot_is_a_picture_below_its_cell(start, show):
    """As in an ordinary kernel, whose matplotlib is imported after the notebook is there."""
    kernel = start()
    request = kernel.client.execute(f"import matplotlib.pyplot as plt\nplt.plot([3, 1]);\n{show}")
    shown = [c["data"] for kind, c, _ in kernel.client.messages(request, 60) if "data" in c]
    assert [sorted(data) for data in shown] == [["image/png", "text/plain"]]
    assert "inline" in kernel.run("print(plt.get_backend())")


def test_a_warning_of_tensorflow_stands_below_its_cell(start):
    """The logger was made in the zygote, whose streams are not the kernel's."""
    kernel = start()
    said = kernel.run("import tensorflow as tf; tf.get_logger().warning('slow')")
    assert said == "WARNING:tensorflow:slow"


def test_a_kernel_that_is_shut_down_ends_without_an_error(start):
    """Each fork empties `__main__`, in which the zygote must not live."""
    kernel = start()
    kernel.client.execute("get_ipython().kernel.io_loop.stop()")
    assert kernel.kernel.wait(10) == 0


def test_forks_draw_different_random_numbers(start):
    draw = (
        "[__import__('random').random(), float(__import__('numpy').random.rand()),"
        " float(__import__('keras').random.uniform(()))]"
    )
    one, other = start().value(draw), start().value(draw)
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_a_fork_has_its_own_environment_folder_and_names(start):
    kernel = start({"COURSE_TEST": "here"})
    assert kernel.value("__import__('os').environ['COURSE_TEST']") == "here"
    assert kernel.value("__import__('os').getcwd()") == kernel.value(
        "__import__('os').environ['IPYTHONDIR']"
    )
    assert kernel.value("__name__") == "__main__"
    assert kernel.value("'zygote' in dir() or 'serve' in dir()") is False
    assert kernel.value("__import__('sys').executable") == sys.executable


def test_a_fork_holds_nothing_open_that_belongs_to_another(start):
    first, second = start(), start()
    for kernel in (first, second):
        kernel.run(OPENED)
    opened = [kernel.value("opened()") for kernel in (first, second)]
    assert len(opened[0]) > 20
    assert abs(len(opened[0]) - len(opened[1])) <= 1
    assert second.value("__import__('os').getsid(0) == __import__('os').getpid()")


def test_the_warm_process_outlives_who_asks_it(start, zygote, tmp_path):
    """A worker that is killed in the middle of asking costs the others nothing."""
    start()
    pid = zygote._process.pid
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    request = {"argv": [], "cwd": str(tmp_path), "environment": {}}
    socket.send_fds(zygote._socket, [json.dumps(request).encode()], [theirs.fileno()])
    theirs.close()
    assert start().value("1 + 1") == 2
    assert zygote._process.pid == pid


def test_an_interrupt_stops_a_cell_and_the_kernel_goes_on(start):
    kernel = start()
    request = kernel.client.execute("while True: pass")
    time.sleep(1)
    kernel.kernel.signal(signal.SIGINT, group=False)
    names = [c["ename"] for kind, c, _ in kernel.client.messages(request, 30) if kind == "error"]
    assert names == ["KeyboardInterrupt"]
    assert kernel.value("1 + 1") == 2


def test_a_kernel_ends_with_its_owners_socket(start):
    kernel = start()
    kernel.kernel._control.close()
    assert gone(kernel.kernel.pid)


def test_the_exit_code_comes_through(start):
    kernel = start()
    kernel.client.execute("import os; os._exit(7)")
    assert kernel.kernel.wait(10) == 7
    killed = start()
    os.kill(killed.kernel.pid, signal.SIGKILL)
    assert killed.kernel.wait(10) == -signal.SIGKILL


def test_a_dead_zygote_kills_no_kernel_and_another_takes_over(start):
    zygote = Zygote(os.environ)
    try:
        kernel = start(of=zygote)
        os.kill(zygote._process.pid, signal.SIGKILL)
        assert gone(zygote._process.pid)
        assert kernel.value("2 + 2") == 4
        assert start(of=zygote).value("3 + 3") == 6
    finally:
        zygote.stop()


def test_it_leaves_after_idle_time_and_with_its_owner():
    idle = Zygote(os.environ, idle_seconds=0.2)
    idle.start()
    pid = idle._process.pid
    assert idle._process.wait(60) == 0
    idle.stop()
    owner = (
        "from autograder.kernels.owner import Zygote; z = Zygote(); z.start();"
        "print(z._process.pid, flush=True); import os; os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", owner], capture_output=True, text=True, check=False
    )
    assert gone(int(done.stdout), 60)
    assert gone(pid)


def test_it_refuses_to_fork_beside_other_threads():
    code = (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "from autograder.kernels import zygote; zygote.WARM = ()\n"
        "try: zygote.warm_up()\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "a fork is not safe" in done.stdout
