"""A convolutional network for text (Kim, 2014).

    feature_f = max_t relu(W_f · x_{t .. t+k-1} + b_f)

Each filter looks for a pattern of k words anywhere in the text.

Axes: B batch, T length, E embedding size, F filters, C classes.
"""

import keras
from keras import ops


def build_text_cnn(
    vocabulary_size, num_classes, embedding_dim=64, num_filters=64, kernel_sizes=(3, 4, 5),
    dropout=0.5,
):  # fmt: skip
    """Return a text classifier of convolutions and a maximum over time.

    Id 0 is padding and must stand at the end. It counts as a vector of zeros, and
    no pattern begins at it, so more of it changes nothing.

    Args:
        vocabulary_size: int. Number of token ids, padding included.
        num_classes: int. C.
        embedding_dim: int. E.
        num_filters: int. F, filters of each size.
        kernel_sizes: ints. Widths k of the patterns, in tokens.
        dropout: float. Rate on the features.

    Returns:
        `keras.Model` from ids `(B, T)` to float32 probabilities `(B, C)`.

    Reference: [Kim, 2014](https://arxiv.org/abs/1408.5882)
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = ops.expand_dims(ops.not_equal(token_ids, 0), -1)  # (B, T, 1)
    x = keras.layers.Embedding(vocabulary_size, embedding_dim, name="embedding")(token_ids)
    x = ops.where(mask, x, 0.0)  # (B, T, E)
    features = []
    for size in kernel_sizes:
        padded = keras.layers.ZeroPadding1D((0, size - 1), name=f"padding{size}")(x)
        convolution = keras.layers.Conv1D(num_filters, size, activation="relu", name=f"conv{size}")
        found = ops.where(mask, convolution(padded), 0.0)  # (B, T, F); relu is never below 0
        features.append(ops.max(found, axis=1))  # (B, F)
    x = ops.concatenate(features, axis=-1)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    output = keras.layers.Dense(num_classes, "softmax", dtype="float32", name="classes")(x)
    return keras.Model(token_ids, output, name="text_cnn")
