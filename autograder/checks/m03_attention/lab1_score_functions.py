"""Checks of lab 1: the general, the additive and the concat score, weights and context."""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import array, close, holds, unpack
from autograder.exercise import Exercise

PACKAGE = "course.m03_attention"
LAYERS = [*ATTENTION, f"{PACKAGE}.AdditiveAttention", f"{PACKAGE}.LuongAttention"]
PRIMES = (2, 3, 5, 7, 11, 13)


def sizes(rng, count):
    """Draw different primes, one for each axis, so that a swapped axis cannot fit."""
    return [int(size) for size in rng.permutation(PRIMES)[:count]]


def _transposed(x):
    return np.swapaxes(x, -1, -2)


def _softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        exponential = np.exp(x - x.max(axis=axis, keepdims=True))
        return exponential / exponential.sum(axis=axis, keepdims=True)


# ------------------------------------------------------------------------------ general_score

general = Exercise(
    "general_score",
    points=4,
    signature="general_score(query, keys, kernel)",
    package=f"{PACKAGE}.general_score",
    forbids=[f"{PACKAGE}.general_score", *LAYERS],
    hints=[
        "Two products, one after the other. The kernel turns a vector of width Q into one of "
        "width K: which of query and keys has width Q?",
        "scores = (query W) keysᵀ, where ᵀ swaps the last two axes only.",
        "query = [[1, 2]], W = [[1, 0, 2], [0, 1, 1]]: query W = [[1, 2, 4]]. With the key "
        "[3, 0, 1] the score is 3 + 0 + 4 = 7.",
    ],
)


@general.oracle
def general_score(query, keys, kernel):
    """One number for each pair: qᵀ W k."""
    return query @ kernel @ _transposed(keys)


@general.case(points=1, hint="With one 1 in the query and one in the key, one entry of W is left.")
def one_hot_vectors_read_the_kernel(lab, rng):
    """A query that is 1 at feature i and a key that is 1 at feature j have the score W[i, j]."""
    width, key_width, t, s = sizes(rng, 4)
    kernel = rng.normal(size=(width, key_width))
    i, j = rng.integers(0, width, t), rng.integers(0, key_width, s)
    got = lab.general_score(np.eye(width)[i], np.eye(key_width)[j], kernel)
    return close(got, kernel[i][:, j], what="scores")


@general.case(points=1, hint="Rows are queries, columns are keys; nothing is scaled.")
def the_score_is_query_kernel_key(lab, rng):
    """Score [t, s] is qᵀ W k, for widths that are equal and for widths that differ."""
    b, t, s, width, key_width = sizes(rng, 5)
    comparisons = []
    for k in (width, key_width):
        query, keys = rng.normal(size=(b, t, width)), rng.normal(size=(b, s, k))
        kernel = rng.normal(size=(width, k))
        got = lab.general_score(query, keys, kernel)
        comparisons.append(close(got, general_score(query, keys, kernel), what="scores"))
    return comparisons


@general.case(points=1, hint="Count axes from the end: -1 and -2.")
def any_leading_axes(lab, rng):
    """There may be no axis before T and S, or two of them."""
    b, n, t, s, width = sizes(rng, 5)
    query, keys = rng.normal(size=(b, n, t, width)), rng.normal(size=(b, n, s, 17))
    kernel = rng.normal(size=(width, 17))
    return [
        close(lab.general_score(q, k, kernel), general_score(q, k, kernel), what="scores")
        for q, k in ((query, keys), (query[0, 0], keys[0, 0]))
    ]


@general.case(points=1, hint="With W = c · identity, qᵀ W k is c times the dot product.")
def a_multiple_of_the_identity_gives_dot_products(lab, rng):
    """With the kernel c · identity, every score is c times the dot product of query and key."""
    b, t, s, width = sizes(rng, 4)
    query, keys = rng.normal(size=(b, t, width)), rng.normal(size=(b, s, width))
    c = rng.uniform(2, 9)
    got = lab.general_score(query, keys, c * np.eye(width))
    return close(got, c * np.einsum("btd,bsd->bts", query, keys), what="scores")


@general.misconception("You transposed the kernel. W has one row per feature of the query.")
def kernel_transposed(query, keys, kernel):
    return query @ kernel.T @ _transposed(keys)


