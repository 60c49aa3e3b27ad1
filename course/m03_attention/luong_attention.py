"""Multiplicative attention and its relatives (Luong et al., 2015, section 3.1).

    dot         q · k                 no weights, queries as wide as keys
    scaled_dot  q · k / sqrt(Q)       Vaswani et al., 2017
    general     qᵀ W k                one matrix
    concat      vᵀ tanh(W [q; k])     the additive score in the paper's notation

Axes: B batch, T queries, S keys, Q width of a query, K width of a key.
"""

import keras
from keras import ops

from course.m03_attention.scored_attention import ScoredAttention
from course.m03_attention.scores import dot_score, scaled_dot_score, tanh_score

SCORES = ("dot", "scaled_dot", "general", "concat")


@keras.saving.register_keras_serializable(package="course.m03_attention")
class LuongAttention(ScoredAttention):
    """Attention with one of the four scores.

    `keras.layers.Attention` has the score "dot"; what it calls "concat" adds query and key.

    Args:
        score: str. `"dot"`, `"scaled_dot"`, `"general"` or `"concat"`. Defaults to `"dot"`. The
            tanh layer of "concat" is as wide as the query.
        dropout: float. Rate on the attention weights. Defaults to `0.0`.

    Call arguments:
        query: float tensor `(B, T, Q)`, in the paper the decoder's states.
        values: float tensor `(B, S, V)`, in the paper the encoder's states.
        keys: optional float tensor `(B, S, K)`. Defaults to the values. "dot" and
            "scaled_dot" need K = Q.
        mask: optional bool, broadcastable to `(B, T, S)`. True means "may attend".

    Returns:
        The context `(B, T, V)` and the weights `(B, T, S)`.

    Raises:
        ValueError: if there is no such score, or queries and keys must be equally wide and
            are not.

    Reference: [Luong et al., 2015](https://arxiv.org/abs/1508.04025)
    """

    def __init__(self, score="dot", dropout=0.0, **kwargs):
        super().__init__(dropout, **kwargs)
        if score not in SCORES:
            allowed = ", ".join(SCORES)
            raise ValueError(f"`score` must be one of: {allowed}. Received: score={score!r}.")
        self.score = score

    def build(self, query_shape, values_shape, keys_shape=None):
        query, key = query_shape[-1], (keys_shape or values_shape)[-1]
        if self.score in ("dot", "scaled_dot") and query != key:
            raise ValueError(
                f"The score {self.score!r} needs queries and keys of one width; use 'general' or "
                f"'concat' otherwise. Received: query width={query}, key width={key}."
            )
        if self.score == "general":
            self.kernel = self.add_weight((query, key), name="kernel")
        elif self.score == "concat":
            self.kernel = self.add_weight((query + key, query), name="kernel")
            limit = (6 / (query + 1)) ** 0.5
            initializer = keras.initializers.RandomUniform(-limit, limit)
            self.v = self.add_weight((query,), initializer=initializer, name="v")
        self.query_width = query

    def prepare(self, keys):
        """Multiply the keys by their part of the weights, if the score has any."""
        if self.score == "general":
            return ops.matmul(keys, ops.transpose(self.kernel))  # (B, S, Q)
        if self.score == "concat":
            return ops.matmul(keys, self.kernel[self.query_width :])  # (B, S, Q)
        return keys

    def scores(self, query, prepared):
        """Return scores `(B, T, S)`."""
        if self.score == "concat":
            query = ops.matmul(query, self.kernel[: self.query_width])  # (B, T, Q)
            return tanh_score(query, prepared, self.v)
        score = scaled_dot_score if self.score == "scaled_dot" else dot_score
        return score(query, prepared)

    def get_config(self):
        return super().get_config() | {"score": self.score}
