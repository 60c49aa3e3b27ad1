"""Checks of lab 6: the data of associative recall, and what a fair comparison needs."""

import itertools
import math

import numpy as np

from autograder.compare import Mismatch, array, close, equal, holds, unpack
from autograder.exercise import Exercise

DATA = "course.data.associative_recall"
COMPARISON = "course.m02_transformer.fair_comparison"

# ------------------------------------------------------------------------------- recall_batch

batch = Exercise(
    "recall_batch",
    points=4,
    signature="recall_batch(keys, values, positions, length)",
    package=f"{DATA}.recall_batch",
    forbids=[f"{DATA}.recall_batch"],
    hints=[
        "Start with two arrays of zeros and fill them by slices. Keys go to every second place, "
        "and values to the places between them.",
        "inputs[:, 0:2K:2] takes the keys, inputs[:, 1:2K:2] the values. For the questions you "
        "need a row number for each position: rows = np.arange(B)[:, None], then "
        "inputs[rows, positions].",
        "With keys [[5, 3]] and positions [[6, 4]], rows is [[0]]. inputs[rows, positions] means "
        "places (0, 6) and (0, 4): they take 5 and 3. The same places of targets take 12 and 9.",
    ],
)


def lay_out(keys, values, positions, length):
    """Return the arrays of inputs and targets, the rule written out place by place."""
    num_examples, num_pairs = keys.shape
    inputs, targets = np.zeros((2, num_examples, length), "int64")
    for b in range(num_examples):
        for i in range(num_pairs):
            inputs[b, 2 * i], inputs[b, 2 * i + 1] = keys[b, i], values[b, i]
            inputs[b, positions[b, i]] = keys[b, i]
            targets[b, positions[b, i]] = values[b, i]
    return inputs, targets


@batch.oracle
def recall_batch(keys, values, positions, length):
    """Pairs first, then each key once more, with its value as the target."""
    return lay_out(keys, values, positions, length)


def draw(rng, num_examples, num_pairs, length, half):
    """Draw keys below `half`, values from `half` on, and positions after the pairs."""

    def distinct(low, high):
        rows = [rng.permutation(np.arange(low, high)) for _ in range(num_examples)]
        return np.stack(rows)[:, :num_pairs]

    return distinct(1, half), distinct(half, 2 * half), distinct(2 * num_pairs, length)


def two_arrays(lab, keys, values, positions, length):
    """Ask for a batch and make sure of its form."""
    returned = lab.recall_batch(keys, values, positions, length)
    parts = [array(part) for part in unpack(returned, "inputs", "targets")]
    for part, name in zip(parts, ("inputs", "targets"), strict=True):
        if part.shape != (len(keys), length):
            expected = (len(keys), length)
            raise Mismatch(f"The {name} have shape {part.shape}; it should be {expected}.")
    return parts


@batch.case(points=1, hint="Compare your two rows with the worked example.")
def one_example_on_paper(lab, rng):
    """Pairs 5-12 and 3-9, asked at places 6 and 4, give the rows of the worked example."""
    given = (np.array([[5, 3]]), np.array([[12, 9]]), np.array([[6, 4]]))
    inputs, targets = two_arrays(lab, *given, 8)
    return [
        equal(inputs, np.array([[5, 12, 3, 9, 3, 0, 5, 0]]), what="inputs"),
        equal(targets, np.array([[0, 0, 0, 0, 9, 0, 12, 0]]), what="targets"),
    ]


@batch.case(points=1, hint="A key stands at place 2i, its value right after it.")
def pairs_come_first(lab, rng):
    """The first 2K places hold key, value, key, value and so on."""
    given = draw(rng, 5, 3, 13, 11)
    inputs, _ = two_arrays(lab, *given, 13)
    return equal(inputs[:, :6], lay_out(*given, 13)[0][:, :6], what="first 2K inputs")


@batch.case(points=1, hint="Position i belongs to key i, whatever the order of the positions.")
def each_key_stands_at_its_own_question(lab, rng):
    """After the pairs, inputs hold key i at position i and 0 everywhere else."""
    given = draw(rng, 7, 3, 17, 13)
    inputs, _ = two_arrays(lab, *given, 17)
    return equal(inputs[:, 6:], lay_out(*given, 17)[0][:, 6:], what="inputs after the pairs")


@batch.case(points=1, hint="The answer stands where the question stands, not one place later.")
def the_target_is_the_value_of_the_key(lab, rng):
    """Targets hold value i at position i and 0 everywhere else."""
    given = draw(rng, 3, 5, 19, 17)
    _, targets = two_arrays(lab, *given, 19)
    return equal(targets, lay_out(*given, 19)[1], what="targets")


@batch.misconception(
    "Your targets stand one place after the question. Here the model answers at the place where "
    "it reads the question."
)
def answers_one_place_late(keys, values, positions, length):
    inputs, targets = lay_out(keys, values, positions, length)
    late = np.roll(targets, 1, axis=1)
    late[:, 0] = 0
    return inputs, late


@batch.misconception(
    "You wrote all keys first and all values after them. Each value follows its own key."
)
def keys_then_values(keys, values, positions, length):
    inputs, targets = lay_out(keys, values, positions, length)
    num_pairs = keys.shape[1]
    inputs[:, :num_pairs], inputs[:, num_pairs : 2 * num_pairs] = keys, values
    return inputs, targets


@batch.misconception(
    "You asked for the keys from left to right in the order of the pairs. Key i is asked for at "
    "positions[:, i], so the questions come in another order."
)
def questions_in_the_order_of_the_pairs(keys, values, positions, length):
    return lay_out(keys, values, np.sort(positions, axis=1), length)


@batch.misconception("Your targets hold the keys. The answer to a key is its value.")
def keys_as_targets(keys, values, positions, length):
    return lay_out(keys, values, positions, length)[0], lay_out(keys, keys, positions, length)[1]


