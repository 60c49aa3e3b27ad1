"""What benchmarks of labs share: the lab's own names, and results over several seeds."""

import collections
import json

import numpy as np

from autograder.build.source import read
from autograder.exercise import load_labs
from autograder.prove_task import reference_names, source

SEEDS = range(5)


def names_of(slug, lab):
    """Return the names that a lab's setup, code and solution cells define."""
    return reference_names(read(source(slug, lab), load_labs(slug)[0]))


def report(results, seeds=None):
    """Run seeds, print a line per result, and the summary as one line of JSON last.

    Args:
        results: callable from a seed to pairs of a name and a list of numbers.
        seeds: list of int; five by default.
    """
    found = collections.defaultdict(list)
    for seed in seeds or SEEDS:
        for name, values in results(seed):
            values = [round(float(value), 4) for value in values]
            print(f"seed {seed}, {name}: {values}", flush=True)
            found[name].append(values)
    print(json.dumps({name: summary(rows) for name, rows in found.items()}))


def summary(rows):
    """Return mean, standard deviation, lowest and highest of each column of (seeds, columns)."""
    rows = np.asarray(rows, "float64")
    spread = rows.std(0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1])
    kinds = {"mean": rows.mean(0), "sd": spread, "lowest": rows.min(0), "highest": rows.max(0)}
    return {name: [round(float(x), 4) for x in values] for name, values in kinds.items()}
