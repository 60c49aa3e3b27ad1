"""From standardised texts to a batch: a vocabulary, ids and a mask.

    texts -> ids (B, T), id 0 padding, id 1 unknown -> mask (B, T)

Axes: B texts, T length.
"""

from course.m01_sequence_models.vocabulary import PAD, Vocabulary


def vectorize(train_texts, texts, max_size, length):
    """Make a vocabulary from some texts and encode others with it.

    Does what `keras.layers.TextVectorization` does by `adapt` and call. Tokens that occur
    only in `texts` stay unknown: those texts stand for what a model will meet later.

    Args:
        train_texts: list of str, standardised: their tokens stand between spaces.
        texts: list of standardised str, B in all.
        max_size: int. Most entries, padding and unknown counted; at least 2.
        length: int. T; longer texts lose their end, shorter ones get padding there.

    Returns:
        `vocabulary`, list of str, the token of each id, the most frequent first; `ids`, int32
        array `(B, T)`; `mask`, bool array `(B, T)`, True for tokens.

    Raises:
        ValueError: if `max_size` has no room for padding and unknown tokens.
    """
    if max_size < 2:
        raise ValueError(f"`max_size` must be at least 2. Received: max_size={max_size}.")
    vocabulary = Vocabulary.from_texts((text.split() for text in train_texts), max_size)
    ids = vocabulary.encode_batch([text.split() for text in texts], length)
    return vocabulary.tokens, ids, ids != PAD
