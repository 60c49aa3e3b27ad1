"""The encoder-decoder: one network reads, another writes (Sutskever et al., 2014).

    state = encoder(E[source])
    logits_t = decoder(F[y_{t-1}], state after t - 1 tokens) W + b

All the decoder knows of the source is the encoder's last state, of one fixed
width, however long the source is.

Axes: B batch, S source length, T target length, E embedding size, H hidden
size, V target vocabulary size.
"""

import keras
from keras import ops

from course.m01_sequence_models.gru_cell import GRUCell
from course.m01_sequence_models.lstm_cell import LSTMCell
from course.m01_sequence_models.simple_rnn_cell import SimpleRNNCell

CELLS = {"gru": GRUCell, "lstm": LSTMCell, "simple_rnn": SimpleRNNCell}


def make_cell(cell, hidden_dim):
    """Return the recurrent cell called `cell`, one of `CELLS`.

    Raises:
        ValueError: if there is no such cell.
    """
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of: {', '.join(CELLS)}. Received: {cell!r}.")
    return CELLS[cell](hidden_dim)


def teacher_forcing(target_ids):
    """Return what the decoder reads while it learns, and what it must predict.

    The decoder predicts token t from the true tokens before it, not from its own.

    Args:
        target_ids: int tensor `(B, T + 1)`: the start token, the target, the end
            token, then padding.

    Returns:
        `inputs` and `labels`, int tensors `(B, T)`: all but the last token, and all
        but the first.
    """
    return target_ids[:, :-1], target_ids[:, 1:]


def build_seq2seq(
    vocabulary_size, embedding_dim, hidden_dim, target_vocabulary_size=None, cell="gru"
):
    """Return an encoder-decoder as a functional model.

    Id 0 is padding. The encoder skips it: its last state is that of the last real
    token. Padding of the target must stand at the end; leave it out of the loss.

    Args:
        vocabulary_size: int. Number of source ids, padding included.
        embedding_dim: int. Width E of both embeddings.
        hidden_dim: int. Width H of the state.
        target_vocabulary_size: int. Number of target ids V; as many as of source
            ids by default.
        cell: str. One of `CELLS`.

    Returns:
        `keras.Model` from `[source_ids, target_ids]`, int tensors `(B, S)` and
        `(B, T)`, to float32 logits `(B, T, V)`. `target_ids` are the `inputs` that
        `teacher_forcing` returns.

    Reference: [Sutskever et al., 2014](https://arxiv.org/abs/1409.3215)
    """
    size = target_vocabulary_size or vocabulary_size
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    embed_source = keras.layers.Embedding(vocabulary_size, embedding_dim, name="source_embedding")
    embed_target = keras.layers.Embedding(size, embedding_dim, name="target_embedding")
    encoder = keras.layers.RNN(make_cell(cell, hidden_dim), return_state=True, name="encoder")
    decoder = keras.layers.RNN(make_cell(cell, hidden_dim), return_sequences=True, name="decoder")
    unembed = keras.layers.Dense(size, dtype="float32", name="logits")

    mask = ops.not_equal(source_ids, 0)  # (B, S)
    _, *state = encoder(embed_source(source_ids), mask=mask)  # (B, H) each
    x = decoder(embed_target(target_ids), initial_state=state)  # (B, T, H)
    return keras.Model([source_ids, target_ids], unembed(x), name="seq2seq")


def build_step_models(model):
    """Return the encoder, and one step of the decoder, with the layers of `model`.

    Args:
        model: what `build_seq2seq` returned, or the same loaded from a file.

    Returns:
        Two functional models. `encoder`: from source ids `(B, S)` to the list of
        states, `(B, H)` each. `step`: from `[token_ids, *states]`, the last tokens
        `(B,)`, to `[logits, *states]`, with logits `(B, V)` of the next token.
    """
    names = ("source_embedding", "encoder", "target_embedding", "decoder", "logits")
    embed_source, encoder, embed_target, decoder, unembed = map(model.get_layer, names)

    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    mask = ops.not_equal(source_ids, 0)  # (B, S)
    _, *state = encoder(embed_source(source_ids), mask=mask)

    token_ids = keras.Input((), dtype="int32", name="token_ids")
    states = [keras.Input((size,), name=f"state{i}") for i, size in enumerate(decoder.state_size)]
    x, new_states = decoder.cell(embed_target(token_ids), states)  # (B, H)
    return (
        keras.Model(source_ids, state, name="encoder"),
        keras.Model([token_ids, *states], [unembed(x), *new_states], name="step"),
    )
