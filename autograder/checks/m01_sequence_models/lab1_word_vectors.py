"""Checks of lab 1: skip-gram and GloVe losses, hashed n-grams, neighbours, analogies."""

import numpy as np

from autograder.compare import Mismatch, array, close, equal, holds, unpack
from autograder.exercise import Exercise

SIMILARITY = [
    "course.m01_sequence_models.nearest_neighbors",
    "course.m01_sequence_models.analogy",
    "course.m01_sequence_models.cosine_similarity",
    "course.m01_sequence_models.vector_similarity.best",
    "course.m01_sequence_models.vector_similarity.normalize",
]


def _single(x):
    """Round to numbers that float32 holds, as they arrive on the learner's side."""
    return np.asarray(x).astype("float32").astype("float64")


skip_gram = Exercise(
    "skip_gram_loss",
    points=5,
    signature="skip_gram_loss(positive, negative)",
    package="course.m01_sequence_models.skip_gram_loss",
    forbids=["course.m01_sequence_models.skip_gram_loss"],
    hints=[
        "A pair's loss has 1 + K terms. Which sign does a score need so that a large term means "
        "a bad score: a low one for the true context, a high one for a negative word?",
        "loss = -mean over pairs of (log σ(positive) + Σ_k log σ(-negative_k)). "
        "`ops.log_sigmoid(x)` is stable; `ops.log(ops.sigmoid(x))` is not.",
        "One pair with positive = [0] and negative = [[0, 1]]: log σ(0) = -0.693 twice and "
        "log σ(-1) = -1.313. The loss is 2.700.",
    ],
)


def _log_sigmoid(x):
    return -np.logaddexp(0, -np.asarray(x, "float64"))


@skip_gram.oracle
def skip_gram_loss(positive, negative):
    """Mean over pairs of the sum over 1 + K terms."""
    return -np.mean(_log_sigmoid(positive) + _log_sigmoid(-negative).sum(-1))


def _loss_of_scores(lab, positive, negative):
    got = lab.skip_gram_loss(positive, negative)
    return close(got, skip_gram_loss(positive, negative), what="loss")


def _sizes(rng):
    return int(rng.integers(5, 30)), int(rng.integers(31, 60))


@skip_gram.case(points=1, hint="σ(0) is 1/2. How many terms does a pair have?")
def scores_of_zero_know_nothing(lab, rng):
    """Where all scores are 0, a pair costs (1 + K) log 2, with K negative words."""
    pairs, negatives = int(rng.integers(2, 9)), int(rng.integers(10, 1000))
    got = lab.skip_gram_loss(np.zeros(pairs), np.zeros((pairs, negatives)))
    return close(got, np.array((1 + negatives) * np.log(2)), what="loss")


@skip_gram.case(points=1, hint="Low negative scores cost nothing, so only log σ(positive) is left.")
def true_contexts_shall_score_high(lab, rng):
    """With negative words far below 0, the loss is the mean of -log σ(positive)."""
    pairs, negatives = _sizes(rng)
    positive = rng.normal(scale=1.5, size=pairs)
    return _loss_of_scores(lab, positive, rng.uniform(-40, -30, size=(pairs, negatives)))


@skip_gram.case(points=1, hint="The sign of the negative scores turns before σ.")
def negative_words_shall_score_low(lab, rng):
    """With true contexts far above 0, the loss is the mean over pairs of Σ_k -log σ(-negative)."""
    pairs, negatives = _sizes(rng)
    negative = rng.normal(scale=1.5, size=(pairs, negatives))
    return _loss_of_scores(lab, rng.uniform(30, 40, size=pairs), negative)


@skip_gram.case(points=1, hint="Sum over the negative words of a pair, then average over pairs.")
def both_parts_add_up(lab, rng):
    """The loss of a batch is the mean over its pairs, whatever their number."""
    pairs, negatives = _sizes(rng)
    positive = rng.normal(1, 1.5, size=pairs)
    return _loss_of_scores(lab, positive, rng.normal(-1, 1.5, size=(pairs, negatives)))


@skip_gram.case(points=1, hint="Take `ops.log_sigmoid`: σ itself becomes 0 or 1 in float32.")
def large_scores_stay_exact(lab, rng):
    """A score of the wrong sign and of size s costs s, up to thousands."""
    pairs, negatives = _sizes(rng)
    positive = -rng.uniform(200, 2000, size=pairs)
    negative = rng.uniform(-2000, 2000, size=(pairs, negatives))
    return _loss_of_scores(lab, positive, negative)


@skip_gram.misconception(
    "You did not turn the sign of the negative scores: the loss then asks for high scores of words "
    "that are no context. Take log σ(-negative)."
)
def same_sign(positive, negative):
    """Negative words are pulled up."""
    return skip_gram_loss(positive, -negative)


@skip_gram.misconception(
    "You turned the sign of the true contexts' scores, not of the negative words'. It is the other "
    "way round."
)
def signs_swapped(positive, negative):
    """Everything is pulled the wrong way."""
    return skip_gram_loss(-positive, -negative)


@skip_gram.misconception("You turned the sign of both scores. Turn that of the negative words.")
def both_signs_turned(positive, negative):
    """True contexts are pushed down."""
    return skip_gram_loss(-positive, negative)


@skip_gram.misconception(
    "You averaged over the negative words of a pair. Sum over them; average over pairs only."
)
def negatives_averaged(positive, negative):
    """Mean over K."""
    return -np.mean(_log_sigmoid(positive) + _log_sigmoid(-negative).mean(-1))


@skip_gram.misconception("You summed over the pairs of the batch. Take their mean.")
def batch_summed(positive, negative):
    """Sum over B."""
    return skip_gram_loss(positive, negative) * len(positive)


@skip_gram.misconception(
    "You averaged over all B (1 + K) terms at once. Sum the terms of a pair, then average over "
    "pairs."
)
def all_terms_averaged(positive, negative):
    """Binary cross-entropy over all scores, averaged."""
    return skip_gram_loss(positive, negative) / (1 + negative.shape[-1])


