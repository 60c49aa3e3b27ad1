"""Run a function of one step over a sequence, as the loop of a recurrent network.

`ops.scan` would do, but XLA cannot differentiate it on TensorFlow: its loop states no maximum.
The loop of `keras.layers.RNN` does, on every backend, so a function is dressed as its cell.

Axes: B batch, T length.
"""

import keras
from keras import ops


class FunctionCell:
    """What `keras.layers.RNN` needs of a cell, around a function.

    Args:
        step: callable from `(x, *states)` to an output and the next states.
        state_size: list of int. Widths of the states.
        dtype: str. Dtype of the states.
    """

    def __init__(self, step, state_size, dtype):
        self.step, self.state_size, self.compute_dtype = step, state_size, dtype

    def call(self, x, states):
        """Return the output and the list of next states."""
        output, states = self.step(x, *states)
        return output, list(states)

    __call__ = call


def recur(step, x, states):
    """Call `step` on each place of a sequence, and hand its states on.

    Args:
        step: callable `step(x_t, *states)`, from `(B, E)` and the states to an output
            `(B, O)` and the next states.
        x: float tensor `(B, T, E)`.
        states: float tensors `(B, ...)`, of one dtype, that step 0 starts from.

    Returns:
        The outputs `(B, T, O)` and the list of last states.
    """
    dtype = keras.backend.standardize_dtype(states[0].dtype)
    cell = FunctionCell(step, [state.shape[-1] for state in states], dtype)
    loop = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype=dtype)
    # A copy leaves a Keras mask behind: the loop would skip what it hides.
    outputs, *last = loop(ops.copy(x), initial_state=list(states))
    return outputs, last
