"""Checks of lab 3: teacher forcing, masked cross-entropy, greedy decoding, exact match."""

import numpy as np

from autograder.compare import close, equal, unpack
from autograder.exercise import Exercise

PACKAGE = "course.m01_sequence_models"
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)

# ----------------------------------------------------------------------------- teacher_forcing

forcing = Exercise(
    "teacher_forcing",
    points=3,
    signature="teacher_forcing(target_ids)",
    package=f"{PACKAGE}.teacher_forcing",
    forbids=[f"{PACKAGE}.teacher_forcing"],
    hints=[
        "Write one target under itself, shifted by one place. Which token does each row lack?",
        "Token t is predicted from the tokens before it: the inputs are all columns but the last, "
        "the labels all columns but the first.",
        "target_ids = [[1, 8, 2]]: the decoder reads START and must say 8, reads 8 and must say "
        "END. inputs = [[1, 8]], labels = [[8, 2]].",
    ],
)


@forcing.oracle
def teacher_forcing(target_ids):
    """All but the last column, all but the first."""
    return target_ids[:, :-1], target_ids[:, 1:]


def draw_targets(rng, rows, length, start=1, end=2):
    """Draw targets of different lengths: start, tokens, end, padding."""
    targets = rng.integers(3, 500, (rows, length + 2))
    lengths = rng.integers(1, length, rows)
    lengths[0] = length
    targets[:, 0] = start
    targets[np.arange(rows), lengths + 1] = end
    targets[np.arange(length + 2) > lengths[:, None] + 1] = 0
    return targets


def marks(rng):
    """Draw the ids of START and END."""
    return (int(n) for n in rng.choice(np.arange(3, 90), 2, replace=False))


def both_of(lab, targets):
    """Return what the learner's function makes of targets."""
    return unpack(lab.teacher_forcing(targets), "inputs", "labels")


@forcing.case(points=1, hint="Write the example of the text on paper, then print yours.")
def one_target_by_hand(lab, rng):
    """Of START, two tokens and END, three places are read and three predicted."""
    a, b = (int(n) for n in rng.integers(3, 500, 2))
    got = both_of(lab, np.array([[1, a, b, 2]]))
    return [
        equal(got[0], np.array([[1, a, b]]), what="inputs"),
        equal(got[1], np.array([[a, b, 2]]), what="labels"),
    ]


@forcing.case(points=1, hint="Cut columns, not rows: `[:, …]`.")
def the_decoder_reads_all_but_the_last_column(lab, rng):
    """The inputs start with START and are cut at the end, whatever stands there."""
    rows, length = rng.choice(PRIMES[1:], 2, replace=False)
    targets = draw_targets(rng, rows, length, *marks(rng))
    return equal(both_of(lab, targets)[0], teacher_forcing(targets)[0], what="inputs")


@forcing.case(points=1, hint="The label at a place is the token that comes next.")
def the_labels_are_what_comes_next(lab, rng):
    """The label of each place is the next token; END is one, and so is padding."""
    rows, length = rng.choice(PRIMES[1:], 2, replace=False)
    targets = draw_targets(rng, rows, length, *marks(rng))
    return equal(both_of(lab, targets)[1], teacher_forcing(targets)[1], what="labels")


@forcing.misconception("You swapped the two: what the decoder reads comes first.")
def forcing_swapped(target_ids):
    """Labels first."""
    return teacher_forcing(target_ids)[::-1]


@forcing.misconception(
    "Inputs and labels are the same, so the decoder reads what it shall predict. Shift them."
)
def forcing_unshifted(target_ids):
    """No shift."""
    return target_ids, target_ids


@forcing.misconception(
    "Inputs and labels are the same, so the decoder reads what it shall predict. Shift them."
)
def forcing_both_cut_in_front(target_ids):
    """Both without START."""
    return target_ids[:, 1:], target_ids[:, 1:]


@forcing.misconception("You cut rows. The first axis is the batch; cut columns: `[:, …]`.")
def forcing_along_the_batch(target_ids):
    """The first axis cut."""
    return target_ids[:-1], target_ids[1:]


