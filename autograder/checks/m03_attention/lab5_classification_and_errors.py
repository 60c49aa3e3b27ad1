"""Checks of lab 5: attention pooling, confusion by slice, erasure, rank agreement."""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import array, close, equal, holds, unpack
from autograder.exercise import Exercise

PACKAGE = "course.m03_attention"


def single(x):
    """Round to what float32 holds, as values do on their way."""
    return np.asarray(x, "float32").astype("float64")


def sizes(rng, count, *choices):
    """Draw `count` different sizes, so that no axis can be taken for another."""
    return (int(n) for n in rng.permutation(choices)[:count])


def softmax(x, axis=-1):
    """Return the softmax."""
    exponential = np.exp(x - x.max(axis, keepdims=True))
    return exponential / exponential.sum(axis, keepdims=True)


# -------------------------------------------------------------------------- attention_pooling

pooling = Exercise(
    "attention_pooling",
    points=5,
    signature="attention_pooling(states, mask, kernel, bias, v)",
    package=f"{PACKAGE}.attention_pooling",
    forbids=[
        f"{PACKAGE}.attention_pooling",
        *ATTENTION,
        f"{PACKAGE}.AdditiveAttention",
        f"{PACKAGE}.additive_score",
    ],
    hints=[
        "Three steps: one score for each state, a softmax over the places that hides the padding, "
        "and a sum of states. Which axis does each step remove?",
        "scores = tanh(states @ kernel + bias) · v, (B, T). Put -1e9 where the mask is False, take "
        "the softmax over the last axis, and sum weights[:, :, None] · states over axis 1.",
        "If v is all zeros, all scores are 0. With three places of which the last is padding the "
        "weights are [0.5, 0.5, 0], and the pooled vector is the mean of the first two states.",
    ],
)


def additive_scores(states, kernel, bias, v):
    """Return v · tanh(W h + b), (B, T)."""
    return np.tanh(states @ kernel + bias) @ v


def pool(states, weights):
    """Return the weighted sum of the states and the weights."""
    return np.einsum("bt,bth->bh", weights, states), weights


def hide(scores, mask, value=-1e9):
    """Replace the scores of padding."""
    return np.where(mask, scores, value)


@pooling.oracle
def attention_pooling(states, mask, kernel, bias, v):
    """The sum of the states by a masked softmax of additive scores."""
    return pool(states, softmax(hide(additive_scores(states, kernel, bias, v), mask)))


def draw_states(rng, padded=True):
    """Draw states, a mask and the weights of the score."""
    batch, length, size, units = sizes(rng, 4, 3, 5, 7, 11, 13)
    mask = np.ones((batch, length), bool)
    if padded:
        mask = np.arange(length) < rng.integers(1, length, size=(batch, 1))
    return (
        rng.normal(size=(batch, length, size)),
        mask,
        rng.normal(scale=0.7, size=(size, units)),
        rng.normal(size=units),
        rng.normal(scale=1.5, size=units),
    )


def pooled_is_right(lab, *inputs):
    """Compare both results with the oracle."""
    got = unpack(lab.attention_pooling(*inputs), "pooled", "weights")
    expected = attention_pooling(*inputs)
    return [
        close(got[1], expected[1], what="weights"),
        close(got[0], expected[0], what="pooled states"),
    ]


@pooling.case(points=1, hint="The score is v · tanh(W h + b); the softmax runs over the places.")
def weights_come_from_additive_scores(lab, rng):
    """Without padding the weights are the softmax of v · tanh(W h + b) over the places."""
    inputs = draw_states(rng, padded=False)
    _, weights = unpack(lab.attention_pooling(*inputs), "pooled", "weights")
    return close(weights, attention_pooling(*inputs)[1], what="weights")


@pooling.case(points=1, hint="Hide the scores of padding before the softmax.")
def padding_gets_no_weight(lab, rng):
    """At padding the weight is 0, and the weights of the tokens add up to one."""
    inputs = draw_states(rng)
    _, weights = unpack(lab.attention_pooling(*inputs), "pooled", "weights")
    return close(weights, attention_pooling(*inputs)[1], what="weights")


@pooling.case(points=1, hint="Sum over the places, of the states themselves.")
def the_pooled_vector_is_a_weighted_sum_of_states(lab, rng):
    """The pooled vector is the sum of the states times their weights."""
    inputs = draw_states(rng)
    pooled, _ = unpack(lab.attention_pooling(*inputs), "pooled", "weights")
    return close(pooled, attention_pooling(*inputs)[0], what="pooled states")


