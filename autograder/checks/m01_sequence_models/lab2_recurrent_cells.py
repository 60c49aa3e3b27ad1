"""Checks of lab 2: steps of three recurrent cells, the loop over time, the gradient through it."""

import numpy as np

from autograder.compare import close, unpack
from autograder.exercise import Exercise

MODULE = "course.m01_sequence_models"
READY_MADE = [
    "keras.layers.RNN",
    "keras.layers.SimpleRNN",
    "keras.layers.SimpleRNNCell",
    "keras.layers.LSTM",
    "keras.layers.LSTMCell",
    "keras.layers.GRU",
    "keras.layers.GRUCell",
    f"{MODULE}.SimpleRNNCell",
    f"{MODULE}.LSTMCell",
    f"{MODULE}.GRUCell",
    f"{MODULE}.simple_rnn_step",
    f"{MODULE}.lstm_step",
    f"{MODULE}.gru_step",
]
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)


def sizes(rng, count):
    """Draw different primes, one for each axis, so that no two axes can be mistaken."""
    return [int(n) for n in rng.permutation(PRIMES)[:count]]


def draw(rng, *shape):
    """Draw values near 1."""
    return rng.normal(size=shape)


def weights(rng, inputs, units, gates=1):
    """Draw the two kernels of a cell, scaled so that no gate is saturated."""
    width = gates * units
    kernel = rng.normal(scale=inputs**-0.5, size=(inputs, width))
    return kernel, rng.normal(scale=units**-0.5, size=(units, width))


def switches(rng, units):
    """Draw which gates are open: at least one is and one is not."""
    is_open = rng.random(units) < 0.5
    is_open[:2] = rng.permutation([True, False])
    return is_open


def by_switch(is_open, bias=50.0):
    """Return biases that open a gate wide or close it."""
    return np.where(is_open, bias, -bias)


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, "float64")))


# ---------------------------------------------------------------------------- simple_rnn_step

simple = Exercise(
    "simple_rnn_step",
    points=3,
    signature="simple_rnn_step(x, h, kernel, recurrent_kernel, bias)",
    package=f"{MODULE}.simple_rnn_step",
    forbids=READY_MADE,
    hints=[
        "Two matrix products, one sum, one function over it. Which of the two matrices fits `x`?",
        "h_new = tanh(x W + h U + b): the tanh goes around the whole sum.",
        "x = [[1]], h = [[2]], kernel = [[0.5]], recurrent_kernel = [[-0.3]], bias = [0.2]: "
        "0.5 - 0.6 + 0.2 = 0.1, and tanh(0.1) = 0.0997.",
    ],
)


@simple.oracle
def simple_rnn_step(x, h, kernel, recurrent_kernel, bias):
    """Tanh of the sum."""
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)


@simple.case(points=1, hint="Compare each product with the worked example in the text.")
def one_step_on_paper(lab, rng):
    """For x = (2, 1) and h = 0.5 the sum is 0.6 + 0.4 - 0.2 + 0.1 = 0.9, the state tanh(0.9)."""
    given = [[2.0, 1.0]], [[0.5]], [[0.3], [0.4]], [[-0.4]], [0.1]
    answer = lab.simple_rnn_step(*map(np.array, given))
    return close(answer, np.array([[np.tanh(0.9)]]), what="state")


@simple.case(points=1, hint="h = 0 leaves tanh(x W + b).")
def after_a_state_of_zeros(lab, rng):
    """From a state of zeros, the new state is the tanh of the input's product plus the bias."""
    batch, inputs, units = sizes(rng, 3)
    x, bias = draw(rng, batch, inputs), draw(rng, units)
    kernel, recurrent = weights(rng, inputs, units)
    answer = lab.simple_rnn_step(x, np.zeros((batch, units)), kernel, recurrent, bias)
    return close(answer, np.tanh(x @ kernel + bias), what="state")


@simple.case(points=1, hint="h U, not U h and not h Uᵀ: rows are examples.")
def input_and_state_come_together(lab, rng):
    """The new state is tanh(x W + h U + b), for each example of the batch."""
    batch, inputs, units = sizes(rng, 3)
    given = (
        draw(rng, batch, inputs),
        draw(rng, batch, units),
        *weights(rng, inputs, units),
        draw(rng, units),
    )
    return close(lab.simple_rnn_step(*given), simple_rnn_step(*given), what="state")


@simple.misconception("You left out the tanh. Without it the cell is linear, and so is a stack.")
def linear_step(x, h, kernel, recurrent_kernel, bias):
    """The sum alone."""
    return x @ kernel + h @ recurrent_kernel + bias


@simple.misconception("You took the sigmoid. The simple cell takes the tanh, from -1 to 1.")
def sigmoid_step(x, h, kernel, recurrent_kernel, bias):
    """Sigmoid of the sum."""
    return sigmoid(linear_step(x, h, kernel, recurrent_kernel, bias))


@simple.misconception("You took ReLU. The simple cell takes the tanh, which bounds the state.")
def relu_step(x, h, kernel, recurrent_kernel, bias):
    """ReLU of the sum."""
    return np.maximum(linear_step(x, h, kernel, recurrent_kernel, bias), 0)


@simple.misconception("You left out the bias.")
def step_without_bias(x, h, kernel, recurrent_kernel, bias):
    """No bias."""
    return np.tanh(x @ kernel + h @ recurrent_kernel)


