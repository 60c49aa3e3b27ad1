"""String reversal: read random letters, write them from the last to the first.

    source    d o g s . . .        (. is PAD)
    target    < s g o d > . . .    (< is START, > is END)

Nothing in a random string helps to guess the rest, so a model must carry every letter: how
exactness falls with length shows how much a fixed vector holds. Each bucket of lengths gets
an equal share. A hash of the letters decides the split, so no string is in both.

Ids: PAD 0, START 1, END 2, a-z 3 to 28. Axes: B examples.
"""

import numpy as np

from course.data import characters
from course.data.arguments import check_count
from course.data.characters import END, FIRST, PAD, START

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY_SIZE = FIRST + len(ALPHABET)
BUCKETS = ((4, 7), (8, 11), (12, 15), (16, 19))
MAX_LENGTH = 19
TEST_SHARE = 8  # one string in eight belongs to the test


def load(split, num_examples=None, buckets=BUCKETS, seed=0):
    """Return sources and targets; `num_examples` defaults to 20,000 or 2,000.

    Args:
        split: str. `"train"` or `"test"`.
        num_examples: int. B.
        buckets: tuple of `(shortest, longest)` lengths within 3 to 19.
        seed: int. The same seed gives the same examples.

    Returns:
        `sources`, int32 `(B, 19)`: the letters, then PAD. `targets`, int32 `(B, 21)`: START,
        the letters reversed, END, then PAD. No source comes twice.

    Raises:
        ValueError: if an argument is out of its limits.
    """
    if num_examples is None:
        num_examples = {"train": 20_000, "test": 2_000}[split]
    check_count("num_examples", num_examples, high=1_000_000)
    rng = np.random.default_rng((check_count("seed", seed, low=0), split == "test"))
    share = np.linspace(0, num_examples, len(_check_buckets(buckets)) + 1).astype(int)
    rows = []
    for (low, high), wanted in zip(buckets, np.diff(share), strict=True):
        rows.append(_draw(rng, wanted, low, high, split))
    sources = rng.permutation(np.concatenate(rows))
    return sources, reverse(sources)


def reverse(sources):
    """Return the targets, int32 `(B, 21)`, of sources `(B, 19)`."""
    rows, length = sources.shape
    lengths = (sources != PAD).sum(1)
    targets = np.full((rows, length + 2), PAD, "int32")
    targets[:, 0] = START
    places = np.arange(1, length + 1)  # place p of the target holds letter length - p
    from_end = lengths[:, None] - places  # (B, T)
    letters = np.take_along_axis(sources, np.maximum(from_end, 0), axis=1)
    targets[:, 1:-1] = np.where(from_end >= 0, letters, PAD)
    targets[np.arange(rows), lengths + 1] = END
    return targets


def encode(texts):
    """Return sources and targets of words of your own, as `load` does."""
    sources = characters.encode(texts, ALPHABET, MAX_LENGTH)
    return sources, reverse(sources)


def decode(ids):
    """Return the letters of sources or targets as a list of str."""
    return characters.decode(ids, ALPHABET)


def _draw(rng, wanted, low, high, split):
    """Draw `wanted` different strings of a bucket that belong to the split."""
    rows = np.zeros((0, MAX_LENGTH), "int32")
    while len(rows) < wanted:
        size = 2 * TEST_SHARE * wanted if split == "test" else 2 * wanted
        letters = rng.integers(FIRST, VOCABULARY_SIZE, (size, MAX_LENGTH), dtype="int32")
        lengths = rng.integers(low, high + 1, size)
        letters[np.arange(MAX_LENGTH) >= lengths[:, None]] = PAD
        new = np.concatenate([rows, letters[_is_test(letters) == (split == "test")]])
        first = np.unique(new, axis=0, return_index=True)[1]
        rows = new[np.sort(first)]
    return rows[:wanted]


def _is_test(rows):
    """Return which strings `(B, T)` belong to the test: those whose hash is 0 modulo 8."""
    state = np.full(len(rows), 2166136261, "uint64")
    for column in rows.T.astype("uint64"):  # FNV-1a over ids, kept to 32 bits
        state = (state ^ column) * np.uint64(16777619) & np.uint64(0xFFFFFFFF)
    return (state >> np.uint64(13)) % np.uint64(TEST_SHARE) == 0


def _check_buckets(buckets):
    """Return `buckets` if each is a pair of lengths that strings here can have."""
    for bucket in buckets:
        if len(bucket) != 2 or not 3 <= bucket[0] <= bucket[1] <= MAX_LENGTH:
            raise ValueError(
                f"`buckets` must be pairs (shortest, longest) within 3 to {MAX_LENGTH}. "
                f"Received: {bucket!r}."
            )
    return buckets