@pooling.case(points=1, hint="Whatever stands at padding must not matter.")
def more_padding_changes_nothing(lab, rng):
    """Large states at the padding, and more of it, leave the pooled vector as it is."""
    states, mask, *score = draw_states(rng)
    more = int(rng.integers(2, 5))
    longer = np.concatenate([states, np.zeros((len(states), more, states.shape[2]))], axis=1)
    hidden = np.concatenate([mask, np.zeros((len(mask), more), bool)], axis=1)
    longer[~hidden] = rng.normal(scale=20, size=longer[~hidden].shape)
    pooled, _ = unpack(lab.attention_pooling(longer, hidden, *score), "pooled", "weights")
    return close(pooled, attention_pooling(states, mask, *score)[0], what="pooled states")


@pooling.case(points=1, hint="Hide with a large finite number, not with infinity.")
def a_text_without_tokens_stays_finite(lab, rng):
    """A text that is all padding gives finite numbers; the other texts are right."""
    inputs = draw_states(rng)
    empty = int(rng.integers(len(inputs[0])))
    inputs[1][empty] = False
    rest = np.arange(len(inputs[0])) != empty
    pooled, weights = unpack(lab.attention_pooling(*inputs), "pooled", "weights")
    pooled, weights = array(pooled, "pooled states"), array(weights, "weights")
    expected = attention_pooling(*inputs)
    if pooled.shape != expected[0].shape or weights.shape != expected[1].shape:
        return pooled_is_right(lab, *inputs)
    finite = np.isfinite(pooled[empty]).all() and np.isfinite(weights[empty]).all()
    return [
        holds(
            finite,
            expected="finite numbers for the text without tokens",
            got="finite numbers" if finite else "NaN or infinity",
            problem="The text without tokens gives NaN or infinity.",
        ),
        close(pooled[rest], expected[0][rest], what="other texts' pooled states"),
        close(weights[rest], expected[1][rest], what="other texts' weights"),
    ]


@pooling.misconception("The tanh is missing from the score.")
def without_tanh(states, mask, kernel, bias, v):
    """A linear score."""
    return pool(states, softmax(hide((states @ kernel + bias) @ v, mask)))


@pooling.misconception("The bias is missing from the score: v · tanh(W h + b).")
def without_bias(states, mask, kernel, bias, v):
    """No b."""
    return attention_pooling(states, mask, kernel, 0 * bias, v)


@pooling.misconception("You took the tanh of the whole score. It stands inside: v · tanh(W h + b).")
def tanh_outside(states, mask, kernel, bias, v):
    """The tanh of the product with v."""
    return pool(states, softmax(hide(np.tanh((states @ kernel + bias) @ v), mask)))


@pooling.misconception("You ignored the mask: padding gets weight.")
def mask_ignored(states, mask, kernel, bias, v):
    """No mask."""
    return attention_pooling(states, np.ones_like(mask), kernel, bias, v)


@pooling.misconception("You hid the tokens. The mask is True at tokens, False at padding.")
def mask_inverted(states, mask, kernel, bias, v):
    """True hides."""
    return attention_pooling(states, ~np.asarray(mask, bool), kernel, bias, v)


@pooling.misconception(
    "You masked after the softmax, so the weights no longer add up to one. Mask the scores."
)
def masked_after_the_softmax(states, mask, kernel, bias, v):
    """Weights times mask."""
    return pool(states, softmax(additive_scores(states, kernel, bias, v)) * mask)


@pooling.misconception(
    "You multiplied the scores by the mask. A score of 0 is not hidden: it still gets a weight."
)
def scores_times_mask(states, mask, kernel, bias, v):
    """Hidden scores become 0."""
    return pool(states, softmax(additive_scores(states, kernel, bias, v) * mask))


@pooling.misconception(
    "You hid with minus infinity: a text without tokens becomes NaN. Use a large finite number."
)
def minus_infinity(states, mask, kernel, bias, v):
    """-inf at padding."""
    with np.errstate(all="ignore"):
        return pool(states, softmax(hide(additive_scores(states, kernel, bias, v), mask, -np.inf)))


@pooling.misconception(
    "Your softmax runs over the texts of the batch. It runs over the places of one text."
)
def softmax_over_texts(states, mask, kernel, bias, v):
    """Softmax over axis 0."""
    return pool(states, softmax(hide(additive_scores(states, kernel, bias, v), mask), axis=0))


