# ---
# title: Word vectors
# build: "the losses of skip-gram and GloVe, the hashed n-grams of FastText, nearest neighbours and analogies; with them you measure what vectors trained on 2 MB of text know, and what plain counts know already"
# minutes: 60
# memory: 1.5 GB
# data: the course's English corpus, 2 MB, embedded
# seconds: 40
# ---

# %% [markdown]
# ## What you do and why
#
# To a program, "violin" and "cello" are two ids, no more alike than "violin" and "spoon". Yet text
# shows that they are alike: the same words stand around them. Word vectors turn that into numbers.
# Each word gets a vector, and words that occur in like company get vectors that point the same way.
#
# You write the two classical losses that make such vectors (skip-gram with negative sampling and
# GloVe), the trick by which FastText makes a vector for a word it never saw, and the two questions
# by which vectors are judged: which words are near, and which word completes an analogy. Then you
# train vectors and compare them with a rival that needs no training: a table of counts.
#
# The text is the course's English corpus. A grammar wrote most of it, so the truth is known: 25
# categories (countries, animals, tools) and 9 relations (country to capital, animal to young) were
# planted in it.
#
# Letters in this lab: `B` pairs in a batch, `K` negative words of a pair, `V` vocabulary size, `D`
# size of a vector, `Q` words or questions asked, `k` answers to each. You may use NumPy,
# `keras.ops` or TensorFlow. The course's own version of what an exercise asks for is blocked in it, and
# so is what it is made of or what uses it: `glove_weight` in exercise 2, `character_ngrams` and
# `FastText` in exercise 3, all functions of `course.m01_sequence_models.vector_similarity` in
# exercises 4 and 5.

# %% setup
from autograder import check, lend
import keras
from keras import ops
import matplotlib.pyplot as plt
import numpy as np

from course import plot
from course.data import english_corpus
from course.data.english_corpus import analogies
from course.m01_sequence_models import (
    FastText,
    SkipGram,
    Vocabulary,
    cooccurrences,
    fit_skip_gram,
    fnv1a,
    skip_gram_examples,
    skip_gram_pairs,
    subsample,
)

# %% [markdown]
# ## The corpus, and pairs of words
#
# A vocabulary gives every word an id, the most frequent ones first. Id 0 stands between texts, id 1
# for words that occur fewer than five times. Skip-gram sees the corpus as pairs: each word, the
# *centre*, with each word near it, its *contexts*. `window` says how far near is. No pair reaches
# from one text into the next.

# %% demo
texts, _ = english_corpus.load("train", size=2_000_000)
vocabulary = Vocabulary.from_texts(texts, min_count=5)
tokens = vocabulary.encode_corpus(texts)
V = len(vocabulary)
print(f"{len(texts):,} texts, {np.sum(tokens > 0):,} words and marks, V = {V:,}")
for text in texts[:4]:
    print(" ", text)

sentence = vocabulary.encode("the violinist tuned her violin")
print("\npairs with window 2:")
for center, context in zip(*skip_gram_pairs(sentence, 2), strict=True):
    print(f"  {vocabulary.tokens[center]} → {vocabulary.tokens[context]}")

# %% [markdown]
# ## 1. Skip-gram with negative sampling
#
# Every word has two vectors: one as a centre, one as a context. The score of a pair is their dot
# product. Training should make the scores of pairs that occur high. That alone would be easy: all
# vectors alike and long. So each pair comes with K *negative words*, drawn at random from the whole
# vocabulary, whose scores should be low (Mikolov et al., 2013,
# [arXiv:1310.4546](https://arxiv.org/abs/1310.4546)). With the sigmoid
# $\sigma(x) = 1 / (1 + e^{-x})$, a pair with the score $s$ and negative words with the scores
# $s_1 \dots s_K$ costs
#
# $$-\log \sigma(s) - \sum_{k=1}^{K} \log \sigma(-s_k)$$
#
# Write `skip_gram_loss(positive, negative)`: the mean cost of the pairs of a batch.
#
# - `positive` is `(B,)`, the scores of the pairs. `negative` is `(B, K)`, the scores of each pair's
#   own negative words.
# - Sum over the K negative words, then average over the B pairs. The result is one number.
# - `log` is the natural logarithm.
# - It stays exact for scores up to 2,000 in size: a pair with the score -800 costs 800 for it.
#   In float32, σ(-800) is 0, and its logarithm minus infinity; see `ops.log_sigmoid`.
#
# Example with B = 2, K = 2: `positive = [2, 0]`, `negative = [[-1, 0], [1, -3]]`. The first pair
# costs $0.127 + 0.313 + 0.693 = 1.133$, the second $0.693 + 1.313 + 0.049 = 2.055$. The loss is
# their mean, 1.594.


