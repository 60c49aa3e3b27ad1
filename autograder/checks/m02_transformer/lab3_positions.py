"""Checks of lab 3: sinusoidal, learned, rotary and ALiBi positions."""

import numpy as np

from autograder.compare import Mismatch, array, close, holds
from autograder.exercise import Exercise
from autograder.wire.weights import require_shapes

PACKAGE = "course.m02_transformer"

# ------------------------------------------------------------------------ sinusoidal_encoding

sinusoids = Exercise(
    "sinusoidal_encoding",
    points=5,
    signature="sinusoidal_encoding(length, hidden_dim)",
    package=f"{PACKAGE}.sinusoidal_encoding",
    forbids=[
        f"{PACKAGE}.sinusoidal_encoding",
        f"{PACKAGE}.encode_positions",
        f"{PACKAGE}.SinusoidalPositionalEncoding",
        "keras_hub.layers.SinePositionEncoding",
    ],
    hints=[
        "Make the angles first: a column of positions times a row of frequencies.",
        "Features 2i and 2i + 1 share the frequency 10000^(-2i/D). To interleave, stack sine and "
        "cosine on a new last axis, then reshape to (length, hidden_dim).",
        "For hidden_dim 4 the frequencies are 1 and 1/100. Row 3 is sin 3, cos 3, sin 0.03, "
        "cos 0.03.",
    ],
)


def angles_of(length, frequencies, start=0):
    """Angles `(T, number of frequencies)`."""
    return np.multiply.outer(np.arange(start, start + length), frequencies)


def pair_frequencies(hidden_dim):
    """One frequency per pair of features, in radians per position."""
    return 10000.0 ** (-np.arange(0, hidden_dim, 2) / hidden_dim)


def interleave(even, odd):
    """Put `even` at features 0, 2, 4 ... and `odd` at 1, 3, 5 ..."""
    return np.stack([even, odd], axis=-1).reshape(len(even), -1)


@sinusoids.oracle
def sinusoidal_encoding(length, hidden_dim):
    """Sine at even features, cosine at odd ones."""
    angles = angles_of(length, pair_frequencies(hidden_dim))
    return interleave(np.sin(angles), np.cos(angles))


def sinusoidal_table(lab, length, hidden_dim):
    """Ask for a table and make sure of its shape."""
    table = array(lab.sinusoidal_encoding(length, hidden_dim))
    if table.shape != (length, hidden_dim):
        raise Mismatch(f"The output has shape {table.shape}; it should be {(length, hidden_dim)}.")
    return table


@sinusoids.case(points=1, hint="Compare your rows with the worked example.")
def width_four_on_paper(lab, rng):
    """Width 4: row t is sin t, cos t, sin(t/100), cos(t/100), and t starts at 0."""
    t = np.arange(3)
    paper = np.stack([np.sin(t), np.cos(t), np.sin(t / 100), np.cos(t / 100)], axis=-1)
    return close(lab.sinusoidal_encoding(3, 4), paper)


@sinusoids.case(points=1, hint="Look at every second feature, beginning with feature 0.")
def even_features_are_sines(lab, rng):
    """Feature 2i of position t is sin(t / 10000^(2i/D))."""
    length, width = int(rng.integers(23, 70)), 2 * int(rng.integers(5, 12))
    expected = sinusoidal_encoding(length, width)[:, 0::2]
    return close(sinusoidal_table(lab, length, width)[:, 0::2], expected, what="sine part")


@sinusoids.case(points=1, hint="The cosine has the same angle as the sine before it.")
def odd_features_are_cosines(lab, rng):
    """Feature 2i + 1 of position t is cos(t / 10000^(2i/D))."""
    length, width = int(rng.integers(23, 70)), 2 * int(rng.integers(5, 12))
    expected = sinusoidal_encoding(length, width)[:, 1::2]
    return close(sinusoidal_table(lab, length, width)[:, 1::2], expected, what="cosine part")


@sinusoids.case(points=1, hint="There is no longest length: any length works.")
def long_tables(lab, rng):
    """The formula holds far out, for other widths too."""
    length, width = int(rng.integers(90, 130)), 2 * int(rng.integers(9, 20))
    return close(lab.sinusoidal_encoding(length, width), sinusoidal_encoding(length, width), 1e-4)


