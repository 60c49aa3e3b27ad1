"""Checks of lab 4: layer normalisation, feed-forward, encoder and decoder blocks."""

from math import erf

import numpy as np

from autograder.compare import Mismatch, array, close, holds
from autograder.exercise import Exercise
from autograder.wire.weights import require_shapes

PACKAGE = "course.m02_transformer"

# --------------------------------------------------------------------------------- layer_norm

norm = Exercise(
    "layer_norm",
    points=5,
    signature="layer_norm(x, gamma, beta, epsilon=1e-6)",
    package=f"{PACKAGE}.layer_norm",
    forbids=[
        f"{PACKAGE}.layer_norm",
        f"{PACKAGE}.LayerNormalization",
        f"{PACKAGE}.layer_normalization.layer_norm",
        "keras.layers.LayerNormalization",
        "keras.layers.GroupNormalization",
        "keras.ops.layer_normalization",
    ],
    hints=[
        "One mean and one variance per position: keep the last axis, so that they broadcast back.",
        "(x - mean) / sqrt(variance + epsilon) · gamma + beta, with the variance as the mean of "
        "the squared differences.",
        "x = (1, 3): mean 2, variance ((-1)² + 1²) / 2 = 1, so (-1, 1). gamma = (10, 20) and "
        "beta = (5, 6) make it (-10 + 5, 20 + 6) = (-5, 26).",
    ],
)


def standardised(x, epsilon, axis=-1, ddof=0):
    """Mean 0 and variance 1 over `axis`."""
    mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
    return (x - mean) / np.sqrt(variance + epsilon)


@norm.oracle
def layer_norm(x, gamma, beta, epsilon=1e-6):
    """Over the last axis, biased variance, epsilon inside the root."""
    return standardised(x, epsilon) * gamma + beta


@norm.case(points=1, hint="Compare with the worked example.")
def two_features_on_paper(lab, rng):
    """(1, 3) has mean 2 and variance 1; gamma (10, 20) and beta (5, 6) make it (-5, 26)."""
    got = lab.layer_norm(np.array([[1.0, 3.0]]), np.array([10.0, 20.0]), np.array([5.0, 6.0]))
    return close(got, np.array([[-5.0, 26.0]]), 1e-5)


@norm.case(points=2, hint="The statistics run over the last axis only.")
def each_position_on_its_own(lab, rng):
    """Every position is normalised over its own features, then scaled and shifted."""
    x = rng.normal(size=(2, 5, 7)) * 1.5 + rng.normal(size=(2, 5, 1))
    gamma, beta = rng.normal(size=7), rng.normal(size=7)
    return close(lab.layer_norm(x, gamma, beta), layer_norm(x, gamma, beta))


@norm.case(points=1, hint="Epsilon is added to the variance, before the root is taken.")
def epsilon_is_inside_the_root(lab, rng):
    """Epsilon counts: with 0.5, by default at tiny variance, and at variance 0."""
    gamma, beta = rng.normal(size=7) + 2, rng.normal(size=7)
    x, tiny = rng.normal(size=(3, 7)), 1e-3 * rng.normal(size=(3, 7))
    constant = np.full((3, 7), 2.0)
    return [
        close(lab.layer_norm(x, gamma, beta, epsilon=0.5), layer_norm(x, gamma, beta, 0.5)),
        close(lab.layer_norm(tiny, gamma, beta), layer_norm(tiny, gamma, beta), 1e-4),
        close(lab.layer_norm(constant, gamma, beta), np.broadcast_to(beta, (3, 7)), 5e-3),
    ]


@norm.case(points=1, hint="Write axis=-1, and let gamma and beta broadcast.")
def any_number_of_axes(lab, rng):
    """It works for one vector, for a matrix and for four axes."""
    gamma, beta = rng.normal(size=11), rng.normal(size=11)
    inputs = [rng.normal(size=shape) + 1 for shape in ((2, 3, 5, 11), (3, 11), (11,))]
    return [close(lab.layer_norm(x, gamma, beta), layer_norm(x, gamma, beta)) for x in inputs]


@norm.misconception(
    "You divide the sum of squares by D - 1. Layer normalisation divides by D (biased variance)."
)
def unbiased_variance(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon, ddof=1) * gamma + beta


