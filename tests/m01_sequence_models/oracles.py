"""Module 1's formulas in float64 NumPy, one step and one pair at a time."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple_rnn(w, x):
    h, outputs = np.zeros((len(x), w["recurrent_kernel"].shape[0])), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
        outputs.append(h)
    return np.stack(outputs, axis=1)


def lstm(w, x):
    size = w["recurrent_kernel"].shape[0]
    h, c, outputs = np.zeros((len(x), size)), np.zeros((len(x), size)), []
    for t in range(x.shape[1]):
        gates = x[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
        i, f, g, o = (gates[:, n * size : (n + 1) * size] for n in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def gru(w, x):
    size = w["recurrent_kernel"].shape[0]
    z_, r_, g_ = (slice(n * size, (n + 1) * size) for n in range(3))
    h, outputs = np.zeros((len(x), size)), []
    for t in range(x.shape[1]):

        def affine(part, t=t, h=h):
            from_x = x[:, t] @ w["kernel"][:, part] + w["bias"][0, part]
            return from_x, h @ w["recurrent_kernel"][:, part] + w["bias"][1, part]

        z, r = sigmoid(sum(affine(z_))), sigmoid(sum(affine(r_)))
        from_x, from_h = affine(g_)
        h = z * h + (1 - z) * np.tanh(from_x + r * from_h)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def skip_gram(w, center, context):
    v, u = w["center_table"][center.astype(int)], w["context_table"][context.astype(int)]
    return np.einsum("bd,bcd->bc", v, u)


def glove(w, row, column):
    row, column = row.astype(int), column.astype(int)
    dots = np.einsum("bd,bd->b", w["row_table"][row], w["column_table"][column])
    return dots + w["row_bias"][row] + w["column_bias"][column]


def fnv1a(data):
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) % 2**32
    return value


def fasttext_vector(w, words, i, num_buckets, lengths):
    marked, rows = f"<{words[i]}>", [w["word_table"][i]]
    for start in range(len(marked)):
        for n in lengths:
            if start + n <= len(marked):
                bucket = fnv1a(marked[start : start + n].encode("utf-8")) % num_buckets
                rows.append(w["ngram_table"][bucket])
    return np.mean(rows, axis=0)


def fasttext(w, center, context, words, num_buckets, lengths):
    every = [fasttext_vector(w, words, i, num_buckets, lengths) for i in range(len(words))]
    v, u = np.array(every)[center.astype(int)], w["context_table"][context.astype(int)]
    return np.einsum("bd,bcd->bc", v, u)


def bag_of_words(w, token_ids):
    counts = np.zeros((len(token_ids), len(w["kernel"])))
    for row, ids in zip(counts, token_ids.astype(int), strict=True):
        for i in ids[ids != 0]:
            row[i] += 1
    return counts @ w["kernel"] + w["bias"]
