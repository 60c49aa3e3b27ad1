"""A trained recurrent decoder as arrays, and greedy decoding with nothing else.

    x      = F[y_{t-1}]
    s_t    = gru_step(x, s_{t-1})
    logits = s_t W + b

Axes: B batch, E embedding size, H hidden size, V vocabulary size.
"""

from keras import ops

from course.m01_sequence_models.greedy_decode import write_greedily
from course.m01_sequence_models.gru_cell import gru_step


def decoder_weights(model):
    """Return the decoder's weights of a model that `build_seq2seq` made with `cell="gru"`.

    Returns:
        Dict of float arrays: `embedding` (V, E), `kernel` (E, 3H), `recurrent_kernel`
        (H, 3H), `bias` (2, 3H), `output_kernel` (H, V) and `output_bias` (V,).
    """
    kernel, recurrent_kernel, bias = model.get_layer("decoder").get_weights()
    output_kernel, output_bias = model.get_layer("logits").get_weights()
    return {
        "embedding": model.get_layer("target_embedding").get_weights()[0],
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }


def decoder_step(weights, token_ids, state):
    """Read one token in each row, and say what may come next.

    Args:
        weights: dict, as `decoder_weights` returns it.
        token_ids: int tensor `(B,)`, the last tokens.
        state: float tensor `(B, H)`, the state before them.

    Returns:
        Logits `(B, V)` of the next tokens, and the state `(B, H)` after the last ones.
    """
    weights = {name: ops.convert_to_tensor(array) for name, array in weights.items()}
    x = ops.take(weights["embedding"], token_ids, axis=0)  # (B, E)
    cell = (weights[name] for name in ("kernel", "recurrent_kernel", "bias"))
    state = gru_step(x, state, *cell)  # (B, H)
    return ops.matmul(state, weights["output_kernel"]) + weights["output_bias"], state


def decode_greedily(weights, state, start_id, end_id, max_length):
    """Write the likeliest token at each step, and read it at the next.

    Args:
        weights: dict, as `decoder_weights` returns it.
        state: float tensor `(B, H)`, the encoder's last state.
        start_id: int. Read at the first step.
        end_id: int. Token that ends a row.
        max_length: int. Number of steps.

    Returns:
        Int32 array `(B, max_length)` without the start token; 0 after a row's first
        `end_id`.
    """

    def step(token_ids, state):
        logits, state = decoder_step(weights, token_ids, state)
        return ops.convert_to_numpy(logits), state

    return write_greedily(step, state, state.shape[0], start_id, end_id, max_length)
