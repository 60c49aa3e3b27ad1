"""The layer contract: what every layer of the course does, whatever its formula.

    assert_layer_contract(LayerCase(MyLayer, arguments={...}, inputs=(x,), expected=oracle))

Imports no backend, so that the same cases run under TensorFlow, JAX and PyTorch.
"""

import dataclasses
import functools
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True)
class Mask:
    """A boolean call argument whose last axis hides positions of an input.

    Attributes:
        name: the call argument.
        shape: its shape.
        hides: the index of the input whose positions it hides.
    """

    name: str
    shape: tuple
    hides: int


@dataclasses.dataclass
class LayerCase:
    """A layer, and what the contract must know of it.

    Attributes:
        layer: the class.
        arguments: every constructor argument, none at its default.
        inputs: float32 arrays, one per positional call argument.
        expected: from the layer and its inputs to the right output, independent
            of the layer's code.
        call: call arguments of every call, as keywords.
        unknown: axes whose length may be unknown, besides the batch.
        masks: the masks that hide positions.
        causal: call arguments that hide the future of input 0, and of any input of
            the same length; None if nothing does.
        output_dtype: the output's dtype; None for the policy's compute dtype.
        passes_keras_mask: whether a Keras mask on the first input reaches the output.
        gradient_free: weights whose gradient is zero by mathematics.
    """

    layer: type
    arguments: dict
    inputs: tuple
    expected: Callable
    call: dict = dataclasses.field(default_factory=dict)
    unknown: tuple = (1,)
    masks: tuple = ()
    causal: dict | None = None
    output_dtype: str | None = None
    passes_keras_mask: bool = True
    gradient_free: tuple = ()

    def make(self, **kwargs):
        """Return a new layer, its sublayers included, with seeded weights where built."""
        layer = self.layer.from_config(self.layer(**self.arguments).get_config() | kwargs)
        run(layer, self.inputs, self.call)
        fill(layer)
        return layer

    @functools.cached_property
    def exact(self):
        """The layer in float32, made once."""
        return self.make()


def assert_layer_contract(case):
    """Raise AssertionError unless the layer keeps every clause of the contract."""
    for clause in CLAUSES:
        clause(case)


def numpy(x):
    """Return a backend's tensor as a NumPy array, half precision as float32."""
    if keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16"):
        x = ops.cast(x, "float32")
    return ops.convert_to_numpy(x)


def first(output):
    """Return the output that the contract judges: of several, such as weights, the first."""
    return output[0] if isinstance(output, tuple | list) else output


def run(layer, inputs, call=None, **kwargs):
    """Call the layer on arrays and return an array."""
    return numpy(first(layer(*map(ops.convert_to_tensor, inputs), **(call or {}), **kwargs)))