@pooling.misconception(
    "You summed the hidden layer of the score. The pooled vector is made of the states."
)
def hidden_layer_pooled(states, mask, kernel, bias, v):
    """The tanh layer as values."""
    _, weights = attention_pooling(states, mask, kernel, bias, v)
    return pool(np.tanh(states @ kernel + bias), weights)


@pooling.misconception(
    "You took the mean of the weighted states. The weights add up to one already: take the sum."
)
def divided_by_the_length(states, mask, kernel, bias, v):
    """Sum over T."""
    pooled, weights = attention_pooling(states, mask, kernel, bias, v)
    return pooled / states.shape[1], weights


@pooling.misconception("You returned the weights first. The pooled vector comes first.")
def weights_first(states, mask, kernel, bias, v):
    """In the wrong order."""
    return attention_pooling(states, mask, kernel, bias, v)[::-1]


# ------------------------------------------------------------------------- confusion_by_slice

slices = Exercise(
    "confusion_by_slice",
    points=4,
    signature="confusion_by_slice(labels, predictions, members, num_classes)",
    package=f"{PACKAGE}.confusion_by_slice",
    forbids=[
        f"{PACKAGE}.confusion_by_slice",
        "tensorflow.math.confusion_matrix",
        "sklearn.metrics.confusion_matrix",
    ],
    hints=[
        "One slice is a confusion matrix over some of the texts. A loop over slices and texts is "
        "fine. For the shares, count the errors of all texts once.",
        "matrix[s, labels[i], predictions[i]] grows by one for each i with members[s, i]. "
        "share[s] = number of i in slice s with labels[i] != predictions[i], over the number of "
        "all such i. `np.add.at` counts repeated places, `m[rows, columns] += 1` does not.",
        "labels [0, 1, 1], predictions [0, 0, 1], slices {0, 1} and {2}: the matrices are "
        "[[1, 0], [1, 0]] and [[0, 0], [0, 1]]. The only error lies in the first: shares [1, 0].",
    ],
)


def count(labels, predictions, members, num_classes):
    """Return the matrices (S, C, C)."""
    matrices = np.zeros((len(members), num_classes, num_classes), "int64")
    for s, i in zip(*np.nonzero(members), strict=True):
        matrices[s, labels[i], predictions[i]] += 1
    return matrices


def share(labels, predictions, members):
    """Return the share of all errors that lies in each slice."""
    wrong = labels != predictions
    return (members & wrong).sum(1) / max(wrong.sum(), 1)


@slices.oracle
def confusion_by_slice(labels, predictions, members, num_classes):
    """A confusion matrix for each slice, and the share of all errors in it."""
    members = np.asarray(members, bool)
    return count(labels, predictions, members, num_classes), share(labels, predictions, members)


def draw_texts(rng, num_slices, right=0.6):
    """Draw labels, predictions, slices that overlap, and the number of classes."""
    texts, classes = int(rng.integers(40, 90)), int(rng.choice([3, 4, 5]))
    labels = rng.integers(0, classes, size=texts)
    other = rng.integers(0, classes, size=texts)
    predictions = np.where(rng.random(texts) < right, labels, other)
    predictions[:2] = (labels[:2] + 1) % classes
    members = rng.random((num_slices, texts)) < rng.uniform(0.2, 0.7, size=(num_slices, 1))
    members[:, 2:4] = True
    return labels, predictions, members, classes


def slices_are_right(lab, *inputs):
    """Compare both results with the oracle."""
    matrices, shares = unpack(lab.confusion_by_slice(*inputs), "matrices", "shares")
    expected = confusion_by_slice(*inputs)
    return [
        close(matrices, expected[0], what="matrices"),
        close(shares, expected[1], what="shares of the errors"),
    ]


@slices.case(points=1, hint="Rows are true classes, columns predicted ones.")
def one_slice_of_all_texts(lab, rng):
    """A slice that holds all texts gives the ordinary confusion matrix and the share 1."""
    labels, predictions, members, classes = draw_texts(rng, 1)
    return slices_are_right(lab, labels, predictions, np.ones_like(members), classes)


@slices.case(points=1, hint="A text counts in every slice that it belongs to.")
def slices_overlap(lab, rng):
    """Each matrix counts the texts of its slice, also those that lie in other slices too."""
    inputs = draw_texts(rng, int(rng.choice([2, 6, 7])))
    matrices, _ = unpack(lab.confusion_by_slice(*inputs), "matrices", "shares")
    return close(matrices, confusion_by_slice(*inputs)[0], what="matrices")


