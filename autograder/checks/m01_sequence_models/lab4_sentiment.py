"""Checks of lab 4: from text to a batch, counts of words, the last real state, and the score."""

import collections
import re
import string
import unicodedata

import numpy as np

from autograder.compare import Mismatch, close, describe, equal, holds, unpack
from autograder.exercise import Exercise

PACKAGE = "course.m01_sequence_models"

# -------------------------------------------------------------------------------- standardize

standard = Exercise(
    "standardize",
    points=5,
    signature="standardize(text)",
    package=f"{PACKAGE}.standardize",
    forbids=[
        f"{PACKAGE}.standardize",
        f"{PACKAGE}.tokenize",
        "keras.layers.TextVectorization",
    ],
    hints=[
        "Go through the text character by character. Which characters get a space on both sides, "
        "and which one must look at its two neighbours first? `split` and `join` do the rest.",
        "Lower case and NFC come first. Then replace each apostrophe between two letters or digits "
        "by a placeholder, put spaces around every character c with "
        "`unicodedata.category(c)[0] in 'PS'`, put `'` in the placeholder's place, and return "
        "`' '.join(text.split())`. In a pattern, `(?<=[^\\W_])` and `(?=[^\\W_])` look at the "
        "neighbours without using them up.",
        '"It’s 5€!" becomes "it’s 5€!", then "it@s 5€!" with @ as the placeholder, then '
        '"it@s 5 €  ! ", then "it\'s 5 € !".',
    ],
)


def rules(text, *, lower=True, form="NFC", mark=None, keep="inside", join=True):
    """Apply the rules of the lab; the misconceptions change one each."""
    mark = mark or (lambda c: unicodedata.category(c)[0] in "PS")
    text = unicodedata.normalize(form, text.lower() if lower else text)
    found = []
    for place, c in enumerate(text):
        before, after = text[:place][-1:], text[place + 1 :][:1]
        inside = before.isalnum() and after.isalnum()
        if c in "'’" and (keep == "all" or (keep == "inside" and inside)):
            found.append("'")
        else:
            found.append(f" {c} " if mark(c) else c)
    return " ".join("".join(found).split()) if join else "".join(found)


@standard.oracle
def standardize(text):
    """Lower case, NFC, marks apart, apostrophes inside words kept."""
    return rules(text)


def word(rng, low=3, high=8):
    """Draw a word of lower-case letters."""
    letters = rng.choice(list(string.ascii_lowercase), int(rng.integers(low, high)))
    return "".join(letters.tolist())


def new_words(rng, count):
    """Draw words that all differ."""
    found = {}
    while len(found) < count:
        found[word(rng)] = True
    return list(found)


def same_text(lab, *texts):
    """Ask for texts and compare them character by character."""
    return [same(lab.standardize(text), standardize(text), text) for text in texts]


def same(got, expected, text):
    """Compare two texts, and say in words where they differ."""
    if not isinstance(got, str):
        raise Mismatch(f"Expected a str, got {describe(got)}.")
    if got == expected:
        return holds(True, repr(expected), repr(got))
    if got.split() == expected.split():
        problem = "The tokens are right, but the spaces between them are not."
    elif unicodedata.normalize("NFC", got) == expected:
        problem = "It looks right, but letters and their accents are two characters."
    else:
        pairs = zip([*got.split(), "nothing"], [*expected.split(), "nothing"], strict=False)
        one, other = next(pair for pair in pairs if pair[0] != pair[1])
        problem = f"From {text!r}: {one!r} stands where {other!r} should."
    return holds(False, repr(expected), repr(got), problem)


@standard.case(points=1, hint="`text.lower()`, and `' '.join(text.split())` for the spaces.")
def lower_case_with_single_spaces(lab, rng):
    """Capitals become small; any white space becomes one space, and none is left at the ends."""
    texts = []
    for _ in range(3):
        chosen = [word(rng) for _ in range(rng.integers(4, 9))]
        chosen = [w.upper() if rng.random() < 0.3 else w.capitalize() for w in chosen]
        gaps = rng.choice([" ", "  ", "\t", "\n", " \n  "], len(chosen) + 1).tolist()
        texts.append("".join(g + w for g, w in zip(["  ", *gaps[2:]], chosen, strict=True)) + "\n")
    return same_text(lab, *texts)


MARKS = (*".,!?;:()-/", *"$+=%&*#@", *"…–—«»“”", *"€£°", "_")


@standard.case(points=1, hint="Every character of a category that begins with P or S stands alone.")
def every_mark_is_a_token(lab, rng):
    """Each punctuation mark or symbol is a token of its own, also several in a row."""
    texts = []
    for first in ("…", "€", "_"):
        marks = [first, "?", "$", *rng.choice(MARKS, rng.integers(4, 9)).tolist()]
        parts = [word(rng) + mark for mark in rng.permutation(marks).tolist()]
        run = str(rng.choice([".", "!", "?"])) * int(rng.integers(2, 5))
        parts.insert(int(rng.integers(1, len(parts))), " " + word(rng) + run + " (")
        texts.append("".join(parts) + word(rng))
    return same_text(lab, *texts)


@standard.case(points=1, hint="Look at both neighbours of the apostrophe, and don't use them up.")
def an_apostrophe_inside_a_word_stays(lab, rng):
    """Between two letters or digits an apostrophe, straight or curly, stays and becomes '."""
    texts = []
    for _ in range(3):
        straight, curly = f"{word(rng)}'{word(rng, 1, 4)}", f"{word(rng)}’{word(rng, 1, 4)}"
        around = f"{word(rng)}’{word(rng, 1, 2)}’{word(rng)}"  # one letter between two of them
        digit = f"{word(rng)}'{rng.integers(2, 1000)}"
        accented = f"{word(rng, 1, 3)}’é{word(rng)}"  # é is a letter too, typed as one or as two
        decomposed = unicodedata.normalize("NFD", f"{word(rng)}é") + f"'{word(rng, 1, 4)}"
        parts = [straight, curly, around, digit, accented, decomposed]
        parts += new_words(rng, int(rng.integers(1, 4)))
        texts.append(" ".join(rng.permutation(parts).tolist()))
    return same_text(lab, *texts)