@simple.misconception("You added the bias after the tanh. It belongs inside.")
def bias_outside(x, h, kernel, recurrent_kernel, bias):
    """Bias outside."""
    return np.tanh(x @ kernel + h @ recurrent_kernel) + bias


@simple.misconception("You took a tanh of each product. There is one, around the whole sum.")
def tanh_of_each(x, h, kernel, recurrent_kernel, bias):
    """Two tanhs."""
    return np.tanh(x @ kernel + bias) + np.tanh(h @ recurrent_kernel)


@simple.misconception("You took a tanh of each product. There is one, around the whole sum.")
def tanh_of_each_bias_by_the_state(x, h, kernel, recurrent_kernel, bias):
    """Two tanhs, the bias in the second."""
    return np.tanh(x @ kernel) + np.tanh(h @ recurrent_kernel + bias)


@simple.misconception(
    "You transposed `recurrent_kernel`. States are rows, so the product is h U as it stands."
)
def transposed(x, h, kernel, recurrent_kernel, bias):
    """Transposed U."""
    return simple_rnn_step(x, h, kernel, recurrent_kernel.T, bias)


@simple.misconception("You left out the state: without h U the cell forgets all it has read.")
def without_state(x, h, kernel, recurrent_kernel, bias):
    """No state."""
    return np.tanh(x @ kernel + bias)


@simple.misconception("You added h itself. It goes through `recurrent_kernel` first: h U.")
def without_recurrent_kernel(x, h, kernel, recurrent_kernel, bias):
    """State without U."""
    return np.tanh(x @ kernel + h + bias)


@simple.misconception("You added the old state to the result. The tanh alone is the new state.")
def with_residual(x, h, kernel, recurrent_kernel, bias):
    """Residual."""
    return h + simple_rnn_step(x, h, kernel, recurrent_kernel, bias)


# ------------------------------------------------------------------------------------ run_rnn

run = Exercise(
    "run_rnn",
    points=5,
    signature="run_rnn(x, mask, h, kernel, recurrent_kernel, bias)",
    forbids=READY_MADE,
    depends_on=["simple_rnn_step"],
    hints=[
        "Keep one variable h for the state. Each step makes a new state from it; where the step is "
        "padding, h stays what it was.",
        "For each t: new = simple_rnn_step(x[:, t], h, …); h = where(mask[:, t, None], new, h); "
        "append h. At the end stack the list along axis 1.",
        "With mask [False, True] and T = 2: states[:, 0] is the h that came in, states[:, 1] is "
        "one step from it with x[:, 1]. `last` is states[:, 1].",
    ],
)


def over_time(x, mask, h, step, after=None):
    """Run `step(x_t, h)`; `after(new, h, real, t)` says what comes out, and what goes on."""
    mask = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    after = after or carried
    shown, h = [], np.asarray(h, "float64")
    for t in range(x.shape[1]):
        out, h = after(step(x[:, t], h), h, mask[:, t, None], t)
        shown.append(out)
    return np.stack(shown, axis=1), h


def carried(new, h, real, t):
    """Carry the state on where a step is padding."""
    h = np.where(real, new, h)
    return h, h


def stepper(kernel, recurrent_kernel, bias, step=simple_rnn_step):
    """Return the step with its weights."""
    return lambda x, h: step(x, h, kernel, recurrent_kernel, bias)


@run.oracle
def run_rnn(x, mask, h, kernel, recurrent_kernel, bias, *, simple_rnn_step=simple_rnn_step):
    """All states and the last."""
    return over_time(x, mask, h, stepper(kernel, recurrent_kernel, bias, simple_rnn_step))


def sequence(rng, length=None):
    """Draw x, h and the weights of a simple cell."""
    batch, steps, inputs, units = sizes(rng, 4)
    batch, steps = (batch, steps) if steps > 2 else (steps, batch)  # T is at least 3
    x, h = draw(rng, batch, steps, inputs), draw(rng, batch, units)
    return x, h, (*weights(rng, inputs, units), 0.5 * draw(rng, units))


def both(lab, x, mask, h, given):
    """Compare states and last state with the oracle's."""
    states, last = unpack(lab.run_rnn(x, mask, h, *given), "states", "last")
    expected, expected_last = run_rnn(x, mask, h, *given)
    return [
        close(states, expected, what="states"),
        close(last, expected_last, what="last state"),
    ]


@run.case(points=1, hint="With mask None no step is padding.")
def without_padding_each_state_feeds_the_next(lab, rng):
    """With mask None, each state comes from the one before; the first one from zeros here."""
    x, h, given = sequence(rng)
    return both(lab, x, None, np.zeros_like(h), given)


@run.case(points=1, hint="The first step starts from the `h` that comes in.")
def it_starts_from_the_given_state(lab, rng):
    """The first step starts from `h`, which need not be zero."""
    x, h, given = sequence(rng)
    return both(lab, x, np.ones(x.shape[:2], bool), h, given)


@run.case(points=1, hint="After its last real word, a row's state stays the same to the end.")
def padding_at_the_end_leaves_the_last_word_s_state(lab, rng):
    """After the last real word the state stays, whatever stands in the padding."""
    x, h, given = sequence(rng)
    lengths = rng.integers(1, x.shape[1], len(x))
    lengths[0] = 1
    mask = np.arange(x.shape[1]) < lengths[:, None]
    x = np.where(mask[..., None], x, 3 * x + 1)
    return both(lab, x, mask, h, given)