@forcing.misconception("The inputs still have their last column. Nothing comes after it: cut it.")
def forcing_inputs_whole(target_ids):
    """T + 1 inputs."""
    return target_ids, target_ids[:, 1:]


@forcing.misconception("The labels still hold START. The decoder reads it, it never predicts it.")
def forcing_labels_whole(target_ids):
    """T + 1 labels."""
    return target_ids[:, :-1], target_ids


@forcing.misconception(
    "You rolled the labels, so that START stands at their end. Cut the first column instead."
)
def forcing_rolled(target_ids):
    """START at the end of the labels."""
    return target_ids, np.roll(target_ids, -1, axis=1)


@forcing.misconception(
    "Your labels are two tokens ahead. The decoder predicts the next token, not the one after it."
)
def forcing_two_ahead(target_ids):
    """A shift of two."""
    return target_ids[:, :-2], target_ids[:, 2:]


@forcing.misconception(
    "You put a token in front of the targets. They begin with START already: only cut."
)
def forcing_start_twice(target_ids):
    """START before START."""
    return np.concatenate([target_ids[:, :1], target_ids[:, :-1]], axis=1), target_ids


@forcing.misconception(
    "You took END out of the inputs. Cut the last column only: what the decoder reads after a "
    "short target does not matter, since padding is left out of the loss."
)
def forcing_without_end(target_ids):
    """The last real token of each row becomes padding."""
    last = (target_ids != 0).sum(1, keepdims=True) - 1
    inputs = np.where(np.arange(target_ids.shape[1]) == last, 0, target_ids)
    return inputs[:, :-1], target_ids[:, 1:]


# ------------------------------------------------------------------------ masked_cross_entropy

loss = Exercise(
    "masked_cross_entropy",
    points=5,
    signature="masked_cross_entropy(logits, targets)",
    package=f"{PACKAGE}.masked_cross_entropy",
    forbids=[
        f"{PACKAGE}.masked_cross_entropy",
        f"{PACKAGE}.MaskedCrossEntropy",
        "keras.losses.SparseCategoricalCrossentropy",
        "keras.losses.sparse_categorical_crossentropy",
        "keras.losses.CategoricalCrossentropy",
        "keras.losses.categorical_crossentropy",
    ],
    hints=[
        "First the cost of every place, (B, T). Then leave the padding out of both the sum and the "
        "count.",
        "cost = -log_softmax(logits)[target]; mask = targets != 0, as numbers; loss = "
        "sum(cost * mask) / max(sum(mask), 1).",
        "V = 2, logits = [[[0, 0], [5, 7]]], targets = [[1, 0]]: the first place costs ln 2, the "
        "second is padding. The loss is 0.693 / 1.",
    ],
)


def log_softmax(logits, axis=-1):
    """Logarithm of the softmax, stable."""
    logits = logits - logits.max(axis=axis, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=axis, keepdims=True))


def chosen(values, targets):
    """Return the value of each place's target, `(B, T)`."""
    return np.take_along_axis(values, np.asarray(targets, "int64")[..., None], axis=-1)[..., 0]


def costs(logits, targets):
    """Return the cross-entropy of each place, and where it counts."""
    return -chosen(log_softmax(logits), targets), np.asarray(targets) != 0


@loss.oracle
def masked_cross_entropy(logits, targets):
    """Mean over the real tokens of the whole batch."""
    cost, mask = costs(logits, targets)
    return (cost * mask).sum() / max(mask.sum(), 1)


def draw_logits(rng, longest=19):
    """Draw logits `(B, T, V)` and targets of different lengths."""
    rows, vocabulary = (int(n) for n in rng.choice((3, 5, 7, 11), 2, replace=False))
    length = int(rng.choice((13, 17, longest)))
    lengths = rng.integers(1, length, rows)
    lengths[:2] = length, 2
    targets = rng.integers(1, vocabulary, (rows, length))
    targets[np.arange(length) >= lengths[:, None]] = 0
    return rng.normal(scale=2.0, size=(rows, length, vocabulary)), targets


