"""Multi-head attention (Vaswani et al., 2017, section 3.2.2).

    head_n = Attention(X W_n^Q, Y W_n^K, Y W_n^V)
    MultiHead(X, Y) = Concat(head_1, ..., head_N) W^O

Axes: B batch, T target length, S source length, N heads, H head size,
D = N·H hidden size.
"""

import keras
from keras import ops

from course.m02_transformer.heads import merge_heads, split_heads
from course.m02_transformer.masks import causal_mask, combine_masks
from course.m02_transformer.scaled_dot_product_attention import attend, attention_scores


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class MultiHeadAttention(keras.layers.Layer):
    """Attention run in `num_heads` learned projections, then recombined.

    A Keras mask on `query` passes through unchanged; padding in `value` is
    hidden only through `attention_mask`.

    Args:
        hidden_dim: int. Width D; must be a multiple of `num_heads`.
        num_heads: int. Number of heads N.
        dropout: float. Rate on the attention weights. Defaults to `0.0`.
        position: optional layer that puts positions into the scores, such as
            `RotaryEmbedding()` or `ALiBi()`: any layer with a method
            `scores(query, key)`, from `(B, N, T, H)` and `(B, N, S, H)` to
            `(B, N, T, S)`.

    Call arguments:
        query: `(B, T, D)`.
        value: `(B, S, D)`, also the source of the keys.
        attention_mask: optional bool, broadcastable to `(B, T, S)`. True means
            "may attend".
        use_causal_mask: bool. Also hide the future; needs T = S.
        return_attention_scores: bool. Also return the weights.

    Returns:
        `(B, T, D)`; with `return_attention_scores=True` also the weights
        `(B, N, T, S)`.

    Raises:
        ValueError: if `hidden_dim` is not a multiple of `num_heads`.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(self, hidden_dim, num_heads, dropout=0.0, position=None, **kwargs):
        super().__init__(**kwargs)
        if hidden_dim % num_heads:
            raise ValueError(
                "`hidden_dim` must be a multiple of `num_heads`. Received: "
                f"hidden_dim={hidden_dim}, num_heads={num_heads}."
            )
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.position = position
        self.supports_masking = True

        def dense(name):
            return keras.layers.Dense(hidden_dim, dtype=self.dtype_policy, name=name)

        self.query_dense = dense("query")
        self.key_dense = dense("key")
        self.value_dense = dense("value")
        self.output_dense = dense("attention_output")
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
        q = split_heads(self.query_dense(query), self.num_heads)  # (B, N, T, H)
        k = split_heads(self.key_dense(value), self.num_heads)  # (B, N, S, H)
        v = split_heads(self.value_dense(value), self.num_heads)  # (B, N, S, H)
        x, weights = self.attend(q, k, v, mask)
        x = self.output_dense(merge_heads(x))  # (B, T, D)
        return (x, weights) if return_attention_scores else x

    def attend(self, query, key, value, mask):
        """Mix the values of every head, `(B, N, T, H)`; also return the weights."""
        return attend(self.scores(query, key), value, mask, self.weights_dropout)

    def scores(self, query, key):
        """Return the scores `(B, N, T, S)`, through `position` if there is one."""
        scores = self.position.scores if self.position else attention_scores
        return scores(query, key)

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "position": keras.saving.serialize_keras_object(self.position),
        }

    @classmethod
    def from_config(cls, config):
        position = keras.saving.deserialize_keras_object(config.get("position"))
        return super().from_config(config | {"position": position})