@run.case(points=2, hint="Decide step by step and row by row: where(mask[:, t, None], new, h).")
def padding_may_stand_anywhere(lab, rng):
    """Padding in front, between words or everywhere carries the state on too."""
    x, h, given = sequence(rng)
    mask = rng.random(x.shape[:2]) < 0.5
    mask[0], mask[1, 0], mask[1, 1:3] = False, False, (True, False)
    return both(lab, x, mask, h, given)


def wrong_run(message):
    """Register a wrong loop: a function of x, mask, h and the step with its weights."""

    def register(function):
        def answer(x, mask, h, kernel, recurrent_kernel, bias):
            return function(x, mask, h, stepper(kernel, recurrent_kernel, bias))

        answer.__name__ = function.__name__
        run.misconception(message)(answer)
        return function

    return register


@wrong_run("You ignored the mask: padded steps changed the state.")
def mask_ignored(x, mask, h, step):
    return over_time(x, None, h, step)


@wrong_run("You carried the state on where the mask is True. True means: the step is real.")
def mask_inverted(x, mask, h, step):
    return over_time(x, None if mask is None else ~np.asarray(mask, bool), h, step)


@wrong_run(
    "You put zeros into `states` at padded steps. There stands the state that is carried on."
)
def zeros_shown(x, mask, h, step):
    return over_time(x, mask, h, step, shown_as_zero)


def shown_as_zero(new, h, real, t):
    """Carry on, but show zeros."""
    _, h = carried(new, h, real, t)
    return h * real, h


@wrong_run(
    "You ran over the padding and put zeros into `states` afterwards. A padded step must leave the "
    "state as it was."
)
def zeros_put_in_afterwards(x, mask, h, step):
    states, last = over_time(x, None, h, step)
    return (states if mask is None else states * mask[..., None]), last


@wrong_run("A padded step reset the state to zero. It should leave the state as it was.")
def reset_to_zero(x, mask, h, step):
    return over_time(x, mask, h, step, lambda new, h, real, t: (new * real, new * real))


@wrong_run(
    "You set padded inputs to zero and stepped on. Such a step still changes the state, by h U + b."
)
def inputs_zeroed(x, mask, h, step):
    return over_time(x if mask is None else x * mask[..., None], None, h, step)


@wrong_run("You started from a state of zeros. The first step starts from `h`.")
def started_from_zero(x, mask, h, step):
    return over_time(x, mask, np.zeros_like(h), step)


@wrong_run("Every step of yours starts from the first `h`. Each starts from the state before it.")
def never_updated(x, mask, h, step):
    first = np.asarray(h, "float64")
    shown, _ = over_time(x, mask, h, lambda x, _: step(x, first))
    return shown, shown[:, -1]


@wrong_run("Your states stand one step late: entry t should be the state after step t.")
def states_before_each_step(x, mask, h, step):
    states, last = over_time(x, mask, h, step)
    return np.concatenate([np.asarray(h)[:, None], states[:, :-1]], axis=1), last


@wrong_run("You returned the last state first. The states come first.")
def last_first(x, mask, h, step):
    return over_time(x, mask, h, step)[::-1]


@wrong_run("You returned the states alone. Return the states and the last one.")
def states_alone(x, mask, h, step):
    return over_time(x, mask, h, step)[0]


@wrong_run("You returned the last state alone. Return all states and the last one.")
def last_alone(x, mask, h, step):
    return over_time(x, mask, h, step)[1]


@wrong_run("Your states are (T, B, H). Stack them along axis 1, which gives (B, T, H).")
def time_first(x, mask, h, step):
    states, last = over_time(x, mask, h, step)
    return states.swapaxes(0, 1), last


@wrong_run("You ran from the end to the start. Step 0 comes first.")
def backwards(x, mask, h, step):
    states, last = over_time(x[:, ::-1], None if mask is None else mask[:, ::-1], h, step)
    return states[:, ::-1], last


@wrong_run(
    "You took as `last` the state at the place (number of real steps - 1). With padding in front "
    "or between that is another one; after the loop, h itself is the last state."
)
def last_by_count(x, mask, h, step):
    states, _ = over_time(x, mask, h, step)
    count = np.full(len(x), x.shape[1]) if mask is None else np.asarray(mask).sum(1)
    return states, states[np.arange(len(x)), count - 1]


@wrong_run("You skipped a step for the whole batch where one row is padding. Decide row by row.")
def whole_batch_skipped(x, mask, h, step):
    real = None if mask is None else np.broadcast_to(np.all(mask, axis=0), np.shape(mask))
    return over_time(x, real, h, step)


@wrong_run("You returned the first `h` as `last`. It is the state after the last step.")
def first_as_last(x, mask, h, step):
    return over_time(x, mask, h, step)[0], np.asarray(h)


# ---------------------------------------------------------------------- gradient_through_time

back = Exercise(
    "gradient_through_time",
    points=5,
    signature="gradient_through_time(states, recurrent_kernel, gradient)",
    forbids=READY_MADE,
    hints=[
        "Start with the gradient that you are given: it is the last entry. Which two operations of "
        "the forward step lie between h_t and h_{t-1}? Undo the later one first.",
        "For t = T-1 down to 1: g_{t-1} = (g_t · (1 - h_t²)) Uᵀ. Put each result in front of the "
        "ones before, and stack along axis 1.",
        "One unit, states 0.3, 0.6 and U = 5, gradient 2: g_1 = 2, g_0 = 2 · (1 - 0.36) · 5 = 6.4. "
        "The result is [[[6.4], [2]]].",
    ],
)


