"""Checks of lab 3: kernels of a look-up and of an induction head, and a step of online softmax.

Kernels are judged by the scores that they give, so any width d and any order of features is right.
"""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import Mismatch, array, close, unpack
from autograder.exercise import Exercise

PACKAGE = "course.m03_attention"
KERNELS = f"{PACKAGE}.induction_kernels"
READY_MADE = [
    *ATTENTION,
    f"{PACKAGE}.lookup",
    f"{PACKAGE}.lookup_weights",
    f"{PACKAGE}.induction_head_weights",
    f"{PACKAGE}.build_induction_heads",
    f"{PACKAGE}.hand_made_attention",
    f"{KERNELS}.previous_token_kernels",
    f"{KERNELS}.induction_kernels",
]
START = 0


def _softmax(scores):
    exponential = np.exp(scores - scores.max(-1, keepdims=True))
    return exponential / exponential.sum(-1, keepdims=True)


def matrices(returned, *named_rows):
    """Return the kernels as float64, or raise `Mismatch` where one has the wrong form."""
    kernels = unpack(returned, *[name for name, _ in named_rows])
    found = []
    for kernel, (name, rows) in zip(kernels, named_rows, strict=True):
        kernel = array(kernel, name).astype("float64")
        if kernel.ndim != 2 or kernel.shape[0] != rows:
            raise Mismatch(f"The {name} has shape {kernel.shape}; it should have {rows} rows.")
        found.append(kernel)
    if found[0].shape[1] != found[1].shape[1]:
        (query, _), (key, _) = named_rows[:2]
        raise Mismatch(
            f"The {query} has {found[0].shape[1]} columns and the {key} {found[1].shape[1]}: "
            "queries and keys must be equally wide."
        )
    return found


def scores_of(query, key):
    """Return q · k / sqrt(d), as the attention of the lab computes it."""
    return query @ key.T / np.sqrt(query.shape[-1])


# ----------------------------------------------------------------------------- lookup_weights

look_up = Exercise(
    "lookup_weights",
    points=4,
    signature="lookup_weights(num_keys, num_values, sharpness)",
    package=f"{PACKAGE}.lookup_weights",
    forbids=READY_MADE,
    hints=[
        "Two different one-hot vectors have the product 0, two equal ones 1. So queries and keys "
        "may be the one-hot keys themselves. What do you multiply by, so that 1 becomes β after "
        "the division by √d?",
        "query_kernel = β √d · identity (d = K); key_kernel = the identity of size K above V rows "
        "of 0; value_kernel = K rows of 0 above the identity of size V.",
        "K = 1, V = 2, β = 3: query_kernel [[3]], key_kernel [[1], [0], [0]], value_kernel "
        "[[0, 0], [1, 0], [0, 1]].",
    ],
)


@look_up.oracle
def lookup_weights(num_keys, num_values, sharpness):
    """Kernels with d = K."""
    keys, values = np.eye(num_keys), np.eye(num_values)
    return (
        sharpness * np.sqrt(num_keys) * keys,
        np.concatenate([keys, np.zeros((num_values, num_keys))]),
        np.concatenate([np.zeros((num_keys, num_values)), values]),
    )


def _question(rng, twisted=False):
    """Draw sizes, a sharpness, a list of pairs and questions about it.

    `twisted` gives each pair the number of another pair's key as its value, and asks for all.
    """
    num_keys, num_values = (int(n) for n in rng.choice(np.arange(7, 40), 2, replace=False))
    sharpness = float(rng.uniform(2, 30))
    keys = rng.permutation(min(num_keys, num_values) if twisted else num_keys)[:5]
    values = np.roll(keys, 1) if twisted else rng.integers(0, num_values, 5)
    asked = rng.permutation(5) if twisted else rng.integers(0, 5, 3)
    return num_keys, num_values, sharpness, keys, values, asked


def _looked_up(lab, num_keys, num_values, sharpness, keys, values, asked):
    """Return what the learner's kernels make: scores `(T, 5)` and values `(5, V)`."""
    rows = (("query kernel", num_keys), ("key kernel", num_keys + num_values))
    rows += (("value kernel", num_keys + num_values),)
    kernels = matrices(lab.lookup_weights(num_keys, num_values, sharpness), *rows)
    pairs = np.concatenate([np.eye(num_keys)[keys], np.eye(num_values)[values]], axis=1)
    query = np.eye(num_keys)[keys[asked]] @ kernels[0]
    return scores_of(query, pairs @ kernels[1]), pairs @ kernels[2]


