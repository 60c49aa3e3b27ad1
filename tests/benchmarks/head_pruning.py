"""Measure what lab 4 of module 3 states: importance of heads, pruning, rollout, shared heads.

    python -m tests.benchmarks.head_pruning [SEED ...]

For each seed it trains the model of the lab's own source with the lab's own functions and removes
heads in four orders: by importance, by importance reversed, by the accuracy lost without each head
alone, and in 10 random orders. It prints a line per result, and one line of JSON last: mean,
standard deviation, lowest and highest over the seeds. A seed takes about half a minute on one core;
without seeds there are five, 0 to 4.
"""

import sys

import keras
import numpy as np

from course import data
from course.data.associative_recall import recall_accuracy
from course.m03_attention import ablation, prune_heads_one_by_one, score_without
from tests.benchmarks.seeds import names_of, report

lab = names_of("m03_attention", "lab4_heads")
PATHS, N, K, T = lab["PATHS"], lab["N"], lab["K"], lab["T"]
RANDOM_ORDERS = 10


def ranks(values):
    """Return the rank of each of some values."""
    return np.argsort(np.argsort(np.ravel(values)))


def looks(weights, inputs, targets):
    """Yield what each head looks at: its name, and how often it looks where a look-up would.

    Layer 1: from a value to the place before it. Layer 2: from a question to the right value.
    """
    values = np.arange(1, 2 * K, 2)
    rows, places = np.nonzero(targets)
    for n in range(N):
        back = weights[0, :, n][:, values].argmax(-1) == values - 1
        at = weights[1, rows, n, places].argmax(-1)
        yield n, float(back.mean()), float((inputs[rows, at] == targets[rows, places]).mean())


def pruning(without, importance, alone, seed):
    """Yield the name and the accuracies of each order of removing heads."""
    rng = np.random.default_rng(seed)

    def curve(values):
        by_path = dict(zip(PATHS, values, strict=True))
        return prune_heads_one_by_one(without, by_path)[1]

    yield "least important first", curve(importance)
    yield "most important first", curve(-importance)
    yield "least lost alone first", curve(-alone)
    random = [curve(rng.random(importance.shape)) for _ in range(RANDOM_ORDERS)]
    yield "random", np.mean(random, 0)
    yield "best random", max(random, key=np.mean)


def lengths(model, heads, targets):
    """Return the mean length of what each head adds, `(L, N)`."""
    found = []
    for layer, places in enumerate((np.arange(T) < 2 * K, targets != 0)):
        kernel = model.get_layer(PATHS[layer]).output_dense.kernel
        size = np.linalg.norm(lab["head_contributions"](heads[layer], kernel), axis=-1)
        size = size.swapaxes(0, 1)  # (N, B, T)
        found.append([s[np.broadcast_to(places, s.shape)].mean() for s in size])
    return np.array(found)


def results(seed):
    """Yield the name and the numbers of each result of a seed."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = lab["recall_model"]()
    lab["train"](model, seed)
    inputs, targets = data.load("associative_recall", "test", num_examples=250, length=T, seed=seed)
    lab["new_inputs"], lab["new_targets"] = inputs, targets
    accuracy = recall_accuracy(model(inputs), targets)
    yield "accuracy", [accuracy]
    train = data.load("associative_recall", "train", num_examples=256, length=T, seed=seed)
    heads, gradients, _ = lab["look_inside"](model, *train)
    importance = np.asarray(lab["importance_per_head"](heads, gradients))
    yield "importance", importance.ravel()
    size = lengths(model, heads, train[1])
    yield "length of what a head adds", size.ravel()
    without = score_without(model, inputs, lab["score"])
    alone = np.stack(list(ablation(model, without).values()))
    yield "accuracy without each head", alone.ravel()
    yield "sum of the four least losses alone", [np.sort(accuracy - alone, axis=None)[:4].sum()]
    for name, other in (("lost alone", -alone), ("length", size)):
        rank = np.corrcoef(ranks(importance), ranks(other))[0, 1]
        yield f"rank correlation of importance and {name}", [rank]
    for name, curve in pruning(without, importance, alone, seed):
        yield f"curve, {name}", curve
        yield f"mean of the curve, {name}", [curve.mean()]
        yield f"heads that can go above 0.9, {name}", [np.argmax([*(curve < 0.9), True]) - 1]
    _, _, weights = lab["look_inside"](model, inputs, targets)
    for n, back, found in looks(weights, inputs, targets):
        yield f"looks of head {n}", [back, found]
    rollouts = np.asarray(lab["attention_rollout"](weights))
    found = lab["weight_on_the_pair"]
    yield "weight on key and value, layer 2", found(weights[1].mean(1))
    yield "weight on key and value, rollout", found(rollouts[1])
    grouped = [lab["accuracy_with_groups"](model, groups) for groups in (4, 2, 1)]
    yield "accuracy with 4, 2, 1 groups", grouped


if __name__ == "__main__":
    report(results, [int(argument) for argument in sys.argv[1:]])
