"""Independent right answers to lab 6, in styles that learners use."""

import random
import statistics

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative

# recall_batch ---------------------------------------------------------------------------------


@alternative("m02_transformer.recall_batch")
def with_loops(keys, values, positions, length):
    """Plain lists, place by place."""
    inputs, targets = [], []
    for key, value, position in zip(
        *(np.asarray(x).tolist() for x in (keys, values, positions)), strict=True
    ):
        row, answers = [0] * length, [0] * length
        for i, (k, v) in enumerate(zip(key, value, strict=True)):
            row[2 * i], row[2 * i + 1] = k, v
            row[position[i]], answers[position[i]] = k, v
        inputs.append(row)
        targets.append(answers)
    return inputs, targets


@alternative("m02_transformer.recall_batch")
def with_one_hot(keys, values, positions, length):
    """Tensors only: one-hot places, summed over the pairs."""
    places = ops.one_hot(positions, length, dtype="int32")  # (B, K, T)
    keys, values = ops.cast(keys, "int32"), ops.cast(values, "int32")
    num_pairs = keys.shape[1]
    pairs = ops.reshape(ops.stack([keys, values], -1), (-1, 2 * num_pairs))
    start = ops.pad(pairs, ((0, 0), (0, length - 2 * num_pairs)))
    questions = ops.sum(places * keys[..., None], axis=1)
    return start + questions, ops.sum(places * values[..., None], axis=1)


@alternative("m02_transformer.recall_batch")
def with_scatter(keys, values, positions, length):
    """TensorFlow's scatter_nd on all places at once."""
    num_examples, num_pairs = keys.shape
    rows = tf.repeat(tf.range(num_examples)[:, None], num_pairs, axis=1)
    even = tf.repeat(2 * tf.range(num_pairs)[None], num_examples, axis=0)

    def scatter(*parts):
        index = tf.concat([tf.stack([rows, place], -1) for place, _ in parts], axis=1)
        ids = tf.concat([tf.cast(what, "int32") for _, what in parts], axis=1)
        return tf.scatter_nd(index, ids, (num_examples, length))

    positions = tf.cast(positions, "int32")
    inputs = scatter((even, keys), (even + 1, values), (positions, keys))
    return inputs, scatter((positions, values))


@alternative("m02_transformer.recall_batch")
def with_put_along_axis(keys, values, positions, length):
    """NumPy's put_along_axis."""
    keys, values, positions = map(np.asarray, (keys, values, positions))
    inputs, targets = np.zeros((2, len(keys), length), int)
    inputs[:, : 2 * keys.shape[1]] = np.stack([keys, values], -1).reshape(len(keys), -1)
    np.put_along_axis(inputs, positions, keys, axis=1)
    np.put_along_axis(targets, positions, values, axis=1)
    return inputs, targets


# sample_recall --------------------------------------------------------------------------------


@alternative("m02_transformer.sample_recall")
def with_choice(seed, num_examples, num_pairs, length, vocabulary_size):
    """One choice without replacement per row."""
    rng, half = np.random.default_rng(seed), vocabulary_size // 2
    ranges = ((1, half), (half, vocabulary_size), (2 * num_pairs, length))
    return tuple(
        np.array(
            [rng.choice(np.arange(*ids), num_pairs, replace=False) for _ in range(num_examples)]
        )
        for ids in ranges
    )


@alternative("m02_transformer.sample_recall")
def with_argsort(seed, num_examples, num_pairs, length, vocabulary_size):
    """The places of the smallest random numbers, NumPy's old generator."""
    random_numbers, half = np.random.RandomState(seed), vocabulary_size // 2

    def smallest(count):
        return random_numbers.rand(num_examples, count).argsort(1)[:, :num_pairs]

    positions = 2 * num_pairs + smallest(length - 2 * num_pairs)
    return 1 + smallest(half - 1), half + smallest(half), positions


@alternative("m02_transformer.sample_recall")
def with_python_random(seed, num_examples, num_pairs, length, vocabulary_size):
    """The standard library, lists of lists."""
    source, half = random.Random(seed), vocabulary_size // 2

    def rows(low, high):
        return [source.sample(range(low, high), num_pairs) for _ in range(num_examples)]

    return rows(1, half), rows(half, vocabulary_size), rows(2 * num_pairs, length)


@alternative("m02_transformer.sample_recall")
def with_keras_random(seed, num_examples, num_pairs, length, vocabulary_size):
    """Keras's random numbers, the largest of them by top_k."""
    source, half = keras.random.SeedGenerator(seed), vocabulary_size // 2

    def largest(count):
        return ops.top_k(keras.random.uniform((num_examples, count), seed=source), num_pairs)[1]

    positions = largest(length - 2 * num_pairs) + 2 * num_pairs
    return largest(half - 1) + 1, largest(half) + half, positions


@alternative("m02_transformer.sample_recall")
def with_a_generator_per_array(seed, num_examples, num_pairs, length, vocabulary_size):
    """Three generators of one seed, independent since they are spawned, and a shuffle per row."""
    half = vocabulary_size // 2
    ranges = ((1, half), (half, vocabulary_size), (2 * num_pairs, length))

    def rows(rng, low, high):
        return [rng.permutation(np.arange(low, high))[:num_pairs] for _ in range(num_examples)]

    generators = np.random.default_rng(seed).spawn(3)
    return [np.stack(rows(rng, *ids)) for rng, ids in zip(generators, ranges, strict=True)]