@standard.case(points=1, hint="A quotation mark has a letter on one side only: it stands alone.")
def an_apostrophe_at_the_edge_is_a_mark(lab, rng):
    """At the edge of a word an apostrophe is a token of its own, and stays straight or curly."""
    texts = []
    for quote in ("'", "’", "''"):
        edges = [f"{word(rng)}’", f"'{word(rng)}", f"{quote}{word(rng)}{quote}"]
        middle = [f"{word(rng)}' {word(rng)}", f"{word(rng)}''{word(rng)}"]
        plain = new_words(rng, int(rng.integers(1, 4)))
        texts.append(" ".join(rng.permutation([*edges, *middle, *plain]).tolist()))
    return same_text(lab, *texts)


ACCENTED = "àáâäãåçèéêëìíîïñòóôöõùúûüýāčďēěğīłńōřšťūůźžơư"


@standard.case(points=1, hint="`unicodedata.normalize('NFC', text)` makes é one character.")
def accents_and_letters_are_composed(lab, rng):
    """A letter and its accent become one character, however they were typed; both stay."""
    texts = []
    for _ in range(3):
        letters = rng.choice(list(ACCENTED), (int(rng.integers(3, 7)), 2)).tolist()
        chosen = [word(rng) + a + word(rng, 1, 4) + b for a, b in [["é", "ü"], *letters]]
        texts.append(" ".join(unicodedata.normalize("NFD", w) for w in chosen))
    return same_text(lab, *texts)


@standard.misconception("You kept capital letters. `The` and `the` should be one token.")
def capitals_kept(text):
    return rules(text, lower=False)


@standard.misconception(
    "You left punctuation out. Here each mark stays and becomes a token: a question mark can "
    "decide what a sentence says."
)
def marks_removed(text):
    kept = rules(text).split()
    return " ".join(t for t in kept if any(unicodedata.category(c)[0] not in "PS" for c in t))


@standard.misconception(
    "You left punctuation attached to its word. `good`, `good.` and `good!` would be three words: "
    "put a space on both sides of each mark."
)
def marks_attached(text):
    return rules(text, mark=lambda c: False)


@standard.misconception(
    "You set apart the marks of ASCII only, as `string.punctuation` lists them. `…`, `€` and `“` "
    "are marks too: ask `unicodedata.category`."
)
def ascii_marks(text):
    return rules(text, mark=lambda c: c in string.punctuation)


@standard.misconception(
    "You set punctuation (P) apart, but not symbols: `$`, `+` and `€` are of category S."
)
def no_symbols(text):
    return rules(text, mark=lambda c: unicodedata.category(c)[0] == "P")


@standard.misconception(
    "Your pattern takes the underscore for a letter, since `\\w` does. `_` is a punctuation mark."
)
def underscore_is_a_letter(text):
    return rules(text, mark=lambda c: unicodedata.category(c)[0] in "PS" and c != "_")


@standard.misconception(
    "You made one token of several marks in a row. `?!` is two tokens, `...` three."
)
def runs_are_one_token(text):
    text = re.sub(r"(?<=\w)['’](?=\w)", "\ue000", unicodedata.normalize("NFC", text.lower()))
    runs, before = [], False
    for c in text:
        mark = unicodedata.category(c)[0] in "PS"
        runs.append(f" {c}" if mark != before else c)
        before = mark
    return " ".join("".join(runs).replace("\ue000", "'").split())


@standard.misconception(
    "You split words at every apostrophe. Between two letters or digits it stays: `don't` is one "
    "token."
)
def every_apostrophe_apart(text):
    return rules(text, keep="none")


@standard.misconception(
    "You kept every apostrophe in its word. Only one with a letter or digit on both sides stays; "
    "at the edge of a word it is a quotation mark."
)
def every_apostrophe_kept(text):
    return rules(text, keep="all")


@standard.misconception(
    "You treat only the straight apostrophe `'`. The curly one `’` inside a word stays as well, "
    "and becomes `'`."
)
def straight_ones_only(text):
    kept = re.sub(r"(?<=\w)'(?=\w)", "\ue000", text)
    return rules(kept, keep="none").replace("\ue000", "'")


@standard.misconception(
    "You kept the curly apostrophe inside words as it was. Write it as `'`, or `don't` and `don’t` "
    "are two tokens."
)
def curly_ones_stay_curly(text):
    kept = re.sub(r"(?<=\w)’(?=\w)", "\ue000", text)
    kept = re.sub(r"(?<=\w)'(?=\w)", "\ue001", kept)
    return rules(kept, keep="none").replace("\ue000", "’").replace("\ue001", "'")


@standard.misconception(
    "You look for a to z and digits around an apostrophe. é is a letter too: in `l’été` it stays."
)
def letters_of_english_alone(text):
    text = unicodedata.normalize("NFC", text.lower())
    kept = re.sub(r"(?<=[a-z0-9])['’](?=[a-z0-9])", "\ue000", text)
    return rules(kept, keep="none").replace("\ue000", "'")


@standard.misconception(
    "Your pattern uses up the letters around an apostrophe, so in `rock'n'roll` it misses the "
    "second one. Look at them with `(?<=[^\\W_])` and `(?=[^\\W_])`."
)
def neighbours_used_up(text):
    kept = re.sub(r"(\w)['’](\w)", "\\1\ue000\\2", text)
    return rules(kept, keep="none").replace("\ue000", "'")


