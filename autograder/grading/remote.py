"""What a Dask worker does: it hands each parcel to a warm grading process beside it.

Dask's own process never grades. It keeps one grading process for each of its threads, and one
zygote that they all fork from. A cancelled task takes its grading process along.
"""

import json
import queue
import threading
from contextlib import contextmanager
from functools import cache

from autograder.kernels.shared import shared_zygote
from autograder.workers import Workers

GRADE = "autograder.grading.parcel.grade_parcel"
GRACE = 10
_one_at_a_time = threading.Lock()


def answer(text):
    """Grade a parcel, JSON in and out; Dask calls this in a thread of a worker."""
    from distributed import get_worker

    worker, content = get_worker(), json.loads(text)
    with _one_at_a_time:
        graders = _graders(worker.state.nthreads)
    grader = graders.get()
    try:
        with _killed_when_cancelled(worker, grader):
            return json.dumps(grader.grade(content | {"worker": worker.address}))
    finally:
        graders.put(grader)


class Grader:
    """A warm grading process, started for its first parcel.

    Args:
        place: str. Which one of how many of this machine: `"0/4"`.
    """

    def __init__(self, place):
        self._place, self._processes, self._zygote = place, None, None

    def grade(self, content):
        """Return the reply to a parcel."""
        with _one_at_a_time:
            zygote = None if content["tier"] == "open" else shared_zygote().fileno()
        if self._processes is None or zygote != self._zygote:
            self.kill()
            inherit = [] if zygote is None else [zygote]
            self._processes, self._zygote = Workers(GRADE, 1, inherit, self._place), zygote
        ((_, reply),) = self._processes.share([content | {"zygote": zygote}])
        return reply

    def kill(self, gently=False):
        """End the process, also in the middle of a notebook; `gently` lets it tidy up."""
        if self._processes is not None:
            self._processes.kill(gently)


@cache
def _graders(count):
    """Return the graders of this process, as a queue that gives the last used one first."""
    graders = queue.LifoQueue()
    for number in reversed(range(count)):
        graders.put(Grader(f"{number}/{count}"))
    return graders


@contextmanager
def _killed_when_cancelled(worker, grader):
    """End the grading process when nobody waits for its task any more, or the worker ends."""
    key, over = worker.get_current_task(), threading.Event()

    def watch():
        while not over.wait(1):
            task = worker.state.tasks.get(key)
            wanted = task is not None and task.state != "cancelled"
            if not wanted or worker.status.name in ("closing", "closed", "failed"):
                grader.kill(gently=True)
                if not over.wait(GRACE):
                    grader.kill()
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