@general.misconception("You left the kernel out: these are dot products.")
def without_the_kernel(query, keys, kernel):
    return query @ _transposed(keys)


@general.misconception(
    "You multiplied queries and keys by the kernel. It stands once between the two."
)
def kernel_on_both_sides(query, keys, kernel):
    return query @ kernel @ _transposed(keys @ kernel)


@general.misconception("You divided by the root of the query's width. This score is not scaled.")
def scaled_by_the_query(query, keys, kernel):
    return general_score(query, keys, kernel) / np.sqrt(query.shape[-1])


@general.misconception("You divided by the root of the key's width. This score is not scaled.")
def scaled_by_the_key(query, keys, kernel):
    # Where the widths are equal the two are the same mistake: they differ on the other calls.
    return general_score(query, keys, kernel) / np.sqrt(keys.shape[-1])


@general.misconception("Your rows are keys and your columns queries. It is the other way round.")
def keys_by_queries(query, keys, kernel):
    return _transposed(general_score(query, keys, kernel))


@general.misconception("You applied the softmax already. The scores come before it.")
def weights_already(query, keys, kernel):
    return _softmax(general_score(query, keys, kernel))


@general.misconception(
    "You applied a tanh to the projected query. This score is a product of three, without a tanh."
)
def tanh_of_the_projection(query, keys, kernel):
    return np.tanh(query @ kernel) @ _transposed(keys)


@general.misconception(
    "You reversed all axes of the keys. Swap only the last two, so that batch and heads stay."
)
def all_axes_reversed(query, keys, kernel):
    return query @ kernel @ keys.T


# ----------------------------------------------------------------------------- additive_score

additive = Exercise(
    "additive_score",
    points=5,
    signature="additive_score(query, keys, query_kernel, key_kernel, v)",
    package=f"{PACKAGE}.additive_score",
    forbids=[f"{PACKAGE}.additive_score", f"{PACKAGE}.scores.tanh_score", *LAYERS],
    hints=[
        "Project queries and keys first: (…, T, U) and (…, S, U). Each projected query must then "
        "meet each projected key. Which axis do you insert where?",
        "pairs = (query W)[…, T, 1, U] + (keys U)[…, 1, S, U]; scores = sum over the last axis "
        "of tanh(pairs) · v.",
        "Projected query [1, -1], projected key [0, 1], v = [2, 3]: the sum is [1, 0], its tanh "
        "[0.762, 0], the score 2 · 0.762 + 3 · 0 = 1.523.",
    ],
)


@additive.oracle
def additive_score(query, keys, query_kernel, key_kernel, v):
    """A small network for each pair: vᵀ tanh(W q + U k)."""
    return np.tanh(_pairs(query, keys, query_kernel, key_kernel)) @ v


def _pairs(query, keys, query_kernel, key_kernel):
    """Return what stands inside the tanh, (…, T, S, U)."""
    return (query @ query_kernel)[..., :, None, :] + (keys @ key_kernel)[..., None, :, :]


def _inputs(rng, *leading, t=None, equal=False):
    """Draw queries, keys, both kernels and v; `equal` makes both widths and U the same."""
    drawn_t, s, width, key_width, units = sizes(rng, 5)
    if equal:
        key_width = units = width
    return (
        rng.normal(size=(*leading, t or drawn_t, width)),
        rng.normal(size=(*leading, s, key_width)),
        rng.normal(scale=width**-0.5, size=(width, units)),
        rng.normal(scale=key_width**-0.5, size=(key_width, units)),
        rng.normal(size=units),
    )


@additive.case(points=1, hint="tanh of a large number is 1, of a large negative one -1.")
def far_from_zero_the_tanh_is_a_sign(lab, rng):
    """Where the sums are large, a score adds up the numbers of v, each with the sum's sign."""
    t, s, units = sizes(rng, 3)
    query, keys = rng.choice([-1.0, 1.0], size=(t, 1)), rng.choice([-1.0, 1.0], size=(s, 1))
    query_kernel = rng.choice([-60.0, 60.0], size=(1, units))
    key_kernel = rng.choice([-20.0, 20.0], size=(1, units))
    v = rng.normal(size=units)
    signs = np.sign(_pairs(query, keys, query_kernel, key_kernel))
    got = lab.additive_score(query, keys, query_kernel, key_kernel, v)
    return close(got, signs @ v, what="scores")