@norm.misconception(
    "You add epsilon to the standard deviation. It belongs inside the root: sqrt(variance + ε)."
)
def epsilon_outside(x, gamma, beta, epsilon=1e-6):
    centred = x - x.mean(-1, keepdims=True)
    return centred / (x.std(-1, keepdims=True) + epsilon) * gamma + beta


@norm.misconception("You use a fixed epsilon of 1e-6. Use the argument.")
def epsilon_ignored(x, gamma, beta, epsilon=1e-6):
    return standardised(x, 1e-6) * gamma + beta


@norm.misconception(
    "Your epsilon is 1e-3 by default, as in keras.layers.LayerNormalization. Here it is 1e-6."
)
def large_default_epsilon(x, gamma, beta, epsilon=1e-3):
    return standardised(x, epsilon) * gamma + beta


@norm.misconception("You left out epsilon: equal features divide zero by zero.")
def no_epsilon(x, gamma, beta, epsilon=1e-6):
    with np.errstate(invalid="ignore"):
        return standardised(x, 0.0) * gamma + beta


@norm.misconception("You divide by the variance. Divide by its square root.")
def divided_by_the_variance(x, gamma, beta, epsilon=1e-6):
    centred = x - x.mean(-1, keepdims=True)
    return centred / (x.var(-1, keepdims=True) + epsilon) * gamma + beta


@norm.misconception(
    "You normalise over the first axis, the batch. That is batch normalisation; here each "
    "position stands alone."
)
def over_the_batch(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon, axis=0) * gamma + beta


@norm.misconception(
    "You normalise over the positions. Use the last axis, the features of one position."
)
def over_the_positions(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon, axis=-2) * gamma + beta


@norm.misconception(
    "You take one mean and one variance for everything. Each position has its own: axis=-1."
)
def over_everything(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon, axis=None) * gamma + beta


@norm.misconception("You left out gamma and beta.")
def no_scale_and_shift(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon)


@norm.misconception("You left out beta.")
def no_shift(x, gamma, beta, epsilon=1e-6):
    return standardised(x, epsilon) * gamma


@norm.misconception("You add beta before you multiply by gamma. Scale first, then shift.")
def shifted_before_scaled(x, gamma, beta, epsilon=1e-6):
    return (standardised(x, epsilon) + beta) * gamma


@norm.misconception(
    "You do not subtract the mean. That is RMS normalisation; layer normalisation centres first."
)
def no_mean(x, gamma, beta, epsilon=1e-6):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * gamma + beta


@norm.misconception(
    "You subtract the mean from the variance only. The output is (x - mean) / sqrt(variance + ε)."
)
def not_centred(x, gamma, beta, epsilon=1e-6):
    return x / np.sqrt(x.var(-1, keepdims=True) + epsilon) * gamma + beta


# -------------------------------------------------------------------------------- FeedForward

feed_forward_exercise = Exercise(
    "FeedForward",
    points=5,
    kind="layer",
    signature='FeedForward(intermediate_dim, activation="gelu")',
    package=f"{PACKAGE}.FeedForward",
    forbids=[f"{PACKAGE}.FeedForward", f"{PACKAGE}.feed_forward.FeedForward"],
    hints=[
        "Two dense layers. The output is as wide as the input, and that width is known in `build`.",
        "`keras.layers.Dense(intermediate_dim, activation=...)`, then a `Dense` of the input's "
        "width without activation. `keras.activations.get` turns a name into a function, and "
        "its gelu is the exact one.",
        "x = (1, 2), W1 a column of ones, b1 = 0, so the intermediate value is 3. "
        "GELU(3) = 3 · Φ(3) = 3 · 0.99865 = 2.99595. With W2 = (1, 10) and b2 = (0, 1) the output "
        "is (2.99595, 30.9595).",
    ],
)


def gelu(x):
    """The input times the standard normal distribution function."""
    return x * (1 + np.vectorize(erf, otypes=[float])(x / np.sqrt(2))) / 2


def gelu_by_tanh(x):
    """The usual approximation of GELU."""
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def relu(x):
    """The positive part."""
    return np.maximum(x, 0)


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {"gelu": gelu, "relu": relu, "tanh": np.tanh}