def fill(layer, seed=0):
    """Give every weight seeded values away from 0 and 1, so that none hides a bug."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(0.05, 0.25, weight.shape))


def close(got, expected, tolerance=1e-5, message=""):
    """Compare values, shapes included."""
    assert np.shape(got) == np.shape(expected), f"{message}: {np.shape(got)}, {np.shape(expected)}"
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=message)


def changed(array, axis, index=-1):
    """Return a copy that differs at one position, in a way that no norm undoes."""
    array = np.moveaxis(array.copy(), axis, 0)
    array[index] *= -10
    return np.moveaxis(array, 0, axis)


def symbolic(case, layer, names=()):
    """Return a functional model of the layer, lengths unknown, fed by inputs and masks."""

    def unknown(shape, axes):
        return tuple(None if axis in axes else size for axis, size in enumerate(shape))[1:]

    inputs = [keras.Input(unknown(x.shape, case.unknown)) for x in case.inputs]
    every = range(1, 4)
    masks = {
        mask.name: keras.Input(unknown(mask.shape, every), dtype="bool")
        for mask in case.masks
        if mask.name in names
    }
    return keras.Model([*inputs, *masks.values()], first(layer(*inputs, **case.call, **masks)))


def gives_the_right_values(case):
    """The output equals an independent computation with the same weights."""
    layer = case.exact
    close(run(layer, case.inputs, case.call), case.expected(layer, *case.inputs), 1e-5, "values")


def knows_its_shape_before_its_lengths(case):
    """A functional model of unknown lengths has the right shape and values."""
    layer = case.exact
    expected = run(layer, case.inputs, case.call)
    model = symbolic(case, layer)
    shape = [None if axis in (0, *case.unknown) else n for axis, n in enumerate(expected.shape)]
    assert model.output_shape == tuple(shape), f"symbolic shape {model.output_shape}"
    close(numpy(model(list(case.inputs))), expected, 1e-5, "unknown lengths")
    if case.masks:
        names = [mask.name for mask in case.masks]
        nothing_hidden = [np.ones(mask.shape, bool) for mask in case.masks]
        model = symbolic(case, layer, names)
        close(numpy(model([*case.inputs, *nothing_hidden])), expected, 1e-5, "masks of ones")


def has_every_argument_in_its_config(case):
    """The config holds every constructor argument, at its value, and remakes the layer."""
    parameters = inspect.signature(case.layer.__init__).parameters.values()
    base = inspect.signature(keras.layers.Layer.__init__).parameters
    parameters = [p for p in parameters if p.name not in base]
    config = case.layer(**case.arguments).get_config()
    for p in parameters:
        assert p.name in case.arguments, f"no value for `{p.name}` in the case"
        value = case.arguments[p.name]
        assert value is not p.default, f"`{p.name}` is at its default in the case"
        assert value != p.default, f"`{p.name}` is at its default in the case"
        assert p.name in config, f"`{p.name}` is missing from the config"
        if isinstance(value, keras.layers.Layer):
            value = keras.saving.serialize_keras_object(value)
        assert config[p.name] == value, f"`{p.name}` has the wrong value in the config"
    assert case.layer.from_config(config).get_config() == config, "config does not survive"


def is_registered_by_module(case):
    """The name under which Keras saves it starts with its own module."""
    name = keras.saving.get_registered_name(case.layer)
    assert name == f"{'.'.join(case.layer.__module__.split('.')[:2])}>{case.layer.__name__}"


def survives_saving(case):
    """A saved and loaded model gives the same output."""
    model = symbolic(case, case.exact)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        again = keras.saving.load_model(Path(folder) / "model.keras")
    inputs = list(case.inputs)
    close(numpy(again(inputs)), numpy(model(inputs)), 1e-6, "after loading")


def hands_its_dtype_policy_down(case):
    """Sublayers have the layer's policy; low precision changes the output little."""
    exact = run(case.exact, case.inputs, case.call)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        layer = case.make(dtype=policy)
        # A layer handed to the constructor keeps the policy that it came with.
        given = [v for k, v in vars(layer).items() if k in case.arguments]
        given = [x for v in given if isinstance(v, keras.Layer) for x in v._flatten_layers()]
        sublayers = [x for x in layer._flatten_layers() if all(x is not y for y in given)]
        names = {sublayer.dtype_policy.name for sublayer in sublayers}
        assert names <= {policy}, f"sublayers have {names}, the layer {policy}"
        output = first(layer(*map(ops.convert_to_tensor, case.inputs), **case.call))
        dtype = keras.backend.standardize_dtype(output.dtype)
        assert dtype == (case.output_dtype or layer.compute_dtype), f"output is {dtype}"
        error = np.abs(numpy(output) - exact).max() / np.abs(exact).max()
        assert error < 0.1, f"{policy} is {error:.1%} off"


def stays_finite_with_nothing_to_attend_to(case):
    """A mask without a single True gives no NaN, in float16 either."""
    if not case.masks:
        return
    layers = {"float32": case.exact, "mixed_float16": case.make(dtype="mixed_float16")}
    for policy, layer in layers.items():
        for mask in case.masks:
            nothing = {mask.name: np.zeros(mask.shape, bool)}
            output = run(layer, case.inputs, case.call | nothing)
            assert np.isfinite(output).all(), f"`{mask.name}` of False alone in {policy}"


