"""Checks of lab 4: what each head adds, what it is worth, rollout, shared keys and values."""

import numpy as np

from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import array, close
from autograder.exercise import Exercise

PACKAGE = "course.m03_attention"


def single(x):
    """Round to what float32 holds, as values do on their way."""
    return np.asarray(x, "float32").astype("float64")


def sizes(rng, count, *choices):
    """Draw `count` different sizes, so that no axis can be taken for another."""
    return (int(n) for n in rng.permutation(choices or (2, 3, 5, 7, 11))[:count])


# ------------------------------------------------------------------------- head_contributions

parts = Exercise(
    "head_contributions",
    points=3,
    signature="head_contributions(heads, kernel)",
    package=f"{PACKAGE}.head_contributions",
    forbids=[f"{PACKAGE}.head_contributions"],
    hints=[
        "The merged heads meet the kernel in one product. Which rows of the kernel meet the "
        "numbers of head n, and only those?",
        "Head n owns the rows n·H to (n+1)·H. Reshape the kernel to (N, H, E); head n's part is "
        "heads[:, n] @ kernel[n], for all heads at once an einsum bnth,nhe->bnte.",
        "N = 2, H = 1, kernel [[1, 2], [3, 4]]. With 10 from head 0 and 1 from head 1 the parts "
        "are 10·[1, 2] = [10, 20] and 1·[3, 4] = [3, 4].",
    ],
)


@parts.oracle
def head_contributions(heads, kernel):
    """Each head times its own rows of the kernel."""
    size = heads.shape[-1]
    return np.stack(
        [
            heads[:, n] @ kernel[n * size : (n + 1) * size]  # (B, T, E)
            for n in range(heads.shape[1])
        ],
        axis=1,
    )


def draw_heads(rng, *choices):
    """Draw heads `(B, N, T, H)` and a kernel `(N·H, E)`."""
    batch, num_heads, length, size, width = sizes(rng, 5, *choices)
    return (
        rng.normal(size=(batch, num_heads, length, size)),
        rng.normal(size=(num_heads * size, width)),
    )


@parts.case(points=1, hint="Work the example in the text by hand, then print yours.")
def each_head_meets_its_own_rows(lab, rng):
    """Part n is head n times the rows n·H to (n+1)·H of the kernel."""
    heads, kernel = draw_heads(rng)
    return close(
        lab.head_contributions(heads, kernel), head_contributions(heads, kernel), what="parts"
    )


@parts.case(points=1, hint="Add your parts up over the heads and compare with the whole product.")
def the_parts_add_up(lab, rng):
    """The sum of the parts over the heads is the layer's output, merged heads times kernel."""
    heads, kernel = draw_heads(rng)
    merged = np.concatenate(list(np.moveaxis(heads, 1, 0)), axis=-1)  # (B, T, N·H)
    got = array(lab.head_contributions(heads, kernel), "parts")
    whole = head_contributions(heads, kernel)
    if got.shape != whole.shape:
        return close(got, whole, what="parts")
    return close(got.sum(1), merged @ kernel, what="sum of the parts")


@parts.case(points=1, hint="Nothing but head n itself may enter part n.")
def a_silent_head_adds_nothing(lab, rng):
    """A head that is all zeros has a part of zeros; the others' parts stay as they are."""
    heads, kernel = draw_heads(rng)
    heads[:, rng.integers(heads.shape[1])] = 0
    return close(
        lab.head_contributions(heads, kernel), head_contributions(heads, kernel), what="parts"
    )


@parts.misconception(
    "You returned the layer's output. Keep the heads apart: one part for each, (B, N, T, E)."
)
def added_up_already(heads, kernel):
    """The sum of the parts."""
    return head_contributions(heads, kernel).sum(1)


@parts.misconception(
    "Every head meets the first H rows of the kernel. Head n owns the rows n·H to (n+1)·H."
)
def first_rows_for_all(heads, kernel):
    """Rows 0 to H."""
    return heads @ kernel[: heads.shape[-1]]