# %% exercise="skip_gram_loss" difficulty=2 minutes=10
def skip_gram_loss(positive, negative):
    """Return the mean loss of pairs, each with its own negative words.

    Args:
        positive: float tensor `(B,)`. Scores of words that stand together.
        negative: float tensor `(B, K)`. Scores with words drawn at random.

    Returns:
        Float scalar.
    """
    ### BEGIN SOLUTION
    apart = ops.sum(ops.log_sigmoid(-negative), axis=-1)  # (B,)
    return -ops.mean(ops.log_sigmoid(positive) + apart)
    ### END SOLUTION


# %% check="skip_gram_loss" points=5
check("m01_sequence_models.skip_gram_loss")

# %% [markdown]
# ## 2. GloVe
#
# Skip-gram walks through the text pair by pair. GloVe (Pennington, Socher and Manning, 2014,
# [doi:10.3115/v1/D14-1162](https://doi.org/10.3115/v1/D14-1162)) counts first: $X_{ij}$ says how
# often word j stands near word i in the whole corpus, a neighbour at distance d counting 1/d. Then
# the score of each pair should equal $\log X_{ij}$. Pairs that never occur are left out.
#
# Not all counts deserve the same trust: one meeting may be chance, and "the" meets everybody. So
# the squared error of a pair has a weight, which grows with the count and stops at 1:
#
# $$\text{loss} = \sum f(X) \, (s - \log X)^2, \qquad
# f(X) = \min\left(1, (X / x_\text{max})^\alpha\right)$$
#
# Write `glove_loss(scores, counts, x_max=100.0, alpha=0.75)`.
#
# - `scores` and `counts` are `(B,)`. All counts are above 0, some below 1.
# - Sum over the pairs; no mean. The result is one number.
# - `log` is the natural logarithm. The weight is capped, the count inside the logarithm is not.
# - The defaults are the paper's settings.
#
# Example with `x_max = 16` and `alpha = 0.5`: `scores = [1, 3, 2]`, `counts = [1, 4, 64]`. The
# weights are $\sqrt{1/16} = 0.25$, $\sqrt{4/16} = 0.5$ and 1. The errors are $1 - 0 = 1$,
# $3 - 1.386 = 1.614$ and $2 - 4.159 = -2.159$. The loss is
# $0.25 \cdot 1 + 0.5 \cdot 2.604 + 1 \cdot 4.661 = 6.213$.


# %% exercise="glove_loss" difficulty=2 minutes=10
def glove_loss(scores, counts, x_max=100.0, alpha=0.75):
    """Return the weighted squared error of the scores, summed over pairs.

    Args:
        scores: float tensor `(B,)`.
        counts: float tensor `(B,)`, each above 0.
        x_max: float. Counts from here on weigh 1.
        alpha: float. Power of the weight.

    Returns:
        Float scalar.
    """
    ### BEGIN SOLUTION
    weight = ops.minimum(1.0, (counts / x_max) ** alpha)
    return ops.sum(weight * ops.square(scores - ops.log(counts)))
    ### END SOLUTION


# %% check="glove_loss" points=4
check("m01_sequence_models.glove_loss")

# %% [markdown]
# A score that is wrong by exactly 1 costs $f(X)$. So your loss draws the weight.

# %% demo
*_, counts = cooccurrences(tokens, window=5)
x = np.geomspace(0.2, 1000, 60).astype("float32")
with plot.style():
    figure, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for x_max in (10.0, 100.0):
        weight = [
            float(glove_loss(np.log(x[i : i + 1]) + 1, x[i : i + 1], x_max)) for i in range(60)
        ]
        axis.plot(x, weight, markevery=10, label=f"weight, x_max = {x_max:.0f}")
    below = np.searchsorted(np.sort(counts), x) / len(counts)
    axis.plot(
        x, below, color="black", linestyle=":", marker="", label="share of pairs with a lower count"
    )
    axis.set(xscale="log", xlabel="count X", ylabel="weight, share", ylim=(0, 1.05))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    plt.show()
for limit in (1, 10, 100):
    print(f"{np.mean(counts < limit):6.1%} of {len(counts):,} pairs have a count below {limit}")

# %% [markdown]
# **What you see.** The dotted line shows what a corpus is made of: rare meetings. 56 % of all pairs
# have a count below 1 (they met a few times at most, never side by side), 93 % one below 10. The
# paper's $x_\text{max} = 100$ was set for billions of words: here 0.7 % of the pairs would weigh 1.
# With 10 it is 7 %, and that is what the course's `fit_glove` takes.

