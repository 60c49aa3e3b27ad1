# ---
# title: The block
# build: layer normalisation, the feed-forward network, and the wiring of encoder and decoder
# minutes: 50
# memory: 1 GB
# data: none, the lab makes its own
# seconds: 15
# ---

# %% [markdown]
# A transformer is one block, repeated. Attention mixes the positions; a feed-forward network then
# works on each position alone. Around both stand a residual connection, which adds the
# sublayer's input to its output, and a normalisation. You write all four parts. Where the
# normalisation goes looks like a detail; it decides how large the gradients are when training
# starts, and the last cells measure that.
#
# Axes: `B` batch, `T` target length, `S` source length, `D` hidden size, `F` intermediate size.
# Write every exercise with `keras.ops` or `tf`; NumPy is fine too, except in the layer, where
# gradients have to pass. The course's own version of what an exercise asks for is blocked in it,
# and so are ready-made ones: in exercise 1 `keras.layers.LayerNormalization`, `GroupNormalization`
# and `keras.ops.layer_normalization`, in exercise 3 KerasHub's `TransformerEncoder`, in exercise 4
# its `TransformerDecoder`.

# %% setup
from autograder import check, lend
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe and Ito

# %% [markdown]
# ## 1. Layer normalisation
# Ba et al. (2016) give the features of one position mean 0 and variance 1, then let the model
# choose a scale γ and a shift β per feature. Neither the other positions nor the other examples
# take part, so the same sentence gives the same result in any batch.
#
# $$y = \frac{x - \text{mean}(x)}{\sqrt{\text{var}(x) + \epsilon}} \cdot \gamma + \beta
# \qquad \text{var}(x) = \frac{1}{D} \sum_{i=1}^{D} (x_i - \text{mean}(x))^2$$
#
# **Write** `layer_norm(x, gamma, beta, epsilon=1e-6)`.
# - `x` has any number of axes; mean and variance run over the last one.
# - `gamma` and `beta` are `(D,)`. The result has the shape of `x`.
# - The variance is the biased one: divide by D, not by D - 1.
# - Epsilon stands inside the root. Where all features are equal, the result is `beta`.
#
# **Example.** x = (1, 3): the mean is 2, the differences are (-1, 1), the variance is
# (1 + 1) / 2 = 1. With γ = (10, 20) and β = (5, 6): (-1 · 10 + 5, 1 · 20 + 6) = (-5, 26). (Epsilon
# changes the sixth digit.)