@batch.misconception(
    "Your targets also hold the values inside the pairs. Nothing is asked there, so they are 0: "
    "no model could know a value before it has read it."
)
def the_pairs_are_targets_too(keys, values, positions, length):
    inputs, targets = lay_out(keys, values, positions, length)
    targets[:, 1 : 2 * keys.shape[1] : 2] = values
    return inputs, targets


@batch.misconception(
    "You wrote the answers into the inputs. The question is the key; the value stands only in "
    "the targets."
)
def the_answer_is_in_the_input(keys, values, positions, length):
    inputs, targets = lay_out(keys, values, positions, length)
    return np.where(targets > 0, targets, inputs), targets


@batch.misconception("Places without a question have target 0 here, not -1.")
def minus_one_where_nothing_is_asked(keys, values, positions, length):
    inputs, targets = lay_out(keys, values, positions, length)
    return inputs, np.where(targets > 0, targets, -1)


# ------------------------------------------------------------------------------ sample_recall

sample = Exercise(
    "sample_recall",
    points=7,
    signature="sample_recall(seed, num_examples, num_pairs, length, vocabulary_size)",
    package=f"{DATA}.sample_recall",
    forbids=[f"{DATA}.sample_recall", f"{DATA}.associative_recall", f"{DATA}.load"],
    hints=[
        "To draw K different ids for one example, shuffle all allowed ids and keep the first K.",
        "rng.permuted(table, axis=1) shuffles every row of a table on its own. Make the table "
        "with np.tile(np.arange(low, high), (num_examples, 1)). You need it three times: for "
        "keys, for values and for positions.",
        "For V = 16, T = 12, K = 3 the three ranges are arange(1, 8), arange(8, 16) and "
        "arange(6, 12). A shuffled row 4 7 2 6 1 5 3 of the first gives the keys 4 7 2.",
    ],
)