@sinusoids.case(points=1, hint="sin a sin b + cos a cos b = cos(a - b), if the angles pair up.")
def products_depend_on_the_distance(lab, rng):
    """The product of rows t and t + k is the sum of cos(k·frequency), whatever t is."""
    length, width = int(rng.integers(19, 60)), 10
    table = sinusoidal_table(lab, length, width).astype("float64")
    distance = np.subtract.outer(np.arange(length), np.arange(length))
    expected = np.cos(distance[..., None] * pair_frequencies(width)).sum(-1)
    return close(table @ table.T, expected, 1e-4, what="product of two rows")


@sinusoids.misconception(
    "You put all sines first and all cosines after them. Here they alternate: feature 0 is a "
    "sine, feature 1 the cosine of the same angle."
)
def sine_and_cosine_halves(length, hidden_dim):
    angles = angles_of(length, pair_frequencies(hidden_dim))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


@sinusoids.misconception("You swapped sine and cosine: even features are sines.")
def swapped(length, hidden_dim):
    angles = angles_of(length, pair_frequencies(hidden_dim))
    return interleave(np.cos(angles), np.sin(angles))


@sinusoids.misconception("Your positions start at 1. The first position is 0.")
def positions_from_one(length, hidden_dim):
    angles = angles_of(length, pair_frequencies(hidden_dim), start=1)
    return interleave(np.sin(angles), np.cos(angles))


@sinusoids.misconception(
    "Each of your features has a frequency of its own. Features 2i and 2i + 1 share one, or the "
    "shift by k is no rotation."
)
def a_frequency_per_feature(length, hidden_dim):
    frequencies = 10000.0 ** (-np.arange(hidden_dim) / hidden_dim)
    angles = angles_of(length, frequencies)
    return np.where(np.arange(hidden_dim) % 2, np.cos(angles), np.sin(angles))


