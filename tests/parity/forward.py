"""Run every layer and model on the backend of KERAS_BACKEND and save what comes out.

KERAS_BACKEND=jax python -m tests.parity.forward outputs.npz
"""

import sys

import numpy as np

from course.m02_transformer import build_transformer, greedy_decode
from tests.contract import fill, numpy, run, symbolic
from tests.m02_transformer.cases import CASES

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


if __name__ == "__main__":
    np.savez(sys.argv[1], **dict(layers()), **dict(models()))
