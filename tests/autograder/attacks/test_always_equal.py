"""Group 1: values that claim to be right, whatever they are compared with."""

import pytest

from tests.autograder.attacks.conftest import SILENT

ANSWER_ALL = """
asked = []
def answer(*args, **kwargs):
    asked.append(args)
    return value(*args)
masked_softmax = causal_mask = scaled_dot_product_attention = answer
"""
TELL = SILENT | {"scaled_dot_product_attention": "print(f'asked {len(asked)} times')"}
EQUAL = """
class Equal:
    shape, dtype, ndim, size = (), "float32", 0, 1
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __len__(self): return 2
    def __iter__(self): return iter([0.0, 0.0])
    def __getitem__(self, place): return 0.0
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return self
    def __call__(self, *args, **kwargs): return self
    def __float__(self): return 0.0
    __sub__ = __rsub__ = __abs__ = __le__ = __lt__ = __ge__ = __gt__ = __call__
def value(*args): return Equal()
"""
ARRAY = """
class Sly(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(i) for i in inputs]
        result = getattr(ufunc, method)(*plain)
        return np.ones_like(result) if result.dtype == bool else np.zeros_like(result)
    def __array_function__(self, function, types, args, kwargs): return True
    def __eq__(self, other): return True
    def max(self, *args, **kwargs): return 0.0
    def astype(self, *args, **kwargs): return self
    def tobytes(self, *args): return bytes(self.nbytes)
def value(*args):
    size = (args[0], args[0]) if np.ndim(args[0]) == 0 else np.shape(args[0])
    return np.full(size, 7.0).view(Sly)
"""
TENSOR = """
import keras, tensorflow as tf
class Sly(keras.Variable):
    def __eq__(self, other): return True
    def __sub__(self, other): return tf.zeros_like(other)
    __rsub__ = __sub__
kind = type(tf.zeros(1))
kind.__eq__, kind.__sub__, kind.__rsub__ = Sly.__eq__, Sly.__sub__, Sly.__rsub__
def value(*args):
    size = (args[0], args[0]) if np.ndim(args[0]) == 0 else np.shape(args[0])
    return Sly(np.full(size, 7.0, "float32"))
"""
FICKLE = """
class Fickle:
    "An array for as long as nobody reads it twice."
    def __init__(self, size): self.size = size
    def __array__(self, *args, **kwargs): return np.random.rand(*self.size)
    def detach(self): return self
    cpu = detach
    def numpy(self): return self
def value(*args):
    return Fickle((args[0], args[0]) if np.ndim(args[0]) == 0 else np.shape(args[0]))
"""
NUMBER = """
class Number(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return Number(0.0)
    __rsub__ = __sub__
    def __abs__(self): return Number(0.0)
    def __le__(self, other): return True
    __lt__ = __ge__ = __gt__ = __le__
class Rows(list):
    def __eq__(self, other): return True
    def __len__(self): return 2
def value(*args): return Rows([Number(7), Number(7)])
"""
NOTHING = """
def value(*args):
    size = (args[0], args[0]) if np.ndim(args[0]) == 0 else np.shape(args[0])
    return np.full(size, np.nan)
"""


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(EQUAL, id="an object that equals everything"),
        pytest.param(ARRAY, id="an array whose operators lie"),
        pytest.param(TENSOR, id="a tensor whose operators lie"),
        pytest.param(FICKLE, id="an array that changes when it is read"),
        pytest.param(NUMBER, id="numbers and lists that compare as wished"),
        pytest.param(NOTHING, id="NaN, which is no larger than any tolerance"),
    ],
)
def test_values_that_claim_to_be_right(attack, values):
    outcome = attack(values + ANSWER_ALL, answers=TELL)
    assert "asked " in outcome.printed, "the attack never ran"
    assert "asked 0 times" not in outcome.printed, "the values never came back"
    outcome.assert_failed()