@look_up.case(points=2, hint="√d, by which attention divides, is that of the queries' width.")
def the_score_of_a_match_is_the_sharpness(lab, rng):
    """After the division by √d, a pair with the key scores β, any other 0, whatever its value."""
    comparisons = []
    for twisted in (False, True):
        given = _question(rng, twisted)
        scores, _ = _looked_up(lab, *given)
        expected = given[2] * (np.arange(5) == given[5][:, None])
        comparisons.append(close(scores, expected, what="scores"))
    return comparisons


@look_up.case(points=1, hint="The value stands in the last V features of a pair.")
def the_value_kernel_reads_the_value(lab, rng):
    """A pair times the value kernel is the one-hot vector of its value."""
    given = _question(rng)
    _, read = _looked_up(lab, *given)
    return close(read, np.eye(given[1])[given[4]], what="values")


@look_up.case(points=1, hint="Run the three kernels through attention by hand, for two pairs.")
def attention_answers_the_question(lab, rng):
    """Attention puts e^β times the weight of another pair on the right one, and reads its value."""
    num_keys, num_values, _, keys, values, asked = _question(rng)
    sharpness = float(rng.uniform(1, 4))  # soft: a wrong score shows
    scores, read = _looked_up(lab, num_keys, num_values, sharpness, keys, values, asked)
    right = _softmax(sharpness * (np.arange(5) == asked[:, None])) @ np.eye(num_values)[values]
    return close(_softmax(scores) @ read, right, what="answers")


@look_up.misconception(
    "Your scores are β / √d: attention divides by √d, so multiply the query kernel by √d as well."
)
def division_not_undone(num_keys, num_values, sharpness):
    query, *rest = lookup_weights(num_keys, num_values, sharpness)
    return query / np.sqrt(num_keys), *rest


@look_up.misconception("You multiplied by d. Attention divides by √d: multiply by that.")
def multiplied_by_d(num_keys, num_values, sharpness):
    query, *rest = lookup_weights(num_keys, num_values, sharpness)
    return query * np.sqrt(num_keys), *rest


@look_up.misconception("You divided by √d. Attention does that: your kernel must undo it.")
def divided_twice(num_keys, num_values, sharpness):
    query, *rest = lookup_weights(num_keys, num_values, sharpness)
    return query / num_keys, *rest


@look_up.misconception(
    "β stands in the query kernel and in the key kernel, so a match scores β². Put it in one."
)
def sharpness_on_both_sides(num_keys, num_values, sharpness):
    query, key, value = lookup_weights(num_keys, num_values, sharpness)
    return query, sharpness * key, value


@look_up.misconception("Your kernels do not use `sharpness`: a match scores 1.")
def sharpness_left_out(num_keys, num_values, sharpness):
    return lookup_weights(num_keys, num_values, 1.0)


@look_up.misconception("Your value kernel reads the first features of a pair, where the key is.")
def value_kernel_reads_the_key(num_keys, num_values, sharpness):
    query, key, _ = lookup_weights(num_keys, num_values, sharpness)
    return query, key, np.eye(num_keys + num_values, num_values)


@look_up.misconception(
    "Your kernels expect the value before the key. A pair is the key's K features, then the "
    "value's V."
)
def value_before_key(num_keys, num_values, sharpness):
    query, key, value = lookup_weights(num_keys, num_values, sharpness)
    return query, np.roll(key, num_values, axis=0), np.roll(value, num_values, axis=0)


@look_up.misconception(
    "Your key kernel reads the value too, so the value changes the score. Its last V rows are 0."
)
def key_kernel_reads_both(num_keys, num_values, sharpness):
    query, key, value = lookup_weights(num_keys, num_values, sharpness)
    return query, key + np.eye(num_keys + num_values, num_keys, k=-num_keys), value


@look_up.misconception("Your value kernel is multiplied by β. Values are mixed as they are.")
def sharp_values(num_keys, num_values, sharpness):
    query, key, value = lookup_weights(num_keys, num_values, sharpness)
    return query, key, sharpness * value