@additive.case(points=2, hint="Compute one pair by hand: project, add, tanh, times v, sum.")
def each_query_meets_each_key(lab, rng):
    """Score [t, s] is vᵀ tanh(W q + U k) of query t and key s."""
    comparisons = []
    for equal in (True, False):
        given = _inputs(rng, equal=equal)
        comparisons.append(close(lab.additive_score(*given), additive_score(*given), what="scores"))
    return comparisons


@additive.case(points=1, hint="Insert the new axes counted from the end: -2 and -3.")
def one_or_two_leading_axes(lab, rng):
    """There may be one axis before T and S, or two of them."""
    comparisons = []
    for leading in ((17,), (2, 19)):
        given = _inputs(rng, *leading)
        comparisons.append(close(lab.additive_score(*given), additive_score(*given), what="scores"))
    return comparisons


@additive.case(points=1, hint="A decoder asks with one query at a time; T = 1 is still an axis.")
def one_query_as_in_a_decoder(lab, rng):
    """With one query the scores are (B, 1, S): one row."""
    given = _inputs(rng, 17, t=1)
    return close(lab.additive_score(*given), additive_score(*given), what="scores")


@additive.misconception("You left out the tanh. Without it the score is a sum of two parts.")
def without_tanh(*inputs):
    return _pairs(*inputs[:4]) @ inputs[4]


@additive.misconception("You took the tanh of the score. It stands inside, before v.")
def tanh_outside(*inputs):
    return np.tanh(_pairs(*inputs[:4]) @ inputs[4])


@additive.misconception("You left out v: you added up the tanh units. Each is weighted by v.")
def without_v(*inputs):
    return np.tanh(_pairs(*inputs[:4])).sum(-1)


@additive.misconception(
    "You took the tanh of query and key apart. Add the two projections first: one tanh per pair."
)
def tanh_of_each(query, keys, query_kernel, key_kernel, v):
    return (np.tanh(query @ query_kernel) @ v)[..., :, None] + (np.tanh(keys @ key_kernel) @ v)[
        ..., None, :
    ]


@additive.misconception(
    "You multiplied the two projections. They are added: hence the name additive."
)
def product_inside(query, keys, query_kernel, key_kernel, v):
    product = (query @ query_kernel)[..., :, None, :] * (keys @ key_kernel)[..., None, :, :]
    return np.tanh(product) @ v


@additive.misconception("You used ReLU where the formula has tanh.")
def relu_inside(*inputs):
    return np.maximum(_pairs(*inputs[:4]), 0) @ inputs[4]


@additive.misconception("You took the mean over the U units. The score is their sum.")
def mean_of_the_units(*inputs):
    return additive_score(*inputs) / len(inputs[4])


@additive.misconception("You divided by √U. This score is not scaled.")
def scaled(*inputs):
    return additive_score(*inputs) / np.sqrt(len(inputs[4]))


@additive.misconception("Your rows are keys and your columns queries. It is the other way round.")
def keys_by_queries_again(*inputs):
    return _transposed(additive_score(*inputs))


@additive.misconception("You applied the softmax already. The scores come before it.")
def weights_already_too(*inputs):
    return _softmax(additive_score(*inputs))


@additive.misconception(
    "You added the projections without a new axis, so query t met key t only. Insert an axis in "
    "each, so that every query meets every key."
)
def only_pairs_of_one_place(query, keys, query_kernel, key_kernel, v):
    return np.tanh(query @ query_kernel + keys @ key_kernel) @ v


@additive.misconception(
    "You left out both kernels, as `keras.layers.AdditiveAttention` does. Project queries and keys "
    "first."
)
def without_the_kernels(query, keys, query_kernel, key_kernel, v):
    return np.tanh(query[..., :, None, :] + keys[..., None, :, :]) @ v


# ------------------------------------------------------------------------------- concat_score

