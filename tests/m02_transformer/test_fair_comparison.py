"""Equal sizes and honest times."""

import keras
import numpy as np
import pytest

from course.m02_transformer.fair_comparison import lstm_units_for_budget, median_step_time

V, E = 22, 7


def lstm_model(units, num_layers):
    ids = keras.Input((5,), dtype="int32")
    x = keras.layers.Embedding(V, E)(ids)
    for _ in range(num_layers):
        x = keras.layers.LSTM(units, return_sequences=True)(x)
    return keras.Model(ids, keras.layers.Dense(V)(x))


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_counts_what_keras_counts(num_layers):
    units, weights = lstm_units_for_budget(5_000, V, E, num_layers)
    around = [lstm_model(u, num_layers).count_params() for u in (units - 1, units, units + 1)]
    assert weights == around[1]
    assert np.argmin(np.abs(np.array(around) - 5_000)) == 1


@pytest.mark.parametrize(
    ("budget", "expected"), [(250, (3, 224)), (256, (3, 224)), (257, (4, 288)), (1, (1, 120))]
)
def test_nearest_width_smaller_in_a_tie(budget, expected):
    assert lstm_units_for_budget(budget, 16, 4) == expected


@pytest.mark.parametrize(("warmup", "expected"), [(1, 0.025), (0, 0.03)])
def test_median_leaves_out_the_first_steps(warmup, expected):
    readings = [0, 6, 6.02, 6.05, 6.06, 6.17]
    assert median_step_time(readings, warmup) == pytest.approx(expected)