# --------------------------------------------------------------------- previous_token_kernels

before = Exercise(
    "previous_token_kernels",
    points=4,
    signature="previous_token_kernels(vocabulary_size, max_length, sharpness)",
    package=f"{KERNELS}.previous_token_kernels",
    forbids=READY_MADE,
    hints=[
        "Let the keys be the one-hot positions. Then the query of position p must be one-hot at "
        "p - 1, times a number. Which matrix turns row p into row p - 1?",
        "Rows 0 to P - 1 of the kernels belong to the position. There the key kernel is the "
        "identity and the query kernel β √d · np.eye(P, k=-1); all other rows are 0.",
        "P = 2: np.eye(2, k=-1) is [[0, 0], [1, 0]]. Position 0 has the query (0, 0), position 1 "
        "the query β √d · (1, 0), which matches the key (1, 0) of position 0.",
    ],
)


def width_of(vocabulary_size, max_length):
    """Return the width D of the stream."""
    return max_length + 3 * vocabulary_size


def _at(vocabulary_size, max_length):
    """Return the slices of position, token, previous and prediction."""
    ends = max_length + vocabulary_size * np.arange(4)
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@before.oracle
def previous_token_kernels(vocabulary_size, max_length, sharpness):
    """Kernels with d = D."""
    return _previous(vocabulary_size, max_length, sharpness, np.eye(max_length, k=-1))


def _previous(vocabulary_size, max_length, sharpness, shift, columns=None):
    width = width_of(vocabulary_size, max_length)
    query, key = np.zeros((2, width, width))
    query[:max_length, :max_length] = sharpness * np.sqrt(columns or width) * shift
    key[:max_length, :max_length] = np.eye(max_length)
    return query, key


def _sequence(rng, repeat=False, distinct=False):
    """Draw sizes, a sharpness and ids: the start token, then others."""
    vocabulary_size, length = int(rng.integers(11, 24)), int(rng.integers(5, 11))
    tokens = rng.integers(1, vocabulary_size, length)
    if distinct:
        tokens = rng.permutation(np.arange(1, vocabulary_size))[:length]
    tokens = np.concatenate([tokens, tokens]) if repeat else tokens
    return vocabulary_size, float(rng.uniform(2, 30)), np.array([START, *tokens])


def stream_of(ids, vocabulary_size, max_length, with_previous=False):
    """Return the stream `(T, D)`: positions, tokens and, where asked, the previous tokens."""
    position, token, previous, _ = _at(vocabulary_size, max_length)
    one_hot = np.eye(vocabulary_size)
    stream = np.zeros((len(ids), width_of(vocabulary_size, max_length)))
    stream[:, position] = np.eye(max_length)[: len(ids)]
    stream[:, token] = one_hot[ids]
    if with_previous:
        stream[:, previous] = one_hot[np.array([START, *ids[:-1]])]
    return stream


def _visible(length):
    """Return where a causal mask lets a place look."""
    return np.tri(length, dtype=bool)


def _close_where(see, scores, expected):
    """Compare scores `(T, T)` where a place may look; the place of an error is [query, key]."""
    what = "scores [query, key] that the causal mask leaves"
    return close(np.where(see, scores, 0.0), np.where(see, expected, 0.0), what=what)


def _kernel_scores(returned, stream):
    rows = stream.shape[-1]
    query, key = matrices(returned, ("query kernel", rows), ("key kernel", rows))
    return scores_of(stream @ query, stream @ key)


def _expect_one_back(lab, sizes, stream):
    *_, sharpness = sizes
    length = len(stream)
    scores = _kernel_scores(lab.previous_token_kernels(*sizes), stream)
    see, expected = _visible(length), sharpness * np.eye(length, k=-1)
    return _close_where(see, scores, expected)


@before.case(points=2, hint="Score [p, p - 1] is β after the division by √d; the others are 0.")
def each_place_looks_at_the_place_before(lab, rng):
    """Place p scores β with place p - 1 and 0 with itself and with all earlier places."""
    comparisons = []
    for _ in range(2):
        vocabulary_size, sharpness, ids = _sequence(rng)
        sizes = vocabulary_size, len(ids), sharpness
        comparisons.append(_expect_one_back(lab, sizes, stream_of(ids, *sizes[:2])))
    return comparisons


