"""Data for the labs: `load(name, split)`.

Sets made from their definition or written for the course need no network: the English
corpus, string reversal, dates, sentiment, associative recall. `text_files` reads files of
your own. `sst2` and `ag_news` are real sets, fetched once; see `course.data.download`.
"""

import importlib

SETS = {
    name: f"course.data.{module}"
    for name, module in {
        "ag_news": "ag_news",
        "analogies": "english_corpus.analogies",
        "associative_recall": "associative_recall",
        "dates": "dates",
        "english_corpus": "english_corpus",
        "sentiment": "sentiment",
        "similarity": "english_corpus.similarity",
        "sst2": "sst2",
        "string_reversal": "string_reversal",
        "text_files": "text_files",
    }.items()
}
SPLITS = ("train", "test")  # a set with others has a `SPLITS` of its own


def load(name, split="train", **options):
    """Return a split of a data set as NumPy arrays.

    | name | returns | options and their defaults |
    |---|---|---|
    | `ag_news` | texts, labels | `num_examples=None` |
    | `analogies` | questions `(N, 4)`, relations; only `"test"` | `relations=None` |
    | `associative_recall` | inputs, targets | `num_examples`, `num_pairs=4`, `length=32`, … |
    | `dates` | sources, targets | `num_examples`, `formats=None`, `seed=0` |
    | `english_corpus` | passages, topics | `size=2_000_000`, `seed=0`, `prose=True` |
    | `sentiment` | texts, labels | `num_examples`, `seed=0` |
    | `similarity` | pairs `(N, 2)`, scores; only `"test"` | `num_pairs=320`, `seed=0` |
    | `sst2` | texts, labels; also `"validation"` | `num_examples=None` |
    | `string_reversal` | sources, targets | `num_examples`, `buckets`, `seed=0` |
    | `text_files` | texts, labels, classes; or texts | `path`, `layout`, `encoding`, … |

    Text comes as arrays of `str` objects, symbols as int32 ids, labels as int32. Each set's
    module, named in `SETS`, says more.

    Args:
        name: str. One of `SETS`.
        split: str. `"train"` or `"test"`: other examples, drawn the same way.
        **options: what the set can be asked for, such as `num_examples`.

    Returns:
        A tuple of arrays, inputs first.

    Raises:
        ValueError: if there is no such set, split or option.
        CourseError: if files cannot be read or fetched.
    """
    if name not in SETS:
        raise ValueError(f"`name` must be one of: {', '.join(sorted(SETS))}. Received: {name!r}.")
    module = importlib.import_module(SETS[name])
    splits = getattr(module, "SPLITS", SPLITS)
    if split not in splits:
        raise ValueError(f"`split` must be one of: {', '.join(splits)}. Received: {split!r}.")
    _check_options(name, module.load, options)
    return module.load(split, **options)


def _check_options(name, function, options):
    """Name an option that the set does not have, and those it has."""
    code = function.__code__
    allowed = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    for option in options:
        if option not in allowed:
            raise ValueError(
                f"Options of {name!r} must be among: {', '.join(allowed) or 'none'}. "
                f"Received: {option!r}."
            )
