"""A learner answers a quiz with mouse and keyboard, closes it, and finds the answers again."""

import re

import pytest
from playwright.sync_api import expect

from autograder.quiz.answers import describe, records
from autograder.quiz.bank import find
from tests.e2e.notebooks import Notebook, cells_on_disk
from tests.e2e.servers import LEARNER, wait_until

pytestmark = pytest.mark.slow

QUIZ = "m02_transformer/quiz.ipynb"
KINDS = ("single", "multiple", "numeric", "shape", "order", "match")


@pytest.fixture(scope="module")
def items():
    """The first item of each kind, and the next single choice, to answer in writing."""
    bank = find("m02_transformer").items
    first = {kind: next(item for item in bank if item.type == kind) for kind in KINDS}
    written = next(x for x in bank if x.type == "single" and x is not first["single"])
    return first | {"written": written}


def test_answers_are_saved_at_once_and_found_again(course, page, items):
    page.goto(course.page(f"/lab/tree/{QUIZ}"))
    quiz = Notebook(page, QUIZ)
    run_all(quiz)
    answers = {kind: ANSWER[kind](form(quiz, items[kind]), items[kind]) for kind in KINDS}
    for kind in KINDS:
        status = form(quiz, items[kind]).get_by_role("status")
        expect(status).to_contain_text("Saved in the notebook.")
        expect(says_saved(quiz, items[kind])).to_have_count(1)
    answers["written"] = answer_in_writing(quiz, items["written"])
    expect(says_saved(quiz, items["written"])).to_have_count(1)
    file = course.folder / QUIZ
    wait_until(lambda: len(on_disk(file)) == len(items), 30, "every answer is in the file")
    saved = on_disk(file)
    assert {kind: saved[item.id]["answer"] for kind, item in items.items()} == answers
    assert {record["learner"] for record in saved.values()} == {LEARNER}

    close(course, page)
    page.reload()
    quiz.wait()
    for kind, item in items.items():
        expect(quiz.cell(f"{item.id}-answer")).to_contain_text(f"Saved: {describe(answers[kind])}")
        expect(says_saved(quiz, item)).to_have_count(1)
    expect(page.get_by_role("group")).to_have_count(0)
    run_all(quiz)
    for kind in KINDS:
        SEE[kind](form(quiz, items[kind]), answers[kind])
    count = f"{len(items)} of {len(find('m02_transformer').items)} are answered."
    expect(quiz.cell("setup")).to_contain_text(f"You answer as {LEARNER}. {count}")


def run_all(quiz):
    """Run all cells by the menu and wait for the last question."""
    quiz.menu("Run", "Run All Cells")
    last = find("m02_transformer").items[-1].id
    expect(quiz.cell(f"{last}-answer").get_by_role("group")).to_be_visible()
    quiz.wait()


def form(quiz, item):
    """Return the question's widget."""
    return quiz.cell(f"{item.id}-answer").get_by_role("group", name=item.id)


def says_saved(quiz, item):
    """Return what a learner sees of "saved" in a question's cell."""
    return quiz.cell(f"{item.id}-answer").get_by_text(re.compile("Saved")).locator("visible=true")


def choose_one(question, item):
    question.get_by_role("radio").nth(1).check()
    return "b"


def choose_two(question, item):
    for number in (0, 2):
        question.get_by_role("checkbox").nth(number).check()
    return ["a", "c"]


def write_number(question, item):
    question.get_by_role("textbox").fill("0.25")
    question.get_by_role("textbox").press("Enter")
    return 0.25


def write_shape(question, item):
    shape = list(range(2, 2 + (item.rank or 3)))
    question.get_by_role("textbox").fill(", ".join(map(str, shape)))
    question.get_by_role("textbox").press("Tab")
    return shape


def move_the_first_down(question, item):
    question.get_by_role("listitem").first.press("ArrowDown")
    first, second, *rest = item.question.options
    return [second, first, *rest]


def match_in_order(question, item):
    pairs = dict(zip(item.question.options, item.question.right, strict=False))
    for left, right in pairs.items():
        question.get_by_label(f"Match for {left}").select_option(right)
    return pairs


def answer_in_writing(quiz, item):
    """Open the folded cell, add the line that the question shows, and run it."""
    name = f"{item.id}-answer"
    cell = quiz.cell(name)
    cell.locator(".jp-InputPlaceholder").click()
    cell.locator(".cm-content").click()
    quiz.page.keyboard.press("ControlOrMeta+End")
    quiz.page.keyboard.insert_text(f'\nquiz.answer("{item.id}", "c")')
    quiz.run(name)
    expect(cell).to_contain_text("Saved: c")
    quiz.page.keyboard.press("ControlOrMeta+S")
    return "c"


ANSWER = dict(
    zip(
        KINDS,
        [choose_one, choose_two, write_number, write_shape, move_the_first_down, match_in_order],
        strict=True,
    )
)
SEE = {
    "single": lambda form, answer: expect(form.get_by_role("radio").nth(1)).to_be_checked(),
    "multiple": lambda form, answer: [
        expect(form.get_by_role("checkbox").nth(n)).to_be_checked(checked=n in (0, 2))
        for n in range(3)
    ],
    "numeric": lambda form, answer: expect(form.get_by_role("textbox")).to_have_value("0.25"),
    "shape": lambda form, answer: expect(form.get_by_role("textbox")).to_have_value(
        ", ".join(map(str, answer))
    ),
    "order": lambda form, answer: expect(form.locator("li b")).to_have_text(answer),
    "match": lambda form, answer: [
        expect(form.get_by_label(f"Match for {left}")).to_have_value(right)
        for left, right in answer.items()
    ],
}


def on_disk(path):
    """Return the answers in the notebook file, by item; none while it is being written."""
    found = [made for cell in cells_on_disk(path) for made in records(cell.get("outputs"))]
    return {made["item"]: made for made in found}


def close(course, page):
    """End the notebook's kernel, as it ends when JupyterLab is stopped."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
