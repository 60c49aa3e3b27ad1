"""Keys of the quiz of module 1, computed by the package, and the values that slips lead to.

A key is called with the parameters of an item and returns a number or a shape.
"""

import math

import keras
import numpy as np

from course.m01_sequence_models import (
    LSTMCell,
    NGramModel,
    character_ngrams,
    confusion_and_f1,
    glove_weight,
    lstm_step,
    masked_cross_entropy,
    skip_gram_loss,
    skip_gram_pairs,
    teacher_forcing,
    tokenize,
)

TEXTS = ("the cat sat", "the cat ran", "the dog sat", "a dog ran")
AFTER_THE = {"cat": 2, "dog": 1}  # of 3


def bigram_probability(k, word):
    """Return the probability of a word after *the*."""
    model = NGramModel(order=2, k=k).fit(text.split() for text in TEXTS)
    return model.probability(word, ["the"])


def bigram_without_smoothing(k, word):
    """Return the share of the counts."""
    return AFTER_THE[word] / 3


def bigram_denominator_unchanged(k, word):
    """Return the probability with k above only."""
    return (AFTER_THE[word] + k) / 3


def bigram_one_k_below(k, word):
    """Return the probability with one k below."""
    return (AFTER_THE[word] + k) / (3 + k)


def bigram_six_words(k, word):
    """Return the probability with a vocabulary of words only."""
    return (AFTER_THE[word] + k) / (3 + 6 * k)


def token_count(text):
    """Return the number of tokens."""
    return len(tokenize(text))


def token_count_by_spaces(text):
    """Return the number of strings between spaces."""
    return len(text.split())


def token_count_without_marks(text):
    """Return the number of tokens that are no marks."""
    return sum(token[0].isalnum() for token in tokenize(text))


def token_count_apostrophes_apart(text):
    """Return the number of tokens with apostrophes as tokens."""
    return len(tokenize(text.replace("'", " ' ")))


def pair_count(length, window):
    """Return the number of skip-gram pairs of one text."""
    return len(skip_gram_pairs(np.arange(1, length + 1), window)[0])


def pair_count_no_edges(length, window):
    """Return the number without edges."""
    return 2 * window * length


def pair_count_one_side(length, window):
    """Return the number of neighbours, each two once."""
    return sum(length - distance for distance in range(1, window + 1))


def pair_count_nearest(length, window):
    """Return the number of pairs at distance 1."""
    return 2 * (length - 1)


def negative_sampling_loss(positive, negative):
    """Return the loss of one pair with its negative words."""
    return float(skip_gram_loss(np.array([positive]), np.array([negative])))


def loss_same_sign(positive, negative):
    """Return the loss that pulls negative words near."""
    return sum(_cost(score) for score in (positive, *negative))


def loss_positive_only(positive, negative):
    """Return the loss without negative words."""
    return _cost(positive)


def loss_negatives_averaged(positive, negative):
    """Return the loss with the mean over negative words."""
    return _cost(positive) + sum(_cost(-score) for score in negative) / len(negative)


def loss_softmax(positive, negative):
    """Return the cross-entropy over all scores."""
    return math.log(sum(map(math.exp, (positive, *negative)))) - positive


def weight_of_count(count, x_max):
    """Return GloVe's weight."""
    return float(glove_weight(np.array(count, "float64"), x_max))


def weight_without_cap(count, x_max):
    """Return the weight without a cap."""
    return (count / x_max) ** 0.75


def weight_without_power(count, x_max):
    """Return the weight without the power."""
    return min(1, count / x_max)


def weight_upside_down(count, x_max):
    """Return the weight with the count below."""
    return min(1, (x_max / count) ** 0.75)


def ngram_count(word, longest):
    """Return the number of character n-grams."""
    return len(character_ngrams(word, 3, longest))


def ngram_count_without_marks(word, longest):
    """Return the number of n-grams of the bare word."""
    return sum(max(0, len(word) - n + 1) for n in range(3, longest + 1))


def ngram_count_longest_only(word, longest):
    """Return the number of the longest n-grams."""
    return len(word) + 2 - longest + 1


