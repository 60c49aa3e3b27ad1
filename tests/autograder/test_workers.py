"""Workers share tasks, keep what they have loaded, and cost only one task when they die."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from autograder.workers import Workers, share

NAME = "tests.autograder.test_workers.answer"
CALLS = []


def answer(task):
    """What a worker does with a task."""
    CALLS.append(task)
    if task == "die":
        print("a last word", file=sys.stderr, flush=True)
        os._exit(7)
    print("this is no reply")
    return {"task": task, "process": os.getpid(), "calls": len(CALLS)}


def test_every_task_is_answered_by_few_processes():
    replies = dict(share(list("abcdef"), NAME, jobs=2))
    assert sorted(replies) == list("abcdef")
    assert all(reply["task"] == task for task, reply in replies.items())
    assert 1 <= len({reply["process"] for reply in replies.values()}) <= 2
    assert max(reply["calls"] for reply in replies.values()) >= 3


def test_tasks_are_begun_in_their_order():
    begun = []
    assert [task for task, _ in share([3, 1, 2], NAME, 1, begun.append)] == [3, 1, 2]
    assert begun == [3, 1, 2]


def test_a_process_that_dies_costs_its_own_task_only():
    replies = dict(share(["a", "die", "b"], NAME, jobs=1))
    assert replies["die"] == {"died": "its process ended with exit code 7: a last word"}
    assert replies["a"]["process"] != replies["b"]["process"]


def test_a_function_that_cannot_be_imported_is_said():
    ((_, reply),) = share(["a"], "tests.autograder.nothing.answer", jobs=1)
    assert "No module named" in reply["died"]


def test_workers_end_when_the_caller_stops():
    tasks = share(list("abc"), NAME, jobs=1)
    _, reply = next(tasks)
    tasks.close()
    with pytest.raises(ProcessLookupError):
        os.kill(reply["process"], 0)


def test_workers_stay_warm_between_rounds():
    with Workers(NAME, 2) as workers:
        first = dict(workers.share(list("abcd")))
        ((_, second),) = workers.share(["e"], jobs=1)
        assert second["process"] in {reply["process"] for reply in first.values()}
        assert second["calls"] > 1
    with pytest.raises(ProcessLookupError):
        os.kill(second["process"], 0)


def test_a_round_cut_short_does_not_spoil_the_next():
    with Workers(NAME, 1) as workers:
        tasks = workers.share(list("abc"))
        next(tasks)
        tasks.close()
        assert [reply["task"] for _, reply in workers.share(["d"])] == ["d"]


def sleep(task):
    """A task that would hold its process for ten minutes."""
    time.sleep(600)


def test_a_worker_in_the_middle_ends_with_its_parent():
    code = "from autograder.workers import share; list(share(['a'], {!r}, 1))"
    name = "tests.autograder.test_workers.sleep"
    with subprocess.Popen([sys.executable, "-c", code.format(name)]) as parent:
        children = []
        while not children or "serve" not in str(children[0].cmdline()):
            time.sleep(0.1)
            children = psutil.Process(parent.pid).children()
        parent.kill()
    _, left = psutil.wait_procs(children, timeout=20)
    assert [each for each in left if each.status() != psutil.STATUS_ZOMBIE] == []