@standard.misconception(
    "Letters and their accents are still two characters. `unicodedata.normalize('NFC', text)` "
    "composes them."
)
def not_composed(text):
    return rules(text, form="NFD")


@standard.misconception(
    "You removed the accents. `café` keeps its é: normalise with NFC, and drop nothing."
)
def accents_removed(text):
    text = unicodedata.normalize("NFD", text.lower())
    return rules("".join(c for c in text if unicodedata.category(c) != "Mn"))


@standard.misconception(
    "You normalised with NFKC, which also replaces characters: `…` becomes three dots. Use NFC."
)
def compatibility_form(text):
    return rules(text, form="NFKC")


@standard.misconception(
    "You left runs of spaces, tabs or line ends in the text. Join the tokens with one space."
)
def spaces_left(text):
    return rules(text, join=False)


# ---------------------------------------------------------------------------------- vectorize

vectors = Exercise(
    "vectorize",
    points=6,
    signature="vectorize(train_texts, texts, max_size, length)",
    package=f"{PACKAGE}.vectorize",
    forbids=[
        f"{PACKAGE}.vectorize",
        f"{PACKAGE}.Vocabulary",
        "keras.layers.TextVectorization",
        "keras.layers.StringLookup",
    ],
    hints=[
        "Three steps: count the tokens of all training texts, sort them into a vocabulary, and "
        "fill an array of zeros row by row. `collections.Counter` counts.",
        "tokens = sorted(counts, key=lambda t: (-counts[t], t)); vocabulary = ['', '[UNK]', "
        "*tokens][:max_size]. ids_of = {token: i for i, token in enumerate(vocabulary)}; "
        "ids_of.get(token, 1) gives 1 for an unknown token. A row takes the first `length` ids; "
        "the mask is ids != 0.",
        "train_texts = ['b a b', 'c b'] has b three times, a and c once: the vocabulary is "
        "['', '[UNK]', 'b', 'a', 'c'], and with max_size 4 ['', '[UNK]', 'b', 'a']. Then 'c b' "
        "with length 3 is [1, 2, 0], its mask [True, True, False].",
    ],
)


def _vectorize(
    train_texts, texts, max_size, length, *, counts=None, order=None, first=("", "[UNK]"),
    cut=None, unknown=1,
):  # fmt: skip
    """Return vocabulary and rows of ids; the misconceptions change one argument each."""
    if counts is None:
        counts = collections.Counter(t for text in train_texts for t in text.split())
    tokens = sorted(counts, key=order or (lambda t: (-counts[t], t)))
    vocabulary = [*first, *tokens][: cut or max_size]
    places = {token: place for place, token in enumerate(vocabulary)}
    rows = [[places.get(t, unknown) for t in text.split()] for text in texts]
    rows = [[i for i in row if i is not None] for row in rows]
    return vocabulary, rows


def _pad(rows, length, fill=0):
    ids = np.full((len(rows), length), fill)
    for row, found in zip(ids, rows, strict=True):
        row[: len(found)] = found[:length]
    return ids


def _lengths_mask(rows, length):
    return np.arange(length) < np.array([[len(row)] for row in rows])


@vectors.oracle
def vectorize(train_texts, texts, max_size, length):
    """Vocabulary, ids and mask."""
    vocabulary, rows = _vectorize(train_texts, texts, max_size, length)
    return vocabulary, _pad(rows, length), _lengths_mask(rows, length)


def batch(lab, *args):
    """Ask for a batch; return vocabulary, a list of str, and ids and mask as they came."""
    vocabulary, ids, mask = unpack(lab.vectorize(*args), "vocabulary", "ids", "mask")
    if not isinstance(vocabulary, list | tuple) or not all(isinstance(t, str) for t in vocabulary):
        raise Mismatch(f"The vocabulary should be a list of str; got {describe(vocabulary)}.")
    return list(vocabulary), ids, mask


def same_list(got, expected):
    """Compare two vocabularies, and say where they differ."""
    pairs = zip([*got, "nothing"], [*expected, "nothing"], strict=False)
    place, pair = next(((i, p) for i, p in enumerate(pairs) if p[0] != p[1]), (0, ("", "")))
    problem = f"vocabulary[{place}] is {pair[0]!r}; it should be {pair[1]!r}."
    return holds(got == expected, f"{len(expected)} tokens", f"{len(got)} tokens", problem)


def different_counts(rng, tokens):
    """Draw texts in which the first token comes most often, all of it in one text."""
    amounts = np.cumsum(rng.integers(1, 3, len(tokens)))[::-1]
    texts = [" ".join([tokens[0]] * int(amounts[0] + 3))]
    rest = np.repeat(np.array(tokens[1:], object), amounts[1:])
    return texts + deal(rng, rng.permutation(rest).tolist())


def deal(rng, tokens):
    """Cut a list of tokens into texts."""
    texts = []
    while tokens:
        size = int(rng.integers(2, 6))
        texts, tokens = [*texts, " ".join(tokens[:size])], tokens[size:]
    return texts


@vectors.case(points=1, hint="Count every occurrence, also several in one text. Most often first.")
def frequent_tokens_come_first(lab, rng):
    """After padding and unknown the tokens stand by how often they occur in the training texts."""
    tokens = new_words(rng, int(rng.integers(7, 12)))
    train = different_counts(rng, tokens)
    vocabulary, *_ = batch(lab, train, train[:2], 97, 5)
    return same_list(vocabulary, ["", "[UNK]", *tokens])


