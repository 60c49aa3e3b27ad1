"""Associative recall: read a few key-value pairs, then give the value of a key.

    inputs     5 12  3  9  |  3  0  5  0
    targets    0  0  0  0  |  9  0 12  0

Each example opens with K pairs, a key before its value. Later every key comes once
more: a question, and its answer is that key's value. Id 0 is blank. The pairs are
drawn anew for every example, so weights cannot hold them; the model must look them up.

Like MQAR (Arora et al., 2023, https://arxiv.org/abs/2312.04927), except that the
places of the questions are uniform and blanks stay blank.

Axes: B examples, T length, K pairs, V vocabulary size.
"""

import numpy as np


def load(split, num_examples=None, num_pairs=4, length=32, vocabulary_size=128, seed=0):
    """Return `(inputs, targets)` of a split; `num_examples` defaults to 8192 or 1000."""
    if num_examples is None:
        num_examples = {"train": 8192, "test": 1000}[split]
    stream = 2 * seed + (split == "test")
    return associative_recall(stream, num_examples, num_pairs, length, vocabulary_size)


def associative_recall(seed, num_examples, num_pairs=4, length=32, vocabulary_size=128):
    """Draw examples of associative recall.

    Args:
        seed: int. The same seed gives the same examples.
        num_examples: int. B.
        num_pairs: int. K, the pairs, and the questions, of an example.
        length: int. T, at least 3K.
        vocabulary_size: int. V: id 0 is blank, keys are 1 to V/2 - 1, values V/2 to V - 1.

    Returns:
        `inputs` and `targets`, int32 `(B, T)`. A target is 0 where nothing is asked.
    """
    drawn = sample_recall(seed, num_examples, num_pairs, length, vocabulary_size)
    return recall_batch(*drawn, length)


def recall_batch(keys, values, positions, length):
    """Write pairs and questions into sequences.

    Args:
        keys: int `(B, K)`.
        values: int `(B, K)`. Value i belongs to key i.
        positions: int `(B, K)`. Where key i is asked for, at or after 2K.
        length: int. T.

    Returns:
        `inputs` and `targets`, int32 `(B, T)`.
    """
    num_examples, num_pairs = keys.shape
    rows = np.arange(num_examples)[:, None]
    inputs = np.zeros((num_examples, length), "int32")
    targets = np.zeros((num_examples, length), "int32")
    inputs[:, 0 : 2 * num_pairs : 2] = keys
    inputs[:, 1 : 2 * num_pairs : 2] = values
    inputs[rows, positions] = keys
    targets[rows, positions] = values
    return inputs, targets


def sample_recall(seed, num_examples, num_pairs, length, vocabulary_size):
    """Draw the keys, values and question positions of each example.

    Nothing repeats within an example; see `associative_recall` for the arguments.

    Returns:
        `keys`, `values`, `positions`, int64 `(B, K)`.

    Raises:
        ValueError: if the keys or the questions do not fit.
    """
    half = vocabulary_size // 2
    if num_pairs >= half:
        raise ValueError(
            "`num_pairs` must be below half of `vocabulary_size`. Received: "
            f"num_pairs={num_pairs}, vocabulary_size={vocabulary_size}."
        )
    if length < 3 * num_pairs:
        raise ValueError(
            "`length` must be at least three times `num_pairs`. Received: "
            f"length={length}, num_pairs={num_pairs}."
        )
    rng = np.random.default_rng(seed)

    def distinct(low, high):
        choices = np.tile(np.arange(low, high), (num_examples, 1))
        return rng.permuted(choices, axis=1)[:, :num_pairs]

    keys = distinct(1, half)
    values = distinct(half, vocabulary_size)
    positions = distinct(2 * num_pairs, length)
    return keys, values, positions


def recall_accuracy(logits, targets):
    """Return the fraction of all questions whose value has the largest logit.

    Args:
        logits: float `(B, T, V)`.
        targets: int `(B, T)`, 0 where nothing is asked.
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    asked = targets != 0
    return float(np.mean(logits.argmax(-1)[asked] == targets[asked]))