@before.case(points=1, hint="P is the longest length; a sequence may fill less of it.")
def shorter_sequences_work_too(lab, rng):
    """A sequence that is shorter than `max_length` gives the same scores."""
    vocabulary_size, sharpness, ids = _sequence(rng)
    sizes = vocabulary_size, len(ids) + int(rng.integers(3, 30)), sharpness
    return _expect_one_back(lab, sizes, stream_of(ids, *sizes[:2]))


@before.case(points=1, hint="Only rows 0 to P - 1 of the two kernels hold anything but 0.")
def only_the_position_matters(lab, rng):
    """Whatever stands in the parts token, previous and prediction, the scores are the same."""
    vocabulary_size, sharpness, ids = _sequence(rng)
    sizes = vocabulary_size, len(ids), sharpness
    stream = stream_of(ids, *sizes[:2])
    stream[:, len(ids) :] = rng.normal(size=(len(ids), 3 * vocabulary_size))
    return _expect_one_back(lab, sizes, stream)


@before.misconception(
    "Your places look at the place after them, which the causal mask hides. Row p of the query "
    "kernel has its 1 in column p - 1: np.eye(P, k=-1)."
)
def one_ahead(vocabulary_size, max_length, sharpness):
    return _previous(vocabulary_size, max_length, sharpness, np.eye(max_length, k=1))


@before.misconception("Your places look at themselves. Shift the query by one place.")
def at_itself(vocabulary_size, max_length, sharpness):
    return _previous(vocabulary_size, max_length, sharpness, np.eye(max_length))


@before.misconception("Your places look two places back. Shift the query by one place.")
def two_back(vocabulary_size, max_length, sharpness):
    return _previous(vocabulary_size, max_length, sharpness, np.eye(max_length, k=-2))


@before.misconception(
    "You swapped the two kernels: the query stays where it is and the key moves, so each place "
    "looks at the place after it."
)
def kernels_swapped(vocabulary_size, max_length, sharpness):
    return previous_token_kernels(vocabulary_size, max_length, sharpness)[::-1]


@before.misconception(
    "Your scores are β / √d: attention divides by √d, so multiply the query kernel by √d as well."
)
def root_not_undone(vocabulary_size, max_length, sharpness):
    query, key = previous_token_kernels(vocabulary_size, max_length, sharpness)
    return query / np.sqrt(query.shape[-1]), key


@before.misconception(
    "You multiplied by √P. Attention divides by the root of the queries' width: the number of "
    "columns of your query kernel."
)
def root_of_the_length(vocabulary_size, max_length, sharpness):
    shift = np.eye(max_length, k=-1)
    return _previous(vocabulary_size, max_length, sharpness, shift, columns=max_length)


@before.misconception(
    "β stands in the query kernel and in the key kernel, so a match scores β². Put it in one."
)
def sharp_on_both_sides(vocabulary_size, max_length, sharpness):
    query, key = previous_token_kernels(vocabulary_size, max_length, sharpness)
    return query, sharpness * key


@before.misconception(
    "Your kernels read the features after the token part. The position comes first in the stream: "
    "rows 0 to P - 1."
)
def position_after_the_token(vocabulary_size, max_length, sharpness):
    kernels = previous_token_kernels(vocabulary_size, max_length, sharpness)
    return tuple(np.roll(kernel, vocabulary_size, axis=0) for kernel in kernels)


@before.misconception(
    "Your kernels let other parts of the stream in. Only the rows of the position part hold "
    "anything but 0."
)
def everything_is_shifted(vocabulary_size, max_length, sharpness):
    width = width_of(vocabulary_size, max_length)
    return sharpness * np.sqrt(width) * np.eye(width, k=-1), np.eye(width)


@before.misconception("Your kernels do not use `sharpness`: the place before scores 1.")
def blunt(vocabulary_size, max_length, sharpness):
    return previous_token_kernels(vocabulary_size, max_length, 1.0)


# -------------------------------------------------------------------------- induction_kernels

