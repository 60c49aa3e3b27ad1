"""A small exercise without TensorFlow, for the tests of the framework itself."""

import numpy as np

from autograder.compare import close
from autograder.exercise import Exercise

half = Exercise(
    "half", points=2, module="toy", lab="toy", signature="half(x)", hints=["one", "two", "three"]
)
halved_sum = Exercise(
    "halved_sum", points=1, module="toy", lab="toy", depends_on=["half"], hints=["a", "b", "c"]
)


@half.oracle
def half_oracle(x):
    """Half of x."""
    return x / 2


@half.case(hint="Divide.")
def halves_every_number(lab, rng):
    """Every number is halved."""
    x = rng.normal(size=(3, 5))
    return close(lab.half(x), half_oracle(x))


@half.case()
def halves_on_paper(lab, rng):
    """Half of 4 is 2."""
    return close(lab.half(np.array([4.0, 6.0])), np.array([2.0, 3.0]))


@half.misconception("You doubled instead of halving.")
def doubled(x):
    """Twice x."""
    return x * 2


@half.misconception("You halved the first row only.")
def first_only(x):
    """Half of the first entry."""
    x = np.array(x)
    x[0] = x[0] / 2
    return x


@halved_sum.oracle
def halved_sum_oracle(x, *, half=half_oracle):
    """Sum of the halves over the last axis."""
    return np.asarray(half(x)).sum(-1)


@halved_sum.case()
def sums_the_halves(lab, rng):
    """The halves are added up."""
    x = rng.normal(size=(3, 5))
    return close(lab.halved_sum(x), halved_sum_oracle(x))
