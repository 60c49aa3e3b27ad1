"""Data for the labs: `load(name, split)`.

Every set named here is made from its definition, so it needs no network.
"""

import importlib

SETS = {"associative_recall": "course.data.associative_recall"}
SPLITS = ("train", "test")


def load(name, split="train", **options):
    """Return a split of a data set as NumPy arrays.

    Args:
        name: str. One of `SETS`.
        split: str. `"train"` or `"test"`: other examples, drawn the same way.
        **options: what the set can be asked for, such as `num_examples`.

    Returns:
        A tuple of arrays, inputs first.

    Raises:
        ValueError: if there is no such set or split.
    """
    if name not in SETS:
        raise ValueError(f"`name` must be one of: {', '.join(sorted(SETS))}. Received: {name!r}.")
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of: {', '.join(SPLITS)}. Received: {split!r}.")
    return importlib.import_module(SETS[name]).load(split, **options)
