"""AG News: news by topic (Zhang et al., 2015, https://arxiv.org/abs/1509.01626).

A text is a title and a description. The test is the official one, 7,600 texts; training has
5,000 of the official 120,000, a sample; 2 of them, once cleaned, also occur in the test. For
research and other non-commercial use, so the course downloads the files and does not ship
them; see `course.data.download`.

Labels: 0 World, 1 Sports, 2 Business, 3 Sci/Tech.
"""

import csv
import html
import io
import re

import numpy as np

from course.data.arguments import check_count
from course.data.download import Source, fetch

CLASSES = ("World", "Sports", "Business", "Sci/Tech")
SOURCES = {
    "train": Source(
        "ag_news",
        "subset_train_5000.csv",
        "https://raw.githubusercontent.com/lst11111/bert-text-classification/"
        "d52bf84e15f59794226916f08e74702b3f70389c/data/ag_news/train.csv",
        "23ff4a798bef4c6f1bab4018f491757b87e124901515e4e208461e022a163401",
    ),
    "test": Source(
        "ag_news",
        "test.csv",
        "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/"
        "555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/test.csv",
        "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699",
    ),
}
NUMBERED = re.compile(r" ?(#\d+;)")
NAMED = re.compile(r"(?: |&)?\b((?:quot|amp|lt|gt|nbsp);)")
TAG = re.compile(r"</?[A-Za-z]+(?: [^<>]*)?/?>")


def load(split, num_examples=None):
    """Return texts and labels.

    Args:
        split: str. `"train"` or `"test"`.
        num_examples: int. N, the first ones; all by default.

    Returns:
        `texts`, an array of N str, and `labels`, int32 `(N,)`, places in `CLASSES`.

    Raises:
        ValueError: if `num_examples` is out of its limits.
        CourseError: if the file cannot be fetched.
    """
    if num_examples is not None:
        check_count("num_examples", num_examples)
    content = fetch(SOURCES[split]).decode("utf-8")
    rows = list(csv.reader(io.StringIO(content, newline="")))[:num_examples]
    if split == "test":  # class from 1, title, description
        pairs = [(f"{title} {text}", int(label) - 1) for label, title, text in rows]
    else:
        pairs = [(text, int(label)) for text, label in rows]
    texts = np.empty(len(pairs), object)
    texts[:] = [clean(text) for text, _ in pairs]
    return texts, np.array([label for _, label in pairs], "int32")


def clean(text):
    """Return a text without line breaks and HTML tags, and with its marks as characters.

    The files write a line break as a backslash, and "it's" as "it #39;s".
    """
    text = NAMED.sub(r"&\1", NUMBERED.sub(r"&\1", text.replace("\\", " ")))
    text = TAG.sub(" ", html.unescape(html.unescape(text)))
    return " ".join(text.split())