@skip_gram.misconception("You returned a loss for each pair. Return their mean, one number.")
def a_loss_a_pair(positive, negative):
    """Shape (B,)."""
    return -(_log_sigmoid(positive) + _log_sigmoid(-negative).sum(-1))


@skip_gram.misconception(
    "Your loss is negative: the minus in front is missing. Training makes a loss small."
)
def without_the_minus(positive, negative):
    """The log-likelihood."""
    return -skip_gram_loss(positive, negative)


@skip_gram.misconception(
    "You took a softmax over the true context and the negative words. Negative sampling has a "
    "sigmoid for each score."
)
def softmax_over_the_scores(positive, negative):
    """Cross-entropy over 1 + K classes."""
    scores = np.concatenate([positive[:, None], negative], -1)
    return np.mean(np.logaddexp.reduce(scores, axis=-1) - positive)


@skip_gram.misconception("You left out the logarithm: you added up probabilities.")
def without_the_logarithm(positive, negative):
    """Probabilities of being wrong."""
    wrong = 1 - np.exp(_log_sigmoid(positive)) + np.exp(_log_sigmoid(negative)).sum(-1)
    return np.mean(wrong)


@skip_gram.misconception("You left out the negative words.")
def true_contexts_only(positive, negative):
    """The first term."""
    return -np.mean(_log_sigmoid(positive))


@skip_gram.misconception("You left out the true contexts.")
def negative_words_only(positive, negative):
    """The second term."""
    return -np.mean(_log_sigmoid(-negative).sum(-1))


@skip_gram.misconception("You took the logarithm to base 2. Take the natural one.")
def in_bits(positive, negative):
    """In bits."""
    return skip_gram_loss(positive, negative) / np.log(2)


def _naive(positive, negative, little):
    """The loss in float32 with σ and then the logarithm."""
    with np.errstate(all="ignore"):
        sigma = [1 / (1 + np.exp(-np.asarray(x, "float32"))) for x in (positive, -negative)]
        first, second = (np.log(s + np.float32(little)) for s in sigma)
        return -np.mean(first + second.sum(-1))


@skip_gram.misconception(
    "σ of a large negative score is 0 in float32, and its logarithm minus infinity. Take "
    "`ops.log_sigmoid`."
)
def overflowing(positive, negative):
    """Log of sigmoid."""
    return _naive(positive, negative, 0)


GUARDED = (
    "You added a small number inside the logarithm, so a score that is far off costs less than it "
    "should. Take `ops.log_sigmoid`, which needs none."
)


@skip_gram.misconception(GUARDED)
def guarded(positive, negative):
    """Log of sigmoid plus 1e-7."""
    return _naive(positive, negative, 1e-7)


@skip_gram.misconception(GUARDED)
def guarded_with_less(positive, negative):
    """Log of sigmoid plus 1e-9."""
    return _naive(positive, negative, 1e-9)


@skip_gram.misconception(GUARDED)
def guarded_with_little(positive, negative):
    """Log of sigmoid plus 1e-12."""
    return _naive(positive, negative, 1e-12)


glove = Exercise(
    "glove_loss",
    points=4,
    signature="glove_loss(scores, counts, x_max=100.0, alpha=0.75)",
    package="course.m01_sequence_models.glove_loss",
    forbids=[
        "course.m01_sequence_models.glove_loss",
        "course.m01_sequence_models.glove_weight",
    ],
    hints=[
        "Two things are made of a count: its logarithm, which the score should equal, and its "
        "weight. Compute them apart.",
        "loss = Σ min(1, (X / x_max)^α) · (score - log X)².",
        "scores = [1, 5], counts = [1, 200], x_max = 100, α = 0.5: the weights are 0.1 and 1, the "
        "errors 1 - 0 and 5 - 5.298. The loss is 0.1 · 1 + 1 · 0.0889 = 0.189.",
    ],
)


def _weight(counts, x_max, alpha):
    return np.minimum(1.0, (counts / x_max) ** alpha)


@glove.oracle
def glove_loss(scores, counts, x_max=100.0, alpha=0.75):
    """Weighted squared error of log counts, summed."""
    return np.sum(_weight(counts, x_max, alpha) * (scores - np.log(counts)) ** 2)


def _glove_loss(lab, scores, counts, *settings):
    got = lab.glove_loss(scores, counts, *settings)
    return close(got, glove_loss(scores, counts, *settings), what="loss")


def _glove_inputs(rng, low, high):
    """Return scores and counts from `low` to `high`, evenly spread in the logarithm."""
    size = int(rng.integers(11, 40))
    counts = _single(np.exp(rng.uniform(np.log(low), np.log(high), size=size)))
    return _single(np.log(counts) + rng.normal(scale=1.5, size=size)), counts


def _settings(rng):
    """Return x_max and alpha."""
    return float(rng.uniform(20, 80)), float(rng.uniform(0.3, 0.6))


@glove.case(points=1, hint="log 1 = 0, and the weight of a count of 1 is (1 / x_max)^α.")
def pairs_seen_once(lab, rng):
    """Pairs that occur once cost (1 / x_max)^α times their squared scores, summed."""
    scores = rng.normal(1, 1.5, size=int(rng.integers(11, 40)))
    return _glove_loss(lab, scores, np.ones(len(scores)), *_settings(rng))


@glove.case(points=1, hint="`ops.minimum` caps the weight. The logarithm takes the whole count.")
def frequent_pairs_weigh_one(lab, rng):
    """Counts of x_max and more weigh 1: their loss is the sum of squared errors."""
    x_max, alpha = _settings(rng)
    return _glove_loss(lab, *_glove_inputs(rng, 2 * x_max, 1e5), x_max, alpha)


@glove.case(points=1, hint="Divide by x_max, then take the power α, both as they are given.")
def rare_pairs_weigh_less(lab, rng):
    """Counts between 0.2 and 10,000, below and above x_max, weigh as the formula says."""
    return _glove_loss(lab, *_glove_inputs(rng, 0.2, 1e4), *_settings(rng))


