"""A recurrent decoder that attends to the encoder's states.

    attend_first    c_t = attention(s_{t-1}),  s_t = cell([x_t; c_t], s_{t-1})
    input_feeding   s_t = cell([x_t; o_{t-1}], s_{t-1}),  c_t = attention(s_t)
    attend_last     s_t = cell(x_t, s_{t-1}),  c_t = attention(s_t)
    all three       o_t = tanh(W_c [c_t; s_t])

The first wiring is that of Bahdanau et al., 2015, who make o_t with a maxout layer instead. The
others are of Luong et al., 2015 (sections 3.3 and 3.1, equation 5).

Axes: B batch, T target length, S source length, E width of an input, M width of the memory,
D hidden size.
"""

import keras
from keras import ops

from course.m01_sequence_models import GRUCell
from course.m02_transformer import attend
from course.m03_attention.additive_attention import AdditiveAttention
from course.m03_attention.recurrence import recur

WIRINGS = ("attend_first", "input_feeding", "attend_last")


@keras.saving.register_keras_serializable(package="course.m03_attention")
class AttentionDecoder(keras.layers.Layer):
    """Read a target with a recurrent cell, and look at the source at each step.

    A call over the whole target is teacher forcing. A call with T = 1, given the state and the
    output of the call before, is a step of decoding: the same code.

    Args:
        hidden_dim: int. Width D of states and outputs.
        attention: optional attention layer of this module. Defaults to
            `AdditiveAttention(hidden_dim)`. Its own dropout is not used here.
        cell: optional recurrent cell with one state of width D, of module 1 or of Keras.
            Defaults to `GRUCell(hidden_dim)`.
        wiring: str. One of `"attend_first"` (the default), `"input_feeding"` and
            `"attend_last"`. Only the last keeps attention out of the loop: fastest.
        dropout: float. Rate on the outputs. Defaults to `0.0`.

    Call arguments:
        x: float tensor `(B, T, E)`, the embedded target, shifted right.
        memory: float tensor `(B, S, M)`, the encoder's states.
        state: float tensor `(B, D)`, the state before the first step.
        previous: optional float tensor `(B, D)`, the output before the first step, which
            only input feeding reads. Defaults to zeros.
        memory_padding_mask: optional bool `(B, S)`, True at tokens of the source.

    Returns:
        Outputs `(B, T, D)`, alignment weights `(B, T, S)`, the last state `(B, D)`. A Keras
        mask on `x` passes to the outputs and hides nothing.

    Raises:
        ValueError: if there is no such wiring, or the cell has not one state of width D.

    References: [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473),
    [Luong et al., 2015](https://arxiv.org/abs/1508.04025)
    """

    def __init__(
        self, hidden_dim, attention=None, cell=None, wiring="attend_first", dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        policy = {"dtype": self.dtype_policy}
        self.hidden_dim = hidden_dim
        self.attention = attention or AdditiveAttention(hidden_dim, name="attention", **policy)
        self.cell = cell or GRUCell(hidden_dim, name="cell", **policy)
        if wiring not in WIRINGS or self.cell.state_size != hidden_dim:
            raise ValueError(
                f"`wiring` must be one of: {', '.join(WIRINGS)}, and `cell` must have one state of "
                f"width `hidden_dim`. Received: wiring={wiring!r}, hidden_dim={hidden_dim}, "
                f"cell.state_size={self.cell.state_size}."
            )
        self.wiring, self.dropout = wiring, dropout
        self.supports_masking = True
        self.output_dense = keras.layers.Dense(
            hidden_dim, activation="tanh", use_bias=False, name="output", **policy
        )
        self.output_dropout = keras.layers.Dropout(dropout, **policy)

    def build(self, x_shape, memory_shape, state_shape, previous_shape=None):
        batch, width = x_shape[0], memory_shape[-1]
        added = {"attend_first": width, "input_feeding": self.hidden_dim, "attend_last": 0}
        if not self.attention.built:  # one that was given may have been built, or loaded
            self.attention.build((batch, 1, self.hidden_dim), memory_shape)
        if not self.cell.built:
            self.cell.build((batch, x_shape[-1] + added[self.wiring]))
        self.output_dense.build((batch, 1, width + self.hidden_dim))

    def call(self, x, memory, state, previous=None, memory_padding_mask=None):
        keys = self.attention.prepare(memory)  # once for all steps
        mask = None if memory_padding_mask is None else memory_padding_mask[:, None]  # (B, 1, S)
        state = ops.cast(state, self.compute_dtype)
        previous = state * 0 if previous is None else ops.cast(previous, self.compute_dtype)

        def look(states):
            return attend(self.attention.scores(states, keys), memory, mask)

        if self.wiring == "attend_last":
            states, (state,) = recur(self.step, x, [state])  # (B, T, D), (B, D)
            context, weights = look(states)  # (B, T, M), (B, T, S)
            pairs = ops.concatenate([context, states], axis=-1)  # (B, T, M + D)
        else:
            width = memory.shape[-1] + self.hidden_dim
            pairs, weights, state = self.loop(look, x, state, previous, width)
        return self.output_dropout(self.output_dense(pairs)), weights, state

    def compute_output_spec(self, x, memory, state, previous=None, memory_padding_mask=None):
        """State the shapes: JAX and PyTorch cannot trace the loop over an unknown length."""
        shapes = (*x.shape[:2], self.hidden_dim), (*x.shape[:2], memory.shape[1]), state.shape
        return tuple(keras.KerasTensor(shape, self.compute_dtype) for shape in shapes)

    def loop(self, look, x, state, previous, width):
        """Attend within the recurrence; return pairs [c_t; s_t], weights and the last state."""
        feeding = self.wiring == "input_feeding"

        def step(x, state, previous):
            if feeding:
                state, _ = self.step(ops.concatenate([x, previous], axis=-1), state)
            context, weights = (part[:, 0] for part in look(state[:, None]))  # (B, M), (B, S)
            if not feeding:
                state, _ = self.step(ops.concatenate([x, context], axis=-1), state)
            pair = ops.concatenate([context, state], axis=-1)  # (B, M + D)
            output = self.output_dense(pair) if feeding else previous  # (B, D)
            return ops.concatenate([pair, weights], axis=-1), (state, output)

        steps, (state, _) = recur(step, x, [state, previous])  # (B, T, M + D + S)
        pairs = ops.reshape(steps[..., :width], (*ops.shape(steps)[:2], width))  # static width
        return pairs, steps[..., width:], state

    def step(self, x, state):
        """Call the cell on `(B, ...)`; return the state `(B, D)` as output and as state."""
        state = ops.cast(self.cell(x, [state])[0], self.compute_dtype)
        return state, [state]

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "wiring": self.wiring,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config):
        load = keras.saving.deserialize_keras_object
        return super().from_config(config | {k: load(config.get(k)) for k in ("attention", "cell")})
