"""The bank: one sentence with file and item for each mistake of its author."""

import pytest

from autograder.quiz import bank
from autograder.quiz.items import BankError
from autograder.quiz.review import review, review_keys

FILE = "solutions/m02_transformer/quiz.yaml"


def item(made, name):
    """Return an item of a bank's content."""
    return next(entry for entry in made["items"] if entry["id"] == name)


def refused(path, check=None):
    """Return the message with which a bank is refused, when it is loaded or by a check."""
    checked = path if check is None else bank.load(path)
    with pytest.raises(BankError) as error:
        (check or bank.load)(checked)
    return str(error.value)


def test_the_good_bank_breaks_no_rule(good):
    """What the other tests break is whole."""
    review(good)
    review_keys(good)
    assert good.points == 7 + 8 * 2


def test_keys_of_every_type(good):
    """Letters, lists, pairs and computed values."""
    numbers = {"left": 3, "right": 7}
    keys = {name: good.item(name).key(numbers) for name in ("q01", "q08", "q11")}
    assert keys == {"q01": "a", "q08": 21, "q11": [3, 7]}
    assert good.item("q13").key({}) == ["a", "c"]
    assert good.item("q14").key({}) == ["b", "d", "a", "c"]
    assert good.item("q15").key({}) == {"a": "2", "b": "1", "c": "4", "d": "3"}


def _drop(name, field):
    def change(made):
        del item(made, name)[field]

    return change


def _set(name, **fields):
    return lambda made: item(made, name).update(fields)


def _option(name, position, **fields):
    return lambda made: item(made, name)["options"][position].update(fields)


def _unexplained(made):
    del item(made, "q03")["options"][2]["explanation"]


def _twice(made):
    item(made, "q03")["id"] = "q02"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_unexplained, "item q03, option c: `explanation` is missing; write it."),
        (_option("q03", 2, explanation="No."), "option c: `explanation` is too short"),
        (_option("q03", 0, correct=True), "item q03: 2 options are correct; mark exactly one."),
        (_option("q01", 0, correct=False), "item q01: 0 options are correct; mark exactly one."),
        (_option("q03", 1, text="costs $2$"), "item q03: 'costs $2$' has LaTeX"),
        (_option("q03", 1, corect=True), "option b: `corect` is not a field"),
        (_option("q14", 0, place=1), "item q14: the places must be 1 to 4, each once."),
        (_option("q15", 0, matches=9), "an option matches no target; the targets are 1 to 4."),
        (_option("q15", 0, matches=1), "two options match the same target"),
        (_drop("q03", "stem"), "item q03: `stem` is missing; write it."),
        (_drop("q08", "explanation"), "item q08: `explanation` is missing; write it."),
        (_drop("q03", "type"), "item q03: `type` must be one of single, multiple"),
        (_set("q03", type="essay"), "item q03: `type` must be one of single, multiple"),
        (_set("q03", level="guess"), "item q03: `level` is wrong: input should be 'recall'"),
        (_set("q03", points=0), "item q03: `points` is wrong"),
        (_set("q03", id="three"), "item three: `id` is wrong"),
        (_set("q03", topic="three"), "item q03: the topic 'three' is not in `topics`"),
        (_set("q03", revisits="m05_architectures"), "which is not an earlier module"),
        (_set("q08", key="nothing"), "item q08: the key nothing is not a function of quiz_keys.py"),
        (
            _set("q08", explanation="With {top} it is {key}."),
            "names {top}, which is not a parameter",
        ),
        (_set("q08", choose={"left": [3, 5]}), "`choose` must give 3 to 64 variants"),
        (_set("q08", mistakes=[]), "item q08: `mistakes` is wrong"),
        (_twice, "item q02: the id stands twice; give each item its own."),
    ],
)
def test_a_mistake_is_one_sentence_with_file_and_item(made, write, change, sentence):
    """The author reads what to change and where."""
    change(made)
    message = refused(write(made))

    assert sentence in message
    assert message.startswith(FILE)
    assert "\n" not in message
    assert message.endswith(".")


def _identity(name, field):
    def change(made):
        for place, entry in enumerate(item(made, name)["options"], 1):
            entry[field] = place

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_identity("q14", "place"), "item q14: the options stand in the right order"),
        (_identity("q15", "matches"), "item q15: the targets stand in the order of the options"),
    ],
)
def test_an_order_that_is_shown_solved_is_refused(made, write, change, sentence):
    """The shown order is never the key."""
    change(made)
    assert sentence in refused(write(made))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("items: [", "this is not valid YAML"),
        ("- a list", "write `module`, `title`"),
        ("module: m02_transformer\nmodule: m03_attention\n", "module stands twice"),
        ("module: m02_transformer", "`items` is missing; write it."),
    ],
)
def test_a_file_that_is_no_bank(write, text, sentence):
    """Broken YAML names its line."""
    message = refused(write(text))

    assert message.startswith(FILE)
    assert sentence in message


