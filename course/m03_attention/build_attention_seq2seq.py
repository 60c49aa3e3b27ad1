"""Sequence to sequence with attention (Bahdanau et al., 2015, section 3).

    memory = bidirectional GRU(E[source])
    s_0    = tanh(W_s [last forward state; last backward state])
    logits = decoder(F[target], memory, s_0) W + b

The decoder reads every state of the encoder, not only the last: no bottleneck of one vector.

Axes: B batch, S source length, T target length, D hidden size, V target vocabulary size.
"""

import keras
import numpy as np
from keras import ops

from course.m01_sequence_models import GRUCell
from course.m02_transformer import padding_mask
from course.m03_attention.attention_decoder import AttentionDecoder


def build_attention_seq2seq(
    vocabulary_size,
    embedding_dim,
    hidden_dim,
    target_vocabulary_size=None,
    attention=None,
    wiring="attend_first",
    dropout=0.0,
):
    """Return an encoder-decoder with attention as a functional model, for teacher forcing.

    It takes what module 1's `build_seq2seq` takes. Id 0 is padding. Padding of the source is
    hidden; padding of the target must stand at the end, and be left out of the loss.

    Args:
        vocabulary_size: int. Number of source ids, padding included.
        embedding_dim: int. Width of both embeddings.
        hidden_dim: int. Width D of the decoder and of each direction of the encoder.
        target_vocabulary_size: int. Number of target ids V; as many as of source ids by
            default.
        attention: optional attention layer. Defaults to `AdditiveAttention(hidden_dim)`. The
            memory is 2D wide, so "dot" and "scaled_dot" do not fit.
        wiring: str. `"attend_first"`, `"input_feeding"` or `"attend_last"`; see
            `AttentionDecoder`.
        dropout: float. Rate on the decoder's outputs.

    Returns:
        `keras.Model` from `[source_ids, target_ids]`, int tensors `(B, S)` and `(B, T)`, to
        float32 logits `(B, T, V)`. `target_ids` is the decoder's input, as
        `teacher_forcing` of module 1 returns it.

    Reference: [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473)
    """
    size = target_vocabulary_size or vocabulary_size
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    embed_source = keras.layers.Embedding(vocabulary_size, embedding_dim, name="source_embedding")
    embed_target = keras.layers.Embedding(size, embedding_dim, name="target_embedding")
    reader = keras.layers.RNN(GRUCell(hidden_dim), return_sequences=True, return_state=True)
    encoder = keras.layers.Bidirectional(reader, name="encoder")
    bridge = keras.layers.Dense(hidden_dim, activation="tanh", name="bridge")
    decoder = AttentionDecoder(
        hidden_dim, attention, wiring=wiring, dropout=dropout, name="decoder"
    )
    unembed = keras.layers.Dense(size, dtype="float32", name="logits")

    mask = padding_mask(source_ids)  # (B, S)
    # (B, S, 2D), (B, D), (B, D)
    memory, forward, backward = encoder(embed_source(source_ids), mask=mask)
    state = bridge(ops.concatenate([forward, backward], axis=-1))  # (B, D)
    outputs, _, _ = decoder(embed_target(target_ids), memory, state, memory_padding_mask=mask)
    return keras.Model([source_ids, target_ids], unembed(outputs), name="attention_seq2seq")


def build_attention_step_models(model):
    """Return the encoder, and one step of the decoder, with the layers of `model`.

    They fit module 1's `greedy_decode`. What a step does not change, memory and mask, passes
    through it.

    Args:
        model: what `build_attention_seq2seq` returned, or the same loaded from a file.

    Returns:
        Two functional models. `encoder`: from source ids `(B, S)` to the list of `state`
        `(B, D)`, `previous` output `(B, D)`, `weights` `(B, S)`, `memory` `(B, S, 2D)`
        and `mask`, bool `(B, S)`. `step`: from `[token_ids, *states]`, the last tokens
        `(B,)`, to `[logits, *states]`, with logits `(B, V)` of the next token.
    """
    names = ("target_embedding", "decoder", "logits", "encoder", "bridge")
    embed_target, decoder, unembed, encoder, bridge = map(model.get_layer, names)
    source_ids = model.inputs[0]
    state, memory, mask = bridge.output, encoder.output[0], padding_mask(source_ids)
    start = [state, state * 0, memory[..., 0] * 0, memory, mask]

    token_ids = keras.Input((), dtype="int32", name="token_ids")
    states = [keras.Input(part.shape[1:], dtype=part.dtype) for part in start]
    state, previous, _, memory, mask = states
    x = embed_target(token_ids[:, None])  # (B, 1, E)
    outputs, weights, state = decoder(x, memory, state, previous, memory_padding_mask=mask)
    given = [unembed(outputs)[:, 0], state, outputs[:, 0], weights[:, 0], memory, mask]
    return (
        keras.Model(source_ids, start, name="encoder"),
        keras.Model([token_ids, *states], given, name="step"),
    )


def greedy_align(encoder, step, source_ids, start_id, end_id, max_length):
    """Decode as module 1's `greedy_decode` does, and keep the alignment.

    Args:
        encoder: the first of `build_attention_step_models`.
        step: the second.
        source_ids: int array `(B, S)`. Id 0 is padding.
        start_id: int. The token before the first one.
        end_id: int. Token that ends a target.
        max_length: int. Number of tokens to write at most.

    Returns:
        Int32 tokens `(B, max_length)`, 0 after a row's first `end_id`, and float32 weights
        `(B, max_length, S)`, 0 where no token is: row t made token t.
    """
    source_ids = np.asarray(source_ids)
    states = encoder.predict_on_batch(source_ids)
    tokens = np.zeros((len(source_ids), max_length), "int32")
    weights = np.zeros((*tokens.shape, source_ids.shape[1]), "float32")
    token = np.full(len(source_ids), start_id, "int32")
    running = np.ones(len(source_ids), bool)
    for t in range(max_length):
        logits, *states = step.predict_on_batch([token, *states])
        token = tokens[:, t] = np.where(running, logits.argmax(-1), 0)
        weights[:, t] = np.where(running[:, None], states[2], 0)
        running = running & (token != end_id)
        if not running.any():
            break
    return tokens, weights
