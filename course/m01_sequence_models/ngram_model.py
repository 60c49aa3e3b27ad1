"""The n-gram language model: count, smooth, predict (Shannon, 1948; Jelinek & Mercer, 1980).

    P_n(w | context) = (count(context of n - 1 words, w) + k) / (count(context) + k V)
    P(w | context) = Σ_n λ_n P_n(w | context)

Add-k alone is λ = (0, ..., 0, 1); interpolation lets short contexts help where
long ones were never seen.
"""

import collections
import math

START, END, UNKNOWN = "<s>", "</s>", "<unk>"


class NGramModel:
    """A language model of n-gram counts.

    Args:
        order: int. N, the longest n-gram.
        k: float above 0. Added to every count.
        weights: N floats of sum 1, the unigram's first. Defaults to the longest
            n-gram alone.

    Raises:
        ValueError: if `k` is not above 0, or `weights` are not N numbers of sum 1.
    """

    def __init__(self, order=3, k=0.1, weights=None):
        if k <= 0:
            raise ValueError(f"`k` must be above 0. Received: k={k}.")
        weights = [0.0] * (order - 1) + [1.0] if weights is None else list(weights)
        if len(weights) != order or abs(sum(weights) - 1) > 1e-6:
            raise ValueError(
                f"`weights` must be {order} numbers of sum 1, as `order` is {order}. "
                f"Received: weights={weights}."
            )
        self.order, self.k, self.weights = order, k, weights
        self.vocabulary = {END, UNKNOWN}
        self.counts = collections.Counter()  # of n-grams, every length
        self.contexts = collections.Counter()  # of n-grams that a word follows

    def fit(self, texts):
        """Count the n-grams of texts, on top of what is counted already.

        Args:
            texts: iterable of lists of tokens.

        Returns:
            The model itself.
        """
        for tokens in texts:
            self.vocabulary.update(tokens)
            padded = [START] * (self.order - 1) + [*tokens, END]
            for end in range(self.order, len(padded) + 1):
                for n in range(1, self.order + 1):
                    ngram = tuple(padded[end - n : end])
                    self.counts[ngram] += 1
                    self.contexts[ngram[:-1]] += 1
        return self

    def probability(self, token, context):
        """Return the probability that a token follows.

        Args:
            token: str. A token never seen counts as `"<unk>"`.
            context: list of str, the tokens before it; the last N - 1 matter. A shorter
                one begins a text.

        Returns:
            float. Over the vocabulary, `"</s>"` and `"<unk>"` included, the sum is 1.
        """
        known = [t if t in self.vocabulary or t == START else UNKNOWN for t in context]
        token = token if token in self.vocabulary else UNKNOWN
        known = [START] * (self.order - 1) + known
        total = 0.0
        for n, weight in enumerate(self.weights, start=1):
            before = tuple(known[len(known) - n + 1 :])
            count = self.counts[(*before, token)] + self.k
            total += weight * count / (self.contexts[before] + self.k * len(self.vocabulary))
        return total

    def perplexity(self, texts):
        """Return exp of the mean negative log-probability a token, ends of texts included.

        Args:
            texts: iterable of lists of tokens.

        Returns:
            float; as uncertain as a choice among that many equally likely tokens.
        """
        logs = [
            math.log(self.probability(token, tokens[:i]))
            for tokens in map(list, texts)
            for i, token in enumerate([*tokens, END])
        ]
        return math.exp(-sum(logs) / len(logs))

    def generate(self, rng, max_length=50):
        """Draw a text, token by token.

        Args:
            rng: `numpy.random.Generator`.
            max_length: int. Number of tokens at most.

        Returns:
            List of str, without the end.
        """
        words = sorted(self.vocabulary - {UNKNOWN})
        text = []
        while len(text) < max_length:
            probabilities = [self.probability(word, text) for word in words]
            word = words[rng.choice(len(words), p=[p / sum(probabilities) for p in probabilities])]
            if word == END:
                break
            text.append(word)
        return text
