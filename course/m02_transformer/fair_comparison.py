"""What a fair comparison needs: models of equal size, and honest step times.

    weights = V·E + Σ 4(I + U + 1)U + (U + 1)V

for an embedding, LSTM layers of U units (I is E in the first layer, U above it) and
a dense layer to the vocabulary.

Axes: V vocabulary size, E embedding size, I input size, U units.
"""

import numpy as np


def lstm_units_for_budget(budget, vocabulary_size, embedding_dim, num_layers=1):
    """Return the width whose LSTM model comes closest to a number of weights.

    Args:
        budget: int. Weights to aim at.
        vocabulary_size: int. V.
        embedding_dim: int. E.
        num_layers: int. LSTM layers, each of the same width.

    Returns:
        `units`, at least 1 and the smaller one in a tie, and the model's `weights`.
    """

    def weights(units):
        first = 4 * (embedding_dim + units + 1) * units
        above = (num_layers - 1) * 4 * (2 * units + 1) * units
        return vocabulary_size * (embedding_dim + units + 1) + first + above

    units = 1
    while weights(units + 1) <= budget:
        units += 1
    units = min(units, units + 1, key=lambda width: abs(weights(width) - budget))
    return units, weights(units)


def median_step_time(readings, warmup):
    """Return the median time of a step, leaving out the first ones.

    Args:
        readings: float `(N + 1,)`. A clock read before the first of N steps and after
            each step.
        warmup: int. Steps to leave out: they compile and fill caches.
    """
    return float(np.median(np.diff(readings)[warmup:]))