@sample.oracle
def sample_recall(seed, num_examples, num_pairs, length, vocabulary_size):
    """One right draw of many; the cases test properties, not these values."""
    return draw(np.random.default_rng(seed), num_examples, num_pairs, length, vocabulary_size // 2)


ARRAYS = ("keys", "values", "positions")


def three_arrays(lab, seed, num_examples, num_pairs, *sizes):
    """Ask for a draw and make sure of its form."""
    drawn = lab.sample_recall(seed, num_examples, num_pairs, *sizes)
    parts = [array(part) for part in unpack(drawn, *ARRAYS)]
    for part, name in zip(parts, ARRAYS, strict=True):
        if part.shape != (num_examples, num_pairs):
            expected = (num_examples, num_pairs)
            raise Mismatch(f"The {name} have shape {part.shape}; it should be {expected}.")
        if part.dtype.kind not in "iu":
            raise Mismatch(f"The {name} are {part.dtype}; they should be integers.")
    return parts


def seed_from(rng):
    """Draw a seed to hand to the learner's code."""
    return int(rng.integers(1, 10**6))


def sizes_from(rng, num_examples, num_pairs):
    """Draw B, T and V out of 4,200: B from `num_examples` on, 7 to 13 places, 8 to 13 keys."""
    num_examples += int(rng.integers(100))
    length, vocabulary_size = 2 * num_pairs + rng.integers(7, 14), 2 * rng.integers(9, 15)
    return num_examples, num_pairs, int(length), int(vocabulary_size)


@sample.case(points=1, hint="Id 0 is blank. Does your range leave out its upper end?")
def ids_come_from_their_halves(lab, rng):
    """Keys are the ids 1 to V/2 - 1 and values V/2 to V - 1, and each of them occurs."""
    *sizes, vocabulary_size = sizes_from(rng, 301, 3)
    keys, values, _ = three_arrays(lab, seed_from(rng), *sizes, vocabulary_size)
    half = vocabulary_size // 2
    return [
        equal(np.unique(keys), np.arange(1, half), what="set of keys"),
        equal(np.unique(values), np.arange(half, vocabulary_size), what="set of values"),
    ]


@sample.case(points=1, hint="Draw without replacement, in every example.")
def nothing_repeats_in_an_example(lab, rng):
    """Within an example no key, no value and no position comes twice."""
    drawn = three_arrays(lab, seed_from(rng), *sizes_from(rng, 211, 5))
    five = np.full(len(drawn[0]), 5)
    return [
        equal([len(set(row)) for row in part.tolist()], five, what=f"different {name}")
        for part, name in zip(drawn, ARRAYS, strict=True)
    ]


@sample.case(points=1, hint="The pairs take places 0 to 2K - 1. Do not sort the positions.")
def questions_come_after_the_pairs(lab, rng):
    """Each question can stand at every place from 2K to T - 1, and nowhere else."""
    *sizes, length, vocabulary_size = sizes_from(rng, 501, 3)
    _, _, positions = three_arrays(lab, seed_from(rng), *sizes, length, vocabulary_size)
    return [
        equal(np.unique(column), np.arange(6, length), what=f"set of positions[:, {i}]")
        for i, column in enumerate(positions.T)
    ]


# The next three cases ask for properties of chance. A right draw fails them with a probability
# below 1e-9 in all, whatever its generator: each bound is Chernoff's, Hoeffding's or a count of
# pairs, summed over all that is looked at. None is an approximation.
SURPRISE = 33  # in nats: at most 2·exp(-33) = 1e-14 for each of the 10,000 cells of `Counts`


class Counts:
    """How often the choices in a draw of N examples come, alone and together.

    `columns` below are such as `{"keys": [0, 2]}`. Only the ids that occur and the examples
    without a repetition count: what is wrong with these costs points elsewhere.
    """

    def __init__(self, drawn):
        unrepeated = [np.diff(np.sort(part, axis=1)).all(1) for part in drawn]
        kept = np.all(unrepeated, axis=0)
        if kept.mean() < 0.05:
            raise Mismatch("In nearly all examples a key, a value or a position comes twice.")
        self.ids = {name: len(np.unique(p)) for name, p in zip(ARRAYS, drawn, strict=True)}
        if max(self.ids.values()) > 11:
            raise Mismatch("With V = 10 and T = 11 you drew more than 11 different ids or places.")
        self.drawn = {name: p[kept] for name, p in zip(ARRAYS, drawn, strict=True)}
        self.num_examples = int(kept.sum())

    def uneven(self, columns):
        """Say which choice comes too often or too seldom for equally likely ones, or nothing.

        A count as far from N/cells as c has a probability of at most 2·exp(-N·KL(c/N, 1/cells)).
        """
        labels, num_labels = self._label(columns)
        cells = math.prod(math.perm(self.ids[name], len(c)) for name, c in columns.items())
        counts = np.bincount(labels, minlength=min(cells, num_labels + 1))
        cost = self.num_examples * divergence(counts / self.num_examples, 1 / cells)
        return self._worst(
            cost, counts, np.full(len(counts), self.num_examples / cells), labels, columns
        )

    def tied(self, one, other):
        """Say which choices in `one` and `other` come together too often or too seldom.

        How often each comes alone is taken as it is. Of the r examples with one choice, c have
        another one that comes n times in all: a hypergeometric count, for which the same bound
        holds with r in the place of N and n/N as the probability.
        """
        (rows, height), (columns, width) = self._label(one), self._label(other)
        labels = rows * width + columns
        counts = np.bincount(labels, minlength=height * width).reshape(height, width)
        in_row, in_column = counts.sum(1, keepdims=True), counts.sum(0)
        cost = in_row * divergence(counts / in_row, in_column / self.num_examples)
        mean = in_row * in_column / self.num_examples
        return self._worst(cost.ravel(), counts.ravel(), mean.ravel(), labels, one | other)

    def _label(self, columns):
        """Number the choices in some columns; return the labels `(N,)` and how many there are."""
        chosen = np.concatenate([self.drawn[name][:, c] for name, c in columns.items()], axis=1)
        labels = np.zeros(len(chosen), int)
        for digits in chosen.T:
            digits = np.unique(digits, return_inverse=True)[1]
            labels = np.unique(labels * len(labels) + digits, return_inverse=True)[1]
        return labels, labels.max() + 1

    def _worst(self, cost, counts, mean, labels, columns):
        worst = int(cost.argmax())
        if cost[worst] < SURPRISE:
            return ""
        count, expected = counts[worst], f"about {mean[worst]:,.0f} are expected"
        if count == 0:
            some = " and some ".join(columns)
            return f"Some {some} come in none of {self.num_examples:,} examples; {expected}."
        row = np.flatnonzero(labels == worst)[0]
        shown = " and ".join(
            f"{name}[:, {c[0]}] = {self.drawn[name][row, c[0]]}"
            if len(c) == 1
            else f"{name} = {self.drawn[name][row, c].tolist()}"
            for name, c in columns.items()
        )
        return f"{count:,} of {self.num_examples:,} examples have {shown}; {expected}."


def divergence(q, p):
    """Return KL(q, p) between a coin that shows heads with probability q and one with p."""
    with np.errstate(divide="ignore", invalid="ignore"):
        heads, tails = q * np.log(q / p), (1 - q) * np.log((1 - q) / (1 - p))
    return np.nan_to_num(heads, nan=0.0) + np.nan_to_num(tails, nan=0.0)


def by_chance(problems, expected, got):
    """Return a comparison that shows the first problem, if there is one."""
    problem = next(filter(None, problems), "")
    return holds(not problem, expected, got if problem else expected, problem)


@sample.case(points=1, hint="Shuffle all allowed ids, keep the first K, and sort nothing.")
def all_choices_are_equally_likely(lab, rng):
    """Any K keys, values or places come about as often as any other K, in any order."""
    counts = Counts(three_arrays(lab, seed_from(rng), 4001, 3, 11, 10))
    return [
        by_chance(
            (counts.uneven({name: c}) for c in ([0], [1], [2], [0, 1, 2])),
            f"all choices of {name} equally often",
            "some more often than others",
        )
        for name in ARRAYS
    ]


@sample.case(points=1, hint="Make one generator, and draw the three arrays one after the other.")
def keys_values_and_positions_are_independent(lab, rng):
    """Any keys come with any values at any positions: none of the three gives away another."""
    counts = Counts(three_arrays(lab, seed_from(rng), 4001, 3, 11, 10))
    single, row = [[0], [1], [2]], [0, 1, 2]
    found = [
        by_chance(
            (
                counts.tied({one: i}, {other: j})
                for i, j in [*itertools.product(single, single), (row, row)]
            ),
            f"any {one} with any {other}",
            f"some {one} more often with some {other}",
        )
        for one, other in itertools.combinations(ARRAYS, 2)
    ]
    of_three = itertools.product(single, single, single)
    together = by_chance(
        (counts.tied({"keys": i, "values": j}, {"positions": k}) for i, j, k in of_three),
        "any keys with any values at any positions",
        "some more often than others",
    )
    return [*found, together, *apart(lab, rng)]


def apart(lab, rng):
    """Compare the three shuffles of one long example with each other.

    Generators with the same seed often go apart after the first example, since the ranges differ
    in size. In it they repeat each other, perhaps one place or one id off. Two independent
    shuffles agree at 16 places with a probability of at most 1/16! = 5e-14. Runs of neighbours
    agree by chance and do not count.
    """
    for length in (184, 185):  # as many places as keys, then as many as values
        drawn = three_arrays(lab, seed_from(rng), 1, 61, length, 126)
        shuffles = [part[0] - low for part, low in zip(drawn, (1, 63, 122), strict=True)]
        for (one, a), (other, b) in itertools.combinations(zip(ARRAYS, shuffles, strict=True), 2):
            jumps = np.abs(np.diff(a)[:-1]) > 1
            agree = max(
                int((jumps & (a[1:-1] == b[1 + shift : 60 + shift] + step)).sum())
                for shift in (-1, 0, 1)
                for step in (-1, 0, 1)
            )
            yield holds(
                agree < 16,
                f"{one} and {other} shuffled independently",
                f"nearly the same shuffle at {agree} of 61 pairs",
                f"In one example of 61 pairs, {agree} {other} follow from the {one}.",
            )


@sample.case(points=1, hint="Let one generator run on from example to example.")
def every_example_is_drawn_anew(lab, rng):
    """Examples do not come again: not later, not with the next seed, not in part."""
    seed, sizes = seed_from(rng), (13, 53, 56)
    drawn = three_arrays(lab, seed, 2053, *sizes)
    later = [three_arrays(lab, seed + step, 53, *sizes) for step in (1, 2)]
    return [
        comparison
        for name, *parts in zip(ARRAYS, drawn, *later, strict=True)
        for comparison in (all_different(name, *parts), little_in_common(name, parts[0]))
    ]


def all_different(name, drawn, *later):
    """State that fewer than 8 rows come again.

    Two rows of 13 out of 27 are equal with a probability of 14!/27! = 8e-18, any two of these
    2,159 rows with 2e-11. Where the rows are sorted, which is wrong but another mistake, a few
    come again by chance.
    """
    rows = np.concatenate([drawn, *later])
    again = len(rows) - len(np.unique(rows, axis=0))
    within = len(drawn) - len(np.unique(drawn, axis=0))
    where = f"{within:,} of {len(drawn):,} examples have the {name} of an earlier one."
    if not within:
        where = f"Seeds s, s + 1 and s + 2 share the {name} of {again} examples."
    return holds(again < 8, f"other {name} in every example", f"{again:,} come again", where)


def little_in_common(name, drawn):
    """State that an example has few ids of the one before: K²/n on average, by Hoeffding."""
    rows = drawn[: len(drawn) // 2 * 2]
    holds_id = (rows[..., None] == np.unique(rows)).any(1)  # (B, ids)
    pairs, num_pairs = len(rows) // 2, rows.shape[1]
    common = (holds_id[0::2] & holds_id[1::2]).sum(1).mean()
    mean = num_pairs**2 / 27
    return holds(
        common < mean + num_pairs * math.sqrt(25 / (2 * pairs)),
        f"{mean:.1f} of {num_pairs} {name} in common by chance",
        f"{common:.1f} in common",
        f"On average an example has {common:.1f} of its {num_pairs} {name} in common with the "
        f"one before; {mean:.1f} are expected.",
    )


@sample.case(points=1, hint="Make a generator inside the function: np.random.default_rng(seed).")
def the_seed_decides(lab, rng):
    """The same seed gives the same draw, another seed another one."""
    seed, sizes = seed_from(rng), sizes_from(rng, 13, 3)
    first, again, *others = (
        np.concatenate(three_arrays(lab, s, *sizes), axis=1)
        for s in (seed, seed, 0, seed + 1, seed + 2, seed + 1024)
    )
    different = len({other.tobytes() for other in (first, *others)})
    return [
        holds(different == 5, "5 draws for 5 seeds", f"{different} different draws"),
        equal(again, first, what="second draw with the same seed"),
    ]


def drawn_with(seed, num_examples, num_pairs, length, vocabulary_size, replace=False, first_key=1):
    """Draw row by row; the misconceptions change one thing."""
    rng, half = np.random.default_rng(seed), vocabulary_size // 2

    def rows(low, high):
        choices = np.arange(low, high)
        return np.stack([rng.choice(choices, num_pairs, replace) for _ in range(num_examples)])

    return (
        rows(first_key, half),
        rows(half, vocabulary_size),
        rows(2 * num_pairs, length),
    )


@sample.misconception(
    "Your keys or values are not the ids they should be: keys are 1 to V/2 - 1, since id 0 is "
    "the blank, and values are V/2 to V - 1, both ends included.",
    fails={"ids_come_from_their_halves"},
)
def zero_is_a_key(seed, num_examples, num_pairs, length, vocabulary_size):
    return drawn_with(seed, num_examples, num_pairs, length, vocabulary_size, first_key=0)


@sample.misconception(
    "You drew with replacement, so an example can hold a key, a value or a place twice. A key "
    "with two values has no right answer.",
    fails={"nothing_repeats_in_an_example"},
)
def with_replacement(seed, num_examples, num_pairs, length, vocabulary_size):
    return drawn_with(seed, num_examples, num_pairs, length, vocabulary_size, replace=True)


@sample.misconception(
    "Your questions do not use the places 2K to T - 1. The pairs take the places before 2K, and "
    "the last place is T - 1.",
    fails={"questions_come_after_the_pairs"},
)
def questions_among_the_pairs(seed, num_examples, num_pairs, length, vocabulary_size):
    keys, values, _ = drawn_with(seed, num_examples, num_pairs, length, vocabulary_size)
    rng = np.random.default_rng(seed + 1)
    positions = [rng.permutation(length)[:num_pairs] for _ in range(num_examples)]
    return keys, values, np.stack(positions)


@sample.misconception(
    "Your questions always come in the same order as the pairs. A model could then replay the "
    "values in order and never look at a key.",
    fails={"questions_come_after_the_pairs", "all_choices_are_equally_likely"},
)
def sorted_positions(seed, num_examples, num_pairs, length, vocabulary_size):
    keys, values, positions = drawn_with(seed, num_examples, num_pairs, length, vocabulary_size)
    return keys, values, np.sort(positions, axis=1)


@sample.misconception(
    "You draw one number for an example, and its other ids follow from it, as neighbours do. Then "
    "one key gives away the others, and examples soon come again. Draw each of the K from all "
    "that are left.",
    fails={"all_choices_are_equally_likely", "every_example_is_drawn_anew"},
)
def neighbours_from_a_random_start(seed, num_examples, num_pairs, length, vocabulary_size):
    rng, half = np.random.default_rng(seed), vocabulary_size // 2

    def rows(low, high):
        start = rng.integers(0, high - low, (num_examples, 1))
        return low + (start + np.arange(num_pairs)) % (high - low)

    return rows(1, half), rows(half, vocabulary_size), rows(2 * num_pairs, length)


@sample.misconception(
    "Two of your arrays go together: one gives away the other. Do you make a generator for each "
    "array? With the same seed it repeats the same random numbers. Make one generator and draw "
    "keys, values and positions from it, one after the other.",
    fails={"keys_values_and_positions_are_independent"},
)
def a_generator_for_each_array(seed, num_examples, num_pairs, length, vocabulary_size):
    def rows(low, high):
        table = np.tile(np.arange(low, high), (num_examples, 1))
        return np.random.default_rng(seed).permuted(table, axis=1)[:, :num_pairs]

    half = vocabulary_size // 2
    return rows(1, half), rows(half, vocabulary_size), rows(2 * num_pairs, length)


@sample.misconception(
    "Your values follow from the keys, so weights could hold the pairs. The value of a key must "
    "change from example to example.",
    fails={"ids_come_from_their_halves", "keys_values_and_positions_are_independent"},
)
def a_fixed_value_for_each_key(seed, num_examples, num_pairs, length, vocabulary_size):
    keys, _, positions = drawn_with(seed, num_examples, num_pairs, length, vocabulary_size)
    return keys, keys + vocabulary_size // 2, positions


@sample.misconception(
    "Your examples come again, later in the draw or with the next seed. New examples, which shall "
    "measure the model, are then not new. Make one generator from `seed` and let it run on.",
    fails={"every_example_is_drawn_anew"},
)
def a_generator_for_each_example(seed, num_examples, num_pairs, length, vocabulary_size):
    sizes = (1, num_pairs, length, vocabulary_size)
    examples = [drawn_with(seed + b, *sizes) for b in range(num_examples)]
    return tuple(np.concatenate(parts) for parts in zip(*examples, strict=True))


@sample.misconception(
    "All your examples are the same draw. Draw keys, values and positions anew for every example.",
    fails={
        "ids_come_from_their_halves",
        "questions_come_after_the_pairs",
        "all_choices_are_equally_likely",
        "every_example_is_drawn_anew",
    },
)
def one_draw_for_all(seed, num_examples, num_pairs, length, vocabulary_size):
    drawn = drawn_with(seed, 1, num_pairs, length, vocabulary_size)
    return tuple(np.repeat(part, num_examples, axis=0) for part in drawn)


@sample.misconception(
    "Your draw does not follow `seed`: nobody could repeat your experiment, or repeat it with "
    "other data.",
    fails={"the_seed_decides"},
)
def the_seed_is_ignored(seed, num_examples, num_pairs, length, vocabulary_size):
    return drawn_with(None, num_examples, num_pairs, length, vocabulary_size)


# ---------------------------------------------------------------------------- recall_accuracy

accuracy = Exercise(
    "recall_accuracy",
    points=4,
    signature="recall_accuracy(logits, targets)",
    package=f"{DATA}.recall_accuracy",
    forbids=[f"{DATA}.recall_accuracy"],
    hints=[
        "Which places ask something? Only these count, in the top and the bottom of the fraction.",
        "The model's answer is the argmax over the last axis. Keep the answers and the targets "
        "where targets != 0, compare them, and take the mean.",
        "Targets 0 0 4 0 5 and answers 0 3 4 0 3: two questions, one answered right, so 1/2. The "
        "answer 3 at the second place does not matter.",
    ],
)


@accuracy.oracle
def recall_accuracy(logits, targets):
    """Right answers over questions."""
    asked = targets != 0
    return np.mean(np.argmax(logits, axis=-1)[asked] == targets[asked])


def questions(rng, counts, length, vocabulary_size, right):
    """Draw targets with `counts` questions per row, and logits that are right on `right` of them.

    Of the wrong answers some are other values, the others keys or the blank; then the target is
    the best among the values. At places without a question anything is the answer.
    """
    half = vocabulary_size // 2
    targets = np.zeros((len(counts), length), "int64")
    for row, count in zip(targets, counts, strict=True):
        places = rng.permutation(np.arange(1, length))[:count]
        row[places] = rng.integers(half, vocabulary_size, count)
    logits = rng.uniform(-3, 3, (len(counts), length, vocabulary_size))
    asked = rng.permutation(np.argwhere(targets))
    for i, (b, t) in enumerate(asked):
        logits[b, t, targets[b, t]] = 4
        if i >= right:
            value = half + (targets[b, t] - half + rng.integers(1, half)) % half
            other = value if i % 3 == 0 else i % 3 // 2 * rng.integers(1, half)
            logits[b, t, other] = 5
    return logits, targets


def three_scores(rng, num_questions):
    """Draw three different numbers of right answers, neither none nor all."""
    return rng.permutation(np.arange(1, num_questions))[:3].tolist()


def logits_for(answers, vocabulary_size):
    """Return logits whose largest is at the given answers."""
    return 2.0 * np.eye(vocabulary_size)[answers] - 1


@accuracy.case(points=1, hint="Two questions, one right answer. What stands at other places?")
def one_of_two_on_paper(lab, rng):
    """Targets 0 0 4 0 5 and answers 0 3 4 0 3 give one half, answers 0 3 4 0 5 give one."""
    targets = np.array([[0, 0, 4, 0, 5]])
    half, full = (logits_for(np.array([[0, 3, 4, 0, last]]), 6) for last in (3, 5))
    return [
        close(lab.recall_accuracy(half, targets), 0.5, what="accuracy"),
        close(lab.recall_accuracy(full, targets), 1.0, what="accuracy"),
    ]


@accuracy.case(points=1, hint="Keep only the places where targets != 0.")
def blanks_do_not_count(lab, rng):
    """Other logits at places without a question change nothing."""
    found = []
    for right in three_scores(rng, 12):
        logits, targets = questions(rng, (3, 5, 4), 11, 14, right)
        nothing = (targets == 0)[..., None]
        changed = np.where(nothing, rng.normal(size=logits.shape), logits)
        blank = np.where(nothing, logits_for(0 * targets, 14), logits)
        scores = [lab.recall_accuracy(x, targets) for x in (logits, changed, blank)]
        found += [close(score, right / 12, what="accuracy") for score in scores]
    return found


@accuracy.case(points=1, hint="Take one mean over all questions of the batch.")
def every_question_counts_the_same(lab, rng):
    """A question counts the same in an example with one question and in one with many."""
    found = []
    for count, right in zip((8, 10, 12), three_scores(rng, 8), strict=True):
        _, targets = questions(rng, (1, count), 13, 10, 0)
        answers = targets.copy()
        wrong = rng.permutation(np.flatnonzero(targets[1]))[right:]
        answers[1, wrong] = rng.integers(0, 5, len(wrong))
        score = lab.recall_accuracy(logits_for(answers, 10), targets)
        found.append(close(score, (1 + right) / (1 + count), what="accuracy"))
    return found


@accuracy.case(points=1, hint="Is the answer the largest of all V logits, by however little?")
def the_largest_of_all_logits_is_the_answer(lab, rng):
    """The largest logit decides, however small its lead, and be it the blank's or a key's."""
    found = []
    for right in three_scores(rng, 9):
        logits, targets = questions(rng, (2, 4, 3), 7, 10, right)
        found.append(close(lab.recall_accuracy(logits / 64, targets), right / 9, what="accuracy"))
    return found


def right_answers(logits, targets):
    """Return where the largest logit is the target."""
    return np.argmax(logits, axis=-1) == targets


@accuracy.misconception(
    "You counted every place, the blanks too. Most places ask nothing, so this score is high for "
    "a model that answers nothing but blanks."
)
def over_all_places(logits, targets):
    return np.mean(right_answers(logits, targets))


@accuracy.misconception(
    "You divided the right answers by the number of places. Divide by the number of questions."
)
def divided_by_places(logits, targets):
    return np.sum(right_answers(logits, targets) & (targets != 0)) / targets.size


@accuracy.misconception(
    "You counted examples in which every answer is right. Here each question counts on its own."
)
def whole_examples(logits, targets):
    return np.mean(np.all(right_answers(logits, targets) | (targets == 0), axis=1))


@accuracy.misconception(
    "You averaged the accuracies of the examples. An example with one question then weighs as "
    "much as one with seven."
)
def mean_of_rows(logits, targets):
    asked = targets != 0
    right = (right_answers(logits, targets) & asked).sum(1)
    return np.mean(right / asked.sum(1))


@accuracy.misconception(
    "You compared each target with the answer one place before it. Here the answer stands at the "
    "place of the question."
)
def shifted(logits, targets):
    return recall_accuracy(logits[:, :-1], targets[:, 1:])


@accuracy.misconception(
    "You looked for the largest logit among the values only. The answer is the largest of all V: "
    "a model that says a key or the blank is wrong."
)
def among_the_values(logits, targets):
    half = logits.shape[-1] // 2
    return recall_accuracy(np.where(np.arange(2 * half) < half, -np.inf, logits), targets)


@accuracy.misconception(
    "You averaged the probability of the right value. Accuracy asks only whether its logit is "
    "the largest."
)
def mean_probability(logits, targets):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    probability = powers / powers.sum(-1, keepdims=True)
    row, place = np.nonzero(targets)
    return np.mean(probability[row, place, targets[row, place]])


# ---------------------------------------------------------------------- lstm_units_for_budget

units_for = Exercise(
    "lstm_units_for_budget",
    points=4,
    signature="lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1)",
    package=f"{COMPARISON}.lstm_units_for_budget",
    forbids=[f"{COMPARISON}.lstm_units_for_budget"],
    hints=[
        "Write a helper that counts the weights of the whole model for a given width. Then try "
        "widths from 1 upward.",
        "An LSTM layer has 4(I + U + 1)U weights: four gates, each with I input weights, U "
        "recurrent weights and one bias for each of U units. The first layer reads I = E "
        "numbers, each later one I = U.",
        "V = 16, E = 4, U = 3, one layer: 16·4 + 4·(4 + 3 + 1)·3 + (3 + 1)·16 = 64 + 96 + 64 = "
        "224. For U = 4 it is 288; 250 is nearer to 224, and 256 is half-way, so U = 3 for both. "
        "A second layer of 3 units adds 4·(3 + 3 + 1)·3 = 84.",
    ],
)


WIDTHS = np.arange(1, 200)  # no budget below leads any answer past 151


def weights_of(units, vocabulary_size, embedding_dim, num_layers=1, biases=1, gates=4):
    """Weights of the embedding, the LSTM layers and the dense layer, in this order."""
    inputs = [embedding_dim] + [units] * (num_layers - 1)
    recurrent = sum(gates * (size + units + biases) * units for size in inputs)
    return vocabulary_size * embedding_dim, recurrent, (units + 1) * vocabulary_size


def right_count(units, vocabulary_size, embedding_dim, num_layers=1):
    """All weights of the model; `units` may be an array."""
    return sum(weights_of(units, vocabulary_size, embedding_dim, num_layers))


def nearest(distance, widths=WIDTHS):
    """Return the width of the least distance, the smaller in a tie."""
    return widths[np.argmin(distance, axis=-1)]


def by_count(count):
    """Return the answer of one who counts so; it takes arrays of budgets too."""

    def answer(budget, vocabulary_size, embedding_dim, num_layers=1):
        sizes = (vocabulary_size, embedding_dim, num_layers)
        units = nearest(np.abs(count(WIDTHS, *sizes) - np.expand_dims(budget, -1)))
        return units, count(units, *sizes)

    return answer


@units_for.oracle
def lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1):
    """The width nearest to the budget, and its number of weights."""
    return by_count(right_count)(budget, vocabulary_size, embedding_dim, num_layers)


def whole_numbers(lab, *args):
    """Ask for a width and compare both numbers."""
    names = ("units", "weights")
    got = unpack(lab.lstm_units_for_budget(*args), *names)
    for number, name in zip(got, names, strict=True):
        if isinstance(number, float | np.ndarray) and np.asarray(number).dtype.kind == "f":
            raise Mismatch(f"{name} is a float; return an int.")
    expected = lstm_units_for_budget(*args)
    return [
        equal(got[0], expected[0], what="number of units"),
        equal(got[1], expected[1], what="number of weights"),
    ]


# V, E and U are drawn out of 15,000 for every call. E stays below U: a later layer that reads the
# embedding has the right number of weights where E = U. V is even, so that there are ties.
VOCABULARIES, EMBEDDINGS, UNITS = range(32, 82, 2), range(5, 17), range(20, 70)
# For each case the number of LSTM layers of a call, and its budget, made from the weights of the
# width drawn and of the next one.
BUDGETS = {
    "an_exact_fit": [(1, lambda low, high: low)] * 2,
    "the_nearest_width_wins": [
        (1, lambda low, high: low + (high - low) // 5),
        (1, lambda low, high: high - (high - low) // 5),
    ],
    "stacked_layers": [(2, lambda low, high: low), (3, lambda low, high: low)],
    "ties_and_tiny_budgets": [
        (1, lambda low, high: (low + high) // 2),
        (1, lambda low, high: low // 200),
    ],
}


def drawn_budgets(lab, rng, case):
    """Ask for the widths of the case's budgets, each with sizes of its own."""
    found = []
    for num_layers, budget in BUDGETS[case]:
        sizes = [int(rng.choice(values)) for values in (VOCABULARIES, EMBEDDINGS)]
        layers = () if num_layers == 1 else (num_layers,)
        units = int(rng.choice(UNITS))
        around = (right_count(width, *sizes, *layers) for width in (units, units + 1))
        found += whole_numbers(lab, budget(*around), *sizes, *layers)
    return found


@units_for.case(points=1, hint="Count embedding, four gates with one bias each, dense layer.")
def an_exact_fit(lab, rng):
    """A budget that a width meets exactly gives this width and this budget."""
    return whole_numbers(lab, 224, 16, 4) + drawn_budgets(lab, rng, "an_exact_fit")


@units_for.case(points=1, hint="Compare the width below the budget with the one above it.")
def the_nearest_width_wins(lab, rng):
    """Just above a width's weights it wins; just below the next width's, the next one wins."""
    return whole_numbers(lab, 250, 16, 4) + drawn_budgets(lab, rng, "the_nearest_width_wins")


@units_for.case(points=1, hint="A second LSTM layer reads the U numbers of the first.")
def stacked_layers(lab, rng):
    """Later layers read the units of the layer below, not the embedding."""
    return whole_numbers(lab, 308, 16, 4, 2) + drawn_budgets(lab, rng, "stacked_layers")


@units_for.case(points=1, hint="In a tie the smaller width wins, and a width is at least 1.")
def ties_and_tiny_budgets(lab, rng):
    """In a tie the smaller width wins; a tiny budget gives width 1."""
    return whole_numbers(lab, 256, 16, 4) + drawn_budgets(lab, rng, "ties_and_tiny_budgets")


def miscounted(message):
    """Register the answer of one who counts the weights of a width wrongly."""

    def register(count):
        answer = by_count(count)
        answer.__name__ = count.__name__
        units_for.misconception(message)(answer)
        return count

    return register


@miscounted(
    "You gave every gate two biases, as PyTorch does. A Keras LSTM has one bias for each unit of "
    "a gate."
)
def two_biases(units, *sizes):
    return sum(weights_of(units, *sizes, biases=2))


@miscounted("You counted no biases in the LSTM: each gate has one for each unit.")
def no_biases(units, *sizes):
    return sum(weights_of(units, *sizes, biases=0))


@miscounted(
    "You counted three gates. An LSTM has four matrices: input, forget and output gate, and the "
    "candidate."
)
def three_gates(units, *sizes):
    return sum(weights_of(units, *sizes, gates=3))


@miscounted("You left out the dense layer that turns the units into logits: (U + 1)·V weights.")
def without_the_dense_layer(units, *sizes):
    return sum(weights_of(units, *sizes)[:2])


@miscounted(
    "You left out the biases of the dense layer, one for each of the V logits: it has (U + 1)·V "
    "weights, not U·V."
)
def without_the_bias_of_the_dense_layer(units, vocabulary_size, *sizes):
    return right_count(units, vocabulary_size, *sizes) - vocabulary_size


@miscounted("You counted no biases. Each gate has one for each unit, the dense layer V of them.")
def without_any_bias(units, vocabulary_size, *sizes):
    return no_biases(units, vocabulary_size, *sizes) - vocabulary_size


@miscounted("You left out the embedding: V·E weights.")
def without_the_embedding(units, *sizes):
    return sum(weights_of(units, *sizes)[1:])


@miscounted(
    "Your later LSTM layers read the embedding. From the second on, a layer reads the U numbers "
    "of the layer below."
)
def every_layer_reads_the_embedding(units, vocabulary_size, embedding_dim, num_layers=1):
    embedding, recurrent, dense = weights_of(units, vocabulary_size, embedding_dim)
    return embedding + num_layers * recurrent + dense


@miscounted("You counted one LSTM layer, whatever `num_layers` says.")
def one_layer_only(units, vocabulary_size, embedding_dim, num_layers=1):
    return right_count(units, vocabulary_size, embedding_dim)


@miscounted(
    "You counted one LSTM layer too many: `num_layers` counts the first one, which reads the "
    "embedding, too."
)
def one_layer_too_many(units, vocabulary_size, embedding_dim, num_layers=1):
    return right_count(units, vocabulary_size, embedding_dim, num_layers + 1)


def chosen_by(message):
    """Register the answer of one who counts right and chooses another width."""

    def register(choose):
        def answer(budget, *sizes):
            units = choose(np.expand_dims(budget, -1), right_count(WIDTHS, *sizes), *sizes)
            return units, right_count(units, *sizes)

        answer.__name__ = choose.__name__
        units_for.misconception(message)(answer)
        return choose

    return register


@chosen_by(
    "Your widest model that stays within the budget is not always the nearest: the next width "
    "can be closer."
)
def never_above_the_budget(budget, weights, *sizes):
    return np.maximum(1, np.sum(weights <= budget, axis=-1))


@chosen_by(
    "Your narrowest model that reaches the budget is not always the nearest: the width before it "
    "can be closer."
)
def never_below_the_budget(budget, weights, *sizes):
    return 1 + np.sum(weights < budget, axis=-1)


@chosen_by(
    "Half-way between the weights of two widths you take the larger width; the smaller one wins. "
    "Is it < or <= in your comparison? Do you round the root of an equation? Distances count in "
    "weights, not in units."
)
def larger_in_a_tie(budget, weights, *sizes):
    return nearest(np.abs(weights - budget)[..., ::-1], WIDTHS[::-1])


@chosen_by("Your width can be 0. It is at least 1, however small the budget.")
def from_zero(budget, weights, *sizes):
    distance = np.abs(np.append(right_count(0, *sizes), weights) - budget)
    return nearest(distance, np.append(0, WIDTHS))


@units_for.misconception("You returned the weights first. The units come first.")
def weights_first(budget, *sizes):
    return lstm_units_for_budget(budget, *sizes)[::-1]


@units_for.misconception(
    "You returned the budget beside the width. Return the number of weights that the model of "
    "this width has."
)
def the_budget_for_the_weights(budget, *sizes):
    return lstm_units_for_budget(budget, *sizes)[0], budget


# --------------------------------------------------------------------------- median_step_time

step_time = Exercise(
    "median_step_time",
    points=2,
    signature="median_step_time(readings, warmup)",
    package=f"{COMPARISON}.median_step_time",
    forbids=[f"{COMPARISON}.median_step_time"],
    hints=[
        "The clock shows when, not how long. What lies between two readings?",
        "np.diff(readings) gives the duration of every step. Drop the first `warmup` of them, "
        "then take the median.",
        "Readings 0, 6, 6.02, 6.05, 6.06, 6.17 give durations 6, 0.02, 0.03, 0.01, 0.11. Without "
        "the first one, the middle of 0.01, 0.02, 0.03, 0.11 is 0.025.",
    ],
)


@step_time.oracle
def median_step_time(readings, warmup):
    """The median duration of the steps after the warm-up."""
    durations = sorted(readings[i + 1] - readings[i] for i in range(warmup, len(readings) - 1))
    middle = len(durations) // 2
    return durations[middle] if len(durations) % 2 else sum(durations[middle - 1 : middle + 1]) / 2


def clock(durations):
    """Return the readings for durations in units of 1/1024 s, which float32 holds exactly."""
    return (71 + np.concatenate([[0], np.cumsum(durations)])) / 1024


def steps(rng, count):
    """Draw `count` different durations in random order; return them and their median."""
    durations = rng.permutation(np.arange(11, 611))[:count]
    ordered = np.sort(durations)
    return durations, (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def timed(lab, first, counted, median):
    """Ask for the median step time after some first steps, all in units of 1/1024 s."""
    got = lab.median_step_time(clock([*first, *counted]), len(first))
    return close(got, median / 1024, 1e-5, what="median time")


@step_time.case(points=1, hint="Leave out `warmup` steps, no more and no fewer.")
def the_warm_up_is_left_out(lab, rng):
    """The first steps, which compile, do not count, whether slow or fast; all later ones do."""
    paper = np.array([0, 6, 6.02, 6.05, 6.06, 6.17])
    found = [close(lab.median_step_time(paper, 1), 0.025, 1e-5, what="median time")]
    for warmup, count in ((0, 8), (1, 9), (2, 7), (3, 10), (5, 6)):
        fast = rng.integers(1, 11, max(0, warmup - 1))
        first = [*rng.integers(3001, 6001, min(1, warmup)), *fast]
        found.append(timed(lab, first, *steps(rng, count)))
    return found


@step_time.case(points=1, hint="The mean follows one slow step; the median does not.")
def one_slow_step_does_not_matter(lab, rng):
    """A step that another program slowed down leaves the result as it is."""
    found = []
    for count in (8, 11):
        counted, median = steps(rng, count)
        slowed = np.where(counted == counted.max(), rng.integers(2001, 3001), counted)
        first = rng.integers(3001, 6001, 1)
        found += [timed(lab, first, durations, median) for durations in (counted, slowed)]
    return found


@step_time.misconception("You took the mean: one slow step moves it. Take the median.")
def mean_duration(readings, warmup):
    return np.mean(np.diff(readings)[warmup:])


@step_time.misconception("You did not leave out the warm-up steps.")
def warm_up_counted(readings, warmup):
    return np.median(np.diff(readings))


@step_time.misconception(
    "You left out one step too many: reading number `warmup` is where the first counted step "
    "begins."
)
def one_step_too_many(readings, warmup):
    return np.median(np.diff(readings[warmup + 1 :]))


@step_time.misconception("You took the fastest step. Take the median.")
def fastest_step(readings, warmup):
    return np.min(np.diff(readings)[warmup:])


@step_time.misconception(
    "You took the median of the readings. They say when a step ended; their differences say how "
    "long it took."
)
def median_of_the_readings(readings, warmup):
    return np.median(readings[warmup:])


@step_time.misconception(
    "You divided the time of all steps, warm-up included, by the number of counted steps."
)
def total_over_steps(readings, warmup):
    return (readings[-1] - readings[0]) / (len(readings) - 1 - warmup)


@step_time.misconception(
    "You left out the slowest steps. Leave out the first ones: choosing by speed makes every "
    "program look fast."
)
def slowest_left_out(readings, warmup):
    durations = np.sort(np.diff(readings))
    return np.median(durations[: len(durations) - warmup])
