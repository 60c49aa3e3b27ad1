"""Hashed character n-grams (Bojanowski et al., 2017, section 3.2).

    where, n = 3:  <wh  whe  her  ere  re>

`<` and `>` mark the word's ends, so that `her` inside `where` is not the word
`<her>`. A hash puts each n-gram into one of a fixed number of buckets.
"""


def fnv1a(data):
    """Return the 32-bit FNV-1a hash of bytes.

    For each byte: xor it in, then multiply by the FNV prime, modulo 2^32. The
    fastText program reads bytes above 127 as negative numbers, so its hashes of
    words outside ASCII differ.

    Args:
        data: bytes.

    Returns:
        int from 0 to 2^32 - 1.
    """
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def character_ngrams(word, min_length=3, max_length=6):
    """Return the character n-grams of a word between its boundary marks.

    Args:
        word: str.
        min_length: int. Shortest n-gram, marks counted.
        max_length: int. Longest n-gram.

    Returns:
        List of str, by length, then by place. An n-gram that occurs twice is there
        twice.
    """
    marked = f"<{word}>"
    return [
        marked[start : start + length]
        for length in range(min_length, max_length + 1)
        for start in range(len(marked) - length + 1)
    ]


def ngram_buckets(word, num_buckets, min_length=3, max_length=6):
    """Return the bucket of each character n-gram of a word.

    Args:
        word: str.
        num_buckets: int. Different n-grams may share a bucket.
        min_length: int. Shortest n-gram.
        max_length: int. Longest n-gram.

    Returns:
        List of int, each from 0 to `num_buckets` - 1.
    """
    ngrams = character_ngrams(word, min_length, max_length)
    return [fnv1a(ngram.encode()) % num_buckets for ngram in ngrams]
