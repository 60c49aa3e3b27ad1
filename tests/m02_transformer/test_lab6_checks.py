"""Wrong draws that `course prove` does not try, and right ones with many seeds."""

import itertools
import random

import numpy as np
import pytest

from autograder.checks.m02_transformer import lab6_what_attention_buys as lab6
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
    """No constant passes a case: each asks for different scores."""
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


def test_accuracies_of_another_seed_do_not_help():
    """Scores learned by heart, in the order in which they are asked for, fail all but paper."""
    known = []

    def learn(logits, targets):
        known.append(recall_accuracy(logits, targets))
        return known[-1]

    assert failed("recall_accuracy", learn) == set()
    for seed in range(5):
        answers = iter(known)
        fails = failed("recall_accuracy", lambda *_, a=answers: next(a), seed)
        assert len(fails - {"one_of_two_on_paper"}) == 3


@pytest.mark.parametrize("count", [8, 9, 12])
def test_three_accuracies_are_hard_to_guess(count):
    """In a case at least 200 sequences of scores are equally likely: two scores gave 30."""
    rng = np.random.default_rng(0)
    drawn = {tuple(lab6.three_scores(rng, count)) for _ in range(20_000)}
    assert len(drawn) == (count - 1) * (count - 2) * (count - 3) >= 200
    assert all(0 < right < count and len(set(scores)) == 3 for scores in drawn for right in scores)


def test_draws_stored_for_practised_sizes_do_not_help():
    """Sizes change with the seed, except where the bounds of chance are worked out for them."""
    known, right = {}, draw(ranked, lambda seed: [np.random.default_rng(seed)] * 3)

    def learn(seed, *sizes):
        return known.setdefault(sizes, right(seed, *sizes))

    def look_up(seed, *sizes):
        return known.get(sizes, [np.ones(sizes[:2], int)] * 3)

    for seed in range(3):
        failed("sample_recall", learn, seed)
    fails = failed("sample_recall", look_up, "another")
    assert {
        "ids_come_from_their_halves",
        "nothing_repeats_in_an_example",
        "questions_come_after_the_pairs",
        "the_seed_decides",
    } <= fails


def units_for(*args, **kwargs):
    return find("m02_transformer.lstm_units_for_budget").oracle_function(*args, **kwargs)


# Every budget that a case can ask for: 4 cases, 15,000 draws for each call.

GRID = [len(lab6.VOCABULARIES), len(lab6.EMBEDDINGS), len(lab6.UNITS)]
UNITS = np.array(lab6.UNITS)
CALLS = [(case, call) for case, calls in lab6.BUDGETS.items() for call in range(len(calls))]


def weights_by_hand(units, vocabulary_size, embedding_dim, num_layers):
    total, size = vocabulary_size * embedding_dim, embedding_dim
    for _ in range(num_layers):
        total, size = total + 4 * (size * units + units * units + units), units
    return total + size * vocabulary_size + vocabulary_size


def budgets(case, call):
    """Return the budgets of a call for all draws, (V, E, U)."""
    num_layers, budget = lab6.BUDGETS[case][call]
    sizes = itertools.product(lab6.VOCABULARIES, lab6.EMBEDDINGS)
    around = [[weights_by_hand(UNITS + i, *s, num_layers) for i in (0, 1)] for s in sizes]
    return np.reshape([budget(*pair) for pair in around], GRID)


def everything(answer):
    """Return what an answer gives for all draws: a dictionary from call to (V, E, U, 2)."""
    found = {}
    for case, call in CALLS:
        num_layers, asked = lab6.BUDGETS[case][call][0], budgets(case, call)
        sizes = itertools.product(lab6.VOCABULARIES, lab6.EMBEDDINGS)
        rows = [
            np.stack(answer(row, *s, num_layers), axis=-1)
            for row, s in zip(asked.reshape(-1, GRID[2]), sizes, strict=True)
        ]
        found[case, call] = np.reshape(rows, [*GRID, 2])
    return found


@pytest.fixture(scope="module")
def right():
    return everything(units_for)


@pytest.fixture(scope="module")
def wrong():
    found = find("m02_transformer.lstm_units_for_budget").misconceptions
    return {m.name: (m.message, everything(m.function)) for m in found}


def test_every_draw_has_one_right_width(right):
    """It is the drawn one, the next one, or 1; only a tie has two nearest ones."""
    next_one = {("the_nearest_width_wins", 1)}
    for (case, call), answers in right.items():
        num_layers, asked = lab6.BUDGETS[case][call][0], budgets(case, call)
        tiny = (case, call) == ("ties_and_tiny_budgets", 1)
        expected = np.broadcast_to(1 if tiny else UNITS + ((case, call) in next_one), GRID)
        np.testing.assert_array_equal(answers[..., 0], expected)
        sizes = (np.array(lab6.VOCABULARIES)[:, None, None], np.array(lab6.EMBEDDINGS)[:, None])
        weights = weights_by_hand(expected, *sizes, num_layers)
        np.testing.assert_array_equal(answers[..., 1], weights)
        off = [
            np.abs(weights_by_hand(units, *sizes, num_layers) - asked)
            for units in (expected + 1, np.maximum(expected - 1, 1))
        ]
        assert np.all(np.abs(weights - asked) <= off[1])
        if (case, call) == ("ties_and_tiny_budgets", 0):
            np.testing.assert_array_equal(np.abs(weights - asked), off[0])
        else:
            assert np.all(np.abs(weights - asked) < off[0])