concat = Exercise(
    "concat_score",
    points=4,
    signature="concat_score(query, keys, kernel, v)",
    package=f"{PACKAGE}.concat_score",
    forbids=[f"{PACKAGE}.concat_score", f"{PACKAGE}.additive_score", *LAYERS],
    depends_on=["additive_score"],
    hints=[
        "W [q; k] multiplies the first Q rows of the kernel by the query and the rest by the key. "
        "Which of your functions does the rest?",
        "concat_score(query, keys, kernel, v) = additive_score(query, keys, kernel[:Q], "
        "kernel[Q:], v), with Q the width of a query.",
        "Q = 1, K = 2, kernel = [[5], [6], [7]]: the query's kernel is [[5]], the key's "
        "[[6], [7]].",
    ],
)


@concat.oracle
def concat_score(query, keys, kernel, v, *, additive_score=additive_score):
    """The additive score with its two kernels stacked."""
    width = query.shape[-1]
    return additive_score(query, keys, kernel[:width], kernel[width:], v)


def _stacked(query, keys, query_kernel, key_kernel, v):
    return query, keys, np.concatenate([query_kernel, key_kernel]), v


@concat.case(points=1, hint="The query's rows come first in the kernel; there are Q of them.")
def each_query_meets_each_key_once_more(lab, rng):
    """Score [t, s] is vᵀ tanh(W [q; k]), for widths that are equal and for widths that differ."""
    comparisons = []
    for equal in (True, False):
        given = _stacked(*_inputs(rng, 17, equal=equal))
        comparisons.append(close(lab.concat_score(*given), concat_score(*given), what="scores"))
    return comparisons


@concat.case(points=1, hint="Rows 0 to Q - 1 of the kernel belong to the query.")
def the_first_rows_belong_to_the_query(lab, rng):
    """Where the kernel's first Q rows are 0, a score depends on the key alone."""
    query, keys, query_kernel, key_kernel, v = _inputs(rng)
    given = _stacked(query, keys, 0 * query_kernel, key_kernel, v)
    row = np.tanh(keys @ key_kernel) @ v
    expected = np.broadcast_to(row, (len(query), len(keys)))
    return close(lab.concat_score(*given), expected, what="scores")


@concat.case(points=1, hint="Rows Q to Q + K - 1 of the kernel belong to the key.")
def the_other_rows_belong_to_the_key(lab, rng):
    """Where the kernel's last K rows are 0, a score depends on the query alone."""
    query, keys, query_kernel, key_kernel, v = _inputs(rng)
    given = _stacked(query, keys, query_kernel, 0 * key_kernel, v)
    column = np.tanh(query @ query_kernel) @ v
    expected = np.broadcast_to(column[:, None], (len(query), len(keys)))
    return close(lab.concat_score(*given), expected, what="scores")


@concat.case(points=1, hint="Count axes from the end.")
def any_leading_axes_and_one_query(lab, rng):
    """There may be none or two axes before T and S, and T may be 1."""
    comparisons = []
    for leading, t in (((), None), ((2, 17), 1)):
        given = _stacked(*_inputs(rng, *leading, t=t))
        comparisons.append(close(lab.concat_score(*given), concat_score(*given), what="scores"))
    return comparisons


def _parts(query, keys, kernel):
    width = query.shape[-1]
    return query, keys, kernel[:width], kernel[width:]


@concat.misconception(
    "You gave the kernel's first rows to the key. They belong to the query: it is [q; k]."
)
def key_first(query, keys, kernel, v):
    width = keys.shape[-1]
    return additive_score(query, keys, kernel[width:], kernel[:width], v)


@concat.misconception(
    "You cut the kernel in the middle. Query and key may differ in width: cut after row Q - 1."
)
def cut_in_the_middle(query, keys, kernel, v):
    half = len(kernel) // 2
    return additive_score(query, keys, kernel[:half], kernel[half:], v)


@concat.misconception("You left out the tanh. Without it the score is a sum of two parts.")
def concat_without_tanh(query, keys, kernel, v):
    return _pairs(*_parts(query, keys, kernel)) @ v


@concat.misconception("You took the tanh of the score. It stands inside, before v.")
def concat_with_tanh_outside(query, keys, kernel, v):
    return np.tanh(_pairs(*_parts(query, keys, kernel)) @ v)


@concat.misconception("You left out v: you added up the tanh units. Each is weighted by v.")
def concat_without_v(query, keys, kernel, v):
    return np.tanh(_pairs(*_parts(query, keys, kernel))).sum(-1)


