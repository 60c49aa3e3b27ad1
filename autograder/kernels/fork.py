"""What a fork of the zygote does to become an ordinary ipykernel.

It leaves nothing of the zygote behind: own session, standard streams, folder, environment,
random seeds, thread counts; and it ends when its owner's end of its socket closes.
"""

import logging
import os
import random
import select
import signal
import sys
import threading

from autograder.kernels import CONTROL, WIRE


def become_kernel(request, fds):
    """Run the kernel that a request describes; return its exit code.

    A request with a `tier` asks for a confined kernel: see `autograder.confine.enter`.

    Args:
        request: dict. `argv` (the kernel's arguments), `cwd` and `environment`.
        fds: list of int. The socket to the owner, then what replaces standard input, output and
            error; for a confined kernel the wire to the referee instead.
    """
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "tier" in request:
        return _become_confined(request, fds)
    take_descriptors(fds)
    take_environment(request["environment"], request["cwd"])
    reseed()
    threading.Thread(target=_end_with_owner, daemon=True).start()
    return run_ipykernel(request["argv"])


def _become_confined(request, fds):
    from autograder.confine.enter import become_warden

    take_descriptors(fds[:1], wire=fds[1])
    return become_warden(request, _run_confined)


def _run_confined(request, bound):
    take_environment(request["environment"], request["cwd"])
    reseed()
    return run_ipykernel(request["argv"], bound)


def take_descriptors(fds, wire=None):
    """Put the socket at `CONTROL`, the streams at 0 to 2, and close everything else.

    The wire to a referee, where there is one, comes right after the socket.
    """
    high = [os.dup2(fd, 100 + place, inheritable=False) for place, fd in enumerate(fds)]
    wire = None if wire is None else os.dup2(wire, 120, inheritable=False)
    control, *streams = high
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(streams[number] if number < len(streams) else nothing, number)
    os.dup2(control, CONTROL, inheritable=False)
    if wire is not None:
        os.dup2(wire, WIRE, inheritable=False)
    os.closerange(CONTROL + 1 if wire is None else WIRE + 1, 65536)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = open(number, mode, buffering=1, closefd=False, errors="replace")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def take_environment(environment, cwd):
    """Take over another process's environment and folder."""
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(cwd)
    restore_threads(environment)


def restore_threads(environment):
    """Give NumPy's BLAS back the threads that it had to forgo before the fork."""
    import ctypes
    import glob

    import numpy as np

    wanted = environment.get("OPENBLAS_NUM_THREADS") or environment.get("OMP_NUM_THREADS")
    count = int(wanted) if wanted and wanted.isdigit() else len(os.sched_getaffinity(0))
    folder = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs")
    for path in glob.glob(os.path.join(folder, "lib*openblas*")):
        library = ctypes.CDLL(path)
        for name in ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads"):
            if hasattr(library, name):
                getattr(library, name)(count)


def reseed():
    """Draw new random states, which else would be equal in every fork.

    Keras draws its first seed from Python's generator, and the zygote has drawn none.
    """
    import numpy as np

    random.seed()
    np.random.seed()
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None
        tempfile._name_sequence = None


def run_ipykernel(argv, bound=None):
    """Run `python -m ipykernel_launcher` with these arguments in this process.

    Args:
        argv: list of str.
        bound: called when all sockets are bound and no cell has run.
    """
    from ipykernel.kernelapp import IPKernelApp

    import __main__

    sys.argv = ["ipykernel_launcher", *argv]
    __main__.__dict__.clear()
    __main__.__dict__.update(__name__="__main__", __doc__=None, __builtins__=__builtins__)
    IPKernelApp.clear_instance()
    app = IPKernelApp.instance()
    if bound is not None:
        app.init_iopub = _without_loss(app.init_iopub)
    app.initialize(list(argv))
    choose_backend()
    redirect_tensorflow()
    if bound is not None:
        app.shell.system = app.shell.system_raw  # `!` lines: there are no terminals to ask for
        bound()
    app.start()
    return 0


def choose_backend():
    """Let matplotlib draw by the backend of this kernel, which it would have read at its import."""
    matplotlib, wanted = sys.modules.get("matplotlib"), os.environ.get("MPLBACKEND")
    if matplotlib is not None and wanted:
        matplotlib.rcParams["backend"] = wanted


def redirect_tensorflow():
    """Let TensorFlow's warnings stand below the cell, as where a notebook has imported it.

    At its import it asks whether Python is interactive, which IPython is and the zygote is not.
    """
    logger = logging.getLogger("tensorflow")
    for handler in logger.handlers:
        handler.stream = sys.stdout  # `setStream` would flush the old one, which is closed
        logger.setLevel(logging.INFO)


def _without_loss(init_iopub):
    """Let output wait in the kernel, in its own memory, until the grader takes it."""

    def init(context):
        context.sndhwm = 0
        init_iopub(context)
        context.sndhwm = 1000

    return init


def _end_with_owner():
    """End this kernel when its owner is gone; the owner's end of the socket says so."""
    waiting = select.poll()
    waiting.register(CONTROL, select.POLLRDHUP | select.POLLHUP)
    waiting.poll()
    os.kill(os.getpid(), signal.SIGKILL)