COUNTED_WRONGLY = set(lab6.BUDGETS)
FAILS = {
    "two_biases": COUNTED_WRONGLY,
    "no_biases": COUNTED_WRONGLY,
    "three_gates": COUNTED_WRONGLY,
    "without_the_dense_layer": COUNTED_WRONGLY,
    "without_the_bias_of_the_dense_layer": COUNTED_WRONGLY,
    "without_any_bias": COUNTED_WRONGLY,
    "without_the_embedding": COUNTED_WRONGLY,
    "one_layer_too_many": COUNTED_WRONGLY,
    "every_layer_reads_the_embedding": {"stacked_layers"},
    "one_layer_only": {"stacked_layers"},
    "never_above_the_budget": {"the_nearest_width_wins"},
    "never_below_the_budget": {"the_nearest_width_wins", "ties_and_tiny_budgets"},
    "larger_in_a_tie": {"ties_and_tiny_budgets"},
    "from_zero": {"ties_and_tiny_budgets"},
    "weights_first": COUNTED_WRONGLY,
    "the_budget_for_the_weights": {"the_nearest_width_wins", "ties_and_tiny_budgets"},
}


def test_every_misconception_fails_the_same_cases_for_every_draw(right, wrong):
    assert set(wrong) == set(FAILS)
    for name, (_, answers) in wrong.items():
        fails = {}
        for (case, call), expected in right.items():
            differs = np.any(answers[case, call] != expected, axis=-1)
            assert differs.all() == differs.any(), f"{name}: {differs.mean():.2%} of {case} {call}"
            fails[case] = fails.get(case, False) or bool(differs.all())
        assert {case for case, fail in fails.items() if fail} == FAILS[name], name


def test_no_two_misconceptions_give_the_same_answers(wrong):
    """For any two there is a call in which all draws tell them apart: one message fits."""
    for one, other in itertools.combinations(wrong, 2):
        apart = [
            np.any(wrong[one][1][call] != wrong[other][1][call], axis=-1).all() for call in CALLS
        ]
        assert any(apart), f"{one} and {other}"


def test_widths_end_far_above_every_answer(wrong):
    widths = [
        found[call][..., 0].max()
        for name, (_, found) in wrong.items()
        for call in CALLS
        if name != "weights_first"
    ]
    assert max(widths) == 151 < lab6.WIDTHS[-1]


def test_a_table_of_36_budgets_meets_no_case_by_chance():
    """The best table holds the likeliest calls; a case is right when all of its calls are in it."""
    for case, calls in lab6.BUDGETS.items():
        chance = 1.0
        for call in range(len(calls)):
            asked = budgets(case, call)
            rows = asked.reshape(-1, GRID[2])
            same = max(np.unique(row, return_counts=True)[1].max() for row in rows)
            chance *= 36 * same / asked.size
        assert chance < 1e-4, case


def test_practised_budgets_do_not_help():
    table = {}

    def learn(*args):
        return table.setdefault(args, units_for(*args))

    exercise = find("m02_transformer.lstm_units_for_budget")
    for seed in range(36):
        assert failed(exercise.name, learn, seed) == set()
    assert len(table) > 36 * 7
    for seed in ("another", "a third", "a fourth"):
        answer = {exercise.name: lambda *args: table.get(args, (1, 120))}
        assert judge(exercise, InProcess(answer), seed).points == 0


def rounded_root(budget, vocabulary_size, embedding_dim, num_layers=1):
    a, b = 4 * (2 * num_layers - 1), 4 * (embedding_dim + num_layers) + vocabulary_size
    c = vocabulary_size * (embedding_dim + 1)
    root = (-b + max(b * b - 4 * a * (c - budget), 0) ** 0.5) / (2 * a)
    units = max(1, round(root))
    return units, a * units**2 + b * units + c


def nearest_by_ratio(budget, *sizes):
    weights = lab6.right_count(lab6.WIDTHS, *sizes)
    units = 1 + int(np.abs(np.log(weights / budget)).argmin())
    return units, int(weights[units - 1])


@pytest.mark.parametrize("answer", [rounded_root, nearest_by_ratio])
def test_other_distances_are_told_that_weights_count(answer):
    exercise = find("m02_transformer.lstm_units_for_budget")
    for seed in range(5):
        verdict = judge(exercise, InProcess({exercise.name: answer}), seed)
        assert verdict.points == 3
        assert "Distances count in weights, not in units." in verdict.misconception


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