@vectors.case(points=1, hint="Sort by the pair (-count, token).")
def ties_are_alphabetical(lab, rng):
    """Tokens that occur equally often stand in alphabetical order."""
    tokens = new_words(rng, int(rng.integers(9, 14)))
    often, once = sorted(tokens[:4]), sorted(tokens[4:])
    first, start = int(rng.integers(1, 4)), int(rng.integers(1, len(once)))
    came = [*often[first:], *often[:first], *once[start:], *once[:start]]
    train = deal(rng, [*came, *rng.permutation(often).tolist()])
    vocabulary, *_ = batch(lab, train, train[:2], 97, 5)
    return same_list(vocabulary, ["", "[UNK]", *often, *once])


@vectors.case(points=1, hint="'' and '[UNK]' are two of the max_size entries.")
def the_size_counts_every_entry(lab, rng):
    """The vocabulary has at most max_size entries, padding and unknown counted; the rest is 1."""
    tokens = new_words(rng, int(rng.integers(9, 14)))
    train, size = different_counts(rng, tokens), int(rng.integers(5, 8))
    texts = [" ".join(rng.permutation(tokens).tolist()) for _ in range(3)]
    vocabulary, ids, _ = batch(lab, train, texts, size, len(tokens))
    expected = vectorize(train, texts, size, len(tokens))
    return [same_list(vocabulary, expected[0]), equal(ids, expected[1], what="ids")]


@vectors.case(points=1, hint="Make the vocabulary from train_texts alone, then encode texts.")
def only_the_training_texts_are_counted(lab, rng):
    """Tokens that occur only in `texts` are unknown, however often they come there."""
    tokens = new_words(rng, int(rng.integers(11, 16)))
    train, new = different_counts(rng, tokens[:7]), tokens[7:]
    mixed = [*rng.permutation(tokens[:7]).tolist(), *new * 9]
    texts = [" ".join(rng.permutation(mixed).tolist()), " ".join(new), " ".join(tokens[5:9])]
    length = int(rng.integers(89, 98))
    vocabulary, ids, _ = batch(lab, train, texts, 97, length)
    expected = vectorize(train, texts, 97, length)
    return [same_list(vocabulary, expected[0]), equal(ids, expected[1], what="ids")]


def texts_of_all_lengths(rng, tokens, length):
    """Draw texts shorter than, equal to and longer than `length`."""
    longer = length + int(rng.integers(2, 6))
    sizes = rng.permutation([1, 3, length - 2, length, length + 1, longer]).tolist()
    return [" ".join(rng.choice(tokens, size).tolist()) for size in sizes]


@vectors.case(points=1, hint="ids[row, :n] = the first n ids; all else stays 0.")
def padded_and_cut_at_the_end(lab, rng):
    """A short text has zeros at its end; a long one loses its end."""
    tokens, length = new_words(rng, 7), int(rng.integers(6, 12))
    train, texts = different_counts(rng, tokens), texts_of_all_lengths(rng, tokens, length)
    _, ids, _ = batch(lab, train, texts, 97, length)
    return equal(ids, vectorize(train, texts, 97, length)[1], what="ids")


@vectors.case(points=1, hint="An unknown token is a real token; only id 0 is padding.")
def the_mask_marks_real_tokens(lab, rng):
    """The mask is boolean: True for every token, unknown ones too, and False for padding."""
    tokens, length = new_words(rng, 11), int(rng.integers(6, 12))
    train, texts = different_counts(rng, tokens[:7]), texts_of_all_lengths(rng, tokens, length)
    texts[0] = " ".join(tokens[7:10])
    _, _, mask = batch(lab, train, texts, 97, length)
    return equal(mask, vectorize(train, texts, 97, length)[2], what="mask")


def _answer(found, length, pad=_pad, mask=_lengths_mask):
    vocabulary, rows = found
    return vocabulary, pad(rows, length), mask(rows, length)


@vectors.misconception(
    "Your vocabulary also counts the tokens of `texts`. Those stand for new texts, which nobody "
    "has seen in training."
)
def counts_all_texts(train_texts, texts, max_size, length):
    counts = collections.Counter(t for text in [*train_texts, *texts] for t in text.split())
    return _answer(_vectorize(train_texts, texts, max_size, length, counts=counts), length)


@vectors.misconception(
    "You counted in how many texts a token occurs. Count every occurrence, also several in one "
    "text."
)
def counts_texts(train_texts, texts, max_size, length):
    counts = collections.Counter(t for text in train_texts for t in set(text.split()))
    return _answer(_vectorize(train_texts, texts, max_size, length, counts=counts), length)


@vectors.misconception(
    "Tokens that occur equally often stand in the order in which they came, as "
    "`Counter.most_common` leaves them. Sort them alphabetically."
)
def ties_as_they_came(train_texts, texts, max_size, length):
    counts = collections.Counter(t for text in train_texts for t in text.split())
    found = _vectorize(train_texts, texts, max_size, length, order=lambda t: -counts[t])
    return _answer(found, length)


@vectors.misconception(
    "You sorted by the pair (count, token) in reverse, which reverses the alphabet too. Sort by "
    "(-count, token)."
)
def ties_reversed(train_texts, texts, max_size, length):
    counts = collections.Counter(t for text in train_texts for t in text.split())
    ranks = {t: -i for i, t in enumerate(sorted(counts, key=lambda t: (counts[t], t)))}
    return _answer(_vectorize(train_texts, texts, max_size, length, order=ranks.get), length)


@vectors.misconception("Your vocabulary is alphabetical. The most frequent tokens come first.")
def alphabetical(train_texts, texts, max_size, length):
    found = _vectorize(train_texts, texts, max_size, length, order=lambda t: t)
    return _answer(found, length)


@vectors.misconception("Your rarest tokens come first. The most frequent ones do.")
def rarest_first(train_texts, texts, max_size, length):
    counts = collections.Counter(t for text in train_texts for t in text.split())
    found = _vectorize(train_texts, texts, max_size, length, order=lambda t: (counts[t], t))
    return _answer(found, length)


