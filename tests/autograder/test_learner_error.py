"""What a learner reads when the code raises."""

import pytest

from autograder.wire.client import LearnerError

KERAS = (
    "Exception encountered when calling Positions.call().\n\n"
    "\x1b[1m{{function_node __wrapped__AddV2}} Incompatible shapes: [2,5,7] vs. [11,7] "
    "[Op:AddV2] name: \x1b[0m\n\n"
    "Arguments received by Positions.call():\n  • x=tf.Tensor(shape=(2, 5, 7), dtype=float32)"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unsupported operand", "unsupported operand"),
        (KERAS, "Incompatible shapes: [2,5,7] vs. [11,7]"),
        (
            "Exception encountered when calling X.call().",
            "Exception encountered when calling X.call().",
        ),
        ("\n", "no message"),
    ],
)
def test_the_sentence_says_what_happened(text, told):
    """Keras puts its own line first and TensorFlow its marks around; the learner reads neither."""
    assert LearnerError("ValueError", text).sentence == f"Your code raised ValueError: {told}"
    named = LearnerError("ValueError", text, "x + table").sentence
    assert named == f"Your code raised ValueError in the line `x + table`: {told}"