def backward(states, gradient, one_back):
    """Collect gradients from the last step to the first; `one_back(g, t)` gives that of t - 1."""
    found = [np.asarray(gradient, "float64")]
    for t in range(states.shape[1] - 1, 0, -1):
        found.insert(0, one_back(found[0], t))
    return np.stack(found, axis=1)


@back.oracle
def gradient_through_time(states, recurrent_kernel, gradient):
    """The chain rule, from the end to the start."""
    return backward(
        states, gradient, lambda g, t: (g * (1 - states[:, t] ** 2)) @ recurrent_kernel.T
    )


def backward_sizes(rng):
    """Draw batch, length and units; the length is at least 3."""
    batch, steps, units = sizes(rng, 3)
    return (batch, steps, units) if steps > 2 else (steps, batch, units)


def through(lab, states, recurrent, gradient):
    """Ask for the gradient."""
    return lab.gradient_through_time(states, recurrent, gradient)


@back.case(points=1, hint="Compare with the worked example, from the last entry to the first.")
def one_unit_on_paper(lab, rng):
    """With states 0.7, 0.6, 0.5 and U = 3, a gradient of 4 is 9 one step back, 17.28 two back."""
    states, recurrent = np.array([[[0.7], [0.6], [0.5]]]), np.array([[3.0]])
    answer = through(lab, states, recurrent, np.array([[4.0]]))
    return close(answer, np.array([[[17.28], [9.0], [4.0]]]), what="gradient")


@back.case(points=1, hint="At a state of 0 the derivative of the tanh is 1: what is left is Uᵀ.")
def at_zero_states_each_step_is_the_transpose(lab, rng):
    """Where all states are 0, each step back multiplies by Uᵀ and by nothing else."""
    batch, steps, units = backward_sizes(rng)
    _, recurrent = weights(rng, 1, units)
    gradient, expected = draw(rng, batch, units), []
    for distance in range(steps - 1, -1, -1):
        expected.append(gradient @ np.linalg.matrix_power(recurrent.T, distance))
    answer = through(lab, np.zeros((batch, steps, units)), recurrent, gradient)
    return close(answer, np.stack(expected, axis=1), what="gradient")


@back.case(points=1, hint="Where h is 1 or -1, 1 - h² is 0.")
def a_saturated_unit_passes_nothing(lab, rng):
    """Units at 1 or -1 pass no gradient to the state before; units at 0 pass all of it."""
    batch, steps, units = backward_sizes(rng)
    _, recurrent = weights(rng, 1, units)
    states = rng.integers(-1, 2, (batch, steps, units)).astype("float64")
    states[0, -1] = np.resize([0, 1, -1], units)
    gradient = draw(rng, batch, units)
    expected = gradient_through_time(states, recurrent, gradient)
    return close(through(lab, states, recurrent, gradient), expected, what="gradient")


@back.case(points=2, hint="g_{t-1} = (g_t · (1 - h_t²)) Uᵀ: the factor of h_t, then the product.")
def the_gradient_by_each_state(lab, rng):
    """The gradient by each state is the chain rule's, step by step from the end."""
    batch, steps, units = backward_sizes(rng)
    _, recurrent = weights(rng, 1, units)
    states, gradient = np.tanh(draw(rng, batch, steps, units)), draw(rng, batch, units)
    states = states.astype("float32").astype("float64")
    expected = gradient_through_time(states, recurrent, gradient)
    return close(through(lab, states, recurrent, gradient), expected, what="gradient")


@back.misconception("You multiplied by U. Backwards it is the transpose, Uᵀ.")
def not_transposed(states, recurrent_kernel, gradient):
    """U as it stands."""
    return gradient_through_time(states, recurrent_kernel.T, gradient)


@back.misconception(
    "You left out the derivative of the tanh: multiply by 1 - h² before the product."
)
def without_the_derivative(states, recurrent_kernel, gradient):
    """Powers of the transpose alone."""
    return backward(states, gradient, lambda g, t: g @ recurrent_kernel.T)


@back.misconception("You left out U: a step back is also a product with Uᵀ.")
def without_the_product(states, recurrent_kernel, gradient):
    """The derivative alone."""
    return backward(states, gradient, lambda g, t: g * (1 - states[:, t] ** 2))


@back.misconception(
    "You took the derivative at h_{t-1}. The tanh gave h_t, so its derivative is 1 - h_t²."
)
def derivative_one_step_early(states, recurrent_kernel, gradient):
    """Derivative at the state before."""
    return backward(
        states, gradient, lambda g, t: (g * (1 - states[:, t - 1] ** 2)) @ recurrent_kernel.T
    )


@back.misconception("You multiplied by 1 - h. The derivative of the tanh is 1 - h².")
def without_the_square(states, recurrent_kernel, gradient):
    """1 - h."""
    return backward(states, gradient, lambda g, t: (g * (1 - states[:, t])) @ recurrent_kernel.T)


@back.misconception("h (1 - h) is the derivative of the sigmoid. That of the tanh is 1 - h².")
def derivative_of_the_sigmoid(states, recurrent_kernel, gradient):
    """Sigmoid's derivative."""
    return backward(
        states,
        gradient,
        lambda g, t: (g * states[:, t] * (1 - states[:, t])) @ recurrent_kernel.T,
    )


