"""Measure what lab 6 of module 2 states: accuracy over seeds, and step time against length.

    python -m tests.benchmarks.associative_recall [PART ...]

The parts are recall, rates, long, parity, look_ups and time; run `time` with nothing else running.
It trains the models of the lab's own source with the lab's own `train`, prints a line per run,
and one line of JSON last: mean and standard deviation of each row. All parts together take about
25 minutes on two cores.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from autograder.build.source import read
from autograder.exercise import load_module
from autograder.prove_task import SOLUTIONS, reference_names

SLUG, LAB = "m02_transformer", "lab6_what_attention_buys"
lab = reference_names(read(Path(SOLUTIONS, SLUG, f"{LAB}.py"), load_module(SLUG)))
BUDGET = 50_176  # weights of the attention model


def lstm(num_layers):
    """Build an LSTM model of the budget."""
    units, _ = lab["lstm_units_for_budget"](BUDGET, lab["V"], lab["D"], num_layers)
    return lab["lstm_model"](units, num_layers)


MODELS = {
    "two attention layers": lambda: lab["attention_model"](),
    "one attention layer": lambda: lab["attention_model"](num_layers=1, hidden_dim=84),
    "one LSTM layer": lambda: lstm(1),
    "two LSTM layers": lambda: lstm(2),
}
# Part: (task, model, learning rate, epochs, seeds).
ROWS = {
    "recall": [
        ("associative_recall", "two attention layers", 0.002, 8, 5),
        ("associative_recall", "one attention layer", 0.002, 8, 5),
        ("associative_recall", "one LSTM layer", 0.005, 8, 5),
        ("associative_recall", "two LSTM layers", 0.005, 8, 5),
    ],
    "rates": [
        ("associative_recall", "one LSTM layer", 0.002, 8, 3),
        ("associative_recall", "one LSTM layer", 0.01, 8, 3),
        ("associative_recall", "two LSTM layers", 0.002, 8, 3),
        ("associative_recall", "two LSTM layers", 0.01, 8, 3),
    ],
    "long": [
        ("associative_recall", "one LSTM layer", 0.005, 40, 3),
        ("associative_recall", "two LSTM layers", 0.005, 40, 3),
    ],
    "parity": [
        ("running_parity", "two attention layers", 0.002, 8, 5),
        ("running_parity", "two attention layers", 0.005, 8, 5),
        ("running_parity", "one LSTM layer", 0.005, 8, 5),
    ],
}


def run_row(task, name, learning_rate, epochs, seeds):
    """Train one model from several seeds; return the row of the table."""
    final, seconds = [], []
    for seed in range(seeds):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model, start = MODELS[name](), time.perf_counter()
        curve = lab["train"](model, learning_rate, seed, epochs, draw=lab[task])
        final.append(curve[-1])
        seconds.append(time.perf_counter() - start)
        shown = " ".join(f"{value:.3f}" for value in curve)
        print(f"{task}, {name}, rate {learning_rate}, seed {seed}: {shown}", flush=True)
    return {
        "task": task,
        "model": name,
        "weights": model.count_params(),
        "learning_rate": learning_rate,
        "epochs": epochs,
        "seeds": seeds,
        "mean": round(float(np.mean(final)), 4),
        "sd": round(float(np.std(final, ddof=1)), 4),
        "lowest": round(min(final), 4),
        "highest": round(max(final), 4),
        "seconds": round(float(np.median(seconds)), 1),
    }


def look_ups(seeds=5):
    """Return, for each seed, how often the attention layers look where they should.

    Layer 1: from a value to its own key. Layer 2: from a question to the right value.
    """
    found = {"value_to_key": [], "question_to_value": []}
    for seed in range(seeds):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = lab["attention_model"]()
        lab["train"](model, 0.002, seed)
        inputs, targets = lab["associative_recall"](99, 500)
        first, second = lab["attention_maps"](model, inputs)
        at_values = np.arange(1, 2 * lab["K"], 2)
        to_key = first[:, at_values].argmax(-1) == at_values - 1
        rows, places = np.nonzero(targets)
        to_value = inputs[rows, second[rows, places].argmax(-1)] == targets[rows, places]
        found["value_to_key"].append(round(float(to_key.mean()), 4))
        found["question_to_value"].append(round(float(to_value.mean()), 4))
        print(f"seed {seed}: {to_key.mean():.4f} {to_value.mean():.4f}", flush=True)
    return found


def step_times(lengths=(16, 32, 64, 128, 256, 512, 1024, 2048), rounds=3):
    """Return milliseconds of a training step of 2,048 ids, for each length.

    The models take turns; of the rounds' medians the lowest counts, so that a passing load on
    the machine falls on both or on none.
    """
    units, _ = lab["lstm_units_for_budget"](BUDGET, lab["V"], lab["D"])
    row = {"lengths": list(lengths), "attention": [], "LSTM": []}
    for length in lengths:
        models = {
            "attention": lab["attention_model"](length=length),
            "LSTM": lab["lstm_model"](units, length=length),
        }
        medians = {name: [] for name in models}
        for _ in range(rounds):
            for name, model in models.items():
                readings = lab["clock_steps"](model, length)
                medians[name].append(lab["median_step_time"](readings, lab["WARMUP"]))
        for name, seconds in medians.items():
            row[name].append(round(1000 * min(seconds), 1))
        print(f"length {length}: {medians}", flush=True)
    return row


def main(parts):
    """Run the parts and print the results as JSON."""
    result = {"rows": []}
    for part in parts or [*ROWS, "look_ups", "time"]:
        if part == "time":
            result["step_time"] = step_times()
        elif part == "look_ups":
            result["look_ups"] = look_ups()
        else:
            result["rows"] += [run_row(*row) for row in ROWS[part]]
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
