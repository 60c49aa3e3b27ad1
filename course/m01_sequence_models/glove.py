"""GloVe: global vectors (Pennington et al., 2014, section 3).

    score(i, j) = w_i · u_j + b_i + d_j
    loss = Σ_{i,j} f(X_ij) (score(i, j) - log X_ij)²
    f(x) = min(1, (x / x_max)^α)

X_ij counts how often word j stands near word i, over the whole corpus; the sum
runs over the counts that are not 0.

Axes: B pairs, V vocabulary size, D embedding size.
"""

import keras
from keras import ops


def glove_weight(counts, x_max=100.0, alpha=0.75):
    """Return the weight f of each count: rare pairs are noise, frequent ones no more than 1.

    Args:
        counts: float tensor, each above 0.
        x_max: float. Counts from here on weigh 1.
        alpha: float. Below 1, small counts weigh more than in proportion.

    Returns:
        Float tensor of the shape of `counts`, from 0 to 1.
    """
    return ops.minimum(1.0, (counts / x_max) ** alpha)


def glove_loss(scores, counts, x_max=100.0, alpha=0.75):
    """Return the weighted squared error of the scores, summed over pairs.

    Args:
        scores: float tensor `(B,)`.
        counts: float tensor `(B,)`, each above 0.
        x_max: float. See `glove_weight`.
        alpha: float. See `glove_weight`.

    Returns:
        Float scalar.
    """
    error = ops.square(scores - ops.log(counts))
    return ops.sum(glove_weight(counts, x_max, alpha) * error)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class GloVe(keras.layers.Layer):
    """Two vectors and two biases for each word; `fit_glove` trains them.

    Args:
        vocabulary_size: int. Number of word ids V.
        embedding_dim: int. Width D of the vectors.

    Call arguments:
        row: int tensor `(B,)`.
        column: int tensor `(B,)`.

    Returns:
        Scores `(B,)`, which fit the logarithm of the counts.

    Reference: [Pennington et al., 2014](https://doi.org/10.3115/v1/D14-1162)
    """

    def __init__(self, vocabulary_size, embedding_dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim

    def build(self, row_shape):
        shape = (self.vocabulary_size, self.embedding_dim)
        small = keras.initializers.RandomUniform(-0.5 / shape[1], 0.5 / shape[1])
        self.row_table = self.add_weight(shape, small, name="row_table")
        self.column_table = self.add_weight(shape, small, name="column_table")
        self.row_bias = self.add_weight(shape[:1], "zeros", name="row_bias")
        self.column_bias = self.add_weight(shape[:1], "zeros", name="column_bias")

    def call(self, row, column):
        row, column = ops.cast(row, "int32"), ops.cast(column, "int32")
        w, u = ops.take(self.row_table, row, axis=0), ops.take(self.column_table, column, axis=0)
        bias = ops.take(self.row_bias, row) + ops.take(self.column_bias, column)  # (B,)
        return ops.sum(w * u, axis=-1) + bias

    @property
    def vectors(self):
        """The word vectors w + u, as the paper adds them: a NumPy array `(V, D)`."""
        return ops.convert_to_numpy(self.row_table.value + self.column_table.value)

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
        }