# %% [markdown]
# ## 3. Character n-grams
#
# A word that is not in the vocabulary has no vector. FastText (Bojanowski et al., 2017,
# [arXiv:1607.04606](https://arxiv.org/abs/1607.04606)) gives vectors to parts of words: to all
# pieces of n characters, the *n-grams*. Here the vector of a word is the mean over its n-grams, and
# its own where it has one (the paper takes the sum; the direction is the same). Marks show where a word begins and ends, so that "her" inside "where" is
# not the word "<her>".
#
# There are too many n-grams for a table of all. A *hash* puts each into one of a fixed number of
# buckets, and n-grams in the same bucket share a vector. FastText takes the hash FNV-1a. It starts
# with the number 2,166,136,261. For each byte of the text it takes the bitwise exclusive or (`^`)
# with the byte, multiplies by 16,777,619, and keeps the remainder modulo $2^{32}$. For "a", whose
# byte is 97: 2,166,136,261 ^ 97 = 2,166,136,228; times 16,777,619 is 36,342,608,335,481,132; the
# remainder is 3,826,002,220. The function `fnv1a(data)`, imported above, does that for bytes:
# `fnv1a(b"a")` is 3826002220. You may use it.
#
# Write `ngram_buckets(word, num_buckets, min_length=3, max_length=6)`: the bucket of each n-gram.
#
# - Put `<` before the word and `>` behind it, once. The marks count as characters.
# - Take all n-grams of the marked word with n from `min_length` to `max_length`, both included.
#   The order: all of the shortest length from left to right, then the next length.
# - An n-gram that occurs twice is there twice. An n-gram cannot be longer than the marked word; a
#   word that is too short for all lengths has the empty list.
# - The bucket is the hash of the n-gram's UTF-8 bytes (`ngram.encode()`) modulo `num_buckets`.
# - Return a list (or an array) of integers.
#
# Example: the word is "hen", n runs from 3 to 4, and there are 10 buckets. The marked word is
# `<hen>`, its n-grams are `<he`, `hen`, `en>`, `<hen`, `hen>`. Their hashes are 1133188580,
# 146058504, 814619228, 3723683902 and 3932990466, so the buckets are `[0, 4, 8, 2, 6]`.


# %% exercise="ngram_buckets" difficulty=2 minutes=12
def ngram_buckets(word, num_buckets, min_length=3, max_length=6):
    """Return the bucket of each character n-gram of a word.

    Args:
        word: str.
        num_buckets: int. Different n-grams may share a bucket.
        min_length: int. Shortest n-gram, marks counted.
        max_length: int. Longest n-gram.

    Returns:
        List of int, each from 0 to `num_buckets` - 1.
    """
    ### BEGIN SOLUTION
    marked = f"<{word}>"
    return [
        fnv1a(marked[start : start + n].encode()) % num_buckets
        for n in range(min_length, max_length + 1)
        for start in range(len(marked) - n + 1)
    ]
    ### END SOLUTION


# %% check="ngram_buckets" points=5
check("m01_sequence_models.ngram_buckets")

# %% demo
hashes = np.unique(np.concatenate([ngram_buckets(word, 2**32) for word in vocabulary.tokens[2:]]))
print(f"{len(hashes):,} different n-grams in {V - 2:,} words")
for num_buckets in (2_000, 20_000, 200_000):
    buckets, members = np.unique(hashes % num_buckets, return_counts=True)
    shared = members[members > 1].sum() / len(hashes)
    print(f"{num_buckets:8,} buckets: {shared:6.1%} of the n-grams share theirs with another")

# %% [markdown]
# **What you see.** With 2,000 buckets every n-gram shares its vector with another one, with 20,000
# still 61 % do, with 200,000 it is 9 %. The paper takes 2 million buckets. Sharing is bearable since a
# word is the mean of many n-grams: two words whose n-grams all fall together are rare.

# %% [markdown]
# ## 4. Nearest neighbours
#
# How alike are two vectors? The usual measure is the cosine of the angle between them,
# $\cos(u, v) = u \cdot v / (|u| \, |v|)$. The length of a vector does not enter: it mostly tells how
# frequent a word is.
#
# Write `nearest_neighbors(vectors, ids, k=5, exclude=(0,))`. It returns two arrays of shape
# `(Q, k)`, in this order: the ids of the k most similar words, the most similar first, and their
# cosines.
#
# - `vectors` is `(V, D)`, row i the vector of word i. `ids` is `(Q,)`, the words asked for.
# - A word is not its own neighbour. Another word with exactly the same direction is.
# - `exclude` is a sequence of ids that are no answer to anything, such as 0, which is no word. It may
#   be empty.
# - A vector of zeros has the cosine 0 with every other; nothing becomes NaN.
# - The ids are integers. k is at most the number of words that may answer.
#
# Example: `vectors = [[0, 0], [3, 4], [6, 8], [4, -3], [4, 3]]`, `ids = [1]`, `k = 2`. The cosines of
# word 1 with the words 2, 3 and 4 are $(18 + 32) / (5 \cdot 10) = 1$, $(12 - 12) / 25 = 0$ and
# $(12 + 12) / 25 = 0.96$. The result is `[[2, 4]]` and `[[1.0, 0.96]]`.


