"""Checks of lab 2: alignment weights, context vectors, a decoder's step, where it looks."""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import array, close, holds, unpack
from autograder.exercise import Exercise

MODULE = "course.m03_attention"
STEP = f"{MODULE}.attention_step"
READY_MADE = [
    *ATTENTION,
    "course.m02_transformer.attend",
    "course.m02_transformer.masked_softmax",
    "course.m02_transformer.scaled_dot_product_attention",
    f"{MODULE}.AdditiveAttention",
    f"{MODULE}.LuongAttention",
    f"{MODULE}.AttentionDecoder",
    f"{MODULE}.lookup",
    f"{MODULE}.online_softmax_attention",
]
PRIMES = (3, 5, 7, 11, 13, 17, 19)


def sizes(rng, count):
    """Draw different primes, one for each axis, so that no two axes can be mistaken."""
    return [int(n) for n in rng.permutation(PRIMES)[:count]]


def tokens_of(rng, rows, length, shortest=1):
    """Draw a mask of sources of different lengths; the longest fills its row, the second does not.

    Returns:
        Bool `(rows, length)`, True at tokens, which come first.
    """
    lengths = rng.integers(shortest, length + 1, rows)
    lengths[:2] = length, max(shortest, length - 2)
    return np.arange(length) < lengths[:, None]


# --------------------------------------------------------------------------- alignment_weights

alignment = Exercise(
    "alignment_weights",
    points=4,
    signature="alignment_weights(scores, source_mask)",
    package=f"{STEP}.alignment_weights",
    forbids=["keras.layers.Softmax", f"{STEP}.alignment_weights", *READY_MADE],
    hints=[
        "Padding needs a weight of 0, and the tokens' weights must still add up to one. Which "
        "score gives a weight of 0? Which shape must the mask have to meet (B, T, S)?",
        "scores = where(source_mask[:, None], scores, -1e9), then the softmax over the last axis.",
        "scores = [[[1, 1, 4]]] and source_mask = [[True, True, False]]: the softmax runs over "
        "[1, 1, -1e9] and gives [[[0.5, 0.5, 0]]].",
    ],
)


def softmax(scores, axis=-1):
    """Stable softmax."""
    with np.errstate(all="ignore"):
        exponential = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return exponential / exponential.sum(axis=axis, keepdims=True)


def over_steps(source_mask):
    """Return the mask `(B, 1, S)`, the same for every step."""
    return np.asarray(source_mask, bool)[:, None]


@alignment.oracle
def alignment_weights(scores, source_mask):
    """Softmax over the source, padding hidden."""
    return softmax(np.where(over_steps(source_mask), scores, -1e9))


def draw_scores(rng, shortest=1):
    """Draw scores `(B, T, S)` and a mask of padding at the end."""
    rows, steps, length = sizes(rng, 3)
    mask = tokens_of(rng, rows, length, shortest)
    return rng.normal(scale=1.5, size=(rows, steps, length)), mask


def same_weights(lab, scores, mask):
    """Compare with the oracle."""
    return close(
        lab.alignment_weights(scores, mask), alignment_weights(scores, mask), what="weights"
    )


@alignment.case(points=1, hint="The softmax runs over the source, the last axis.")
def without_padding_it_is_the_softmax(lab, rng):
    """Where every place is a token, each step's weights are the softmax of its scores."""
    scores, mask = draw_scores(rng)
    return same_weights(lab, scores, np.ones_like(mask))


@alignment.case(points=1, hint="Hide before the softmax: `source_mask[:, None]` is (B, 1, S).")
def padding_gets_no_weight(lab, rng):
    """Padding has the weight 0 at every step, and the tokens' weights add up to one."""
    scores, mask = draw_scores(rng)
    return same_weights(lab, scores, mask)


