"""Share tasks among a few warm processes: each takes the next task when it has done one.

A worker is a fresh interpreter that reads a task as one line of JSON and answers with another. It
keeps what it has imported and loaded, computes on one processor core, and ends with its parent.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
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


def share(tasks, function, jobs, begun=None, inherit=()):
    """Yield `(task, reply)` for each task, as they are done.

    Args:
        tasks: list of values that JSON holds; they are begun in this order.
        function: str. `"package.module.name"`, which turns a task into a reply, both JSON.
        jobs: int. Processes at a time.
        begun: called with each task when a process takes it.
        inherit: descriptors that the processes share with this one.

    Yields:
        A reply is what `function` returned, or `{"died": sentence}` when the process ended.
    """
    todo, events, processes = queue.SimpleQueue(), queue.SimpleQueue(), set()
    for task in tasks:
        todo.put(task)
    count = min(jobs, len(tasks))
    threads = [
        threading.Thread(
            target=_drive, args=(todo, events, function, processes, f"{number}/{count}", inherit)
        )
        for number in range(count)
    ]
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
        _stop(todo, threads, processes)


def own_cores():
    """Return the processors that this worker, one of several, should leave its kernels."""
    number, _, count = os.environ.get(PLACE, "0/1").partition("/")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return tuple(cores[int(number) % max(1, len(cores)) :: int(count)])


def serve(function):
    """Answer each line of standard input with what `function` makes of it, until it ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a task prints is no reply
    for line in sys.stdin:
        replies.write(json.dumps(function(json.loads(line))) + "\n")
        replies.flush()


def _drive(todo, events, function, processes, place, inherit):
    """Give tasks to one process, and to another one when it dies."""
    process, closing = None, contextlib.suppress(BrokenPipeError)
    with tempfile.TemporaryFile() as log, closing, contextlib.ExitStack() as opened:
        while True:
            try:
                task = todo.get_nowait()
            except queue.Empty:
                return
            events.put(("begun", task))
            try:
                if process is None:
                    process = opened.enter_context(_start(function, log, place, inherit))
                    processes.add(process)
                reply = _ask(process, task)
            except OSError as error:
                reply = {"died": f"no process could be started: {error}"}
            if reply is None:
                reply, process = {"died": _death(process, log)}, None
            events.put(("done", task, reply))


def _stop(todo, threads, processes):
    """End the processes, also in the middle of a task."""
    with contextlib.suppress(queue.Empty):
        while True:
            todo.get_nowait()
    for process in list(processes):
        process.kill()
    for thread in threads:
        thread.join()


def _start(function, log, place, inherit):
    module, _, name = function.rpartition(".")
    code = f"from autograder.workers import serve; from {module} import {name}; serve({name})"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        env=os.environ | ONE_CORE | {"PYTHONPATH": path, PLACE: place},
        pass_fds=inherit,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        encoding="utf-8",
    )


def _ask(process, task):
    """Return the reply, or None when the process has ended."""
    try:
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline() or "null")
    except (OSError, ValueError):
        return None


def _death(process, log):
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    process.kill()
    code = process.wait()
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines()
    last = f": {said[-1]}" if said else ""
    return f"its process ended with exit code {code}{last}"