# %% exercise="nearest_neighbors" difficulty=2 minutes=12
def nearest_neighbors(vectors, ids, k=5, exclude=(0,)):
    """Return the words whose vectors point most nearly where a word's does.

    Args:
        vectors: float array `(V, D)`.
        ids: int array `(Q,)`. The words asked for.
        k: int. Number of neighbours.
        exclude: sequence of ids that are no answer, besides the word itself.

    Returns:
        Ids, int `(Q, k)`, the nearest first, and their cosines, float `(Q, k)`.
    """
    ### BEGIN SOLUTION
    vectors, ids = np.asarray(vectors), np.asarray(ids)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = vectors / np.where(length == 0, 1, length)
    scores = unit[ids] @ unit.T  # (Q, V)
    scores[np.arange(len(ids)), ids] = -np.inf
    scores[:, list(exclude)] = -np.inf
    order = np.argsort(-scores, axis=1)[:, :k]  # (Q, k)
    return order, np.take_along_axis(scores, order, axis=1)
    ### END SOLUTION


# %% check="nearest_neighbors" points=4
check("m01_sequence_models.nearest_neighbors")

# %% [markdown]
# ## 5. Analogies
#
# France is to Paris as Japan is to what? If the step from a country to its capital is the same
# everywhere, then Paris - France + Japan lies near the answer. This rule (Mikolov et al.,
# 2013, [arXiv:1301.3781](https://arxiv.org/abs/1301.3781)) was later named 3CosAdd: "a is to b as c is to d" is
# answered by the word d with the largest $\cos(d, \; b - a + c)$, where all vectors have the length
# 1 before they are added.
#
# Write `analogy(vectors, a, b, c, k=1, exclude=(0,))`. It returns two arrays of shape `(Q, k)`, in
# this order: the ids of the k best answers, the best first, and their cosines.
#
# - `a`, `b` and `c` are `(Q,)`, the words of Q questions.
# - Scale all vectors to the length 1, then take $b - a + c$, then the cosine of each word with that
#   sum.
# - The three words of a question are no answer to it. They may answer another question.
# - `exclude` is as in exercise 4.
#
# Example: `vectors = [[0, 0], [1, 0], [0, 1], [3, 4], [0, 2], [-1, 1]]`, and the question is
# `a = [1]`, `b = [2]`, `c = [3]`. Scaled, c is $(0.6, 0.8)$, so $b - a + c = (-0.4, 1.8)$, whose
# length is 1.844. The words 4 and 5 have the cosines $1.8 / 1.844 = 0.976$ and
# $(0.4 + 1.8) / (1.414 \cdot 1.844) = 0.844$. The result is `[[4]]` and `[[0.976]]`. Word 2 would
# have 0.976 too, but it is in the question.


# %% exercise="analogy" difficulty=2 minutes=12
def analogy(vectors, a, b, c, k=1, exclude=(0,)):
    """Answer "a is to b as c is to what?" by 3CosAdd.

    Args:
        vectors: float array `(V, D)`.
        a: int array `(Q,)`.
        b: int array `(Q,)`.
        c: int array `(Q,)`.
        k: int. Number of answers.
        exclude: sequence of ids that are no answer, besides a, b and c.

    Returns:
        Ids, int `(Q, k)`, the best first, and their cosines, float `(Q, k)`.
    """
    ### BEGIN SOLUTION
    vectors, a, b, c = (np.asarray(x) for x in (vectors, a, b, c))
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit = vectors / np.where(length == 0, 1, length)
    target = unit[b] - unit[a] + unit[c]  # (Q, D)
    target = target / np.linalg.norm(target, axis=-1, keepdims=True)
    scores = target @ unit.T  # (Q, V)
    for own in (a, b, c):
        scores[np.arange(len(a)), own] = -np.inf
    scores[:, list(exclude)] = -np.inf
    order = np.argsort(-scores, axis=1)[:, :k]  # (Q, k)
    return order, np.take_along_axis(scores, order, axis=1)
    ### END SOLUTION


# %% check="analogy" points=4
check("m01_sequence_models.analogy")