@alignment.case(
    points=1, hint="Subtract the largest visible score before `exp`, or let `ops.softmax` do it."
)
def large_scores_are_stable(lab, rng):
    """Scores near 10,000 or -10,000, visible or hidden, give the right weights."""
    scores, mask = draw_scores(rng, shortest=2)
    shift = rng.choice([-1e4, 1e4], size=(len(scores), 1, 1))
    shift[:2] = [[[1e4]], [[-1e4]]]
    scores = np.where(over_steps(mask), scores + shift, 1e4).astype("float32").astype("float64")
    got, expected = lab.alignment_weights(scores, mask), alignment_weights(scores, mask)
    return close(got, expected, 2e-3, what="weights")  # a float32 near 10,000 is off by 5e-4


@alignment.case(points=1, hint="Hide with a large finite number, not with infinity.")
def a_source_without_tokens_stays_finite(lab, rng):
    """A source of padding alone gives no NaN; the other sources are right."""
    scores, mask = draw_scores(rng)
    empty = int(rng.integers(len(mask)))
    mask[empty] = False
    weights, expected = lab.alignment_weights(scores, mask), alignment_weights(scores, mask)
    weights = array(weights, "weights")
    if weights.shape != expected.shape:
        return close(weights, expected, what="weights")
    finite, rest = bool(np.isfinite(weights[empty]).all()), np.arange(len(mask)) != empty
    return [
        holds(
            finite,
            expected="finite numbers where the source has no token",
            got="finite numbers" if finite else "NaN or infinity",
            problem="The weights over a source without tokens hold NaN or infinity.",
        ),
        close(weights[rest], expected[rest], what="weights of the other sources"),
    ]


def wrong_weights(message):
    """Register wrong weights: a function of scores and the mask `(B, 1, S)`."""

    def register(function):
        def answer(scores, source_mask):
            with np.errstate(all="ignore"):
                return function(scores, over_steps(source_mask))

        answer.__name__ = function.__name__
        alignment.misconception(message)(answer)
        return function

    return register


@wrong_weights("You ignored the mask: padding gets weight.")
def mask_ignored(scores, mask):
    """Plain softmax."""
    return softmax(scores) + 0 * mask


@wrong_weights("You hid the tokens and kept the padding. True stands at tokens.")
def mask_inverted(scores, mask):
    """True hides."""
    return softmax(np.where(mask, -1e9, scores))


@wrong_weights("You masked after the softmax, so the weights no longer add up to one.")
def masked_afterwards(scores, mask):
    """Weights times mask."""
    return softmax(scores) * mask


@wrong_weights("You multiplied the scores by the mask. A score of 0 still gets a weight.")
def scores_multiplied(scores, mask):
    """Hidden scores become 0."""
    return softmax(scores * mask)


@wrong_weights(
    "You took the softmax over the steps, axis 1. Take it over the source, the last axis."
)
def over_the_steps(scores, mask):
    """Axis 1."""
    return softmax(np.where(mask, scores, -1e9), axis=1)


@wrong_weights("You took one softmax over all steps of an example. Take one for each step.")
def over_steps_and_source(scores, mask):
    """Axes 1 and 2."""
    return softmax(np.where(mask, scores, -1e9), axis=(1, 2))


@wrong_weights(
    "You hid with minus infinity: a source without tokens becomes NaN. Use a large finite number."
)
def minus_infinity(scores, mask):
    """-inf."""
    return softmax(np.where(mask, scores, -np.inf))


@wrong_weights(
    "`exp` of a large score overflows. Subtract the largest visible score of the step first."
)
def overflows(scores, mask):
    """No shift, in float32."""
    exponential = np.exp(np.where(mask, scores, -1e9).astype("float32"))
    return exponential / exponential.sum(-1, keepdims=True)


@wrong_weights("You hid with -10,000. A visible score may be as low as that: take -1e9.")
def not_low_enough(scores, mask):
    """-1e4."""
    return softmax(np.where(mask, scores, -1e4))