@concat.misconception("You took the mean over the U units. The score is their sum.")
def concat_with_a_mean(query, keys, kernel, v):
    return concat_score(query, keys, kernel, v) / len(v)


@concat.misconception("Your rows are keys and your columns queries. It is the other way round.")
def concat_keys_by_queries(query, keys, kernel, v):
    return _transposed(concat_score(query, keys, kernel, v))


@concat.misconception("You used ReLU where the formula has tanh.")
def concat_with_relu(query, keys, kernel, v):
    return np.maximum(_pairs(*_parts(query, keys, kernel)), 0) @ v


@concat.misconception("You applied the softmax already. The scores come before it.")
def concat_weights_already(query, keys, kernel, v):
    return _softmax(concat_score(query, keys, kernel, v))


# ------------------------------------------------------------------------------------- attend

attention = Exercise(
    "attend",
    points=5,
    signature="attend(scores, value, mask=None)",
    package="course.m02_transformer.attend",
    forbids=[
        "keras.layers.Softmax",
        "course.m02_transformer.attend",
        "course.m02_transformer.masked_softmax",
        "course.m02_transformer.scaled_dot_product_attention",
        *LAYERS,
    ],
    hints=[
        "Which score gives a weight of 0 after the softmax? Put it where the mask is False. The "
        "context is one matrix product.",
        "weights = softmax over the last axis of where(mask, scores, -1e9); context = weights · "
        "value. Return the context first.",
        "Scores [0, 0, 5] with the mask [True, True, False] give the weights [0.5, 0.5, 0]; the "
        "values [2], [4], [9] give the context [3].",
    ],
)


def _hide(scores, mask, value=-1e9):
    return scores if mask is None else np.where(mask, scores, value)


@attention.oracle
def attend(scores, value, mask=None):
    """Context and weights."""
    weights = _softmax(_hide(scores, mask))
    return weights @ value, weights


def _answer(lab, *args):
    return unpack(lab.attend(*args), "context", "weights")


def _both(got, expected):
    names = ("context", "weights")
    return [close(g, e, what=n) for g, e, n in zip(got, expected, names, strict=True)]


def _drawn(rng, *leading):
    """Draw scores, values, and a mask of padding: the last keys of each example are hidden."""
    t, s, width = sizes(rng, 3)
    s += 17  # more keys than the sizes drawn elsewhere
    lengths = rng.integers(2, s - 1, leading)
    mask = np.arange(s) < lengths[..., None, None]  # (…, 1, S)
    scores = rng.normal(scale=1.5, size=(*leading, t, s))
    return scores, rng.normal(size=(*leading, s, width)), mask


@attention.case(points=1, hint="Equal scores share the weight among the visible keys.")
def equal_scores_average_the_visible_values(lab, rng):
    """Where all scores are equal, the context is the mean of the values that are not hidden."""
    scores, value, mask = _drawn(rng, 5)
    scores = np.full_like(scores, float(rng.integers(-3, 4)))
    weights = np.broadcast_to(mask / mask.sum(-1, keepdims=True), scores.shape)
    means = np.stack([v[m[0]].mean(0) for v, m in zip(value, mask, strict=True)])  # (B, V)
    context = np.repeat(means[:, None], scores.shape[1], 1)
    return _both(_answer(lab, scores, value, mask), (context, weights))


@attention.case(points=1, hint="Without a mask all keys are visible.")
def weights_are_the_softmax_over_the_keys(lab, rng):
    """Without a mask each row of weights is the softmax of its scores; the context mixes values."""
    scores, value, _ = _drawn(rng, 3)
    return _both(_answer(lab, scores, value), attend(scores, value))


@attention.case(points=1, hint="Hide before the softmax; `ops.where` broadcasts by itself.")
def padding_gets_no_weight(lab, rng):
    """Keys that the mask hides get the weight 0, whatever axes stand before: none or two."""
    comparisons = []
    for leading in ((), (3, 2)):
        scores, value, mask = _drawn(rng, *leading)
        comparisons += _both(_answer(lab, scores, value, mask), attend(scores, value, mask))
    return comparisons


