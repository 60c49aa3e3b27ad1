"""Text in the reading's figures keeps its size, however the numbers in them are shortened."""

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from autograder.build.assignments import ROOT
from autograder.build.reading import svg

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
UNITS = 100 * 64  # matplotlib draws outlines at 100 points, in 64ths of a point
WIDTH = 700  # points of the text column on a wide screen; a wider figure is shrunk to it
FIGURES = sorted(ROOT.glob("labs/*/figures/*.svg"))


def sizes(text):
    """Return the font sizes of an SVG's glyphs in points: `(across, down)` of each."""
    root = ElementTree.fromstring(text)
    outlines = {f"#{path.get('id')}": scale(path) for path in root.iter(f"{SVG}path")}
    return [
        tuple(abs(UNITS * a * b * c) for a, b, c in zip(scale(group), scale(use), own, strict=True))
        for group in root.iter(f"{SVG}g")
        for use in group.findall(f"{SVG}use")
        if (own := outlines.get(use.get(HREF))) and own != (1, 1)
    ]


def scale(element):
    """Return by how much an element stretches what is in it: across, down."""
    found = re.search(r"scale\(([^)]*)\)", element.get("transform", ""))
    numbers = [float(number) for number in found[1].split()] if found else [1.0]
    return numbers[0], numbers[-1]


@pytest.mark.parametrize("size", [8, 8.33, 9.5, 12])
def test_a_letter_has_the_size_of_its_font(size):
    """A size of 9.5 makes a scale of 0.095, an outline one of 1/64: two digits distort both."""
    figure = Figure(figsize=(3, 2))
    figure.text(0.1, 0.5, "H", fontsize=size)
    assert sizes(svg(figure)) == [pytest.approx((size, size), rel=1e-3)]


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_the_text_of_a_built_figure_is_legible(path):
    """At least 7 points on the page, indices included, and 12 at most, the size of a title."""
    text = path.read_text()
    shrunk = min(1, WIDTH / float(re.search(r'width="([\d.]+)pt"', text)[1]))
    found = [size * shrunk for pair in sizes(text) for size in pair]
    assert found
    assert min(found) >= 6.99
    assert max(found) <= 12.01