def ngram_count_without_overlap(word, longest):
    """Return the number of pieces side by side."""
    return sum((len(word) + 2) // n for n in range(3, longest + 1))


def recurrent_shape(batch, length, embedding_dim, hidden_dim):
    """Return the shape of all states."""
    x = np.zeros((batch, length, embedding_dim), "float32")
    return keras.layers.RNN(LSTMCell(hidden_dim), return_sequences=True)(x).shape


def recurrent_shape_last(batch, length, embedding_dim, hidden_dim):
    """Return the shape of the last state."""
    return batch, hidden_dim


def recurrent_shape_input(batch, length, embedding_dim, hidden_dim):
    """Return the shape of the input."""
    return batch, length, embedding_dim


def recurrent_shape_gates(batch, length, embedding_dim, hidden_dim):
    """Return the shape of all gates."""
    return batch, length, 4 * hidden_dim


def lstm_parameters(hidden_dim, embedding_dim, length):
    """Return the number of weights of an LSTM layer."""
    layer = keras.layers.RNN(LSTMCell(hidden_dim))
    layer.build((None, length, embedding_dim))
    return layer.count_params()


def lstm_one_block(hidden_dim, embedding_dim, length):
    """Return the weights of one block."""
    return hidden_dim * (embedding_dim + hidden_dim + 1)


def lstm_without_recurrent(hidden_dim, embedding_dim, length):
    """Return the number without the weights for the state."""
    return 4 * hidden_dim * (embedding_dim + 1)


def lstm_without_bias(hidden_dim, embedding_dim, length):
    """Return the number without biases."""
    return 4 * hidden_dim * (embedding_dim + hidden_dim)


def lstm_for_each_step(hidden_dim, embedding_dim, length):
    """Return the number with weights of its own for each step."""
    return length * 4 * lstm_one_block(hidden_dim, embedding_dim, length)


def new_carry(carry, forget, write, candidate):
    """Return the carry after a step; the weights are 0, so the biases are the gates."""
    logit = lambda p: math.log(p / (1 - p))  # noqa: E731
    bias = np.array([logit(write), logit(forget), math.atanh(candidate), 0.0])
    state = np.array([[carry]])
    zeros = np.zeros((1, 4))
    return float(lstm_step(0 * state, 0 * state, state, zeros, zeros, bias)[1][0, 0])


def carry_as_in_a_gru(carry, forget, write, candidate):
    """Return the carry with one gate for both parts."""
    return forget * carry + (1 - forget) * candidate


def carry_without_forgetting(carry, forget, write, candidate):
    """Return the carry without a forget gate."""
    return carry + write * candidate


def carry_through_tanh(carry, forget, write, candidate):
    """Return tanh of the carry."""
    return math.tanh(forget * carry + write * candidate)


def logits_shape(batch, length, vocabulary_size):
    """Return the shape of the decoder's logits: one for each input and token."""
    inputs, _ = teacher_forcing(np.zeros((batch, length), "int32"))
    return *inputs.shape, vocabulary_size


def logits_shape_full_length(batch, length, vocabulary_size):
    """Return the shape with a step too many."""
    return batch, length, vocabulary_size


def logits_shape_ids(batch, length, vocabulary_size):
    """Return the shape of the labels."""
    return batch, length - 1


def logits_shape_last_step(batch, length, vocabulary_size):
    """Return the shape of one step."""
    return batch, vocabulary_size


def masked_loss(probabilities, real):
    """Return the masked cross-entropy of targets that all have the id 0."""
    logits = np.log([[[p, 1 - p] for p in probabilities]])  # (1, T, 2)
    mask = np.arange(len(probabilities))[None] < real
    return float(masked_cross_entropy(logits, np.zeros(mask.shape, "int32"), mask))


def loss_over_all_steps(probabilities, real):
    """Return the mean over all steps."""
    return loss_summed(probabilities, len(probabilities)) / len(probabilities)


def loss_divided_by_all_steps(probabilities, real):
    """Return the sum over real steps, divided by all."""
    return loss_summed(probabilities, real) / len(probabilities)


def loss_summed(probabilities, real):
    """Return the sum over real steps."""
    return -sum(map(math.log, probabilities[:real]))


def one_minus_mean(probabilities, real):
    """Return 1 minus the mean probability."""
    return 1 - sum(probabilities[:real]) / real


def macro_f1(matrix):
    """Return macro-F1 of a confusion matrix."""
    labels, predictions = np.repeat(np.indices((2, 2)).reshape(2, 4), np.ravel(matrix), axis=1)
    return confusion_and_f1(labels, predictions, 2)[1]


def accuracy(matrix):
    """Return the share of right answers."""
    return np.trace(matrix) / np.sum(matrix)


def weighted_f1(matrix):
    """Return the mean of F1, weighted by the sizes of the classes."""
    matrix = np.array(matrix)
    f1 = 2 * np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1))
    return (f1 * matrix.sum(axis=1)).sum() / matrix.sum()


def macro_recall(matrix):
    """Return the mean recall."""
    return (np.diag(matrix) / np.sum(matrix, axis=1)).mean()


def macro_precision(matrix):
    """Return the mean precision."""
    return (np.diag(matrix) / np.sum(matrix, axis=0)).mean()


def _cost(score):
    return math.log1p(math.exp(-score))