# recall_accuracy ------------------------------------------------------------------------------


@alternative("m02_transformer.recall_accuracy")
def as_weighted_mean(logits, targets):
    """Right answers times a mask, over the mask."""
    asked = ops.cast(ops.not_equal(targets, 0), "float32")
    answers = ops.cast(ops.argmax(logits, axis=-1), targets.dtype)
    right = ops.cast(ops.equal(answers, targets), "float32")
    return ops.sum(right * asked) / ops.sum(asked)


@alternative("m02_transformer.recall_accuracy")
def with_a_keras_metric(logits, targets):
    """Keras's metric with sample weights."""
    metric = keras.metrics.SparseCategoricalAccuracy()
    metric.update_state(targets, logits, sample_weight=ops.not_equal(targets, 0))
    return metric.result()


@alternative("m02_transformer.recall_accuracy")
def counted_one_by_one(logits, targets):
    """Loops and two counters."""
    logits, targets = np.asarray(logits), np.asarray(targets)
    right = questions = 0
    for b, t in zip(*np.nonzero(targets), strict=True):
        questions += 1
        right += int(max(range(logits.shape[-1]), key=lambda i: logits[b, t, i]) == targets[b, t])
    return right / questions


@alternative("m02_transformer.recall_accuracy")
def with_boolean_mask(logits, targets):
    """TensorFlow's boolean_mask, then a mean."""
    asked = targets != 0
    answers = tf.argmax(tf.boolean_mask(logits, asked), axis=-1, output_type=targets.dtype)
    return tf.reduce_mean(tf.cast(answers == tf.boolean_mask(targets, asked), tf.float32))


# lstm_units_for_budget ------------------------------------------------------------------------


@alternative("m02_transformer.lstm_units_for_budget")
def search_over_many_widths(budget, vocabulary_size, embedding_dim, num_layers=1):
    """All widths at once, and the first smallest distance."""
    units = np.arange(1, 2000)
    inputs = embedding_dim + (num_layers - 1) * units
    weights = 4 * (inputs + num_layers * units + num_layers) * units
    weights = weights + vocabulary_size * (embedding_dim + units + 1)
    best = np.argmin(np.abs(weights - budget))
    return units[best], weights[best]


@alternative("m02_transformer.lstm_units_for_budget")
def from_the_quadratic_formula(budget, vocabulary_size, embedding_dim, num_layers=1):
    """Solve the quadratic, then look at the two whole numbers around the root."""
    a = 4 * (2 * num_layers - 1)
    b = 4 * (embedding_dim + num_layers) + vocabulary_size
    c = vocabulary_size * (embedding_dim + 1)
    root = (-b + max(b * b - 4 * a * (c - budget), 0) ** 0.5) / (2 * a)
    candidates = [max(1, int(root)), max(1, int(root) + 1)]
    distance = [abs(a * u * u + b * u + c - budget) for u in candidates]
    units = candidates[0] if distance[0] <= distance[1] else candidates[1]
    return units, a * units * units + b * units + c


@alternative("m02_transformer.lstm_units_for_budget")
def gate_by_gate(budget, vocabulary_size, embedding_dim, num_layers=1):
    """Count matrix by matrix; stop at the first width whose successor is no better."""

    def count(units):
        total = vocabulary_size * embedding_dim
        size = embedding_dim
        for _ in range(num_layers):
            for _gate in ("input", "forget", "candidate", "output"):
                total += size * units  # kernel
                total += units * units  # recurrent kernel
                total += units  # bias
            size = units
        return total + size * vocabulary_size + vocabulary_size

    table = [count(units) for units in range(1, 200)]
    nearest = min(table, key=lambda weights: (abs(weights - budget), weights))
    return table.index(nearest) + 1, nearest


@alternative("m02_transformer.lstm_units_for_budget")
def by_bisection(budget, vocabulary_size, embedding_dim, num_layers=1):
    """Double until it is too wide, halve the gap, then compare the two widths that are left."""

    def count(units):
        sizes = [embedding_dim] + [units] * num_layers
        lstm = sum(4 * (size * units + units**2 + units) for size in sizes[:-1])
        return vocabulary_size * (embedding_dim + sizes[-1] + 1) + lstm

    low, high = 1, 2
    while count(high) < budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < budget else (low, middle)
    units = low if budget - count(low) <= count(high) - budget else high
    return units, count(units)


# median_step_time -----------------------------------------------------------------------------


@alternative("m02_transformer.median_step_time")
def with_statistics(readings, warmup):
    """The standard library's median."""
    readings = [float(reading) for reading in readings]
    durations = [end - begin for begin, end in zip(readings, readings[1:], strict=False)]
    return statistics.median(durations[warmup:])


@alternative("m02_transformer.median_step_time")
def cut_first(readings, warmup):
    """Cut the readings, then take differences."""
    kept = readings[warmup:]
    return ops.median(kept[1:] - kept[:-1])


@alternative("m02_transformer.median_step_time")
def sorted_middle(readings, warmup):
    """Sort, and average the middle two; an odd number has one middle."""
    durations = np.sort(np.diff(np.asarray(readings))[warmup:])
    count = len(durations)
    return (durations[(count - 1) // 2] + durations[count // 2]) / 2
