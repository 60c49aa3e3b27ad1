"""Text classification with a recurrent network: read everything, then decide.

    probabilities = softmax(W h_last + b)

Axes: B batch, T length, E embedding size, H hidden size, C classes.
"""

import keras
from keras import ops

from course.m01_sequence_models.build_seq2seq import make_cell


def build_text_classifier(
    vocabulary_size, num_classes, embedding_dim=64, hidden_dim=64, dropout=0.0,
    bidirectional=False, cell="lstm",
):  # fmt: skip
    """Return a recurrent text classifier as a functional model.

    Id 0 is padding. The network skips it: its last state is that of the last real
    token, so more padding changes nothing.

    Args:
        vocabulary_size: int. Number of token ids, padding included.
        num_classes: int. C.
        embedding_dim: int. E.
        hidden_dim: int. H, for each direction.
        dropout: float. Rate on the embeddings and on the last state.
        bidirectional: bool. Also read from the end, with weights of its own.
        cell: str. `"lstm"`, `"gru"` or `"simple_rnn"`.

    Returns:
        `keras.Model` from ids `(B, T)` to float32 probabilities `(B, C)`.
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = ops.not_equal(token_ids, 0)  # (B, T)
    x = keras.layers.Embedding(vocabulary_size, embedding_dim, name="embedding")(token_ids)
    x = keras.layers.Dropout(dropout, name="embedding_dropout")(x)
    reader = keras.layers.RNN(make_cell(cell, hidden_dim), name="reader")
    if bidirectional:
        reader = keras.layers.Bidirectional(reader, name="reader")
    x = reader(x, mask=mask)  # (B, H), or (B, 2H) in both directions
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    output = keras.layers.Dense(num_classes, "softmax", dtype="float32", name="classes")(x)
    return keras.Model(token_ids, output, name="text_classifier")
