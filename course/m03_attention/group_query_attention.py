"""Grouped-query and multi-query attention (Ainslie et al., 2023; Shazeer, 2019).

    head_n = Attention(X W_n^Q, Y W_g^K, Y W_g^V),   g = floor(n / (N / G))

N query heads share G heads of keys and values. G = N is multi-head attention, G = 1 is
multi-query attention. A decoder's cache of keys and values shrinks by N / G.

Axes: B batch, T target length, S source length, N query heads, G key-value heads, H head size,
D = N·H hidden size.
"""

import keras
from keras import ops

from course.m02_transformer import (
    attend,
    attention_scores,
    causal_mask,
    combine_masks,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)


def group_query_attention(query, key, value, mask=None):
    """Let query heads `(B, N, T, H)` attend to key and value heads `(B, G, S, H)`; G divides N.

    `mask` is boolean, broadcastable to `(B, N, T, S)`, True = may attend. Returns `(B, N, T, H)`.
    """
    key, value = (share(x, query.shape[1]) for x in (key, value))
    return scaled_dot_product_attention(query, key, value, mask)[0]


def share(x, num_query_heads):
    """Repeat each key or value head for its group: `(B, G, S, H)` to `(B, N, S, H)`."""
    return ops.repeat(x, num_query_heads // x.shape[1], axis=1)


@keras.saving.register_keras_serializable(package="course.m03_attention")
class GroupQueryAttention(keras.layers.Layer):
    """Multi-head attention whose query heads share keys and values in groups.

    With `num_key_value_heads == num_query_heads` it is `MultiHeadAttention` of module 2, weight
    by weight.

    Args:
        hidden_dim: int. Width D; must be a multiple of `num_query_heads`.
        num_query_heads: int. Number of query heads N.
        num_key_value_heads: int. Number of key and value heads G; must divide N.
        dropout: float. Rate on the attention weights. Defaults to `0.0`.
        position: optional position layer, such as `RotaryEmbedding()`; see
            `MultiHeadAttention`.

    Call arguments:
        query: `(B, T, D)`.
        value: `(B, S, D)`, also the source of the keys.
        attention_mask: optional bool, broadcastable to `(B, T, S)`. True means
            "may attend".
        use_causal_mask: bool. Also hide the future; needs T = S.
        return_attention_scores: bool. Also return the weights.

    Returns:
        `(B, T, D)`; with `return_attention_scores=True` also the weights `(B, N, T, S)`. A
        Keras mask on `query` passes through; padding in `value` is hidden only through
        `attention_mask`.

    Raises:
        ValueError: if D is not a multiple of N, or N not of G.

    References: [Ainslie et al., 2023](https://arxiv.org/abs/2305.13245) (grouped-query),
    [Shazeer, 2019](https://arxiv.org/abs/1911.02150) (multi-query)
    """

    def __init__(
        self,
        hidden_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        position=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if hidden_dim % num_query_heads or num_query_heads % num_key_value_heads:
            raise ValueError(
                "`hidden_dim` must be a multiple of `num_query_heads`, and that one a multiple of "
                f"`num_key_value_heads`. Received: hidden_dim={hidden_dim}, num_query_heads="
                f"{num_query_heads}, num_key_value_heads={num_key_value_heads}."
            )
        self.hidden_dim = hidden_dim
        self.num_query_heads = num_query_heads
        self.num_key_value_heads = num_key_value_heads
        self.dropout = dropout
        self.position = position
        self.supports_masking = True
        shared_dim = hidden_dim // num_query_heads * num_key_value_heads  # G·H

        def dense(units, name):
            return keras.layers.Dense(units, dtype=self.dtype_policy, name=name)

        self.query_dense = dense(hidden_dim, "query")
        self.key_dense = dense(shared_dim, "key")
        self.value_dense = dense(shared_dim, "value")
        self.output_dense = dense(hidden_dim, "attention_output")
        self.weights_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape):
        self.query_dense.build(query_shape)
        self.key_dense.build(value_shape)
        self.value_dense.build(value_shape)
        self.output_dense.build((*query_shape[:-1], self.hidden_dim))

    def call(
        self,
        query,
        value,
        attention_mask=None,
        use_causal_mask=False,
        return_attention_scores=False,
    ):
        causal = causal_mask(ops.shape(query)[1]) if use_causal_mask else None  # (T, T)
        mask = combine_masks(attention_mask, causal)
        if mask is not None:
            mask = ops.expand_dims(mask, -3)  # (B, 1, T, S): the same for every head
        q = split_heads(self.query_dense(query), self.num_query_heads)  # (B, N, T, H)
        dense, groups = (self.key_dense, self.value_dense), self.num_key_value_heads
        k, v = (share(split_heads(f(value), groups), self.num_query_heads) for f in dense)
        x, weights = self.attend(q, k, v, mask)
        x = self.output_dense(merge_heads(x))  # (B, T, D)
        return (x, weights) if return_attention_scores else x

    def attend(self, query, key, value, mask):
        """Mix the values of every head, `(B, N, T, H)`; also return the weights."""
        scores = self.position.scores if self.position else attention_scores
        return attend(scores(query, key), value, mask, self.weights_dropout)

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "dropout": self.dropout,
            "position": keras.saving.serialize_keras_object(self.position),
        }

    @classmethod
    def from_config(cls, config):
        position = keras.saving.deserialize_keras_object(config.get("position"))
        return super().from_config(config | {"position": position})