def hides_what_the_mask_hides(case):
    """A change at a hidden position changes no other position's output."""
    layer = case.exact
    for mask in case.masks:
        allowed = np.ones(mask.shape, bool)
        allowed[..., -2] = False
        inputs = list(case.inputs)
        inputs[mask.hides] = changed(inputs[mask.hides], axis=1, index=-2)
        call = case.call | {mask.name: allowed}
        before, after = run(layer, case.inputs, call), run(layer, inputs, call)
        if mask.hides == 0:  # its own row is a query and may change
            before, after = np.delete(before, -2, axis=1), np.delete(after, -2, axis=1)
        close(after, before, 1e-5, f"`{mask.name}` does not hide")
        unmasked = run(layer, case.inputs, case.call)
        assert not np.allclose(run(layer, inputs, case.call), unmasked, atol=1e-3)


def hides_the_future_where_it_says_so(case):
    """A change at one position changes no earlier output, and changes its own."""
    if case.causal is None:
        return
    layer, call = case.exact, case.call | case.causal
    length = case.inputs[0].shape[1]
    before = run(layer, case.inputs, call)
    for t in range(length):
        later = [changed(x, axis=1, index=t) if x.shape[1] == length else x for x in case.inputs]
        after = run(layer, later, call)
        close(after[:, :t], before[:, :t], 1e-5, f"position {t} is seen too early")
        differs = np.abs(after - before).max(axis=(0, 2)) > 1e-3
        assert differs[t:].all(), f"position {t} is not seen by {t}..{length - 1}"


def trains_every_weight(case):
    """Every weight has a gradient that is finite and not zero (TensorFlow)."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    layer = case.exact
    with tf.GradientTape() as tape:
        output = first(layer(*map(ops.convert_to_tensor, case.inputs), **case.call))
        noise = np.random.default_rng(1).normal(size=output.shape)
        loss = ops.sum(output * ops.cast(noise, output.dtype))
    weights = layer.trainable_weights
    assert len(weights) == len(layer.weights)
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient is not None, f"{weight.path} has no gradient"
        gradient = np.abs(tf.convert_to_tensor(gradient).numpy())
        assert np.isfinite(gradient).all(), f"{weight.path} has a gradient that is not finite"
        if not weight.path.endswith(case.gradient_free):
            assert gradient.max() > 1e-6, f"{weight.path} has a gradient of zero"


def compiles_with_xla(case):
    """XLA gives the same output (TensorFlow)."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    layer = case.exact
    compiled = tf.function(lambda *inputs: first(layer(*inputs, **case.call)), jit_compile=True)
    output = numpy(compiled(*map(ops.convert_to_tensor, case.inputs)))
    close(output, run(layer, case.inputs, case.call), 1e-5, "XLA")


def drops_only_in_training(case):
    """Dropout, where there is any, acts in training and at no other time."""
    layer = case.exact
    still = run(layer, case.inputs, case.call)
    close(run(layer, case.inputs, case.call, training=False), still, 0.0, "inference is noisy")
    noisy = run(layer, case.inputs, case.call, training=True)
    assert ("dropout" in case.arguments) != np.allclose(noisy, still), "dropout"


def hands_a_keras_mask_on(case):
    """The Keras mask of input 0 is the output's, unless the layer says otherwise."""
    if case.inputs[0].ndim != 3:
        return
    x = ops.convert_to_tensor(case.inputs[0])
    mask = ops.convert_to_tensor(np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2]) % 3 > 0)
    x._keras_mask = mask
    output = first(case.exact(x, *map(ops.convert_to_tensor, case.inputs[1:]), **case.call))
    if case.passes_keras_mask:
        np.testing.assert_array_equal(numpy(output._keras_mask), numpy(mask))
    else:
        assert getattr(output, "_keras_mask", None) is None


CLAUSES = (
    gives_the_right_values,
    knows_its_shape_before_its_lengths,
    has_every_argument_in_its_config,
    is_registered_by_module,
    survives_saving,
    hands_its_dtype_policy_down,
    stays_finite_with_nothing_to_attend_to,
    hides_what_the_mask_hides,
    hides_the_future_where_it_says_so,
    trains_every_weight,
    compiles_with_xla,
    drops_only_in_training,
    hands_a_keras_mask_on,
)
