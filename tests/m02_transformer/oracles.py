"""What the layers must compute, in float64 NumPy; imports neither keras nor course.

`weights` maps the last parts of a weight's path to its values: `{"query/kernel": …}`.
"""

from math import erf

import numpy as np


def softmax(x):
    """Exponentials that add up to one over the last axis."""
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def gelu(x):
    """The input times the standard normal distribution function."""
    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def relu(x):
    """The positive part."""
    return np.maximum(x, 0)


def dense(weights, name, x):
    """One affine map."""
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def layer_norm(weights, x, epsilon=1e-6):
    """Over the last axis, biased variance, epsilon inside the root."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * weights["gamma"] + weights["beta"]


def feed_forward(weights, x, activation=gelu):
    """Two affine maps with an activation between them."""
    return dense(weights, "output", activation(dense(weights, "intermediate", x)))


def sinusoids(length, hidden_dim):
    """Entry by entry, as the paper writes it."""
    table = np.zeros((length, hidden_dim))
    for t in range(length):
        for feature in range(hidden_dim):
            angle = t / 10000 ** (2 * (feature // 2) / hidden_dim)
            table[t, feature] = np.cos(angle) if feature % 2 else np.sin(angle)
    return table


def rotate(x, positions, base=10000.0):
    """Multiply the complex numbers x[i] + i·x[i + H/2] by a power of e."""
    half = x.shape[-1] // 2
    z = x[..., :half] + 1j * x[..., half:]
    z = z * np.exp(1j * np.multiply.outer(positions, base ** -(np.arange(half) / half)))
    return np.concatenate([z.real, z.imag], axis=-1)


def alibi(num_heads, target, source):
    """Minus slope times distance, with slopes spelled out for the tests' head counts."""
    slopes = {3: [2**-4, 2**-8, 2**-2], 7: [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3, 2**-5]}
    i, j = np.arange(source - target, source)[:, None], np.arange(source)[None, :]
    return -np.array(slopes[num_heads])[:, None, None] * abs(i - j)


def heads(x, num_heads):
    """Head n takes features n·H to (n+1)·H."""
    return np.stack(np.split(x, num_heads, axis=-1), axis=1)


def attention(weights, query, value, num_heads, scheme=None, mask=None, relative=None):
    """Multi-head attention: ALiBi, rotary, or Shaw's distances clipped to `relative`."""
    q, k, v = (
        heads(dense(weights, name, x), num_heads)
        for name, x in (("query", query), ("key", value), ("value", value))
    )
    if scheme == "rotary":
        q, k = rotate(q, np.arange(q.shape[2])), rotate(k, np.arange(k.shape[2]))
    root = np.sqrt(q.shape[-1])
    scores = np.einsum("bnth,bnsh->bnts", q, k) / root
    if scheme == "alibi":
        scores = scores + alibi(num_heads, q.shape[2], k.shape[2])
    if relative is not None:
        for i in range(q.shape[2]):
            for j in range(k.shape[2]):
                row = min(max(j - i, -relative), relative) + relative
                scores[:, :, i, j] += q[:, :, i] @ weights["relative_keys"][row] / root
    if mask is not None:
        scores = np.where(mask[:, None], scores, -np.inf)
    p = softmax(scores)
    x = np.einsum("bnts,bnsh->bnth", p, v)
    if relative is not None:
        for i in range(q.shape[2]):
            for j in range(k.shape[2]):
                row = min(max(j - i, -relative), relative) + relative
                x[:, :, i] += p[:, :, i, j, None] * weights["relative_values"][row]
    return dense(weights, "attention_output", np.concatenate(list(x.swapaxes(0, 1)), axis=-1))


def part(weights, name):
    """The weights below one name."""
    return {k.removeprefix(f"{name}/"): v for k, v in weights.items() if k.startswith(f"{name}/")}


def encoder_layer(weights, x, num_heads, pre_norm, activation=relu, scheme=None):
    """One encoder layer."""
    norm1, norm2, a, f = (part(weights, n) for n in ("norm1", "norm2", "attention", "feed_forward"))
    if pre_norm:
        h = layer_norm(norm1, x)
        x = x + attention(a, h, h, num_heads, scheme)
        return x + feed_forward(f, layer_norm(norm2, x), activation)
    x = layer_norm(norm1, x + attention(a, x, x, num_heads, scheme))
    return layer_norm(norm2, x + feed_forward(f, x, activation))


def decoder_layer(weights, x, memory, num_heads, pre_norm, activation=relu, scheme=None):
    """One decoder layer, causal."""
    n1, n2, n3 = (part(weights, f"norm{i}") for i in (1, 2, 3))
    own, cross = part(weights, "self_attention"), part(weights, "cross_attention")
    f = part(weights, "feed_forward")
    causal = np.tril(np.ones((1, x.shape[1], x.shape[1]), bool))
    if pre_norm:
        h = layer_norm(n1, x)
        x = x + attention(own, h, h, num_heads, scheme, causal)
        x = x + attention(cross, layer_norm(n2, x), memory, num_heads)
        return x + feed_forward(f, layer_norm(n3, x), activation)
    x = layer_norm(n1, x + attention(own, x, x, num_heads, scheme, causal))
    x = layer_norm(n2, x + attention(cross, x, memory, num_heads))
    return layer_norm(n3, x + feed_forward(f, x, activation))


def stack(weights, layer, num_layers, pre_norm, *inputs, **kwargs):
    """Layers in a row, and a final norm for pre-norm."""
    x, *memory = inputs
    for i in range(num_layers):
        x = layer(part(weights, f"layer_{i}"), x, *memory, pre_norm=pre_norm, **kwargs)
    return layer_norm(part(weights, "final_norm"), x) if pre_norm else x
