"""Checks of lab 6: the data of associative recall, and what a fair comparison needs."""

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
    points=6,
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


def three_arrays(lab, seed, num_examples, num_pairs, *sizes):
    """Ask for a draw and make sure of its form."""
    drawn = lab.sample_recall(seed, num_examples, num_pairs, *sizes)
    names = ("keys", "values", "positions")
    parts = [array(part) for part in unpack(drawn, *names)]
    for part, name in zip(parts, names, strict=True):
        if part.shape != (num_examples, num_pairs):
            expected = (num_examples, num_pairs)
            raise Mismatch(f"The {name} have shape {part.shape}; it should be {expected}.")
        if part.dtype.kind not in "iu":
            raise Mismatch(f"The {name} are {part.dtype}; they should be integers.")
    return parts


def seed_from(rng):
    """Draw a seed to hand to the learner's code."""
    return int(rng.integers(1, 10**6))


@sample.case(points=1, hint="Id 0 is blank. Does your range leave out its upper end?")
def ids_come_from_their_halves(lab, rng):
    """Keys are the ids 1 to V/2 - 1 and values V/2 to V - 1, and each of them occurs."""
    keys, values, _ = three_arrays(lab, seed_from(rng), 307, 3, 13, 22)
    return [
        equal(np.unique(keys), np.arange(1, 11), what="set of keys"),
        equal(np.unique(values), np.arange(11, 22), what="set of values"),
    ]


@sample.case(points=1, hint="Draw without replacement, in every example.")
def nothing_repeats_in_an_example(lab, rng):
    """Within an example no key, no value and no position comes twice."""
    drawn = three_arrays(lab, seed_from(rng), 211, 5, 17, 22)
    names = ("keys", "values", "positions")
    return [
        equal([len(set(row)) for row in part.tolist()], np.full(211, 5), what=f"different {name}")
        for part, name in zip(drawn, names, strict=True)
    ]


@sample.case(points=1, hint="The pairs take places 0 to 2K - 1.")
def questions_come_after_the_pairs(lab, rng):
    """Questions stand at places 2K to T - 1, and each of these places occurs."""
    _, _, positions = three_arrays(lab, seed_from(rng), 307, 3, 17, 22)
    return equal(np.unique(positions), np.arange(6, 17), what="set of positions")


@sample.case(points=1, hint="Do not sort the positions: position i belongs to key i.")
def questions_come_in_any_order(lab, rng):
    """With three pairs, all six orders of the questions occur."""
    _, _, positions = three_arrays(lab, seed_from(rng), 307, 3, 17, 22)
    orders = np.unique(np.argsort(positions, axis=1), axis=0)
    return equal(len(orders), math.factorial(3), what="number of orders")


@sample.case(points=1, hint="Draw the values on their own, not from the keys.")
def a_key_has_another_value_each_time(lab, rng):
    """Over many examples every key comes with every value."""
    keys, values, _ = three_arrays(lab, seed_from(rng), 997, 3, 13, 22)
    pairs = np.unique(np.stack([keys.ravel(), values.ravel()]), axis=1)
    allowed = (pairs[0] > 0) & (pairs[0] < 11) & (pairs[1] >= 11)
    return equal(int(allowed.sum()), 110, what="number of different pairs")


@sample.case(points=1, hint="Make a generator inside the function: np.random.default_rng(seed).")
def the_seed_decides(lab, rng):
    """The same seed gives the same draw, another seed another one."""
    seed = seed_from(rng)
    first, again, other = (
        np.concatenate(three_arrays(lab, s, 13, 3, 17, 22), axis=1) for s in (seed, seed, seed + 1)
    )
    differs = not np.array_equal(first, other)
    got = "another draw" if differs else "the same draw"
    return [
        holds(differs, "another draw for another seed", got),
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
    fails={"questions_come_in_any_order"},
)
def sorted_positions(seed, num_examples, num_pairs, length, vocabulary_size):
    keys, values, positions = drawn_with(seed, num_examples, num_pairs, length, vocabulary_size)
    return keys, values, np.sort(positions, axis=1)


@sample.misconception(
    "Your values follow from the keys, so weights could hold the pairs. The value of a key must "
    "change from example to example.",
    fails={"ids_come_from_their_halves", "a_key_has_another_value_each_time"},
)
def a_fixed_value_for_each_key(seed, num_examples, num_pairs, length, vocabulary_size):
    keys, _, positions = drawn_with(seed, num_examples, num_pairs, length, vocabulary_size)
    return keys, keys + vocabulary_size // 2, positions


