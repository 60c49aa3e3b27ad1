"""Where a classifier is wrong, and whether its attention says why.

Axes: n texts, S slices, C classes, B batch, T length, H state size.

Sources: [Serrano and Smith, 2019](https://arxiv.org/abs/1906.03731) for erasure,
[Jain and Wallace, 2019](https://arxiv.org/abs/1902.10186) for distance and rank agreement.
"""

import numpy as np
from keras import ops

from course.m01_sequence_models import confusion_and_f1


def confusion_by_slice(labels, predictions, members, num_classes):
    """Return a confusion matrix for each slice, and the share of all errors in it.

    Args:
        labels: int array `(n,)`.
        predictions: int array `(n,)`.
        members: bool array `(S, n)`. Which texts belong to each slice.
        num_classes: int. C.

    Returns:
        Int array `(S, C, C)`, rows true; float array `(S,)`, zeros where nothing is wrong.
    """
    labels, predictions, members = (np.asarray(x) for x in (labels, predictions, members))
    matrices = [
        confusion_and_f1(labels[inside], predictions[inside], num_classes)[0] for inside in members
    ]
    errors = members[:, labels != predictions]  # (S, errors)
    return np.stack(matrices), errors.sum(axis=1) / max(errors.shape[1], 1)


def erasure_effect(states, weights, places, kernel, bias):
    """Return how a prediction from pooled states changes when one token's weight is erased.

    Args:
        states: float tensor `(B, T, H)`.
        weights: float tensor `(B, T)`, rows that add up to one.
        places: int tensor `(B,)`. The token to erase in each text; the others share its weight.
        kernel: float tensor `(H, C)` of the linear layer behind the pooling.
        bias: float tensor `(C,)`.

    Returns:
        Total variation distance of the class probabilities, floats `(B,)` from 0 to 1; and
        whether the likeliest class is another one, bools `(B,)`.
    """

    def predict(weights):
        pooled = ops.einsum("bt,bth->bh", weights, states)
        return ops.softmax(ops.matmul(pooled, kernel) + bias, axis=-1)  # (B, C)

    left = weights * (1 - ops.one_hot(places, weights.shape[1], dtype=weights.dtype))
    total = ops.sum(left, axis=-1, keepdims=True)
    before, after = predict(weights), predict(left / ops.where(total > 0, total, 1.0))
    distance = ops.sum(ops.abs(before - after), axis=-1) / 2
    return distance, ops.argmax(before, axis=-1) != ops.argmax(after, axis=-1)


def rank_agreement(x, y, mask):
    """Return Kendall's tau (the a variant: ties count below the line) over each text's tokens.

    Args:
        x: float tensor `(B, T)`.
        y: float tensor `(B, T)`.
        mask: bool tensor `(B, T)`. True at tokens.

    Returns:
        Float tensor `(B,)` from -1 to 1; 0 where a text has fewer than two tokens.
    """
    both = ops.stack([ops.convert_to_tensor(x), ops.convert_to_tensor(y)])  # (2, B, T)
    signs = ops.sign(ops.expand_dims(both, 3) - ops.expand_dims(both, 2))  # (2, B, T, T)
    real = ops.cast(mask, signs.dtype)
    pairs = ops.expand_dims(real, 2) * ops.expand_dims(real, 1)  # (B, T, T), each pair twice
    agreement = ops.sum(signs[0] * signs[1] * pairs, axis=(1, 2))
    return agreement / ops.maximum(ops.sum(pairs, axis=(1, 2)) - ops.sum(real, axis=1), 1)
