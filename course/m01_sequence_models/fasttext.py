"""FastText: words as bags of character n-grams (Bojanowski et al., 2017).

    v_w = mean of the vector of w itself and the vectors of its n-grams

Words that share parts share vectors, and a word never seen in training has a
vector: the mean over its n-grams.

The paper takes the sum, its program the mean, which long words leave small; so
does this layer.

Axes: B pairs, C contexts, V vocabulary size, D embedding size, M n-grams of all
words together.
"""

import keras
import numpy as np
from keras import ops

from course.m01_sequence_models.character_ngrams import ngram_buckets
from course.m01_sequence_models.skip_gram import pair_scores


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class FastText(keras.layers.Layer):
    """Skip-gram whose centres are made of n-grams; `fit_skip_gram` trains it.

    A call makes the vectors of all V words and then picks the centres, so large
    batches are cheap.

    Args:
        words: list of str. The word of each id, V in all.
        embedding_dim: int. Width D of the vectors.
        num_buckets: int. Rows that the n-grams share.
        min_length: int. Shortest n-gram, boundary marks counted.
        max_length: int. Longest n-gram.

    Call arguments:
        center: int tensor `(B,)`.
        context: int tensor `(B, C)`.

    Returns:
        Scores `(B, C)`.

    Reference: [Bojanowski et al., 2017](https://arxiv.org/abs/1607.04606)
    """

    def __init__(
        self, words, embedding_dim, num_buckets=20_000, min_length=3, max_length=6, **kwargs
    ):
        super().__init__(**kwargs)
        self.words = list(words)
        self.embedding_dim = embedding_dim
        self.num_buckets = num_buckets
        self.min_length = min_length
        self.max_length = max_length
        buckets = [self.buckets(word) for word in self.words]
        self.parts = np.concatenate([[], *buckets]).astype("int32")  # (M,)
        sizes = [len(b) for b in buckets]
        self.owners = np.repeat(np.arange(len(sizes)), sizes).astype("int32")  # (M,)
        self.sizes = np.array(sizes, "float32")[:, None]  # (V, 1)

    def buckets(self, word):
        """Return the list of buckets of a word's n-grams."""
        return ngram_buckets(word, self.num_buckets, self.min_length, self.max_length)

    def build(self, center_shape):
        words, dim = len(self.words), self.embedding_dim
        small = keras.initializers.RandomUniform(-0.5 / dim, 0.5 / dim)
        self.word_table = self.add_weight((words, dim), small, name="word_table")
        self.ngram_table = self.add_weight((self.num_buckets, dim), small, name="ngram_table")
        self.context_table = self.add_weight((words, dim), "zeros", name="context_table")

    def word_vectors(self):
        """Return the vectors of all words, a float tensor `(V, D)`."""
        parts = ops.take(self.ngram_table, self.parts, axis=0)  # (M, D)
        total = ops.segment_sum(parts, self.owners, len(self.words))  # (V, D)
        total = total + self.word_table
        return total / ops.cast(1 + self.sizes, total.dtype)

    def call(self, center, context):
        center = ops.take(self.word_vectors(), ops.cast(center, "int32"), axis=0)  # (B, D)
        context = ops.take(self.context_table, ops.cast(context, "int32"), axis=0)  # (B, C, D)
        return pair_scores(center, context)

    @property
    def vectors(self):
        """The word vectors: a NumPy array `(V, D)`."""
        return ops.convert_to_numpy(self.word_vectors())

    def vector(self, word):
        """Return the vector of any word, seen or not: a NumPy array `(D,)`.

        A word without n-grams, shorter than `min_length` with its marks, that was
        not seen either, has the vector 0.
        """
        if word in self.words:
            return self.vectors[self.words.index(word)]
        table = ops.convert_to_numpy(self.ngram_table.value)
        buckets = self.buckets(word)
        return table[buckets].mean(axis=0) if buckets else np.zeros(self.embedding_dim, "float32")

    def get_config(self):
        return super().get_config() | {
            "words": self.words,
            "embedding_dim": self.embedding_dim,
            "num_buckets": self.num_buckets,
            "min_length": self.min_length,
            "max_length": self.max_length,
        }
