"""The quiz, as learners use it: `from autograder import quiz`."""

from autograder.quiz.session import (
    answer,
    match,
    multiple,
    numeric,
    order,
    recorded,
    shape,
    single,
    start,
)

__all__ = [
    "answer",
    "match",
    "multiple",
    "numeric",
    "order",
    "recorded",
    "shape",
    "single",
    "start",
]
