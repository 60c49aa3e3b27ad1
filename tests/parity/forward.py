"""Run every layer and model on the backend of KERAS_BACKEND and save what comes out.

KERAS_BACKEND=jax python -m tests.parity.forward outputs.npz
"""

import sys

import numpy as np

from course import m01_sequence_models as m01
from course import m03_attention as m03
from course.m01_sequence_models import decoder_arrays
from course.m02_transformer import build_transformer, greedy_decode
from course.m03_attention import attention_step
from tests.contract import fill, numpy, run, symbolic
from tests.m01_sequence_models import cases as m01_cases
from tests.m02_transformer import cases as m02_cases
from tests.m03_attention import cases as m03_cases

CASES = m01_cases.CASES | m02_cases.CASES | m03_cases.CASES
V, D, F, L, N, B, T, S = 29, 14, 11, 2, 7, 3, 5, 13


def layers():
    """Yield the output of each case: called, masked, causal, and with unknown lengths."""
    for name, case in CASES.items():
        yield name, run(case.exact, case.inputs, case.call)
        model = symbolic(case, case.exact)
        yield f"{name}, unknown lengths", numpy(model([*case.inputs]))
        for mask in case.masks:
            allowed = np.random.default_rng(0).random(mask.shape) > 0.4
            yield f"{name}, {mask.name}", run(case.exact, case.inputs, {mask.name: allowed})
        if case.causal:
            yield f"{name}, causal", run(case.exact, case.inputs, case.causal)


def models():
    """Yield logits and decoded tokens of both kinds of transformer."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, V, (B, S)), rng.integers(1, V, (B, T))
    for pre_norm in (False, True):
        model = build_transformer(V, D, F, L, N, pre_norm=pre_norm)
        fill(model)
        yield f"logits, pre_norm={pre_norm}", numpy(model([source, target]))
        yield f"tokens, pre_norm={pre_norm}", greedy_decode(model, source, 1, 2, T)


def recurrent_models():
    """Yield what module 1's models make of padded texts, and what the decoder writes."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(1, V, (B, S)), rng.integers(1, V, (B, T))
    source[1, 4:] = 0
    for cell in ("gru", "lstm", "simple_rnn"):
        model = m01.build_seq2seq(V, D, F, cell=cell)
        fill(model)
        yield f"seq2seq logits, {cell}", numpy(model([source, target]))
        yield (
            f"seq2seq loss, {cell}",
            numpy(m01.masked_cross_entropy(model([source, target]), target)),
        )
        steps = m01.build_step_models(model)
        yield f"seq2seq tokens, {cell}", m01.greedy_decode(*steps, source, 1, 2, T)
        if cell == "gru":
            arrays, state = decoder_arrays.decoder_weights(model), numpy(steps[0](source))
            yield "tokens by arrays", decoder_arrays.decode_greedily(arrays, state, 1, 2, T)
    for model in (
        m01.build_text_classifier(V, B, D, F, bidirectional=True),
        m01.build_text_cnn(V, B, D, F),
        m01.build_bag_of_words(V, B),
    ):
        fill(model)
        yield model.name, numpy(model(source))


def attention_models():
    """Yield module 3's decoding, blockwise attention, maps, importance of heads and induction."""
    rng = np.random.default_rng(0)
    source, target = rng.integers(1, V, (B, S)), rng.integers(1, V, (B, T))
    source[1, 4:] = 0
    for wiring in ("attend_first", "input_feeding", "attend_last"):
        model = m03.build_attention_seq2seq(V, D, F, wiring=wiring)
        fill(model)
        yield f"attention logits, {wiring}", numpy(model([source, target]))
        steps = m03.build_attention_step_models(model)
        tokens, weights = m03.greedy_align(*steps, source, 1, 2, T)
        yield from ((f"aligned tokens, {wiring}", tokens), (f"alignment, {wiring}", weights))
    general = m03.LuongAttention("general")
    model = m03.build_attention_seq2seq(V, D, F, attention=general, wiring="attend_last")
    fill(model)
    state, memory = rng.normal(size=(B, F)), rng.normal(size=(B, S, 2 * F))
    given = source[:, 0], state.astype("float32"), memory.astype("float32"), source != 0
    parts = attention_step.attention_decoder_step(
        attention_step.attention_weights_of(model), *given
    )
    for name, part in zip(("logits", "state", "alignment"), parts, strict=True):
        yield f"step by arrays, {name}", numpy(part)
    query, key, value = rng.normal(size=(3, B, L, S, D)).astype("float32")
    blocks = m03.online_softmax_attention(query, key, value, causal=True, block_size=4)
    yield "blockwise", numpy(blocks)
    model = build_transformer(V, D, F, L, N)
    fill(model)
    for path, weights in m03.attention_maps(model, [source, target]).items():
        yield f"map, {path}", weights
    importance = m03.head_importance(model, [source, target], None, lambda _, x: x[..., 1])
    yield from ((f"importance, {path}", heads) for path, heads in importance.items())
    yield "induction", numpy(m03.build_induction_heads(V, T)(target))


if __name__ == "__main__":
    outputs = dict(layers()) | dict(models()) | dict(recurrent_models()) | dict(attention_models())
    np.savez(sys.argv[1], **outputs)