@vectors.misconception(
    "You kept max_size tokens beside padding and unknown. max_size counts these two as well."
)
def two_too_many(train_texts, texts, max_size, length):
    return _answer(_vectorize(train_texts, texts, max_size, length, cut=max_size + 2), length)


@vectors.misconception("You ignored max_size: rare tokens are left out of the vocabulary.")
def every_token_kept(train_texts, texts, max_size, length):
    return _answer(_vectorize(train_texts, texts, max_size, length, cut=10**6), length)


@vectors.misconception(
    "Your vocabulary begins with the tokens. Places 0 and 1 belong to padding, '', and to unknown "
    "tokens, '[UNK]'."
)
def no_places_for_padding(train_texts, texts, max_size, length):
    found = _vectorize(train_texts, texts, max_size, length, first=(), cut=max_size - 2)
    return _answer(found, length)


@vectors.misconception(
    "You gave unknown tokens the id 0. That is padding: the model would not see that a word stands "
    "there. Their id is 1."
)
def unknown_is_padding(train_texts, texts, max_size, length):
    found = _vectorize(train_texts, texts, max_size, length, unknown=0)
    return _answer(found, length, mask=lambda rows, size: _pad(rows, size) != 0)


@vectors.misconception("You left unknown tokens out. Each of them becomes the id 1.")
def unknown_left_out(train_texts, texts, max_size, length):
    return _answer(_vectorize(train_texts, texts, max_size, length, unknown=None), length)


@vectors.misconception("You padded at the start. Here zeros stand at the end of a row.")
def padded_at_the_start(train_texts, texts, max_size, length):
    vocabulary, rows = _vectorize(train_texts, texts, max_size, length)
    ids = _pad([row[:length][::-1] for row in rows], length)[:, ::-1]
    return vocabulary, ids, ids != 0


@vectors.misconception("A long text should lose its end. Yours loses its beginning.")
def loses_its_beginning(train_texts, texts, max_size, length):
    vocabulary, rows = _vectorize(train_texts, texts, max_size, length)
    return _answer((vocabulary, [row[-length:] for row in rows]), length)


@vectors.misconception("Your mask is True at the padding. It should be True at real tokens.")
def mask_of_the_padding(train_texts, texts, max_size, length):
    vocabulary, ids, mask = vectorize(train_texts, texts, max_size, length)
    return vocabulary, ids, ~mask


@vectors.misconception(
    "Your mask hides unknown tokens. They are real tokens, only rare ones: it is False at padding "
    "alone."
)
def mask_hides_unknown(train_texts, texts, max_size, length):
    vocabulary, ids, _ = vectorize(train_texts, texts, max_size, length)
    return vocabulary, ids, ids > 1


@vectors.misconception("Your mask holds the numbers 0 and 1. It should be boolean.")
def mask_of_numbers(train_texts, texts, max_size, length):
    vocabulary, ids, mask = vectorize(train_texts, texts, max_size, length)
    return vocabulary, ids, mask.astype("float64")


@vectors.misconception("You returned vocabulary and ids. Return the mask as third value.")
def without_a_mask(train_texts, texts, max_size, length):
    return vectorize(train_texts, texts, max_size, length)[:2]


@vectors.misconception("You returned ids and mask. Return the vocabulary as first value.")
def without_a_vocabulary(train_texts, texts, max_size, length):
    return vectorize(train_texts, texts, max_size, length)[1:]


# -------------------------------------------------------------------------------- word_counts

counting = Exercise(
    "word_counts",
    points=3,
    signature="word_counts(ids, vocabulary_size)",
    package=f"{PACKAGE}.word_counts",
    forbids=[
        f"{PACKAGE}.word_counts",
        "keras.layers.CategoryEncoding",
        "keras.layers.IntegerLookup",
        "keras.layers.TextVectorization",
    ],
    hints=[
        "Make B rows of V zeros. Each real id adds one to its own column of its own row.",
        "One-hot vectors of the ids are (B, T, V). Their sum over T is the counts; then column 0, "
        "the padding, becomes 0. In NumPy `np.add.at(counts, (rows, ids), 1)` adds once for each "
        "occurrence, `counts[rows, ids] += 1` only once for each different id.",
        "ids = [[2, 4, 2, 0]] with V = 5: one 2 and another 2, one 4, and padding. The counts are "
        "[[0, 0, 2, 0, 1]].",
    ],
)


@counting.oracle
def word_counts(ids, vocabulary_size):
    """How often each id occurs in each row, id 0 left out."""
    columns = np.arange(vocabulary_size)
    return ((ids[:, :, None] == columns) & (ids[:, :, None] != 0)).sum(1)


def rows_of_ids(rng, batch_size, length, vocabulary_size, shortest=None):
    """Draw ids in which some repeat, padded at the end."""
    few = rng.choice(np.arange(1, vocabulary_size), 5, replace=False)
    ids = np.where(
        rng.random((batch_size, length)) < 0.6,
        rng.choice(few, (batch_size, length)),
        rng.integers(1, vocabulary_size, (batch_size, length)),
    )
    ids[:, 1] = ids[:, 0]  # something repeats in every row
    sizes = rng.integers(shortest or length, length + 1, batch_size)
    if shortest:
        sizes[:2] = shortest, length - 2
    return np.where(np.arange(length) < sizes[:, None], ids, 0)


def counted(lab, ids, vocabulary_size):
    """Ask for counts and compare them."""
    got = lab.word_counts(ids, vocabulary_size)
    return close(got, word_counts(ids, vocabulary_size), what="counts")


@counting.case(points=1, hint="A token that stands three times counts 3, not 1.")
def each_occurrence_counts(lab, rng):
    """Column v of a row says how often id v stands in it; the other rows have no part in it."""
    sizes = int(rng.integers(3, 8)), int(rng.integers(11, 18)), int(rng.integers(19, 30))
    return counted(lab, rows_of_ids(rng, *sizes), sizes[-1])


