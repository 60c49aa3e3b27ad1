"""A bag of words: a linear classifier of word counts.

    logits = Σ_t W[id_t] + b

The sum does not know the order: "not good, bad" and "not bad, good" are the same
bag.

Axes: B batch, T length, V vocabulary size, C classes.
"""

import keras
from keras import ops


def word_counts(token_ids, vocabulary_size):
    """Return how often each id stands in each text.

    Args:
        token_ids: int tensor `(B, T)`.
        vocabulary_size: int. V.

    Returns:
        Float tensor `(B, V)`; column 0, padding, is zero.
    """
    counts = ops.sum(ops.one_hot(token_ids, vocabulary_size), axis=1)  # (B, T, V) -> (B, V)
    return counts * ops.cast(ops.arange(vocabulary_size) != 0, counts.dtype)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class BagOfWords(keras.layers.Layer):
    """Add up one row of weights for each token; id 0, padding, adds nothing.

    The same as a dense layer over `word_counts`, without making the counts.

    Args:
        vocabulary_size: int. V.
        num_classes: int. C.

    Call arguments:
        token_ids: int tensor `(B, T)`.

    Returns:
        Logits `(B, C)`.
    """

    def __init__(self, vocabulary_size, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.num_classes = num_classes

    def build(self, token_ids_shape):
        shape = (self.vocabulary_size, self.num_classes)
        self.kernel = self.add_weight(shape, "zeros", name="kernel")
        self.bias = self.add_weight(shape[1:], "zeros", name="bias")

    def call(self, token_ids):
        token_ids = ops.cast(token_ids, "int32")
        rows = ops.take(self.kernel, token_ids, axis=0)  # (B, T, C)
        real = ops.expand_dims(ops.not_equal(token_ids, 0), -1)  # (B, T, 1)
        return ops.sum(ops.where(real, rows, 0.0), axis=1) + self.bias

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "num_classes": self.num_classes,
        }


def build_bag_of_words(vocabulary_size, num_classes):
    """Return logistic regression on word counts: the baseline to beat.

    Args:
        vocabulary_size: int. Number of token ids V, padding included.
        num_classes: int. C.

    Returns:
        `keras.Model` from ids `(B, T)`, id 0 padding, to float32 probabilities `(B, C)`.
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    logits = BagOfWords(vocabulary_size, num_classes, dtype="float32", name="words")(token_ids)
    output = keras.layers.Activation("softmax", dtype="float32", name="classes")(logits)
    return keras.Model(token_ids, output, name="bag_of_words")