@glove.case(points=1, hint="`def glove_loss(scores, counts, x_max=100.0, alpha=0.75):`")
def the_papers_settings_are_the_default(lab, rng):
    """Without x_max and alpha, they are 100 and 0.75."""
    return _glove_loss(lab, *_glove_inputs(rng, 0.2, 1e4))


@glove.misconception("You left out the weight.")
def unweighted(scores, counts, x_max=100.0, alpha=0.75):
    """Plain squared errors."""
    return np.sum((scores - np.log(counts)) ** 2)


@glove.misconception(
    "You did not cap the weight at 1: the most frequent pairs outweigh all others."
)
def uncapped(scores, counts, x_max=100.0, alpha=0.75):
    """The weight grows on."""
    return np.sum((counts / x_max) ** alpha * (scores - np.log(counts)) ** 2)


@glove.misconception("You capped the weight from below. Take the smaller of 1 and the power.")
def maximum(scores, counts, x_max=100.0, alpha=0.75):
    """The larger of both."""
    weight = np.maximum(1.0, (counts / x_max) ** alpha)
    return np.sum(weight * (scores - np.log(counts)) ** 2)


@glove.misconception(
    "You cut the counts at x_max inside the logarithm too. Only the weight is capped."
)
def counts_cut(scores, counts, x_max=100.0, alpha=0.75):
    """Log of the smaller of count and x_max."""
    return np.sum(_weight(counts, x_max, alpha) * (scores - np.log(np.minimum(counts, x_max))) ** 2)


@glove.misconception("You took the mean over the pairs. Take the sum.")
def averaged(scores, counts, x_max=100.0, alpha=0.75):
    """Mean."""
    return glove_loss(scores, counts, x_max, alpha) / len(scores)


@glove.misconception("You halved the sum. The loss has no factor in front.")
def halved(scores, counts, x_max=100.0, alpha=0.75):
    """Half of it."""
    return glove_loss(scores, counts, x_max, alpha) / 2


@glove.misconception("You divided by the sum of the weights. Take the plain weighted sum.")
def weighted_mean(scores, counts, x_max=100.0, alpha=0.75):
    """Weighted mean."""
    return glove_loss(scores, counts, x_max, alpha) / _weight(counts, x_max, alpha).sum()


@glove.misconception("You returned a loss for each pair. Return their sum, one number.")
def one_a_pair(scores, counts, x_max=100.0, alpha=0.75):
    """Shape (B,)."""
    return _weight(counts, x_max, alpha) * (scores - np.log(counts)) ** 2


@glove.misconception("You did not square the errors.")
def absolute(scores, counts, x_max=100.0, alpha=0.75):
    """Absolute errors."""
    return np.sum(_weight(counts, x_max, alpha) * np.abs(scores - np.log(counts)))


@glove.misconception("You squared the weight too: it stands outside the square.")
def weight_squared(scores, counts, x_max=100.0, alpha=0.75):
    """Weight inside the square."""
    return np.sum((_weight(counts, x_max, alpha) * (scores - np.log(counts))) ** 2)


@glove.misconception("You compared the scores with the counts. Compare with their logarithms.")
def without_log(scores, counts, x_max=100.0, alpha=0.75):
    """Errors of counts."""
    return np.sum(_weight(counts, x_max, alpha) * (scores - counts) ** 2)


@glove.misconception(
    "You took log(1 + X). Pairs with a count of 0 are left out, so log X is defined for all others."
)
def with_log1p(scores, counts, x_max=100.0, alpha=0.75):
    """Log of 1 + count."""
    return np.sum(_weight(counts, x_max, alpha) * (scores - np.log1p(counts)) ** 2)


@glove.misconception("You took the logarithm to base 10. Take the natural one.")
def with_log10(scores, counts, x_max=100.0, alpha=0.75):
    """Decimal logarithm."""
    return np.sum(_weight(counts, x_max, alpha) * (scores - np.log10(counts)) ** 2)


@glove.misconception("You left out the power α in the weight.")
def without_alpha(scores, counts, x_max=100.0, alpha=0.75):
    """Weight in proportion to the count."""
    return glove_loss(scores, counts, x_max, 1.0)


@glove.misconception("You wrote 0.75 where `alpha` should stand.")
def alpha_fixed(scores, counts, x_max=100.0, alpha=0.75):
    """Alpha ignored."""
    return glove_loss(scores, counts, x_max)


@glove.misconception("You wrote 100 where `x_max` should stand.")
def x_max_fixed(scores, counts, x_max=100.0, alpha=0.75):
    """The largest count ignored."""
    return glove_loss(scores, counts, alpha=alpha)


@glove.misconception("You wrote 100 and 0.75 where `x_max` and `alpha` should stand.")
def both_fixed(scores, counts, x_max=100.0, alpha=0.75):
    """The paper's settings, always."""
    return glove_loss(scores, counts)


@glove.misconception("You divided x_max by the count. Divide the count by x_max.")
def ratio_inverted(scores, counts, x_max=100.0, alpha=0.75):
    """Rare pairs weigh 1."""
    return np.sum(_weight(x_max, counts, alpha) * (scores - np.log(counts)) ** 2)


@glove.misconception("You divided by x_max after taking the power. Divide first.")
def power_first(scores, counts, x_max=100.0, alpha=0.75):
    """Count to the power alpha, over x_max."""
    weight = np.minimum(1.0, counts**alpha / x_max)
    return np.sum(weight * (scores - np.log(counts)) ** 2)


ngrams = Exercise(
    "ngram_buckets",
    points=5,
    signature="ngram_buckets(word, num_buckets, min_length=3, max_length=6)",
    package="course.m01_sequence_models.ngram_buckets",
    forbids=[
        "course.m01_sequence_models.ngram_buckets",
        "course.m01_sequence_models.character_ngrams",
        "course.m01_sequence_models.FastText",
    ],
    hints=[
        "Put the marks around the word first. Then cut windows of one length out of the marked "
        "word; when that works, do it for each length.",
        "marked = '<' + word + '>'; for n from min_length to max_length and start from 0 to "
        "len(marked) - n: marked[start : start + n]. Its bucket is fnv1a(bytes) % num_buckets.",
        "word = 'ox', n from 3 to 4: the marked word is <ox> with 4 characters. The n-grams are "
        "<ox, ox> and <ox>; with 10 buckets that is [{}, {}, {}].",
    ],
)