@back.misconception(
    "You took the tanh of the states once more. They are results of the tanh already: its "
    "derivative is 1 - h²."
)
def tanh_once_more(states, recurrent_kernel, gradient):
    """1 - tanh(h)²."""
    return gradient_through_time(np.tanh(states), recurrent_kernel, gradient)


@back.misconception(
    "You multiplied by Uᵀ first and by 1 - h² then. Backwards the tanh, which came last, is first."
)
def the_product_first(states, recurrent_kernel, gradient):
    """Wrong order of the two."""
    return backward(
        states, gradient, lambda g, t: (g @ recurrent_kernel.T) * (1 - states[:, t] ** 2)
    )


@back.misconception(
    "Your gradients stand in the order of the distance. Turn them round: entry t belongs to "
    "state t."
)
def last_step_first(states, recurrent_kernel, gradient):
    """Reversed."""
    return gradient_through_time(states, recurrent_kernel, gradient)[:, ::-1]


@back.misconception(
    "Your last entry has taken a step already. It is `gradient` itself, and each other entry "
    "stands one place too late."
)
def one_step_too_far(states, recurrent_kernel, gradient):
    """Steps once before the first entry."""
    first = (gradient * (1 - states[:, -1] ** 2)) @ recurrent_kernel.T
    padded = np.concatenate([states[:, :1], states[:, :-1]], axis=1)
    return gradient_through_time(padded, recurrent_kernel, first)


@back.misconception(
    "You added `gradient` at every step. The loss depends on the last state only, so it comes in "
    "once, at the end."
)
def a_loss_at_every_step(states, recurrent_kernel, gradient):
    """The gradient comes in at each step."""
    return backward(
        states,
        gradient,
        lambda g, t: (g * (1 - states[:, t] ** 2)) @ recurrent_kernel.T + gradient,
    )


@back.misconception(
    "Every step of yours starts from `gradient`. Each starts from the gradient of the step after."
)
def never_moves_on(states, recurrent_kernel, gradient):
    """One step back from the end, everywhere."""
    return backward(
        states, gradient, lambda g, t: (gradient * (1 - states[:, t] ** 2)) @ recurrent_kernel.T
    )


@back.misconception("You multiplied by h², without the 1 -. The derivative of the tanh is 1 - h².")
def only_the_square(states, recurrent_kernel, gradient):
    """h²."""
    return backward(states, gradient, lambda g, t: (g * states[:, t] ** 2) @ recurrent_kernel.T)


# ---------------------------------------------------------------------------------- lstm_step

lstm = Exercise(
    "lstm_step",
    points=5,
    signature="lstm_step(x, h, c, kernel, recurrent_kernel, bias)",
    package=f"{MODULE}.lstm_step",
    forbids=READY_MADE,
    hints=[
        "One sum x W + h U + b gives all four parts at once; cut its last axis into four pieces. "
        "The order is input, forget, candidate, output.",
        "c_new = σ(f) · c + σ(i) · tanh(g), then h_new = σ(o) · tanh(c_new). Return h_new, c_new.",
        "With i = f = o = 0 all gates are 0.5. With g = 0 the candidate is 0: c = 2 becomes 1, and "
        "h is 0.5 · tanh(1) = 0.3808.",
    ],
)


def four(x, h, kernel, recurrent_kernel, bias):
    """Return i, f, g, o before their functions."""
    return np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)


def gated(c, i, f, g, o):
    """Return h and c from gates and candidate after their functions."""
    c = f * c + i * g
    return o * np.tanh(c), c


@lstm.oracle
def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    """The new h and c."""
    i, f, g, o = four(x, h, kernel, recurrent_kernel, bias)
    return gated(c, sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o))


def lstm_inputs(rng):
    """Draw x, h, c and the weights."""
    batch, inputs, units = sizes(rng, 3)
    x, h, c = draw(rng, batch, inputs), draw(rng, batch, units), draw(rng, batch, units)
    return x, h, c, *weights(rng, inputs, units, 4), draw(rng, 4 * units)


def two_states(lab, *given):
    """Compare h and c with the oracle's."""
    answer = unpack(lab.lstm_step(*given), "h", "c")
    return [
        close(got, expected, what=name)
        for got, expected, name in zip(answer, lstm_step(*given), ("new h", "new c"), strict=True)
    ]


@lstm.case(points=1, hint="Weights of 0 leave the biases: they are the gates, in their order.")
def the_biases_alone_on_paper(lab, rng):
    """Gates 3/4 in, 1/4 kept, 1/2 out, candidate 3/5: from c = 2 come c = 0.95 and h = 0.3699."""
    one, two, zeros = np.ones((1, 1)), np.full((1, 1), 2.0), np.zeros((1, 4))
    bias = np.log([3.0, 1 / 3, 2.0, 1.0])
    h, c = unpack(lab.lstm_step(one, one, two, zeros, zeros, bias), "h", "c")
    return [
        close(c, np.array([[0.95]]), what="new c"),
        close(h, np.array([[np.tanh(0.95) / 2]]), what="new h"),
    ]