def activation_of(layer):
    """The function that the layer was asked to use."""
    return ACTIVATIONS[layer.config.get("activation", "gelu")]


@feed_forward_exercise.weights
def read_feed_forward(variables, config):
    """Yield kernels (D, F) and (F, D) and biases (F,) and (D,) from any layout."""
    inner = config.get("intermediate_dim")
    arrays = [np.squeeze(value) for _, value in variables]
    matrices, vectors = ([a for a in arrays if a.ndim == n] for n in (2, 1))
    if len(matrices) == 2 and len(vectors) < 2:
        raise Mismatch(
            "Your FeedForward lacks a bias vector: the formula has b1, one number per "
            "intermediate feature, and b2, one per output feature."
        )
    if not arrays:
        raise Mismatch(
            "Your FeedForward keeps no weights. Make them in `build`: layers made inside `call` "
            "are new at every call and never learn."
        )
    if len(matrices) == len(vectors) == 2 and {m.shape for m in matrices} & {(inner, inner)}:
        raise Mismatch(
            f"One of your kernels has shape {(inner, inner)}. The second map leads back to the "
            "width of the input, the last axis of x."
        )
    if len(arrays) > 4 and len(matrices) == 2:
        raise Mismatch(
            f"Your FeedForward has {len(arrays)} weights. The formula has four: two kernels and "
            "two biases, and no normalisation."
        )
    sizes = {frozenset(m.shape) for m in matrices}
    if len(matrices) != 2 or len(vectors) != 2 or len(sizes) != 1:
        return
    (size,) = sizes
    inner = matrices[0].shape[1] if inner is None else inner
    if inner not in size or len(size) != 2:
        return
    (width,) = size - {inner}
    biases = {v.shape[0]: v for v in vectors}
    if set(biases) != {inner, width}:
        return
    # A kernel that lies on its side has the shape of the other one: both readings are proposed.
    proposals = []
    for first, second in (matrices, matrices[::-1]):
        on_their_side = (first.shape != (width, inner)) + (second.shape != (inner, width))
        kernel1 = first if first.shape == (width, inner) else first.T
        kernel2 = second if second.shape == (inner, width) else second.T
        weights = {
            "kernel1": kernel1,
            "bias1": biases[inner],
            "kernel2": kernel2,
            "bias2": biases[width],
        }
        proposals.append((on_their_side, weights))
    yield from (weights for _, weights in sorted(proposals, key=lambda pair: pair[0]))


def two_maps(layer, x, activation, after=None):
    """W2 f(W1 x + b1) + b2, in float64."""
    weights = {name: np.float64(value) for name, value in layer.weights.items()}
    hidden = activation(x @ weights["kernel1"] + weights["bias1"])
    output = hidden @ weights["kernel2"] + weights["bias2"]
    return output if after is None else after(output)


@feed_forward_exercise.oracle
def feed_forward(layer, x):
    """Two affine maps, the activation between them."""
    width, inner = x.shape[-1], layer.intermediate_dim
    kernels = {"kernel1": (width, inner), "kernel2": (inner, width)}
    require_shapes(layer.weights, **kernels, bias1=(inner,), bias2=(width,))
    return two_maps(layer, x, activation_of(layer))


@feed_forward_exercise.case(points=2, hint="One activation, between the two dense layers.")
def two_maps_with_gelu_between(lab, rng):
    """W2 GELU(W1 x + b1) + b2 at every position, as wide as the input."""
    x = rng.normal(size=(2, 5, 7))
    layer = lab.FeedForward(11).fill(rng, x)
    return close(layer(x), layer.expected(x), 5e-3)


@feed_forward_exercise.case(points=1, hint="GELU(x) = x·Φ(x) = x · (1 + erf(x / √2)) / 2.")
def gelu_is_exact(lab, rng):
    """GELU is exact: x times the normal distribution function, to five digits."""
    x = rng.normal(size=(2, 17, 5))
    layer = lab.FeedForward(intermediate_dim=23).fill(rng, x)
    return close(layer(x), layer.expected(x))


