"""Self-attention with relative position representations (Shaw et al., 2018, section 3).

    e[i, j] = q_i · (k_j + a^K[j - i]) / sqrt(H)
    z[i]    = Σ_j softmax(e[i])[j] (v_j + a^V[j - i])

Distances beyond ±k are clipped to ±k, so there are 2k + 1 vectors a^K and as
many a^V, shared by all heads.

Axes: B batch, T length (S where it counts keys), N heads, H head size,
R = 2k + 1 relative distances.
"""

import keras
from keras import ops

from course.m02_transformer.multi_head_attention import MultiHeadAttention
from course.m02_transformer.scaled_dot_product_attention import attend


def relative_positions(length, max_distance):
    """Return for query i and key j the row of the clipped distance j - i.

    Args:
        length: int. Number of positions T.
        max_distance: int. The clipping distance k.

    Returns:
        Int tensor `(T, T)` from 0 (k or more to the left) to 2k.
    """
    positions = ops.arange(length)
    distance = positions[None, :] - positions[:, None]  # (T, S)
    return ops.clip(distance, -max_distance, max_distance) + max_distance


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class RelativeSelfAttention(MultiHeadAttention):
    """Multi-head self-attention that knows the distance of query and key.

    Args:
        hidden_dim: int. Width D; must be a multiple of `num_heads`.
        num_heads: int. Number of heads N.
        max_distance: int. Larger distances count as this one.
        dropout: float. Rate on the attention weights. Defaults to `0.0`.

    Call arguments:
        query: `(B, T, D)`.
        value: `(B, T, D)`. Defaults to `query`.
        attention_mask: optional bool, broadcastable to `(B, T, T)`. True means
            "may attend".
        use_causal_mask: bool. Also hide the future.
        return_attention_scores: bool. Also return the weights.

    Returns:
        `(B, T, D)`; with `return_attention_scores=True` also the weights
        `(B, N, T, T)`.

    Raises:
        ValueError: if `hidden_dim` is not a multiple of `num_heads`.

    Reference: [Shaw et al., 2018](https://arxiv.org/abs/1803.02155)
    """

    def __init__(self, hidden_dim, num_heads, max_distance, dropout=0.0, **kwargs):
        super().__init__(hidden_dim, num_heads, dropout, **kwargs)
        self.max_distance = max_distance

    def build(self, query_shape, value_shape=None):
        super().build(query_shape, value_shape or query_shape)
        shape = (2 * self.max_distance + 1, self.hidden_dim // self.num_heads)
        self.key_table = self.add_weight(shape=shape, name="relative_keys")  # (R, H)
        self.value_table = self.add_weight(shape=shape, name="relative_values")  # (R, H)

    def call(self, query, value=None, **kwargs):
        return super().call(query, query if value is None else value, **kwargs)

    def attend(self, query, key, value, mask):
        """Attend head by head, with distances in the scores and in the output."""
        rows = relative_positions(ops.shape(query)[2], self.max_distance)  # (T, S)
        relative_key = ops.take(self.key_table, rows, axis=0)  # (T, S, H)
        relative_value = ops.take(self.value_table, rows, axis=0)  # (T, S, H)
        scores = self.scores(query, key)  # (B, N, T, S)
        scaled = query * query.shape[-1] ** -0.5
        scores = scores + ops.einsum("bnth,tsh->bnts", scaled, relative_key)
        x, weights = attend(scores, value, mask, self.weights_dropout)
        return x + ops.einsum("bnts,tsh->bnth", weights, relative_value), weights

    def get_config(self):
        return super().get_config() | {"max_distance": self.max_distance}