@lstm.case(
    points=1, hint="c_new = σ(f) · c + σ(i) · tanh(g): the two gates know nothing of each other."
)
def input_and_forget_gates_are_independent(lab, rng):
    """An open forget gate keeps the carry, an open input gate adds the candidate; both may."""
    *given, bias = lstm_inputs(rng)
    units = len(bias) // 4
    write = switches(rng, units)
    keep = rng.random(units) < 0.5
    keep[:2], keep[2:3] = ~write[:2], write[2:3]
    bias[: 2 * units] = np.concatenate([by_switch(write), by_switch(keep)])
    return two_states(lab, *given, bias)


@lstm.case(points=1, hint="h_new = σ(o) · tanh(c_new), with the new carry.")
def the_output_gate_shows_the_new_carry(lab, rng):
    """Where the output gate is open, h is the tanh of the new carry; where it is closed, h is 0."""
    *given, bias = lstm_inputs(rng)
    units = len(bias) // 4
    bias[3 * units :] = by_switch(switches(rng, units))
    return two_states(lab, *given, bias)


@lstm.case(points=2, hint="Compare each line with the formula; the order is i, f, g, o.")
def the_whole_step(lab, rng):
    """The new h and c follow the formula for each example, with gates anywhere between 0 and 1."""
    return two_states(lab, *lstm_inputs(rng))


def wrong_lstm(message):
    """Register a wrong LSTM: a function of c and the four parts before their functions."""

    def register(function):
        def answer(x, h, c, kernel, recurrent_kernel, bias):
            return function(c, *four(x, h, kernel, recurrent_kernel, bias))

        answer.__name__ = function.__name__
        lstm.misconception(message)(answer)
        return function

    return register


def activated(c, i, f, g, o):
    """The right end of a step."""
    return gated(c, sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o))


@wrong_lstm("Your order is input, candidate, forget, output. Here it is input, forget, candidate.")
def order_igfo(c, i, f, g, o):
    return activated(c, i, g, f, o)


@wrong_lstm("Your order begins with the forget gate. Here the input gate comes first.")
def order_figo(c, i, f, g, o):
    return activated(c, f, i, g, o)


@wrong_lstm("Your order is forget, input, output, candidate. Here it is i, f, g, o.")
def order_fiog(c, i, f, g, o):
    return activated(c, f, i, o, g)


@wrong_lstm("You took the candidate last and the output gate third. Here the order is i, f, g, o.")
def order_ifog(c, i, f, g, o):
    return activated(c, i, f, o, g)


@wrong_lstm("You took the sigmoid of the candidate. It is a tanh: what is added may be negative.")
def sigmoid_candidate(c, i, f, g, o):
    return gated(c, sigmoid(i), sigmoid(f), sigmoid(g), sigmoid(o))


@wrong_lstm("You took no tanh of the candidate.")
def linear_candidate(c, i, f, g, o):
    return gated(c, sigmoid(i), sigmoid(f), g, sigmoid(o))


@wrong_lstm("You showed the carry itself. h is σ(o) times the tanh of the carry.")
def carry_shown_as_it_is(c, i, f, g, o):
    c = gated(c, sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o))[1]
    return sigmoid(o) * c, c


@wrong_lstm("You made h from the old carry. Make it from the new one.")
def shown_from_the_old_carry(c, i, f, g, o):
    return sigmoid(o) * np.tanh(c), activated(c, i, f, g, o)[1]


@wrong_lstm("You passed on tanh(c) as the carry. The carry goes on without a tanh.")
def squashed_carry(c, i, f, g, o):
    h, c = activated(c, i, f, g, o)
    return h, np.tanh(c)


@wrong_lstm("You returned c first. The order is h, then c.")
def carry_first(c, i, f, g, o):
    return activated(c, i, f, g, o)[::-1]


@wrong_lstm("You returned h alone. The next step needs the carry too: return h and c.")
def state_alone(c, i, f, g, o):
    return activated(c, i, f, g, o)[0]


@wrong_lstm("You kept 1 - σ(f) of the carry. An open forget gate keeps: multiply by σ(f).")
def forget_gate_forgets(c, i, f, g, o):
    return gated(c, sigmoid(i), sigmoid(-f), np.tanh(g), sigmoid(o))


@wrong_lstm("You wrote with 1 - σ(f). The LSTM's input gate is a gate of its own, σ(i).")
def coupled_gates(c, i, f, g, o):
    return gated(c, sigmoid(-f), sigmoid(f), np.tanh(g), sigmoid(o))


@wrong_lstm("You added 1 to the forget gate. That belongs into `bias`, where it is already.")
def forget_bias_in_the_step(c, i, f, g, o):
    return activated(c, i, f + 1, g, o)


@wrong_lstm("You used the gates without their sigmoid.")
def gates_without_sigmoid(c, i, f, g, o):
    return gated(c, i, f, np.tanh(g), o)


@wrong_lstm("You left out the old carry: c_new = σ(f) · c + σ(i) · tanh(g).")
def nothing_kept(c, i, f, g, o):
    return gated(0 * c, sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o))


@lstm.misconception("You left out h U: the gates must see the state too.")
def gates_without_state(x, h, c, kernel, recurrent_kernel, bias):
    """No recurrent product."""
    return lstm_step(x, 0 * h, c, kernel, recurrent_kernel, bias)


@lstm.misconception("You multiplied the carry by `recurrent_kernel`. The gates see h, not c.")
def gates_see_the_carry(x, h, c, kernel, recurrent_kernel, bias):
    """Products c U in place of h U."""
    return lstm_step(x, c, c, kernel, recurrent_kernel, bias)


