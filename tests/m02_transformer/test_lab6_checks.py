"""Wrong draws that `course prove` does not try, and right ones with many seeds."""

import random

import numpy as np
import pytest

from autograder.exercise import find
from autograder.referee import judge
from autograder.wire.in_process import InProcess

EVEN = "all_choices_are_equally_likely"
APART = "keys_values_and_positions_are_independent"
ANEW = "every_example_is_drawn_anew"


def failed(name, answer, seed="practice"):
    verdict = judge(find(f"m02_transformer.{name}"), InProcess({name: answer}), seed)
    return {case.name for case in verdict.cases if not case.passed}


def ranges(num_pairs, length, vocabulary_size):
    half = vocabulary_size // 2
    return (1, half), (half, vocabulary_size), (2 * num_pairs, length)


# Ways to draw `num_pairs` different ids: f(generator, num_examples, num_pairs, low, high).


def permuted(rng, num_examples, num_pairs, low, high):
    return rng.permuted(np.tile(np.arange(low, high), (num_examples, 1)), axis=1)[:, :num_pairs]


def chosen(rng, num_examples, num_pairs, low, high):
    ids = np.arange(low, high)
    return np.stack([rng.choice(ids, num_pairs, replace=False) for _ in range(num_examples)])


def ranked(rng, num_examples, num_pairs, low, high):
    return low + rng.random((num_examples, high - low)).argsort(1)[:, :num_pairs]


def sampled(rng, num_examples, num_pairs, low, high):
    source = random.Random(int(rng.integers(2**32)))
    return np.array([source.sample(range(low, high), num_pairs) for _ in range(num_examples)])


WAYS = [permuted, chosen, ranked, sampled]


def draw(way, generators):
    """Return a `sample_recall` that draws each array from `generators(seed)[i]`."""

    def sample_recall(seed, num_examples, num_pairs, *sizes):
        return tuple(
            way(rng, num_examples, num_pairs, *ids)
            for rng, ids in zip(generators(seed), ranges(num_pairs, *sizes), strict=True)
        )

    return sample_recall


def changed(change):
    """Return a right draw, ranks from 0, after `change(rng, keys, values, positions, counts)`."""

    def sample_recall(seed, num_examples, num_pairs, *sizes):
        rng, bounds = np.random.default_rng(seed), ranges(num_pairs, *sizes)
        parts = [permuted(rng, num_examples, num_pairs, 0, high - low) for low, high in bounds]
        parts = change(rng, *parts, [high - low for low, high in bounds])
        return tuple(low + part for (low, _), part in zip(bounds, parts, strict=True))

    return sample_recall


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["one", "spawned", "next seeds"])
def test_right_draws_pass_with_all_seeds(way, kind):
    generators = {
        "one": lambda seed: [np.random.default_rng(seed)] * 3,
        "spawned": lambda seed: np.random.default_rng(seed).spawn(3),
        "next seeds": lambda seed: [np.random.default_rng(3 * seed + i) for i in range(3)],
    }[kind]
    for seed in range(2):
        assert failed("sample_recall", draw(way, generators), seed) == set()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shared", [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_generators_with_the_same_seed_are_found(way, shared):
    def generators(seed):
        return [np.random.default_rng([seed, i]) for i in shared]

    for seed in range(2):
        assert failed("sample_recall", draw(way, generators), seed) == {APART}


def first_value(values, wanted):
    """Swap in each row so that the first value is the wanted one."""
    values = values.copy()
    for row, rank in zip(values, wanted, strict=True):
        found = np.flatnonzero(row == rank)
        row[found] = row[0]
        row[0] = rank
    return values


TIED = {
    "position i from value i": lambda rng, k, v, p, n: (k, v, v % n[2] if n[1] <= n[2] else p),
    "position i from value i + 1": lambda rng, k, v, p, n: (
        k,
        v,
        np.roll(v, 1, 1) % n[2] if n[1] <= n[2] else p,
    ),
    "value 0 from the last key": lambda rng, k, v, p, n: (
        k,
        first_value(v, (k[:, -1] + rng.integers(0, 2, len(k))) % n[1]),
        p,
    ),
    "value 0 from key 0 and position 0": lambda rng, k, v, p, n: (
        k,
        first_value(v, (k[:, 0] + p[:, 0]) % n[1]),
        p,
    ),
    "value 0 from the order of the keys": lambda rng, k, v, p, n: (
        k,
        first_value(v, np.argsort(k, axis=1)[:, 0] + 0 * v[:, 0]),
        p,
    ),
}


@pytest.mark.parametrize("change", TIED.values(), ids=TIED)
def test_an_array_that_gives_away_another_is_found(change):
    assert APART in failed("sample_recall", changed(change))


def cyclic(rng, array, count, step=1):
    return (rng.integers(0, count, (len(array), 1)) + step * np.arange(array.shape[1])) % count


def probed(rng, array, count):
    """Draw with replacement, then move on to the next free id."""
    rows = rng.integers(0, count, array.shape)
    for row in rows:
        for i in range(len(row)):
            while row[i] in row[:i]:
                row[i] = (row[i] + 1) % count
    return rows