induction = Exercise(
    "induction_kernels",
    points=5,
    signature="induction_kernels(vocabulary_size, max_length, sharpness)",
    package=f"{KERNELS}.induction_kernels",
    forbids=READY_MADE,
    hints=[
        "The query reads the part token, the key the part previous: two one-hot vectors of the "
        "same V tokens. The rest on the start token is one more row of the key kernel.",
        "query_kernel: β √d · identity in the rows of token. key_kernel: the identity in the rows "
        "of previous, and 0.5 in all V columns of the row of token 0.",
        "P = 2 and V = 2: D = 8, and the rows of token are 2 and 3, those of previous 4 and 5. In "
        "columns 0 and 1 the key kernel holds [0.5, 0.5] in row 2, [1, 0] in row 4, [0, 1] in row "
        "5.",
    ],
)


def _matching(vocabulary_size, max_length, sharpness, asks=1, answers=2, rest=0.5, root=0.5):
    """Return kernels that compare two parts of the stream, by their numbers."""
    at, width = _at(vocabulary_size, max_length), width_of(vocabulary_size, max_length)
    query, key = np.zeros((2, width, width))
    one_hot = np.eye(vocabulary_size)
    query[at[asks], :vocabulary_size] = sharpness * width**root * one_hot
    key[at[answers], :vocabulary_size] = one_hot
    key[at[1].start + START, :vocabulary_size] += rest
    return query, key


@induction.oracle
def induction_kernels(vocabulary_size, max_length, sharpness):
    """Kernels with d = D."""
    return _matching(vocabulary_size, max_length, sharpness)


def _expect_induction(lab, sizes, ids, stream):
    *_, sharpness = sizes
    scores = _kernel_scores(lab.induction_kernels(*sizes), stream)
    earlier = np.array([START, *ids[:-1]])
    expected = sharpness * (ids[:, None] == earlier) + sharpness / 2 * (ids == START)
    see = _visible(len(ids))
    see[0] = False  # place 0 sees only itself
    return _close_where(see, scores, expected)


@induction.case(points=2, hint="Compare your token with what stood before the other place.")
def a_token_finds_what_followed_it(lab, rng):
    """Place t scores β with each earlier place whose previous token is the token of t."""
    comparisons = []
    for _ in range(2):
        vocabulary_size, sharpness, ids = _sequence(rng, repeat=True)
        sizes = vocabulary_size, len(ids), sharpness
        stream = stream_of(ids, *sizes[:2], with_previous=True)
        comparisons.append(_expect_induction(lab, sizes, ids, stream))
    return comparisons


@induction.case(points=1, hint="The key of the start token scores β / 2 with every query.")
def a_new_token_rests_on_the_start(lab, rng):
    """A token that never came before scores β / 2 with the start token and 0 with the others."""
    vocabulary_size, sharpness, ids = _sequence(rng, distinct=True)
    sizes = vocabulary_size, len(ids) + int(rng.integers(0, 9)), sharpness
    stream = stream_of(ids, *sizes[:2], with_previous=True)
    return _expect_induction(lab, sizes, ids, stream)


@induction.case(points=1, hint="The part prediction is written by this layer, and not read.")
def the_prediction_part_does_not_matter(lab, rng):
    """Whatever stands in the part prediction, the scores are the same."""
    vocabulary_size, sharpness, ids = _sequence(rng, repeat=True)
    sizes = vocabulary_size, len(ids), sharpness
    stream = stream_of(ids, *sizes[:2], with_previous=True)
    prediction = _at(*sizes[:2])[3]
    stream[:, prediction] = rng.normal(size=(len(ids), vocabulary_size))
    return _expect_induction(lab, sizes, ids, stream)


@induction.case(points=1, hint="Draw the scores of the sequence start, a, b, a by hand.")
def attention_predicts_what_followed(lab, rng):
    """In a row that comes twice, causal attention over the tokens gives what followed before."""
    vocabulary_size, _, ids = _sequence(rng, repeat=True, distinct=True)
    sizes = vocabulary_size, len(ids), float(rng.uniform(2, 6))  # soft: a wrong score shows
    stream = stream_of(ids, *sizes[:2], with_previous=True)
    tokens = np.eye(vocabulary_size)[ids]

    def read(scores):
        scores = np.where(_visible(len(ids)), scores, -1e9)
        return (_softmax(scores) @ tokens)[1:]

    scores = _kernel_scores(lab.induction_kernels(*sizes), stream)
    expected = _kernel_scores(induction_kernels(*sizes), stream)
    return close(read(scores), read(expected), what="predictions")


