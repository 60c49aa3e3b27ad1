"""Where the attention explorer gets its weights from: heads set by hand, or a model.

Axes: L layers, N heads, T tokens.
"""

import re
from functools import lru_cache

import numpy as np
from keras import ops

from course.m02_transformer import causal_mask, masked_softmax
from course.m03_attention.attention_layers import attention_maps
from course.m03_attention.induction_head import build_induction_heads

START = "<start>"
STEP = 48  # lengths are padded to a multiple, so that sentences share a model
HAND_MADE_HEADS = [
    ["the word before", "the same word"],
    ["what followed this word last time", "every word so far, equally"],
]


@lru_cache(maxsize=1)
def induction_heads(size):
    """Return induction heads for `size` places and words, made once."""
    return build_induction_heads(size, size)


def hand_made_attention(sentence):
    """Return the weights of four heads that nobody trained.

    Layer 1, head 1 and layer 2, head 1 are the induction head; the others compare words, or
    nothing.

    Args:
        sentence: str. Words and punctuation marks become tokens, after a start token.

    Returns:
        The tokens, and float32 weights `(2, 2, T, T)`.
    """
    tokens = [START, *re.findall(r"\w+|[^\w\s]", sentence.lower())]
    words = list(dict.fromkeys(tokens))
    length = len(tokens)
    ids = np.array([words.index(token) for token in tokens])
    padded = np.pad(ids, (0, -length % STEP))  # at the end: no token sees it
    maps = attention_maps(induction_heads(len(padded)), padded[None])
    before, induction = (weights[0, 0, :length, :length] for weights in maps.values())  # (T, T)
    causal = causal_mask(length)
    same = 20.0 * (ids[:, None] == ids)
    equal = np.zeros_like(same)
    same, equal = (ops.convert_to_numpy(masked_softmax(scores, causal)) for scores in (same, equal))
    return tokens, np.float32([[before, same], [induction, equal]])


def model_attention(model, encode):
    """Return what the explorer needs of a model whose attention layers are all alike.

    Args:
        model: `keras.Model` with self-attention of modules 2 and 3.
        encode: callable from a sentence to its tokens, a list of str, and the model's inputs
            with a batch of one.

    Returns:
        Callable from a sentence to the tokens and weights `(L, N, T, T)`.
    """

    def attention(sentence):
        tokens, inputs = encode(sentence)
        return tokens, np.stack([weights[0] for weights in attention_maps(model, inputs).values()])

    return attention
