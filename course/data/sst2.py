"""SST-2: sentences of film reviews, negative or positive (Socher et al., EMNLP 2013).

Whole sentences of the Stanford Sentiment Treebank, lower case, tokens between spaces: 6,920 to
train on, 872 for validation, 1,821 to test. Not the GLUE set, which adds phrases and hides the
test's labels. Two sentences of the test also occur in training. The licence is unknown, so the
course downloads the files and does not ship them; see `course.data.download`.

Labels: 0 negative, 1 positive.
"""

import numpy as np

from course.data.arguments import check_count
from course.data.download import Source, fetch
from course.errors import CourseError

CLASSES = ("negative", "positive")
SPLITS = ("train", "validation", "test")
URL = (
    "https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/"
    "457ffd83de90a9d6d472d8ffc31bbffe40a8b236/data/SST2/"
)
SHA256 = {
    "train": "ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920",
    "validation": "eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359",
    "test": "831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7",
}


def load(split, num_examples=None):
    """Return texts and labels.

    Args:
        split: str. `"train"`, `"validation"` or `"test"`.
        num_examples: int. N, the first ones; all by default.

    Returns:
        `texts`, an array of N str, and `labels`, int32 `(N,)`, places in `CLASSES`.

    Raises:
        ValueError: if `num_examples` is out of its limits.
        CourseError: if the file cannot be fetched.
    """
    if num_examples is not None:
        check_count("num_examples", num_examples)
    file = {"validation": "dev.tsv"}.get(split, f"{split}.tsv")
    data = fetch(Source("sst2", file, URL + file, SHA256[split]))
    rows = [line.rpartition("\t") for line in data.decode("utf-8").splitlines()][:num_examples]
    if not all(label in ("0", "1") for _, _, label in rows):
        raise CourseError(f"{file} of SST-2 is not a table of sentences and labels 0 or 1.")
    texts = np.empty(len(rows), object)
    texts[:] = [text for text, _, _ in rows]
    return texts, np.array([int(label) for _, _, label in rows], "int32")