# %% [markdown]
# ## 6. What counts know already
#
# Before anything is trained, a rival: take as the vector of a word its row in the table of counts
# $X$, one number for each word of the vocabulary. Three improvements cost a few lines:
#
# - the logarithm, $\log(1 + X)$, so that frequent words do not drown the rest;
# - *PPMI*, positive pointwise mutual information: $\max(0, \log \frac{p(i, j)}{p(i) \, q(j)})$, how
#   much more often two words meet than chance would have them meet, with $q(j)$ in proportion to
#   the count of j to the power 0.75 (Levy, Goldberg and Dagan, 2015,
#   [doi:10.1162/tacl_a_00134](https://doi.org/10.1162/tacl_a_00134));
# - a singular value decomposition (SVD), which squeezes each row of the PPMI table into 100 or 300
#   numbers, and loses as little of the table as can be.
#
# Two scores say what vectors know. *Category*: for each of the 522 words of the planted categories,
# is the nearest neighbour of the same category? *Analogies*: of the 2,876 questions over the nine
# relations, how many are answered right? A word that is too rare for the vocabulary counts as
# wrong.


# %%
def count_table(tokens, size, window=5):
    """Return how often words meet, near ones counting more: `(V, V)`."""
    rows, columns, counts = cooccurrences(tokens, window)
    table = np.zeros((size, size), "float32")
    table[rows, columns] = counts
    return table


def ppmi(table):
    """Return the positive pointwise mutual information of a table of counts."""
    words = table.sum(1, keepdims=True)
    contexts = table.sum(0) ** 0.75
    expected = words * contexts / contexts.sum()
    return np.log(np.maximum(table, 1e-9) / np.maximum(expected, 1e-9)).clip(0)


def squeeze(table, dim):
    """Return the directions of each row in the `dim` largest singular vectors: `(V, dim)`."""
    basis = np.random.default_rng(0).normal(size=(len(table), dim + 20)).astype("float32")
    for _ in range(4):  # each round turns the basis towards the largest ones
        basis, _ = np.linalg.qr(table @ (table.T @ basis))
    left, values, _ = np.linalg.svd(basis.T @ table, full_matrices=False)
    return (basis @ left)[:, :dim] * np.sqrt(values[:dim])


def what_is_known(vectors, vocabulary):
    """Return the share of neighbours of the right category, and of analogies answered right."""
    kind = english_corpus.category_of()
    ids = np.array([vocabulary.ids[word] for word in kind if word in vocabulary.ids])
    near = ops.convert_to_numpy(nearest_neighbors(vectors, ids, 1, exclude=(0, 1))[0])
    same = [
        kind.get(vocabulary.tokens[other]) == kind[vocabulary.tokens[word]]
        for word, other in zip(ids, near[:, 0], strict=True)
    ]
    questions, _ = analogies.load("test")
    asked = np.array([[vocabulary.ids.get(word, 0) for word in row] for row in questions])
    asked = asked[np.all(asked > 0, axis=1)]
    found = ops.convert_to_numpy(analogy(vectors, *asked[:, :3].T, exclude=(0, 1))[0])
    return sum(same) / len(kind), np.sum(found[:, 0] == asked[:, 3]) / len(questions)


# %% demo
table = count_table(tokens, V)
information = ppmi(table)
rivals = {
    "random": np.random.default_rng(0).normal(size=(V, 100)),
    "counts": table,
    "log(1 + counts)": np.log1p(table),
    "PPMI": information,
    "PPMI, SVD to 100": squeeze(information, 100),
    "PPMI, SVD to 300": squeeze(information, 300),
}
results = {name: (what_is_known(rows, vocabulary), rows.shape[1]) for name, rows in rivals.items()}


def show(results):
    """Print what each kind of vectors knows."""
    print(f"{'vectors':18}numbers a word   category   analogies")
    for name, ((category, solved), size) in results.items():
        print(f"{name:18}{size:14,}{category:11.3f}{solved:12.3f}")


show(results)

# %% [markdown]
# ## 7. Train skip-gram
#
# `fit_skip_gram` goes through the corpus three times. Each time it thins out very frequent words,
# draws a window of 1 to 5 for each centre and K = 5 negative words for each pair, and lowers the
# loss of exercise 1 with Adam. It takes 15 to 20 seconds. Your `skip_gram_loss` measures the
# result on text that was kept apart.

# %%
K = 5


def train_skip_gram(tokens, size, epochs=3, dim=100, seed=0):
    """Return a trained `SkipGram`."""
    keras.utils.set_random_seed(seed)
    layer = SkipGram(size, dim)
    fit_skip_gram(layer, tokens, window=5, num_negatives=K, epochs=epochs, seed=seed)
    return layer