@wrong_weights("You divided by the number of tokens as well. A softmax adds up to one by itself.")
def divided_by_the_length(scores, mask):
    """Weights over n."""
    weights = softmax(np.where(mask, scores, -1e9))
    return weights / np.maximum(mask.sum(-1, keepdims=True), 1)


# ----------------------------------------------------------------------------- context_vectors

context = Exercise(
    "context_vectors",
    points=2,
    signature="context_vectors(weights, memory)",
    package=f"{STEP}.context_vectors",
    forbids=[f"{STEP}.context_vectors", *READY_MADE],
    hints=[
        "Each step has a weight for each state of the source. What do you add up, and over which "
        "axis?",
        "context[b, t] = sum over s of weights[b, t, s] * memory[b, s]: a matrix product for each "
        "example.",
        "weights [[[0.25, 0.75]]] and memory [[[4, 0], [8, 4]]]: 0.25 (4, 0) + 0.75 (8, 4) = "
        "[[[7, 3]]].",
    ],
)


@context.oracle
def context_vectors(weights, memory):
    """Weighted sums of the states, by hand."""
    return (weights[:, :, :, None] * memory[:, None]).sum(axis=2)


def draw_weights(rng):
    """Draw weights that add up to one, zero at padding, and a memory."""
    rows, steps, length, width = sizes(rng, 4)
    mask = tokens_of(rng, rows, length)
    weights = alignment_weights(rng.normal(scale=2.0, size=(rows, steps, length)), mask)
    return weights.astype("float32").astype("float64"), rng.normal(size=(rows, length, width))


@context.case(points=1, hint="A weight of 1 reads that state as it is.")
def a_weight_of_one_reads_one_state(lab, rng):
    """Where a step puts all its weight on one place, its context is the state there."""
    rows, steps, length, width = sizes(rng, 4)
    looks, memory = rng.integers(0, length, (rows, steps)), rng.normal(size=(rows, length, width))
    expected = memory[np.arange(rows)[:, None], looks]
    return close(lab.context_vectors(np.eye(length)[looks], memory), expected, what="contexts")


@context.case(points=1, hint="A matrix product for each example: (T, S) times (S, M).")
def contexts_are_weighted_sums(lab, rng):
    """The context of a step is the sum of the example's states, each times its weight."""
    weights, memory = draw_weights(rng)
    return close(
        lab.context_vectors(weights, memory), context_vectors(weights, memory), what="contexts"
    )


@context.misconception(
    "You divided by the length of the source. The weights add up to one already."
)
def context_divided(weights, memory):
    """Mean of the products."""
    return context_vectors(weights, memory) / memory.shape[1]


@context.misconception("You took the state with the largest weight. All states count, weighted.")
def hard_attention(weights, memory):
    """The state at the arg max."""
    return memory[np.arange(len(memory))[:, None], weights.argmax(-1)]


@context.misconception("You ignored the weights: this is the plain mean of the states.")
def plain_mean(weights, memory):
    """Equal weights."""
    return context_vectors(np.full_like(weights, 1 / memory.shape[1]), memory)


@context.misconception("You ignored the weights: this is the plain sum of the states.")
def plain_sum(weights, memory):
    """Weights of one."""
    return context_vectors(np.ones_like(weights), memory)


@context.misconception("Your contexts are (B, M, T). Steps come before the width: (B, T, M).")
def context_transposed(weights, memory):
    """Last axes swapped."""
    return context_vectors(weights, memory).swapaxes(1, 2)


@context.misconception(
    "You left out the sum over the source: the result still has the axis S. Add up over it."
)
def products_only(weights, memory):
    """Four axes."""
    return weights[:, :, :, None] * memory[:, None]


@context.misconception("You summed over the steps as well. Each step has a context of its own.")
def one_context(weights, memory):
    """`(B, M)`."""
    return context_vectors(weights, memory).sum(axis=1)