@lstm.misconception("You left out the bias.")
def lstm_without_bias(x, h, c, kernel, recurrent_kernel, bias):
    """No bias."""
    return lstm_step(x, h, c, kernel, recurrent_kernel, 0 * bias)


@lstm.misconception(
    "You took every fourth column for a gate. The gates lie side by side: the first H columns are "
    "the input gate."
)
def lstm_interleaved(x, h, c, kernel, recurrent_kernel, bias):
    """Gates by columns modulo 4."""
    gates = x @ kernel + h @ recurrent_kernel + bias
    return activated(c, *np.moveaxis(gates.reshape(*c.shape, 4), -1, 0))


# ----------------------------------------------------------------------------------- gru_step

gru = Exercise(
    "gru_step",
    points=5,
    signature="gru_step(x, h, kernel, recurrent_kernel, bias)",
    package=f"{MODULE}.gru_step",
    forbids=READY_MADE,
    hints=[
        "Keep the two products apart: x W + bias[0] and h U + bias[1]. Cut each into three. Only "
        "in the candidate does it matter which of the two a number came from.",
        "z = σ(x_z + h_z), r = σ(x_r + h_r), g = tanh(x_g + r · h_g), h_new = z · h + (1 - z) · g, "
        "where h_g is a third of h U + bias[1].",
        "With all weights 0 and bias = [[0, 0, 0], [0, 0, 1]]: z = r = 0.5, g = tanh(0.5 · 1) = "
        "0.4621, and from h = 1 comes 0.5 · 1 + 0.5 · 0.4621 = 0.7311.",
    ],
)


def thirds(x, h, kernel, recurrent_kernel, bias):
    """Return the six parts: z, r, g from the input, then from the state."""
    from_x = np.split(x @ kernel + bias[0], 3, axis=-1)
    return *from_x, *np.split(h @ recurrent_kernel + bias[1], 3, axis=-1)


def mixed(h, z, r, x_g, h_g):
    """Return the new state from open gates and the candidate's parts."""
    return z * h + (1 - z) * np.tanh(x_g + r * h_g)


@gru.oracle
def gru_step(x, h, kernel, recurrent_kernel, bias):
    """The new state, reset after the product."""
    x_z, x_r, x_g, h_z, h_r, h_g = thirds(x, h, kernel, recurrent_kernel, bias)
    return mixed(h, sigmoid(x_z + h_z), sigmoid(x_r + h_r), x_g, h_g)


def gru_inputs(rng):
    """Draw x, h and the weights."""
    batch, inputs, units = sizes(rng, 3)
    x, h = draw(rng, batch, inputs), draw(rng, batch, units)
    return x, h, *weights(rng, inputs, units, 3), draw(rng, 2, 3 * units)


@gru.case(points=1, hint="Weights of 0 leave the biases; r multiplies bias[1]'s part of g only.")
def the_two_biases_on_paper(lab, rng):
    """With z = 3/4, r = 1/4, g = tanh(0.5 + 0.4/4): from h = 2 comes 1.5 + tanh(0.6)/4."""
    bias = np.array([[np.log(3), 0, 0.5], [0, -np.log(3), 0.4]])
    zeros = np.zeros((1, 3))
    answer = lab.gru_step(np.ones((1, 1)), np.full((1, 1), 2.0), zeros, zeros, bias)
    return close(answer, np.array([[1.5 + np.tanh(0.6) / 4]]), what="new state")


@gru.case(points=1, hint="h_new = z · h + (1 - z) · g.")
def the_update_gate_keeps_or_replaces(lab, rng):
    """Where z is 1 the state stays as it is; where z is 0 the candidate takes its place."""
    x, h, kernel, recurrent, bias = gru_inputs(rng)
    units = h.shape[1]
    keep = switches(rng, units)
    bias[0, :units] = by_switch(keep)
    _, x_r, x_g, _, h_r, h_g = thirds(x, h, kernel, recurrent, bias)
    expected = np.where(keep, h, np.tanh(x_g + sigmoid(x_r + h_r) * h_g))
    return close(lab.gru_step(x, h, kernel, recurrent, bias), expected, what="new state")


@gru.case(points=1, hint="g = tanh(x_g + r · h_g), where bias[1] is a part of h_g.")
def the_reset_gate_hides_the_state_from_the_candidate(lab, rng):
    """Where r is 0 the candidate is tanh(x W_g + b_g); where r is 1 it sees h U_g + d_g too."""
    x, h, kernel, recurrent, bias = gru_inputs(rng)
    units = h.shape[1]
    sees = switches(rng, units)
    bias[0, units : 2 * units] = by_switch(sees)
    x_z, _, x_g, h_z, _, h_g = thirds(x, h, kernel, recurrent, bias)
    expected = mixed(h, sigmoid(x_z + h_z), sees, x_g, h_g)
    return close(lab.gru_step(x, h, kernel, recurrent, bias), expected, what="new state")


@gru.case(points=2, hint="Compare each line with the formula; the order is z, r, g.")
def the_whole_gru_step(lab, rng):
    """The new state follows the formula, with gates anywhere between 0 and 1."""
    given = gru_inputs(rng)
    return close(lab.gru_step(*given), gru_step(*given), what="new state")