@parts.misconception(
    "Your head n takes every N-th row of the kernel. Its rows are neighbours: reshape the kernel "
    "to (N, H, E), not to (H, N, E)."
)
def interleaved_rows(heads, kernel):
    """Every N-th row from row n on."""
    count = heads.shape[1]
    return np.stack([heads[:, n] @ kernel[n::count] for n in range(count)], axis=1)


@parts.misconception("The heads meet the kernel in reverse. Head 0 owns the first rows.")
def rows_in_reverse(heads, kernel):
    """The blocks in reverse order."""
    size = heads.shape[-1]
    blocks = kernel.reshape(-1, size, kernel.shape[-1])[::-1]
    return head_contributions(heads, blocks.reshape(kernel.shape))


@parts.misconception("Your axes are (B, T, N, E). Move the heads in front of the time axis.")
def heads_after_time(heads, kernel):
    """(B, T, N, E)."""
    return np.swapaxes(head_contributions(heads, kernel), 1, 2)


@parts.misconception(
    "You divided by the number of heads. The layer adds its heads up; it does not average them."
)
def averaged(heads, kernel):
    """Over N."""
    return head_contributions(heads, kernel) / heads.shape[1]


@parts.misconception(
    "You reshaped the heads from (B, N, T, H) to (B, T, N, H), which mixes places. Leave `heads` "
    "as it is, or transpose."
)
def reshaped_for_transposed(heads, kernel):
    """A bare reshape in place of a transpose."""
    batch, count, length, size = heads.shape
    mixed = heads.reshape(batch, length, count, size).transpose(0, 2, 1, 3)
    return head_contributions(mixed, kernel)


@parts.misconception(
    "Your part n holds what the heads 0 to n add together. Each part is of one head alone."
)
def running_sum(heads, kernel):
    """Sums over the heads so far."""
    return head_contributions(heads, kernel).cumsum(1)


# ------------------------------------------------------------------------ importance_per_head

worth = Exercise(
    "importance_per_head",
    points=5,
    signature="importance_per_head(heads, gradients)",
    package=f"{PACKAGE}.importance_per_head",
    forbids=[f"{PACKAGE}.importance_per_head", f"{PACKAGE}.head_importance"],
    hints=[
        "A mask ξ multiplies every number that a head gives in an example. What does the chain "
        "rule say about the loss's gradient towards this one number ξ, given its gradient towards "
        "each of the head's numbers?",
        "g[l, b, n] = sum over t and h of heads · gradients. Then the absolute value, then the "
        "mean over b. Last, divide each layer's N values by the root of the sum of their squares.",
        "One layer, two examples, one place, H = 1. Head 0: outputs 2 and 2, gradients 1 and -1, "
        "so g is 2 and -2 and the mean of |g| is 2. Head 1: outputs 3 and 1, gradients 0.5 and "
        "1.5: g is 1.5 and 1.5, the mean 1.5. √(2² + 1.5²) = 2.5, so the result is [[0.8, 0.6]].",
    ],
)


def mask_gradients(heads, gradients):
    """Return the gradient towards each example's mask, (L, B, N)."""
    return (heads * gradients).sum((-1, -2))


def normalised(values):
    """Divide each row by its Euclidean norm; a row of zeros stays."""
    norms = np.sqrt((values**2).sum(-1, keepdims=True))
    return values / np.where(norms == 0, 1, norms)


@worth.oracle
def importance_per_head(heads, gradients):
    """Mean over examples of |gradient of the mask|, each layer of norm 1."""
    return normalised(np.abs(mask_gradients(heads, gradients)).mean(1))


def draw_layers(rng, num_layers=None, num_examples=None):
    """Draw outputs and gradients `(L, B, N, T, H)`."""
    layers, examples, count, length, size = sizes(rng, 5)
    shape = (num_layers or layers, num_examples or examples, count, length, size)
    return rng.normal(size=shape), rng.normal(size=shape)


def importance_is_right(lab, heads, gradients):
    """Compare with the oracle."""
    got = lab.importance_per_head(heads, gradients)
    return close(got, importance_per_head(heads, gradients), what="importance")