@slices.case(points=1, hint="Divide by the number of all errors, those outside every slice too.")
def shares_are_of_all_errors(lab, rng):
    """The share of a slice is its errors over all errors of the test, in slices or not."""
    labels, predictions, members, classes = draw_texts(rng, int(rng.choice([2, 6, 7])), 0.4)
    members[:, :2] = False
    inputs = labels, predictions, members, classes
    _, shares = unpack(lab.confusion_by_slice(*inputs), "matrices", "shares")
    return close(shares, confusion_by_slice(*inputs)[1], what="shares of the errors")


@slices.case(points=1, hint="C comes from `num_classes`; 0 / 0 is NaN.")
def empty_slices_and_no_errors(lab, rng):
    """An empty slice, and a class that does not occur, give zeros; so do shares without errors."""
    labels, predictions, members, classes = draw_texts(rng, int(rng.choice([2, 6, 7])))
    members[rng.integers(len(members))] = False
    return [
        *slices_are_right(lab, labels, predictions, members, classes + 1),
        *slices_are_right(lab, labels, labels, members, classes),
    ]


@slices.misconception("Your rows are predictions. Rows are true classes, columns predicted ones.")
def predictions_as_rows(labels, predictions, members, num_classes):
    """Transposed matrices."""
    matrices, shares = confusion_by_slice(labels, predictions, members, num_classes)
    return matrices.swapaxes(1, 2), shares


@slices.misconception(
    "You divided a slice's errors by its own size: that is its error rate. The share asks how many "
    "of all errors lie in it."
)
def error_rates(labels, predictions, members, num_classes):
    """Errors over texts of the slice."""
    matrices, _ = confusion_by_slice(labels, predictions, members, num_classes)
    wrong = (members & (labels != predictions)).sum(1)
    return matrices, wrong / np.maximum(members.sum(1), 1)


@slices.misconception(
    "You made the shares add up to one. Slices overlap, and some errors lie in none: divide by the "
    "number of all errors."
)
def shares_add_up(labels, predictions, members, num_classes):
    """Over the sum of the slices' errors."""
    matrices, shares = confusion_by_slice(labels, predictions, members, num_classes)
    return matrices, shares / (shares.sum() or 1)


@slices.misconception("You divided the errors by the number of all texts, not of all errors.")
def shares_of_texts(labels, predictions, members, num_classes):
    """Errors of the slice over N."""
    matrices, _ = confusion_by_slice(labels, predictions, members, num_classes)
    return matrices, (members & (labels != predictions)).sum(1) / len(labels)


@slices.misconception(
    "Your shares count the right answers. They are about the errors: labels != predictions."
)
def shares_of_the_right_ones(labels, predictions, members, num_classes):
    """Right answers of the slice over all right ones."""
    right = labels == predictions
    return count(labels, predictions, members, num_classes), (members & right).sum(1) / right.sum()


@slices.misconception(
    "You put each text into its first slice only. Slices overlap: a text counts in each of its own."
)
def first_slice_only(labels, predictions, members, num_classes):
    """Members without overlap."""
    first = members & (np.cumsum(members, 0) == 1)
    return confusion_by_slice(labels, predictions, first, num_classes)


@slices.misconception(
    "You counted the texts outside each slice. `members` is True for those inside."
)
def outside(labels, predictions, members, num_classes):
    """The complement."""
    return confusion_by_slice(labels, predictions, ~np.asarray(members, bool), num_classes)


@slices.misconception(
    "`matrix[labels, predictions] += 1` counts a pair of classes once, however often it occurs. "
    "Use `np.add.at`, a loop, or a sum of one-hot products."
)
def counted_once(labels, predictions, members, num_classes):
    """Ones in place of counts."""
    matrices, shares = confusion_by_slice(labels, predictions, members, num_classes)
    return np.minimum(matrices, 1), shares


@slices.misconception("You divided each row by its sum. Return counts.")
def rows_normalised(labels, predictions, members, num_classes):
    """Rows add up to one."""
    matrices, shares = confusion_by_slice(labels, predictions, members, num_classes)
    return matrices / np.maximum(matrices.sum(-1, keepdims=True), 1), shares


@slices.misconception("You divide by 0 where no text is wrong. Then all shares are 0.")
def nan_without_errors(labels, predictions, members, num_classes):
    """0 / 0."""
    matrices, _ = confusion_by_slice(labels, predictions, members, num_classes)
    wrong = labels != predictions
    with np.errstate(all="ignore"):
        return matrices, (members & wrong).sum(1) / wrong.sum()


@slices.misconception(
    "You took the number of classes from the labels. A class may be missing: C is `num_classes`."
)
def classes_that_occur(labels, predictions, members, num_classes):
    """C = largest label + 1."""
    return confusion_by_slice(labels, predictions, members, int(labels.max()) + 1)