def wrong_gru(message):
    """Register a wrong GRU: a function of h and the six parts before their functions."""

    def register(function):
        def answer(x, h, kernel, recurrent_kernel, bias):
            return function(h, *thirds(x, h, kernel, recurrent_kernel, bias))

        answer.__name__ = function.__name__
        gru.misconception(message)(answer)
        return function

    return register


@wrong_gru("You kept (1 - z) · h. Here z keeps: h_new = z · h + (1 - z) · g.")
def update_gate_inverted(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(-x_z - h_z), sigmoid(x_r + h_r), x_g, h_g)


@wrong_gru("You took the reset gate first, as PyTorch does. Here the order is z, r, g.")
def order_rzg(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_r + h_r), sigmoid(x_z + h_z), x_g, h_g)


@wrong_gru("You took the candidate first. Here the order is z, r, g.")
def order_gzr(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_r + h_r), sigmoid(x_g + h_g), x_z, h_z)


@wrong_gru("You took the candidate second. Here the order is z, r, g.")
def order_zgr(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_z + h_z), sigmoid(x_g + h_g), x_r, h_r)


@wrong_gru("You left out the reset gate: g = tanh(x_g + r · h_g).")
def no_reset(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_z + h_z), 1, x_g, h_g)


@wrong_gru("Your reset gate multiplies the input's part as well. It multiplies the state's only.")
def reset_of_the_input(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_z + h_z), sigmoid(x_r + h_r), 0, x_g + h_g)


@wrong_gru("Your reset gate multiplies the input's part. It multiplies the state's.")
def reset_of_the_input_only(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return mixed(h, sigmoid(x_z + h_z), sigmoid(x_r + h_r), h_g, x_g)


@wrong_gru("You took the sigmoid of the candidate. It is a tanh.")
def sigmoid_gru_candidate(h, x_z, x_r, x_g, h_z, h_r, h_g):
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * sigmoid(x_g + r * h_g)


@wrong_gru(
    "You returned the candidate. The new state mixes it with the old one: z · h + (1 - z) · g."
)
def candidate_alone(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return np.tanh(x_g + sigmoid(x_r + h_r) * h_g)


@wrong_gru("You added the whole candidate. Only 1 - z of it comes in: z · h + (1 - z) · g.")
def whole_candidate_added(h, x_z, x_r, x_g, h_z, h_r, h_g):
    return sigmoid(x_z + h_z) * h + np.tanh(x_g + sigmoid(x_r + h_r) * h_g)


@gru.misconception(
    "You reset the state before the product, (r · h) U_g, as the first paper does. Here r "
    "multiplies what comes out of the product, h U_g + d_g."
)
def reset_before_the_product(x, h, kernel, recurrent_kernel, bias):
    """(r h) U_g + d_g."""
    x_z, x_r, x_g, h_z, h_r, _ = thirds(x, h, kernel, recurrent_kernel, bias)
    units = h.shape[1]
    r = sigmoid(x_r + h_r)
    h_g = (r * h) @ recurrent_kernel[:, -units:] + bias[1, -units:]
    return mixed(h, sigmoid(x_z + h_z), 1, x_g, h_g)


@gru.misconception(
    "You added the two biases first. In the candidate the reset gate multiplies bias[1], so it "
    "belongs to h U_g."
)
def biases_added_first(x, h, kernel, recurrent_kernel, bias):
    """d_g outside the reset gate."""
    together = np.stack([bias.sum(0), 0 * bias[1]])
    return gru_step(x, h, kernel, recurrent_kernel, together)


@gru.misconception("You swapped the biases. bias[0] belongs to x W, bias[1] to h U.")
def biases_swapped(x, h, kernel, recurrent_kernel, bias):
    """Their rows swapped."""
    return gru_step(x, h, kernel, recurrent_kernel, bias[::-1])


@gru.misconception("You left out bias[1]. It is added to h U.")
def without_the_second_bias(x, h, kernel, recurrent_kernel, bias):
    """No d."""
    return gru_step(x, h, kernel, recurrent_kernel, bias * [[1], [0]])


@gru.misconception("You added bias[0] to both products. bias[1] belongs to h U.")
def first_bias_twice(x, h, kernel, recurrent_kernel, bias):
    """Twice b."""
    return gru_step(x, h, kernel, recurrent_kernel, bias[[0, 0]])


@gru.misconception(
    "You added `bias` as a whole. It has two rows: bias[0] belongs to x W, bias[1] to h U."
)
def bias_as_a_whole(x, h, kernel, recurrent_kernel, bias):
    """Both rows with the input's product: they meet the rows of the batch."""
    from_x = np.split(x @ kernel + bias, 3, axis=-1)
    x_z, x_r, x_g, h_z, h_r, h_g = *from_x, *np.split(h @ recurrent_kernel, 3, axis=-1)
    return mixed(h, sigmoid(x_z + h_z), sigmoid(x_r + h_r), x_g, h_g)


@gru.misconception("You left out both biases.")
def without_biases(x, h, kernel, recurrent_kernel, bias):
    """No bias."""
    return gru_step(x, h, kernel, recurrent_kernel, 0 * bias)


@gru.misconception(
    "You took every third column for a gate. The gates lie side by side: the first H columns are "
    "the update gate."
)
def gru_interleaved(x, h, kernel, recurrent_kernel, bias):
    """Gates by columns modulo 3."""
    order = np.arange(3 * h.shape[1]).reshape(-1, 3).T.ravel()
    return gru_step(x, h, kernel[:, order], recurrent_kernel[:, order], bias[:, order])