@sinusoids.misconception(
    "Your exponent is i/D for pair i. It is 2i/D: the feature's number, not the pair's."
)
def half_the_exponent(length, hidden_dim):
    angles = angles_of(length, 10000.0 ** (-np.arange(hidden_dim // 2) / hidden_dim))
    return interleave(np.sin(angles), np.cos(angles))


@sinusoids.misconception(
    "Your exponent is 2f/D for feature f. For features 2i and 2i + 1 it is 2i/D, and i counts "
    "the pairs."
)
def double_exponent(length, hidden_dim):
    frequencies = 10000.0 ** (-2 * np.arange(hidden_dim) / hidden_dim)
    angles = angles_of(length, frequencies)
    return np.where(np.arange(hidden_dim) % 2, np.cos(angles), np.sin(angles))


@sinusoids.misconception(
    "Your slowest frequency is 1/10000, as in the tensor2tensor library. In the paper's formula "
    "the exponents are 0, 2/D, 4/D ..., so the last one stays below 1."
)
def last_frequency_included(length, hidden_dim):
    half = hidden_dim // 2
    angles = angles_of(length, 10000.0 ** (-np.arange(half) / (half - 1)))
    return interleave(np.sin(angles), np.cos(angles))


@sinusoids.misconception("All your features are sines. Odd features are cosines.")
def only_sines(length, hidden_dim):
    angles = angles_of(length, pair_frequencies(hidden_dim))
    return interleave(np.sin(angles), np.sin(angles))


@sinusoids.misconception("Your axes are swapped: the result is (length, hidden_dim).")
def transposed(length, hidden_dim):
    return sinusoidal_encoding(length, hidden_dim).T


# ----------------------------------------------------------------- LearnedPositionalEmbedding

learned = Exercise(
    "LearnedPositionalEmbedding",
    points=4,
    kind="layer",
    signature="LearnedPositionalEmbedding(max_sequence_length)",
    package=f"{PACKAGE}.LearnedPositionalEmbedding",
    forbids=[
        f"{PACKAGE}.LearnedPositionalEmbedding",
        "keras_hub.layers.PositionEmbedding",
        "keras_hub.layers.TokenAndPositionEmbedding",
    ],
    hints=[
        "One trainable table is all the layer owns. Its height is known in the constructor, its "
        "width only in `build`.",
        "`add_weight(shape=(self.max_sequence_length, x_shape[-1]), name=...)` in `build`; in "
        "`call`, add the first T rows to x. Broadcasting covers the batch.",
        "With max_sequence_length 5 and x of shape (2, 3, 4), the table is (5, 4), and `call` "
        "adds table[:3], which is (3, 4), to each of the two examples.",
    ],
)


@learned.weights
def read_table(variables, config):
    """Yield the table `(L, D)`, whichever way it is laid out."""
    rows = config.get("max_sequence_length")
    arrays = [np.squeeze(value) for _, value in variables]
    if len(arrays) == 1 and arrays[0].ndim == 2:
        (table,) = arrays
        if rows is None or table.shape[0] == rows:
            yield {"table": table}
        elif table.shape[1] == rows:
            yield {"table": table.T}
        else:
            raise Mismatch(
                f"The table of your layer has shape {table.shape}. It needs max_sequence_length "
                f"= {rows} rows, so that inputs of every length up to that fit."
            )
    elif len(arrays) == rows and len({a.shape for a in arrays}) == 1 and arrays[0].ndim == 1:
        yield {"table": np.stack(arrays)}
    elif not arrays:
        raise Mismatch(
            "Your layer has no trainable weights. Make the table with `self.add_weight`, or with "
            "a `keras.layers.Embedding` that the layer keeps as an attribute."
        )


@learned.oracle
def learned_positions(layer, x):
    """Row t of the table is added at position t."""
    require_shapes(layer.weights, table=(layer.max_sequence_length, x.shape[-1]))
    return x + np.float64(layer.weights["table"])[: x.shape[1]]


@learned.case(points=2, hint="The output has the shape of x: it is the sum.")
def row_t_is_added_at_position_t(lab, rng):
    """Every example gets row t of the table added at position t."""
    x = rng.normal(size=(2, 5, 7))
    layer = lab.LearnedPositionalEmbedding(11).fill(rng, x)
    return close(layer(x), layer.expected(x))


@learned.case(points=1, hint="Take the length from the input of this call, not from `build`.")
def one_table_serves_every_length(lab, rng):
    """Inputs shorter and longer than the first one use the same table."""
    first, short, full = (rng.normal(size=(3, length, 5)) for length in (7, 2, 13))
    layer = lab.LearnedPositionalEmbedding(max_sequence_length=13).fill(rng, first)
    return [close(layer(x), layer.expected(x)) for x in (short, full)]


@learned.case(points=1, hint="Stay in keras.ops or tf inside `call`: NumPy stops gradients.")
def the_used_rows_learn(lab, rng):
    """Gradients reach the rows that were used, and no others."""
    x = rng.normal(size=(2, 3, 7))
    layer = lab.LearnedPositionalEmbedding(5).fill(rng, x)
    output, expected = close(layer(x), layer.expected(x)), np.zeros((5, 7))
    expected[:3] = 2 * layer.expected(x).sum(axis=0)  # of the sum of the squared output
    variables, gradients = layer.variables, layer.gradients(x)
    if all(g is None for g in gradients):
        return holds(False, "a gradient for the table", "none", "No gradient reaches the table.")
    pairs = [
        (path, np.zeros_like(value) if gradient is None else np.asarray(gradient))
        for (path, value), gradient in zip(variables, gradients, strict=True)
    ]
    found = next(iter(read_table(pairs, layer.config)), None)
    if found is None:
        raise Mismatch("The gradients do not have the shape of the table.")
    return [output, close(found["table"], expected, 1e-4, what="gradient of the table")]


@learned.misconception(
    "You return the positions alone. The layer returns the sum of its input and the positions."
)
def positions_alone(layer, x):
    return layer.weights["table"][: x.shape[1]]


@learned.misconception(
    "You return the positions alone, copied for each example. The layer returns the sum of its "
    "input and the positions."
)
def positions_alone_per_example(layer, x):
    return np.broadcast_to(layer.weights["table"][: x.shape[1]], x.shape)


@learned.misconception("Your positions start at 1: position 0 takes row 0 of the table.")
def rows_from_one(layer, x):
    table = layer.weights["table"]
    return x + table[np.minimum(np.arange(1, x.shape[1] + 1), len(table) - 1)]


@learned.misconception(
    "You take the last rows of the table. Position t takes row t, counted from the top."
)
def last_rows(layer, x):
    return x + layer.weights["table"][-x.shape[1] :]


@learned.misconception(
    "All your positions get the same row. Look up one row per position: 0, 1, ..., T - 1."
)
def one_row_for_all(layer, x):
    return x + layer.weights["table"][0]


@learned.misconception("You multiply by the table. Positions are added.")
def multiplied(layer, x):
    return x * layer.weights["table"][: x.shape[1]]


@learned.misconception(
    "You scale the input by the square root of its width. That belongs to the token embedding; "
    "this layer only adds."
)
def scaled_input(layer, x):
    return x * np.sqrt(x.shape[-1]) + layer.weights["table"][: x.shape[1]]


# --------------------------------------------------------------------------------------- rotate

rotary = Exercise(
    "rotate",
    points=5,
    signature="rotate(x, positions)",
    package=f"{PACKAGE}.rotate",
    forbids=[
        f"{PACKAGE}.rotate",
        f"{PACKAGE}.RotaryEmbedding",
        "keras_hub.layers.RotaryEmbedding",
    ],
    hints=[
        "Split the last axis into two halves. One element of the first half and one of the second "
        "are the two coordinates of a point, and the point turns by an angle.",
        "first·cos - second·sin and first·sin + second·cos, joined on the last axis. The angles "
        "are positions (T, 1) times 10000^(-2i/H) for i = 0 ... H/2 - 1, which is (T, H/2).",
        "H = 4: the frequencies are 1 and 1/100. At position 3 features 0 and 2 turn by 3 "
        "radians, features 1 and 3 by 0.03.",
    ],
)


def rotary_angles(x, positions, base=10000.0):
    """Angles `(T, H/2)`."""
    half = x.shape[-1] // 2
    return np.multiply.outer(np.asarray(positions), base ** (-np.arange(half) / half))


def turn(x, angles):
    """Turn the points (x[i], x[i + H/2]) by the angles, as complex numbers."""
    half = x.shape[-1] // 2
    z = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)
    return np.concatenate([z.real, z.imag], axis=-1)


@rotary.oracle
def rotate(x, positions):
    """Turn the pair (i, i + H/2) by position · 10000^(-2i/H)."""
    return turn(x, rotary_angles(x, positions))


@rotary.case(points=1, hint="(1, 0) turned by the angle a is (cos a, sin a).")
def one_pair_on_paper(lab, rng):
    """With H = 2 the point (1, 0) at position t turns to (cos t, sin t)."""
    t = np.array([0, 1, 2, int(rng.integers(3, 60))])
    x = np.zeros((1, 1, 4, 2))
    x[..., 0] = 1
    return close(lab.rotate(x, t), np.stack([np.cos(t), np.sin(t)], axis=-1)[None, None])


@rotary.case(points=2, hint="Pair feature i with feature i + H/2, and turn each pair at its pace.")
def pairs_are_half_apart(lab, rng):
    """Features i and i + H/2 turn together, by t / 10000^(2i/H) at position t."""
    x = rng.normal(size=(2, 3, 5, 14))
    return close(lab.rotate(x, np.arange(5)), rotate(x, np.arange(5)))


@rotary.case(points=1, hint="Use `positions`, not the index along the axis.")
def positions_are_used(lab, rng):
    """The angle follows `positions`, which may start anywhere and skip."""
    x = rng.normal(size=(2, 3, 5, 10))
    positions = np.sort(rng.choice(np.arange(3, 60), size=5, replace=False))
    return close(lab.rotate(x, positions), rotate(x, positions), 5e-5)


@rotary.case(points=1, hint="Turning both by the same extra angle must leave the product alone.")
def rotated_products_depend_on_the_distance(lab, rng):
    """Query times key, both rotated, is the same when both move by 17 positions."""
    query, key = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(2, 3, 5, 6))
    here = np.arange(5)
    expected = np.einsum("bnth,bnsh->bnts", rotate(query, here), rotate(key, here))
    turned = [array(lab.rotate(x, here + 17)).astype("float64") for x in (query, key)]
    if any(x.shape != query.shape for x in turned):
        raise Mismatch(f"The output has shape {turned[0].shape}; it should be {query.shape}.")
    return close(np.einsum("bnth,bnsh->bnts", *turned), expected, 5e-5, what="product")


@rotary.misconception(
    "You pair neighbours, features 2i and 2i + 1, as the paper does. Here feature i goes with "
    "feature i + H/2."
)
def neighbours_paired(x, positions):
    z = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * rotary_angles(x, positions))
    return np.stack([z.real, z.imag], axis=-1).reshape(x.shape)