@feed_forward_exercise.case(points=1, hint="keras.activations.get turns a name into a function.")
def activation_can_be_chosen(lab, rng):
    """With activation="relu" or "tanh" the layer uses that function."""
    x = rng.normal(size=(2, 3, 5))
    layers = [lab.FeedForward(7, activation=name).fill(rng, x) for name in ("relu", "tanh")]
    return [close(layer(x), layer.expected(x)) for layer in layers]


@feed_forward_exercise.case(points=1, hint="Stay in keras.ops or tf: NumPy stops gradients.")
def gradients_reach_every_weight(lab, rng):
    """All four weights get their gradient, through the activation too."""
    x = rng.normal(size=(2, 3, 5))
    layer = lab.FeedForward(7).fill(rng, x)
    output, gradients = close(layer(x), layer.expected(x), 5e-3), layer.gradients(x)
    paths = [path for path, _ in layer.variables]
    without = [p for p, g in zip(paths, gradients, strict=True) if g is None]
    if without:
        problem = f"No gradient reaches {', '.join(without)}."
        return holds(False, "a gradient for each weight", f"{len(without)} without", problem)
    found = list(zip(paths, gradients, strict=True))
    expected, results = gelu_gradients(layer, x), []
    for reading in read_feed_forward(found, layer.config):
        result = [
            close(reading[name], expected[name], 5e-3, what=f"gradient of {name}")
            for name in expected
        ]
        results.append([output, *result])
    if not results:
        raise Mismatch("The gradients do not have the shapes of the weights.")
    right = [result for result in results if all(c.passed for c in result)]
    return (right or results)[0]


def gelu_gradients(layer, x):
    """Gradients of the sum of the squared output, by the chain rule."""
    weights = {name: np.float64(value) for name, value in layer.weights.items()}
    x = x.reshape(-1, x.shape[-1])
    inner = x @ weights["kernel1"] + weights["bias1"]
    hidden = gelu(inner)
    output = 2 * (hidden @ weights["kernel2"] + weights["bias2"])
    density = np.exp(-(inner**2) / 2) / np.sqrt(2 * np.pi)
    below = (1 + np.vectorize(erf, otypes=[float])(inner / np.sqrt(2))) / 2
    before = (output @ weights["kernel2"].T) * (below + inner * density)
    return {
        "kernel1": x.T @ before,
        "bias1": before.sum(0),
        "kernel2": hidden.T @ output,
        "bias2": output.sum(0),
    }


@feed_forward_exercise.misconception(
    "Your GELU is the approximation with tanh (approximate=True, the default of "
    "keras.ops.gelu). Use the exact one."
)
def approximate_gelu(layer, x):
    chosen = activation_of(layer)
    return two_maps(layer, x, gelu_by_tanh if chosen is gelu else chosen)


@feed_forward_exercise.misconception(
    "Your GELU is x·sigmoid(1.702x), a coarse approximation. Use the exact one."
)
def quick_gelu(layer, x):
    chosen = activation_of(layer)
    return two_maps(layer, x, (lambda h: h * sigmoid(1.702 * h)) if chosen is gelu else chosen)


@feed_forward_exercise.misconception(
    "Your GELU is x·sigmoid(x), which is SiLU. GELU is x·Φ(x), with the normal distribution."
)
def silu(layer, x):
    chosen = activation_of(layer)
    return two_maps(layer, x, (lambda h: h * sigmoid(h)) if chosen is gelu else chosen)


@feed_forward_exercise.misconception("You use GELU whatever `activation` says.")
def always_gelu(layer, x):
    return two_maps(layer, x, gelu)


@feed_forward_exercise.misconception("You use ReLU whatever `activation` says.")
def always_relu(layer, x):
    return two_maps(layer, x, relu)


@feed_forward_exercise.misconception(
    "You have no activation: two affine maps in a row are one affine map."
)
def no_activation(layer, x):
    return two_maps(layer, x, lambda h: h)


@feed_forward_exercise.misconception(
    "You apply the activation after the second map too. It stands between the two only."
)
def activation_after_both(layer, x):
    return two_maps(layer, x, activation_of(layer), activation_of(layer))


@feed_forward_exercise.misconception(
    "You apply the activation after the second map. It stands between the two."
)
def activation_at_the_end(layer, x):
    return two_maps(layer, x, lambda h: h, activation_of(layer))


