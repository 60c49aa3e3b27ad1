"""Checks of lab 1: scores, masked softmax, the causal mask, scaled dot-product attention."""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import array, close, equal, holds, unpack
from autograder.exercise import Exercise

READY_MADE = [
    *ATTENTION,
    "course.m02_transformer.attend",
    "course.m02_transformer.MultiHeadAttention",
    "course.m02_transformer.scaled_dot_product_attention",
]

scores = Exercise(
    "attention_scores",
    points=3,
    signature="attention_scores(query, key)",
    package="course.m02_transformer.attention_scores",
    forbids=["course.m02_transformer.attention_scores", *READY_MADE],
    hints=[
        "One matrix product gives all dot products at once. Which axes of `key` must change places "
        "so that the axis of size d meets the axis of size d?",
        "scores = query keyᵀ / √d, where ᵀ swaps the last two axes only, and d is the size of the "
        "last axis.",
        "query = [[1, 1, 1, 1]] and key = [[2, 0, 0, 0], [1, 1, 1, 1]] have the dot products "
        "2 and 4. d is 4, so the scores are [[1, 2]].",
    ],
)


@scores.oracle
def attention_scores(query, key):
    """Dot products over √d."""
    return query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])


@scores.case(points=1, hint="Work the example in the text by hand, then print yours.")
def the_score_of_one_pair_is_known(lab, rng):
    """Query (3, 4, 0, 0) and key (2, 1, 5, 5) have the dot product 10, so the score 5."""
    query, key = np.array([[3.0, 4.0, 0.0, 0.0]]), np.array([[2.0, 1.0, 5.0, 5.0]])
    return close(lab.attention_scores(query, key), np.array([[5.0]]), what="score")


@scores.case(points=1, hint="Rows are queries, columns are keys.")
def scores_are_scaled_dot_products(lab, rng):
    """Score [t, s] is query t times key s, divided by the square root of their size d."""
    query, key = rng.normal(scale=1.5, size=(2, 5, 7)), rng.normal(size=(2, 3, 7))
    return close(lab.attention_scores(query, key), attention_scores(query, key), what="scores")


@scores.case(points=1, hint="Count axes from the end: -1 and -2.")
def any_leading_axes(lab, rng):
    """Leading axes, such as batch and heads, stay as they are; there may be none."""
    query, key = rng.normal(scale=1.5, size=(2, 3, 5, 11)), rng.normal(size=(2, 3, 7, 11))
    return [
        close(lab.attention_scores(query, key), attention_scores(query, key), what="scores"),
        close(
            lab.attention_scores(query[0, 0], key[0, 0]),
            attention_scores(query[0, 0], key[0, 0]),
            what="scores",
        ),
    ]


@scores.misconception("You did not divide by √d. Without it the scores grow with √d.")
def unscaled(query, key):
    """Plain dot products."""
    return query @ np.swapaxes(key, -1, -2)


@scores.misconception("You divided by d. Divide by its square root.")
def divided_by_size(query, key):
    """Divided by d."""
    return attention_scores(query, key) / np.sqrt(query.shape[-1])


@scores.misconception("You multiplied by √d. Divide by it.")
def multiplied(query, key):
    """Multiplied by √d."""
    return attention_scores(query, key) * query.shape[-1]


@scores.misconception(
    "You divided by the square root of the number of keys. d is the size of the last axis."
)
def scaled_by_keys(query, key):
    """Scaled by √S."""
    return unscaled(query, key) / np.sqrt(key.shape[-2])


@scores.misconception(
    "You divided by the square root of the number of queries. d is the size of the last axis."
)
def scaled_by_queries(query, key):
    """Scaled by √T."""
    return unscaled(query, key) / np.sqrt(query.shape[-2])


@scores.misconception(
    "You divided by the square root of `query.shape[1]`. With a batch axis in front that is the "
    "number of queries, or of heads: d is the size of the last axis, `query.shape[-1]`."
)
def scaled_by_axis_1(query, key):
    """Right only where axis 1 is the last one."""
    return unscaled(query, key) / np.sqrt(query.shape[1])


@scores.misconception(
    "You divided by the square root of `key.shape[1]`. With a batch axis in front that is the "
    "number of keys, or of heads: d is the size of the last axis, `key.shape[-1]`."
)
def scaled_by_axis_1_of_the_keys(query, key):
    """Right only where axis 1 is the last one."""
    return unscaled(query, key) / np.sqrt(key.shape[1])


@scores.misconception(
    "You divided by the square root of `query.shape[0]`, the size of the first axis. d is the size "
    "of the last axis, `query.shape[-1]`."
)
def scaled_by_axis_0(query, key):
    """The batch, or the number of queries where there is no batch."""
    return unscaled(query, key) / np.sqrt(query.shape[0])