@sample.misconception(
    "All your examples are the same draw. Draw keys, values and positions anew for every example.",
    fails={
        "ids_come_from_their_halves",
        "questions_come_after_the_pairs",
        "questions_come_in_any_order",
        "a_key_has_another_value_each_time",
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


def questions(rng, counts, length, vocabulary_size):
    """Draw targets with `counts` questions per row, and logits that are right on some."""
    targets = np.zeros((len(counts), length), "int64")
    for row, count in zip(targets, counts, strict=True):
        places = rng.permutation(np.arange(1, length))[:count]
        row[places] = rng.integers(vocabulary_size // 2, vocabulary_size, count)
    logits = rng.normal(size=(len(counts), length, vocabulary_size))
    right = np.zeros(len(counts) * length, bool)
    right[rng.permutation(len(right))[: int(0.6 * len(right))]] = True
    first, second = np.nonzero(right.reshape(targets.shape))
    logits[first, second, targets[first, second]] += 6
    return logits, targets


def logits_for(answers, vocabulary_size):
    """Return logits whose largest is at the given answers."""
    return 2.0 * np.eye(vocabulary_size)[answers] - 1


@accuracy.case(points=1, hint="Two questions, one right answer. What stands at other places?")
def one_of_two_on_paper(lab, rng):
    """Targets 0 0 4 0 5 and answers 0 3 4 0 3 give one half."""
    logits = logits_for(np.array([[0, 3, 4, 0, 3]]), 6)
    return close(lab.recall_accuracy(logits, np.array([[0, 0, 4, 0, 5]])), 0.5, what="accuracy")


@accuracy.case(points=1, hint="Keep only the places where targets != 0.")
def blanks_do_not_count(lab, rng):
    """Other logits at places without a question change nothing."""
    logits, targets = questions(rng, (3, 5, 4), 11, 14)
    expected = recall_accuracy(logits, targets)
    changed = np.where((targets == 0)[..., None], rng.normal(size=logits.shape), logits)
    blank = np.where((targets == 0)[..., None], logits_for(0 * targets, 14), logits)
    return [close(lab.recall_accuracy(x, targets), expected) for x in (logits, changed, blank)]


@accuracy.case(points=1, hint="Take one mean over all questions of the batch.")
def every_question_counts_the_same(lab, rng):
    """A question counts the same in an example with one question and in one with seven."""
    _, targets = questions(rng, (1, 7), 13, 10)
    answers = targets.copy()
    answers[1, np.flatnonzero(targets[1])[:5]] = 0  # 1 of 1 and 2 of 7: 3 of 8
    return close(lab.recall_accuracy(logits_for(answers, 10), targets), 3 / 8, what="accuracy")


@accuracy.case(points=1, hint="Is the answer the largest logit, or do you use its probability?")
def a_narrow_lead_is_a_full_answer(lab, rng):
    """The largest logit decides, however small its lead."""
    logits, targets = questions(rng, (2, 4, 3), 7, 10)
    narrow = logits / 64
    return close(lab.recall_accuracy(narrow, targets), recall_accuracy(logits, targets))


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
        "224. For U = 4 it is 288, and 250 is nearer to 224.",
    ],
)


def weights_of(units, vocabulary_size, embedding_dim, num_layers=1, biases=1, gates=4):
    """Weights of the embedding, the LSTM layers and the dense layer, in this order."""
    inputs = [embedding_dim] + [units] * (num_layers - 1)
    recurrent = sum(gates * (size + units + biases) * units for size in inputs)
    return vocabulary_size * embedding_dim, recurrent, (units + 1) * vocabulary_size


def nearest(budget, count):
    """Return the width whose count is nearest to the budget, the smaller in a tie."""
    units = 1
    while abs(count(units + 1) - budget) < abs(count(units) - budget):
        units += 1
    return units, count(units)


@units_for.oracle
def lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1):
    """The width nearest to the budget, and its number of weights."""
    return nearest(budget, lambda u: sum(weights_of(u, vocabulary_size, embedding_dim, num_layers)))


def whole_numbers(lab, *args, **kwargs):
    """Ask for a width and compare both numbers."""
    got = unpack(lab.lstm_units_for_budget(*args, **kwargs), "units", "weights")
    expected = lstm_units_for_budget(*args, **kwargs)
    return [
        equal(got[0], expected[0], what="number of units"),
        equal(got[1], expected[1], what="number of weights"),
    ]


@units_for.case(points=1, hint="Count embedding, four gates with one bias each, dense layer.")
def an_exact_fit(lab, rng):
    """A budget that a width meets exactly gives this width and this budget."""
    units = int(rng.integers(17, 23))
    budget = sum(weights_of(units, 26, 7))
    return whole_numbers(lab, 250, 16, 4) + whole_numbers(lab, budget, 26, 7)


@units_for.case(points=1, hint="Compare the width below the budget with the one above it.")
def the_nearest_width_wins(lab, rng):
    """Just above a width's weights it wins; just below the next width's, the next one wins."""
    units = int(rng.integers(11, 17))
    low, high = (sum(weights_of(u, 22, 5)) for u in (units, units + 1))
    gap = (high - low) // 5
    return whole_numbers(lab, low + gap, 22, 5) + whole_numbers(lab, high - gap, 22, 5)