@attention.case(points=1, hint="Subtract each row's largest visible score before `exp`.")
def large_scores_are_stable(lab, rng):
    """Scores up to 20,000 in size, of either sign, visible or hidden, give the right weights."""
    scores, value, mask = _drawn(rng, 3)
    last = mask.sum(-1)[:, 0]  # (B,), at least 2 visible keys
    chosen = rng.integers(0, last[:, None], scores.shape[:2])  # (B, T)
    rows, columns = np.indices(chosen.shape)
    scores[rows, columns, chosen] += 1e4
    scores[..., -1] = 2e4  # a large score, hidden
    scores = np.float32(scores).astype("float64")  # as it arrives
    weights = np.zeros_like(scores)
    weights[rows, columns, chosen] = 1
    low = np.where(mask, -2e4, 2e4) * np.ones_like(scores)  # visible ones low, hidden ones high
    low[rows, columns, chosen] = -1.99e4
    right = value[rows, chosen], weights
    return [c for s in (scores, low) for c in _both(_answer(lab, s, value, mask), right)]


@attention.case(points=1, hint="Hide with a large finite number, not with infinity.")
def an_empty_source_stays_finite(lab, rng):
    """Where every key of an example is hidden nothing is NaN; the other examples are right."""
    scores, value, mask = _drawn(rng, 3)
    mask[0] = False
    got, expected = _answer(lab, scores, value, mask), attend(scores, value, mask)
    got = [array(part, name) for part, name in zip(got, ("context", "weights"), strict=True)]
    if any(g.shape != e.shape for g, e in zip(got, expected, strict=True)):
        return _both(got, expected)
    finite = all(np.isfinite(part[0]).all() for part in got)
    return [
        holds(
            finite,
            expected="finite numbers for the example without visible keys",
            got="finite numbers" if finite else "NaN or infinity",
            problem="Where every key is hidden, NaN or infinity comes out.",
        ),
        *_both([part[1:] for part in got], [part[1:] for part in expected]),
    ]


@attention.misconception("You ignored the mask.")
def ignored(scores, value, mask=None):
    return attend(scores, value)


@attention.misconception("You hid the keys where the mask is True. True means: may attend.")
def inverted(scores, value, mask=None):
    return attend(scores, value, None if mask is None else ~np.asarray(mask, bool))


@attention.misconception(
    "You masked after the softmax, so the rows no longer add up to one. Mask the scores."
)
def after_the_softmax(scores, value, mask=None):
    weights = _softmax(scores)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@attention.misconception(
    "You took the softmax over the queries, the second-last axis. Take it over the keys."
)
def over_the_queries(scores, value, mask=None):
    weights = _softmax(_hide(scores, mask), axis=-2)
    return weights @ value, weights


@attention.misconception("You returned the weights first. The context comes first.")
def weights_first(scores, value, mask=None):
    return attend(scores, value, mask)[::-1]


@attention.misconception(
    "You multiplied the scores by the mask. A score of 0 is not hidden: it still gets a weight."
)
def multiplied_scores(scores, value, mask=None):
    return attend(scores if mask is None else scores * mask, value)


@attention.misconception(
    "You hid with -10,000. A visible score may be as low as -20,000: take -1e9."
)
def not_low_enough(scores, value, mask=None):
    weights = _softmax(_hide(scores, mask, -1e4))
    return weights @ value, weights


@attention.misconception(
    "You hid with minus infinity: where everything is hidden, 0/0 is NaN. Use a large finite "
    "number such as -1e9."
)
def minus_infinity(scores, value, mask=None):
    with np.errstate(all="ignore"):
        weights = _softmax(_hide(scores, mask, -np.inf))
        return weights @ value, weights


@attention.misconception(
    "`exp` of a large score overflows. Subtract each row's largest visible score first, or let "
    "`ops.softmax` do it."
)
def overflows(scores, value, mask=None):
    with np.errstate(all="ignore"):
        exponential = np.exp(np.float32(_hide(scores, mask)))
        weights = exponential / exponential.sum(-1, keepdims=True)
        return weights @ value, weights


@attention.misconception("You divided the scores by a root once more. Take them as they come.")
def scaled_again(scores, value, mask=None):
    return attend(scores / np.sqrt(value.shape[-1]), value, mask)


@attention.misconception(
    "You multiplied the scores with the values. The softmax of the scores weighs the values."
)
def scores_weigh_the_values(scores, value, mask=None):
    return scores @ value, attend(scores, value, mask)[1]