@scores.misconception("Your rows are keys and your columns queries. It is the other way round.")
def keys_by_queries(query, key):
    """Transposed scores."""
    return np.swapaxes(attention_scores(query, key), -1, -2)


@scores.misconception("You applied the softmax already. The scores come before it.")
def weights_already(query, key):
    """Softmax of the scores."""
    return _softmax(attention_scores(query, key))


@scores.misconception(
    "You reversed all axes of `key`. Swap only the last two, so that batch and heads stay."
)
def all_axes_reversed(query, key):
    """Works for two axes only."""
    return query @ key.T / np.sqrt(query.shape[-1])


@scores.misconception(
    "You divided by the lengths of query and key as well (cosine similarity). Divide by √d only."
)
def cosine(query, key):
    """Cosine similarity over √d, or not."""
    query = query / np.linalg.norm(query, axis=-1, keepdims=True)
    key = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return query @ np.swapaxes(key, -1, -2)


softmax = Exercise(
    "masked_softmax",
    points=5,
    signature="masked_softmax(scores, mask)",
    package="course.m02_transformer.masked_softmax",
    forbids=["keras.layers.Softmax", "course.m02_transformer.masked_softmax", *READY_MADE],
    hints=[
        "A hidden position needs a weight of 0, and the others must still add up to one. What "
        "score gives a weight of 0?",
        "Replace the hidden scores by a large negative but finite number such as -1e9, then take "
        "the softmax over the last axis.",
        "scores = [0, 0, 5], mask = [True, True, False]: the softmax runs over [0, 0, -1e9] and "
        "gives [0.5, 0.5, 0].",
    ],
)


def _softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        exponential = np.exp(x - x.max(axis=axis, keepdims=True))
        return exponential / exponential.sum(axis=axis, keepdims=True)


def _hide(scores, mask, value=-1e9):
    return scores if mask is None else np.where(mask, scores, value)


def _single(x):
    return np.asarray(x).astype("float32").astype("float64")


@softmax.oracle
def masked_softmax(scores, mask=None):
    """Softmax over the last axis, hidden scores replaced by -1e9."""
    return _softmax(_hide(scores, mask))


@softmax.case(points=1, hint="The softmax runs over the last axis: over the keys.")
def without_a_mask_it_is_the_softmax(lab, rng):
    """With mask None, each row of weights is the softmax of that row of scores."""
    scores = rng.normal(scale=1.5, size=(2, 3, 5, 7))
    return close(lab.masked_softmax(scores, None), masked_softmax(scores), what="weights")


@softmax.case(points=1, hint="Hide before the softmax, where the mask is False.")
def hidden_positions_get_no_weight(lab, rng):
    """Where the mask is False the weight is 0, and each row still adds up to one."""
    scores, mask = rng.normal(scale=1.5, size=(2, 5, 7)), rng.random((2, 5, 7)) < 0.6
    mask[..., 3] = True
    mask[..., 1] = False
    return close(lab.masked_softmax(scores, mask), masked_softmax(scores, mask), what="weights")


@softmax.case(points=1, hint="`ops.where` broadcasts by itself.")
def masks_broadcast(lab, rng):
    """A mask (T, S) holds for every example, a mask (B, 1, 1, S) for every head and query."""
    scores = rng.normal(scale=1.5, size=(2, 3, 5, 7))
    one, each = rng.random((5, 7)) < 0.5, rng.random((2, 1, 1, 7)) < 0.5
    one[:, 2], each[..., 2] = True, True
    one[:, 4], each[..., 4] = False, False
    return [
        close(lab.masked_softmax(scores, mask), masked_softmax(scores, mask), what="weights")
        for mask in (one, each)
    ]


@softmax.case(
    points=1,
    hint="Subtract each row's largest visible score before `exp`, or let `ops.softmax` do it.",
)
def large_scores_are_stable(lab, rng):
    """Scores near 10,000 or -10,000, visible or hidden, give the right weights."""
    scores = rng.normal(scale=1.5, size=(4, 5))
    mask = np.ones((4, 5), bool)
    mask[1:, 4] = False
    scores = _single(scores + np.array([[1e4], [-1e4], [0.0], [1e4]]))
    scores[2, 4] = 1e4
    return [
        close(lab.masked_softmax(scores, mask), masked_softmax(scores, mask), what="weights"),
        close(lab.masked_softmax(scores[:1], None), masked_softmax(scores[:1]), what="weights"),
    ]