@worth.case(points=1, hint="All numbers of a head hang on one mask: add their products up.")
def one_example_and_one_layer(lab, rng):
    """For one example and layer it is the size of Σ output · gradient, scaled to norm 1."""
    return importance_is_right(lab, *draw_layers(rng, 1, 1))


@worth.case(points=1, hint="Take the absolute value of each example before the mean.")
def examples_do_not_cancel(lab, rng):
    """A head that lowers one example's loss as much as it raises another's is important."""
    heads, gradients = draw_layers(rng, 1)
    heads = np.concatenate([heads, heads], axis=1)
    gradients = np.concatenate([gradients, -gradients], axis=1)
    gradients[:, :, 0] *= 3
    gradients[:, 0, 1] *= 2
    return importance_is_right(lab, heads, gradients)


@worth.case(points=1, hint="The sum over places and numbers comes first, then its absolute value.")
def within_an_example_terms_cancel(lab, rng):
    """What a head gives at one place can be undone by what it gives at another one."""
    heads, gradients = draw_layers(rng, 1)
    gradients[:, :, 0, 0] = single(gradients[:, :, 0, 0] * 5)
    gradients[:, :, 0, 1] = single(-gradients[:, :, 0, 0])
    heads[:, :, 0, 1] = single(heads[:, :, 0, 0] + 0.25)
    return importance_is_right(lab, heads, gradients)


@worth.case(points=1, hint="One norm for each layer, over its heads.")
def each_layer_has_norm_one(lab, rng):
    """The squares of a layer's importances add up to 1, however large its gradients are."""
    heads, gradients = draw_layers(rng)
    gradients[0] = single(gradients[0] * 40)
    return importance_is_right(lab, heads, gradients)


@worth.case(points=1, hint="0 / 0 is NaN: divide by something larger where the norm is 0.")
def a_layer_that_does_nothing_gets_zeros(lab, rng):
    """Where all gradients of a layer are 0, its importances are 0; the other layers are right."""
    heads, gradients = draw_layers(rng)
    gradients[rng.integers(len(gradients))] = 0
    return importance_is_right(lab, heads, gradients)


@worth.misconception(
    "You took the mean over the examples before the absolute value: examples that pull in opposite "
    "directions cancel. The absolute value comes first."
)
def mean_before_absolute(heads, gradients):
    """|mean|."""
    return normalised(np.abs(mask_gradients(heads, gradients).mean(1)))


@worth.misconception(
    "You took the absolute value of every product. Add the products of an example up first: the "
    "mask moves all numbers of its head together."
)
def absolute_before_sum(heads, gradients):
    """Σ |output · gradient|."""
    return normalised(np.abs(heads * gradients).sum((-1, -2)).mean(1))


@worth.misconception(
    "The absolute value is missing: heads whose gradient is negative count as less than useless."
)
def signed(heads, gradients):
    """No absolute value."""
    return normalised(mask_gradients(heads, gradients).mean(1))


@worth.misconception("You did not divide each layer's importances by their norm.")
def not_normalised(heads, gradients):
    """Plain means."""
    return np.abs(mask_gradients(heads, gradients)).mean(1)


@worth.misconception(
    "You divided by one norm over all layers. Each layer has its own: gradients of different "
    "layers differ in size."
)
def one_norm_for_all(heads, gradients):
    """The norm of everything."""
    values = not_normalised(heads, gradients)
    return values / np.sqrt((values**2).sum())


@worth.misconception(
    "You divided by the sum of a layer's importances. Divide by the root of the sum of squares."
)
def divided_by_the_sum(heads, gradients):
    """Rows add up to one."""
    values = not_normalised(heads, gradients)
    return values / np.maximum(values.sum(-1, keepdims=True), 1e-12)


@worth.misconception(
    "You divided by a layer's largest importance. Divide by the root of the sum of squares."
)
def divided_by_the_largest(heads, gradients):
    """The largest is one."""
    values = not_normalised(heads, gradients)
    return values / np.maximum(values.max(-1, keepdims=True), 1e-12)


@worth.misconception(
    "You used the gradients alone. By the chain rule each is multiplied by the head's number there."
)
def gradients_alone(heads, gradients):
    """|Σ gradient|."""
    return importance_per_head(np.ones_like(heads), gradients)