def _fnv1a(data):
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) % 2**32
    return value


ngrams.hints[2] = ngrams.hints[2].format(*(_fnv1a(x) % 10 for x in (b"<ox", b"ox>", b"<ox>")))


def _cut(marked, min_length, max_length):
    """Return the n-grams of something that can be sliced, by length, then by place."""
    lengths = range(min_length, max_length + 1)
    return [marked[i : i + n] for n in lengths for i in range(len(marked) - n + 1)]


def _hashed(pieces, num_buckets):
    return [_fnv1a(piece.encode()) % num_buckets for piece in pieces]


@ngrams.oracle
def ngram_buckets(word, num_buckets, min_length=3, max_length=6):
    """FNV-1a of each n-gram's bytes, modulo the number of buckets."""
    return _hashed(_cut(f"<{word}>", min_length, max_length), num_buckets)


def _word(rng, length, letters="abcdefghijklmnopqrstuvwxyz"):
    return "".join(letters[i] for i in rng.permutation(len(letters))[:length])


def _buckets(lab, word, num_buckets, *lengths):
    """Compare the buckets; where their number is wrong, say which n-grams there are."""
    got = lab.ngram_buckets(word, num_buckets, *lengths)
    got = list(got) if isinstance(got, tuple) else got
    if isinstance(got, list) and any(isinstance(piece, str) for piece in got):
        raise Mismatch("You returned texts. Return the number of each n-gram's bucket.")
    pieces = _cut(f"<{word}>", *(lengths or (3, 6)))
    expected = _hashed(pieces, num_buckets)
    shown = " ".join(pieces[:8]) + (" …" if len(pieces) > 8 else "")
    count = len(got) if isinstance(got, list | tuple) or np.ndim(got) == 1 else None
    if count is not None and (count != len(expected) or not expected):
        return holds(
            count == len(expected),
            expected=f"{len(expected)} numbers for {word!r}",
            got=f"{count} numbers",
            problem=f"{word!r} has {len(expected)} n-grams of these lengths"
            f"{f' ({shown})' if pieces else ''}; you returned {count} numbers.",
        )
    return equal(got, np.array(expected), what=f"buckets of {word!r}")


def _number_of_buckets(rng):
    return int(rng.integers(1_000, 2_000_000))


@ngrams.case(points=1, hint="`where` becomes `<where>`, whose n-grams are <wh whe her ere re>.")
def three_characters_between_the_marks(lab, rng):
    """With n = 3 alone, the n-grams are those of the word with < and > around it, in order."""
    word = _word(rng, int(rng.integers(4, 9)))
    return _buckets(lab, word, _number_of_buckets(rng), 3, 3)


@ngrams.case(points=1, hint="`range(min_length, max_length + 1)`: the longest length counts too.")
def three_to_six_by_default(lab, rng):
    """Without lengths, n runs from 3 to 6: all n-grams of length 3 first, those of 6 last."""
    return _buckets(lab, _word(rng, int(rng.integers(6, 11))), _number_of_buckets(rng))


@ngrams.case(points=1, hint="An n-gram longer than the marked word does not exist.")
def any_lengths_and_short_words(lab, rng):
    """All lengths asked for are there; a word too short for a length has none of that length."""
    shortest, buckets = int(rng.integers(1, 3)), _number_of_buckets(rng)
    letter, pair, word = (_word(rng, n) for n in (1, 2, int(rng.integers(5, 8))))
    return [
        _buckets(lab, word, buckets, shortest, shortest + 3),
        _buckets(lab, pair, buckets, 2, 7),
        _buckets(lab, letter, buckets, 3, 5),
        _buckets(lab, letter, buckets, 4, 6),
    ]


@ngrams.case(points=1, hint="Return a list, not a set: how often an n-gram occurs counts.")
def twice_is_twice(lab, rng):
    """An n-gram that occurs twice in the word is there twice."""
    return _buckets(lab, _word(rng, int(rng.integers(3, 5))) * 3, _number_of_buckets(rng), 2, 4)


@ngrams.case(points=1, hint="`ngram.encode()` gives the bytes of the n-gram in UTF-8.")
def letters_beyond_ascii(lab, rng):
    """The hash reads the UTF-8 bytes of n characters: é is one character, but two bytes."""
    word = _word(rng, 3, "éèäöüñçøåß") + _word(rng, int(rng.integers(2, 5)))
    word = "".join(word[i] for i in rng.permutation(len(word)))
    return _buckets(lab, word, _number_of_buckets(rng), 3, 4)


@ngrams.misconception("The marks < and > are missing: cut the n-grams out of `<word>`.")
def without_marks(word, num_buckets, min_length=3, max_length=6):
    """N-grams of the bare word."""
    return _hashed(_cut(word, min_length, max_length), num_buckets)


@ngrams.misconception("The mark < at the start is missing.")
def end_mark_only(word, num_buckets, min_length=3, max_length=6):
    """Only > behind."""
    return _hashed(_cut(f"{word}>", min_length, max_length), num_buckets)


@ngrams.misconception("You put marks around each n-gram. They stand around the word only, once.")
def marks_around_each(word, num_buckets, min_length=3, max_length=6):
    """Marked n-grams of the bare word."""
    pieces = _cut(word, min_length, max_length)
    return _hashed([f"<{piece}>" for piece in pieces], num_buckets)


@ngrams.misconception("The longest n-grams are missing: n runs up to `max_length` and includes it.")
def longest_missing(word, num_buckets, min_length=3, max_length=6):
    """The range ends too early."""
    return ngram_buckets(word, num_buckets, min_length, max_length - 1)


