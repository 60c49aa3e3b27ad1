"""`course grade --scheduler`: share submissions among the workers of a Dask cluster.

Only text goes there and comes back: parcels and replies in JSON. Workers need the course and its
packages, not the course folder. The store and the gradebook are written here.
"""

import json
import logging
import queue
import time
from collections import deque
from contextlib import contextmanager, suppress

from autograder.errors import CourseError
from autograder.grading.parcel import Parcel
from autograder.grading.remote import answer

CONNECT_SECONDS = 15
WORKER_SECONDS = 30
CLOSE_SECONDS = 5
SPARE = 1  # parcels beyond the cluster's threads, so that no thread waits for its next one
MESSAGE = "1 GB"  # from where on Dask warns of a large message


@contextmanager
def connected(address):
    """Connect to a Dask scheduler for a `with` block.

    Args:
        address: str. Such as `tcp://10.0.0.1:8786`, or `tls://…` with Dask's settings for TLS.

    Yields:
        `Cluster`.

    Raises:
        CourseError: Dask is not installed, or no scheduler answers there.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise CourseError(
            "--scheduler needs Dask, which is not installed here: run "
            '`.venv/bin/pip install -c constraints.txt -e ".[cluster]"` in the course\'s clone.'
        ) from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": MESSAGE}):
        try:
            client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise CourseError(
                f"No Dask scheduler answers at {address} ({type(error).__name__}: {reason}). "
                "Check the address, and start one with `dask scheduler`."
            ) from error
        try:
            yield Cluster(client, address)
        finally:
            with suppress(Exception):  # the scheduler may be gone
                client.close(CLOSE_SECONDS)


class Cluster:
    """A Dask cluster that answers.

    Args:
        client: Dask's `Client`.
        address: str. The scheduler's, for sentences.
    """

    def __init__(self, client, address):
        self._client, self._address = client, address
        self._running, self._ended = {}, queue.SimpleQueue()

    def share(self, tasks, jobs=None):
        """Yield `(task, reply)` for each task, as they are done; as `autograder.workers.share`.

        Args:
            tasks: list of dicts from `autograder.grading.worker.task_of`.
            jobs: int. Notebooks at a time; what the workers have threads for by default.

        Raises:
            CourseError: the scheduler has gone, no worker is there, or a worker refuses.
        """
        todo = deque(tasks)
        try:
            while todo or self._running:
                while todo and len(self._running) < (jobs or self._threads() + SPARE):
                    parcel = Parcel(todo.popleft())
                    if parcel.content is None:
                        yield parcel.task, parcel.reply
                    else:
                        self._send(parcel)
                if self._running:
                    parcel, reply = self._next()
                    yield parcel.task, parcel.opened(reply)
        finally:
            self._cancel()

    def _send(self, parcel):
        future = self._client.submit(answer, json.dumps(parcel.content), pure=False)
        self._running[future.key] = parcel, future
        future.add_done_callback(self._ended.put)

    def _next(self):
        """Wait for a parcel to come back; return it and the reply."""
        alone = None
        while True:
            try:
                future = self._ended.get(timeout=1)
            except queue.Empty:
                if self._threads():
                    alone = None
                    continue
                alone = alone or time.monotonic()
                if time.monotonic() - alone > WORKER_SECONDS:
                    raise CourseError(
                        f"No worker is connected to the scheduler at {self._address}. Start one "
                        f"with `dask worker {self._address}` where the course is installed, and "
                        "run the command again."
                    ) from None
                continue
            if future.key in self._running:
                reply = self._reply(future)
                if reply is not None:
                    return self._running.pop(future.key)[0], reply

    def _reply(self, future):
        """Return what a future brought; None when its result is lost and being computed anew."""
        from distributed import CancelledError, KilledWorker, TimeoutError

        try:
            reply = json.loads(future.result(CLOSE_SECONDS))
        except TimeoutError:
            future.add_done_callback(self._ended.put)
            return None
        except KilledWorker as error:
            return {"died": f"{error.allowed_failures + 1} workers ended while they had it"}
        except (CancelledError, OSError):
            raise self._lost() from None
        except (ImportError, AttributeError) as error:
            raise CourseError(
                f"A worker of the scheduler at {self._address} cannot load this course's grader "
                f"({type(error).__name__}: {error}). Install the course there as it is here."
            ) from error
        except Exception as error:  # noqa: BLE001  one submission must not cost another
            return {"died": f"the worker failed: {type(error).__name__}: {error}"}
        if "refused" in reply:
            raise CourseError(reply["refused"])
        return reply

    def _threads(self):
        """Return how many threads the connected workers have."""
        if self._client.status != "running":
            raise self._lost()
        try:
            return sum(self._client.nthreads().values())
        except (OSError, AttributeError):  # it has gone since
            raise self._lost() from None

    def _lost(self):
        return CourseError(
            f"The scheduler at {self._address} has gone. What was graded is recorded: start it "
            "and its workers, and run the command again to go on."
        )

    def _cancel(self):
        """Take back what still runs."""
        futures = [future for _, future in self._running.values()]
        self._running = {}
        if futures and self._client.status == "running":
            with suppress(Exception):  # the scheduler may be gone
                self._client.cancel(futures, force=True)
