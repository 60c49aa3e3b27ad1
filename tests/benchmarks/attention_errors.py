"""Measure what lab 5 of module 3 states: accuracies, errors by slice, erasure, agreement.

    python -m tests.benchmarks.attention_errors [SEED ...]

For each seed it trains the lab's classifier and three baselines: a bag of words, the mean of the
embeddings without an encoder, and the lab's encoder with equal weights. Then it analyses the errors
and the attention by the lab's own functions. It prints a line per result, and one line of JSON
last: mean, standard deviation, lowest and highest over the seeds. A seed takes about one and a half
minutes on one core; without seeds there are five, 0 to 4.
"""

import collections
import sys

import keras
import numpy as np
from keras import ops

from course.m01_sequence_models import build_bag_of_words
from tests.benchmarks.seeds import names_of, report

lab = names_of("m03_attention", "lab5_classification_and_errors")
IDS, LABELS, MASK = lab["test_ids"], lab["test_labels"], lab["test_mask"]
SIZE, SOME = lab["SIZE"], 150


def without_encoder():
    """Return a classifier of the mean of the embeddings, with a hidden layer after it."""
    ids = keras.Input((lab["LENGTH"],), dtype="int32")
    real = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)  # (B, T, 1)
    x = keras.layers.Embedding(len(lab["vocabulary"]), SIZE)(ids)
    pooled = ops.sum(x * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)
    hidden = keras.layers.Dense(SIZE, "relu")(pooled)
    return keras.Model(ids, keras.layers.Dense(3)(hidden))


def trained(model, seed, rate=None, epochs=None, **options):
    """Train a model as the lab does, and return it."""
    rate, epochs = rate or lab["RATE"], epochs or lab["EPOCHS"]
    lab["train"](model, lab["train_ids"], lab["train_labels"], rate, epochs, seed, **options)
    return model


def models(seed):
    """Yield the name and the model of each row; the lab's own comes last."""
    words = len(lab["vocabulary"])
    makers = {
        "bag of words": lambda: trained(
            build_bag_of_words(words, 3), seed, 0.03, 10, from_logits=False
        ),
        "mean of embeddings": lambda: trained(without_encoder(), seed),
        "encoder, mean": lambda: trained(lab["classifier"](words, pooling="mean"), seed),
        "encoder, attention": lambda: trained(lab["classifier"](words), seed),
    }
    for name, make in makers.items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        yield name, make()


def by_slice(name, predictions):
    """Yield accuracy in each slice, and each slice's share of the errors."""
    members = lab["members"]
    matrices, shares = lab["confusion_by_slice"](LABELS, predictions, members, 3)
    yield f"accuracy by slice, {name}", [np.trace(m) / m.sum() for m in matrices]
    yield f"share of errors by slice, {name}", shares
    yield f"confusion, {name}", (matrices[0] / matrices[0].sum(1, keepdims=True)).ravel()


def erasure(model, states, weights, wrong):
    """Yield distance and flips for each rule and each way to leave a token out."""
    kernel, bias = lab["classes_of"](model)
    several = MASK.sum(1) > 1
    distances = {}
    for name, place in lab["places_to_erase"](model, IDS, weights).items():
        ways = {
            "pooling": lab["erasure_effect"](states, weights, place, kernel, bias),
            "input": lab["input_effect"](model, IDS, place),
        }
        for way, (distance, flipped) in ways.items():
            distance, flipped = np.asarray(distance), np.asarray(flipped)
            distances[name, way] = distance
            yield f"{way} without {name}", [distance[several].mean(), flipped[several].mean()]
            yield f"{way} without {name}, flips of errors", [flipped[wrong].mean()]
    for way in ("pooling", "input"):
        more = distances["most weight", way] > distances["random other", way]
        yield f"{way}: most weight moves more than random", [more[several].mean()]


def agreement(model, weights):
    """Yield the mean agreement of attention, gradient and tokens left out."""
    some = IDS[:SOME]
    measures = {
        "attention": weights[:SOME],
        "gradient": lab["gradient_importance"](model, some),
        "left out": lab["leave_one_out"](model, some),
    }
    for a, b in (("attention", "gradient"), ("attention", "left out"), ("gradient", "left out")):
        tau = np.asarray(lab["rank_agreement"](measures[a], measures[b], some != 0))
        yield f"agreement of {a} and {b}", [tau.mean(), (tau > 0).mean()]


def other_weights(model, states, weights):
    """Yield the accuracy with its own, equal and shuffled weights."""
    equal = MASK / MASK.sum(1, keepdims=True)
    kinds = (weights, equal, lab["shuffled"](weights, MASK))
    accuracy = [lab["accuracy_with"](model, states, kind, LABELS) for kind in kinds]
    yield "accuracy with own, equal, shuffled weights", accuracy


def looks(weights, wrong):
    """Yield how sharp the weights are and what they fall on; print the favourite tokens."""
    top = weights.argmax(-1)
    yield (
        "largest weight, right and wrong",
        [weights.max(1)[~wrong].mean(), weights.max(1)[wrong].mean()],
    )
    last = MASK.sum(1) - 1
    yield "most weight on one of the last two tokens", [(top >= last - 1).mean()]
    favourite = collections.Counter(
        lab["tokens"][i][t] for i, t in enumerate(top) if t < len(lab["tokens"][i])
    )
    print("favourites:", favourite.most_common(12), flush=True)
    cues = {"not", "hardly", "never", "nobody", "but", "although", "yet", "wrong", "whether", "?"}
    has = np.array([bool(cues & set(text)) for text in lab["tokens"]])
    on = np.array([text[t] in cues for text, t in zip(lab["tokens"], top, strict=True)])
    yield "most weight on a cue, right and wrong", [on[has & ~wrong].mean(), on[has & wrong].mean()]


def results(seed):
    """Yield the name and the numbers of each result of a seed."""
    for name, model in models(seed):
        yield f"weights of {name}", [model.count_params()]
        predictions = lab["predict"](model, IDS)
        known = lab["predict"](model, lab["train_ids"][:2000])
        yield (
            f"accuracy, {name}",
            [
                np.mean(predictions == LABELS),
                np.mean(known == lab["train_labels"][:2000]),
            ],
        )
        yield from by_slice(name, predictions)
    wrong = predictions != LABELS
    states, weights = lab["read_out"](model, IDS)
    yield from looks(weights, wrong)
    yield from other_weights(model, states, weights)
    yield from erasure(model, states, weights, wrong)
    yield from agreement(model, weights)


if __name__ == "__main__":
    report(results, [int(argument) for argument in sys.argv[1:]])
