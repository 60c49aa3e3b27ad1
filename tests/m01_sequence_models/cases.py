"""Every layer of module 1, as a case of the layer contract."""

import keras
import numpy as np

from course import m01_sequence_models as m01
from tests.contract import LayerCase, Mask, fill, numpy, run
from tests.m01_sequence_models import oracles

# Different primes: a swapped axis cannot fit.
B, T, E, H, V, C, D = 2, 5, 7, 11, 13, 3, 17
WORDS = ["", "[UNK]", "where", "her", "he", "ä", "hehehe", "mañana", "a", "there", "b", "c", "d"]

rng = np.random.default_rng(0)


class CellCase(LayerCase):
    """A recurrent cell, which keeps the contract inside `keras.layers.RNN`."""

    def make(self, **kwargs):
        cell = self.layer.from_config(self.layer(**self.arguments).get_config() | kwargs)
        layer = keras.layers.RNN(cell, return_sequences=True, **kwargs)
        run(layer, self.inputs, self.call)
        fill(layer)
        return layer


def oracle(function, **kwargs):
    """An expected output: an oracle over the layer's weights, all in float64."""

    def expected(layer, *inputs):
        values = {w.path.split("/")[-1]: np.float64(numpy(w.value)) for w in layer.weights}
        return function(values, *map(np.float64, inputs), **kwargs)

    return expected


def ids(*shape, high=V):
    """Seeded token ids from 0 on, as int32."""
    return rng.integers(0, high, shape).astype("int32")


def cell_case(cell, arguments, expected):
    x = rng.normal(size=(B, T, E)).astype("float32")
    masks = (Mask("mask", (B, T), 0),)
    return CellCase(cell, arguments, (x,), oracle(expected), masks=masks, causal={})


def every_id():
    """Centres that cover the vocabulary: a table's gradient is nowhere 0."""
    return np.arange(V).astype("int32"), ids(V, C)


CASES = {
    "simple_rnn_cell": cell_case(m01.SimpleRNNCell, {"hidden_dim": H}, oracles.simple_rnn),
    "lstm_cell": cell_case(m01.LSTMCell, {"hidden_dim": H, "forget_bias": 3.0}, oracles.lstm),
    "gru_cell": cell_case(m01.GRUCell, {"hidden_dim": H, "update_bias": 2.0}, oracles.gru),
    "skip_gram": LayerCase(
        m01.SkipGram,
        {"vocabulary_size": V, "embedding_dim": D},
        inputs=every_id(),
        expected=oracle(oracles.skip_gram),
        unknown=(),
    ),
    "fasttext": LayerCase(
        m01.FastText,
        {
            "words": WORDS,
            "embedding_dim": D,
            "num_buckets": 19,
            "min_length": 2,
            "max_length": 4,
        },
        inputs=every_id(),
        expected=oracle(oracles.fasttext, words=WORDS, num_buckets=19, lengths=(2, 3, 4)),
        unknown=(),
    ),
    "glove": LayerCase(
        m01.GloVe,
        {"vocabulary_size": V, "embedding_dim": D},
        inputs=(np.arange(V).astype("int32"), ids(V)),
        expected=oracle(oracles.glove),
        unknown=(),
    ),
    "bag_of_words": LayerCase(
        m01.BagOfWords,
        {"vocabulary_size": V, "num_classes": C},
        inputs=(ids(B, T, high=4),),
        expected=oracle(oracles.bag_of_words),
        unknown=(),  # the length is summed over
    ),
}