# %% demo
model = train_skip_gram(tokens, V)
vectors = model.vectors

rng, seen = np.random.default_rng(0), np.bincount(tokens, minlength=V)
new_tokens = vocabulary.encode_corpus(english_corpus.load("test")[0])
new_tokens = subsample(new_tokens, seen, 1e-3, rng)
centers, contexts = skip_gram_examples(new_tokens, seen, 5, K, rng)
scores = model(centers, contexts)
after = float(skip_gram_loss(scores[:, 0], scores[:, 1:]))
before = float(skip_gram_loss(0 * scores[:, 0], 0 * scores[:, 1:]))
print(f"loss on {len(centers):,} new pairs: {before:.3f} before, {after:.3f} after\n")

results["skip-gram"] = what_is_known(vectors, vocabulary), vectors.shape[1]
show(results)

# %% demo
asked = "paris dog violin bread hammer mother yellow doctor".split()
near, cosines = nearest_neighbors(vectors, vocabulary.encode(asked), 4, exclude=(0, 1))
for word, row, values in zip(asked, np.array(near), np.array(cosines), strict=True):
    told = (f"{vocabulary.tokens[i]} {value:.2f}" for i, value in zip(row, values, strict=True))
    print(f"{word:8}{',  '.join(told)}")

# %% [markdown]
# **What you see.** At first all scores are 0 and a pair costs $6 \log 2 = 4.159$; after training, a
# pair of new text costs 1.8. With 100 numbers a word, skip-gram knows 94 % of the categories and 72 % of
# the analogies (means of 5 seeds; section 9 has all figures). That does not beat counting: the
# logarithms of plain counts know 98 % and 81 %, PPMI knows 94 % and 84 %, and nothing was trained for
# them. What training buys is size. Squeezed to 100 numbers by an SVD, PPMI keeps 95 % of the
# categories, but only a fifth of the analogies; it takes 300 numbers to come to 71 %.
#
# The neighbours of paris are capitals, those of violin instruments. Those of mother are no people:
# newborn, trotted, lambs, piglets. Within five words stands what a thing goes with, not only what
# is like it.

# %% [markdown]
# ### A picture of a relation
#
# The 100 numbers of each country and each capital, flattened to the two directions in which they
# differ most (principal components). A line joins each country with its capital.


# %%
def countries_and_capitals(vectors, vocabulary):
    """Return the vectors of 20 countries and their capitals at length 1: `(20, 2, D)`."""
    pairs = analogies.pairs("country-capital")
    points = vectors[[vocabulary.encode(list(pair)) for pair in pairs]]
    return points / np.linalg.norm(points, axis=-1, keepdims=True)


def agreement(steps):
    """Return the mean cosine of each step with the others."""
    unit = steps / np.linalg.norm(steps, axis=-1, keepdims=True)
    return ((unit @ unit.T).sum() - len(unit)) / (len(unit) * (len(unit) - 1))


def agreement_of_capitals(points):
    """Return how alike the steps to the own capitals are, and those to another's."""
    countries, capitals = points[:, 0], points[:, 1]
    return agreement(capitals - countries), agreement(np.roll(capitals, 1, axis=0) - countries)


# %% demo
points = countries_and_capitals(vectors, vocabulary)
every = points.reshape(-1, points.shape[-1])  # (40, D)
_, _, directions = np.linalg.svd(every - every.mean(0), full_matrices=False)
flat = (points - every.mean(0)) @ directions[:2].T  # (20, 2, 2)

with plot.style():
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    place = {"fontsize": 7, "textcoords": "offset points", "va": "center"}
    for pair, ends in zip(analogies.pairs("country-capital"), flat, strict=True):
        axis.plot(*ends.T, color="#999999", linewidth=1, marker="", zorder=0)
        left, right = (0, 1) if ends[0, 0] < ends[1, 0] else (1, 0)
        axis.annotate(pair[left], ends[left], xytext=(-5, 0), ha="right", **place)
        axis.annotate(pair[right], ends[right], xytext=(5, 0), ha="left", **place)
    axis.plot(*flat[:, 0].T, "o", label="countries")
    axis.plot(*flat[:, 1].T, "s", label="capitals")
    axis.set(xlabel="first component", ylabel="second component")
    axis.margins(x=0.1)
    figure.legend(loc="outside upper center", ncols=2)
    plt.show()

own, wrong = agreement_of_capitals(points)
print(f"mean cosine between two steps from a country to its own capital:   {own:.2f}")
print(f"mean cosine between two steps from a country to another's capital: {wrong:.2f}")

