"""What the reading says in plain numbers: its practice items and worked examples."""

import math
from pathlib import Path

import numpy as np
import pytest

from course import m01_sequence_models as m01

TEXT = (Path(m01.__file__).parent / "reading.md").read_text(encoding="utf-8")


def says(sentence):
    """Fail unless the reading has this sentence: a changed number shall come back here."""
    assert sentence in TEXT


def test_practice_1_bigram():
    says("(1 + 1) / (3 + 5) = 0.25")
    model = m01.NGramModel(order=2, k=1).fit(["a b a c a".split()])
    assert model.probability("b", ["a"]) == pytest.approx(0.25)


def test_practice_2_pairs():
    says("each two pairs: 18.")
    assert len(m01.skip_gram_pairs(np.arange(1, 7), 2)[0]) == 18


def test_practice_3_weights():
    says("= 30,200. GRU: 3 · (100 · 50 + 50 · 50 + 2 · 50) = 22,800")
    found = []
    for cell in (m01.LSTMCell(50), m01.GRUCell(50)):
        cell.build((None, 100))
        found.append(cell.count_params())
    assert found == [30_200, 22_800]


def test_practice_4_gate():
    says("= 43.7, so 44 steps")
    assert math.log(0.01) / math.log(0.9) == pytest.approx(43.7, abs=0.05)
    assert 0.9**44 < 0.01 < 0.9**43


def test_practice_5_macro_f1():
    says("Macro-F1 = 0.947 / 3 = 0.316")
    labels = np.repeat([0, 1, 2], [90, 5, 5])
    _, f1 = m01.confusion_and_f1(labels, np.zeros(100, int), 3)
    assert f1 == pytest.approx(0.316, abs=5e-4)


def test_worked_numbers():
    """Terms that stand beside a computed value, and the powers of section 6."""
    says("= 0.313 + 0.474 + 0.798")
    costs = [math.log1p(math.exp(-x)) for x in (1.0, 0.5, -0.2)]
    assert [round(cost, 3) for cost in costs] == [0.313, 0.474, 0.798]
    says("(0.693 + 0.223 + 2.303) / 3")
    assert [round(-math.log(p), 3) for p in (0.5, 0.8, 0.1)] == [0.693, 0.223, 2.303]
    says("0.9⁵⁰ = 0.005; if they are above, it **explodes** like 1.1⁵⁰ = 117")
    assert (round(0.9**50, 3), round(1.1**50)) == (0.005, 117)