@induction.misconception(
    "Your query and your key both read the token: a place finds the same word, not what followed "
    "it. The key reads the part previous."
)
def token_with_token(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, answers=1)


@induction.misconception(
    "Your query reads previous and your key reads the token. It is the other way round."
)
def previous_with_token(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, asks=2, answers=1)


@induction.misconception(
    "Your query and your key both read previous. The query asks with the token that stands here."
)
def previous_with_previous(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, asks=2)


@induction.misconception(
    "Your key reads the part prediction, which is still empty. It reads the part previous."
)
def prediction_as_key(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, answers=3)


@induction.misconception(
    "Nothing rests on the start token: a token that never came before spreads over all places. "
    "The key of token 0 scores β / 2 with every query."
)
def no_rest(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, rest=0)


@induction.misconception(
    "The start token scores β, as much as a match, so half of the weight stays there. It scores "
    "β / 2."
)
def rest_as_strong_as_a_match(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, rest=1)


@induction.misconception(
    "You put β √d / 2 into the key kernel. The query brings β √d along: the key's part is 0.5."
)
def rest_scaled_twice(vocabulary_size, max_length, sharpness):
    root = np.sqrt(width_of(vocabulary_size, max_length))
    return _matching(vocabulary_size, max_length, sharpness, rest=sharpness * root / 2)


@induction.misconception(
    "Only the start token's own query finds the start. Write 0.5 into all V columns of its row in "
    "the key kernel, so that every query does."
)
def rest_for_the_start_only(vocabulary_size, max_length, sharpness):
    query, key = _matching(vocabulary_size, max_length, sharpness, rest=0)
    key[max_length + START, START] = 0.5
    return query, key


@induction.misconception(
    "You gave the rest to the query of the start token. It belongs to its key, so that the others "
    "find it."
)
def rest_in_the_query(vocabulary_size, max_length, sharpness):
    query, key = _matching(vocabulary_size, max_length, sharpness, rest=0)
    query[max_length + START, :vocabulary_size] += 0.5 * sharpness * np.sqrt(query.shape[-1])
    return query, key


@induction.misconception(
    "Your scores are β / √d: attention divides by √d, so multiply the query kernel by √d as well."
)
def induction_root_not_undone(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, root=0)


@induction.misconception("You multiplied by d. Attention divides by √d: multiply by that.")
def induction_multiplied_by_d(vocabulary_size, max_length, sharpness):
    return _matching(vocabulary_size, max_length, sharpness, root=1)


# ------------------------------------------------------------------------ online_softmax_step

step = Exercise(
    "online_softmax_step",
    points=5,
    signature="online_softmax_step(maximum, total, mixed, scores, value)",
    package=f"{PACKAGE}.online_softmax_step",
    forbids=[
        *ATTENTION,
        f"{PACKAGE}.online_softmax_step",
        f"{PACKAGE}.online_softmax_attention",
    ],
    hints=[
        "All sums are relative to the largest score so far. When a block brings a larger one, the "
        "old sums must shrink before you add to them. By which factor?",
        "m' = max(maximum, largest score of the block); factor = exp(maximum - m'); "
        "w = exp(scores - m'); total' = total · factor + sum of w; "
        "mixed' = mixed · factor + w · value.",
        "maximum 0, total 1, mixed [4]; a block with the one score ln 2 and the value [10]: m' = "
        "ln 2, factor 1/2, w = 1. total' = 1/2 + 1 = 1.5 and mixed' = 2 + 10 = 12: the mean is 8, "
        "as with the weights 1/3 and 2/3.",
    ],
)
STATE = ("maximum", "total", "mixed")
NOTHING = -1e30


@step.oracle
def online_softmax_step(maximum, total, mixed, scores, value):
    """Sums relative to the new maximum."""
    return _stepped(maximum, total, mixed, scores, value)


def _stepped(maximum, total, mixed, scores, value):
    highest = np.maximum(maximum, scores.max(-1))
    factor, weights = np.exp(maximum - highest), np.exp(scores - highest[..., None])
    return (
        highest,
        total * factor + weights.sum(-1),
        mixed * factor[..., None] + weights @ value,
    )


def _sizes(rng, count):
    return [int(size) for size in rng.permutation([2, 3, 5, 7, 11, 13])[:count]]


