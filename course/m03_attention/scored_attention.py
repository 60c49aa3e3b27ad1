"""What additive and multiplicative attention share (Bahdanau et al., 2015, section 3.1).

    weights[t, s] = softmax over s of score(query[t], key[s])
    context[t]    = Σ_s weights[t, s] value[s]

Axes: B batch, T queries, S keys, Q width of a query, K width of a key, V width of a value.
"""

import keras

from course.m02_transformer import attend


class ScoredAttention(keras.layers.Layer):
    """The family's common call; a subclass says how it scores.

    Args:
        dropout: float. Rate on the attention weights.

    Call arguments:
        query: float tensor `(B, T, Q)`.
        values: float tensor `(B, S, V)`.
        keys: optional float tensor `(B, S, K)`. Defaults to the values.
        mask: optional bool, broadcastable to `(B, T, S)`. True means "may attend". A row
            with no True gets equal weights, not NaN.

    Returns:
        The context `(B, T, V)` and the weights `(B, T, S)`. A Keras mask on `query` passes to
        the context; padding in `values` is hidden only through `mask`.
    """

    def __init__(self, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.supports_masking = True
        self.weights_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def call(self, query, values, keys=None, mask=None):
        prepared = self.prepare(values if keys is None else keys)
        return attend(self.scores(query, prepared), values, mask, self.weights_dropout)

    def prepare(self, keys):
        """Do what depends on the keys alone, once for all queries: `(B, S, ...)`."""
        return keys

    def scores(self, query, prepared):
        """Return scores `(B, T, S)` of queries and prepared keys."""
        raise NotImplementedError

    def get_config(self):
        return super().get_config() | {"dropout": self.dropout}