# %% [markdown]
# **What you see.** The first component tells countries from capitals, and every line runs from left to
# right: that is the step which 3CosAdd relies on. But look at the two numbers, which are taken from
# all 100 components. Steps to the own capital have a mean cosine of 0.782 ± 0.007 with each other,
# steps to a wrong capital still 0.589 ± 0.015 (5 seeds). So most of the step is the difference of two
# categories; only the rest knows which capital belongs to which country.

# %% [markdown]
# ## 8. Words that were never seen
#
# Now 54 plurals ("horses", "bakers") are struck out of the vocabulary: in training they are unknown
# words. FastText learns vectors for the n-grams of all other words, on half of the corpus. Then
# your `ngram_buckets` looks up the n-grams of a plural, and their mean is its vector. A rule that
# needs no vectors stands beside it: the word that shares the largest part of its n-grams.

# %%
BUCKETS = 20_000


def without_plurals(vocabulary):
    """Return the plurals of animals and professions, and the vocabulary without them."""
    listed = {word for words in english_corpus.categories().values() for word in words}
    plurals = [word for word in english_corpus.category_of() if word not in listed]
    kept = [word for word in vocabulary.tokens[2:] if word not in plurals]
    return plurals, Vocabulary(kept)


def train_fasttext(tokens, vocabulary, seed=0):
    """Return a trained `FastText`."""
    keras.utils.set_random_seed(seed)
    layer = FastText(vocabulary.tokens, 50, num_buckets=BUCKETS)
    fit_skip_gram(layer, tokens, epochs=2, batch_size=8192, learning_rate=0.05, seed=seed)
    return layer


def vectors_of_unseen(layer, words):
    """Return the mean vector of the n-grams of each word: `(words, D)`."""
    rows = ops.convert_to_numpy(layer.ngram_table.value)
    return np.stack([rows[np.array(ngram_buckets(word, BUCKETS))].mean(0) for word in words])


def neighbours_of_unseen(layer, words, k=5):
    """Return the ids of the k nearest known words to each unseen one."""
    known = layer.vectors
    every = np.concatenate([known, vectors_of_unseen(layer, words)])
    new = np.arange(len(known), len(every))
    return np.array(nearest_neighbors(every, new, k, exclude=(0, 1, *new.tolist()))[0])


def look_alikes(words, vocabulary, k=5):
    """Return the ids of the k words that share the largest part of their n-grams with each."""
    known = [set(ngram_buckets(word, 2**32)) for word in vocabulary.tokens]
    rows = []
    for word in words:
        own = set(ngram_buckets(word, 2**32))
        shared = [len(own & other) / len(own | other) for other in known]
        rows.append(np.argsort(-np.array(shared[2:]), kind="stable")[:k] + 2)
    return np.array(rows)


def right_category(words, near, vocabulary):
    """Return which of the neighbours are of the word's category: bool, as `near`."""
    kind = english_corpus.category_of()
    rows = zip(words, near, strict=True)
    return np.array([[kind.get(vocabulary.tokens[i]) == kind[w] for i in row] for w, row in rows])