@rotary.misconception(
    "You mixed two conventions: your cosines and sines are repeated for neighbouring features, "
    "and the features are paired as halves. Use the same angle at features i and i + H/2."
)
def mixed_pairings(x, positions):
    half = x.shape[-1] // 2
    angles = np.repeat(rotary_angles(x, positions), 2, axis=-1)
    swapped = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return x * np.cos(angles) + swapped * np.sin(angles)


@rotary.misconception("You turn the other way. Check the signs of the two sines.")
def clockwise(x, positions):
    return turn(x, -rotary_angles(x, positions))


@rotary.misconception(
    "A sign is missing: the first half is first·cos - second·sin. With a plus in both halves it "
    "is no rotation."
)
def no_minus(x, positions):
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    cos, sin = (f(rotary_angles(x, positions)) for f in (np.cos, np.sin))
    return np.concatenate([first * cos + second * sin, first * sin + second * cos], axis=-1)


@rotary.misconception("You count positions from 0. Use the ones in `positions`.")
def positions_ignored(x, positions):
    return turn(x, rotary_angles(x, np.arange(x.shape[-2])))


@rotary.misconception(
    "Your exponent is i/H. It is 2i/H, so that the frequencies fall from 1 to nearly 1/10000."
)
def pair_number_over_width(x, positions):
    return turn(x, rotary_angles(x, positions, base=100.0))