def _block(rng, *leading, length, width, loc=0.0):
    keys = int(rng.integers(14, 40))
    scores = rng.normal(loc, 2.0, size=(*leading, length, keys))
    return scores, rng.normal(size=(*leading, keys, width))


def _answered(lab, *inputs):
    return unpack(lab.online_softmax_step(*inputs), *STATE)


def _all_three(got, expected):
    return [close(g, e, what=n) for g, e, n in zip(got, expected, STATE, strict=True)]


def _nothing(*shape, width):
    return np.full(shape, NOTHING), np.zeros(shape), np.zeros((*shape, width))


@step.case(points=1, hint="exp(-1e30 - m') is 0: what stood before the first block vanishes.")
def the_first_block(lab, rng):
    """From maximum -1e30 and sums of 0, the sums are those of the block alone."""
    length, width = _sizes(rng, 2)
    scores, value = _block(rng, length=length, width=width, loc=float(rng.uniform(-3, 3)))
    largest = scores.max(-1)
    weights = np.exp(scores - largest[:, None])
    got = _answered(lab, *_nothing(length, width=width), scores, value)
    return _all_three(got, (largest, weights.sum(-1), weights @ value))


@step.case(points=1, hint="exp(maximum - m') moves the old sums, exp(scores - m') the new ones.")
def a_block_in_the_middle(lab, rng):
    """Old and new sums are moved to the larger maximum, whether it is the old one or the new."""
    comparisons = []
    for loc in (-4.0, 4.0):
        b, length, width = _sizes(rng, 3)
        state = (
            rng.normal(size=(b, length)),
            rng.uniform(1, 5, size=(b, length)),
            rng.normal(size=(b, length, width)),
        )
        scores, value = _block(rng, b, length=length, width=width, loc=loc)
        got = _answered(lab, *state, scores, value)
        comparisons += _all_three(got, _stepped(*state, scores, value))
    return comparisons


@step.case(points=1, hint="After the last block, mixed / total is attention.")
def all_blocks_give_dense_attention(lab, rng):
    """After blocks of different sizes, mixed / total is the softmax of all scores at once."""
    b, n, length, width = _sizes(rng, 4)
    blocks = [
        _block(rng, b, n, length=length, width=width, loc=loc)
        for loc in rng.permutation([-3.0, 0.0, 3.0])
    ]
    state = _nothing(b, n, length, width=width)
    for scores, value in blocks:
        state = [array(part, name) for part, name in zip(state, STATE, strict=True)]
        state = _answered(lab, *state, scores, value)
    _, total, mixed = (array(part, name) for part, name in zip(state, STATE, strict=True))
    if total.shape != (b, n, length) or mixed.shape != (b, n, length, width):
        return _all_three((state[0], total, mixed), _nothing(b, n, length, width=width))
    scores = np.concatenate([s for s, _ in blocks], axis=-1)
    value = np.concatenate([v for _, v in blocks], axis=-2)
    with np.errstate(all="ignore"):
        attended = mixed.astype("float64") / total[..., None]
    return close(attended, _softmax(scores) @ value, what="attention after the last block")


@step.case(points=1, hint="Subtract the new maximum before each `exp`; the factor stays below 1.")
def large_scores_neither_overflow_nor_vanish(lab, rng):
    """Scores near 10,000 wipe out what came before; near -10,000 they add nothing."""
    comparisons = []
    for loc in (1e4, -1e4):
        length, width = _sizes(rng, 2)
        state = (
            rng.normal(size=length),
            rng.uniform(1, 5, size=length),
            rng.normal(size=(length, width)),
        )
        scores, value = _block(rng, length=length, width=width, loc=loc)
        got = _answered(lab, *state, scores, value)
        comparisons += _all_three(got, _stepped(*state, scores, value))
    return comparisons


@step.case(points=1, hint="Count axes from the end: keys are axis -1 of scores, -2 of value.")
def any_leading_axes(lab, rng):
    """There may be no axis before T, or two of them, and a block may hold a single key."""
    comparisons = []
    for leading, keys in (((), None), ((3, 2), None), ((5,), 1)):
        length, width = _sizes(rng, 2)
        scores, value = _block(rng, *leading, length=length, width=width)
        scores, value = scores[..., :keys], value[..., :keys, :]
        state = (
            rng.normal(size=(*leading, length)),
            rng.uniform(1, 5, size=(*leading, length)),
            rng.normal(size=(*leading, length, width)),
        )
        got = _answered(lab, *state, scores, value)
        comparisons += _all_three(got, _stepped(*state, scores, value))
    return comparisons