@softmax.case(points=1, hint="Hide with a large finite number, not with infinity.")
def a_fully_masked_row_stays_finite(lab, rng):
    """A row with nothing to attend to holds no NaN; the other rows are right."""
    scores, mask = rng.normal(scale=1.5, size=(2, 3, 5)), np.ones((2, 3, 5), bool)
    mask[:, :, 2], mask[0, 1] = False, False
    weights = array(lab.masked_softmax(scores, mask), "weights")
    if weights.shape != scores.shape:
        return close(weights, masked_softmax(scores, mask), what="weights")
    row, expected = weights[0, 1], masked_softmax(scores, mask)
    rest = np.arange(6) != 1
    return [
        holds(
            np.isfinite(row).all(),
            expected="finite numbers in the masked row",
            got="NaN or infinity" if not np.isfinite(row).all() else "finite numbers",
            problem="The row where everything is masked holds NaN or infinity.",
        ),
        close(weights.reshape(6, 5)[rest], expected.reshape(6, 5)[rest], what="rest"),
    ]


@softmax.misconception("You ignored the mask.")
def ignored(scores, mask=None):
    """Plain softmax."""
    return _softmax(_single32(scores))


def _single32(scores):
    return np.asarray(scores, "float32")


@softmax.misconception("You hid the positions where the mask is True. True means: may attend.")
def inverted(scores, mask=None):
    """True hides."""
    return masked_softmax(scores, None if mask is None else ~np.asarray(mask, bool))


@softmax.misconception(
    "You masked after the softmax, so the rows no longer add up to one. Mask the scores."
)
def after_softmax(scores, mask=None):
    """Weights times mask."""
    weights = _softmax(scores)
    return weights if mask is None else weights * mask


@softmax.misconception(
    "You took the softmax over the second-last axis (the queries). Take it over the last one."
)
def over_queries(scores, mask=None):
    """Softmax over axis -2."""
    return _softmax(_hide(scores, mask), axis=-2)


@softmax.misconception("You took one softmax over the whole array. Take one per row.")
def over_everything(scores, mask=None):
    """Softmax over all axes."""
    return _softmax(_hide(scores, mask), axis=None)


@softmax.misconception(
    "`exp` of a large score overflows. Subtract each row's largest visible score first."
)
def overflows(scores, mask=None):
    """Exp without a shift, of hidden scores too."""
    with np.errstate(all="ignore"):
        exponential = np.exp(_hide(_single32(scores), mask, np.float32(-1e9)))
        return exponential / exponential.sum(-1, keepdims=True)


@softmax.misconception(
    "`exp` of a large score overflows, and infinity times 0 is NaN. Mask the scores, then subtract "
    "each row's largest."
)
def overflows_and_multiplies(scores, mask=None):
    """Exp without a shift, times the mask."""
    with np.errstate(all="ignore"):
        exponential = np.exp(_single32(scores))
        exponential = exponential if mask is None else exponential * np.asarray(mask, "float32")
        return exponential / exponential.sum(-1, keepdims=True)


@softmax.misconception(
    "You hid with minus infinity: a row where everything is hidden becomes NaN. Use a large finite "
    "number such as -1e9."
)
def minus_infinity(scores, mask=None):
    """-inf at hidden positions."""
    with np.errstate(all="ignore"):
        return _softmax(_hide(scores, mask, -np.inf))


@softmax.misconception(
    "You multiplied the scores by the mask. A score of 0 is not hidden: it still gets a weight."
)
def multiplied_scores(scores, mask=None):
    """Hidden scores become 0."""
    return _softmax(scores if mask is None else scores * mask)


@softmax.misconception(
    "You subtracted the largest score of the row, hidden ones included. A large hidden score then "
    "pushes all visible weights to 0. Mask first."
)
def shifted_by_hidden_scores(scores, mask=None):
    """Exp shifted by the largest score of all, times the mask, then normalised."""
    scores = _single32(scores)
    with np.errstate(all="ignore"):
        exponential = np.exp(scores - scores.max(-1, keepdims=True))
        exponential = exponential if mask is None else exponential * np.asarray(mask, "float32")
        return exponential / exponential.sum(-1, keepdims=True)


@softmax.misconception(
    "You subtracted the largest score of the row, hidden ones included. A large hidden score then "
    "pushes all visible weights to 0. Mask first."
)
def shifted_by_hidden_scores_without_nan(scores, mask=None):
    """The same, guarded against a division by 0."""
    return np.nan_to_num(shifted_by_hidden_scores(scores, mask))


