"""Share tasks among a few warm processes: each takes the next task when it has done one.

A worker is a fresh interpreter that reads a task as one line of JSON and answers with another. It
keeps what it has imported and loaded, computes on one processor core, and ends with its parent.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ONE_CORE = {  # the arrays are small: more threads only wait for each other
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
PLACE = "COURSE_WORKER"  # "1/4" is the second of four
GRACE = 10


class Workers:
    """Warm processes for several rounds of tasks; use it in a `with` block.

    Args:
        function: str. `"package.module.name"`, which turns a task into a reply, both JSON.
        jobs: int. Processes at a time.
        inherit: descriptors that the processes share with this one.
        place: str. Of the only process, when others elsewhere share the cores: `"1/4"`.
    """

    def __init__(self, function, jobs, inherit=(), place=None):
        places = [place or f"{number}/{jobs}" for number in range(jobs)]
        self._workers = [_Worker(function, each, tuple(inherit)) for each in places]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for worker in self._workers:
            worker.end()

    def start(self):
        """Start the processes now, so that they are warm when the first task comes."""
        for worker in self._workers:
            worker.start()

    def kill(self, gently=False):
        """End the processes; a task in the middle gets the reply of one that died.

        Args:
            gently: bool. Interrupt them, so that they tidy up, where the platform can.
        """
        for worker in self._workers:
            worker.kill(gently)

    def share(self, tasks, begun=None, jobs=None):
        """Yield `(task, reply)` for each task, as they are done.

        Args:
            tasks: list of values that JSON holds; they are begun in this order.
            begun: called with each task when a process takes it.
            jobs: int. Fewer processes at a time than there are.

        Yields:
            A reply is what the function returned, or `{"died": sentence}` when the process ended.
        """
        todo, events = queue.SimpleQueue(), queue.SimpleQueue()
        for task in tasks:
            todo.put(task)
        busy = self._workers[: min(jobs or len(self._workers), len(tasks))]
        threads = [threading.Thread(target=worker.drive, args=(todo, events)) for worker in busy]
        for thread in threads:
            thread.start()
        left = len(tasks)
        try:
            while left:
                event, task, *reply = events.get()
                if event == "begun" and begun:
                    begun(task)
                elif event == "done":
                    left -= 1
                    yield task, *reply
        finally:
            with contextlib.suppress(queue.Empty):
                while True:
                    todo.get_nowait()
            for worker, thread in zip(busy, threads, strict=True):
                if left:  # the caller has stopped in the middle
                    worker.stop(thread)
                thread.join()


def share(tasks, function, jobs, begun=None, inherit=()):
    """Yield `(task, reply)` for each task, from `Workers` that end with the last one."""
    with Workers(function, min(jobs, len(tasks)), inherit) as workers:
        yield from workers.share(tasks, begun)


def own_cores():
    """Return the processors that this worker, one of several, should leave its kernels."""
    number, _, count = os.environ.get(PLACE, "0/1").partition("/")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return tuple(cores[int(number) % max(1, len(cores)) :: int(count)])


def serve(function, parent):
    """Answer each line of standard input with what `function` makes of it, until it ends.

    Args:
        function: from a task to its reply.
        parent: int. The process that asks; when it has gone, this one ends.
    """
    if os.name == "posix":  # elsewhere a parent that has gone leaves no trace
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a task prints is no reply
    for line in sys.stdin:
        replies.write(json.dumps(function(json.loads(line))) + "\n")
        replies.flush()


def _end_with(parent):
    """End this process when its parent has gone, also in the middle of a task."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)  # so that `with` blocks tidy up
    time.sleep(GRACE)
    os._exit(1)


class _Worker:
    """One process at a time: started for its first task, and anew when it has died."""

    def __init__(self, function, place, inherit):
        self._function, self._place, self._inherit = function, place, inherit
        self._process = self._log = None

    def start(self):
        """Start the process, if it does not run; a task will say why it could not."""
        with contextlib.suppress(OSError):
            if self._process is None:
                self._start()

    def drive(self, todo, events):
        """Take tasks until none is left."""
        while True:
            try:
                task = todo.get_nowait()
            except queue.Empty:
                return
            events.put(("begun", task))
            events.put(("done", task, self._reply(task)))

    def stop(self, thread):
        """End the process that a thread drives, also in the middle of a task."""
        while thread.is_alive():
            self.kill()
            thread.join(0.1)
        self.end()

    def kill(self, gently=False):
        """End the process, whichever thread drives it."""
        process = self._process
        if process is not None:
            if gently and os.name == "posix":
                process.send_signal(signal.SIGINT)
            else:
                process.kill()

    def end(self):
        """End the process and let go of what belongs to it; return its exit code."""
        process, log, self._process, self._log = self._process, self._log, None, None
        if process is None:
            return None
        process.kill()
        with contextlib.suppress(BrokenPipeError), log, process:
            return process.wait()

    def _reply(self, task):
        try:
            if self._process is None:
                self._start()
            return _ask(self._process, task) or {"died": self._death()}
        except OSError as error:
            return {"died": f"no process could be started: {error}"}

    def _start(self):
        module, _, name = self._function.rpartition(".")
        code = f"from autograder.workers import serve; from {module} import {name}; "
        code += f"serve({name}, {os.getpid()})"
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            env=os.environ | ONE_CORE | {"PYTHONPATH": path, PLACE: self._place},
            pass_fds=self._inherit,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )

    def _death(self):
        """Say how the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        last = f": {said[-1]}" if said else ""
        return f"its process ended with exit code {self.end()}{last}"


def _ask(process, task):
    """Return the reply, or None when the process has ended."""
    try:
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline() or "null")
    except (OSError, ValueError):
        return None
