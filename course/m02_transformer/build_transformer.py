"""The encoder-decoder transformer (Vaswani et al., 2017, section 3).

    memory = encoder(positions(E[source] · sqrt(D)))
    logits = decoder(positions(E[target] · sqrt(D)), memory) Eᵀ

Axes: B batch, T target length, S source length, D hidden size, V vocabulary
size.
"""

import functools

import keras

from course.m02_transformer.masks import padding_mask
from course.m02_transformer.sinusoidal_positional_encoding import SinusoidalPositionalEncoding
from course.m02_transformer.transformer_decoder import TransformerDecoder
from course.m02_transformer.transformer_encoder import TransformerEncoder

# Table 3 of the paper. Trainable weights without embeddings: 44,138,496 and
# 176,357,376.
CONFIGURATIONS = {
    "base": {
        "hidden_dim": 512,
        "intermediate_dim": 2048,
        "num_layers": 6,
        "num_heads": 8,
        "dropout": 0.1,
    },
    "big": {
        "hidden_dim": 1024,
        "intermediate_dim": 4096,
        "num_layers": 6,
        "num_heads": 16,
        "dropout": 0.3,
    },
}


def embeddings(vocabulary_size, hidden_dim, share):
    """Return layers for source ids, for target ids, and back to logits.

    Args:
        vocabulary_size: int. Number of token ids V.
        hidden_dim: int. Width D.
        share: bool. One matrix for all three (True), or three (False).

    Returns:
        Three callables: `(B, S)` to `(B, S, D)`, `(B, T)` to `(B, T, D)`, and
        `(B, T, D)` to float32 logits `(B, T, V)`.
    """

    def embedding(layer, name, **kwargs):
        # sqrt(D) times this has variance 1; so have the logits.
        initializer = keras.initializers.RandomNormal(stddev=hidden_dim**-0.5)
        kwargs |= {"embeddings_initializer": initializer, "name": name}
        return layer(vocabulary_size, hidden_dim, **kwargs)

    if share:
        shared = embedding(keras.layers.ReversibleEmbedding, "embedding", reverse_dtype="float32")
        return shared, shared, functools.partial(shared, reverse=True)
    return (
        embedding(keras.layers.Embedding, "source_embedding"),
        embedding(keras.layers.Embedding, "target_embedding"),
        keras.layers.Dense(vocabulary_size, use_bias=False, dtype="float32", name="logits"),
    )


def build_transformer(
    vocabulary_size,
    hidden_dim,
    intermediate_dim,
    num_layers,
    num_heads,
    dropout=0.0,
    pre_norm=False,
    activation="relu",
    share_embeddings=True,
):
    """Return an encoder-decoder transformer as a functional model.

    Id 0 is padding. Padding of the source is hidden from every query; padding
    of the target must stand at the end, where the causal mask hides it from
    every token. Leave both out of the loss.

    Args:
        vocabulary_size: int. Number of token ids V, padding included.
        hidden_dim: int. Width D; must be a multiple of `num_heads`.
        intermediate_dim: int. Width of the feed-forward networks.
        num_layers: int. Layers in the encoder, and as many in the decoder.
        num_heads: int. Attention heads.
        dropout: float. Rate on each sublayer's output and on the embeddings.
        pre_norm: bool. Normalise before each sublayer, with a final norm after
            each stack (True), or after each sum (False, the paper's).
        activation: activation of the feed-forward networks.
        share_embeddings: bool. One matrix for source, target and output, as in
            section 3.4 of the paper (True), or three (False).

    Returns:
        `keras.Model` from `[source_ids, target_ids]`, int tensors `(B, S)` and
        `(B, T)`, to float32 logits `(B, T, V)`. `target_ids` is the decoder's
        input: the target after `shift_right`.

    Example:
        `build_transformer(37000, **CONFIGURATIONS["base"])`

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    source_mask = padding_mask(source_ids)  # (B, S)
    # A layer: in a functional model, KerasTensor * float would count as sparse.
    scale = keras.layers.Rescaling(hidden_dim**0.5, name="embedding_scale")
    positions = SinusoidalPositionalEncoding(name="positions")
    embedding_dropout = keras.layers.Dropout(dropout, name="embedding_dropout")

    embed_source, embed_target, unembed = embeddings(vocabulary_size, hidden_dim, share_embeddings)
    stack = (num_layers, intermediate_dim, num_heads, dropout, pre_norm, activation)
    memory = embedding_dropout(positions(scale(embed_source(source_ids))))  # (B, S, D)
    memory = TransformerEncoder(*stack, name="encoder")(memory, padding_mask=source_mask)
    x = embedding_dropout(positions(scale(embed_target(target_ids))))  # (B, T, D)
    x = TransformerDecoder(*stack, name="decoder")(x, memory, memory_padding_mask=source_mask)
    return keras.Model([source_ids, target_ids], unembed(x), name="transformer")
