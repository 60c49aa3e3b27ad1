"""Module 1: word vectors, recurrent networks, and the encoder-decoder."""

from course.m01_sequence_models.bag_of_words import BagOfWords, build_bag_of_words, word_counts
from course.m01_sequence_models.build_seq2seq import (
    build_seq2seq,
    build_step_models,
    teacher_forcing,
)
from course.m01_sequence_models.build_text_classifier import build_text_classifier
from course.m01_sequence_models.build_text_cnn import build_text_cnn
from course.m01_sequence_models.character_ngrams import character_ngrams, fnv1a, ngram_buckets
from course.m01_sequence_models.confusion_and_f1 import confusion_and_f1
from course.m01_sequence_models.cooccurrences import cooccurrences
from course.m01_sequence_models.fasttext import FastText
from course.m01_sequence_models.fit_vectors import fit_glove, fit_skip_gram
from course.m01_sequence_models.glove import GloVe, glove_loss, glove_weight
from course.m01_sequence_models.gradient_by_distance import gradient_by_distance
from course.m01_sequence_models.greedy_decode import exact_match, greedy_decode
from course.m01_sequence_models.gru_cell import GRUCell, gru_step
from course.m01_sequence_models.last_real_state import last_real_state
from course.m01_sequence_models.lstm_cell import LSTMCell, lstm_step
from course.m01_sequence_models.masked_cross_entropy import MaskedCrossEntropy, masked_cross_entropy
from course.m01_sequence_models.ngram_model import NGramModel
from course.m01_sequence_models.simple_rnn_cell import SimpleRNNCell, simple_rnn_step
from course.m01_sequence_models.skip_gram import SkipGram, pair_scores, skip_gram_loss
from course.m01_sequence_models.skip_gram_data import (
    keep_probabilities,
    noise_probabilities,
    skip_gram_examples,
    skip_gram_pairs,
    subsample,
)
from course.m01_sequence_models.standardize import standardize, tokenize
from course.m01_sequence_models.vector_similarity import (
    analogy,
    cosine_similarity,
    nearest_neighbors,
)
from course.m01_sequence_models.vectorize import vectorize
from course.m01_sequence_models.vocabulary import Vocabulary

__all__ = [
    "BagOfWords",
    "FastText",
    "GRUCell",
    "GloVe",
    "LSTMCell",
    "MaskedCrossEntropy",
    "NGramModel",
    "SimpleRNNCell",
    "SkipGram",
    "Vocabulary",
    "analogy",
    "build_bag_of_words",
    "build_seq2seq",
    "build_step_models",
    "build_text_classifier",
    "build_text_cnn",
    "character_ngrams",
    "confusion_and_f1",
    "cooccurrences",
    "cosine_similarity",
    "exact_match",
    "fit_glove",
    "fit_skip_gram",
    "fnv1a",
    "glove_loss",
    "glove_weight",
    "gradient_by_distance",
    "greedy_decode",
    "gru_step",
    "keep_probabilities",
    "last_real_state",
    "lstm_step",
    "masked_cross_entropy",
    "nearest_neighbors",
    "ngram_buckets",
    "noise_probabilities",
    "pair_scores",
    "simple_rnn_step",
    "skip_gram_examples",
    "skip_gram_loss",
    "skip_gram_pairs",
    "standardize",
    "subsample",
    "teacher_forcing",
    "tokenize",
    "vectorize",
    "word_counts",
]