@worth.misconception(
    "You used the heads' outputs alone. A head with large outputs that the loss ignores is not "
    "important: multiply by the gradients."
)
def outputs_alone(heads, gradients):
    """|Σ output|."""
    return importance_per_head(heads, np.ones_like(heads))


@worth.misconception(
    "You squared each example's gradient. Take its absolute value: squares let few examples decide."
)
def squares(heads, gradients):
    """Mean of squares."""
    return normalised((mask_gradients(heads, gradients) ** 2).mean(1))


@worth.misconception(
    "You divide 0 by 0 where a layer's gradients are all 0. Its importances should be 0."
)
def nan_without_gradient(heads, gradients):
    """0 / 0."""
    values = not_normalised(heads, gradients)
    return values / np.sqrt((values**2).sum(-1, keepdims=True))


@worth.misconception(
    "You summed over the heads and kept the places. Sum over the last two axes, places and numbers."
)
def places_kept(heads, gradients):
    """(L, T)."""
    return importance_per_head(np.swapaxes(heads, 2, 3), np.swapaxes(gradients, 2, 3))


# -------------------------------------------------------------------------- attention_rollout

rollout = Exercise(
    "attention_rollout",
    points=4,
    signature="attention_rollout(weights, residual=0.5)",
    package=f"{PACKAGE}.attention_rollout",
    forbids=[f"{PACKAGE}.attention_rollout"],
    hints=[
        "First one layer: what is a token made of after it, if a share of itself stays? Then two: "
        "the second layer mixes what the first one made.",
        "mixed = (1 - residual) · mean of the heads + residual · identity, for each layer. "
        "R_1 = mixed_1 and R_l = mixed_l @ R_{l-1}: the later layer stands on the left.",
        "One head, T = 2, residual 0.5, both layers [[0, 1], [1, 0]]: mixed is [[0.5, 0.5], "
        "[0.5, 0.5]], and so is its product with itself.",
    ],
)


def mixtures(weights, residual, heads=None):
    """Mix each layer with the identity: (L, ..., T, T)."""
    heads = weights.mean(-3) if heads is None else heads
    return (1 - residual) * heads + residual * np.eye(weights.shape[-1])


def products(mixed, step=lambda new, heard: new @ heard):
    """Multiply the layers up."""
    found = [mixed[0]]
    for new in mixed[1:]:
        found.append(step(new, found[-1]))
    return np.stack(found)


@rollout.oracle
def attention_rollout(weights, residual=0.5):
    """Products of the mixed layers."""
    return products(mixtures(weights, residual))


def draw_weights(rng, *shape):
    """Draw rows that add up to one, `shape` being all axes but the last."""
    x = rng.random((*shape, shape[-1])) ** 3 + 0.01
    return single(x / x.sum(-1, keepdims=True))


def rollout_is_right(lab, weights, *residual):
    """Compare with the oracle."""
    got = lab.attention_rollout(weights, *residual)
    return close(got, attention_rollout(weights, *residual), what="rollout")


@rollout.case(points=1, hint="Average the heads, then mix with the identity, half and half.")
def one_layer_is_half_itself(lab, rng):
    """After one layer a token owes half to itself and half to what its heads attend to."""
    batch, heads, length = sizes(rng, 3, 3, 5, 7, 11)
    return rollout_is_right(lab, draw_weights(rng, 1, batch, heads, length))


@rollout.case(points=1, hint="The new layer mixes what the layers below have made.")
def layers_multiply_from_the_left(lab, rng):
    """Entry l is the product of the layers up to it, the latest on the left."""
    layers, batch, heads, length = sizes(rng, 4, 3, 5, 7, 11)
    return rollout_is_right(lab, draw_weights(rng, layers, batch, heads, length))


