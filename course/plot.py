"""Plots that the labs and readings share: one style, colour-blind safe, readable when printed.

Every figure brings its own white background and dark text, so it reads the same on a dark page: a
transparent one would put dark text on dark. Colours alone say nothing: maps also carry numbers or
marks where it matters, and `describe` puts a map into words.
"""

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


def heat_map(weights, rows=None, columns=None, title="", axis=None, high=None, numbers=False):
    """Draw a matrix of weights, one cell per number.

    Args:
        weights: array `(rows, columns)`.
        rows: list of str. Labels of the rows, the queries.
        columns: list of str. Labels of the columns, the keys.
        title: str.
        axis: a matplotlib axis; a new figure by default.
        high: float. The value at the top of the colour scale; the largest weight by default.
        numbers: bool. Also write each weight into its cell.

    Returns:
        The figure.
    """
    import numpy as np
    from matplotlib.figure import Figure

    weights = np.asarray(weights)
    if axis is None:
        size = (1.5 + 0.38 * weights.shape[1], 1.2 + 0.34 * weights.shape[0])
        axis = Figure(figsize=size, layout="constrained", facecolor="white").subplots()
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
    if numbers:
        for row, column in np.ndindex(weights.shape):
            weight = weights[row, column]
            color = text_color(mesh.cmap(mesh.norm(weight)))
            place = {"ha": "center", "va": "center", "fontsize": 7}
            axis.text(column + 0.5, row + 0.5, f"{weight:.2f}", color=color, **place)
    return axis.figure


def luminance(color):
    """Return the relative luminance of a colour as WCAG defines it, from 0 to 1."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the contrast ratio of two colours as WCAG defines it, from 1 to 21; text needs 4.5."""
    low, high = sorted(luminance(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def text_color(background):
    """Return black or white, whichever reads better on a background: at least 4.5 : 1."""
    return max(("black", "white"), key=lambda color: contrast(color, background))


def alignment(weights, source, target, title="", axis=None):
    """Draw where a decoder looked: a row for each token it wrote, a mark at its strongest weight.

    Args:
        weights: array `(target, source)`, rows that add up to one.
        source: list of str. The tokens that were read.
        target: list of str. The tokens that were written.
        title: str.
        axis: a matplotlib axis; a new figure by default.

    Returns:
        The figure.
    """
    import numpy as np

    weights = np.asarray(weights)[: len(target), : len(source)]
    figure = heat_map(weights, target, source, title, axis, high=1)
    axis = figure.axes[0] if axis is None else axis
    axis.plot(
        weights.argmax(axis=1) + 0.5,
        np.arange(len(weights)) + 0.5,
        linestyle="none",
        marker="o",
        markersize=5,
        markerfacecolor="white",
        markeredgecolor="black",
    )
    axis.set_xlabel("read")
    axis.set_ylabel("written")
    return figure


def rollout(rollouts, tokens, title="Attention rollout"):
    """Draw the rollout after each layer, on one colour scale.

    Args:
        rollouts: array `(layers, tokens, tokens)`, as `attention_rollout` returns it.
        tokens: list of str.
        title: str.

    Returns:
        The figure.
    """
    import numpy as np
    from matplotlib.figure import Figure

    rollouts = np.asarray(rollouts)
    side = 1.6 + 0.34 * len(tokens)
    figure = Figure(figsize=(side * len(rollouts), side), layout="constrained", facecolor="white")
    for layer, axis in enumerate(np.atleast_1d(figure.subplots(1, len(rollouts))), start=1):
        heat_map(rollouts[layer - 1], tokens, tokens, f"after layer {layer}", axis, rollouts.max())
    figure.suptitle(title)
    return figure


def describe(weights, rows, columns, limit=12):
    """Return a map in words, for those who do not see it: each row's strongest column.

    Args:
        weights: array `(rows, columns)`.
        rows: list of str. The queries.
        columns: list of str. The keys.
        limit: int. Rows to name at most.
    """
    import numpy as np

    weights = np.asarray(weights)
    strongest = weights.argmax(axis=1)
    told = [
        f"{row} to {columns[best]} ({weights[number, best]:.2f})"
        for number, (row, best) in enumerate(zip(rows[:limit], strongest, strict=False))
    ]
    more = f", and {len(rows) - limit} more" if len(rows) > limit else ""
    size = f"{len(rows)} rows and {len(columns)} columns"
    return f"Attention weights, {size}. Strongest: {', '.join(told)}{more}."