@units_for.case(points=1, hint="A second LSTM layer reads the U numbers of the first.")
def stacked_layers(lab, rng):
    """Later layers read the units of the layer below, not the embedding."""
    units = int(rng.integers(7, 13))
    two, three = (sum(weights_of(units, 22, 17, n)) for n in (2, 3))
    return whole_numbers(lab, two, 22, 17, 2) + whole_numbers(lab, three, 22, 17, 3)


@units_for.case(points=1, hint="In a tie the smaller width wins, and a width is at least 1.")
def ties_and_tiny_budgets(lab, rng):
    """In a tie the smaller width wins; a tiny budget gives width 1."""
    units = int(rng.integers(5, 11))
    tie = sum(sum(weights_of(u, 14, 3)) for u in (units, units + 1)) // 2
    return whole_numbers(lab, tie, 14, 3) + whole_numbers(lab, 1, 14, 3)


@units_for.misconception(
    "You gave every gate two biases, as PyTorch does. A Keras LSTM has one bias for each unit of "
    "a gate."
)
def two_biases(budget, vocabulary_size, embedding_dim, num_layers=1):
    sizes = (vocabulary_size, embedding_dim, num_layers)
    return nearest(budget, lambda u: sum(weights_of(u, *sizes, biases=2)))


@units_for.misconception("You counted no biases in the LSTM: each gate has one for each unit.")
def no_biases(budget, vocabulary_size, embedding_dim, num_layers=1):
    sizes = (vocabulary_size, embedding_dim, num_layers)
    return nearest(budget, lambda u: sum(weights_of(u, *sizes, biases=0)))


@units_for.misconception(
    "You counted three gates. An LSTM has four matrices: input, forget and output gate, and the "
    "candidate."
)
def three_gates(budget, vocabulary_size, embedding_dim, num_layers=1):
    sizes = (vocabulary_size, embedding_dim, num_layers)
    return nearest(budget, lambda u: sum(weights_of(u, *sizes, gates=3)))


@units_for.misconception(
    "You left out the dense layer that turns the units into logits: (U + 1)·V weights."
)
def without_the_dense_layer(budget, vocabulary_size, embedding_dim, num_layers=1):
    sizes = (vocabulary_size, embedding_dim, num_layers)
    return nearest(budget, lambda u: sum(weights_of(u, *sizes)[:2]))


@units_for.misconception("You left out the embedding: V·E weights.")
def without_the_embedding(budget, vocabulary_size, embedding_dim, num_layers=1):
    sizes = (vocabulary_size, embedding_dim, num_layers)
    return nearest(budget, lambda u: sum(weights_of(u, *sizes)[1:]))


@units_for.misconception(
    "Your widest model that stays within the budget is not always the nearest: the next width "
    "can be closer."
)
def never_above_the_budget(budget, vocabulary_size, embedding_dim, num_layers=1):
    def count(width):
        return sum(weights_of(width, vocabulary_size, embedding_dim, num_layers))

    units = 1
    while count(units + 1) <= budget:
        units += 1
    return units, count(units)


@units_for.misconception(
    "Your later LSTM layers read the embedding. From the second on, a layer reads the U numbers "
    "of the layer below."
)
def every_layer_reads_the_embedding(budget, vocabulary_size, embedding_dim, num_layers=1):
    def count(width):
        embedding, recurrent, dense = weights_of(width, vocabulary_size, embedding_dim)
        return embedding + num_layers * recurrent + dense

    return nearest(budget, count)


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


@step_time.case(points=1, hint="Leave out `warmup` steps, no more and no fewer.")
def the_warm_up_is_left_out(lab, rng):
    """The first steps, which compile, do not count; all later ones do."""
    paper = np.array([0, 6, 6.02, 6.05, 6.06, 6.17])
    steps = rng.permutation([11, 13, 17, 23, 29, 41, 97])
    readings = clock([5003, 3, *steps])  # the second step is fast, and left out all the same
    every = clock(np.concatenate([steps, [31, 37]]))
    return [
        close(lab.median_step_time(paper, 1), 0.025, 1e-5, what="median time"),
        close(lab.median_step_time(readings, 2), 23 / 1024, 1e-5, what="median time"),
        close(lab.median_step_time(every, 0), 29 / 1024, 1e-5, what="median time"),
    ]


@step_time.case(points=1, hint="The mean follows one slow step; the median does not.")
def one_slow_step_does_not_matter(lab, rng):
    """A step that another program slowed down leaves the result as it is."""
    steps = rng.permutation([11, 13, 17, 23, 29, 31, 37, 41])
    slowed = np.where(steps == 41, 2048, steps)
    return [
        close(lab.median_step_time(clock([3001, *d]), 1), 26 / 1024, 1e-5, what="median time")
        for d in (steps, slowed)
    ]


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