@counting.case(points=1, hint="Id 0 is no word: its column stays 0. Id 1 is one.")
def padding_is_no_word(lab, rng):
    """Padding counts nowhere; unknown tokens, id 1, count like others."""
    sizes = int(rng.integers(3, 8)), int(rng.integers(11, 18)), int(rng.integers(19, 30))
    ids = rows_of_ids(rng, *sizes, shortest=5)
    ids[:, 2] = 1
    return counted(lab, ids, sizes[-1])


@counting.case(points=1, hint="The result has V columns, whatever ids this batch holds.")
def every_id_has_its_column(lab, rng):
    """There are V columns, also for ids that this batch does not hold."""
    largest, size = int(rng.integers(13, 18)), int(rng.integers(31, 42))
    ids = rows_of_ids(rng, 3, int(rng.integers(11, 18)), largest, shortest=5)
    return counted(lab, ids, size)


@counting.misconception(
    "You wrote down which tokens occur. Count them: `counts[rows, ids] += 1` adds one for each "
    "different id, however often it stands there; `np.add.at` adds each time."
)
def presence(ids, vocabulary_size):
    return np.minimum(word_counts(ids, vocabulary_size), 1)


@counting.misconception("You counted padding in column 0. It is no word: column 0 is all 0.")
def padding_counted(ids, vocabulary_size):
    return (ids[:, :, None] == np.arange(vocabulary_size)).sum(1)


@counting.misconception("You left out unknown tokens. Id 1 stands for words: count it in column 1.")
def unknown_not_counted(ids, vocabulary_size):
    counts = word_counts(ids, vocabulary_size)
    counts[:, 1] = 0
    return counts


@counting.misconception(
    "You divided by the number of tokens. The counts are whole: 2 for a token that occurs twice."
)
def frequencies(ids, vocabulary_size):
    counts = word_counts(ids, vocabulary_size)
    return counts / counts.sum(1, keepdims=True)


@counting.misconception(
    "You divided by the number of places, the mean over time. Add up instead: the counts are whole."
)
def mean_over_time(ids, vocabulary_size):
    return word_counts(ids, vocabulary_size) / ids.shape[1]


@counting.misconception(
    "You added the texts of the batch together. Each text has its own row of counts."
)
def one_bag_for_all(ids, vocabulary_size):
    return word_counts(ids, vocabulary_size).sum(0)


@counting.misconception(
    "You left out the column of padding. Keep it, all 0, so that column v belongs to id v."
)
def without_column_zero(ids, vocabulary_size):
    return word_counts(ids, vocabulary_size)[:, 1:]


@counting.misconception(
    "Your columns end at the largest id of this batch. Another batch would have other columns: "
    "make V of them."
)
def as_many_columns_as_needed(ids, vocabulary_size):
    return word_counts(ids, int(ids.max()) + 1)


@counting.misconception("You did not add up over time: the result has the shape (B, V).")
def one_hot_only(ids, vocabulary_size):
    return (ids[:, :, None] == np.arange(vocabulary_size)).astype("float64")


@counting.misconception("You added up over the batch. Add up over time, the axis of length T.")
def summed_over_the_batch(ids, vocabulary_size):
    hot = (ids[:, :, None] == np.arange(vocabulary_size)) & (ids[:, :, None] != 0)
    return hot.sum(0)


# ---------------------------------------------------------------------------- last_real_state

last = Exercise(
    "last_real_state",
    points=4,
    signature="last_real_state(states, mask)",
    package=f"{PACKAGE}.last_real_state",
    forbids=[f"{PACKAGE}.last_real_state"],
    hints=[
        "At which place does the last real token of a text stand, if it has n of them? How do you "
        "get n from the mask?",
        "n = number of True values in a row of the mask. The state is states[row, n - 1]. For "
        "n = 0 the place would be -1, which is the last one: put zeros there.",
        "mask = [[True, True, False], [False, False, False]] has n = 2 and 0. The result is "
        "states[0, 1] for the first text and zeros for the second.",
    ],
)


@last.oracle
def last_real_state(states, mask):
    """The state at each text's last real token; zeros without one."""
    rows = [
        row[int(real.sum()) - 1] if real.any() else np.zeros(states.shape[-1])
        for row, real in zip(states, mask, strict=True)
    ]
    return np.stack(rows)


def padded_states(rng, *lengths):
    """Draw states and a mask for texts of these lengths, among others."""
    length, hidden_dim = int(rng.integers(11, 18)), int(rng.integers(3, 8))
    sizes = [*lengths, *rng.integers(4, length - 2, int(rng.integers(2, 5)))]
    sizes = rng.permutation(np.minimum(sizes, length))
    states = rng.normal(size=(len(sizes), length, hidden_dim))
    return states, np.arange(length) < sizes[:, None]


def last_states(lab, states, mask):
    """Ask for the last states and compare them."""
    return close(lab.last_real_state(states, mask), last_real_state(states, mask), what="state")


@last.case(points=1, hint="With all tokens real, the last real state is the last one.")
def without_padding_it_is_the_last_state(lab, rng):
    """Without padding the state at the last place is returned."""
    states, mask = padded_states(rng)
    return last_states(lab, states, np.ones_like(mask))


@last.case(points=1, hint="Each text has its own n: count the True values of its row.")
def each_text_has_its_own_last_place(lab, rng):
    """In a padded batch each text gives the state at its own last real token."""
    states, mask = padded_states(rng, 1, 2, 97)
    return last_states(lab, states, mask)


@last.case(points=1, hint="Let the mask decide, not the values of the states.")
def the_padding_has_no_effect(lab, rng):
    """Other states at the padding change nothing, be they zero or large; real ones may be zero."""
    states, mask = padded_states(rng, 2)
    real = mask[..., None]
    states[0, 1:] = 0.0  # a network that has forgotten, or stayed silent
    large = rng.uniform(50, 90, size=states.shape)
    return [
        last_states(lab, np.where(real, states, 0.0), mask),
        last_states(lab, np.where(real, states, large), mask),
    ]