@loss.case(points=1, hint="Equal logits mean the probability 1/V for each token.")
def equal_logits_cost_the_logarithm_of_the_vocabulary(lab, rng):
    """A model that knows nothing pays ln V a token, whatever stands at the padding."""
    _, targets = draw_logits(rng)
    vocabulary = int(rng.integers(23, 998))
    logits = np.zeros((*targets.shape, vocabulary)) + rng.normal(size=(*targets.shape, 1))
    padding = targets == 0
    logits[padding] = 3 * rng.normal(size=(padding.sum(), vocabulary))
    got = lab.masked_cross_entropy(logits, targets)
    return close(got, np.log(vocabulary), what="loss")


@loss.case(points=1, hint="Count real tokens in the whole batch, and divide once.")
def every_real_token_weighs_the_same(lab, rng):
    """The loss is the mean over all real tokens of the batch: long rows weigh more than short."""
    logits, targets = draw_logits(rng)
    got = lab.masked_cross_entropy(logits, targets)
    return close(got, masked_cross_entropy(logits, targets), what="loss")


@loss.case(points=1, hint="Padding enters neither the sum nor the count.")
def longer_padding_changes_nothing(lab, rng):
    """More padding leaves the loss as it was, whatever the logits there; so does a row of it."""
    logits, targets = draw_logits(rng)
    more = int(rng.choice((5, 7, 11)))
    longer = np.pad(targets, ((0, 1), (0, more)))
    junk = 5 * rng.normal(size=(*longer.shape, logits.shape[-1]))
    junk[: len(targets), : targets.shape[1]] = logits
    expected = masked_cross_entropy(logits, targets)
    return [
        close(lab.masked_cross_entropy(logits, targets), expected, what="loss"),
        close(lab.masked_cross_entropy(junk, longer), expected, what="loss with more padding"),
    ]


@loss.case(points=1, hint="`ops.log_softmax` is stable; the log of a softmax is not.")
def large_logits_are_stable(lab, rng):
    """Where the right logit lies g below one of size 10,000, and the rest far below, it costs g."""
    rows, length, vocabulary = (int(n) for n in rng.choice((3, 5, 7, 11), 3, replace=False))
    gaps = np.round(rng.uniform(200, 900, (rows, length)))
    targets = rng.integers(1, vocabulary, (rows, length))
    targets[1:, -1] = 0
    logits = np.full((rows, length, vocabulary), -20_000.0)
    logits[..., 0] = np.where(rng.random((rows, length)) < 0.5, 10_000.0, -10_000.0)
    at = np.indices((rows, length))
    logits[(*at, targets)] = logits[..., 0] - gaps
    expected = gaps[targets != 0].mean()
    return close(lab.masked_cross_entropy(logits, targets), expected, what="loss")


@loss.case(points=1, hint="Divide by max(count, 1).")
def a_batch_of_padding_costs_nothing(lab, rng):
    """Without any real token the loss is 0, not NaN; with a single one it is that one's cost."""
    logits, targets = draw_logits(rng)
    one = np.zeros_like(targets)
    one[1, 0] = targets[1, 0]
    none = lab.masked_cross_entropy(logits, np.zeros_like(targets))
    return [
        close(
            lab.masked_cross_entropy(logits, one), masked_cross_entropy(logits, one), what="loss"
        ),
        close(none, 0.0, what="loss of padding alone"),
    ]


def wrong_loss(message):
    """Register a wrong mean: a function of costs and mask, both `(B, T)`."""

    def register(function):
        def answer(logits, targets):
            return function(*costs(logits, targets))

        answer.__name__ = function.__name__
        loss.misconception(message)(answer)
        return function

    return register


@wrong_loss("Padding counts in your loss. Leave out the places where the target is 0.")
def padding_counted(cost, mask):
    """Mean over every place."""
    return cost.mean()


@wrong_loss(
    "Padding is not in your sum, but in your count: you divided by B · T. Divide by the number of "
    "real tokens."
)
def divided_by_all_places(cost, mask):
    """Mean of the masked costs."""
    return (cost * mask).mean()


