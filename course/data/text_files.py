"""Text files of your own: folders and tables become texts and labels, split for training.

| layout | what `path` is | returns |
|---|---|---|
| `"classes"` | a folder, a subfolder a class, a `.txt` file an example | texts, labels, classes |
| `"documents"` | a folder, a `.txt` file an example | texts |
| `"lines"` | a `.txt` file, or a folder of them, a line an example | texts |
| `"table"` | a `.csv` or `.tsv` file, named columns | texts, labels, classes |

Examples with the same text fall into the same split, so that none is in both.
"""

import codecs
import random
from pathlib import Path

import numpy as np

from course.data.arguments import check_choices, check_count
from course.data.read_files import read_folder, read_table
from course.errors import CourseError

LAYOUTS = ("classes", "documents", "lines", "table")


def load(
    split,
    path,
    layout="classes",
    text_column="text",
    label_column="label",
    encoding="utf-8",
    test_fraction=0.2,
    seed=0,
):
    """Return the texts of a split, and their labels where the layout has some.

    Args:
        split: str. `"train"` or `"test"`.
        path: str or path. The folder or file.
        layout: str. One of `LAYOUTS`; see the module's docstring.
        text_column: str. The column of a table that holds the text.
        label_column: str. The column that holds the class; None where a table has no classes.
        encoding: str. How the files are written. `"utf-8"` also reads files that begin with a
            byte order mark, as spreadsheets write them.
        test_fraction: float. The share of different texts that the test gets, between 0 and 1.
        seed: int. Another seed splits otherwise.

    Returns:
        `texts`, an array of N str in the order of the files; with classes also `labels`,
        int32 `(N,)`, and `classes`, an array of names in alphabetical order. Labels are places
        in it, the same in both splits.

    Raises:
        ValueError: if an argument is out of its limits.
        CourseError: if files are missing, empty, or not as the layout and encoding say.
    """
    check_choices("layout", layout, LAYOUTS)
    _check_encoding(encoding)
    if not 0 < test_fraction < 1:
        raise ValueError(f"`test_fraction` must lie between 0 and 1. Received: {test_fraction!r}.")
    path = Path(path)
    if layout == "table":
        texts, names = read_table(path, text_column, label_column, encoding)
    else:
        texts, names = read_folder(path, layout, encoding)
    if not texts:
        raise CourseError(f"{path} holds no text: check the layout {layout!r} and the files.")
    chosen = _choose(texts, split, test_fraction, check_count("seed", seed, low=0))
    found = np.empty(len(chosen), object)
    found[:] = [texts[i] for i in chosen]
    if names is None:
        return (found,)
    classes, labels = np.unique(np.array(names), return_inverse=True)
    return found, labels[chosen].astype("int32"), classes.astype(object)


def _choose(texts, split, test_fraction, seed):
    """Return the places of a split's texts: equal texts stay together, at least one is left."""
    different = sorted(set(texts))
    if len(different) < 2:
        raise CourseError("There is only one text, and a split needs two: add examples.")
    count = min(max(round(test_fraction * len(different)), 1), len(different) - 1)
    test = set(random.Random(f"text files {seed}").sample(different, count))
    return [i for i, text in enumerate(texts) if (text in test) == (split == "test")]


def _check_encoding(encoding):
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError):
        raise ValueError(
            "`encoding` must be one that Python knows, such as utf-8, utf-8-sig, utf-16, latin-1. "
            f"Received: {encoding!r}."
        ) from None