@ngrams.misconception("Only the longest n-grams are there. n runs from `min_length` on.")
def one_length_only(word, num_buckets, min_length=3, max_length=6):
    """One length."""
    return ngram_buckets(word, num_buckets, max_length, max_length)


@ngrams.misconception(
    "The last n-gram of each length is missing. Put > behind the word; and the last start is "
    "len(marked) - n, so the range of starts ends at len(marked) - n + 1."
)
def last_of_each_length_missing(word, num_buckets, min_length=3, max_length=6):
    """No mark at the end, or one start too few: the same n-grams."""
    return _hashed(_cut(f"<{word}", min_length, max_length), num_buckets)


@ngrams.misconception(
    "You let n-grams begin at every character, so those at the end of the word are too short."
)
def cut_off_at_the_end(word, num_buckets, min_length=3, max_length=6):
    """Slices beyond the end."""
    marked, lengths = f"<{word}>", range(min_length, max_length + 1)
    return _hashed([marked[i : i + n] for n in lengths for i in range(len(marked))], num_buckets)


@ngrams.misconception("You left out n-grams that occur again. Each occurrence counts.")
def each_once(word, num_buckets, min_length=3, max_length=6):
    """Different n-grams, in order."""
    pieces = _cut(f"<{word}>", min_length, max_length)
    return _hashed(dict.fromkeys(pieces), num_buckets)


@ngrams.misconception("Your buckets are sorted. They stand in the order of the n-grams.")
def in_order_of_number(word, num_buckets, min_length=3, max_length=6):
    """Sorted."""
    return sorted(ngram_buckets(word, num_buckets, min_length, max_length))


@ngrams.misconception(
    "Your n-grams stand in the order of their places. First come all of the shortest length, from "
    "left to right, then the next length."
)
def by_place(word, num_buckets, min_length=3, max_length=6):
    """By place, then by length."""
    marked, lengths = f"<{word}>", range(min_length, max_length + 1)
    pieces = [marked[i : i + n] for i in range(len(marked)) for n in lengths]
    whole = [i + n <= len(marked) for i in range(len(marked)) for n in lengths]
    return _hashed([p for p, good in zip(pieces, whole, strict=True) if good], num_buckets)


@ngrams.misconception("You returned the hashes. Take them modulo `num_buckets`.")
def without_modulo(word, num_buckets, min_length=3, max_length=6):
    """32-bit hashes."""
    return ngram_buckets(word, 2**32, min_length, max_length)


@ngrams.misconception("Your buckets count from 1. They run from 0 to `num_buckets` - 1.")
def from_one(word, num_buckets, min_length=3, max_length=6):
    """One too many."""
    return [bucket + 1 for bucket in ngram_buckets(word, num_buckets, min_length, max_length)]


@ngrams.misconception(
    "You added the whole marked word. Its vector has a table of its own; among the n-grams it "
    "counts only where its length is asked for."
)
def with_the_whole_word(word, num_buckets, min_length=3, max_length=6):
    """The marked word at the end."""
    pieces = _cut(f"<{word}>", min_length, max_length)
    return _hashed([*pieces, f"<{word}>"], num_buckets)


@ngrams.misconception(
    "You hashed the numbers of the characters. Hash the bytes of UTF-8, `ngram.encode()`."
)
def hash_of_characters(word, num_buckets, min_length=3, max_length=6):
    """Latin-1."""
    pieces = _cut(f"<{word}>", min_length, max_length)
    return [_fnv1a(map(ord, piece)) % num_buckets for piece in pieces]


@ngrams.misconception(
    "You cut the n-grams out of the bytes of the word, so a letter beyond ASCII counts twice. Cut "
    "characters, then encode each n-gram."
)
def cut_out_of_bytes(word, num_buckets, min_length=3, max_length=6):
    """N bytes instead of n characters."""
    pieces = _cut(f"<{word}>".encode(), min_length, max_length)
    return [_fnv1a(piece) % num_buckets for piece in pieces]


neighbors = Exercise(
    "nearest_neighbors",
    points=4,
    signature="nearest_neighbors(vectors, ids, k=5, exclude=(0,))",
    package="course.m01_sequence_models.nearest_neighbors",
    forbids=SIMILARITY,
    hints=[
        "The cosine of two vectors of length 1 is their dot product. So scale all vectors first; "
        "one matrix product then gives all cosines.",
        "unit = vectors / |vectors|; scores = unit[ids] unitᵀ, shape (Q, V). Set the columns of "
        "`exclude` and each row's own word to -∞, then sort each row in descending order.",
        "vectors = [[1, 0], [0, 2], [3, 3]], ids = [1], k = 1, exclude = (0,): the cosine of word "
        "1 and word 2 is 6 / (2 · 4.243) = 0.707. The answer is [[2]] and [[0.707]].",
    ],
)


def _unit(vectors):
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)


def _best(scores, own, k, exclude):
    """Return the k largest of each row without a row's own ids and the excluded ones."""
    scores = np.array(scores, "float64")
    np.put_along_axis(scores, np.asarray(own, "int64"), -np.inf, axis=1)
    scores[:, [int(i) for i in exclude]] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


@neighbors.oracle
def nearest_neighbors(vectors, ids, k=5, exclude=(0,)):
    """Ids and cosines of the k best, the word itself left out."""
    unit, ids = _unit(vectors), np.asarray(ids)
    return _best(unit[ids] @ unit.T, ids[:, None], k, exclude)


def _answers(lab_function, oracle, questions, *settings):
    """Compare cosines up to rounding, and ids exactly where no two cosines are tied."""
    names = ("ids", "cosines")
    found, cosines = unpack(lab_function(*questions, *settings), *names)
    found = array(found, names[0])
    wanted, expected = oracle(*questions, *settings)
    k, *rest = settings or oracle.__defaults__[:1]
    _, ranking = oracle(*questions, k + 1, *rest)
    clear = np.diff(ranking, axis=1).max(axis=1) < -1e-5  # by far more than float32 rounds
    if found.shape == wanted.shape:
        found, wanted = found[clear], wanted[clear]
    return [
        close(array(cosines, names[1]), expected, what=names[1]),
        equal(found, wanted, what=names[0]),
    ]