@feed_forward_exercise.misconception(
    "You add the input to the output. The residual connection belongs to the block, not here."
)
def with_residual(layer, x):
    return x + two_maps(layer, x, activation_of(layer))


@feed_forward_exercise.misconception(
    "You apply the activation to the input. It stands between the two maps."
)
def activation_first(layer, x):
    return two_maps(layer, activation_of(layer)(x), lambda h: h)


# ------------------------------------------------------------------------------ encoder_block

encoder = Exercise(
    "encoder_block",
    points=4,
    signature="encoder_block(x, attention, feed_forward, norm1, norm2, pre_norm)",
    package=f"{PACKAGE}.encoder_block",
    forbids=[
        f"{PACKAGE}.encoder_block",
        f"{PACKAGE}.blocks.encoder_block",
        f"{PACKAGE}.blocks.residual",
        f"{PACKAGE}.TransformerEncoderLayer",
        "keras_hub.layers.TransformerEncoder",
    ],
    hints=[
        "Two sublayers, each with the same wrapping. Write the wrapping once, as a helper.",
        "Post-norm: x = norm1(x + attention(x, x)). Pre-norm: h = norm1(x), then "
        "x = x + attention(h, h). The same with feed_forward and norm2.",
        "With attention = 10·h, feed_forward = h + 1, norm1 = h/2, norm2 = h/5 and x = 4: "
        "post-norm gives (4 + 40)/2 = 22, then (22 + 23)/5 = 9. Pre-norm gives 4 + 10·2 = 24, "
        "then 24 + 24/5 + 1 = 29.8.",
    ],
)


def residual(x, sublayer, norm, pre_norm):
    """Add the sublayer's output to its input, with the norm before or after."""
    return x + sublayer(norm(x)) if pre_norm else norm(x + sublayer(x))


def self_attended(attention, **options):
    """A sublayer of one argument: attention of a sequence to itself."""
    return lambda h: attention(h, h, **options)


@encoder.oracle
def encoder_block(x, attention, feed_forward, norm1, norm2, pre_norm):
    """Self-attention, then feed-forward."""
    x = residual(x, self_attended(attention), norm1, pre_norm)
    return residual(x, feed_forward, norm2, pre_norm)


def attention_part(lab, rng, query, value):
    """Stock attention of two heads of size 5, with seeded weights."""
    layer = lab.stock("keras.layers.MultiHeadAttention", num_heads=2, key_dim=5)
    return layer.fill(rng, query, value)


def other_parts(lab, rng, x, norms):
    """A stock feed-forward and as many stock norms, with seeded weights."""
    feed_forward = lab.stock("feed_forward", hidden_dim=x.shape[-1], intermediate_dim=11)
    made = [lab.stock("keras.layers.LayerNormalization", epsilon=1e-6) for _ in range(norms)]
    return [feed_forward.fill(rng, x), *(layer.fill(rng, x) for layer in made)]


def encoder_case(lab, rng, pre_norm):
    """Compare one block with stock parts."""
    x = 1.5 * rng.normal(size=(2, 3, 7))
    inputs = (x, attention_part(lab, rng, x, x), *other_parts(lab, rng, x, 2), pre_norm)
    return close(lab.encoder_block(*inputs), encoder_block(*inputs), 5e-5)


@encoder.case(points=2, hint="Add first, then normalise the sum.")
def encoder_post_norm(lab, rng):
    """With pre_norm=False each sublayer ends with norm(x + sublayer(x))."""
    return encoder_case(lab, rng, False)


@encoder.case(points=2, hint="Normalise what goes into the sublayer, and add x itself.")
def encoder_pre_norm(lab, rng):
    """With pre_norm=True each sublayer is x + sublayer(norm(x))."""
    return encoder_case(lab, rng, True)


def misconceived(exercise, message, wrap=residual):
    """Register the encoder with another wrapping, under the name of that wrapping."""

    def block(x, attention, feed_forward, norm1, norm2, pre_norm):
        x = wrap(x, self_attended(attention), norm1, pre_norm)
        return wrap(x, feed_forward, norm2, pre_norm)

    block.__name__ = wrap.__name__
    exercise.misconception(message)(block)