@last.case(points=1, hint="Where a row of the mask has no True, return zeros.")
def an_empty_text_gives_zeros(lab, rng):
    """A text without a real token gives zeros, and the other texts of the batch are right."""
    states, mask = padded_states(rng, 0, 0, 3)
    return last_states(lab, states, mask)


@last.misconception(
    "You took the last place of every text. In a short text padding stands there, and the network "
    "has read on over it."
)
def last_place(states, mask):
    return states[:, -1]


@last.misconception(
    "You set the states at the padding to zero and took the last place. A short text then gives "
    "zeros; go back to its last real token."
)
def last_place_masked(states, mask):
    return (states * mask[..., None])[:, -1]


@last.misconception(
    "You took the mean of the real states. That is another way to read a network; here it is the "
    "last one."
)
def mean_of_the_real_states(states, mask):
    counts = np.maximum(mask.sum(1, keepdims=True), 1)
    return (states * mask[..., None]).sum(1) / counts


@last.misconception("You took the mean over all places, padding included. Take the last real one.")
def mean_of_all_states(states, mask):
    return states.mean(1)


@last.misconception("You added up the real states. Take the last of them.")
def sum_of_the_real_states(states, mask):
    return (states * mask[..., None]).sum(1)


@last.misconception(
    "You took the largest value over the real places. Take the last state as it is."
)
def largest_of_the_real_states(states, mask):
    found = np.where(mask[..., None], states, -np.inf).max(1)
    return np.where(mask.any(1)[:, None], found, 0.0)


@last.misconception(
    "You are one place too late: a text of n tokens has them at the places 0 to n - 1, so place n "
    "is padding."
)
def one_too_late(states, mask):
    places = np.minimum(mask.sum(1), states.shape[1] - 1)
    found = states[np.arange(len(states)), places]
    return np.where(mask.any(1)[:, None], found, 0.0)


@last.misconception("You are one place too early: the last of n tokens stands at the place n - 1.")
def one_too_early(states, mask):
    found = states[np.arange(len(states)), np.maximum(mask.sum(1) - 2, 0)]
    return np.where(mask.any(1)[:, None], found, 0.0)


@last.misconception(
    "You took the same place for all texts, that of the longest one. Each text has its own."
)
def place_of_the_longest(states, mask):
    return states[:, int(mask.sum(1).max()) - 1]


@last.misconception("You took the first state, which has read one token only. Take the last one.")
def first_state(states, mask):
    return np.where(mask.any(1)[:, None], states[:, 0], 0.0)


@last.misconception(
    "You look for the last state that is not zero. A real state may be zero and a padded one not: "
    "let the mask decide."
)
def last_nonzero(states, mask):
    nonzero = (states != 0).any(-1)
    places = states.shape[1] - 1 - nonzero[:, ::-1].argmax(1)
    return states[np.arange(len(states)), places]


@last.misconception(
    "A text without tokens gives its last place: its place is -1, which counts from the end. "
    "Return zeros there."
)
def empty_wraps_around(states, mask):
    return states[np.arange(len(states)), mask.sum(1) - 1]


@last.misconception(
    "A text without tokens gives the state at place 0, which is padding. Return zeros there."
)
def empty_takes_the_first(states, mask):
    return states[np.arange(len(states)), np.maximum(mask.sum(1) - 1, 0)]


# --------------------------------------------------------------------------- confusion_and_f1

score = Exercise(
    "confusion_and_f1",
    points=4,
    signature="confusion_and_f1(labels, predictions, num_classes)",
    package=f"{PACKAGE}.confusion_and_f1",
    forbids=[
        f"{PACKAGE}.confusion_and_f1",
        "tensorflow.math.confusion_matrix",
        "keras.metrics.F1Score",
        "keras.metrics.FBetaScore",
        "sklearn.metrics.confusion_matrix",
        "sklearn.metrics.f1_score",
    ],
    hints=[
        "The matrix holds all you need: the right answers of class c stand on its diagonal, the "
        "missed ones in the rest of its row, the false alarms in the rest of its column.",
        "np.add.at(matrix, (labels, predictions), 1). Then F1 of class c is 2·matrix[c, c] over "
        "(sum of row c + sum of column c), and 0 where that sum is 0. Macro-F1 is the mean over "
        "the C classes.",
        "matrix = [[3, 1], [0, 2]]: F1 of class 0 is 6 / (4 + 3) = 0.857, of class 1 "
        "4 / (2 + 3) = 0.8. Their mean is 0.829.",
    ],
)


