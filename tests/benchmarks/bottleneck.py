"""Measure what lab 3 of module 1 and lab 2 of module 3 state: exact match against length.

    python -m tests.benchmarks.bottleneck [PART ...] [SEED ...]

The parts are plain (strings reversed without attention), attention (with it), dates (without) and
long (120,000 strings without attention). For each seed, which draws the training strings, the first
weights and the order, it trains the labs' own models with their own functions. It prints a line per
result, and one line of JSON last: mean, standard deviation, lowest and highest over the seeds.
Without seeds there are five, 0 to 4. All takes about twelve minutes of processor time.
"""

import sys

import keras
import numpy as np

from course.data import string_reversal
from tests.benchmarks.seeds import names_of, report

PARTS = ("plain", "attention", "dates", "long")
EACH = range(4, 20)


plain = names_of("m01_sequence_models", "lab3_encoder_decoder")
attention = names_of("m03_attention", "lab2_seq2seq_with_attention")


def test_strings():
    """Return sources, labels and lengths of the test strings."""
    sources, targets = string_reversal.load("test", 2000)
    return sources, targets[:, 1:], (sources != 0).sum(1)


def groups(predicted, labels, lengths, limits):
    """Return the exact match of each group of lengths."""
    return plain["match_by_length"](predicted, labels, lengths, limits)


def by_place(predicted, labels, lengths):
    """Return the share of right letters at each of 16 places, for strings of 16 to 19."""
    long = lengths >= 16
    return (predicted[long, :16] == labels[long, :16]).mean(0)


def reversal(seed, with_attention, strings=None):
    """Train one model; yield (name, values)."""
    lab = attention if with_attention else plain
    model = lab["attention_model"](seed) if with_attention else lab["make_reverser"](seed)
    data = string_reversal.load("train", strings or lab["STRINGS"], seed=seed)
    seconds = lab["train"](model, *data, lab["EPOCHS"], seed)
    sources, labels, lengths = test_strings()
    written = lab["write"](model, sources, labels.shape[1])
    predicted, looks = written if with_attention else (written, None)
    yield "seconds", [seconds]
    yield "weights", [model.count_params()]
    yield "exact match", groups(predicted, labels, lengths, string_reversal.BUCKETS)
    yield "by length", groups(predicted, labels, lengths, [(n, n) for n in EACH])
    yield "by place", by_place(predicted, labels, lengths)
    if with_attention:
        limits = string_reversal.BUCKETS
        rows = [(lengths >= low) & (lengths <= high) for low, high in limits]
        share = attention["reversed_alignment"]
        for shift in (-1, 0, 1):
            yield f"looks, shift {shift}", [share(looks[r], sources[r] != 0, shift) for r in rows]
        top = np.sort(looks, -1)[..., -1]
        yield "largest weight", [top[r][labels[r] > 2].mean() for r in rows]


def date_model(seed):
    """Train a model on dates; yield (name, values)."""
    model = plain["make_date_model"](seed)
    data = plain["load_dates"]("train", plain["DATES"], seed)
    seconds = plain["train"](model, *data, plain["DATE_EPOCHS"], seed, plain["DATE_RATE"])
    sources, targets = plain["load_dates"]("test", 2000)
    labels, lengths = targets[:, 1:], (sources != 0).sum(1)
    written = plain["write"](model, sources, labels.shape[1])
    yield "seconds", [seconds]
    yield "exact match", [plain["exact_match"](written, labels)]
    yield "by length", groups(written, labels, lengths, plain["DATE_GROUPS"])
    yield "by place", (written == labels)[:, :10].mean(0)


def run(part, seed):
    """Yield (name, values) of a part."""
    if part == "dates":
        yield from date_model(seed)
        return
    yield from reversal(seed, part == "attention", 120_000 if part == "long" else None)


def main(arguments):
    """Run the parts and print the results as JSON."""
    parts = [argument for argument in arguments if argument in PARTS]

    def results(seed):
        for part in parts or PARTS:
            for name, values in run(part, seed):
                yield f"{part}, {name}", values
            keras.backend.clear_session()

    report(results, [int(argument) for argument in arguments if argument.isdigit()])


if __name__ == "__main__":
    main(sys.argv[1:])
