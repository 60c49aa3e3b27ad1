"""Plots: what they show, and that they read on white and on dark pages, in colour and without."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from course import plot

ROWS, COLUMNS = ["je", "vous", "aime"], ["i", "love", "you", ".", "<end>"]
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(5), 3)
ROLLOUTS = np.random.default_rng(1).dirichlet(np.ones(5), (2, 5))
FIGURES = {
    "heat_map": lambda: plot.heat_map(WEIGHTS, ROWS, COLUMNS, "weights"),
    "numbers": lambda: plot.heat_map(WEIGHTS, ROWS, COLUMNS, numbers=True, high=1),
    "alignment": lambda: plot.alignment(WEIGHTS, COLUMNS, ROWS, "alignment"),
    "rollout": lambda: plot.rollout(ROLLOUTS, COLUMNS),
}


def texts(figure):
    """Every text that is drawn, with its axis or None."""
    figure.draw_without_rendering()
    for axis in figure.axes:
        inside = [*axis.texts, axis.title, axis.xaxis.label, axis.yaxis.label]
        for text in [*inside, *axis.get_xticklabels(), *axis.get_yticklabels()]:
            if text.get_text():
                yield text, axis
    yield from ((text, None) for text in figure.texts)


@pytest.mark.parametrize("name", FIGURES)
def test_every_text_reads_on_its_own_background(name):
    """The figure brings an opaque background, and WCAG's 4.5 : 1 holds for each text on it."""
    import matplotlib

    with matplotlib.rc_context({"figure.facecolor": "none"}):  # what a dark notebook may set
        figure = FIGURES[name]()
    background = to_rgba(figure.get_facecolor())
    assert background[3] == 1
    for text, axis in texts(figure):
        behind = background
        if axis is not None and text in axis.texts:  # a number in a cell
            mesh, (x, y) = axis.collections[0], text.get_position()
            behind = mesh.cmap(mesh.norm(mesh.get_array()[int(y), int(x)]))
        assert plot.contrast(text.get_color(), behind) >= 4.5, text


def test_contrast_is_that_of_wcag():
    """Black on white is 21; #767676 is the lightest grey that passes on white."""
    assert plot.contrast("black", "white") == pytest.approx(21)
    assert plot.contrast("#767676", "white") == pytest.approx(4.54, abs=0.005)
    assert [plot.text_color(color) for color in ("#440154", "#fde725")] == ["white", "black"]


def test_the_colour_scale_is_told_by_lightness_alone():
    """Each step of the map is lighter than the one before, so colour blindness loses nothing."""
    mesh = plot.heat_map(WEIGHTS).axes[0].collections[0]
    lightness = [plot.luminance(mesh.cmap(x)) for x in np.linspace(0, 1, 50)]
    assert (np.diff(lightness) > 0).all()


def test_heat_map_writes_rows_downwards_and_columns_to_the_right():
    figure = plot.heat_map(WEIGHTS, ROWS, COLUMNS, numbers=True)
    axis = figure.axes[0]
    assert axis.yaxis_inverted()
    assert [label.get_text() for label in axis.get_yticklabels()] == ROWS
    assert [label.get_text() for label in axis.get_xticklabels()] == COLUMNS
    number = next(t for t in axis.texts if t.get_position() == (3.5, 1.5))
    assert number.get_text() == f"{WEIGHTS[1, 3]:.2f}"


def test_alignment_marks_the_strongest_and_cuts_padding():
    """Six source places and four target steps, of which five and three are real."""
    padded = np.zeros((4, 6))
    padded[:3, :5] = WEIGHTS
    axis = plot.alignment(padded, COLUMNS, ROWS).axes[0]
    (marks,) = axis.lines
    np.testing.assert_array_equal(marks.get_xdata(), WEIGHTS.argmax(1) + 0.5)
    np.testing.assert_array_equal(marks.get_ydata(), [0.5, 1.5, 2.5])
    assert axis.collections[0].get_array().shape == (3, 5)
    assert axis.collections[0].get_clim() == (0, 1)


def test_rollout_shares_one_scale():
    figure = plot.rollout(ROLLOUTS, COLUMNS)
    maps = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in maps] == ["after layer 1", "after layer 2"]
    assert {axis.collections[0].get_clim() for axis in maps} == {(0, ROLLOUTS.max())}


def test_describe_names_the_strongest_of_each_row():
    weights = np.array([[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]])
    said = plot.describe(weights, ["a", "b", "c"], ["x", "y"], limit=2)
    assert said == (
        "Attention weights, 3 rows and 2 columns. Strongest: a to x (0.75), b to x (0.50), "
        "and 1 more."
    )
