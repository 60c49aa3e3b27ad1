"""Every layer gives TensorFlow's numbers on JAX and PyTorch, to 1e-5."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.contract import close

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Return what a backend computes; one process per backend, as Keras chooses at import."""
    computed = {}

    def compute(backend):
        if backend not in computed:
            path = tmp_path_factory.mktemp(backend) / "outputs.npz"
            command = [sys.executable, "-m", "tests.parity.forward", str(path)]
            environment = os.environ | {"KERAS_BACKEND": backend}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{backend}: {done.stderr[-4000:]}"
            computed[backend] = dict(np.load(path))
        return computed[backend]

    return compute


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_gives_the_numbers_of_tensorflow(backend, outputs):
    """Layers called, masked, causal and of unknown length; logits and decoded tokens."""
    expected, got = outputs("tensorflow"), outputs(backend)
    assert len(expected) > 40
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert np.isfinite(value).all()
        close(got[name], value, 1e-5, name)