def always_post(x, sublayer, norm, pre_norm):
    """The flag is not read."""
    return residual(x, sublayer, norm, False)


def always_pre(x, sublayer, norm, pre_norm):
    """The flag is not read."""
    return residual(x, sublayer, norm, True)


def flag_inverted(x, sublayer, norm, pre_norm):
    """The two wirings are exchanged."""
    return residual(x, sublayer, norm, not pre_norm)


def no_residual(x, sublayer, norm, pre_norm):
    """The input is not added."""
    return sublayer(norm(x)) if pre_norm else norm(sublayer(x))


def normalised_residual(x, sublayer, norm, pre_norm):
    """Pre-norm adds the normalised input."""
    h = norm(x)
    return h + sublayer(h) if pre_norm else norm(x + sublayer(x))


def norm_on_the_branch(x, sublayer, norm, pre_norm):
    """Post-norm normalises the sublayer's output before the sum."""
    return x + sublayer(norm(x)) if pre_norm else x + norm(sublayer(x))


def norm_on_both_sides(x, sublayer, norm, pre_norm):
    """Pre-norm normalises the sum too."""
    return norm(x + sublayer(norm(x))) if pre_norm else norm(x + sublayer(x))


WRAPPINGS = {
    always_post: "You build post-norm whatever `pre_norm` says.",
    always_pre: "You build pre-norm whatever `pre_norm` says.",
    flag_inverted: "Your two wirings are exchanged: pre_norm=True normalises before the sublayer.",
    no_residual: "The residual connection is missing: add the sublayer's input to its output.",
    normalised_residual: (
        "In pre-norm you add the normalised input. Add x itself: x + sublayer(norm(x)). The norm "
        "stands on the branch, and the residual path stays free of it."
    ),
    norm_on_the_branch: (
        "In post-norm you normalise the sublayer's output before you add. Add first: "
        "norm(x + sublayer(x))."
    ),
    norm_on_both_sides: (
        "In pre-norm you normalise a second time, after the sum. Once is enough: "
        "x + sublayer(norm(x))."
    ),
}
for wrapping, text in WRAPPINGS.items():
    misconceived(encoder, text, wrapping)


@encoder.misconception("You use norm1 twice. The feed-forward sublayer has norm2.")
def norm1_twice(x, attention, feed_forward, norm1, norm2, pre_norm):
    return encoder_block(x, attention, feed_forward, norm1, norm1, pre_norm)


@encoder.misconception(
    "You exchanged the norms: norm1 belongs to attention, norm2 to feed-forward."
)
def norms_exchanged(x, attention, feed_forward, norm1, norm2, pre_norm):
    return encoder_block(x, attention, feed_forward, norm2, norm1, pre_norm)


@encoder.misconception(
    "In pre-norm you normalise the query only. Self-attention takes the same normalised sequence "
    "as query and value: h = norm1(x), attention(h, h)."
)
def query_normalised_only(x, attention, feed_forward, norm1, norm2, pre_norm):
    attend = (lambda h: attention(h, x)) if pre_norm else self_attended(attention)
    x = residual(x, attend, norm1, pre_norm)
    return residual(x, feed_forward, norm2, pre_norm)


@encoder.misconception(
    "Your second sum adds the block's input. It adds what came out of the attention sublayer."
)
def second_sum_adds_the_input(x, attention, feed_forward, norm1, norm2, pre_norm):
    h = residual(x, self_attended(attention), norm1, pre_norm)
    return x + feed_forward(norm2(h)) if pre_norm else norm2(x + feed_forward(h))


@encoder.misconception("You run feed-forward first. Attention comes first.")
def feed_forward_first(x, attention, feed_forward, norm1, norm2, pre_norm):
    x = residual(x, feed_forward, norm1, pre_norm)
    return residual(x, self_attended(attention), norm2, pre_norm)


@encoder.misconception(
    "The residual connection around feed-forward is missing. Both sublayers have one."
)
def one_residual(x, attention, feed_forward, norm1, norm2, pre_norm):
    x = residual(x, self_attended(attention), norm1, pre_norm)
    return no_residual(x, feed_forward, norm2, pre_norm)


