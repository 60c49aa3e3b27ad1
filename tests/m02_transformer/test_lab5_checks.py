"""Wrong transformers that `course prove` does not try, and what the check says of them."""

import keras
import pytest

from autograder.exercise import find
from autograder.referee import judge
from autograder.wire.in_process import InProcess
from course import m02_transformer as m02

PADDING = {"padding_of_the_source_is_invisible"}
LAYERS = {"each_layer_adds_its_weights"}
DROPOUT = {"dropout_acts_in_training_only"}


def build(
    vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0, fault=""
):
    """Build a transformer with one fault."""
    source_ids, target_ids = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask = m02.padding_mask(source_ids)

    def embed(ids):
        x = keras.layers.Embedding(vocabulary_size, hidden_dim)(ids)
        return m02.SinusoidalPositionalEncoding()(x)

    def stack(kind, layers=num_layers):
        width = hidden_dim if fault == "wide" else intermediate_dim
        return kind(layers, width, num_heads, dropout)

    memory = embed(source_ids)
    if fault != "no encoder":
        seen = None if fault == "encoder sees padding" else mask
        memory = stack(m02.TransformerEncoder)(memory, padding_mask=seen)
    x = embed(target_ids)
    if fault == "noise":
        x = keras.layers.Dropout(dropout)(x, training=True)
    decoder = stack(m02.TransformerDecoder, 1 if fault == "flat decoder" else num_layers)
    seen = None if fault == "decoder sees padding" else mask
    x = decoder(x, memory, memory_padding_mask=seen)
    return keras.Model([source_ids, target_ids], keras.layers.Dense(vocabulary_size)(x))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        ("", set()),
        ("encoder sees padding", PADDING),
        ("decoder sees padding", PADDING),
        ("no encoder", LAYERS),
        ("flat decoder", LAYERS),
        ("wide", LAYERS),
        ("noise", DROPOUT),
    ],
)
def test_each_fault_fails_its_own_cases(fault, fails):
    """The misconception named for these cases is true of all of them."""
    exercise = find("m02_transformer.build_transformer")

    def build_transformer(*sizes, **kwargs):
        return build(*sizes, **kwargs, fault=fault)

    verdict = judge(exercise, InProcess({"build_transformer": build_transformer}))
    assert {case.name for case in verdict.cases if not case.passed} == fails
    assert bool(verdict.misconception) == bool(fails)


@pytest.mark.parametrize("answer", [None, 3, [1, 2], "model"])
def test_what_is_no_model_gives_one_sentence(answer):
    """Every case fails with a sentence, none raises."""
    exercise = find("m02_transformer.build_transformer")
    verdict = judge(exercise, InProcess({"build_transformer": lambda *a, **k: answer}))
    assert verdict.points == 0
    assert all("build_transformer" in case.problem for case in verdict.cases)
