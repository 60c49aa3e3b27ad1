"""Checks of lab 2: splitting and merging heads, the layer, its parameters and FLOPs."""

import numpy as np

from autograder import layouts
from autograder.checks.m02_transformer.ready_made import ATTENTION
from autograder.compare import Mismatch, close, equal, unpack
from autograder.exercise import Exercise
from autograder.wire import slopes
from autograder.wire.weights import require_shapes

split = Exercise(
    "split_heads",
    points=2,
    signature="split_heads(x, num_heads)",
    package="course.m02_transformer.split_heads",
    forbids=["course.m02_transformer.split_heads"],
    hints=[
        "First cut the last axis into two, then move the new heads' axis in front of the time "
        "axis. These are two steps.",
        "(B, T, D) → reshape → (B, T, N, H) → transpose → (B, N, T, H), with H = D // N.",
        "x[0] = [[1, 2, 3, 4], [5, 6, 7, 8]] and 2 heads: head 0 is [[1, 2], [5, 6]], head 1 is "
        "[[3, 4], [7, 8]].",
    ],
)


@split.oracle
def split_heads(x, num_heads):
    """Head n takes features n·H to (n+1)·H."""
    return np.stack(np.split(x, num_heads, axis=-1), axis=1)


@split.case(points=1, hint="Print the result for the example in the text.")
def two_heads_on_paper(lab, rng):
    """With two heads, [1 2 3 4] and [5 6 7 8] become [1 2], [5 6] and [3 4], [7 8]."""
    x = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
    expected = np.array([[[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]])
    return close(lab.split_heads(x, 2), expected, what="heads")


@split.case(points=1, hint="The result is (B, N, T, H), with H = D // N.")
def head_n_takes_the_nth_block(lab, rng):
    """In every example and position, head n takes features n·H to (n+1)·H."""
    x, y = rng.normal(size=(2, 7, 15)), rng.normal(size=(3, 2, 35))
    return [
        close(lab.split_heads(x, 3), split_heads(x, 3), what="heads"),
        close(lab.split_heads(y, 5), split_heads(y, 5), what="heads"),
        close(lab.split_heads(y, 1), split_heads(y, 1), what="heads"),
    ]


def _bare(x, num_heads):
    return x.reshape(*x.shape[:-1], num_heads, x.shape[-1] // num_heads)


@split.misconception(
    "You reshaped straight to (B, N, T, H): that mixes positions. Reshape to (B, T, N, H), then "
    "transpose."
)
def split_without_transpose(x, num_heads):
    """Reshape only."""
    batch, length, hidden = x.shape
    return x.reshape(batch, num_heads, length, hidden // num_heads)


@split.misconception("Your axes are (B, T, N, H). Move the heads in front of the time axis.")
def not_moved(x, num_heads):
    """(B, T, N, H)."""
    return _bare(x, num_heads)


@split.misconception(
    "Your heads take every N-th feature. Head n takes the neighbours n·H to (n+1)·H: reshape the "
    "last axis to (N, H), not to (H, N)."
)
def split_interleaved(x, num_heads):
    """Feature i goes to head i mod N."""
    cut = x.reshape(*x.shape[:-1], x.shape[-1] // num_heads, num_heads)
    return cut.transpose(0, 3, 1, 2)


@split.misconception("You put batch and heads on one axis. Keep them apart: (B, N, T, H).")
def batch_of_heads(x, num_heads):
    """(B·N, T, H)."""
    heads = split_heads(x, num_heads)
    return heads.reshape(-1, *heads.shape[2:])


@split.misconception("You put the heads first: (N, B, T, H). The batch stays first.")
def heads_first(x, num_heads):
    """(N, B, T, H)."""
    return np.moveaxis(split_heads(x, num_heads), 1, 0)


@split.misconception(
    "You made heads of size num_heads. There are num_heads heads; each has the size D // num_heads."
)
def number_taken_for_size(x, num_heads):
    """D // N heads of size N."""
    return split_heads(x, x.shape[-1] // num_heads)


@split.misconception("You swapped the last two axes: (B, N, H, T). Time comes before the features.")
def features_before_time(x, num_heads):
    """(B, N, H, T)."""
    return np.swapaxes(split_heads(x, num_heads), 2, 3)


@split.misconception("You cut the time axis. Each head sees all positions and a part of features.")
def time_cut(x, num_heads):
    """(B, N, T // N, D), an error where T is no multiple of N."""
    return np.stack(np.split(x, num_heads, axis=1), axis=1)


merge = Exercise(
    "merge_heads",
    points=2,
    signature="merge_heads(x)",
    package="course.m02_transformer.merge_heads",
    forbids=["course.m02_transformer.merge_heads"],
    hints=[
        "Undo the two steps of `split_heads`, the last one first.",
        "(B, N, T, H) → transpose → (B, T, N, H) → reshape → (B, T, N·H).",
        "x[0] = [[[1], [2]], [[3], [4]]], two heads of size 1 at two positions: position 0 is "
        "[1, 3], position 1 is [2, 4].",
    ],
)


@merge.oracle
def merge_heads(x):
    """The heads' features side by side."""
    return np.concatenate(list(np.moveaxis(x, 1, 0)), axis=-1)


@merge.case(points=1, hint="Print the result for the example in the text.")
def two_heads_side_by_side(lab, rng):
    """Heads [1 2], [5 6] and [3 4], [7 8] become [1 2 3 4] and [5 6 7 8]."""
    x = np.array([[[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]])
    expected = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
    return close(lab.merge_heads(x), expected, what="output")


@merge.case(points=1, hint="The result is (B, T, N·H).")
def head_n_gives_the_nth_block(lab, rng):
    """In every example and position, head n gives features n·H to (n+1)·H."""
    x, y = rng.normal(size=(2, 3, 7, 5)), rng.normal(size=(3, 1, 2, 11))
    return [close(lab.merge_heads(part), merge_heads(part), what="output") for part in (x, y)]


@merge.misconception(
    "You reshaped without a transpose: that mixes positions. Go back to (B, T, N, H) first."
)
def merged_without_transpose(x):
    """Reshape only."""
    batch, heads, length, size = x.shape
    return x.reshape(batch, length, heads * size)


@merge.misconception(
    "You interleaved the heads' features. Each head's features stay together: (B, T, N, H) before "
    "the reshape, not (B, T, H, N)."
)
def merged_interleaved(x):
    """Feature i comes from head i mod N."""
    batch, heads, length, size = x.shape
    return x.transpose(0, 2, 3, 1).reshape(batch, length, heads * size)


@merge.misconception("You added the heads up. Put their features side by side.")
def added_up(x):
    """Sum over heads."""
    return x.sum(axis=1)


@merge.misconception("You averaged the heads. Put their features side by side.")
def averaged(x):
    """Mean over heads."""
    return x.mean(axis=1)


@merge.misconception("You put the heads one after the other in time. Put them side by side.")
def one_after_the_other(x):
    """(B, N·T, H)."""
    batch, heads, length, size = x.shape
    return x.reshape(batch, heads * length, size)


@merge.misconception("Your axes are (B, T, N, H). Join the last two.")
def not_joined(x):
    """(B, T, N, H)."""
    return x.transpose(0, 2, 1, 3)


@merge.misconception("The heads stand in the wrong order: head 0 comes first.")
def last_head_first(x):
    """Heads from last to first."""
    return merge_heads(x[:, ::-1])


mha = Exercise(
    "MultiHeadAttention",
    points=8,
    kind="layer",
    signature="MultiHeadAttention(hidden_dim, num_heads)",
    package="course.m02_transformer.MultiHeadAttention",
    forbids=["course.m02_transformer.MultiHeadAttention", *ATTENTION],
    depends_on=["split_heads", "merge_heads"],
    hints=[
        "You need four projections of size D: for queries, keys, values, and one after the heads "
        "are merged. Keys and values come from `value`, queries from `query`.",
        "q = split(W_q query), k = split(W_k value), v = split(W_v value); the output is "
        "W_o merge(attention(q, k, v)). A mask needs an axis for the heads: (B, 1, T, S).",
        "With B = 1, T = 2, S = 3, D = 4 and N = 2: queries (1, 2, 2, 2), keys and values "
        "(1, 2, 3, 2), weights (1, 2, 2, 3), heads (1, 2, 2, 2), merged (1, 2, 4), output "
        "(1, 2, 4).",
    ],
)


@mha.weights
def read(variables, config):
    """Any layout of four projections."""
    return layouts.attention(variables, config.get("hidden_dim"), config.get("num_heads"))


def _project(x, weights, name):
    """(B, T, D) to (B, N, T, H)."""
    heads = np.einsum("btd,dnh->bnth", x, weights[name])
    bias = weights.get(f"{name}_bias")
    return heads if bias is None else heads + bias[:, None]


def _through(x, weights, name, split):
    """Project and split by a function of the learner, if there is one."""
    if split is split_heads:
        return _project(x, weights, name)
    kernel, bias = weights[name], weights.get(f"{name}_bias", np.zeros(1))
    flat = x @ kernel.reshape(len(kernel), -1) + bias.reshape(-1)
    return split(flat, kernel.shape[1])


def _join(heads, weights, merge=merge_heads):
    """(B, N, T, H) to (B, T, D)."""
    kernel = weights["output"]
    merged = merge(heads)
    return merged @ kernel.reshape(-1, kernel.shape[-1]) + weights.get("output_bias", 0)


def _softmax(scores, axis=-1):
    exponential = np.exp(scores - scores.max(axis, keepdims=True))
    return exponential / exponential.sum(axis, keepdims=True)


def _attend(query, key, value, mask=None, scale=None, axis=-1):
    """Attention per head; a mask (B, T, S) holds for every head."""
    scale = np.sqrt(query.shape[-1]) if scale is None else scale
    scores = np.einsum("bnth,bnsh->bnts", query, key) / scale
    if mask is not None:
        scores = np.where(mask[:, None], scores, -1e9)
    return np.einsum("bnts,bnsh->bnth", _softmax(scores, axis), value)


def _require(layer):
    weights = layer.weights
    missing = [name for name in layouts.ROLES if name not in weights]
    if len(missing) == len(layouts.ROLES):
        raise Mismatch(
            "Your layer has no weights. Make its projections in `__init__` or `build`, not in "
            "`call`, and keep them as attributes."
        )
    if missing:
        raise Mismatch(
            "Your layer needs four projections: for queries, keys, values and the output. It has "
            f"{len(layouts.ROLES) - len(missing)}."
        )
    hidden = (layer.hidden_dim,)
    heads = (layer.num_heads, layer.hidden_dim // layer.num_heads)
    inward = {name: (*hidden, *heads) for name in layouts.ROLES[:3]}
    biases = {f"{name}_bias": heads for name in inward}
    require_shapes(weights, **inward, output=(*heads, *hidden), **biases, output_bias=hidden)


@mha.oracle
def multi_head_attention(
    layer, query, value, attention_mask=None, *, split_heads=split_heads, merge_heads=merge_heads
):
    """Project, attend in each head, merge, project."""
    weights = layer.weights
    _require(layer)
    heads = _attend(
        _through(query, weights, "query", split_heads),
        _through(value, weights, "key", split_heads),
        _through(value, weights, "value", split_heads),
        attention_mask,
    )
    return _join(heads, weights, merge_heads)


def _inputs(rng, hidden_dim, lengths=(3, 11)):
    return [rng.normal(size=(2, length, hidden_dim)) for length in lengths]


@mha.case(points=3, hint="Print the shape after each step of `call`, for T = 3 and S = 11.")
def output_follows_the_formula(lab, rng):
    """With weights that the check chooses, the output is the formula's, for T = 3 and S = 11."""
    query, value = _inputs(rng, 35)
    layer = lab.MultiHeadAttention(hidden_dim=35, num_heads=5).fill(rng, query, value)
    return close(layer(query, value), layer.expected(query, value))


@mha.case(points=2, hint="Give the mask an axis for the heads: (B, T, S) to (B, 1, T, S).")
def hidden_keys_have_no_effect(lab, rng):
    """Where attention_mask (B, T, S) is False, key and value have no effect, in every head."""
    query, value = _inputs(rng, 35)
    mask = rng.random((2, 3, 11)) < 0.6
    mask[..., 0], mask[..., 4] = True, False
    layer = lab.MultiHeadAttention(hidden_dim=35, num_heads=5).fill(rng, query, value)
    output = layer(query, value, attention_mask=mask)
    return close(output, layer.expected(query, value, attention_mask=mask))


@mha.case(points=1, hint="Use `self.num_heads` and `self.hidden_dim`, no fixed numbers.")
def any_number_of_heads(lab, rng):
    """The formula holds for 7 heads of size 5, and for a single head, where T = S too."""
    checks = []
    for hidden_dim, num_heads in ((35, 7), (13, 1)):
        query, value = _inputs(rng, hidden_dim, lengths=(3, 3))
        layer = lab.MultiHeadAttention(hidden_dim=hidden_dim, num_heads=num_heads)
        layer.fill(rng, query, value)
        checks.append(close(layer(query, value), layer.expected(query, value)))
    return checks


@mha.case(points=1, hint="Convert nothing to NumPy inside `call`; create weights once.")
def every_weight_learns(lab, rng):
    """The output is the formula's, and every weight gets a gradient from it."""
    query, value = _inputs(rng, 35)
    layer = lab.MultiHeadAttention(hidden_dim=35, num_heads=5).fill(rng, query, value)
    return slopes.every_weight_learns(layer, rng, query, value)


@mha.case(points=1, hint="Keep `get_config` as it is, and both arguments as attributes.")
def a_copy_computes_the_same(lab, rng):
    """A copy made from `get_config()`, given the same weights, gives the formula's output."""
    query, value = _inputs(rng, 35)
    layer = lab.MultiHeadAttention(hidden_dim=35, num_heads=5).fill(rng, query, value)
    copy = layer.reload(query, value)
    return close(copy(query, value), layer.expected(query, value))


def _three(layer, query, value):
    weights = layer.weights
    return (
        _project(query, weights, "query"),
        _project(value, weights, "key"),
        _project(value, weights, "value"),
    )


@mha.misconception("You did not divide the scores by √H.")
def unscaled(layer, query, value, attention_mask=None):
    """Scale 1."""
    heads = _attend(*_three(layer, query, value), attention_mask, scale=1.0)
    return _join(heads, layer.weights)


@mha.misconception(
    "You divided the scores by √D, the size of the layer. Divide by √H, the size of a head."
)
def scaled_by_hidden(layer, query, value, attention_mask=None):
    """Scale √D."""
    heads = _attend(*_three(layer, query, value), attention_mask, scale=np.sqrt(query.shape[-1]))
    return _join(heads, layer.weights)


@mha.misconception("You divided the scores by √N, the number of heads. Divide by √H, their size.")
def scaled_by_heads(layer, query, value, attention_mask=None):
    """Scale √N."""
    three = _three(layer, query, value)
    heads = _attend(*three, attention_mask, scale=np.sqrt(three[0].shape[1]))
    return _join(heads, layer.weights)


@mha.misconception(
    "Keys and values share one projection. Each needs its own: a key says where to look, a value "
    "what to read."
)
def tied_key_and_value(layer, query, value, attention_mask=None):
    """The keys serve as values."""
    q, k = _project(query, layer.weights, "query"), _project(value, layer.weights, "key")
    return _join(_attend(q, k, k, attention_mask), layer.weights)


@mha.misconception("Queries and keys share one projection. Each needs its own.")
def tied_query_and_key(layer, query, value, attention_mask=None):
    """The projection of the queries makes the keys too."""
    weights = layer.weights
    q, k = _project(query, weights, "query"), _project(value, weights, "query")
    return _join(_attend(q, k, _project(value, weights, "value"), attention_mask), weights)


@mha.misconception("Queries, keys and values share one projection. Each needs its own.")
def tied_all(layer, query, value, attention_mask=None):
    """One projection for all three."""
    weights = layer.weights
    q, k = _project(query, weights, "query"), _project(value, weights, "query")
    return _join(_attend(q, k, k, attention_mask), weights)


@mha.misconception("The output projection is missing: heads merged, but never mixed.")
def no_output_projection(layer, query, value, attention_mask=None):
    """The merged heads."""
    return merge_heads(_attend(*_three(layer, query, value), attention_mask))


@mha.misconception("Your layer has no projections: its heads attend over the raw features.")
def no_projections(layer, query, value, attention_mask=None):
    """Raw features, cut into heads."""
    q, v = (split_heads(x, layer.num_heads) for x in (query, value))
    return merge_heads(_attend(q, v, v, attention_mask))


@mha.misconception("Your layer only projects at the end: queries, keys and values are raw.")
def output_projection_only(layer, query, value, attention_mask=None):
    """Raw features, cut into heads, then projected."""
    q, v = (split_heads(x, layer.num_heads) for x in (query, value))
    return _join(_attend(q, v, v, attention_mask), layer.weights)


@mha.misconception(
    "You reshape straight to (B, N, T, H) and so mix positions. Reshape to (B, T, N, H), then "
    "transpose."
)
def reshaped_to_heads(layer, query, value, attention_mask=None):
    """Split by a bare reshape, merge right."""
    three = [
        split_without_transpose(merge_heads(x), x.shape[1]) for x in _three(layer, query, value)
    ]
    return _join(_attend(*three, attention_mask), layer.weights)


@mha.misconception("You merge by a reshape without a transpose, which mixes positions.")
def reshaped_from_heads(layer, query, value, attention_mask=None):
    """Split right, merge by a bare reshape."""
    heads = _attend(*_three(layer, query, value), attention_mask)
    return _join(heads, layer.weights, merged_without_transpose)


@mha.misconception(
    "You split and merge by a bare reshape, which mixes positions. Both need a transpose."
)
def reshaped_both_ways(layer, query, value, attention_mask=None):
    """Split and merge by a bare reshape."""
    three = [
        split_without_transpose(merge_heads(x), x.shape[1]) for x in _three(layer, query, value)
    ]
    return _join(_attend(*three, attention_mask), layer.weights, merged_without_transpose)


@mha.misconception("Your softmax runs over the queries. It runs over the keys, the last axis.")
def softmax_over_queries(layer, query, value, attention_mask=None):
    """Softmax over axis -2."""
    heads = _attend(*_three(layer, query, value), attention_mask, axis=-2)
    return _join(heads, layer.weights)


@mha.misconception(
    "Your softmax runs over the heads. It runs over the keys; the heads know nothing of each other."
)
def softmax_over_heads(layer, query, value, attention_mask=None):
    """Softmax over axis 1."""
    heads = _attend(*_three(layer, query, value), attention_mask, axis=1)
    return _join(heads, layer.weights)


@mha.misconception(
    "Your positions do not attend: at each position the heads attend to each other. Move the heads "
    "in front of the time axis before the product."
)
def heads_attend_to_heads(layer, query, value, attention_mask=None):
    """Scores (B, T, N, N); works only where T = S."""
    q, k, v = (np.swapaxes(x, 1, 2) for x in _three(layer, query, value))
    heads = _attend(q, k, v)
    return _join(np.swapaxes(heads, 1, 2), layer.weights)


@mha.misconception(
    "You use one head of full size: the features are never cut, so all heads share one softmax."
)
def one_large_head(layer, query, value, attention_mask=None):
    """One head of size D."""
    three = [split_heads(merge_heads(x), 1) for x in _three(layer, query, value)]
    return _join(_attend(*three, attention_mask), layer.weights)


@mha.misconception("You ignored the mask.")
def mask_ignored(layer, query, value, attention_mask=None):
    """No mask."""
    return multi_head_attention(layer, query, value)


@mha.misconception("You hid the keys where the mask is True. True means: may attend.")
def mask_inverted(layer, query, value, attention_mask=None):
    """True hides."""
    mask = None if attention_mask is None else ~attention_mask
    return multi_head_attention(layer, query, value, mask)


@mha.misconception("You masked after the softmax. Mask the scores, so that the weights add to one.")
def mask_after_softmax(layer, query, value, attention_mask=None):
    """Weights times mask."""
    q, k, v = _three(layer, query, value)
    weights = _softmax(np.einsum("bnth,bnsh->bnts", q, k) / np.sqrt(q.shape[-1]))
    if attention_mask is not None:
        weights = weights * attention_mask[:, None]
    return _join(np.einsum("bnts,bnsh->bnth", weights, v), layer.weights)


@mha.misconception("You made the values from `query`. Keys and values both come from `value`.")
def values_from_query(layer, query, value, attention_mask=None):
    """Values from the query; works only where T = S."""
    weights = layer.weights
    q, k = _project(query, weights, "query"), _project(value, weights, "key")
    return _join(_attend(q, k, _project(query, weights, "value"), attention_mask), weights)


@mha.misconception("Keys and values come from `query`. They come from `value`.")
def self_attention_only(layer, query, value, attention_mask=None):
    """Attends to the query."""
    return multi_head_attention(layer, query, query, attention_mask)


@mha.misconception("Queries come from `value`. They come from `query`.")
def query_from_value(layer, query, value, attention_mask=None):
    """Attends from the value."""
    return multi_head_attention(layer, value, value, attention_mask)


@mha.misconception(
    "Your layer works only where `query` and `value` are equally long. Take the length of keys and "
    "values from `value`."
)
def one_length(layer, query, value, attention_mask=None):
    """Right where T = S, an error elsewhere."""
    if query.shape[1] != value.shape[1]:
        raise ValueError("The lengths differ.")
    return multi_head_attention(layer, query, value, attention_mask)


@mha.misconception("You added the input to the output. The residual comes in the block, lab 4.")
def residual_added(layer, query, value, attention_mask=None):
    """Output plus query."""
    return multi_head_attention(layer, query, value, attention_mask) + query


cost = Exercise(
    "attention_cost",
    points=3,
    signature="attention_cost(target_length, source_length, hidden_dim, num_heads)",
    hints=[
        "Count the projections first: how many are there, and how long is the sequence that each "
        "one works on?",
        "A matrix product (a × b) · (b × c) takes 2abc FLOPs. Four projections, two on T positions "
        "and two on S. Per head: scores (T × H) · (H × S), then mixing (T × S) · (S × H).",
        "T = S = 1, D = 2, N = 1: 4 kernels of 4 weights and 4 biases of 2 make 24 parameters. "
        "Projections: 4 · 2 · 1 · 2 · 2 = 32; scores 2 · 1 · 2 · 1 = 4; mixing 4: 40 FLOPs.",
    ],
)


@cost.oracle
def attention_cost(target_length, source_length, hidden_dim, num_heads):
    """Parameters and FLOPs."""
    t, s, d = int(target_length), int(source_length), int(hidden_dim)
    return 4 * d * d + 4 * d, 2 * d * d * (2 * t + 2 * s) + 2 * 2 * t * s * d


def _costs(lab, *sizes):
    return unpack(lab.attention_cost(*sizes), "parameters", "flops")


@cost.case(points=1, hint="Count kernel and bias of all four projections.")
def parameters_of_the_base_model(lab, rng):
    """With D = 512 and 8 heads, four projections with biases hold 1,050,624 parameters."""
    parameters, _ = _costs(lab, 16, 16, 512, 8)
    heads = int(rng.choice([3, 5, 7]))
    other = (3, 5, heads * int(rng.integers(8, 90)), heads)
    small, _ = _costs(lab, *other)
    return [
        equal(parameters, 1_050_624, what="number of parameters"),
        equal(small, attention_cost(*other)[0], what="number of parameters"),
    ]


@cost.case(
    points=1, hint="List all matrix products with their shapes. Two of them come once per head."
)
def flops_of_self_attention(lab, rng):
    """With T = S, projections, scores and mixing together take the right number of FLOPs."""
    lengths = map(int, rng.integers(31, 120, size=3))
    found = [(t, *sizes) for t, sizes in zip(lengths, ((22, 2), (22, 11), (30, 5)), strict=True)]
    return [
        equal(_costs(lab, t, t, d, n)[1], attention_cost(t, t, d, n)[1], what="number of FLOPs")
        for t, d, n in found
    ]


@cost.case(points=1, hint="Queries and output have T positions, keys and values S.")
def flops_of_cross_attention(lab, rng):
    """With T ≠ S, queries and output cost T positions each, keys and values S."""
    t, s = int(rng.integers(31, 60)), int(rng.integers(61, 120))
    return [
        equal(_costs(lab, *sizes)[1], attention_cost(*sizes)[1], what="number of FLOPs")
        for sizes in ((t, s, 22, 2), (s, t, 30, 5))
    ]


@cost.misconception("You left out the biases: one of size D for each of the four projections.")
def without_biases(target_length, source_length, hidden_dim, num_heads):
    """No biases."""
    _, flops = attention_cost(target_length, source_length, hidden_dim, num_heads)
    return 4 * hidden_dim**2, flops


@cost.misconception(
    "You counted a multiply-add as 1. It counts 2: one multiplication, one addition."
)
def multiply_add_once(target_length, source_length, hidden_dim, num_heads):
    """Half the FLOPs."""
    parameters, flops = attention_cost(target_length, source_length, hidden_dim, num_heads)
    return parameters, flops // 2


@cost.misconception("You left out the output projection, in the parameters and in the FLOPs.")
def without_output(target_length, source_length, hidden_dim, num_heads):
    """Three projections."""
    t, s, d = target_length, source_length, hidden_dim
    flops = attention_cost(t, s, d, num_heads)[1] - 2 * t * d * d
    return 3 * d * d + 3 * d, flops


@cost.misconception(
    "You multiplied by the number of heads. Each head has only D / N features, so N cancels."
)
def times_heads(target_length, source_length, hidden_dim, num_heads):
    """Scores and mixing of N heads of size D."""
    t, s, d, n = target_length, source_length, hidden_dim, num_heads
    return 4 * d * d + 4 * d, 4 * d * d * (t + s) + 4 * n * t * s * d


@cost.misconception(
    "You counted all of it once per head, with heads of full size. A head has D / N features."
)
def all_times_heads(target_length, source_length, hidden_dim, num_heads):
    """N full-size attentions."""
    parameters, flops = attention_cost(target_length, source_length, hidden_dim, num_heads)
    return parameters * num_heads, flops * num_heads


@cost.misconception(
    "You counted one of the two products of attention. There are the scores, and then weights "
    "times values."
)
def without_mixing(target_length, source_length, hidden_dim, num_heads):
    """Scores only."""
    t, s, d = target_length, source_length, hidden_dim
    return 4 * d * d + 4 * d, 4 * d * d * (t + s) + 2 * t * s * d


@cost.misconception(
    "You left out the projections: your FLOPs count the products of queries, keys and values only."
)
def without_projections(target_length, source_length, hidden_dim, num_heads):
    """Scores and mixing only."""
    t, s, d = target_length, source_length, hidden_dim
    return 4 * d * d + 4 * d, 4 * t * s * d


@cost.misconception("You ignored the source length. Keys and values have S positions, not T.")
def source_ignored(target_length, source_length, hidden_dim, num_heads):
    """T for S."""
    return attention_cost(target_length, target_length, hidden_dim, num_heads)


@cost.misconception(
    "You projected all four on T positions. Keys and values are made from the S source positions."
)
def all_on_target(target_length, source_length, hidden_dim, num_heads):
    """Projections of T positions."""
    t, s, d = target_length, source_length, hidden_dim
    return 4 * d * d + 4 * d, 8 * t * d * d + 4 * t * s * d


@cost.misconception("You counted one head. All N heads together take N times as much: N · H = D.")
def one_head_counted(target_length, source_length, hidden_dim, num_heads):
    """Scores and mixing of one head."""
    t, s, d = target_length, source_length, hidden_dim
    return 4 * d * d + 4 * d, 4 * d * d * (t + s) + 4 * t * s * (d // num_heads)


@cost.misconception("You returned the FLOPs first. The parameters come first.")
def in_the_wrong_order(target_length, source_length, hidden_dim, num_heads):
    """FLOPs and parameters."""
    return attention_cost(target_length, source_length, hidden_dim, num_heads)[::-1]
