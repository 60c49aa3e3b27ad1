"""Characters as ids: 0 pads, 1 starts, 2 ends, and an alphabet follows from 3 on.

encode(["abc", "b"], "abc", 4)             3 4 5 0 | 4 0 0 0
encode(["abc", "b"], "abc", 5, marks=True) 1 3 4 5 2 | 1 4 2 0 0
"""

import numpy as np

PAD, START, END, FIRST = 0, 1, 2, 3


def encode(texts, alphabet, length, marks=False):
    """Write texts as rows of ids, padded on the right.

    Args:
        texts: sequence of B str.
        alphabet: str. Character i has the id `3 + i`.
        length: int. T, at least the longest text, and its marks.
        marks: bool. Whether START and END enclose each text.

    Returns:
        int32 `(B, T)`.

    Raises:
        ValueError: if a text is too long or has a character outside the alphabet.
    """
    ids = {character: FIRST + i for i, character in enumerate(alphabet)}
    rows = np.full((len(texts), length), PAD, "int32")
    for row, text in zip(rows, texts, strict=True):
        if not set(text) <= set(ids):
            raise ValueError(f"`texts` must use {alphabet!r}. Received: {text!r}.")
        written = [ids[character] for character in text]
        written = [START, *written, END] if marks else written
        if len(written) > length:
            raise ValueError(f"`length` must be at least {len(written)}. Received: {length}.")
        row[: len(written)] = written
    return rows


def decode(rows, alphabet):
    """Read rows of ids back: what stands before END, without PAD and START.

    Args:
        rows: int `(B, T)`.
        alphabet: str, as for `encode`.

    Returns:
        A list of B str. An id outside the alphabet reads as `?`.
    """
    letters = ["", "", "", *alphabet]
    texts = []
    for row in np.asarray(rows).tolist():
        row = row[: row.index(END)] if END in row else row
        texts.append("".join(letters[i] if 0 <= i < len(letters) else "?" for i in row))
    return texts
