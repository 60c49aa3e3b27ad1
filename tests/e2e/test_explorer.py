"""A learner explores attention with mouse and keyboard, on a light and on a dark page."""

import nbformat
import pytest
from playwright.sync_api import expect

from course.plot import contrast
from tests.e2e.notebooks import Notebook, cells_on_disk
from tests.e2e.servers import wait_until

pytestmark = pytest.mark.slow

NOTEBOOK = "explorer.ipynb"
CODE = "from course.m03_attention import AttentionExplorer\nAttentionExplorer()"
TOKENS = "<start> the cat saw the dog and the dog saw the cat".split()
COLORS = """node => {
    const canvas = document.createElement("canvas").getContext("2d");
    const paint = (color) => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
    };
    let behind = node;
    while (/, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) {
        behind = behind.parentElement;
    }
    const background = paint(getComputedStyle(behind).backgroundColor);
    return [paint(getComputedStyle(node).color), background]; // painted over it: half transparent
}"""


PLACES = (".token >> nth=3", ".keys .number >> nth=10", ".status", ".help", "button", "label")


@pytest.fixture
def notebook(course, page):
    """A notebook with the explorer in its only cell, run."""
    cell = nbformat.v4.new_code_cell(CODE, id="explorer")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[cell], metadata=metadata)
    nbformat.write(made, course.folder / NOTEBOOK)
    page.goto(course.page(f"/lab/tree/{NOTEBOOK}"))
    notebook = Notebook(page, NOTEBOOK)
    notebook.run("explorer")
    return notebook


def explorer(notebook):
    """Return the widget in its cell."""
    return notebook.cell("explorer").get_by_role("group", name="Attention explorer")


def test_a_learner_explores_a_sentence(notebook):
    shown = explorer(notebook)
    status = shown.get_by_role("status")
    words = shown.get_by_role("group", name="Words that attend").get_by_role("button")
    expect(words).to_have_text(TOKENS)
    expect(status).to_have_text("cat (place 12) attends most to the (place 11) 1.00.")

    shown.get_by_label("Layer").select_option("2")
    expect(shown.get_by_label("Head")).to_contain_text("what followed this word last time")
    expect(status).to_have_text("cat (place 12) attends most to saw (place 4) 1.00.")
    chosen = shown.get_by_role("list", name="Words attended to, with weights").locator("li")
    expect(chosen.nth(3)).to_have_text("saw1.00")
    words.nth(5).click()
    expect(status).to_contain_text("dog (place 6) attends most to <start> (place 1) 1.00.")
    expect(words.nth(5)).to_have_attribute("aria-pressed", "true")

    shown.get_by_label("Sentence").fill("we go where we")
    shown.get_by_label("Sentence").press("Enter")
    expect(words).to_have_text(["<start>", "we", "go", "where", "we"])
    expect(status).to_have_text("we (place 5) attends most to go (place 3) 1.00.")

    shown.get_by_label("Sentence").fill(" ")
    shown.get_by_role("button", name="Show").click()
    expect(shown.get_by_role("alert")).to_contain_text("must hold at least one word")
    expect(words).to_have_count(5)


def test_the_keyboard_alone_is_enough(notebook):
    """Tab reaches each control once; arrows move inside; the notebook's shortcuts stay off."""
    shown, page = explorer(notebook), notebook.page
    status, cells = shown.get_by_role("status"), page.locator(".jp-Notebook .jp-Cell")
    number = cells.count()
    shown.get_by_label("Sentence").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(shown.get_by_label("Layer")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(status).to_contain_text("saw (place 4)")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(shown.get_by_role("radio", name="lines")).to_be_focused()
    page.keyboard.press("Tab")
    words = shown.get_by_role("group", name="Words that attend").get_by_role("button")
    expect(words.nth(11)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(words.nth(10)).to_be_focused()
    expect(status).to_contain_text("the (place 11)")
    page.keyboard.press("Home")
    expect(status).to_contain_text("<start> (place 1)")

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(shown.get_by_role("radio", name="heat map")).to_be_checked()
    page.keyboard.press("Tab")
    cell = shown.get_by_role("gridcell", name="<start> to <start>: 1.00", exact=True)
    expect(cell).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    cell = shown.get_by_role("gridcell", name="cat to the: 0.00", exact=True).first
    expect(cell).to_be_focused()
    expect(status).to_contain_text(
        "cat (place 3) to the (place 2): 0.00. It attends most to <start>"
    )
    expect(cells).to_have_count(number)


def test_every_text_reads_in_both_themes(notebook):
    """WCAG's 4.5 : 1 for each kind of text on what lies behind it."""
    page, shown = notebook.page, explorer(notebook)
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    for theme, light in {"JupyterLab Dark": "false", "JupyterLab Light": "true"}.items():
        page.evaluate(change, theme)
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
        for place in PLACES:
            color, behind = shown.locator(place).first.evaluate(COLORS)
            assert contrast(color, behind) >= 4.5, (theme, place)


def test_a_reopened_notebook_shows_the_figure(course, notebook):
    """The file keeps the image and its words, no widget whose model ended with the kernel."""
    page = notebook.page
    expect(explorer(notebook)).to_be_visible()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def saved():
        cells = cells_on_disk(course.folder / NOTEBOOK)
        return cells and cells[0].outputs and cells[0].outputs[0].data

    data = wait_until(saved, 30, "the notebook holds the output")
    assert not any("widget" in name for name in data)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    notebook.wait()
    image = notebook.cell("explorer").get_by_role("img")
    expect(image).to_be_visible()
    expect(image).to_have_attribute("alt", data["text/plain"].replace("\n", " "))
    assert image.evaluate("node => node.naturalWidth") > 300
    expect(explorer(notebook)).to_have_count(0)