# ----------------------------------------------------------------------------- erasure_effect

erasure = Exercise(
    "erasure_effect",
    points=5,
    signature="erasure_effect(states, weights, places, kernel, bias)",
    package=f"{PACKAGE}.erasure_effect",
    forbids=[f"{PACKAGE}.erasure_effect"],
    hints=[
        "Write the way from weights to probabilities as a function of its own, and call it twice: "
        "with the weights, and with those that are left. What must hold for the weights that are "
        "left?",
        "left = weights with 0 at the place; left = left / its sum (where the sum is 0, leave the "
        "zeros). p = softmax((Σ_t w_t h_t) @ kernel + bias). distance = ½ Σ_c |p_c - q_c|.",
        "weights [0.5, 0.25, 0.25] and place 0: what is left is [0, 0.25, 0.25], and divided by "
        "its sum [0, 0.5, 0.5]. Probabilities (0.7, 0.2, 0.1) and (0.4, 0.5, 0.1) have the "
        "distance ½ (0.3 + 0.3 + 0) = 0.3, and the prediction flips.",
    ],
)


def probabilities(states, weights, kernel, bias):
    """Return the class probabilities."""
    return softmax(np.einsum("bt,bth->bh", weights, states) @ kernel + bias)


def without_place(weights, places):
    """Return the weights with 0 at each text's place."""
    left = np.array(weights)
    left[np.arange(len(left)), places] = 0
    return left


def renormalised(left):
    """Let each row add up to one; a row of zeros stays."""
    total = left.sum(-1, keepdims=True)
    return left / np.where(total == 0, 1, total)


def effect(p, q):
    """Return total variation distance and flips."""
    return np.abs(p - q).sum(-1) / 2, p.argmax(-1) != q.argmax(-1)


@erasure.oracle
def erasure_effect(states, weights, places, kernel, bias):
    """Distance and flip of the prediction when one token's weight is erased."""
    left = renormalised(without_place(weights, places))
    return effect(
        probabilities(states, weights, kernel, bias), probabilities(states, left, kernel, bias)
    )


def draw_erasure(rng, scale=1.0):
    """Draw texts of which some flip and some do not, and no class is a close call."""
    while True:
        batch, length, size, classes = sizes(rng, 4, 5, 7, 11, 13)
        states = rng.normal(size=(batch, length, size))
        weights = single(softmax(2 * rng.normal(size=(batch, length))))
        places = np.where(
            rng.random(batch) < 0.7, weights.argmax(-1), rng.integers(0, length, size=batch)
        )
        kernel, bias = rng.normal(scale=scale, size=(size, classes)), rng.normal(size=classes)
        inputs = states, weights, places, kernel, bias
        left = renormalised(without_place(weights, places))
        sure = [_margin(states, w, kernel, bias) for w in (weights, left)]
        flipped = erasure_effect(*inputs)[1]
        if flipped.any() and not flipped.all() and min(sure) > 1e-3 and len(set(places)) > 1:
            return inputs


def _margin(states, weights, kernel, bias):
    """Return how far the best class's logit is ahead, at least."""
    logits = np.sort(np.einsum("bt,bth->bh", weights, states) @ kernel + bias)
    return (logits[:, -1] - logits[:, -2]).min()


@erasure.case(points=1, hint="½ Σ |p - q|, over the classes, of probabilities.")
def the_distance_is_total_variation(lab, rng):
    """The distance is half the sum of the probabilities' differences, before and after."""
    inputs = draw_erasure(rng)
    distance, _ = unpack(lab.erasure_effect(*inputs), "distance", "flipped")
    return close(distance, erasure_effect(*inputs)[0], what="distance")


@erasure.case(points=1, hint="Compare the classes with the largest probability.")
def a_flip_is_another_prediction(lab, rng):
    """`flipped` is True exactly where the predicted class is another one afterwards."""
    inputs = draw_erasure(rng)
    _, flipped = unpack(lab.erasure_effect(*inputs), "distance", "flipped")
    return equal(flipped, erasure_effect(*inputs)[1], what="flipped")


@erasure.case(points=1, hint="Erase one place in each text: row b loses `places[b]`.")
def a_token_without_weight_can_go(lab, rng):
    """Erasing a token of weight 0 changes nothing; the other texts change as they should."""
    states, weights, places, kernel, bias = draw_erasure(rng)
    calm = int(rng.integers(len(places)))
    weights[calm, places[calm]] = 0
    weights[calm] = single(weights[calm] / weights[calm].sum())
    inputs = states, weights, places, kernel, bias
    distance, _ = unpack(lab.erasure_effect(*inputs), "distance", "flipped")
    return close(distance, erasure_effect(*inputs)[0], what="distance")