def test_a_missing_file_and_a_missing_module(tmp_path):
    """A bank that is not there is one sentence."""
    assert refused(tmp_path / "quiz.yaml") == "quiz.yaml is missing."
    with pytest.raises(BankError, match="m77_nothing has no quiz"):
        bank.find("m77_nothing")


def test_a_private_bank_stands_before_the_public_one(made, write, tmp_path, monkeypatch):
    """`COURSE_PRIVATE` overlays the same slug, and a changed file is read again."""
    path = write(made)
    monkeypatch.setenv("COURSE_PRIVATE", str(tmp_path / "solutions"))
    assert bank.find("m02_transformer").title == "A trial"
    assert bank.find("m02_transformer") is bank.find("m02_transformer")
    path.write_text(path.read_text().replace("A trial", "Another"))
    assert bank.find("m02_transformer").title == "Another"


def _longest(made):
    for number in range(1, 8):
        options = item(made, f"q{number:02d}")["options"]
        next(entry for entry in options if entry.get("correct"))["text"] += ", which is so"


def _shortest(made):
    for number in range(1, 8):
        options = item(made, f"q{number:02d}")["options"]
        next(entry for entry in options if entry.get("correct"))["text"] = "text"


def _same_place(made):
    for number in range(1, 8):
        options = item(made, f"q{number:02d}")["options"]
        for position, entry in enumerate(options):
            entry["correct"] = position == (1 if number < 6 else 2)


def _fewer_items(made):
    made["items"].pop()


def _recall(made):
    for entry in made["items"][:9]:
        entry["level"] = "recall"


def _fewer_variants(made):
    slip = {"key": "total", "explanation": "{key} is a slip."}
    item(made, "q08").update(choose={}, explanation="It is {key}, always.", mistakes=[slip])


def _fewer_revisits(made):
    del item(made, "q01")["revisits"]


def _open_topic(made):
    made["topics"].append("three")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_longest, "the key is the longest option in 7 of 7 single items (q01, q02"),
        (_shortest, "the key is the shortest option in 7 of 7 single items"),
        (_same_place, "the key is option b in 5 of 7 single items, at most 3 may be; move some."),
        (_same_place, "the key is never option a, d in the single items; move some there."),
        (_fewer_items, "14 items are too few; write at least 15."),
        (_recall, "6 of 15 items ask to predict or apply; at least half must."),
        (_fewer_variants, "4 items have variants (`choose`); at least 5 must."),
        (_fewer_revisits, "2 items revisit an earlier module; at least 3 must."),
        (_open_topic, "no item asks about the topic 'three'; write one or remove the topic."),
    ],
)
def test_the_course_refuses_a_bank_that_breaks_a_rule(made, write, change, sentence):
    """Coverage, levels, variants, and cues of length and position."""
    change(made)
    message = refused(write(made), review)

    assert sentence in message
    assert all(line.startswith(FILE) for line in message.splitlines())


def test_a_length_cue_in_multiple_items_is_refused(made, write):
    """The longest option is not correct in all of them."""
    first = item(made, "q13")
    first["options"][0]["text"] = "the longest of all texts"
    made["items"] += [first | {"id": f"q{number}"} for number in (16, 17)]

    message = refused(write(made), review)
    assert "in every multiple item the longest option is correct (q13, q16, q17)" in message


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("left * right", None),
        ("1 / 0", "item q08: the key product failed for {'left': 3, 'right': 7}: division by zero"),
        ("float('nan')", "item q08: the key product failed for {'left': 3, 'right': 7}: it is not"),
        ("(left, right)", "item q08: the key product gives [3, 7], which is not a numeric."),
        ("left + right", "item q08: a mistake gives the key"),
    ],
)
def test_every_key_is_computed_for_every_variant(made, write, keys, sentence):
    """A key that fails for one variant is found before a learner meets it."""
    text = "def product(left, right):\n    return " + keys
    text += "\n\ndef total(left, right):\n    return left + right\n"
    text += "def pair(left, right):\n    return left, right\n"
    text += "def turned(left, right):\n    return right, left\n"
    path = write(made, text)
    if sentence is None:
        review_keys(bank.load(path))
    else:
        assert sentence in refused(path, review_keys)


def test_a_tolerance_that_a_slip_fits_into_is_refused(made, write):
    """A named mistake is never near enough to count as the key."""
    item(made, "q08")["tolerance"] = 8
    assert "too close to 21" in refused(write(made), review_keys)


def test_the_axes_of_a_shape_agree_with_its_key(made, write):
    """What the learner is told is true."""
    item(made, "q12")["axes"] = 3
    message = refused(write(made), review_keys)
    assert "item q12: the key has 2 axes, `axes` says 3." in message