@context.misconception(
    "Every example of yours reads the first example's memory. Each reads its own."
)
def memory_of_the_first(weights, memory):
    """Memory 0 for all."""
    return context_vectors(weights, np.repeat(memory[:1], len(memory), 0))


@context.misconception("You took a softmax of the weights. They are weights already.")
def softmax_again(weights, memory):
    """Softmax of weights."""
    return context_vectors(softmax(weights), memory)


# ---------------------------------------------------------------------- attention_decoder_step

step = Exercise(
    "attention_decoder_step",
    points=6,
    signature="attention_decoder_step(weights, token_ids, state, memory, source_mask)",
    package=f"{STEP}.attention_decoder_step",
    forbids=[f"{STEP}.attention_decoder_step", *READY_MADE],
    depends_on=["alignment_weights", "context_vectors"],
    hints=[
        "Follow the five lines of the text from top to bottom. Which state asks: the one that came "
        "in, or the new one?",
        "x = embedding[token_ids]; state = gru_step(x, state, …); scores = (state · attention) · "
        "memory, (B, 1, S) with a step axis of 1; alignment; context; output = tanh([context; "
        "state] · combine); logits = output · output_kernel + output_bias.",
        "With an attention matrix of zeros all scores are 0: the alignment is equal over the "
        "tokens, and the context is their mean.",
    ],
)


