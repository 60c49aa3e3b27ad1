"""Measure what lab 2 of module 1 states: gradient over distance, and what training makes of it.

    python -m tests.benchmarks.recurrent_gradients [PART ...]

The parts are matrix (the simple cell with U = s · orthogonal), untrained (every cell and bias),
trained (gradient at distance 39 and accuracy after training on far flags), mixed (bias 0 on flags
of all distances) and dense (a network without recurrence). It runs the lab's own functions over
five seeds, prints a line per run, and one line of JSON last: mean, standard deviation, lowest and
highest. Gradients are given as logarithms to base 10. All parts together take about 15 minutes on
one core.
"""

import json
import sys

import keras
import numpy as np

from tests.benchmarks.seeds import SEEDS, names_of, summary

lab = names_of("m01_sequence_models", "lab2_recurrent_cells")


def matrix():
    """Return the norm at distance 59 for each scale of U."""
    return {
        f"s = {scale}": summary([[np.log10(lab["backward_norms"](scale, s)[-1])] for s in SEEDS])
        for scale in (2.0, 1.0, 0.8)
    }


def untrained():
    """Return the gradient at distances 0, 39 and 59 of each new layer."""
    found = {}
    for cell in lab["CELLS"]:
        rows = [np.log10(lab["untrained_gradient"](cell, s))[[0, 39, 59]] for s in SEEDS]
        found[f"{cell}"] = summary(rows)
    return found


def runs(cell, seeds=SEEDS, **options):
    """Train a cell from several seeds.

    Returns the summary of: the gradient at distance 39 before and after training, and the
    accuracy for each ten steps of distance.
    """
    rows = []
    for seed in seeds:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = lab["recurrent_model"](lab["CELLS"][cell](lab["H"]))
        _, before = lab["gradient_by_the_answer"](model)
        lab["train"](model, seed, **options)
        _, after = lab["gradient_by_the_answer"](model)
        accuracy = lab["accuracy_by_distance"](model, seed)
        row = [*np.log10([before[-1], after[-1]]), *accuracy]
        print(f"{cell}, seed {seed}, {options}: {np.round(row, 3)}", flush=True)
        rows.append(row)
    return {"weights": model.count_params()} | summary(rows)


def trained():
    """Return the rows of the lab's table."""
    return {f"{cell}": runs(cell) for cell in lab["CELLS"]}


def mixed():
    """Return what the LSTM with bias 0 learns from flags of all distances."""
    return {"('LSTM', 0)": runs(("LSTM", 0), nearest=0)}


def dense():
    """Return the accuracy of 128 ReLU units over all steps at once."""
    rows = []
    for seed in SEEDS:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((lab["T"], lab["S"] + 1))
        hidden = keras.layers.Dense(128, "relu")(keras.layers.Flatten()(inputs))
        model = keras.Model(inputs, keras.layers.Dense(lab["S"])(hidden))
        lab["train"](model, seed, learning_rate=0.002)
        rows.append(lab["accuracy_by_distance"](model, seed))
        print(f"dense, seed {seed}: {np.round(rows[-1], 3)}", flush=True)
    return {"weights": model.count_params()} | summary(rows)


PARTS = {f.__name__: f for f in (matrix, untrained, trained, mixed, dense)}


def main(names):
    """Run the parts and print the results as JSON."""
    result = {}
    for name in names or PARTS:
        result[name] = PARTS[name]()
        print(name, json.dumps(result[name]), flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
