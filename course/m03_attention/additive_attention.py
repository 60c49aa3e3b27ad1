"""Additive attention (Bahdanau et al., 2015, section 3.1 and appendix A.1.2).

    score(q, k) = vᵀ tanh(W q + U k)

U k is the same for every query, so a decoder computes it once for each source.

Axes: B batch, T queries, S keys, Q width of a query, K width of a key, U width inside the tanh.
"""

import keras
from keras import ops

from course.m03_attention.scored_attention import ScoredAttention
from course.m03_attention.scores import tanh_score


@keras.saving.register_keras_serializable(package="course.m03_attention")
class AdditiveAttention(ScoredAttention):
    """Attention whose score is a small network: a hidden layer of `hidden_dim` tanh units.

    Like the paper's equation, it has no biases. `keras.layers.AdditiveAttention` has no W and no
    U: it is this layer with the identity for both.

    Args:
        hidden_dim: int. Width U inside the tanh.
        dropout: float. Rate on the attention weights. Defaults to `0.0`.

    Call arguments:
        query: float tensor `(B, T, Q)`, in the paper the decoder's states.
        values: float tensor `(B, S, V)`, in the paper the encoder's states.
        keys: optional float tensor `(B, S, K)`. Defaults to the values.
        mask: optional bool, broadcastable to `(B, T, S)`. True means "may attend".

    Returns:
        The context `(B, T, V)` and the weights `(B, T, S)`.

    Reference: [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473)
    """

    def __init__(self, hidden_dim, dropout=0.0, **kwargs):
        super().__init__(dropout, **kwargs)
        self.hidden_dim = hidden_dim

    def build(self, query_shape, values_shape, keys_shape=None):
        width = (keys_shape or values_shape)[-1]
        self.query_kernel = self.add_weight((query_shape[-1], self.hidden_dim), name="query")
        self.key_kernel = self.add_weight((width, self.hidden_dim), name="key")
        # Drawn from the fan of a matrix (U, 1): a vector's own would be too wide.
        limit = (6 / (self.hidden_dim + 1)) ** 0.5
        initializer = keras.initializers.RandomUniform(-limit, limit)
        self.v = self.add_weight((self.hidden_dim,), initializer=initializer, name="v")

    def prepare(self, keys):
        """Project the keys, `(B, S, U)`."""
        return ops.matmul(keys, self.key_kernel)

    def scores(self, query, prepared):
        """Return scores `(B, T, S)`."""
        return tanh_score(ops.matmul(query, self.query_kernel), prepared, self.v)

    def get_config(self):
        return super().get_config() | {"hidden_dim": self.hidden_dim}