@encoder.misconception(
    "In post-norm the last norm is missing: norm2 stands after the sum with feed-forward."
)
def last_norm_missing(x, attention, feed_forward, norm1, norm2, pre_norm):
    x = residual(x, self_attended(attention), norm1, pre_norm)
    return x + feed_forward(norm2(x) if pre_norm else x)


# ------------------------------------------------------------------------------ decoder_block

decoder = Exercise(
    "decoder_block",
    points=5,
    signature=(
        "decoder_block(x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, "
        "norm3, pre_norm)"
    ),
    package=f"{PACKAGE}.decoder_block",
    forbids=[
        f"{PACKAGE}.decoder_block",
        f"{PACKAGE}.blocks.decoder_block",
        f"{PACKAGE}.blocks.residual",
        f"{PACKAGE}.TransformerDecoderLayer",
        "keras_hub.layers.TransformerDecoder",
    ],
    hints=[
        "Three sublayers with the same wrapping. Only the first needs the causal mask, and only "
        "the second reads `memory`.",
        "self_attention(h, h, use_causal_mask=True), then cross_attention(h, memory), then "
        "feed_forward(h); h is norm(x) in pre-norm and x in post-norm.",
        "Pre-norm, line by line: h = norm1(x); x = x + self_attention(h, h, "
        "use_causal_mask=True); h = norm2(x); x = x + cross_attention(h, memory); "
        "x = x + feed_forward(norm3(x)).",
    ],
)