# %% exercise="layer_norm" difficulty=1 minutes=8
def layer_norm(x, gamma, beta, epsilon=1e-6):
    """Give the last axis mean 0 and variance 1, then scale and shift it.

    Args:
        x: float tensor `(..., D)`.
        gamma: float tensor `(D,)`, the scale.
        beta: float tensor `(D,)`, the shift.
        epsilon: float. Added to the biased variance, inside the root.

    Returns:
        Float tensor `(..., D)`.
    """
    ### BEGIN SOLUTION
    centred = x - ops.mean(x, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return centred / ops.sqrt(variance + epsilon) * gamma + beta
    ### END SOLUTION


# %% check="layer_norm" points=5
check("m02_transformer.layer_norm")

# %% [markdown]
# Three positions whose features differ in scale by 10,000, before and after.

# %% demo
rng = np.random.default_rng(0)
x = (rng.normal(size=(3, 64)) * [[0.01], [1.0], [100.0]] + [[0.0], [5.0], [-50.0]]).astype(
    "float32"
)
y = ops.convert_to_numpy(layer_norm(x, np.ones(64, "float32"), np.zeros(64, "float32")))
print(f"{'position':>8} {'mean before':>12} {'sd before':>10} {'mean after':>11} {'sd after':>9}")
for t in range(3):
    print(
        f"{t:>8} {x[t].mean():>12.3f} {x[t].std():>10.3f} {y[t].mean():>11.3f} {y[t].std():>9.3f}"
    )

# %% [markdown]
# **What you see.** Whatever mean and scale a position had, the next sublayer gets features of mean
# 0 and standard deviation 1. At position 0 it is 0.994: a variance of 0.0001 is so small that
# epsilon counts.

# %% [markdown]
# ## 2. The feed-forward network
# Two dense layers with an activation between them, applied to every position alike (Vaswani et al.,
# 2017, section 3.3). About two thirds of a block's weights are here when F = 4D.
#
# $$\text{FFN}(x) = f(x W_1 + b_1) W_2 + b_2 \qquad
# \text{GELU}(x) = x \, \Phi(x) = \frac{x}{2}\left(1 + \text{erf}\frac{x}{\sqrt 2}\right)$$
#
# The paper's f is ReLU. BERT and GPT use GELU (Hendrycks and Gimpel, 2016): the input times the
# probability that a standard normal number is below it.
#
# **Write** the layer `FeedForward(intermediate_dim, activation="gelu")`.
# - `layer(x)` takes `(B, T, D)` and returns `(B, T, D)`; between the maps it is `(B, T, F)` wide.
#   D is known in `build`.
# - Both maps have a bias. How you store the four weights is up to you: dense layers, `add_weight`,
#   any order. You may write your own `__init__`, as long as it takes these arguments.
# - `activation` is any name that `keras.activations.get` knows. Keep the two arguments as
#   attributes of the same names: `get_config` reads them.
# - GELU is the exact one. `keras.activations.gelu` is exact by default; `keras.ops.gelu` is not.
# - No residual connection and no normalisation: they belong to the block.
#
# **Example.** D = 2, F = 1, W1 = (1, 1)ᵀ, b1 = 0, W2 = (1, 10), b2 = (0, 1). For x = (1, 2) the
# intermediate value is 3, GELU(3) = 3 · 0.99865 = 2.99595, and the output is
# (2.99595, 29.9595 + 1) = (2.99595, 30.9595).


# %% exercise="FeedForward" difficulty=2 minutes=10
@keras.saving.register_keras_serializable(package="mytransformer")
class FeedForward(keras.layers.Layer):
    """Two dense layers with an activation between them, applied to every position alike.

    Args:
        intermediate_dim: int. Width F between the layers.
        activation: name of a Keras activation. Defaults to `"gelu"`, exact.

    Call arguments:
        x: float tensor `(B, T, D)`.

    Returns:
        `(B, T, D)`.
    """

    def __init__(self, intermediate_dim, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.activation = activation

    def build(self, x_shape):
        ### BEGIN SOLUTION
        self.inner = keras.layers.Dense(self.intermediate_dim, activation=self.activation)
        self.outer = keras.layers.Dense(x_shape[-1])
        self.inner.build(x_shape)
        self.outer.build((*x_shape[:-1], self.intermediate_dim))
        ### END SOLUTION

    def call(self, x):
        ### BEGIN SOLUTION
        return self.outer(self.inner(x))  # (B, T, F), then (B, T, D)
        ### END SOLUTION

    def get_config(self):
        return super().get_config() | {
            "intermediate_dim": self.intermediate_dim,
            "activation": self.activation,
        }


# %% check="FeedForward" points=5
check("m02_transformer.FeedForward")

# %% demo
points = np.linspace(-4, 4, 401).astype("float32")
exact = ops.convert_to_numpy(keras.activations.gelu(points))
by_tanh = ops.convert_to_numpy(keras.activations.gelu(points, approximate=True))
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
left.plot(points, exact, color=BLUE, label="GELU")
left.plot(points, np.maximum(points, 0), "--", color=ORANGE, label="ReLU")
left.set(xlabel="input", ylabel="output", title="Two activations")
left.legend()
right.plot(points, by_tanh - exact, color=GREEN)
right.set(xlabel="input", ylabel="difference", title="GELU by tanh minus exact GELU")
plt.show()

# %% [markdown]
# **What you see.** Left: GELU is smooth and dips below zero for small negative inputs; ReLU has a
# corner. For large inputs of either sign they agree. Right: the common approximation with tanh
# is off by up to 0.0005. That is little, and enough to fail a comparison with weights trained
# under the other one: Hugging Face's BERT uses the exact form, GPT-2 the approximation.

# %% [markdown]
# ## 3. The encoder block
# Now the wiring. A residual connection adds the sublayer's **input** to its **output**. The
# normalisation goes to one of two places:
#
# | | one sublayer | used by |
# |---|---|---|
# | post-norm | `x ← norm(x + sublayer(x))` | the 2017 paper, BERT |
# | pre-norm | `x ← x + sublayer(norm(x))` | GPT-2 and most models since |
#
# In pre-norm the sum adds `x` itself, not the normalised `x`.
#
# **Write** `encoder_block(x, attention, feed_forward, norm1, norm2, pre_norm)`. The parts are given
# to you: the check hands in layers with random weights, and grades what you do with them.
# - `x` is `(B, T, D)`, and so is the result.
# - `attention(query, value)` is called with the same sequence twice: `attention(h, h)`.
# - `feed_forward(h)`, `norm1(h)` and `norm2(h)` take one sequence.
# - The attention sublayer comes first, with `norm1`; then feed-forward, with `norm2`.
# - `pre_norm` is True or False.
#
# **Example**, with toys for parts: attention(q, v) = 10·v, feed_forward(h) = h + 1,
# norm1(h) = h / 2, norm2(h) = h / 5, and x = 4.
# - Post-norm: norm1(4 + 40) = 22; norm2(22 + 23) = **9**.
# - Pre-norm: 4 + 10 · norm1(4) = 4 + 20 = 24; 24 + (norm2(24) + 1) = 24 + 5.8 = **29.8**.


# %% exercise="encoder_block" difficulty=2 minutes=10
def encoder_block(x, attention, feed_forward, norm1, norm2, pre_norm):
    """Wire self-attention and feed-forward into an encoder block.

    Args:
        x: float tensor `(B, T, D)`.
        attention: callable `attention(query, value)`.
        feed_forward: callable `feed_forward(x)`.
        norm1: normalisation of the attention sublayer.
        norm2: normalisation of the feed-forward sublayer.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum (False).

    Returns:
        Float tensor `(B, T, D)`.
    """
    ### BEGIN SOLUTION
    if pre_norm:
        h = norm1(x)
        x = x + attention(h, h)
        return x + feed_forward(norm2(x))
    x = norm1(x + attention(x, x))
    return norm2(x + feed_forward(x))
    ### END SOLUTION


# %% check="encoder_block" points=4
check("m02_transformer.encoder_block")

# %% [markdown]
# ## 4. The decoder block
# The decoder's block has three sublayers. Its self-attention must not see the future. A second
# attention, the cross-attention, asks the encoder's output, the memory: queries come from the
# decoder, keys and values from the memory.
#
# **Write** `decoder_block(x, memory, self_attention, cross_attention, feed_forward, norm1, norm2,
# norm3, pre_norm)`.
# - `x` is `(B, T, D)`, `memory` is `(B, S, D)`; the result is `(B, T, D)`.
# - `self_attention(h, h, use_causal_mask=True)`: both attentions understand this argument, as
#   `keras.layers.MultiHeadAttention` does; only this one needs it.
# - `cross_attention(h, memory)`: all of the memory may be read, and no norm touches it.
# - The order is self-attention with `norm1`, cross-attention with `norm2`, feed-forward with
#   `norm3`, each wrapped as in the encoder block.
#
# **Example**, with toys: self_attention(q, v) = 10·v, cross_attention(q, v) = q + v,
# feed_forward(h) = h + 1, each norm(h) = h / 2, x = 4, memory = 6.
# - Post-norm: (4 + 40) / 2 = 22; (22 + (22 + 6)) / 2 = 25; (25 + 26) / 2 = **25.5**.
# - Pre-norm: 4 + 10 · 2 = 24; 24 + (12 + 6) = 42; 42 + (21 + 1) = **64**.


# %% exercise="decoder_block" difficulty=2 minutes=10
def decoder_block(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """Wire causal self-attention, cross-attention and feed-forward into a decoder block.

    Args:
        x: float tensor `(B, T, D)`.
        memory: float tensor `(B, S, D)`, the encoder's output.
        self_attention: callable `self_attention(query, value, use_causal_mask=True)`.
        cross_attention: callable `cross_attention(query, value)`.
        feed_forward: callable `feed_forward(x)`.
        norm1: normalisation of the self-attention sublayer.
        norm2: normalisation of the cross-attention sublayer.
        norm3: normalisation of the feed-forward sublayer.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum (False).

    Returns:
        Float tensor `(B, T, D)`.
    """
    ### BEGIN SOLUTION

    def wrap(x, norm, sublayer):
        return x + sublayer(norm(x)) if pre_norm else norm(x + sublayer(x))

    x = wrap(x, norm1, lambda h: self_attention(h, h, use_causal_mask=True))
    x = wrap(x, norm2, lambda h: cross_attention(h, memory))
    return wrap(x, norm3, feed_forward)
    ### END SOLUTION


# %% check="decoder_block" points=5
check("m02_transformer.decoder_block")

# %% [markdown]
# ## What flows through a deep stack
# Stack your encoder block 18 times, with fresh Keras layers for parts, and measure how large the
# numbers are after each block.

# %% demo
DEPTH, HIDDEN, HEADS = 18, 64, 4


def fresh_parts():
    """Attention, feed-forward and two norms for one block."""
    attention = keras.layers.MultiHeadAttention(HEADS, HIDDEN // HEADS)
    inner = keras.layers.Dense(4 * HIDDEN, activation="gelu")
    outer = keras.layers.Dense(HIDDEN)
    norms = [keras.layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
    return attention, lambda h: outer(inner(h)), *norms


keras.utils.set_random_seed(0)
start = np.random.default_rng(0).normal(size=(4, 16, HIDDEN)).astype("float32")
sizes = {}
for pre_norm in (True, False):
    x, sizes[pre_norm] = ops.convert_to_tensor(start), [start.std()]
    for _ in range(DEPTH):
        x = encoder_block(x, *fresh_parts(), pre_norm)
        sizes[pre_norm].append(float(np.std(ops.convert_to_numpy(x))))
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
axes.plot(sizes[True], "o-", color=BLUE, label="pre-norm")
axes.plot(sizes[False], "s--", color=ORANGE, label="post-norm")
axes.set(xlabel="blocks passed", ylabel="standard deviation", ylim=(0, None))
axes.set_xticks(range(0, DEPTH + 1, 3))
axes.legend()
plt.show()

# %% [markdown]
# **What you see.** Post-norm stays at 1: a norm ends every block. In pre-norm each block adds to
# the stream and nothing shrinks it, so it grows with every block, to almost 4 after 18. The
# sublayers' outputs do not grow with it, because their inputs are normalised: the later the
# block, the smaller its share. This is why a pre-norm stack ends with one more norm.


# %% [markdown]
# ## Gradient norm per layer, pre-norm against post-norm
# Now the way back. Xiong et al. (2020) argue that at the start of training post-norm gives the
# parameters near the output large gradients, and that this is why the 2017 recipe lets the
# learning rate warm up. You measure it: 18 encoder layers of the package, a dense layer on top,
# cross-entropy with random targets as the loss, and no training step. Each point is the norm of
# the gradient of one layer's second feed-forward kernel, mean and standard deviation over 5
# seeds. Pre-norm ends with one more normalisation, as it does in every model.

# %% demo
from course.m02_transformer import LayerNormalization, TransformerEncoderLayer

CLASSES = 32


def gradient_norms(pre_norm, seed):
    """Norms of the gradients of the layers' second feed-forward kernels, first layer first."""
    keras.utils.set_random_seed(seed)
    draw = np.random.default_rng(seed)
    layers = [TransformerEncoderLayer(4 * HIDDEN, HEADS, pre_norm=pre_norm) for _ in range(DEPTH)]
    final = LayerNormalization() if pre_norm else lambda x: x
    head = keras.layers.Dense(CLASSES)
    inputs = draw.normal(size=(8, 16, HIDDEN)).astype("float32")
    targets = draw.integers(CLASSES, size=(8, 16))

    def loss():
        x = ops.convert_to_tensor(inputs)
        for layer in layers:
            x = layer(x)
        logits = head(final(x))
        return ops.mean(ops.sparse_categorical_crossentropy(targets, logits, from_logits=True))

    with tf.GradientTape() as tape:
        value = loss()  # the first call builds the layers
    kernels = [layer.feed_forward.output_dense.kernel.value for layer in layers]
    return [float(tf.norm(gradient)) for gradient in tape.gradient(value, kernels)]


norms = {p: np.array([gradient_norms(p, seed) for seed in range(5)]) for p in (True, False)}
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
for pre_norm, colour, style, name in (
    (True, BLUE, "o-", "pre-norm"),
    (False, ORANGE, "s--", "post-norm"),
):
    mean, sd = norms[pre_norm].mean(axis=0), norms[pre_norm].std(axis=0)
    layer_numbers = np.arange(1, DEPTH + 1)
    axes.errorbar(layer_numbers, mean, sd, fmt=style, color=colour, label=name, capsize=3)
    print(
        f"{name:9}: first layer {mean[0]:.2f} ± {sd[0]:.2f}, last layer {mean[-1]:.2f} ± {sd[-1]:.2f}"
    )
ratio = norms[False][:, -1] / norms[True][:, -1]
print(f"last layer, post-norm over pre-norm: {ratio.min():.1f} to {ratio.max():.1f} in 5 seeds")
axes.set(xlabel="layer (1 is next to the input)", ylabel="gradient norm", ylim=(0, None))
axes.set_xticks(range(1, DEPTH + 1))
axes.legend()
plt.show()

# %% [markdown]
# **What you see.** In post-norm all layers get gradients of about the same size, around 1.6, with
# a wide spread over the seeds. In pre-norm the gradient falls from layer to layer, from 1.5 next
# to the input to 0.3 at the top. The curves begin together and end far apart: in the last layer
# the gradient of post-norm is at least 3 times that of pre-norm in each of the 5 seeds. This
# agrees with the theory: Xiong et al. find that in the last layer the gradient of post-norm does
# not depend on the depth, and that of pre-norm falls with its square root, as the stream grows.
#
# The figure is about the first step only. It does not say which of the two ends at the better
# model.