@wrong_loss(
    "You averaged within each row first. Then a token of a short row weighs more; divide once, by "
    "the number of real tokens in the batch."
)
def mean_of_row_means(cost, mask):
    """Mean over rows of means."""
    return ((cost * mask).sum(1) / np.maximum(mask.sum(1), 1)).mean()


@wrong_loss("You did not divide. The loss is the mean over the real tokens.")
def summed(cost, mask):
    """Sum."""
    return (cost * mask).sum()


@wrong_loss("You divided by the number of rows. Divide by the number of real tokens.")
def divided_by_rows(cost, mask):
    """Sum over T, mean over B."""
    return (cost * mask).sum(1).mean()


@wrong_loss("The sign is wrong: cross-entropy is minus the logarithm, never below zero.")
def sign_forgotten(cost, mask):
    """Mean log-probability."""
    return -(cost * mask).sum() / max(mask.sum(), 1)


@wrong_loss("You took the logarithm to base 2. The loss is in nats: the natural logarithm.")
def in_bits(cost, mask):
    """Bits."""
    return (cost * mask).sum() / max(mask.sum(), 1) / np.log(2)


@wrong_loss("A batch of padding gives 0 / 0. Divide by max(count, 1).")
def zero_over_zero(cost, mask):
    """NaN where no token counts."""
    with np.errstate(all="ignore"):
        return (cost * mask).sum() / np.float64(mask.sum())


@wrong_loss("You returned the cost of each place. Return their mean over the real tokens.")
def one_cost_each(cost, mask):
    """No mean."""
    return cost * mask


@wrong_loss("You returned one loss for each row. Return one number for the batch.")
def one_loss_a_row(cost, mask):
    """A loss a row."""
    return (cost * mask).sum(1) / np.maximum(mask.sum(1), 1)


@wrong_loss("You returned the perplexity, exp of the loss. Return the loss.")
def perplexity(cost, mask):
    """Exp."""
    with np.errstate(all="ignore"):
        return np.exp((cost * mask).sum() / max(mask.sum(), 1))


@loss.misconception(
    "You took the logits for probabilities. A softmax comes first: log_softmax does both."
)
def logits_as_probabilities(logits, targets):
    """Keras' clipping and normalising of what it takes for probabilities."""
    clipped = np.clip(logits, 1e-7, 1 - 1e-7)
    cost = np.log(clipped.sum(-1)) - np.log(chosen(clipped, targets))
    mask = np.asarray(targets) != 0
    return (cost * mask).sum() / max(mask.sum(), 1)


@loss.misconception(
    "You took the softmax over the places, axis 1. The tokens that compete lie on the last axis."
)
def softmax_over_time(logits, targets):
    """Log-softmax over T."""
    cost, mask = -chosen(log_softmax(logits, axis=1), targets), np.asarray(targets) != 0
    return (cost * mask).sum() / max(mask.sum(), 1)


@loss.misconception(
    "You took the logarithm of a softmax: `exp` of a large logit overflows, and a small "
    "probability becomes 0, whose logarithm is infinite. `ops.log_softmax` does both at once."
)
def log_of_a_naive_softmax(logits, targets):
    """Exp without a shift, in float32."""
    with np.errstate(all="ignore"):
        exponential = np.exp(np.asarray(logits, "float32"))
        cost = -np.log(chosen(exponential / exponential.sum(-1, keepdims=True), targets))
    mask = np.asarray(targets) != 0
    with np.errstate(all="ignore"):
        return np.where(mask, cost, 0).sum() / max(mask.sum(), 1)


@loss.misconception(
    "You took the logarithm of a softmax: `exp` of a large logit overflows, and a small "
    "probability becomes 0, whose logarithm is infinite. `ops.log_softmax` does both at once."
)
def log_of_a_softmax(logits, targets):
    """Shifted, but a probability of 0 all the same."""
    logits = np.asarray(logits, "float32")
    exponential = np.exp(logits - logits.max(-1, keepdims=True))
    mask = np.asarray(targets) != 0
    with np.errstate(all="ignore"):
        cost = -np.log(chosen(exponential / exponential.sum(-1, keepdims=True), targets))
        return np.where(mask, cost, 0).sum() / max(mask.sum(), 1)


