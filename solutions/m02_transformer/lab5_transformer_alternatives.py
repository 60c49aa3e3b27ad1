"""Independent right answers to lab 5, in styles that learners use."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autograder.exercise import alternative
from course import m02_transformer as m02


@alternative("m02_transformer.padding_mask")
def with_tensorflow(token_ids):
    """TensorFlow's comparison."""
    return tf.not_equal(token_ids, 0)


@alternative("m02_transformer.padding_mask")
def with_a_cast(token_ids):
    """Every id but 0 is true."""
    return ops.cast(token_ids, "bool")


@alternative("m02_transformer.padding_mask")
def with_lists(token_ids):
    """One Python boolean per token."""
    return [[int(token) > 0 for token in row] for row in token_ids]


@alternative("m02_transformer.padding_mask")
def with_numpy(token_ids):
    """NumPy, the other way round and negated."""
    return ~(np.asarray(token_ids) == 0)


@alternative("m02_transformer.decoder_mask")
def with_band_part(token_ids):
    """A triangle by band_part, multiplied as numbers and compared."""
    length = tf.shape(token_ids)[1]
    triangle = tf.linalg.band_part(tf.ones((length, length)), -1, 0)
    tokens = tf.cast(token_ids != 0, "float32")
    return triangle[None] * tokens[:, None, :] > 0.5


@alternative("m02_transformer.decoder_mask")
def with_three_loops(token_ids):
    """One entry at a time."""
    token_ids = np.asarray(token_ids)
    batch, length = token_ids.shape
    mask = np.zeros((batch, length, length), bool)
    for b in range(batch):
        for query in range(length):
            for key in range(query + 1):
                mask[b, query, key] = token_ids[b, key] != 0
    return mask


@alternative("m02_transformer.decoder_mask")
def with_tril(token_ids):
    """The padding mask repeated for every query, then cut along the diagonal."""
    length = token_ids.shape[1]
    visible = ops.repeat(ops.expand_dims(ops.not_equal(token_ids, 0), 1), length, axis=1)
    return ops.cast(ops.tril(ops.cast(visible, "int32")), "bool")


@alternative("m02_transformer.decoder_mask")
def with_positions(token_ids):
    """Positions of keys and queries compared, joined by logical_and."""
    positions = ops.arange(ops.shape(token_ids)[1])
    past = ops.less_equal(positions[None, None, :], positions[None, :, None])
    return ops.logical_and(past, ops.not_equal(token_ids, 0)[:, None])


@alternative("m02_transformer.shift_right")
def with_roll(target_ids, start_id):
    """Rolled, then the first column overwritten."""
    rolled = np.roll(np.asarray(target_ids), 1, axis=1)
    rolled[:, 0] = start_id
    return rolled


@alternative("m02_transformer.shift_right")
def with_padding(target_ids, start_id):
    """A column in front by tf.pad."""
    return tf.pad(target_ids[:, :-1], [[0, 0], [1, 0]], constant_values=start_id)


@alternative("m02_transformer.shift_right")
def with_rows(target_ids, start_id):
    """Lists of Python integers."""
    return [[start_id, *(int(token) for token in row[:-1])] for row in target_ids]


@alternative("m02_transformer.shift_right")
def with_where(target_ids, start_id):
    """keras.ops: rolled, then chosen by position."""
    first = ops.equal(ops.arange(target_ids.shape[1]), 0)
    return ops.where(first, start_id, ops.roll(target_ids, 1, axis=1))


@alternative("m02_transformer.build_transformer")
def pre_norm_layers_in_lists(
    vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0
):
    """Single layers, pre-norm, learned positions, one tied embedding."""
    source_ids = keras.Input((None,), dtype="int32")
    target_ids = keras.Input((None,), dtype="int32")
    embedding = keras.layers.ReversibleEmbedding(vocabulary_size, hidden_dim)
    source_mask = ops.not_equal(source_ids, 0)
    target_mask = ops.not_equal(target_ids, 0)
    memory = m02.LearnedPositionalEmbedding(64)(embedding(source_ids) * hidden_dim**0.5)
    x = m02.LearnedPositionalEmbedding(64)(embedding(target_ids) * hidden_dim**0.5)
    for _ in range(num_layers):
        layer = m02.TransformerEncoderLayer(intermediate_dim, num_heads, dropout, pre_norm=True)
        memory = layer(memory, padding_mask=source_mask)
    memory = m02.LayerNormalization()(memory)
    for _ in range(num_layers):
        layer = m02.TransformerDecoderLayer(intermediate_dim, num_heads, dropout, pre_norm=True)
        x = layer(x, memory, padding_mask=target_mask, memory_padding_mask=source_mask)
    logits = embedding(m02.LayerNormalization()(x), reverse=True)
    return keras.Model([source_ids, target_ids], logits)


