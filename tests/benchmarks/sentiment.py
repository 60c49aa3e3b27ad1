"""Measure what lab 4 of module 1 states: sentiment where negation decides.

    python -m tests.benchmarks.sentiment [SEED ...]

For each seed it trains the bag of words and the LSTM of the lab's own source with the lab's own
`train` and scores them on the test: accuracy, macro-F1, accuracy on the training texts; then the
same trained LSTM, read at other states than the last real one. It prints a line per seed, and one
line of JSON last: mean, standard deviation, lowest and highest over the seeds. Five seeds, 0 to 4
unless you name others, take about two minutes on one core.
"""

import collections
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from autograder.build.source import read
from autograder.exercise import load_module
from autograder.prove_task import SOLUTIONS, reference_names
from course import data

SLUG, LAB = "m01_sequence_models", "lab4_sentiment"
lab = reference_names(read(Path(SOLUTIONS, SLUG, f"{LAB}.py"), load_module(SLUG)))
CLASSES = 3


def encoded():
    """Return the number of ids, then ids and labels of training and test, and the test's mask."""
    raw, labels = data.load("sentiment", "train")
    new, new_labels = data.load("sentiment", "test")
    train, test = ([lab["standardize"](text) for text in texts] for texts in (raw, new))
    vocabulary, ids, _ = lab["encode"](train, train)
    _, new_ids, mask = lab["encode"](train, test)
    return len(vocabulary), (ids, labels), (new_ids, new_labels), mask


def readings(model, ids, labels, mask):
    """Return the accuracy of a trained LSTM for each state that its classifier may read."""
    reader = keras.layers.RNN(model.get_layer("reader").cell, return_sequences=True)
    states = ops.convert_to_numpy(reader(model.get_layer("embedding")(ids)))  # (B, T, H)
    lengths = mask.sum(axis=1, keepdims=True)
    places = np.arange(ids.shape[1])
    read = {
        "last real state": lab["last_real_state"](states, mask),
        "1 place later": lab["last_real_state"](states, places < lengths + 1),
        "2 places later": lab["last_real_state"](states, places < lengths + 2),
        "last place": states[:, -1],
        "mean of the real states": (states * mask[..., None]).sum(axis=1) / lengths,
    }
    classify = model.get_layer("classes")
    return {
        name: [np.mean(ops.convert_to_numpy(classify(state)).argmax(-1) == labels)]
        for name, state in read.items()
    }


def one_seed(seed):
    """Yield (name, values): three scores of each model, then the accuracy of each reading."""
    size, (ids, labels), (new_ids, new_labels), mask = encoded()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    for name, (model, rate, epochs) in lab["make_models"](size, CLASSES).items():
        lab["train"](model, ids, labels, rate, epochs, seed)
        predicted = lab["predict"](model, new_ids)
        _, macro_f1 = lab["confusion_and_f1"](new_labels, predicted, CLASSES)
        known = np.mean(lab["predict"](model, ids) == labels)
        yield name, [np.mean(predicted == new_labels), macro_f1, known]
    yield from readings(model, new_ids, new_labels, mask).items()


def main(seeds):
    """Run the seeds and print the results as JSON."""
    found = collections.defaultdict(list)
    for seed in seeds or range(5):
        for name, values in one_seed(seed):
            values = [round(float(value), 4) for value in values]
            print(f"seed {seed}, {name}: {values}", flush=True)
            found[name].append(values)
    summary = {}
    for name, values in found.items():
        spread = np.std(values, axis=0, ddof=1) if len(values) > 1 else np.zeros(len(values[0]))
        kinds = np.mean(values, 0), spread, np.min(values, 0), np.max(values, 0)
        summary[name] = [[round(float(x), 4) for x in kind] for kind in kinds]
    print(json.dumps(summary))


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