@rotary.misconception("Your exponent is 4i/H. It is 2i/H, and i runs from 0 to H/2 - 1.")
def twice_the_exponent(x, positions):
    return turn(x, rotary_angles(x, positions, base=10000.0**2))


@rotary.misconception(
    "You take the second axis for the positions. The axes are (B, N, T, H): heads, then positions."
)
def heads_and_positions_exchanged(x, positions):
    return turn(x, rotary_angles(x, positions)[:, None])


@rotary.misconception(
    "All your pairs turn at the same speed. Pair i turns by position / 10000^(2i/H)."
)
def one_speed(x, positions):
    return turn(x, np.asarray(positions, "float64")[:, None])


@rotary.misconception(
    "You add the angles' sines and cosines. Rotary positions turn the features instead."
)
def added(x, positions):
    angles = rotary_angles(x, positions)
    return x + np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


@rotary.misconception(
    "You multiply every feature by the cosine only. Each feature also takes its partner, times "
    "the sine."
)
def only_cosines(x, positions):
    return x * np.tile(np.cos(rotary_angles(x, positions)), 2)


# ----------------------------------------------------------------------------------- alibi_bias

alibi = Exercise(
    "alibi_bias",
    points=4,
    signature="alibi_bias(num_heads, length)",
    package=f"{PACKAGE}.alibi_bias",
    forbids=[
        f"{PACKAGE}.alibi_bias",
        f"{PACKAGE}.alibi_slopes",
        f"{PACKAGE}.ALiBi",
        "keras_hub.layers.AlibiBias",
    ],
    hints=[
        "Build two small things: the slopes (N,) and the distances (T, T). Their product has "
        "three axes.",
        "slope of head n = 2^(-8n/N) with n = 1 ... N; distance = |i - j|; the bias is minus "
        "slope[:, None, None] times distance.",
        "4 heads: the slopes are 1/4, 1/16, 1/64, 1/256. Head 1, query 2, key 0: -1/4 · 2 = -0.5.",
    ],
)


def slopes_of(num_heads):
    """2^(-8/N), 2^(-16/N), ..., 2^-8."""
    return 2.0 ** (-8 * np.arange(1, num_heads + 1) / num_heads)


def distances(length):
    """|i - j|, `(T, T)`."""
    return np.abs(np.subtract.outer(np.arange(length), np.arange(length)))


def biased(slopes, distance):
    """Minus slope times distance, `(N, T, T)`."""
    return -np.multiply.outer(slopes, distance)


@alibi.oracle
def alibi_bias(num_heads, length):
    """The paper's slopes, for a power of two."""
    return biased(slopes_of(num_heads), distances(length))