@rollout.case(points=1, hint="`residual` is the share of the token itself.")
def the_share_of_the_residual_is_an_argument(lab, rng):
    """The share `residual` stays with the token, the rest goes to the heads; 0 is a share too."""
    layers, batch, heads, length = sizes(rng, 4, 2, 3, 5, 7)
    weights = draw_weights(rng, layers, batch, heads, length)
    share = float(single(rng.choice([0.1, 0.2, 0.3, 0.7, 0.8]) + 0.05 * rng.random()))
    return [rollout_is_right(lab, weights, share), rollout_is_right(lab, weights, 0.0)]


@rollout.case(points=1, hint="Count axes from the end: heads are axis -3.")
def any_leading_axes(lab, rng):
    """Between layers and heads may stand a batch, or nothing."""
    layers, batch, heads, length = sizes(rng, 4, 2, 3, 5, 7)
    weights = draw_weights(rng, layers, batch, heads, length)
    return [rollout_is_right(lab, weights[:, 0]), rollout_is_right(lab, weights)]


@rollout.misconception(
    "You multiplied the new layer from the right. The last layer reads what the first ones made, "
    "so it stands on the left."
)
def from_the_right(weights, residual=0.5):
    """R A."""
    return products(mixtures(weights, residual), lambda new, heard: heard @ new)


@rollout.misconception(
    "You left the residual connection out. Each layer also keeps the share `residual` of its input."
)
def without_residual(weights, residual=0.5):
    """No identity."""
    return attention_rollout(weights, 0.0)


@rollout.misconception(
    "You added the identity without shares, so rows add up to more than one. Take the mean of the "
    "heads (1 - residual) times and the identity residual times."
)
def identity_added(weights, residual=0.5):
    """A + I."""
    return products(weights.mean(-3) + np.eye(weights.shape[-1]))


@rollout.misconception(
    "You exchanged the shares: `residual` is the share of the identity, 1 - residual that of the "
    "heads."
)
def shares_exchanged(weights, residual=0.5):
    """Shares r for the heads, 1 - r for the identity."""
    return attention_rollout(weights, 1 - residual)


@rollout.misconception("You ignored `residual` and always took one half.")
def always_one_half(weights, residual=0.5):
    """One half."""
    return attention_rollout(weights)


@rollout.misconception("You added the heads up. Take their mean, so that rows add up to one.")
def heads_added(weights, residual=0.5):
    """Sum over heads."""
    return products(mixtures(weights, residual, weights.sum(-3)))


@rollout.misconception("You took the largest weight over the heads. Take their mean.")
def largest_of_the_heads(weights, residual=0.5):
    """Maximum over heads."""
    return products(mixtures(weights, residual, weights.max(-3)))


@rollout.misconception("You used the first head only. Take the mean of all heads.")
def first_head_only(weights, residual=0.5):
    """Head 0."""
    return products(mixtures(weights, residual, weights[..., 0, :, :]))


@rollout.misconception(
    "You returned the last layer's rollout only. Return one for each layer, (L, …, T, T)."
)
def last_only(weights, residual=0.5):
    """The last entry."""
    return attention_rollout(weights, residual)[-1]


@rollout.misconception(
    "You multiplied number by number. A token hears through all tokens between: that is the matrix "
    "product."
)
def number_by_number(weights, residual=0.5):
    """Elementwise product."""
    return products(mixtures(weights, residual), lambda new, heard: new * heard)


@rollout.misconception(
    "You mixed the identity in once, after the product. Every layer has a residual connection."
)
def mixed_once(weights, residual=0.5):
    """(1 - r) product + r I."""
    return mixtures(weights, residual, products(weights.mean(-3)))


@rollout.misconception(
    "You took the mean over axis 1. With a batch that is the examples; the heads are axis -3."
)
def mean_over_axis_1(weights, residual=0.5):
    """Right only without a batch."""
    return products(mixtures(weights, residual, weights.mean(1)))


@rollout.misconception("You returned each layer by itself. Multiply the layers up.")
def layers_alone(weights, residual=0.5):
    """The mixed layers."""
    return mixtures(weights, residual)


# ---------------------------------------------------------------------- group_query_attention

