"""Take the README's pictures from the running product: python -m tests.e2e.screenshots."""

import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from autograder.grading.demo import CLASS
from autograder.grading.demo import LAB as ASSIGNMENT
from tests.e2e import servers, test_lab, test_quiz
from tests.e2e.chromium import chromium, fresh_page
from tests.e2e.notebooks import Notebook

IMAGES = Path(__file__).parents[2] / "course" / "images"


def main():
    """Take all pictures; a minute or two."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="course-pictures-") as name:
        root = Path(name)
        (root / "learner").mkdir()
        (root / "instructor").mkdir()
        subprocess.run([servers.BIN / "course", "demo", root / "course"], check=True)
        course = servers.course_lab(root / "workspace", root / "learner")
        jupyter = servers.jupyter_lab(root / "course", root / "instructor")
        try:
            with chromium() as browser:
                for take, server in ((learner, course), (instructor, jupyter)):
                    with fresh_page(browser) as page:
                        take(server, page)
        finally:
            jupyter.stop()
            course.stop()


def learner(course, page):
    """The start page, a failed and a passed check, the quiz."""
    page.goto(course.page("/lab/tree/start.md"))
    expect(page.get_by_role("heading", name="The nine modules")).to_be_visible()
    take(page, "start")

    page.goto(course.page(f"/lab/tree/{test_lab.LAB}"))
    lab = Notebook(page, test_lab.LAB)
    page.keyboard.press("ControlOrMeta+B")
    lab.run("setup")
    for name, answer in {"check": test_lab.UNSCALED, "passed": test_lab.RIGHT}.items():
        lab.write("attention_scores", answer)
        lab.run("attention_scores")
        table = lab.run(test_lab.CHECK)
        if name == "passed":
            table.get_by_text("Your code beside the course's").click()
        top(lab, "attention_scores")
        take(page, name)

    page.goto(course.page(f"/lab/tree/{test_quiz.QUIZ}"))
    quiz = Notebook(page, test_quiz.QUIZ)
    test_quiz.run_all(quiz)
    page.get_by_role("group", name="q01").get_by_role("radio").nth(2).check()
    page.get_by_role("group", name="q02").get_by_role("listitem").first.press("ArrowDown")
    expect(page.get_by_text("Saved in the notebook.")).to_have_count(2)
    top(quiz, "q01-stem")
    take(page, "quiz")


def instructor(jupyter, page):
    """The scores of a class in formgrader."""
    page.goto(jupyter.address)  # which lets the browser in
    page.goto(jupyter.page(f"/formgrader/gradebook/{ASSIGNMENT}/lab1_self_attention"))
    expect(page.get_by_role("row")).to_have_count(1 + len(CLASS))
    page.get_by_role("button", name="Show All Names").click()
    expect(page.get_by_role("link", name="Okafor, Ada")).to_be_visible()
    take(page, "formgrader")


def top(notebook, cell_id):
    """Scroll a cell to the top."""
    notebook.cell(cell_id).evaluate("node => node.scrollIntoView({ block: 'start' })")


def take(page, name):
    """Write one picture."""
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
