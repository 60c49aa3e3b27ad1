"""Skip-gram with negative sampling (Mikolov et al., 2013, section 2.2).

    score(w, c) = v_w · u_c
    loss = -log σ(score(w, c)) - Σ_k log σ(-score(w, n_k))

Each word has two vectors, v as a centre and u as a context. The loss tells the
word that stands near from K words drawn at random.

Axes: B pairs, K negative words, C = 1 + K, V vocabulary size, D embedding size.
"""

import keras
from keras import ops


def skip_gram_loss(positive, negative):
    """Return the mean loss of pairs, each with its own negative words.

    Args:
        positive: float tensor `(B,)`, scores of words that stand together.
        negative: float tensor `(B, K)`, scores with words drawn at random.

    Returns:
        Float scalar, in nats per pair.
    """
    apart = ops.sum(ops.log_sigmoid(-negative), axis=-1)  # (B,)
    return -ops.mean(ops.log_sigmoid(positive) + apart)


def pair_scores(center, context):
    """Return the dot product of each centre with each of its contexts.

    Args:
        center: float tensor `(B, D)`.
        context: float tensor `(B, C, D)`.

    Returns:
        Float tensor `(B, C)`.
    """
    # A product costs three quarters of `sum(center * context)`, gradient included.
    return ops.matmul(context, center[:, :, None])[:, :, 0]  # (B, C, D) (B, D, 1)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class SkipGram(keras.layers.Layer):
    """A vector for each word, and one for each context; `fit_skip_gram` trains them.

    Args:
        vocabulary_size: int. Number of word ids V.
        embedding_dim: int. Width D of the vectors.

    Call arguments:
        center: int tensor `(B,)`.
        context: int tensor `(B, C)`.

    Returns:
        Scores `(B, C)`.

    Reference: [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546)
    """

    def __init__(self, vocabulary_size, embedding_dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim

    def build(self, center_shape):
        shape = (self.vocabulary_size, self.embedding_dim)
        # As in word2vec: small centres, contexts of zero, so all scores begin at 0.
        small = keras.initializers.RandomUniform(-0.5 / shape[1], 0.5 / shape[1])
        self.center_table = self.add_weight(shape, small, name="center_table")
        self.context_table = self.add_weight(shape, "zeros", name="context_table")

    def call(self, center, context):
        center = ops.take(self.center_table, ops.cast(center, "int32"), axis=0)  # (B, D)
        context = ops.take(self.context_table, ops.cast(context, "int32"), axis=0)  # (B, C, D)
        return pair_scores(center, context)

    @property
    def vectors(self):
        """The word vectors, the centres': a NumPy array `(V, D)`."""
        return ops.convert_to_numpy(self.center_table.value)

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
        }
