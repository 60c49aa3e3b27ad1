"""Group 11: files and values that run code when a grader loads them. None is ever loaded."""

import io
import pickle
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.autograder.attacks.conftest import SILENT

LIMITS = {"cell_seconds": 5, "call_seconds": 5}


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        """Return what unpickling calls."""
        return Path.touch, (Path(self.path),)


@pytest.fixture
def sprung(tmp_path):
    """The file that appears when a trap is sprung where the grader lives."""
    path = tmp_path / "sprung"
    yield path
    assert not path.exists()


def npy(trap):
    """Return an object array's file."""
    file = io.BytesIO()
    np.save(file, np.array([trap], object), allow_pickle=True)
    return file.getvalue()


def keras_file(path):
    """Return a `.keras` file whose Lambda layer writes a file."""
    lambda_ = f"import pathlib; pathlib.Path({str(path)!r}).touch()"
    config = f'{{"class_name": "Lambda", "config": {{"function": "{lambda_}"}}}}'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", '{"keras_version": "3"}')
        archive.writestr("model.weights.h5", pickle.dumps(Trap(path)))
    return file.getvalue()


def test_the_traps_are_traps(tmp_path):
    """Without this the tests below could not fail."""
    pickle.loads(pickle.dumps(Trap(tmp_path / "a")))
    np.load(io.BytesIO(npy(Trap(tmp_path / "b"))), allow_pickle=True)
    assert (tmp_path / "a").exists()
    assert (tmp_path / "b").exists()


def test_files_of_the_submission(attack, sprung):
    """Pickles under every name that a grader might load."""
    trap = Trap(sprung)
    names = ("answers.pkl", "weights.npy", "model.pickle", "result", "grades.joblib", "cache/a.pkl")
    files = {name: npy(trap) if name.endswith("npy") else pickle.dumps(trap) for name in names}
    files |= {"model.keras": keras_file(sprung), "quiz_answers.json": pickle.dumps(trap)}
    attack(files=files, limits=LIMITS).assert_failed()


def test_files_that_the_notebook_leaves(attack, sprung):
    """It writes them to every folder that can be written, over every name that is there."""
    trap = pickle.dumps(Trap(sprung))
    code = f"""
import os
trap = {trap!r}
made = 0
for top in ("/", os.path.expanduser("~"), "/tmp"):
    for parent, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in ("proc", "sys", "dev", "usr", "lib")][:50]
        for name in ["answers.pkl", "model.keras", "weights.npy", *files[:5]]:
            try: open(os.path.join(parent, name), "r+b" if name in files else "wb").write(trap)
            except OSError: continue
            made += 1
print("made", made > 2)
"""
    outcome = attack(code, limits=LIMITS)
    outcome.assert_failed()
    assert "made True" in outcome.printed


def test_a_model_with_a_lambda(attack, sprung):
    """An answer that is a model, or a layer, whose code runs where it is loaded."""
    code = f"""
import keras
path = {str(sprung)!r}
def touch(x):
    import pathlib
    try: pathlib.Path(path).touch()
    except OSError: print("the kernel cannot")
    return x
model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(touch)])
model.save("model.keras")
masked_softmax = causal_mask = lambda *args, **kwargs: model
class Layer(keras.layers.Layer):
    def get_config(self): return {{"function": touch}}
    def __reduce__(self): return touch, (0,)
scaled_dot_product_attention = lambda *args, **kwargs: (Layer(), Layer())
print("saved")
"""
    outcome = attack(code, answers=SILENT, limits=LIMITS | {"cell_seconds": 20})
    outcome.assert_failed()
    assert "saved" in outcome.printed
    assert "the kernel cannot" in outcome.printed


def test_a_saved_model(attack, sprung):
    """A graph that writes a file when it is called."""
    code = f"""
import tensorflow as tf
class Saved(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def __call__(self, x):
        tf.io.write_file({str(sprung)!r}, "sprung")
        return x
tf.saved_model.save(Saved(), "model")
masked_softmax = causal_mask = tf.saved_model.load("model")
print("saved")
"""
    outcome = attack(code, answers=SILENT, limits=LIMITS | {"cell_seconds": 20})
    outcome.assert_failed()
    assert "saved" in outcome.printed


def test_answers_that_pickle_to_code(attack, sprung):
    """Objects, object arrays and bytes as the returned values."""
    code = f"""
import numpy as np
class Trap:
    def __reduce__(self):
        import pathlib
        return pathlib.Path.touch, (pathlib.Path({str(sprung)!r}),)
    def __array__(self, *args, **kwargs): return np.array([self], object)
"""
    answers = {
        "masked_softmax": "masked_softmax = lambda *a, **k: np.array([Trap()], object)",
        "causal_mask": "causal_mask = lambda *a, **k: Trap()",
        "scaled_dot_product_attention": textwrap.dedent("""
            import pickle
            def scaled_dot_product_attention(*args, **kwargs):
                return pickle.dumps(Trap()), np.frombuffer(pickle.dumps(Trap()), "V1")
        """),
    }
    attack(code, answers=answers, limits=LIMITS).assert_failed()