def sigmoid(x):
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def gru(w, x, state):
    """A GRU's step, reset after the product."""
    from_x = x @ w["kernel"] + w["bias"][0]
    from_h = state @ w["recurrent_kernel"] + w["bias"][1]
    (x_z, x_r, x_g), (h_z, h_r, h_g) = np.split(from_x, 3, -1), np.split(from_h, 3, -1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * state + (1 - z) * np.tanh(x_g + r * h_g)


PARTS = {
    "query": lambda new, old: new,
    "scores": lambda scores, width: scores,
    "pair": lambda context, state: np.concatenate([context, state], axis=-1),
    "activation": np.tanh,
    "hide": lambda mask: mask,
    "align": lambda scores, alignment: alignment,
    "given": lambda logits, state, alignment, output: (logits, state, alignment),
}


def run_step(weights, token_ids, state, memory, source_mask, parts=(), own=None):
    """One step in float64; `parts` replaces some of `PARTS`, `own` the two helpers."""
    w = {name: np.asarray(value, "float64") for name, value in weights.items()}
    do = PARTS | dict(parts)
    weigh, mix = own or (alignment_weights, context_vectors)
    old = np.asarray(state, "float64")
    new = gru(w, w["embedding"][np.asarray(token_ids)], old)
    scores = (do["query"](new, old) @ w["attention"])[:, None] @ memory.swapaxes(1, 2)  # (B, 1, S)
    scores = do["scores"](scores, new.shape[-1])
    alignment = do["align"](scores, weigh(scores, do["hide"](source_mask)))
    context = np.asarray(mix(alignment, memory))[:, 0]
    output = do["activation"](do["pair"](context, new) @ w["combine"])
    logits = output @ w["output_kernel"] + w["output_bias"]
    return do["given"](logits, new, np.asarray(alignment)[:, 0], output)


@step.oracle
def attention_decoder_step(
    weights,
    token_ids,
    state,
    memory,
    source_mask,
    *,
    alignment_weights=alignment_weights,
    context_vectors=context_vectors,
):
    """Cell, scores, alignment, context, output, logits."""
    own = alignment_weights, context_vectors
    return run_step(weights, token_ids, state, memory, source_mask, own=own)


def draw_step(rng):
    """Draw weights and the inputs of a step; the memory is wider or narrower than the state."""
    rows, length, inner, width, units, vocabulary = sizes(rng, 6)

    def draw(*shape):
        return rng.normal(scale=shape[0] ** -0.5, size=shape)

    weights = {
        "embedding": rng.normal(size=(vocabulary, inner)),
        "kernel": draw(inner, 3 * units),
        "recurrent_kernel": draw(units, 3 * units),
        "bias": 0.5 * rng.normal(size=(2, 3 * units)),
        "attention": draw(units, width) * 2,
        "combine": draw(width + units, units),
        "output_kernel": 2 * draw(units, vocabulary),
        "output_bias": rng.normal(size=vocabulary),
    }
    inputs = (
        rng.integers(0, vocabulary, rows),
        rng.normal(size=(rows, units)),
        rng.normal(size=(rows, length, width)),
    )
    return weights, *inputs, tokens_of(rng, rows, length)


NAMES = ("logits", "state", "alignment weights")


def compare(lab, given, which):
    """Compare some of the results with the oracle's."""
    got, expected = unpack(lab.attention_decoder_step(*given), *NAMES), run_step(*given)
    return [close(got[i], expected[i], what=NAMES[i]) for i in which]


@step.case(points=1, hint="`gru_step` does it: x, state, kernel, recurrent_kernel, bias.")
def the_cell_reads_token_and_state(lab, rng):
    """The new state is the cell's, from the token's embedding and the state before."""
    return compare(lab, draw_step(rng), [1])


@step.case(points=1, hint="An attention matrix of zeros makes all scores 0.")
def equal_scores_look_at_every_token_alike(lab, rng):
    """Without an attention matrix, each token of the source has the weight 1/n, padding none."""
    weights, *inputs, mask = draw_step(rng)
    weights["attention"] = 0 * weights["attention"]
    got = unpack(lab.attention_decoder_step(weights, *inputs, mask), *NAMES)
    return close(got[2], mask / mask.sum(1, keepdims=True), what="alignment weights")


@step.case(points=2, hint="The new state asks; the score is sᵀ W h, (s · W) · h.")
def the_new_state_asks(lab, rng):
    """The alignment is the masked softmax of the new state's scores, not of the old one's."""
    return compare(lab, draw_step(rng), [2])


@step.case(points=2, hint="tanh([context; state] · combine), the context first.")
def context_and_state_make_the_logits(lab, rng):
    """The logits come from the context and the new state, through tanh and the output layer."""
    given = draw_step(rng)
    return compare(lab, given, [0])


def wrong_step(message, **parts):
    """Register a wrong step: some of `PARTS` replaced."""

    def answer(weights, token_ids, state, memory, source_mask):
        return run_step(weights, token_ids, state, memory, source_mask, parts)

    answer.__name__ = f"wrong_{'_'.join(parts)}_{len(step.misconceptions) + 1}"
    step.misconception(message)(answer)


wrong_step(
    "The old state asked. In this decoder the cell steps first, and its new state asks.",
    query=lambda new, old: old,
)
wrong_step(
    "The state stands before the context. `combine` expects the context first: [context; state].",
    pair=lambda context, state: np.concatenate([state, context], axis=-1),
)
wrong_step("You left out the tanh around [context; state] · combine.", activation=lambda x: x)
wrong_step(
    "Padding is not hidden: pass `source_mask` on to `alignment_weights`.",
    hide=lambda mask: np.ones_like(np.asarray(mask, bool)),
)
wrong_step(
    "You divided the scores by √D. The score of this decoder is sᵀ W h as it stands.",
    scores=lambda scores, width: scores / np.sqrt(width),
)
wrong_step(
    "The context does not reach your logits. It stands beside the state: [context; state].",
    pair=lambda context, state: np.concatenate([0 * context, state], axis=-1),
)
wrong_step(
    "The state does not reach your logits. It stands beside the context: [context; state].",
    pair=lambda context, state: np.concatenate([context, 0 * state], axis=-1),
)
wrong_step(
    "You returned tanh([context; state] · combine) as the state. The cell's state goes on.",
    given=lambda logits, state, alignment, output: (logits, output, alignment),
)
wrong_step(
    "You returned the state first. The order is logits, state, alignment weights.",
    given=lambda logits, state, alignment, output: (state, logits, alignment),
)
wrong_step(
    "Your alignment weights still have the step axis: (B, 1, S). Return (B, S).",
    given=lambda logits, state, alignment, output: (logits, state, alignment[:, None]),
)
wrong_step(
    "You took a softmax of the logits. Return the logits as they are.",
    given=lambda logits, state, alignment, output: (softmax(logits), state, alignment),
)
wrong_step(
    "You mixed the states by the scores. The softmax comes first: `alignment_weights`.",
    align=lambda scores, alignment: scores,
)


# -------------------------------------------------------------------------- reversed_alignment

looks = Exercise(
    "reversed_alignment",
    points=3,
    signature="reversed_alignment(weights, source_mask, shift)",
    package=f"{STEP}.reversed_alignment",
    forbids=[f"{STEP}.reversed_alignment"],
    hints=[
        "For a source of n letters and shift 0, write down the place of step 0, of step 1, and of "
        "the last step that writes a letter. Which of them does a shift move off the source?",
        "place = n - 1 - t + shift, with n = number of True in the row of the mask. A step counts "
        "if 0 <= t < n and 0 <= place < n. Compare place with the arg max over the source; add up "
        "over the batch, divide by the number of steps that count.",
        "n = 2 and looks at the places 1, 1, 0. Shift 0: places 1 and 0, of which step 0 is right: "
        "1/2. Shift 1: places 2 and 1; step 0 does not count, step 1 is right: 1/1.",
    ],
)


def look_table(weights, source_mask, shift):
    """Return where each step looks, where it should, and whether it counts, each `(B, T)`."""
    lengths = np.asarray(source_mask, bool).sum(1)[:, None]
    steps = np.arange(weights.shape[1])[None]
    wish = lengths - 1 - steps + shift
    return np.asarray(weights).argmax(-1), wish, (steps < lengths) & (wish >= 0) & (wish < lengths)


@looks.oracle
def reversed_alignment(weights, source_mask, shift):
    """Share of the steps that count which look at the place that they should."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == wish)[counts].sum() / counts.sum()


def with_peaks(rng, place, mask):
    """Draw alignment weights whose largest lies at `place` `(B, T)`."""
    scores = rng.normal(scale=0.3, size=(*place.shape, mask.shape[1]))
    weights = alignment_weights(scores + 3 * np.eye(mask.shape[1])[place], mask)
    return weights.astype("float32").astype("float64")


def draw_looks(rng, shift=0):
    """Draw a mask, and weights of two steps more than letters: some looks are as they should be."""
    rows, length = int(rng.integers(11, 30)), int(rng.choice((7, 11, 13)))
    mask = tokens_of(rng, rows, length, shortest=3)
    shape = (rows, length + 2)
    _, wish, counts = look_table(np.zeros((*shape, length)), mask, shift)
    anywhere = (rng.random(shape) * mask.sum(1)[:, None]).astype(int)
    right = counts & (rng.random(shape) < rng.uniform(0.3, 0.8))
    return with_peaks(rng, np.where(right, wish, anywhere), mask), mask


@looks.case(points=1, hint="With shift 0, step t of n letters should look at place n - 1 - t.")
def mirrored_looks_are_counted(lab, rng):
    """For sources of one length and shift 0, it is the share of steps at the mirrored place."""
    rows, length = int(rng.integers(11, 30)), int(rng.choice((5, 7, 11)))
    mask = np.ones((rows, length), bool)
    place = np.repeat(np.arange(length)[None, ::-1], rows, 0)
    wrong = rng.permutation(place.size).reshape(place.shape) < rng.integers(7, place.size - 7)
    place = (place + wrong * rng.integers(1, length, place.shape)) % length
    got = lab.reversed_alignment(with_peaks(rng, place, mask), mask, 0)
    return close(got, 1 - wrong.mean(), what="fraction")


@looks.case(
    points=1, hint="Each source has a length of its own; every letter of the batch counts once."
)
def each_source_has_its_own_length(lab, rng):
    """The mirrored place depends on the source's length; END and later steps do not count."""
    weights, mask = draw_looks(rng)
    got = lab.reversed_alignment(weights, mask, 0)
    return close(got, reversed_alignment(weights, mask, 0), what="fraction")


@looks.case(
    points=1, hint="A step whose place is off the source, below 0 or at n and after, is out."
)
def a_shift_moves_the_place(lab, rng):
    """With a shift, the place is that much later; steps whose place is off the source are out."""
    shift = int(rng.choice([1, 2])) * int(rng.choice([-1, 1]))
    found = []
    for moved in (shift, -shift):
        weights, mask = draw_looks(rng, moved)
        got = lab.reversed_alignment(weights, mask, moved)
        found.append(close(got, reversed_alignment(weights, mask, moved), what="fraction"))
    return found


@looks.misconception(
    "You took the place t itself. The decoder writes backwards: step t needs place n - 1 - t."
)
def looks_forward(weights, source_mask, shift):
    """Not mirrored."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == np.arange(place.shape[1]) + shift)[counts].mean()


@looks.misconception(
    "You mirrored at the end of the padding. A source of n letters ends at place n - 1."
)
def mirrored_with_padding(weights, source_mask, shift):
    """S in place of n."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == weights.shape[2] - 1 - np.arange(place.shape[1]) + shift)[counts].mean()


@looks.misconception(
    "You divided by the number of all steps. END and what follows does not count, nor does a step "
    "whose place is off the source."
)
def every_step_counted(weights, source_mask, shift):
    """Mean over B and T."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return ((place == wish) & counts).mean()


@looks.misconception(
    "You divided by the number of letters. With a shift, steps whose place is off the source do "
    "not count."
)
def every_letter_counted(weights, source_mask, shift):
    """Steps off the source count as wrong."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == wish)[counts].sum() / np.asarray(source_mask).sum()


@looks.misconception("You are off by one. With shift 0, step 0 needs the last letter, place n - 1.")
def off_by_one(weights, source_mask, shift):
    """Place n - t."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == wish + 1)[counts].mean()


@looks.misconception("You subtracted the shift. A shift of 1 means one place later: add it.")
def shift_subtracted(weights, source_mask, shift):
    """The other way."""
    return reversed_alignment(weights, source_mask, -shift)


@looks.misconception("You ignored `shift`. It is added to the place that a step should look at.")
def shift_ignored(weights, source_mask, shift):
    """Shift 0."""
    return reversed_alignment(weights, source_mask, 0)


@looks.misconception(
    "You averaged within each source first. Every step of the batch weighs the same: divide once."
)
def mean_over_sources(weights, source_mask, shift):
    """Mean of fractions."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (((place == wish) & counts).sum(1) / counts.sum(1)).mean()


@looks.misconception(
    "You averaged the weights at the right places. Count the steps whose largest weight is there."
)
def mean_weight(weights, source_mask, shift):
    """Soft."""
    _, wish, counts = look_table(weights, source_mask, shift)
    wish = np.clip(wish, 0, weights.shape[2] - 1)
    return np.take_along_axis(weights, wish[..., None], -1)[..., 0][counts].mean()


@looks.misconception("You returned the number of right looks. Divide by the number of steps.")
def looks_counted(weights, source_mask, shift):
    """A count."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return (place == wish)[counts].sum()


@looks.misconception("You returned one fraction for each source. Return one for the batch.")
def one_for_each_source(weights, source_mask, shift):
    """`(B,)`."""
    place, wish, counts = look_table(weights, source_mask, shift)
    return ((place == wish) & counts).sum(1) / counts.sum(1)