@loss.misconception(
    "You multiplied the logits by the mask. A place of zeros still costs ln V: leave it out of sum "
    "and count."
)
def logits_multiplied(logits, targets):
    """Logits of padding become 0, the mean runs over all."""
    mask = np.asarray(targets) != 0
    cost, _ = costs(logits * mask[..., None], targets)
    return cost.mean()


@loss.misconception(
    "You took the largest log-probability of each place. Take that of the target, right or not."
)
def best_instead_of_target(logits, targets):
    """The model's own choice."""
    mask = np.asarray(targets) != 0
    return (-log_softmax(logits).max(-1) * mask).sum() / max(mask.sum(), 1)


# ----------------------------------------------------------------------------- decode_greedily

decode = Exercise(
    "decode_greedily",
    points=5,
    signature="decode_greedily(weights, state, start_id, end_id, max_length)",
    package=f"{PACKAGE}.decoder_arrays.decode_greedily",
    forbids=[f"{PACKAGE}.decoder_arrays.decode_greedily", f"{PACKAGE}.greedy_decode"],
    hints=[
        "Two things go from step to step: the tokens just written and the state. What are they "
        "before the first step? A third one says which rows are finished.",
        "Each step: logits, state = decoder_step(weights, tokens, state); tokens = the arg max "
        "over the last axis; write 0 in finished rows, else the token; then a row whose token is "
        "END is finished.",
        "END = 2, max_length = 4. A row whose steps prefer 7, 2, 9, 9 is written [7, 2, 0, 0]; one "
        "with 5, 6, 7, 8 is written [5, 6, 7, 8]: nobody puts an END there.",
    ],
)


