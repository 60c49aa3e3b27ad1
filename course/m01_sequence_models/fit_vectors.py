"""Train word vectors: large batches, compiled steps, new examples each epoch.

Axes: N tokens, V vocabulary size, P examples of an epoch.
"""

import keras
import numpy as np

from course.m01_sequence_models.cooccurrences import cooccurrences
from course.m01_sequence_models.glove import glove_loss
from course.m01_sequence_models.skip_gram import skip_gram_loss
from course.m01_sequence_models.skip_gram_data import skip_gram_examples, subsample


def fit_skip_gram(
    layer,
    tokens,
    window=5,
    num_negatives=5,
    threshold=1e-3,
    epochs=3,
    batch_size=4096,
    learning_rate=0.01,
    seed=0,
):
    """Train a `SkipGram` or a `FastText` on a corpus with Adam.

    Every epoch thins out frequent words, draws windows and negative words anew.

    Args:
        layer: `SkipGram` or `FastText`; training goes on where it stands.
        tokens: int array `(N,)`. Id 0 stands between texts.
        window: int. Farthest distance of a pair.
        num_negatives: int. Negative words of a pair.
        threshold: float. Frequency above which words are thinned out.
        epochs: int. Passes over the corpus.
        batch_size: int. Pairs of a step. For `FastText` take 8,192: each step makes the
            vectors of the whole vocabulary.
        learning_rate: float. Of Adam.
        seed: int. The same seed draws the same examples.

    Returns:
        List of float: the mean loss of each epoch, in nats per pair.
    """
    rng = np.random.default_rng(seed)
    tokens = np.asarray(tokens)
    counts = np.bincount(tokens)
    counts[0] = 0

    def draw():
        kept = subsample(tokens, counts, threshold, rng)
        centers, contexts = skip_gram_examples(kept, counts, window, num_negatives, rng)
        return (centers, contexts), np.zeros(len(centers), "float32")

    def loss(_, scores):
        return skip_gram_loss(scores[:, 0], scores[:, 1:])

    shapes = ((), (1 + num_negatives,))
    optimizer = keras.optimizers.Adam(learning_rate)
    return fit(layer, shapes, loss, optimizer, draw, epochs, batch_size)


def fit_glove(
    layer, tokens, window=10, x_max=10.0, epochs=10, batch_size=2048, learning_rate=0.1, seed=0
):
    """Train a `GloVe` on a corpus with AdaGrad, as the paper does.

    The paper takes one pair a step and a learning rate of 0.05. Here a step sums
    the gradients of a batch and AdaGrad divides by their size: fewer, longer steps.

    Args:
        layer: `GloVe`; training goes on where it stands.
        tokens: int array `(N,)`. Id 0 stands between texts.
        window: int. Farthest distance that counts.
        x_max: float. Counts from here on weigh 1. The paper's 100 suits billions of words, 10
            a few megabytes of text.
        epochs: int. Passes over the pairs that occur.
        batch_size: int. Pairs of a step.
        learning_rate: float. Of AdaGrad.
        seed: int. The same seed shuffles the same way.

    Returns:
        List of float: the loss of each epoch, the mean over batches of a batch's sum.
    """
    rng = np.random.default_rng(seed)
    rows, columns, counts = cooccurrences(tokens, window)

    def draw():
        order = rng.permutation(len(rows))
        return (rows[order], columns[order]), counts[order]

    def loss(counts, scores):
        return glove_loss(scores, counts, x_max)

    optimizer = keras.optimizers.Adagrad(learning_rate, initial_accumulator_value=1.0)
    return fit(layer, ((), ()), loss, optimizer, draw, epochs, batch_size)


def fit(layer, shapes, loss, optimizer, draw, epochs, batch_size):
    """Train a layer of two int inputs on examples that are drawn for each epoch.

    Args:
        layer: Keras layer; called on both inputs.
        shapes: the inputs' shapes without the batch.
        loss: function of targets and outputs.
        optimizer: Keras optimizer.
        draw: function without arguments; returns the inputs and targets of an epoch,
            shuffled. What does not fill the last batch is left out: it would be compiled
            anew.
        epochs: int.
        batch_size: int.

    Returns:
        List of float: the loss of each epoch.

    Raises:
        ValueError: if an epoch has no example.
    """
    inputs = [keras.Input(shape, dtype="int32") for shape in shapes]
    model = keras.Model(inputs, layer(*inputs))
    model.compile(optimizer, loss, jit_compile=True)
    losses = []
    for _ in range(epochs):
        arrays, targets = draw()
        if not len(targets):
            raise ValueError("`tokens` must hold two words of a text. Received: no pair of words.")
        size = min(batch_size, len(targets))
        used = len(targets) // size * size
        batches = [slice(start, start + size) for start in range(0, used, size)]
        found = [
            model.train_on_batch([array[batch] for array in arrays], targets[batch])
            for batch in batches
        ]
        losses.append(float(np.mean(found)))
    return losses