grouped = Exercise(
    "group_query_attention",
    points=5,
    signature="group_query_attention(query, key, value, mask=None)",
    package=f"{PACKAGE}.group_query_attention",
    forbids=[
        f"{PACKAGE}.group_query_attention",
        *ATTENTION,
        f"{PACKAGE}.GroupQueryAttention",
        "course.m02_transformer.MultiHeadAttention",
    ],
    hints=[
        "How many query heads share one key head? Once each key head stands there as often as "
        "that, query and key have equally many heads, and you know the rest.",
        "r = N // G. `ops.repeat(key, r, axis=1)` gives key heads 0, 0, …, 1, 1, …; `ops.tile` "
        "would give 0, 1, …, 0, 1, …. The same for the values, then scaled dot-product attention.",
        "N = 4, G = 2, so r = 2: query heads 0 and 1 read key and value head 0, heads 2 and 3 read "
        "head 1. With N = 6 and G = 2, r = 3: heads 0, 1, 2 read head 0.",
    ],
)


def attention(query, key, value, mask=None, scale=None, axis=-1):
    """Scaled dot-product attention of equally many heads."""
    scores = np.einsum("bnth,bnsh->bnts", query, key) / (scale or np.sqrt(query.shape[-1]))
    if mask is not None:
        scores = np.where(mask, scores, -1e9)
    exponential = np.exp(scores - scores.max(axis, keepdims=True))
    weights = exponential / exponential.sum(axis, keepdims=True)
    return np.einsum("bnts,bnsh->bnth", weights, value)