def _vectors(rng, low=23, high=60):
    """Return vectors of quite different lengths, (V, D)."""
    shape = int(rng.integers(low, high)), int(rng.integers(5, 14))
    return _single(rng.normal(size=shape) * np.exp(rng.normal(scale=0.8, size=(shape[0], 1))))


def _some(rng, vectors, count):
    """Return different ids, none of them 0, int32."""
    return (1 + rng.permutation(len(vectors) - 1)[:count]).astype("int32")


@neighbors.case(points=1, hint="Divide each vector by its length first; then take dot products.")
def the_length_of_a_vector_does_not_count(lab, rng):
    """Words are ranked by the cosine, the largest first; 0 is no answer by default."""
    vectors, count = _vectors(rng), int(rng.integers(3, 8))
    ids = _some(rng, vectors, count)
    vectors[0] = _single(vectors[ids].sum(0))  # near to many, but excluded
    k = int(rng.integers(2, 5))
    return [
        *_answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids), k),
        *_answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids)),
    ]


@neighbors.case(points=1, hint="Set the score of the word itself to -∞; do not cut off the first.")
def a_word_is_not_its_own_neighbour(lab, rng):
    """The word itself is no answer, but a word with the same direction is the nearest one."""
    vectors = _vectors(rng)
    words = _some(rng, vectors, 6)
    ids, twins = words[:3], words[3:]
    vectors[twins] = vectors[ids] * np.array([[2.0], [0.5], [4.0]])
    ids = np.concatenate([ids, twins])
    return _answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids), 1)


@neighbors.case(points=1, hint="Every id in `exclude` is out, and no other: 0 only if it is there.")
def excluded_words_are_no_answer(lab, rng):
    """The ids in `exclude` are no answer; with an empty `exclude`, 0 can be one."""
    vectors = _vectors(rng)
    ids = _some(rng, vectors, 5)
    vectors[0] = _single(vectors[ids].sum(0))
    nearest = nearest_neighbors(vectors, ids, 2)[0]
    exclude = (0, *sorted({int(i) for i in nearest.ravel()} - {int(i) for i in ids}))
    return [
        *_answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids), 3, exclude),
        *_answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids), 3, ()),
    ]


@neighbors.case(points=1, hint="Where the length is 0, divide by 1.")
def a_vector_of_zeros_is_like_nothing(lab, rng):
    """A vector of zeros has the cosine 0 with all, and takes its place in the ranking."""
    vectors = _vectors(rng, 11, 23)
    vectors[_some(rng, vectors, 1)] = 0
    ids = np.flatnonzero(np.abs(vectors[1:]).sum(-1) > 0)[:3].astype("int32") + 1
    return _answers(lab.nearest_neighbors, nearest_neighbors, (vectors, ids), len(vectors) - 2)


@neighbors.misconception(
    "You compared by the dot product. Divide all vectors by their lengths first."
)
def by_dot_product(vectors, ids, k=5, exclude=(0,)):
    """Dot products."""
    return _best(vectors[ids] @ vectors.T, ids[:, None], k, exclude)


@neighbors.misconception("You scaled the words asked for, but not the words they are compared to.")
def questions_scaled_only(vectors, ids, k=5, exclude=(0,)):
    """Cosine times the other word's length."""
    return _best(_unit(vectors)[ids] @ vectors.T, ids[:, None], k, exclude)


@neighbors.misconception("You scaled the vocabulary, but not the words asked for.")
def vocabulary_scaled_only(vectors, ids, k=5, exclude=(0,)):
    """Cosine times the own length."""
    return _best(vectors[ids] @ _unit(vectors).T, ids[:, None], k, exclude)


def _distances(vectors, ids):
    return np.linalg.norm(vectors[ids][:, None] - vectors[None], axis=-1)


@neighbors.misconception("You ranked by the distance of the vectors. Rank by the cosine.")
def by_distance(vectors, ids, k=5, exclude=(0,)):
    """Euclidean distance, in place of cosines."""
    order, nearness = _best(-_distances(vectors, ids), ids[:, None], k, exclude)
    return order, -nearness


@neighbors.misconception("You ranked by the distance of the vectors. Rank by the cosine.")
def ranked_by_distance(vectors, ids, k=5, exclude=(0,)):
    """Euclidean ranking with cosines beside it."""
    order, _ = _best(-_distances(vectors, ids), ids[:, None], k, exclude)
    return order, np.take_along_axis(_unit(vectors)[ids] @ _unit(vectors).T, order, axis=1)


@neighbors.misconception("You returned 1 - cosine, a distance. Return the cosine.")
def cosine_distance(vectors, ids, k=5, exclude=(0,)):
    """Cosine distances."""
    order, cosines = nearest_neighbors(vectors, ids, k, exclude)
    return order, 1 - cosines


@neighbors.misconception("Your order is ascending: the least similar word comes first.")
def ascending(vectors, ids, k=5, exclude=(0,)):
    """The farthest words."""
    order, cosines = _best(-(_unit(vectors)[ids] @ _unit(vectors).T), ids[:, None], k, exclude)
    return order, -cosines


@neighbors.misconception("The word itself is among your answers. Leave it out.")
def itself_included(vectors, ids, k=5, exclude=(0,)):
    """The own word comes first."""
    scores = _unit(vectors)[ids] @ _unit(vectors).T
    return _best(scores, np.zeros((len(ids), 0)), k, exclude)


@neighbors.misconception(
    "You cut off the first of the ranking as the word itself. Another word may have the same "
    "direction: set the score of the word itself to minus infinity instead."
)
def first_cut_off(vectors, ids, k=5, exclude=(0,)):
    """The best k + 1 without the first."""
    order, cosines = itself_included(vectors, ids, k + 1, exclude)
    return order[:, 1:], cosines[:, 1:]


