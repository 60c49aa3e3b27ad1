"""Measure the memory of dense and of blockwise attention, forward, against the length.

    python -m tests.benchmarks.online_softmax

Each measurement has a process of its own: it runs the attention once at length 64, so that
libraries are loaded, then once at the length, and takes by how much the process's peak resident
memory grew (`ru_maxrss`, mebibytes), queries, keys, values and output included. Nothing is
compiled: the operations run one by one. Batch 1, 8 heads of size 64, float32, blocks of 128 keys.
Beside it stands what the formula of the largest buffers says: the scores and the weights, N·T·S
numbers each, or a block of each, N·T·C. The last line is JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HEADS, HEAD_DIM, BLOCK = 8, 64, 128
LENGTHS = (512, 1024, 2048, 4096)
KINDS = ("dense", "blockwise")


def peak():
    """Return the process's peak resident memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind, length):
    """Return the growth of the peak in MiB, the seconds, and a checksum of the output."""
    import numpy as np
    from keras import ops

    from course.m02_transformer import scaled_dot_product_attention
    from course.m03_attention import online_softmax_attention

    def run(length):
        rng = np.random.default_rng(0)
        shape = (1, HEADS, length, HEAD_DIM)
        inputs = [ops.convert_to_tensor(rng.normal(size=shape).astype("float32")) for _ in "qkv"]
        if kind == "dense":
            return ops.convert_to_numpy(scaled_dot_product_attention(*inputs)[0])
        return ops.convert_to_numpy(online_softmax_attention(*inputs, block_size=BLOCK))

    run(64)
    before, start = peak(), time.perf_counter()
    output = run(length)
    seconds = time.perf_counter() - start
    return {"mib": peak() - before, "seconds": seconds, "check": float(np.abs(output).sum())}


def in_a_process(kind, length):
    """Measure in a new process."""
    command = [sys.executable, "-m", "tests.benchmarks.online_softmax", kind, str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measure every length, both ways, and print one line of JSON last."""
    result = {"lengths": list(LENGTHS), "heads": HEADS, "head_dim": HEAD_DIM, "block": BLOCK}
    result |= {kind: {"mib": [], "buffers_mib": [], "seconds": []} for kind in KINDS}
    for length in LENGTHS:
        rows = {kind: in_a_process(kind, length) for kind in KINDS}
        checks = [row["check"] for row in rows.values()]
        assert abs(checks[0] - checks[1]) < 1e-4 * checks[0], checks
        for kind, row in rows.items():
            columns = length if kind == "dense" else BLOCK
            buffers = 2 * 4 * HEADS * length * columns / 2**20
            print(f"length {length}, {kind}: {row['mib']:.0f} MiB, {row['seconds']:.2f} s")
            result[kind]["mib"].append(round(row["mib"], 1))
            result[kind]["buffers_mib"].append(round(buffers, 1))
            result[kind]["seconds"].append(round(row["seconds"], 2))
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