@erasure.case(points=1, hint="0 / 0 is NaN: where no weight is left, the pooled vector is 0.")
def a_text_of_one_token(lab, rng):
    """Where the erased token had all the weight, the bias alone decides; other texts are right."""
    states, weights, places, kernel, bias = draw_erasure(rng)
    only = int(rng.integers(len(places)))
    weights[only] = np.eye(weights.shape[1])[places[only]]
    inputs = states, weights, places, kernel, bias
    distance, _ = unpack(lab.erasure_effect(*inputs), "distance", "flipped")
    return close(distance, erasure_effect(*inputs)[0], what="distance")


@erasure.case(points=1, hint="Use a stable softmax: `ops.softmax`, or subtract the largest logit.")
def large_logits_are_stable(lab, rng):
    """Logits in the hundreds give no overflow."""
    states, weights, places, kernel, bias = draw_erasure(rng, scale=0.5)
    inputs = states, weights, places, kernel, single(bias + 300.0)
    distance, flipped = unpack(lab.erasure_effect(*inputs), "distance", "flipped")
    expected = erasure_effect(*inputs)
    return [
        close(distance, expected[0], 5e-4, what="distance"),  # float32 near 300 keeps 3e-5
        equal(flipped, expected[1], what="flipped"),
    ]


@erasure.misconception(
    "You did not divide the weights that are left by their sum. They should add up to one again."
)
def not_renormalised(states, weights, places, kernel, bias):
    """Weights that add up to less than one."""
    left = without_place(weights, places)
    return effect(
        probabilities(states, weights, kernel, bias), probabilities(states, left, kernel, bias)
    )


@erasure.misconception(
    "You took a softmax of the weights that are left. They are weights: divide by their sum."
)
def softmax_of_weights(states, weights, places, kernel, bias):
    """A second softmax."""
    left = softmax(without_place(weights, places))
    return effect(
        probabilities(states, weights, kernel, bias), probabilities(states, left, kernel, bias)
    )


@erasure.misconception("The factor ½ is missing: the distance runs from 0 to 1.")
def without_the_half(states, weights, places, kernel, bias):
    """Twice the distance."""
    distance, flipped = erasure_effect(states, weights, places, kernel, bias)
    return 2 * distance, flipped


@erasure.misconception("You compared logits. Compare probabilities, after the softmax.")
def logits_compared(states, weights, places, kernel, bias):
    """No softmax."""
    left = renormalised(without_place(weights, places))
    p, q = (np.einsum("bt,bth->bh", w, states) @ kernel + bias for w in (weights, left))
    return effect(p, q)


@erasure.misconception("You kept the token and erased all others. Erase the token at the place.")
def all_others_erased(states, weights, places, kernel, bias):
    """Only the place is left."""
    left = np.eye(weights.shape[1])[places]
    return effect(
        probabilities(states, weights, kernel, bias), probabilities(states, left, kernel, bias)
    )


@erasure.misconception("You erased the first text's place in all texts. Row b loses `places[b]`.")
def one_place_for_all(states, weights, places, kernel, bias):
    """The place of text 0."""
    return erasure_effect(states, weights, np.full_like(places, places[0]), kernel, bias)


@erasure.misconception("The bias is missing from the logits.")
def without_the_bias(states, weights, places, kernel, bias):
    """No bias."""
    return erasure_effect(states, weights, places, kernel, 0 * bias)


@erasure.misconception(
    "You took the largest difference of a class. The distance is half their sum over all classes."
)
def largest_difference(states, weights, places, kernel, bias):
    """Maximum over the classes."""
    left = renormalised(without_place(weights, places))
    p, q = (probabilities(states, w, kernel, bias) for w in (weights, left))
    return np.abs(p - q).max(-1), p.argmax(-1) != q.argmax(-1)


@erasure.misconception("You took the mean over the classes. The distance is half the sum.")
def mean_difference(states, weights, places, kernel, bias):
    """Mean over the classes."""
    distance, flipped = erasure_effect(states, weights, places, kernel, bias)
    return 2 * distance / kernel.shape[1], flipped


@erasure.misconception("`flipped` is the wrong way round: True means that the prediction changed.")
def flips_inverted(states, weights, places, kernel, bias):
    """True where nothing flips."""
    distance, flipped = erasure_effect(states, weights, places, kernel, bias)
    return distance, ~flipped