@softmax.misconception(
    "You hid with -10,000. A visible score may be as low as that, so take -1e9 or lower."
)
def too_small_a_number(scores, mask=None):
    """-1e4 at hidden positions."""
    return _softmax(_hide(scores, mask, -1e4))


causal = Exercise(
    "causal_mask",
    points=2,
    signature="causal_mask(length)",
    package="course.m02_transformer.causal_mask",
    forbids=["course.m02_transformer.causal_mask"],
    hints=[
        "Write down the rows for length 3. Where does the first False stand in each row?",
        "Entry [i, j] is True where j <= i. Compare a column of positions with a row of positions.",
        "Length 2: position 0 sees itself, position 1 sees both. [[True, False], [True, True]].",
    ],
)


@causal.oracle
def causal_mask(length):
    """True on and below the diagonal."""
    return np.arange(length)[:, None] >= np.arange(length)[None, :]


@causal.case(points=1, hint="The last row is all True.")
def three_positions_on_paper(lab, rng):
    """With three positions the rows are T F F, T T F and T T T."""
    return equal(
        lab.causal_mask(3),
        np.array([[True, False, False], [True, True, False], [True, True, True]]),
        what="mask",
    )


@causal.case(points=1, hint="Build the mask from `length`, as booleans of shape (length, length).")
def any_length(lab, rng):
    """For every length, position i may attend to the positions 0 to i and to no later one."""
    lengths = (*map(int, rng.integers(4, 98, 3)), 11, 1)  # more than a table could foresee
    return [equal(lab.causal_mask(n), causal_mask(n), what="mask") for n in lengths]


@causal.misconception("A position may attend to itself: the diagonal is True.")
def without_the_diagonal(length):
    """Strictly below the diagonal."""
    return np.tri(length, k=-1, dtype=bool)


@causal.misconception("Your mask allows the future and hides the past. Swap the two.")
def future_only(length):
    """On and above the diagonal."""
    return causal_mask(length).T


@causal.misconception("True stands where your mask should hide. True means: may attend.")
def true_hides(length):
    """Above the diagonal."""
    return ~causal_mask(length)


@causal.misconception("Your mask holds the numbers 0 and 1. It should be boolean.")
def numbers(length):
    """0 and 1."""
    return causal_mask(length).astype("float64")


@causal.misconception(
    "Your mask holds numbers to add to the scores. It should be boolean, True = may attend."
)
def additive(length):
    """0 and -1e9."""
    return np.where(causal_mask(length), 0.0, -1e9)


@causal.misconception("Your mask allows everything.")
def everything(length):
    """All True."""
    return np.ones((length, length), bool)


@causal.misconception("Your mask lets each position see one step into the future.")
def one_step_ahead(length):
    """One diagonal too many."""
    return np.tri(length, k=1, dtype=bool)


attention = Exercise(
    "scaled_dot_product_attention",
    points=4,
    signature="scaled_dot_product_attention(query, key, value, mask=None)",
    package="course.m02_transformer.scaled_dot_product_attention",
    forbids=READY_MADE,
    depends_on=["attention_scores", "masked_softmax"],
    hints=[
        "You have both parts already: the scores and the softmax. What is left is one product.",
        "weights = masked_softmax(attention_scores(query, key), mask); output = weights value. "
        "Return both, the output first.",
        "With scores [0, 0] the weights are [0.5, 0.5]; values [2, 0] and [4, 6] give the output "
        "[3, 3].",
    ],
)


@attention.oracle
def attend(
    query,
    key,
    value,
    mask=None,
    *,
    attention_scores=attention_scores,
    masked_softmax=masked_softmax,
):
    """Output and weights."""
    weights = masked_softmax(attention_scores(query, key), mask)
    return weights @ value, weights


def _answer(lab, *args):
    return unpack(lab.scaled_dot_product_attention(*args), "output", "weights")


def _both(got, expected):
    names = ("output", "weights")
    return [close(g, e, what=n) for g, e, n in zip(got, expected, names, strict=True)]


@attention.case(points=1, hint="Equal scores give equal weights, once hidden keys are left out.")
def equal_scores_average_the_visible_values(lab, rng):
    """A query of zeros matches all keys equally: the output is the mean of the visible values."""
    key, value = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 3))
    query, mask = np.zeros((2, 7, 3)), np.array([True, False, True, True, False])
    mean = value[:, mask].mean(axis=1, keepdims=True)
    expected = np.repeat(mean, 7, 1), np.broadcast_to(mask / 3, (2, 7, 5))
    return _both(_answer(lab, query, key, value, mask), expected)