@neighbors.misconception("You ignored `exclude`.")
def exclude_ignored(vectors, ids, k=5, exclude=(0,)):
    """All words may answer."""
    return nearest_neighbors(vectors, ids, k, ())


@neighbors.misconception("You left out the id 0 always. Leave out the ids in `exclude`.")
def zero_excluded_always(vectors, ids, k=5, exclude=(0,)):
    """0 in place of `exclude`."""
    return nearest_neighbors(vectors, ids, k, (0,))


@neighbors.misconception(
    "You deleted the excluded words from the table, so the ids behind them moved up. Set their "
    "scores to minus infinity."
)
def excluded_deleted(vectors, ids, k=5, exclude=(0,)):
    """Places in the shorter table."""
    kept = np.setdiff1d(np.arange(len(vectors)), np.array(exclude, "int64"))
    order, cosines = nearest_neighbors(vectors, ids, k, exclude)
    return np.searchsorted(kept, order), cosines


@neighbors.misconception(
    "You divided by the length of a vector of zeros, which gives NaN. Divide by 1 there."
)
def zero_divided(vectors, ids, k=5, exclude=(0,)):
    """NaN where a vector is 0."""
    with np.errstate(all="ignore"):
        unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        return _best(unit[ids] @ unit.T, ids[:, None], k, exclude)


@neighbors.misconception("You returned the cosines first. The ids come first.")
def parts_swapped(vectors, ids, k=5, exclude=(0,)):
    """Cosines and ids."""
    return nearest_neighbors(vectors, ids, k, exclude)[::-1]


@neighbors.misconception("You returned the ids alone. Return the ids and their cosines.")
def ids_only(vectors, ids, k=5, exclude=(0,)):
    """Ids."""
    return nearest_neighbors(vectors, ids, k, exclude)[0]


analogies = Exercise(
    "analogy",
    points=4,
    signature="analogy(vectors, a, b, c, k=1, exclude=(0,))",
    package="course.m01_sequence_models.analogy",
    forbids=SIMILARITY,
    hints=[
        "Paris - France is what turns a country into its capital. Add it to which word? Then look "
        "for the nearest neighbours of the sum.",
        "With all vectors scaled to length 1: target = b - a + c, scaled to length 1 as well; "
        "scores = target · unitᵀ; a, b and c of each question are no answer.",
        "Unit vectors a = (1, 0), b = (0, 1), c = (0.6, 0.8): b - a + c = (-0.4, 1.8), of length "
        "1.844. A word d = (0, 2) has the cosine 1.8 / 1.844 = 0.976.",
    ],
)


@analogies.oracle
def analogy(vectors, a, b, c, k=1, exclude=(0,)):
    """3CosAdd with question words left out."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    return _best(target @ unit.T, np.stack([a, b, c], -1), k, exclude)


def _questions(rng, vectors, count):
    """Return a, b and c, each (Q,), all ids different, and as many ids more."""
    return _some(rng, vectors, 4 * count).reshape(4, count)


@analogies.case(points=1, hint="The order is b - a + c, with vectors of length 1.")
def the_fourth_corner_is_found(lab, rng):
    """Where a word has exactly the direction of b - a + c, it is the answer, with the cosine 1."""
    vectors = _vectors(rng)
    a, b, c, d = _questions(rng, vectors, 3)
    unit = _unit(vectors)
    lengths = rng.uniform(0.2, 5, size=(3, 1))
    vectors[d] = _single(lengths * _unit(unit[b] - unit[a] + unit[c]))
    ids, cosines = unpack(lab.analogy(vectors, a, b, c), "ids", "cosines")
    return [
        equal(array(ids, "ids"), d[:, None], what="ids"),
        close(array(cosines, "cosines"), np.ones((3, 1)), what="cosines"),
    ]


@analogies.case(points=1, hint="Scale all vectors, add, scale the sum, then multiply and sort.")
def the_best_k_by_cosine(lab, rng):
    """The k words most similar to b - a + c are returned, the best first, with their cosines."""
    vectors = _vectors(rng)
    a, b, c, _ = _questions(rng, vectors, 5)
    return _answers(lab.analogy, analogy, (vectors, a, b, c), int(rng.integers(3, 8)))


@analogies.case(points=1, hint="Set the scores of a, b and c to -∞ in their own row.")
def words_of_the_question_are_no_answer(lab, rng):
    """Where a, b or c itself lies nearest to the target, it is still no answer."""
    vectors = _vectors(rng)
    a, b, c, _ = _questions(rng, vectors, 5)
    vectors[b[:2]] = _single(vectors[a[:2]] + 0.1 * rng.normal(size=vectors[:2].shape))
    vectors[c[2:4]] = _single(vectors[a[2:4]] + 0.1 * rng.normal(size=vectors[:2].shape))
    beside = _unit(vectors[b[4]]) + 0.7 * _unit(rng.normal(size=vectors.shape[1]))
    vectors[c[4]] = _single(beside)
    vectors[a[4]] = _single(0.3 * (_unit(vectors[b[4]]) + _unit(beside)))  # on the target's line
    return _answers(lab.analogy, analogy, (vectors, a, b, c), 3)


@analogies.case(points=1, hint="As in `nearest_neighbors`, but `exclude` comes on top of a, b, c.")
def excluded_words_do_not_answer(lab, rng):
    """The ids in `exclude` are no answer either; with an empty `exclude`, 0 can be one."""
    vectors = _vectors(rng)
    a, b, c, _ = _questions(rng, vectors, 5)
    unit = _unit(vectors)
    vectors[0] = _single((unit[b] - unit[a] + unit[c]).sum(0))
    nearest = {int(i) for i in analogy(vectors, a, b, c, 2)[0].ravel()}
    exclude = (0, *sorted(nearest))
    return [
        *_answers(lab.analogy, analogy, (vectors, a, b, c), 3, exclude),
        *_answers(lab.analogy, analogy, (vectors, a, b, c), 3, ()),
    ]


def _by(vectors, target, a, b, c, k, exclude):
    """Return the words nearest to a target, the words of the question left out."""
    return _best(_unit(target) @ _unit(vectors).T, np.stack([a, b, c], -1), k, exclude)


@analogies.misconception("You added vectors of different lengths. Scale a, b and c to length 1.")
def added_unscaled(vectors, a, b, c, k=1, exclude=(0,)):
    """Arithmetic on the raw vectors."""
    return _by(vectors, vectors[b] - vectors[a] + vectors[c], a, b, c, k, exclude)


@analogies.misconception("You took a - b + c. The difference goes from a to b: b - a + c.")
def difference_turned(vectors, a, b, c, k=1, exclude=(0,)):
    """The wrong way."""
    unit = _unit(vectors)
    return _by(vectors, unit[a] - unit[b] + unit[c], a, b, c, k, exclude)


@analogies.misconception("You took a + b - c. The target is b - a + c.")
def third_subtracted(vectors, a, b, c, k=1, exclude=(0,)):
    """Mixed up."""
    unit = _unit(vectors)
    return _by(vectors, unit[a] + unit[b] - unit[c], a, b, c, k, exclude)


@analogies.misconception("You looked for the neighbours of b - a. Add c.")
def third_left_out(vectors, a, b, c, k=1, exclude=(0,)):
    """The difference alone."""
    unit = _unit(vectors)
    return _by(vectors, unit[b] - unit[a], a, b, c, k, exclude)


@analogies.misconception(
    "Words of the question are among your answers. Leave out a, b and c, in each row its own."
)
def question_words_answer(vectors, a, b, c, k=1, exclude=(0,)):
    """Nothing but `exclude` is left out."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    return _best(target @ unit.T, np.zeros((len(a), 0)), k, exclude)