@erasure.misconception(
    "You divide 0 by 0 where the erased token had all the weight. Leave zeros there: the pooled "
    "vector is 0."
)
def nan_for_one_token(states, weights, places, kernel, bias):
    """0 / 0."""
    left = without_place(weights, places)
    with np.errstate(all="ignore"):
        left = left / left.sum(-1, keepdims=True)
        return effect(
            probabilities(states, weights, kernel, bias), probabilities(states, left, kernel, bias)
        )


@erasure.misconception(
    "`exp` of a large logit overflows. Subtract the largest logit first, or use `ops.softmax`."
)
def overflows(states, weights, places, kernel, bias):
    """Exp without a shift, in float32."""
    left = renormalised(without_place(weights, places))
    with np.errstate(all="ignore"):
        p, q = (
            np.exp(np.float32(np.einsum("bt,bth->bh", w, states) @ kernel + bias))
            for w in (weights, left)
        )
        return effect(p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True))


# ----------------------------------------------------------------------------- rank_agreement

ranks = Exercise(
    "rank_agreement",
    points=4,
    signature="rank_agreement(x, y, mask)",
    package=f"{PACKAGE}.rank_agreement",
    forbids=[f"{PACKAGE}.rank_agreement", "scipy.stats.kendalltau", "scipy.stats.weightedtau"],
    hints=[
        "Take two tokens. Both lists say which of them is larger. Do they agree? Count over all "
        "pairs of tokens, padding left out.",
        "sign(x_i - x_j) · sign(y_i - y_j) is 1 for a pair in the same order, -1 in the opposite, "
        "0 for a tie. Broadcasting gives all of them as (B, T, T): x[:, :, None] - x[:, None, :]. "
        "Sum over the pairs of tokens i < j, and divide by their number, at least 1.",
        "x = [1, 2, 3], y = [5, 9, 7]: the pairs (0, 1) and (0, 2) agree, (1, 2) does not. "
        "(1 + 1 - 1) / 3 = 0.333.",
    ],
)


def signs(x, y):
    """Return 1, -1 or 0 for each pair of places, (B, T, T)."""
    return np.sign(x[:, :, None] - x[:, None, :]) * np.sign(y[:, :, None] - y[:, None, :])


def pairs_of(mask):
    """Return which pairs i < j are of two tokens, (B, T, T)."""
    mask = np.asarray(mask, bool)
    return np.triu(mask[:, :, None] & mask[:, None, :], 1)


@ranks.oracle
def rank_agreement(x, y, mask):
    """Kendall's tau (a) over the tokens of each text; 0 where there is no pair."""
    pairs = pairs_of(mask)
    return (signs(x, y) * pairs).sum((1, 2)) / np.maximum(pairs.sum((1, 2)), 1)


def draw_lists(rng):
    """Draw two lists that agree more or less, and a mask of at least three tokens."""
    batch, length = int(rng.choice([3, 5, 7])), int(rng.choice([11, 13, 17]))
    x = rng.normal(size=(batch, length))
    y = single(x * rng.choice([-1.0, 0.5, 1.0], size=(batch, 1)) + rng.normal(size=(batch, length)))
    mask = np.arange(length) < rng.integers(3, length, size=(batch, 1))
    return x, y, mask


def agreement_is_right(lab, *inputs):
    """Compare with the oracle."""
    return close(lab.rank_agreement(*inputs), rank_agreement(*inputs), what="agreement")


@ranks.case(points=1, hint="(pairs in the same order - pairs in the opposite order) / all pairs.")
def pairs_that_agree_less_those_that_do_not(lab, rng):
    """Without padding it is the pairs in the same order less the opposite ones, over all pairs."""
    x, y, mask = draw_lists(rng)
    return agreement_is_right(lab, x, y, np.ones_like(mask))


@ranks.case(points=1, hint="Both tokens of a pair must be real, also when you count the pairs.")
def padding_takes_no_part(lab, rng):
    """Pairs with padding count neither above nor below the line, wherever the padding stands."""
    x, y, mask = draw_lists(rng)
    order = rng.permutation(x.shape[1])
    return [agreement_is_right(lab, x, y, mask), agreement_is_right(lab, x, y, mask[:, order])]


@ranks.case(points=1, hint="A tie is neither agreement nor the opposite: it adds 0.")
def ties_add_nothing(lab, rng):
    """A pair that is equal in one of the lists adds 0 above the line and 1 below it."""
    x, y, mask = draw_lists(rng)
    return agreement_is_right(lab, np.round(x), np.round(2 * y), mask)