@step.misconception(
    "You added to the old sums as they were. They are relative to the old maximum: multiply them "
    "by exp(maximum - new maximum) first."
)
def old_sums_not_moved(maximum, total, mixed, scores, value):
    highest = np.maximum(maximum, scores.max(-1))
    weights = np.exp(scores - highest[..., None])
    return highest, total + weights.sum(-1), mixed + weights @ value


@step.misconception(
    "You moved `total` to the new maximum but not `mixed`. Numerator and denominator move together."
)
def only_the_total_is_moved(maximum, total, mixed, scores, value):
    highest, total, _ = _stepped(maximum, total, mixed, scores, value)
    return highest, total, mixed + np.exp(scores - highest[..., None]) @ value


@step.misconception(
    "You moved `mixed` to the new maximum but not `total`. Numerator and denominator move together."
)
def only_the_mixture_is_moved(maximum, total, mixed, scores, value):
    highest, _, mixed = _stepped(maximum, total, mixed, scores, value)
    return highest, total + np.exp(scores - highest[..., None]).sum(-1), mixed


@step.misconception(
    "Your factor is exp(new maximum - old maximum), which is at least 1. The old sums shrink: "
    "exp(old - new)."
)
def factor_upside_down(maximum, total, mixed, scores, value):
    with np.errstate(all="ignore"):
        highest = np.maximum(maximum, scores.max(-1))
        factor, weights = np.exp(highest - maximum), np.exp(scores - highest[..., None])
        return (
            highest,
            total * factor + weights.sum(-1),
            mixed * factor[..., None] + weights @ value,
        )


@step.misconception(
    "Your new maximum is that of the block alone. Take the larger of the old one and the block's."
)
def maximum_of_the_block(maximum, total, mixed, scores, value):
    with np.errstate(all="ignore"):
        highest = scores.max(-1)
        factor, weights = np.exp(maximum - highest), np.exp(scores - highest[..., None])
        return (
            highest,
            total * factor + weights.sum(-1),
            mixed * factor[..., None] + weights @ value,
        )


@step.misconception(
    "The block's weights are relative to the block's own largest score. Subtract the new maximum, "
    "which may be the old one."
)
def block_relative_to_itself(maximum, total, mixed, scores, value):
    highest = np.maximum(maximum, scores.max(-1))
    factor = np.exp(maximum - highest)
    weights = np.exp(scores - scores.max(-1)[..., None])
    return highest, total * factor + weights.sum(-1), mixed * factor[..., None] + weights @ value


@step.misconception(
    "You took `exp` of the scores as they are: it overflows. Subtract the new maximum first."
)
def nothing_subtracted(maximum, total, mixed, scores, value):
    with np.errstate(all="ignore"):
        highest = np.maximum(maximum, scores.max(-1))
        weights = np.exp(np.float32(scores))
        return highest, total + weights.sum(-1), mixed + weights @ value


@step.misconception(
    "You divided `mixed` by `total` within the step. The division comes once, after the last block."
)
def divided_in_the_step(maximum, total, mixed, scores, value):
    highest, total, mixed = _stepped(maximum, total, mixed, scores, value)
    return highest, total, mixed / total[..., None]


@step.misconception("You forgot the old sums: what you return is the block alone.")
def old_sums_forgotten(maximum, total, mixed, scores, value):
    highest = np.maximum(maximum, scores.max(-1))
    weights = np.exp(scores - highest[..., None])
    return highest, weights.sum(-1), weights @ value


@step.misconception(
    "You took one maximum over all queries. Each query has its own: the maximum runs over the keys."
)
def one_maximum_for_all(maximum, total, mixed, scores, value):
    highest = np.full_like(maximum, max(maximum.max(), scores.max()))
    factor, weights = np.exp(maximum - highest), np.exp(scores - highest[..., None])
    return highest, total * factor + weights.sum(-1), mixed * factor[..., None] + weights @ value
