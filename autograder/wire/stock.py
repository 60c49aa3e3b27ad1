"""Stock layers and models that the referee hands to the learner's code.

Each kind has a constructor for the learner's side, and for the referee's the shapes of its weights
and a NumPy twin, so that a block is graded as wiring: what it does with the parts, not the parts.
"""

import numpy as np


def make(kind, config):
    """Construct a stock object on the learner's side.

    Raises:
        ValueError: the kind is not in the list.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no stock object {kind!r}.")
    return KINDS[kind][0](config)


def twin(kind, config, arrays, *args, **kwargs):
    """Compute in float64 what the stock object computes from the same variables."""
    return KINDS[kind][1](config, [np.asarray(a, "float64") for a in arrays], *args, **kwargs)


def shapes(kind, config, *inputs):
    """Return the shapes of the weights of a stock object that is called with these arrays."""
    return KINDS[kind][2](config, *inputs)


def _keras_layer(name):
    def construct(config):
        import keras

        return getattr(keras.layers, name)(**config)

    return construct


def _feed_forward(config):
    """Two dense layers with ReLU between; its weights are made at once."""
    import keras

    width, inner = config["hidden_dim"], config["intermediate_dim"]
    layers = [keras.layers.Dense(inner, activation="relu"), keras.layers.Dense(width)]
    return keras.Sequential(layers)


def _markov_model(config):
    """A model on [source, target] ids whose next token depends on the last one and the source.

    Logits at step t are `next_token[target[t]] + mean over source of source_bias[source[s]]`.
    """
    import keras
    from keras import ops

    vocabulary = config["vocabulary_size"]
    source = keras.Input((None,), dtype="int32")
    target = keras.Input((None,), dtype="int32")
    next_token = keras.layers.Embedding(vocabulary, vocabulary, name="next_token")(target)
    bias = keras.layers.Embedding(vocabulary, vocabulary, name="source_bias")(source)
    bias = keras.layers.Lambda(lambda x: ops.mean(x, axis=1, keepdims=True))(bias)
    return keras.Model([source, target], next_token + bias)


def _layer_normalization(config, arrays, x):
    gamma, beta = arrays
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + config.get("epsilon", 1e-3)) + beta


def _dense(config, arrays, x):
    kernel, bias = arrays
    return x @ kernel + bias


def _feed_forward_twin(config, arrays, x):
    kernel1, bias1, kernel2, bias2 = arrays
    return np.maximum(x @ kernel1 + bias1, 0) @ kernel2 + bias2


def _attention(config, arrays, query, value, key=None, attention_mask=None, use_causal_mask=False):
    """keras.layers.MultiHeadAttention: kernels (D, N, H) and biases (N, H), output (N, H, D)."""
    wq, bq, wk, bk, wv, bv, wo, bo = arrays
    key = value if key is None else key
    q = np.einsum("btd,dnh->bnth", query, wq) + bq[:, None]
    k = np.einsum("bsd,dnh->bnsh", key, wk) + bk[:, None]
    v = np.einsum("bsd,dnh->bnsh", value, wv) + bv[:, None]
    scores = np.einsum("bnth,bnsh->bnts", q, k) / np.sqrt(q.shape[-1])
    if attention_mask is not None:
        scores = np.where(attention_mask[:, None], scores, -1e9)
    if use_causal_mask:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -1e9)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bnts,bnsh,nhd->btd", weights, v, wo) + bo


def _markov_twin(config, arrays, inputs, training=False):
    """Logits of the Markov model; Keras lists the source's table first, which lies deeper."""
    source_bias, next_token = arrays
    source, target = (np.asarray(ids).astype(int) for ids in inputs)
    return next_token[target] + source_bias[source].mean(1, keepdims=True)


def _dense_shapes(config, x):
    return [(x.shape[-1], config["units"]), (config["units"],)]


def _layer_normalization_shapes(config, x):
    return [x.shape[-1:]] * 2


def _feed_forward_shapes(config, x):
    width, inner = config["hidden_dim"], config["intermediate_dim"]
    return [(x.shape[-1], inner), (inner,), (inner, width), (width,)]


def _attention_shapes(config, query, value, key=None):
    heads, width = (config["num_heads"], config["key_dim"]), query.shape[-1]
    sources = (query, value if key is None else key, value)
    inward = [shape for x in sources for shape in ((x.shape[-1], *heads), heads)]
    return [*inward, (*heads, width), (width,)]


def _markov_shapes(config):
    return [(config["vocabulary_size"],) * 2] * 2


KINDS = {
    "keras.layers.Dense": (_keras_layer("Dense"), _dense, _dense_shapes),
    "keras.layers.LayerNormalization": (
        _keras_layer("LayerNormalization"),
        _layer_normalization,
        _layer_normalization_shapes,
    ),
    "keras.layers.MultiHeadAttention": (
        _keras_layer("MultiHeadAttention"),
        _attention,
        _attention_shapes,
    ),
    "feed_forward": (_feed_forward, _feed_forward_twin, _feed_forward_shapes),
    "markov_model": (_markov_model, _markov_twin, _markov_shapes),
}