def shared(x, num_heads):
    """Return the key or value head that each query head reads, (B, N, S, H)."""
    return x[:, [n // (num_heads // x.shape[1]) for n in range(num_heads)]]


@grouped.oracle
def group_query_attention(query, key, value, mask=None):
    """Head n reads key and value head n // (N / G)."""
    count = query.shape[1]
    return attention(query, shared(key, count), shared(value, count), mask)


def draw_groups(rng, groups, shares):
    """Draw a query `(B, N, T, H)`, keys and values `(B, G, S, H)`, N = groups · shares."""
    batch, length, source, size = sizes(rng, 4, 5, 7, 11, 13)
    return (
        rng.normal(scale=1.5, size=(batch, groups * shares, length, size)),
        rng.normal(scale=1.5, size=(batch, groups, source, size)),
        rng.normal(size=(batch, groups, source, size)),
    )


def output_is_right(lab, *inputs):
    """Compare with the oracle."""
    got = lab.group_query_attention(*inputs)
    return close(got, group_query_attention(*inputs), what="output")


@grouped.case(points=1, hint="Neighbouring query heads share: 0 to r - 1 read head 0.")
def neighbours_share_keys_and_values(lab, rng):
    """Query head n reads key and value head n // r, where r = N / G."""
    groups, shares = rng.permutation([2, 3, 5])[:2]
    return output_is_right(lab, *draw_groups(rng, int(groups), int(shares)))


@grouped.case(points=1, hint="With G = N nothing is repeated.")
def with_as_many_groups_it_is_multi_head_attention(lab, rng):
    """With G = N every query head has keys and values of its own."""
    return output_is_right(lab, *draw_groups(rng, int(rng.choice([2, 3])), 1))


@grouped.case(points=1, hint="With G = 1 the only key head serves all queries.")
def with_one_group_all_share(lab, rng):
    """With G = 1 all query heads read the same keys and values, and still differ."""
    return output_is_right(lab, *draw_groups(rng, 1, int(rng.choice([2, 3]))))


@grouped.case(points=1, hint="Pass the mask on to scaled dot-product attention.")
def hidden_keys_stay_hidden(lab, rng):
    """A mask (B, 1, T, S), or (T, S), hides the same keys from every head."""
    query, key, value = draw_groups(rng, *map(int, rng.permutation([2, 3])))
    batch, length, source = len(query), query.shape[2], key.shape[2]
    each, one = rng.random((batch, 1, length, source)) < 0.5, rng.random((length, source)) < 0.5
    each[..., 0], one[..., 1] = True, True
    return [output_is_right(lab, query, key, value, mask) for mask in (each, one)]


@grouped.case(points=1, hint="No other group may see the head that changed.")
def only_the_own_group_changes(lab, rng):
    """Other keys and values in one head change the outputs of its r query heads, no others."""
    groups, shares = 3, int(rng.choice([2, 5]))
    query, key, value = draw_groups(rng, groups, shares)
    other_key, other_value = key.copy(), value.copy()
    changed = int(rng.integers(groups))
    other_key[:, changed] = rng.normal(scale=1.5, size=key[:, 0].shape)
    other_value[:, changed] = rng.normal(size=value[:, 0].shape)
    return [
        output_is_right(lab, query, key, value),
        output_is_right(lab, query, other_key, other_value),
    ]


@grouped.misconception(
    "Your query head n reads key head n mod G, as `tile` lays them out. Neighbours share: head n "
    "reads n // (N / G), as `repeat` does."
)
def tiled(query, key, value, mask=None):
    """Head n reads head n mod G."""
    times = (1, query.shape[1] // key.shape[1], 1, 1)
    return attention(query, np.tile(key, times), np.tile(value, times), mask)


@grouped.misconception(
    "Keys are repeated, but values are tiled. Query head n reads key and value head n // (N / G)."
)
def values_tiled(query, key, value, mask=None):
    """Keys right, values n mod G."""
    count = query.shape[1]
    times = (1, count // value.shape[1], 1, 1)
    return attention(query, shared(key, count), np.tile(value, times), mask)


@grouped.misconception("You averaged the key and value heads. Each group has its own.")
def averaged_heads(query, key, value, mask=None):
    """One mean head for all."""
    key, value = (shared(x.mean(1, keepdims=True), query.shape[1]) for x in (key, value))
    return attention(query, key, value, mask)


@grouped.misconception("All your query heads read key and value head 0. Each group has its own.")
def first_head_for_all(query, key, value, mask=None):
    """Head 0."""
    key, value = (shared(x[:, :1], query.shape[1]) for x in (key, value))
    return attention(query, key, value, mask)


@grouped.misconception("Your groups stand in reverse. Query head 0 reads key and value head 0.")
def groups_in_reverse(query, key, value, mask=None):
    """The last head first."""
    return group_query_attention(query, key[:, ::-1], value[:, ::-1], mask)


@grouped.misconception("You did not divide the scores by √H.")
def unscaled(query, key, value, mask=None):
    """Scale 1."""
    count = query.shape[1]
    return attention(query, shared(key, count), shared(value, count), mask, scale=1.0)


@grouped.misconception(
    "You divided the scores by √(N·H), the width of the layer. Divide by √H, the size of a head."
)
def scaled_by_the_width(query, key, value, mask=None):
    """Scale √D."""
    count = query.shape[1]
    scale = np.sqrt(count * query.shape[-1])
    return attention(query, shared(key, count), shared(value, count), mask, scale)


@grouped.misconception("You ignored the mask.")
def mask_ignored(query, key, value, mask=None):
    """No mask."""
    return group_query_attention(query, key, value)


@grouped.misconception("You hid the keys where the mask is True. True means: may attend.")
def mask_inverted(query, key, value, mask=None):
    """True hides."""
    mask = None if mask is None else ~np.asarray(mask, bool)
    return group_query_attention(query, key, value, mask)


@grouped.misconception(
    "You averaged the query heads of a group: G heads come out. All N query heads stay, only keys "
    "and values are shared."
)
def queries_averaged(query, key, value, mask=None):
    """(B, G, T, H)."""
    batch, count, length, size = query.shape
    groups = key.shape[1]
    query = query.reshape(batch, groups, count // groups, length, size).mean(2)
    return attention(query, key, value, mask)


@grouped.misconception(
    "Your values are the keys. Both are repeated in the same way, but they stay two things."
)
def keys_for_values(query, key, value, mask=None):
    """Keys as values."""
    return group_query_attention(query, key, key, mask)


@grouped.misconception("Your softmax runs over the queries. It runs over the keys, the last axis.")
def softmax_over_queries(query, key, value, mask=None):
    """Softmax over axis -2."""
    count = query.shape[1]
    return attention(query, shared(key, count), shared(value, count), mask, axis=-2)
