"""A notebook that is open in JupyterLab, as a person handles it."""

import re

import nbformat

FIND = """id => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex((cell) => cell.model.id === id);
    if (index >= 0) notebook.scrollToItem(index, "center");
    return index;
}"""
IDLE = """path => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.path === path && panel.context.isReady && panel.content?.widgets?.length
        && panel.sessionContext.session?.kernel?.status === "idle";
}"""


class Notebook:
    """The notebook in front.

    Args:
        page: the browser's page.
        path: the notebook's path in the workspace.
    """

    def __init__(self, page, path):
        """Wait until the notebook is there and its kernel is idle."""
        self.page, self.path = page, path
        self.wait()

    def wait(self):
        """Wait until the kernel is idle."""
        self.page.wait_for_function(IDLE, arg=self.path)

    def cell(self, cell_id):
        """Scroll to a cell and return it."""
        index = self.page.evaluate(FIND, cell_id)
        assert index >= 0, f"{self.path} has no cell {cell_id}."
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        return panel.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def write(self, cell_id, source):
        """Replace what stands in a cell, by the keyboard."""
        self.cell(cell_id).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(source)

    def run(self, cell_id):
        """Run a cell with Shift+Enter; return its outputs, empty if there are none, when done."""
        cell = self.cell(cell_id)
        prompt = cell.locator(".jp-InputArea-prompt").first
        before = prompt.inner_text()
        prompt.click()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_function(
            "([node, before]) => /\\d/.test(node.innerText) && node.innerText !== before",
            arg=[prompt.element_handle(), before],
        )
        return cell.locator(".jp-OutputArea-output")

    def menu(self, *names):
        """Choose an entry of the menu."""
        for name in names:
            exactly = re.compile(rf"^{re.escape(name)}")
            self.page.get_by_role("menuitem", name=exactly).first.click()


def cells_on_disk(path):
    """Return the cells of a notebook's file; none while the server, which empties it, writes it."""
    try:
        return nbformat.read(path, as_version=4).cells
    except nbformat.reader.NotJSONError:
        return []
