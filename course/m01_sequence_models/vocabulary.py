"""A vocabulary: which id stands for which token.

Id 0 is padding, id 1 every unknown token. Then come special tokens, if there are any,
and then the rest, the most frequent first.

Axes: B texts, T length, V vocabulary size.
"""

import collections
import json
from pathlib import Path

import numpy as np

from course.files import write_atomic
from course.m01_sequence_models.standardize import tokenize

PAD, UNKNOWN = 0, 1


class Vocabulary:
    """Tokens and their ids, both ways.

    A text is a str, which `tokenize` cuts, or a list of tokens, taken as they are.

    Args:
        tokens: list of str. The token of id 2, 3 and so on.

    Attributes:
        tokens: list of str, the token of each id; `""` for padding and `"[UNK]"` for
            unknown tokens, as in `keras.layers.TextVectorization`.

    Raises:
        ValueError: if a token is there twice.
    """

    def __init__(self, tokens):
        self.tokens = ["", "[UNK]", *tokens]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self.ids) < len(self.tokens):
            twice = [t for t, n in collections.Counter(self.tokens).items() if n > 1]
            raise ValueError(f"`tokens` must differ. Received more than once: {twice}.")

    @classmethod
    def from_texts(cls, texts, max_size=None, min_count=1, specials=()):
        """Make the vocabulary of a corpus.

        Args:
            texts: iterable of texts.
            max_size: int. Largest number of ids, padding, unknown and special ones
                counted. Rare tokens are left out; of equally rare ones the first by
                code point stays.
            min_count: int. A token that occurs less often is left out.
            specials: tokens that come first, such as a start and an end.

        Returns:
            `Vocabulary`.
        """
        counts = collections.Counter()
        for text in texts:
            counts.update(_tokens(text))
        for token in ("", "[UNK]", *specials):
            counts.pop(token, None)
        frequent = sorted((-n, token) for token, n in counts.items() if n >= min_count)
        room = None if max_size is None else max(0, max_size - 2 - len(specials))
        return cls([*specials, *(token for _, token in frequent[:room])])

    def __len__(self):
        """The number of ids V, padding and unknown counted."""
        return len(self.tokens)

    def encode(self, text):
        """Return the list of ids of a text."""
        return [self.ids.get(token, UNKNOWN) for token in _tokens(text)]

    def encode_batch(self, texts, length=None):
        """Return the ids of texts, padded at the end.

        Args:
            texts: list of texts, B in all.
            length: int. T; longer texts lose their end. Defaults to the longest text.

        Returns:
            Int32 array `(B, T)`.
        """
        rows = [self.encode(text) for text in texts]
        length = max(map(len, rows), default=0) if length is None else length
        batch = np.full((len(rows), length), PAD, "int32")
        for row, ids in zip(batch, rows, strict=True):
            row[: len(ids)] = ids[:length]
        return batch

    def encode_corpus(self, texts):
        """Return the ids of texts one after another, with a 0 after each: int32 `(N,)`."""
        ids = [i for text in texts for i in (*self.encode(text), PAD)]
        return np.array(ids, "int32")

    def decode(self, ids):
        """Return the list of tokens of a row of ids, without padding."""
        return [self.tokens[i] for i in ids if i != PAD]

    def save(self, path):
        """Write the tokens to a JSON file."""
        write_atomic(path, json.dumps(self.tokens[2:], ensure_ascii=False, indent=0) + "\n")

    @classmethod
    def load(cls, path):
        """Read what `save` wrote."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))


def _tokens(text):
    return tokenize(text) if isinstance(text, str) else text
