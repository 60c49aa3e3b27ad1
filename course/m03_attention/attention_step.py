"""One step of a decoder with attention, as arrays (Luong et al., 2015, sections 3 and 3.1).

    s_t    = gru_step(F[y_{t-1}], s_{t-1})
    a_t    = softmax over j of s_tᵀ W_a h_j
    c_t    = Σ_j a_tj h_j
    logits = tanh([c_t; s_t] W_c) W + b

It is what `AttentionDecoder` computes with `wiring="attend_last"` and the score "general".

Axes: B batch, T target length, S source length, M width of the memory, D hidden size, E embedding
size, V vocabulary size.
"""

from keras import ops

from course.m01_sequence_models import gru_step
from course.m02_transformer import masked_softmax
from course.m03_attention.scores import general_score


def alignment_weights(scores, source_mask):
    """Turn scores into weights over the tokens of the source.

    Args:
        scores: float tensor `(B, T, S)`.
        source_mask: bool tensor `(B, S)`, True at tokens, False at padding.

    Returns:
        Weights `(B, T, S)`. They are equal where a source has no token.
    """
    return masked_softmax(scores, ops.expand_dims(source_mask, 1))  # (B, 1, S) hides keys


def context_vectors(weights, memory):
    """Return the sums of the encoder's states, weighted.

    Args:
        weights: float tensor `(B, T, S)`.
        memory: float tensor `(B, S, M)`.

    Returns:
        Contexts `(B, T, M)`.
    """
    return ops.matmul(weights, memory)


def attention_weights_of(model):
    """Return the arrays of a model's layers `target_embedding`, `decoder` and `logits`.

    Args:
        model: `keras.Model` whose layer `decoder` is an `AttentionDecoder` with a GRU cell,
            `wiring="attend_last"` and `LuongAttention("general")`.

    Returns:
        Dict of arrays: `embedding` (V, E), `kernel` (E, 3D), `recurrent_kernel` (D, 3D),
        `bias` (2, 3D), `attention` (D, M), `combine` (M + D, D), `output_kernel` (D, V),
        `output_bias` (V,).
    """
    decoder = model.get_layer("decoder")
    names = "embedding kernel recurrent_kernel bias attention combine output_kernel output_bias"
    layers = (
        model.get_layer("target_embedding"),
        decoder.cell,
        decoder.attention,
        decoder.output_dense,
        model.get_layer("logits"),
    )
    arrays = [array for layer in layers for array in layer.get_weights()]
    return dict(zip(names.split(), arrays, strict=True))


def attention_decoder_step(weights, token_ids, state, memory, source_mask):
    """Read one token, look at the source, and say what may come next.

    Args:
        weights: dict, as `attention_weights_of` returns it.
        token_ids: int tensor `(B,)`, the last tokens.
        state: float tensor `(B, D)`, the state before them.
        memory: float tensor `(B, S, M)`, the encoder's states.
        source_mask: bool tensor `(B, S)`, True at tokens.

    Returns:
        Logits `(B, V)`, the new state `(B, D)` and the alignment weights `(B, S)`.
    """
    weights = {name: ops.convert_to_tensor(array) for name, array in weights.items()}
    x = ops.take(weights["embedding"], token_ids, axis=0)  # (B, E)
    cell = (weights[name] for name in ("kernel", "recurrent_kernel", "bias"))
    state = gru_step(x, state, *cell)  # (B, D)
    scores = general_score(state[:, None], memory, weights["attention"])  # (B, 1, S)
    alignment = alignment_weights(scores, source_mask)
    context = context_vectors(alignment, memory)[:, 0]  # (B, M)
    pair = ops.concatenate([context, state], axis=-1)  # (B, M + D)
    output = ops.tanh(ops.matmul(pair, weights["combine"]))  # (B, D)
    logits = ops.matmul(output, weights["output_kernel"]) + weights["output_bias"]
    return logits, state, alignment[:, 0]


def reversed_alignment(weights, source_mask, shift=0):
    """Return how often a decoder that reverses looks at the letter that it writes, or beside it.

    Step t of a source of n letters writes the letter at place n - 1 - t.

    Args:
        weights: float tensor `(B, T, S)`, T at least as long as each source.
        source_mask: bool tensor `(B, S)`, True at letters, which come first.
        shift: int. How many places after that letter.

    Returns:
        The fraction of the steps 0 to n - 1 whose largest weight lies at n - 1 - t + shift.
        Steps where no letter is there are left out.
    """
    lengths = ops.sum(ops.cast(source_mask, "int32"), axis=1)[:, None]  # (B, 1)
    steps = ops.arange(weights.shape[1], dtype="int32")[None]  # (1, T)
    place = lengths - 1 - steps + shift  # (B, T)
    counts = (steps < lengths) & (place >= 0) & (place < lengths)
    right = counts & ops.equal(ops.cast(ops.argmax(weights, axis=-1), "int32"), place)
    return ops.sum(ops.cast(right, "float32")) / ops.sum(ops.cast(counts, "float32"))