# %% demo
plurals, fewer = without_plurals(vocabulary)
half = texts[: len(texts) // 2]
fasttext = train_fasttext(fewer.encode_corpus(half), fewer)
answers = {
    "FastText": neighbours_of_unseen(fasttext, plurals),
    "look-alikes": look_alikes(plurals, fewer),
}
for word in ("elephants", "frogs", "gardeners", "wolves", "dogs"):
    for name, near in answers.items():
        told = ", ".join(fewer.tokens[i] for i in near[plurals.index(word)][:4])
        print(f"{word:11}{name:13}{told}")
print(f"\n{len(plurals)} unseen plurals      first   five nearest of the right category")
for name, near in answers.items():
    right = right_category(plurals, near, fewer)
    print(f"{name:24}{right[:, 0].mean():6.2f}{right.mean():13.2f}")

# %% [markdown]
# **What you see.** For 0.726 ± 0.015 of the unseen plurals, FastText's nearest known word is of the
# right category (5 seeds). The rule that looks at letters alone does better, 0.944: it mostly finds the
# singular. But beyond that it knows nothing. Of its five nearest words, 0.219 are of the right
# category, of FastText's 0.505 ± 0.042. Its n-grams have learned what stands around them: elephants
# are near monkey, gardeners near soldier and sailor. Where letters mislead, they mislead FastText too:
# dogs lie near logs.

# %% [markdown]
# ## 9. How much text does it take?
#
# The same on 0.3, 1 and 2 MB of text, mean ± standard deviation over 5 seeds, each with a corpus of
# its own. Skip-gram reads 6 MB each time: 20, 6 and 3 passes. GloVe makes 10 passes over its pairs
# (`fit_glove`, window 10). Both run with the course's default settings; better ones may exist. V is the
# size of the vocabulary: 1,771 ± 8, 2,120 ± 3 and 2,132 words.
#
# Share of the 522 words whose nearest neighbour is of their category:
#
# | vectors | numbers a word | 0.3 MB | 1 MB | 2 MB |
# |---|---:|---:|---:|---:|
# | random | 100 | 0.008 ± 0.005 | 0.011 ± 0.006 | 0.011 ± 0.007 |
# | counts | V | 0.571 ± 0.014 | 0.939 ± 0.007 | 0.966 ± 0.004 |
# | log(1 + counts) | V | 0.654 ± 0.010 | 0.958 ± 0.005 | 0.982 ± 0.006 |
# | PPMI | V | 0.631 ± 0.010 | 0.906 ± 0.004 | 0.939 ± 0.007 |
# | PPMI, SVD to 100 | 100 | 0.613 ± 0.016 | 0.932 ± 0.009 | 0.954 ± 0.003 |
# | PPMI, SVD to 300 | 300 | 0.622 ± 0.018 | 0.915 ± 0.010 | 0.957 ± 0.009 |
# | skip-gram | 100 | 0.325 ± 0.018 | 0.872 ± 0.012 | 0.945 ± 0.013 |
# | GloVe | 100 | 0.248 ± 0.015 | 0.751 ± 0.023 | 0.874 ± 0.010 |
#
# Share of the 2,876 analogies answered right:
#
# | vectors | numbers a word | 0.3 MB | 1 MB | 2 MB |
# |---|---:|---:|---:|---:|
# | random | 100 | 0.001 ± 0.000 | 0.000 ± 0.000 | 0.001 ± 0.000 |
# | counts | V | 0.137 ± 0.013 | 0.322 ± 0.022 | 0.452 ± 0.012 |
# | log(1 + counts) | V | 0.179 ± 0.021 | 0.557 ± 0.019 | 0.807 ± 0.016 |
# | PPMI | V | 0.177 ± 0.015 | 0.710 ± 0.017 | 0.840 ± 0.004 |
# | PPMI, SVD to 100 | 100 | 0.151 ± 0.016 | 0.247 ± 0.007 | 0.215 ± 0.009 |
# | PPMI, SVD to 300 | 300 | 0.133 ± 0.012 | 0.629 ± 0.011 | 0.713 ± 0.009 |
# | skip-gram | 100 | 0.102 ± 0.010 | 0.556 ± 0.020 | 0.724 ± 0.010 |
# | GloVe | 100 | 0.030 ± 0.005 | 0.175 ± 0.017 | 0.346 ± 0.012 |
#
# On 0.3 MB, 106 ± 5 of the 522 words are too rare for the vocabulary, so no row can pass 0.81. There
# counts find the category of twice as many words as skip-gram. With more text the trained vectors
# come closer; but in 5 of 5 seeds and at each size, log(1 + counts) stays ahead of them in categories
# and PPMI in analogies. In a clone of the course, `python -m tests.benchmarks.word_vectors` repeats it.
#
# ### What this does not show
#
# - *That you can count your way through all of language.* The table has $V^2$ numbers: 4.5 million
#   here, 160 billion for 400,000 words. With 100 numbers a word, 400,000 words take 40 million.
# - *That ordinary text teaches as much.* A grammar put the words of a category into the same
#   sentences, on purpose. Natural text of 2 MB holds fewer meetings of the words that matter.
# - *That near words mean the same.* They stand in like company: yellow is near white. And a word has
#   one vector, whichever of its senses was meant.

# %% [markdown]
# ## Real text (optional)
#
# The same on 5,000 news items of AG News, about 1 MB. The course does not ship them. Set `FULL` to
# True; if the file is not there and cannot be fetched, one sentence says so. No categories were
# planted in it, so you judge the neighbours yourself.

# %% demo
FULL = False
if FULL:
    from course.data import ag_news

    news, _ = ag_news.load("train")
    news_words = Vocabulary.from_texts(news, min_count=5)
    news_model = train_skip_gram(news_words.encode_corpus(news), len(news_words), epochs=6)
    asked = [w for w in "oil iraq microsoft game king monday".split() if w in news_words.ids]
    near, _ = nearest_neighbors(news_model.vectors, news_words.encode(asked), 5, exclude=(0, 1))
    for word, row in zip(asked, np.array(near), strict=True):
        print(f"{word:11}{', '.join(news_words.tokens[i] for i in row)}")

# %% [markdown]
# Next: lab 2 reads words in order, with recurrent cells.