def weighted(rng, array, count):
    """Choose some ids twice as often as others."""
    weights = np.where(np.arange(count) < count // 2, 2.0, 1.0)
    return (rng.exponential(size=(len(array), count)) / weights).argsort(1)[:, : array.shape[1]]


UNEVEN = {
    "neighbours": lambda rng, k, v, p, n: (cyclic(rng, k, n[0]), v, p),
    "neighbours downward": lambda rng, k, v, p, n: (k, v, cyclic(rng, p, n[2], -1)),
    "every second": lambda rng, k, v, p, n: (k, cyclic(rng, v, n[1], 2), p),
    "sorted keys": lambda rng, k, v, p, n: (np.sort(k, axis=1), v, p),
    "values falling": lambda rng, k, v, p, n: (k, -np.sort(-v, axis=1), p),
    "next free": lambda rng, k, v, p, n: (k, probed(rng, v, n[1]), p),
    "weighted": lambda rng, k, v, p, n: (weighted(rng, k, n[0]), v, p),
}


@pytest.mark.parametrize("change", UNEVEN.values(), ids=UNEVEN)
def test_choices_that_are_not_equally_likely_are_found(change):
    assert EVEN in failed("sample_recall", changed(change))


def again(array, period):
    return np.tile(array[:period], (len(array) // period + 1, 1))[: len(array)]


def one_swap(array, count):
    """Change one id from example to example."""
    rows, rng = array.copy(), np.random.default_rng(0)
    for before, row in zip(rows, rows[1:], strict=False):
        row[:] = before
        free = np.setdiff1d(np.arange(count), before)
        row[rng.integers(len(row))] = rng.choice(free)
    return rows


COME_AGAIN = {
    "every 24": lambda rng, k, v, p, n: [again(x, 24) for x in (k, v, p)],
    "every 1024": lambda rng, k, v, p, n: [again(x, 1024) for x in (k, v, p)],
    "values every 1024": lambda rng, k, v, p, n: (k, again(v, 1024), p),
    "one swap at a time": lambda rng, k, v, p, n: (k, v, one_swap(p, n[2])),
}


@pytest.mark.parametrize("change", COME_AGAIN.values(), ids=COME_AGAIN)
def test_examples_that_come_again_are_found(change):
    assert ANEW in failed("sample_recall", changed(change))


def test_examples_that_come_again_with_the_next_seed_are_found():
    def sample_recall(seed, num_examples, *sizes):
        right = draw(chosen, lambda seed: [np.random.default_rng(seed)] * 3)
        rows = [right(seed + b, 1, *sizes) for b in range(num_examples)]
        return tuple(np.concatenate(parts) for parts in zip(*rows, strict=True))

    assert failed("sample_recall", sample_recall) == {ANEW}


def recall_accuracy(logits, targets, allowed=slice(None)):
    asked = np.asarray(targets) != 0
    hidden = np.full(logits.shape, -np.inf)
    hidden[..., allowed] = np.asarray(logits)[..., allowed]
    return float(np.mean(hidden.argmax(-1)[asked] == np.asarray(targets)[asked]))


@pytest.mark.parametrize("seed", ["practice", "other", "third"])
def test_a_constant_is_no_accuracy(seed):
    """No constant passes a case: each asks for two different scores."""
    scores = []

    def answer(logits, targets):
        scores.append(recall_accuracy(logits, targets))
        return scores[-1]

    assert failed("recall_accuracy", answer, seed) == set()
    for constant in set(scores):
        assert len(failed("recall_accuracy", lambda *_, c=constant: c, seed)) == 4


@pytest.mark.parametrize("allowed", ["values", "values and keys", "values and blank"])
def test_the_answer_is_sought_among_all_ids(allowed):
    def answer(logits, targets):
        ids = np.arange(logits.shape[-1])
        keep = (ids >= len(ids) // 2) | (ids > 0 if "keys" in allowed else False)
        return recall_accuracy(logits, targets, keep | (ids == 0 if "blank" in allowed else False))

    for seed in range(5):
        fails = failed("recall_accuracy", answer, seed)
        assert fails >= {"blanks_do_not_count", "the_largest_of_all_logits_is_the_answer"}


def units_for(*args, **kwargs):
    return find("m02_transformer.lstm_units_for_budget").oracle_function(*args, **kwargs)


@pytest.mark.parametrize(
    "kind", [int, np.int64, np.int32, np.array, lambda x: np.array(x, "int32")]
)
def test_whole_numbers_of_any_integer_type_are_accepted(kind):
    def answer(*args, **kwargs):
        return tuple(kind(int(n)) for n in units_for(*args, **kwargs))

    assert failed("lstm_units_for_budget", answer) == set()


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, lambda x: np.array(x, "float64")])
@pytest.mark.parametrize(("place", "name"), [(0, "units"), (1, "weights")])
def test_a_float_is_told_in_one_sentence(kind, place, name):
    def answer(*args, **kwargs):
        numbers = list(units_for(*args, **kwargs))
        numbers[place] = kind(numbers[place])
        return tuple(numbers)

    exercise = find("m02_transformer.lstm_units_for_budget")
    verdict = judge(exercise, InProcess({exercise.name: answer}))
    assert verdict.points == 0
    assert {case.problem for case in verdict.cases} == {f"{name} is a float; return an int."}


def test_step_times_of_another_seed_do_not_help():
    """Medians learned by heart, by the number of readings and the warm-up, fail all but paper."""
    known = {}

    def learn(readings, warmup):
        answer = float(np.median(np.diff(readings)[warmup:]))
        return known.setdefault((len(readings), int(warmup), len(known)), answer)

    assert failed("median_step_time", learn) == set()
    answers = iter(known.values())
    fails = failed("median_step_time", lambda *_: next(answers), "another")
    assert fails == {"the_warm_up_is_left_out", "one_slow_step_does_not_matter"}


def test_one_number_for_all_step_times_fails():
    assert len(failed("median_step_time", lambda *_: 0.025)) == 2