class Translator(keras.Model):
    """A subclassed model around the stacks."""

    def __init__(self, vocabulary_size, hidden_dim, *stack):
        super().__init__()
        self.source = keras.layers.Embedding(vocabulary_size, hidden_dim)
        self.target = keras.layers.Embedding(vocabulary_size, hidden_dim)
        self.positions = m02.SinusoidalPositionalEncoding()
        self.encoder = m02.TransformerEncoder(*stack)
        self.decoder = m02.TransformerDecoder(*stack)
        self.head = keras.layers.Dense(vocabulary_size, use_bias=False)
        self.scale = hidden_dim**0.5

    def call(self, inputs):
        """Take source and target ids, return logits."""
        source_ids, target_ids = inputs
        mask = tf.not_equal(source_ids, 0)
        memory = self.positions(self.source(source_ids) * self.scale)
        memory = self.encoder(memory, padding_mask=mask)
        x = self.positions(self.target(target_ids) * self.scale)
        return self.head(self.decoder(x, memory, memory_padding_mask=mask))


@alternative("m02_transformer.build_transformer")
def subclassed(vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0):
    """A subclass of keras.Model, TensorFlow for the mask."""
    stack = (num_layers, intermediate_dim, num_heads, dropout)
    return Translator(vocabulary_size, hidden_dim, *stack)


@alternative("m02_transformer.build_transformer")
def of_keras_layers(
    vocabulary_size, hidden_dim, intermediate_dim, num_layers, num_heads, dropout=0.0
):
    """Keras's own attention and normalisation, no embedding scale, a ReLU network."""
    source_ids = keras.Input((None,), dtype="int32", name="source")
    target_ids = keras.Input((None,), dtype="int32", name="target")
    source_mask = keras.layers.Lambda(lambda ids: (ids != 0)[:, None, :])(source_ids)
    target_mask = keras.layers.Lambda(m02.decoder_mask)(target_ids)

    def embed(ids):
        x = keras.layers.Embedding(vocabulary_size, hidden_dim)(ids)
        return keras.layers.Dropout(dropout)(m02.SinusoidalPositionalEncoding()(x))

    def attention(x, value, mask):
        layer = keras.layers.MultiHeadAttention(num_heads, hidden_dim // num_heads)
        update = keras.layers.Dropout(dropout)(layer(x, value, attention_mask=mask))
        return keras.layers.LayerNormalization()(keras.layers.Add()([x, update]))

    def feed_forward(x):
        update = keras.layers.Dense(intermediate_dim, activation="relu")(x)
        update = keras.layers.Dense(hidden_dim)(update)
        return keras.layers.LayerNormalization()(keras.layers.Add()([x, update]))

    memory, x = embed(source_ids), embed(target_ids)
    for _ in range(num_layers):
        memory = feed_forward(attention(memory, memory, source_mask))
    for _ in range(num_layers):
        x = attention(x, x, target_mask)
        x = feed_forward(attention(x, memory, source_mask))
    return keras.Model([source_ids, target_ids], keras.layers.Dense(vocabulary_size)(x))


@alternative("m02_transformer.greedy_decode")
def with_a_growing_target(model, source_ids, start_id, end_id, max_length):
    """keras.ops, a target that grows, zeros by a running product."""
    target = ops.full((source_ids.shape[0], 1), start_id, dtype="int32")
    running = ops.ones_like(target)
    for _ in range(max_length):
        token = ops.argmax(model([source_ids, target])[:, -1:], axis=-1)
        token = ops.cast(token, "int32") * running
        running = running * ops.cast(token != end_id, "int32")
        target = ops.concatenate([target, token], axis=1)
    return target[:, 1:]


@alternative("m02_transformer.greedy_decode")
def with_predict(model, source_ids, start_id, end_id, max_length):
    """A padded target through model.predict; what follows the end is cut afterwards."""
    source_ids = np.array(source_ids)
    target = np.zeros((len(source_ids), max_length + 1), "int64")
    target[:, 0] = start_id
    for t in range(max_length):
        logits = model.predict([source_ids, target[:, :-1]], verbose=0)
        target[:, t + 1] = np.argmax(logits[:, t], axis=-1)
    result = target[:, 1:]
    for row in result:
        ends = np.where(row == end_id)[0]
        if len(ends):
            row[ends[0] + 1 :] = 0
    return result


@alternative("m02_transformer.greedy_decode")
def one_row_at_a_time(model, source_ids, start_id, end_id, max_length):
    """Lists of Python integers, one source after the other, inputs as a tuple."""
    results = []
    for source in source_ids:
        target = [start_id]
        while len(target) <= max_length and target[-1] != end_id:
            logits = model((source[None], ops.convert_to_tensor([target])))
            target.append(int(tf.argmax(logits[0, -1])))
        results.append(target[1:] + [0] * (max_length + 1 - len(target)))
    return results


@alternative("m02_transformer.greedy_decode")
def with_probabilities(model, source_ids, start_id, end_id, max_length):
    """A softmax before the argmax, an early stop, padding at the end."""
    batch = int(tf.shape(source_ids)[0])
    target = tf.fill((batch, 1), start_id)
    finished = tf.zeros((batch,), "bool")
    for _ in range(max_length):
        probabilities = tf.nn.softmax(model([source_ids, target], training=False)[:, -1])
        token = tf.argmax(probabilities, axis=-1, output_type="int32")
        token = tf.where(finished, 0, token)
        finished = tf.logical_or(finished, token == end_id)
        target = tf.concat([target, token[:, None]], axis=1)
        if tf.reduce_all(finished):
            break
    return tf.pad(target[:, 1:], [[0, 0], [0, max_length + 1 - target.shape[1]]])
