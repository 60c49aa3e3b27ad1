"""Measure what lab 4 of module 1 states: sentiment where negation decides.

    python -m tests.benchmarks.sentiment [SEED ...]

For each seed it trains the bag of words and the LSTM of the lab's own source with the lab's own
`train` and scores them on the test: accuracy, macro-F1, accuracy on the training texts; then the
same trained LSTM, read at other states than the last real one. It prints a line per seed, and one
line of JSON last: mean, standard deviation, lowest and highest over the seeds. Five seeds, 0 to 4
unless you name others, take about two minutes on one core.
"""

import sys

import keras
import numpy as np
from keras import ops

from course import data
from tests.benchmarks.seeds import names_of, report

lab = names_of("m01_sequence_models", "lab4_sentiment")
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


if __name__ == "__main__":
    report(one_seed, [int(argument) for argument in sys.argv[1:]])