def sigmoid(x):
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def step(weights, tokens, state):
    """One step of the decoder: logits and the new state, in float64."""
    w = {name: np.asarray(value, "float64") for name, value in weights.items()}
    from_x = w["embedding"][tokens] @ w["kernel"] + w["bias"][0]
    from_h = state @ w["recurrent_kernel"] + w["bias"][1]
    (x_z, x_r, x_g), (h_z, h_r, h_g) = np.split(from_x, 3, -1), np.split(from_h, 3, -1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    state = z * state + (1 - z) * np.tanh(x_g + r * h_g)
    return state @ w["output_kernel"] + w["output_bias"], state


def run_decoder(weights, state, start_id, end_id, max_length, **how):
    """Decode; `how` says what goes wrong.

    `feed` makes what the next step reads of the step's tokens; `carry` makes the state that goes on
    of the new and the first one; `after` is what stands after END: 0, "end", or "on" for whatever
    comes; `stop` is `np.all`, or `np.any` to end the batch with its first row.
    """
    first = state = np.asarray(state, "float64")
    tokens, finished = np.full(len(state), start_id), np.zeros(len(state), bool)
    feed, carry = how.get("feed", lambda new: new), how.get("carry", lambda new, _: new)
    after, stop = how.get("after", 0), how.get("stop", np.all)
    written = np.zeros((len(state), max_length), "int64")
    for t in range(max_length):
        logits, new = step(weights, tokens, state)
        best = logits.argmax(-1)
        rest = {"end": end_id, "on": best}.get(after, 0)
        written[:, t] = np.where(finished, rest, best)
        finished |= best == end_id
        tokens, state = feed(best), carry(new, first)
        if stop(finished):
            if after != 0:
                continue
            break
    return written


@decode.oracle
def decode_greedily(weights, state, start_id, end_id, max_length):
    """Feed back, carry on, stop each row at its END."""
    return run_decoder(weights, state, start_id, end_id, max_length)


def draw_decoder(rng, length):
    """Draw weights, a state, START and the tokens that come without any END.

    Token 0 is never the best, and the best one always leads clearly: rounding decides nothing.
    """
    while True:
        rows, width, units = (int(n) for n in rng.choice((5, 7, 11), 3, replace=False))
        vocabulary = int(rng.choice((13, 17, 19, 23)))

        def draw(*shape, scale=1.0):
            return rng.normal(scale=scale, size=shape)

        weights = {
            "embedding": draw(vocabulary, width, scale=1.5),
            "kernel": draw(width, 3 * units, scale=1.5 * width**-0.5),
            "recurrent_kernel": draw(units, 3 * units, scale=1.5 * units**-0.5),
            "bias": draw(2, 3 * units, scale=0.5),
            "output_kernel": draw(units, vocabulary, scale=2.0),
            "output_bias": draw(vocabulary, scale=0.3),
        }
        weights["output_bias"][0] = -40.0
        state, start = draw(rows, units), int(rng.integers(1, vocabulary))
        tokens, now, lead, free = np.full(rows, start), state, np.inf, []
        for _ in range(length):
            logits, now = step(weights, tokens, now)
            low, high = np.sort(logits, -1)[:, -2:].T
            tokens, lead = logits.argmax(-1), min(lead, (high - low).min())
            free.append(tokens)
        if lead > 1e-3:
            return weights, state, start, np.stack(free, 1)


def places(free, token):
    """Return where a token comes first in each row; the length where it never does."""
    return np.where((free == token).any(1), (free == token).argmax(1), free.shape[1])


def draw_ending(rng, length, all_end=False):
    """Draw a decoder and an END that rows reach at three or more places, or that some never do."""
    while True:
        weights, state, start, free = draw_decoder(rng, length)
        for end in rng.permutation(np.unique(free)):
            at = places(free, end)
            kinds = len(np.unique(at)) >= 3 and (at.min() > 0 if all_end else at.min() == 0)
            if (
                end != start
                and kinds
                and (at.max() < length - 2 if all_end else at.max() == length)
            ):
                return weights, state, start, int(end)


@decode.case(points=1, hint="The first step reads START, with the state that comes in.")
def the_first_token_comes_from_start(lab, rng):
    """With max_length 1 there is one token: the likeliest after START."""
    weights, state, start, free = draw_decoder(rng, 2)
    absent = max(set(range(1, len(weights["embedding"]))) - set(np.unique(free)) - {start})
    got = lab.decode_greedily(weights, state, start, absent, 1)
    return equal(got, free[:, :1], what="tokens")


@decode.case(points=1, hint="What a step writes is what the next one reads; its state goes on too.")
def each_step_reads_what_was_written(lab, rng):
    """Where no row ends, each token follows from the one before and from the state after it."""
    length = int(rng.integers(7, 14))
    while True:  # the tokens must change, and an id must be left for END
        weights, state, start, free = draw_decoder(rng, length)
        unused = set(range(1, len(weights["embedding"]))) - set(np.unique(free)) - {start}
        if unused and (free[:, 1:] != free[:, :-1]).mean() > 0.3:
            break
    got = lab.decode_greedily(weights, state, start, max(unused), length)
    return equal(got, free, what="tokens")


@decode.case(points=2, hint="Keep a boolean for each row: finished or not.")
def each_row_ends_at_its_own_end(lab, rng):
    """A row keeps its END and holds 0 after it; one ends with its first token, some never do."""
    length = int(rng.integers(7, 14))
    weights, state, start, end = draw_ending(rng, length)
    given = weights, state, start, end, length
    return equal(lab.decode_greedily(*given), decode_greedily(*given), what="tokens")


@decode.case(points=1, hint="The result has `max_length` columns, however early all rows end.")
def it_has_as_many_columns_as_asked(lab, rng):
    """Where all rows end early, zeros fill the rest: the result is (B, max_length)."""
    length = int(rng.integers(11, 18))
    weights, state, start, end = draw_ending(rng, length, all_end=True)
    given = weights, state, start, end, length
    return equal(lab.decode_greedily(*given), decode_greedily(*given), what="tokens")


def wrong_decoding(message, **how):
    """Register a wrong loop; its function turns what was written into what is returned."""

    def register(function):
        def answer(weights, state, start_id, end_id, max_length):
            written = run_decoder(weights, state, start_id, end_id, max_length, **how)
            return function(written, start_id, end_id)

        answer.__name__ = function.__name__
        decode.misconception(message)(answer)
        return function

    return register


@wrong_decoding(
    "The state does not go on: each step starts from the encoder's state. Use the state that the "
    "step returned.",
    carry=lambda new, first: first,
)
def state_not_carried(written, start_id, end_id):
    """The first state at each step."""
    return written


@wrong_decoding(
    "You stopped the whole batch with its first END. The other rows go on: stop when all are "
    "finished.",
    stop=np.any,
)
def all_stop_with_the_first(written, start_id, end_id):
    """Any instead of all."""
    return written


@wrong_decoding("Tokens follow END in your rows. After its END a row holds zeros.", after="on")
def written_on(written, start_id, end_id):
    """No stop."""
    return written


@wrong_decoding(
    "You fill finished rows with END. After its first END a row holds zeros.", after="end"
)
def filled_with_end(written, start_id, end_id):
    """END to the end."""
    return written


@wrong_decoding("Your rows lack their END. Write it, then finish the row.")
def end_left_out(written, start_id, end_id):
    """END becomes 0."""
    return np.where(written == end_id, 0, written)


@wrong_decoding("START stands in front of your tokens. The decoder reads it; it is not written.")
def start_written(written, start_id, end_id):
    """START in the first column, the last one lost."""
    start = np.full((len(written), 1), start_id)
    return np.concatenate([start, written[:, :-1]], axis=1)


@wrong_decoding("START stands in front of your tokens. The decoder reads it; it is not written.")
def start_written_too(written, start_id, end_id):
    """START in one more column."""
    return np.concatenate([np.full((len(written), 1), start_id), written], axis=1)


@wrong_decoding(
    "Your result ends with its longest row. It has `max_length` columns, zeros included."
)
def cut_at_the_longest(written, start_id, end_id):
    """Fewer columns."""
    return written[:, : max(int((written != 0).sum(1).max()), 1)]


@wrong_decoding("Your rows are steps. Stack the steps along axis 1, which gives (B, max_length).")
def steps_first(written, start_id, end_id):
    """Transposed."""
    return written.T


@decode.misconception(
    "Every step of yours reads START. Each step reads the token that the step before has written."
)
def start_at_each_step(weights, state, start_id, end_id, max_length):
    """No feedback."""
    return run_decoder(
        weights, state, start_id, end_id, max_length, feed=lambda new: np.full_like(new, start_id)
    )


@decode.misconception(
    "You return one token too few: the loop runs `max_length` times, and START is not among them."
)
def one_step_too_few(weights, state, start_id, end_id, max_length):
    """A column short."""
    return run_decoder(weights, state, start_id, end_id, max_length)[:, : max_length - 1]


# --------------------------------------------------------------------------------- exact_match

match = Exercise(
    "exact_match",
    points=2,
    signature="exact_match(predicted, targets)",
    package=f"{PACKAGE}.exact_match",
    forbids=[f"{PACKAGE}.exact_match"],
    hints=[
        "First compare place by place. When is a whole row right?",
        "The mean over rows of: all places of the row are equal.",
        "predicted = [[5, 2], [6, 7]], targets = [[5, 2], [6, 2]]: places [[True, True], "
        "[True, False]], rows [True, False], the result 0.5.",
    ],
)


@match.oracle
def exact_match(predicted, targets):
    """The share of rows without a difference."""
    return (np.asarray(predicted) == np.asarray(targets)).all(axis=1).mean()


def draw_predictions(rng):
    """Draw targets that end with END and padding, and which rows will be wrong."""
    rows, length = int(rng.integers(41, 98)), int(rng.choice((7, 11, 13)))
    targets = draw_targets(rng, rows, length)[:, 1:]
    wrong = rng.permutation(rows) < rng.integers(7, rows - 7)
    return targets, wrong


@match.case(points=1, hint="A row counts as right only if all its places are right.")
def one_wrong_letter_makes_a_row_wrong(lab, rng):
    """A row with one wrong letter is wrong, and so is one with its letters in another order."""
    targets, wrong = draw_predictions(rng)
    lengths, rows = (targets != 0).sum(1) - 1, np.flatnonzero(wrong)
    swapped = rows[2]
    targets[swapped, 0] = 600  # an id that stands nowhere else
    predicted = targets.copy()
    at = (rng.random(len(rows)) * lengths[rows]).astype(int)
    at[0], at[1] = 0, lengths[rows[1]] - 1
    predicted[rows, at] += rng.integers(1, 90, len(rows))
    predicted[swapped] = targets[swapped]
    predicted[swapped, :2] = targets[swapped, 1::-1]
    return close(lab.exact_match(predicted, targets), 1 - wrong.mean(), what="exact match")


@match.case(points=1, hint="Compare all places, also where the target is 0.")
def what_stands_after_the_end_counts(lab, rng):
    """A row that goes on after END, or that lacks it, is wrong too."""
    targets, wrong = draw_predictions(rng)
    targets = np.pad(targets, ((0, 0), (0, 1)))
    lengths = (targets != 0).sum(1)
    predicted, rows = targets.copy(), np.flatnonzero(wrong)
    at = lengths[rows] - (rng.random(len(rows)) < 0.3)  # the place after END, or END itself
    at[0], at[1] = lengths[rows[0]], lengths[rows[1]] - 1
    predicted[rows, at] = rng.integers(3, 500, len(rows))
    return close(lab.exact_match(predicted, targets), 1 - wrong.mean(), what="exact match")


def wrong_match(message):
    """Register a wrong score of predictions and targets, both arrays."""

    def register(function):
        def answer(predicted, targets):
            return function(np.asarray(predicted), np.asarray(targets))

        answer.__name__ = function.__name__
        match.misconception(message)(answer)
        return function

    return register


@wrong_match("You counted single places. A row is right only as a whole.")
def share_of_places(predicted, targets):
    """Accuracy over places."""
    return (predicted == targets).mean()


@wrong_match("You compared which tokens occur. Compare place by place: the order counts.")
def same_tokens(predicted, targets):
    """Rows with the same tokens in any order."""
    return (np.sort(predicted, 1) == np.sort(targets, 1)).all(1).mean()


@wrong_match("You counted single tokens. A row is right only as a whole.")
def share_of_tokens(predicted, targets):
    """Accuracy over real tokens."""
    return (predicted == targets)[targets != 0].mean()


@wrong_match(
    "You left out the places where the target is padding: a row that goes on after END then counts "
    "as right. Compare all places."
)
def padding_left_out(predicted, targets):
    """Real tokens only."""
    return ((predicted == targets) | (targets == 0)).all(1).mean()


@wrong_match("For you a row is right where any place is. All of them must be.")
def any_place(predicted, targets):
    """Any instead of all."""
    return (predicted == targets).any(1).mean()


@wrong_match("You returned the number of right rows. Divide by the number of rows.")
def counted(predicted, targets):
    """A count."""
    return (predicted == targets).all(1).sum()


@wrong_match("You took `all` over the batch. Take it over the places of a row, the last axis.")
def over_rows(predicted, targets):
    """Share of columns."""
    return (predicted == targets).all(0).mean()


@wrong_match("You compared the whole batch at once. Compare row by row, and take the mean.")
def whole_batch(predicted, targets):
    """1 or 0."""
    return float((predicted == targets).all())


@wrong_match("You returned a truth value for each row. Return their mean, one number.")
def each_row(predicted, targets):
    """No mean."""
    return (predicted == targets).all(1)


@wrong_match("You returned the share of wrong rows. Return the share of right ones.")
def share_of_errors(predicted, targets):
    """One minus."""
    return 1 - (predicted == targets).all(1).mean()


@wrong_match("You left out the last real token, END. A row that misses it is wrong.")
def end_ignored(predicted, targets):
    """Real tokens but END."""
    last = (targets != 0).sum(1, keepdims=True) - 1
    places = np.arange(targets.shape[1])
    return ((predicted == targets) | (places >= last)).all(1).mean()