@decoder.oracle
def decoder_block(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """Causal self-attention, cross-attention, feed-forward."""
    x = residual(x, self_attended(self_attention, use_causal_mask=True), norm1, pre_norm)
    x = residual(x, lambda h: cross_attention(h, memory), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


def decoder_parts(lab, rng, few=False):
    """Inputs and stock parts: x (2, 5, 7), memory (2, 3, 7), attentions, feed-forward, norms.

    With `few` a single norm serves three times and a dense layer is the feed-forward network,
    which takes less time to make.
    """
    x, memory = 1.5 * rng.normal(size=(2, 5, 7)), 1.5 * rng.normal(size=(2, 3, 7))
    attentions = [attention_part(lab, rng, x, x), attention_part(lab, rng, x, memory)]
    if not few:
        return x, memory, (*attentions, *other_parts(lab, rng, x, 3))
    dense = lab.stock("keras.layers.Dense", units=x.shape[-1]).fill(rng, x)
    norm = lab.stock("keras.layers.LayerNormalization", epsilon=1e-6).fill(rng, x)
    return x, memory, (*attentions, dense, norm, norm, norm)


def decoder_case(lab, rng, pre_norm):
    """Compare one block with stock parts."""
    x, memory, parts = decoder_parts(lab, rng)
    inputs = (x, memory, *parts, pre_norm)
    return close(lab.decoder_block(*inputs), decoder_block(*inputs), 5e-5)


@decoder.case(points=2, hint="norm(x + sublayer(x)), three times.")
def decoder_post_norm(lab, rng):
    """With pre_norm=False each of the three sublayers ends with norm(x + sublayer(x))."""
    return decoder_case(lab, rng, False)


@decoder.case(points=2, hint="x + sublayer(norm(x)), three times; the memory is taken as it is.")
def decoder_pre_norm(lab, rng):
    """With pre_norm=True each of the three sublayers is x + sublayer(norm(x))."""
    return decoder_case(lab, rng, True)


@decoder.case(points=1, hint="The causal mask in self-attention, the whole memory in the other.")
def it_sees_the_past_and_all_of_memory(lab, rng):
    """A change of x at position 3 leaves positions 0 to 2; one of the memory changes them all."""
    x, memory, parts = decoder_parts(lab, rng, few=True)
    later, other = x.copy(), memory.copy()
    later[:, 3] += rng.normal(size=(2, 7)) + 1
    other[:, -1] += rng.normal(size=(2, 7)) + 1
    inputs = ((x, memory), (later, memory), (x, other))
    plain, moved, reread = (array(lab.decoder_block(*pair, *parts, True)) for pair in inputs)
    for output in (plain, moved, reread):
        if output.shape != x.shape:
            raise Mismatch(f"The output has shape {output.shape}; it should be {x.shape}.")
    from_3 = np.abs(moved - plain).max(axis=(0, 2))
    from_memory = np.abs(reread - plain).max(axis=(0, 2))
    return [
        holds(
            from_3[:3].max() < 1e-5,
            "positions 0 to 2 unchanged",
            f"changed by up to {from_3[:3].max():.2g}",
            "An early position sees a later one.",
        ),
        holds(
            from_3[3:].min() > 1e-3,
            "positions 3 and 4 changed",
            f"changes {from_3[3]:.2g} and {from_3[4]:.2g}",
            "A position does not see itself or the past.",
        ),
        holds(
            from_memory.min() > 1e-3,
            "every position changed by the memory's last vector",
            f"least change {from_memory.min():.2g}",
            "Not every position sees all of the memory.",
        ),
    ]


def decoder_misconceived(message, wrap):
    """Register the decoder with another wrapping."""

    def block(
        x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
    ):
        x = wrap(x, self_attended(self_attention, use_causal_mask=True), norm1, pre_norm)
        x = wrap(x, lambda h: cross_attention(h, memory), norm2, pre_norm)
        return wrap(x, feed_forward, norm3, pre_norm)

    block.__name__ = wrap.__name__
    decoder.misconception(message)(block)


for wrapping, text in WRAPPINGS.items():
    decoder_misconceived(text, wrapping)


@decoder.misconception("Your self-attention sees the future. Call it with use_causal_mask=True.")
def no_causal_mask(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, self_attended(own), norm1, pre_norm)
    x = residual(x, lambda h: cross(h, memory), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception(
    "You use the causal mask in the cross-attention too. Every position may read all of the "
    "memory: the source is known in full."
)
def causal_cross_attention(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, self_attended(own, use_causal_mask=True), norm1, pre_norm)
    x = residual(x, lambda h: cross(h, memory, use_causal_mask=True), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception("Your causal mask is in the cross-attention. It belongs to self-attention.")
def mask_in_the_wrong_place(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, self_attended(own), norm1, pre_norm)
    x = residual(x, lambda h: cross(h, memory, use_causal_mask=True), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception(
    "Your cross-attention reads the decoder's own sequence. Keys and values come from `memory`."
)
def memory_not_read(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, self_attended(own, use_causal_mask=True), norm1, pre_norm)
    x = residual(x, self_attended(cross), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception("You left out the cross-attention.")
def no_cross_attention(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, self_attended(own, use_causal_mask=True), norm1, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception(
    "In pre-norm you normalise the memory with norm2. Take the memory as it is: the encoder has "
    "normalised it."
)
def memory_normalised(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    source = norm2(memory) if pre_norm else memory
    x = residual(x, self_attended(own, use_causal_mask=True), norm1, pre_norm)
    x = residual(x, lambda h: cross(h, source), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception("You run cross-attention before self-attention. Self-attention comes first.")
def cross_attention_first(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    x = residual(x, lambda h: cross(h, memory), norm1, pre_norm)
    x = residual(x, self_attended(own, use_causal_mask=True), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)


@decoder.misconception("You exchanged norm2 and norm3: norm2 belongs to the cross-attention.")
def later_norms_exchanged(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    return decoder_block(x, memory, own, cross, feed_forward, norm1, norm3, norm2, pre_norm)


@decoder.misconception("You use norm2 twice. The feed-forward sublayer has norm3.")
def norm2_twice(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    return decoder_block(x, memory, own, cross, feed_forward, norm1, norm2, norm2, pre_norm)


@decoder.misconception("You exchanged the two attentions.")
def attentions_exchanged(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    return decoder_block(x, memory, cross, own, feed_forward, norm1, norm2, norm3, pre_norm)


@decoder.misconception(
    "Your cross-attention asks with the block's input. The query is what came out of the "
    "self-attention sublayer."
)
def stale_query(x, memory, own, cross, feed_forward, norm1, norm2, norm3, pre_norm):
    start = x
    x = residual(x, self_attended(own, use_causal_mask=True), norm1, pre_norm)
    query = norm2(start) if pre_norm else start
    x = residual(x, lambda h: cross(query, memory), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)
