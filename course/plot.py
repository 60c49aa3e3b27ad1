"""Plots that the labs and readings share: one style, colour-blind safe, readable when printed."""

from contextlib import contextmanager

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe-Ito
MARKERS = "os^Dv*"


@contextmanager
def style():
    """Draw figures in the course's style inside a `with` block."""
    import matplotlib
    from cycler import cycler

    cycle = cycler(color=COLORS[:6]) + cycler(marker=MARKERS)
    settings = {
        "axes.prop_cycle": cycle,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "figure.facecolor": "white",
        "font.size": 10,
        "lines.markersize": 4,
    }
    with matplotlib.rc_context(settings):
        yield


def heat_map(weights, rows=None, columns=None, title="", axis=None, high=None):
    """Draw a matrix of weights, one cell per number.

    Args:
        weights: array `(rows, columns)`.
        rows: list of str. Labels of the rows, the queries.
        columns: list of str. Labels of the columns, the keys.
        title: str.
        axis: a matplotlib axis; a new figure by default.
        high: float. The value at the top of the colour scale; the largest weight by default.

    Returns:
        The figure.
    """
    import numpy as np
    from matplotlib.figure import Figure

    weights = np.asarray(weights)
    if axis is None:
        size = (1.5 + 0.38 * weights.shape[1], 1.2 + 0.34 * weights.shape[0])
        axis = Figure(figsize=size, layout="constrained").subplots()
    mesh = axis.pcolormesh(
        weights, cmap="viridis", vmin=0 if weights.min() >= 0 else None, vmax=high
    )
    axis.invert_yaxis()
    for labels, set_ticks in ((rows, axis.set_yticks), (columns, axis.set_xticks)):
        if labels is not None:
            set_ticks(np.arange(len(labels)) + 0.5, labels)
    axis.tick_params(axis="x", rotation=60, length=0)
    axis.tick_params(axis="y", length=0)
    axis.set_title(title)
    axis.figure.colorbar(mesh, ax=axis)
    return axis.figure