@attention.case(points=1, hint="output = weights · values; return output and weights.")
def output_mixes_the_values(lab, rng):
    """Without a mask, each output is the values weighted by the softmax of its scores."""
    query, key = rng.normal(scale=1.5, size=(2, 5, 7)), rng.normal(size=(2, 3, 7))
    value = rng.normal(size=(2, 3, 7))
    return _both(_answer(lab, query, key, value), attend(query, key, value))


@attention.case(points=1, hint="Pass the mask on to `masked_softmax`.")
def hidden_keys_have_no_effect(lab, rng):
    """Keys and values that the mask hides do not change the output."""
    query, key = rng.normal(scale=1.5, size=(2, 5, 7)), rng.normal(size=(2, 5, 7))
    value, mask = rng.normal(size=(2, 5, 7)), rng.random((2, 5, 5)) < 0.6
    mask[..., 0], mask[..., 3] = True, False
    causal = causal_mask(5)
    return [
        *_both(_answer(lab, query, key, value, mask), attend(query, key, value, mask)),
        *_both(_answer(lab, query, key, value, causal), attend(query, key, value, causal)),
    ]


@attention.case(points=1, hint="The scale is √d of queries and keys, whatever the values' size.")
def heads_and_values_of_another_size(lab, rng):
    """Batch and heads may lead, and the values may have a size of their own."""
    query, key = rng.normal(scale=1.5, size=(2, 3, 5, 7)), rng.normal(size=(2, 3, 11, 7))
    value, mask = rng.normal(size=(2, 3, 11, 13)), rng.random((2, 1, 5, 11)) < 0.6
    mask[..., 0] = True
    return _both(_answer(lab, query, key, value, mask), attend(query, key, value, mask))


@attention.misconception("You did not divide the scores by √d.")
def attend_unscaled(query, key, value, mask=None):
    """Unscaled scores."""
    return attend(query, key, value, mask, attention_scores=unscaled)


@attention.misconception("You divided the scores by d. Divide by its square root.")
def attend_over_d(query, key, value, mask=None):
    """Scores over d."""
    return attend(query, key, value, mask, attention_scores=divided_by_size)


@attention.misconception(
    "You divided by the square root of the values' size. Take that of queries and keys."
)
def scaled_by_the_values(query, key, value, mask=None):
    """Scores over the root of the values' size."""
    weights = masked_softmax(unscaled(query, key) / np.sqrt(value.shape[-1]), mask)
    return weights @ value, weights


@attention.misconception("You ignored the mask.")
def attend_unmasked(query, key, value, mask=None):
    """No mask."""
    return attend(query, key, value)


@attention.misconception("You masked after the softmax. Mask the scores.")
def attend_mask_after(query, key, value, mask=None):
    """Weights times mask."""
    return attend(query, key, value, mask, masked_softmax=after_softmax)


@attention.misconception("You hid the keys where the mask is True. True means: may attend.")
def attend_inverted(query, key, value, mask=None):
    """True hides."""
    return attend(query, key, value, mask, masked_softmax=inverted)


@attention.misconception("You took the softmax over the queries. Take it over the keys.")
def attend_over_queries(query, key, value, mask=None):
    """Softmax over axis -2."""
    return attend(query, key, value, mask, masked_softmax=over_queries)


@attention.misconception("You returned the weights first. The output comes first.")
def swapped(query, key, value, mask=None):
    """Weights and output."""
    return attend(query, key, value, mask)[::-1]


@attention.misconception("You returned the output alone. Return output and weights.")
def output_only(query, key, value, mask=None):
    """Output."""
    return attend(query, key, value, mask)[0]


@attention.misconception("You returned the weights alone. Return output and weights.")
def weights_only(query, key, value, mask=None):
    """Weights."""
    return attend(query, key, value, mask)[1]


@attention.misconception(
    "You returned the scores beside the output. Return the weights, which come after the softmax."
)
def scores_returned(query, key, value, mask=None):
    """Output and scores."""
    return attend(query, key, value, mask)[0], attention_scores(query, key)


@attention.misconception("You mixed the keys. The weights mix the values.")
def keys_mixed(query, key, value, mask=None):
    """Keys in place of values."""
    return attend(query, key, key, mask)


@attention.misconception("You left out the softmax: you mixed the values by the scores.")
def without_softmax(query, key, value, mask=None):
    """Scores times values."""
    scores = attention_scores(query, key)
    scores = scores if mask is None else scores * mask
    return scores @ value, scores


@attention.misconception("You divided the weights by √d. Divide the scores, before the softmax.")
def scaled_after_softmax(query, key, value, mask=None):
    """Weights over √d."""
    weights = masked_softmax(unscaled(query, key), mask) / np.sqrt(query.shape[-1])
    return weights @ value, weights