@analogies.misconception("You left out c only. a and b are no answer either.")
def third_excluded_only(vectors, a, b, c, k=1, exclude=(0,)):
    """Others of the question may answer."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    return _best(target @ unit.T, np.asarray(c)[:, None], k, exclude)


@analogies.misconception("You left out b and c. a is no answer either.")
def first_may_answer(vectors, a, b, c, k=1, exclude=(0,)):
    """The first word may answer."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    return _best(target @ unit.T, np.stack([b, c], -1), k, exclude)


@analogies.misconception(
    "You left out the words of all questions in every row. Leave out, in each row, its own three."
)
def all_questions_excluded(vectors, a, b, c, k=1, exclude=(0,)):
    """Words of other questions cannot answer."""
    asked = np.concatenate([a, b, c])
    return analogy(vectors, a, b, c, k, (*exclude, *(int(i) for i in asked)))


@analogies.misconception("You ignored `exclude`.")
def analogy_exclude_ignored(vectors, a, b, c, k=1, exclude=(0,)):
    """All but a, b and c may answer."""
    return analogy(vectors, a, b, c, k, ())


@analogies.misconception("You left out the id 0 always. Leave out the ids in `exclude`.")
def analogy_zero_excluded(vectors, a, b, c, k=1, exclude=(0,)):
    """0 in place of `exclude`."""
    return analogy(vectors, a, b, c, k)


@analogies.misconception(
    "You did not scale the sum b - a + c, so your numbers are no cosines: they can pass 1."
)
def target_unscaled(vectors, a, b, c, k=1, exclude=(0,)):
    """Right words, cosines times the target's length."""
    unit = _unit(vectors)
    target = unit[b] - unit[a] + unit[c]
    return _best(target @ unit.T, np.stack([a, b, c], -1), k, exclude)


@analogies.misconception(
    "You scaled the sum, but not the words that it is compared to: long vectors win."
)
def words_unscaled(vectors, a, b, c, k=1, exclude=(0,)):
    """Dot products with raw vectors."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    return _best(target @ vectors.T, np.stack([a, b, c], -1), k, exclude)


@analogies.misconception("You worked with the plain vectors. Scale them to length 1 first.")
def nothing_scaled(vectors, a, b, c, k=1, exclude=(0,)):
    """Dot products of raw vectors."""
    target = vectors[b] - vectors[a] + vectors[c]
    return _best(target @ vectors.T, np.stack([a, b, c], -1), k, exclude)


@analogies.misconception(
    "You compared the directions d - c and b - a. 3CosAdd compares d with b - a + c."
)
def by_direction(vectors, a, b, c, k=1, exclude=(0,)):
    """Cosine of the two differences."""
    unit = _unit(vectors)
    differences = _unit(unit[None] - unit[c][:, None])  # (Q, V, D)
    scores = np.einsum("qd,qvd->qv", _unit(unit[b] - unit[a]), differences)
    return _best(scores, np.stack([a, b, c], -1), k, exclude)


@analogies.misconception("Your order is ascending: the least similar word comes first.")
def worst_first(vectors, a, b, c, k=1, exclude=(0,)):
    """The farthest words."""
    unit = _unit(vectors)
    target = _unit(unit[b] - unit[a] + unit[c])
    order, cosines = _best(-target @ unit.T, np.stack([a, b, c], -1), k, exclude)
    return order, -cosines


@analogies.misconception("You ignored `k`: there is one answer a question.")
def one_answer(vectors, a, b, c, k=1, exclude=(0,)):
    """The best one."""
    return analogy(vectors, a, b, c, 1, exclude)


@analogies.misconception("With k = 1 there is still an axis for the answers: shape (Q, 1).")
def axis_dropped(vectors, a, b, c, k=1, exclude=(0,)):
    """Squeezed where k is 1."""
    found = analogy(vectors, a, b, c, k, exclude)
    return tuple(part[:, 0] for part in found) if k == 1 else found


@analogies.misconception("You returned the cosines first. The ids come first.")
def answers_second(vectors, a, b, c, k=1, exclude=(0,)):
    """Cosines and ids."""
    return analogy(vectors, a, b, c, k, exclude)[::-1]


@analogies.misconception("You returned the ids alone. Return the ids and their cosines.")
def answers_only(vectors, a, b, c, k=1, exclude=(0,)):
    """Answers."""
    return analogy(vectors, a, b, c, k, exclude)[0]