def _confusion(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    for label, prediction in zip(labels, predictions, strict=True):
        matrix[label, prediction] += 1
    return matrix


def _ratio(upper, lower):
    return np.divide(upper, lower, out=np.zeros(len(upper)), where=lower > 0)


def _f1(matrix):
    return _ratio(2.0 * np.diag(matrix), matrix.sum(0) + matrix.sum(1))


@score.oracle
def confusion_and_f1(labels, predictions, num_classes):
    """Rows true, columns predicted; the mean of the classes' F1."""
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, _f1(matrix).mean()


def scored(lab, labels, predictions, num_classes):
    """Ask for matrix and macro-F1; return both in their form, with the right ones."""
    got = unpack(lab.confusion_and_f1(labels, predictions, num_classes), "matrix", "macro_f1")
    return got, confusion_and_f1(labels, predictions, num_classes)


def answers(rng, sizes, right):
    """Draw labels, so many of each class, and predictions, of which about `right` are right."""
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    wrong = (labels + 1 + (rng.random(labels.shape) < 0.25)) % len(sizes)  # lopsided errors
    return labels, np.where(rng.random(labels.shape) < right, labels, wrong)


@score.case(points=1, hint="matrix[label, prediction] += 1 for each pair.")
def rows_are_true_classes(lab, rng):
    """Entry [i, j] says how many texts of class i were called j."""
    sizes = rng.integers(17, 60, int(rng.integers(3, 6)))
    (matrix, _), (expected, _) = scored(lab, *answers(rng, sizes, 0.6), len(sizes))
    return close(matrix, expected, what="matrix")


@score.case(points=1, hint="F1 of a class is 2·TP / (2·TP + FP + FN).")
def macro_f1_of_equal_classes(lab, rng):
    """Macro-F1 is the mean of the classes' F1, where F1 is 2·TP over 2·TP + FP + FN."""
    sizes = np.full(int(rng.integers(3, 6)), int(rng.integers(17, 60)))
    (_, f1), (_, expected) = scored(lab, *answers(rng, sizes, 0.6), len(sizes))
    return close(f1, expected, what="macro-F1")


@score.case(points=1, hint="Take the plain mean over classes, not weighted by their sizes.")
def a_rare_class_weighs_the_same(lab, rng):
    """A class with few texts counts as much as one with many."""
    sizes = rng.permutation([int(rng.integers(150, 290)), *rng.integers(5, 20, 3)])
    labels, predictions = answers(rng, sizes, 0.7)
    (_, f1), (_, expected) = scored(lab, labels, predictions, len(sizes))
    return close(f1, expected, what="macro-F1")


@score.case(points=1, hint="Where 2·TP + FP + FN is 0, F1 is 0 and the class still counts.")
def a_class_that_never_occurs(lab, rng):
    """A class that is neither true nor predicted has an empty row and column, and the F1 0."""
    sizes = rng.integers(17, 60, 5)
    sizes[int(rng.integers(1, 4))] = 0
    labels = rng.permutation(np.repeat(np.arange(5), sizes))
    wrong = rng.choice(np.flatnonzero(sizes), len(labels))
    predictions = np.where(rng.random(labels.shape) < 0.6, labels, wrong)
    (matrix, f1), expected = scored(lab, labels, predictions, 5)
    return [
        close(matrix, expected[0], what="matrix"),
        close(f1, expected[1], what="macro-F1"),
    ]


@score.misconception("Your rows are the predicted classes. Rows are true, columns predicted.")
def transposed(labels, predictions, num_classes):
    matrix, f1 = confusion_and_f1(labels, predictions, num_classes)
    return matrix.T, f1


@score.misconception("You divided the rows by their sums. The matrix holds counts of texts.")
def shares(labels, predictions, num_classes):
    matrix, f1 = confusion_and_f1(labels, predictions, num_classes)
    return matrix / np.maximum(matrix.sum(1, keepdims=True), 1), f1


@score.misconception(
    "You returned the accuracy, which is also what F1 over all texts together (micro-F1) is. "
    "Take F1 for each class, then the mean."
)
def accuracy(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, np.trace(matrix) / matrix.sum()


@score.misconception(
    "You weighted the classes by their sizes. Macro-F1 is the plain mean: a rare class counts as "
    "much as a frequent one."
)
def weighted(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, (_f1(matrix) * matrix.sum(1)).sum() / matrix.sum()


@score.misconception(
    "You took F1 of the mean precision and the mean recall. Take F1 of each class first, then the "
    "mean."
)
def f1_of_the_means(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    precision = _ratio(np.diag(matrix), matrix.sum(0)).mean()
    recall = _ratio(np.diag(matrix), matrix.sum(1)).mean()
    return matrix, 2 * precision * recall / (precision + recall)


@score.misconception("You averaged the recall: what was missed counts, but no false alarms.")
def macro_recall(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, _ratio(np.diag(matrix), matrix.sum(1)).mean()


@score.misconception("You averaged the precision: false alarms count, but nothing that is missed.")
def macro_precision(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, _ratio(np.diag(matrix), matrix.sum(0)).mean()


@score.misconception(
    "You averaged precision and recall by their arithmetic mean. F1 is their harmonic mean, "
    "2·TP / (2·TP + FP + FN)."
)
def arithmetic_mean(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    right = np.diag(matrix)
    return matrix, (_ratio(right, matrix.sum(0)) + _ratio(right, matrix.sum(1))).mean() / 2


@score.misconception("You divided TP by TP + FP + FN. In F1, TP counts twice, above and below.")
def jaccard(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    right = np.diag(matrix)
    return matrix, _ratio(right, matrix.sum(0) + matrix.sum(1) - right).mean()


@score.misconception(
    "You left out the class that never occurs. Its F1 is 0, and the mean runs over all C classes."
)
def absent_class_left_out(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, _f1(matrix)[matrix.sum(0) + matrix.sum(1) > 0].mean()


@score.misconception(
    "A class that never occurs makes your F1 NaN: 0 divided by 0. Put 0 in its place."
)
def divides_by_zero(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    with np.errstate(all="ignore"):
        return matrix, np.mean(2 * np.diag(matrix) / (matrix.sum(0) + matrix.sum(1)))


@score.misconception("You returned macro-F1 first. The matrix comes first.")
def swapped(labels, predictions, num_classes):
    return confusion_and_f1(labels, predictions, num_classes)[::-1]


@score.misconception("You returned the matrix alone. Return the matrix and macro-F1.")
def matrix_only(labels, predictions, num_classes):
    return confusion_and_f1(labels, predictions, num_classes)[0]


@score.misconception(
    "You returned the F1 of each class. Return their mean, one number, as second value."
)
def f1_of_each_class(labels, predictions, num_classes):
    matrix = _confusion(labels, predictions, num_classes)
    return matrix, _f1(matrix)