@ranks.case(points=1, hint="0 / 0 is NaN: a text with fewer than two tokens has 0.")
def short_texts_have_zero(lab, rng):
    """A text of one token, or none, has no pair and the agreement 0; the others are right."""
    x, y, mask = draw_lists(rng)
    one, none = rng.permutation(len(x))[:2]
    mask[one] = np.arange(mask.shape[1]) == rng.integers(mask.shape[1])
    mask[none] = False
    return agreement_is_right(lab, x, y, mask)


@ranks.misconception("You ignored the mask: pairs with padding take part.")
def padding_takes_part(x, y, mask):
    """All pairs."""
    return rank_agreement(x, y, np.ones_like(mask))


@ranks.misconception(
    "You divided by all pairs, those with padding too. Count pairs of tokens only."
)
def divided_by_all_pairs(x, y, mask):
    """Over T (T - 1) / 2."""
    length = x.shape[1]
    return (signs(x, y) * pairs_of(mask)).sum((1, 2)) / (length * (length - 1) / 2)


@ranks.misconception(
    "You returned the share of pairs that agree, from 0 to 1. Subtract the pairs in the opposite "
    "order."
)
def share_that_agrees(x, y, mask):
    """Concordant pairs over all pairs."""
    pairs = pairs_of(mask)
    return ((signs(x, y) > 0) & pairs).sum((1, 2)) / np.maximum(pairs.sum((1, 2)), 1)


@ranks.misconception("You counted a tie as a pair in the opposite order. It adds 0.")
def ties_against(x, y, mask):
    """Ties count -1."""
    pairs = pairs_of(mask)
    each = np.where(signs(x, y) > 0, 1, -1)
    return (each * pairs).sum((1, 2)) / np.maximum(pairs.sum((1, 2)), 1)


@ranks.misconception("You counted a tie as a pair in the same order. It adds 0.")
def ties_for(x, y, mask):
    """Ties count 1."""
    pairs = pairs_of(mask)
    each = np.where(signs(x, y) < 0, -1, 1)
    return (each * pairs).sum((1, 2)) / np.maximum(pairs.sum((1, 2)), 1)


@ranks.misconception(
    "You left ties out of the number of pairs. Here a tie adds 0 above the line, and 1 below it."
)
def ties_left_out(x, y, mask):
    """Over the pairs without ties."""
    each = signs(x, y) * pairs_of(mask)
    return each.sum((1, 2)) / np.maximum(np.abs(each).sum((1, 2)), 1)


@ranks.misconception(
    "You counted each pair twice above the line and once below. Take i < j in both, or all i ≠ j."
)
def counted_twice(x, y, mask):
    """Twice the agreement."""
    return 2 * rank_agreement(x, y, mask)


@ranks.misconception(
    "You divided by n², which counts each token as a pair with itself. There are n (n - 1) ordered "
    "pairs."
)
def divided_by_the_square(x, y, mask):
    """Over n²."""
    n = np.asarray(mask).sum(1)
    return 2 * (signs(x, y) * pairs_of(mask)).sum((1, 2)) / np.maximum(n * n, 1)


@ranks.misconception("You compared neighbours only. Compare every token with every other one.")
def neighbours_only(x, y, mask):
    """Pairs (i, i + 1)."""
    pairs = pairs_of(mask) & (np.eye(x.shape[1], k=1) > 0)
    return (signs(x, y) * pairs).sum((1, 2)) / np.maximum(pairs.sum((1, 2)), 1)


@ranks.misconception("The sign is the wrong way round: the same order counts 1, the opposite -1.")
def sign_reversed(x, y, mask):
    """Minus the agreement."""
    return -rank_agreement(x, y, mask)


@ranks.misconception(
    "You divide 0 by 0 where a text has fewer than two tokens. Its agreement is 0."
)
def nan_for_short_texts(x, y, mask):
    """0 / 0."""
    pairs = pairs_of(mask)
    with np.errstate(all="ignore"):
        return (signs(x, y) * pairs).sum((1, 2)) / pairs.sum((1, 2))


@ranks.misconception(
    "You computed the correlation of the numbers (Pearson). Only the order of the tokens counts."
)
def pearson(x, y, mask):
    """The correlation over the tokens."""
    n = np.maximum(mask.sum(1, keepdims=True), 1)
    a, b = (np.where(mask, z - (z * mask).sum(1, keepdims=True) / n, 0.0) for z in (x, y))
    length = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return (a * b).sum(1) / np.where(length == 0, 1, length)