@alibi.case(points=2, hint="Compare with the worked example, head by head.")
def eight_heads_of_the_paper(lab, rng):
    """With 8 heads the slopes are 1/2, 1/4, ..., 1/256, and the bias is -slope·|i - j|."""
    length = int(rng.integers(5, 60))
    slopes = 0.5 ** np.arange(1, 9)
    return close(lab.alibi_bias(8, length), biased(slopes, distances(length)))


@alibi.case(points=1, hint="The exponent depends on the number of heads: -8n/N.")
def slopes_follow_the_number_of_heads(lab, rng):
    """With N heads the slopes run from 2^(-8/N) down to 2^-8."""
    lengths = map(int, rng.integers(3, 40, size=3))
    sizes = list(zip((4, 2, 16), lengths, strict=True))
    return [close(lab.alibi_bias(*size), alibi_bias(*size)) for size in sizes]


@alibi.case(points=1, hint="The distance has no sign: |i - j|.")
def both_directions_are_penalised(lab, rng):
    """A key two places ahead costs as much as one two places back; the query's own costs 0."""
    length = int(rng.integers(7, 60))
    bias = array(lab.alibi_bias(4, length)).astype("float64")
    if bias.shape != (4, length, length):
        shape = (4, length, length)
        raise Mismatch(f"The output has shape {bias.shape}; it should be {shape}.")
    i = int(rng.integers(2, length - 2))
    cost = -2 * slopes_of(4)
    return [
        close(bias[:, i, i + 2], cost, what=f"bias of query {i} and key {i + 2}"),
        close(bias[:, i, i - 2], cost, what=f"bias of query {i} and key {i - 2}"),
        close(bias[:, i, i], 0 * cost, what="bias of a query and its own key"),
    ]


@alibi.misconception("Your bias is positive: far keys would win. It is minus slope times distance.")
def rewards_distance(num_heads, length):
    return -alibi_bias(num_heads, length)


@alibi.misconception(
    "Your slopes are 1/2, 1/4, 1/8 ... for any number of heads. The exponent is -8n/N, so that "
    "they always end at 2^-8."
)
def slopes_of_eight_heads(num_heads, length):
    return biased(0.5 ** np.arange(1, num_heads + 1), distances(length))


@alibi.misconception("Your first slope is 1. The heads count from n = 1: 2^(-8/N) comes first.")
def heads_from_zero(num_heads, length):
    return biased(2.0 ** (-8 * np.arange(num_heads) / num_heads), distances(length))


@alibi.misconception("Your distance has a sign, so that keys ahead are rewarded. Use |i - j|.")
def signed_distance(num_heads, length):
    return biased(slopes_of(num_heads), np.subtract.outer(np.arange(length), np.arange(length)))


@alibi.misconception(
    "Keys ahead cost nothing in your bias. The distance is |i - j| on both sides; hiding the "
    "future is the mask's work."
)
def only_the_past(num_heads, length):
    signed = np.subtract.outer(np.arange(length), np.arange(length))
    return biased(slopes_of(num_heads), np.maximum(signed, 0))


@alibi.misconception("You hide the future in the bias. Leave that to the causal mask.")
def masks_the_future(num_heads, length):
    return np.where(np.tri(length, dtype=bool), alibi_bias(num_heads, length), -np.inf)


@alibi.misconception("You hide the future inside the bias. Leave that to the causal mask.")
def masks_the_future_with_a_finite_number(num_heads, length):
    return np.where(np.tri(length, dtype=bool), alibi_bias(num_heads, length), -1e9)


@alibi.misconception("All your heads have the same slope. Each head has its own.")
def one_slope(num_heads, length):
    return biased(np.full(num_heads, 2.0 ** (-8 / num_heads)), distances(length))


@alibi.misconception("Your heads are in reverse order: the first head has the steepest slope.")
def reversed_heads(num_heads, length):
    return biased(slopes_of(num_heads)[::-1], distances(length))


@alibi.misconception("You return the penalty per head in the last axis; the heads come first.")
def heads_last(num_heads, length):
    return np.moveaxis(alibi_bias(num_heads, length), 0, -1)


@alibi.misconception("Your exponent is -8/n. It is -8n/N.")
def exponent_upside_down(num_heads, length):
    return biased(2.0 ** (-8 / np.arange(1, num_heads + 1)), distances(length))
