"""The transformer decoder layer (Vaswani et al., 2017, section 3.1).

    x ← causal self-attention block, cross-attention block, feed-forward block
    (see `blocks.py`)

Axes: B batch, T target length, S source length, D hidden size, F intermediate
size.
"""

import keras
from keras import ops

from course.m02_transformer.blocks import decoder_block
from course.m02_transformer.feed_forward import FeedForward
from course.m02_transformer.layer_normalization import LayerNormalization
from course.m02_transformer.multi_head_attention import MultiHeadAttention


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class TransformerDecoderLayer(keras.layers.Layer):
    """Causal self-attention, attention to the encoder's output, feed-forward.

    Args:
        intermediate_dim: int. Width F of the feed-forward network.
        num_heads: int. Number of attention heads; must divide D.
        dropout: float. Rate on each sublayer's output, before it is added.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum
            (False, the paper's).
        activation: activation of the feed-forward network.
        position: optional position layer for the self-attention, such as
            `RotaryEmbedding()`; see `MultiHeadAttention`.

    Call arguments:
        x: float tensor `(B, T, D)`.
        memory: float tensor `(B, S, D)`, the encoder's output.
        padding_mask: optional bool `(B, T)`, True at tokens of the target. Not
            needed for padding at the end: the causal mask hides it.
        memory_padding_mask: optional bool `(B, S)`, True at tokens of the source.

    Returns:
        `(B, T, D)`. A Keras mask on `x` passes through and hides nothing.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        pre_norm=False,
        activation="relu",
        position=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.pre_norm = pre_norm
        self.position = position
        self.supports_masking = True
        policy = {"dtype": self.dtype_policy}
        self.feed_forward = FeedForward(intermediate_dim, activation, name="feed_forward", **policy)
        self.norm1 = LayerNormalization(name="norm1", **policy)
        self.norm2 = LayerNormalization(name="norm2", **policy)
        self.norm3 = LayerNormalization(name="norm3", **policy)
        self.residual_dropout = keras.layers.Dropout(dropout, **policy)

    def build(self, x_shape, memory_shape):
        def attention(name, position=None):
            return MultiHeadAttention(
                x_shape[-1],
                self.num_heads,
                position=position,
                dtype=self.dtype_policy,
                name=name,
            )

        self.self_attention = attention("self_attention", self.position)
        self.cross_attention = attention("cross_attention")
        self.self_attention.build(x_shape, x_shape)
        self.cross_attention.build(x_shape, memory_shape)
        for sublayer in (self.feed_forward, self.norm1, self.norm2, self.norm3):
            sublayer.build(x_shape)

    def call(self, x, memory, padding_mask=None, memory_padding_mask=None):
        def attend_with(attention, padding_mask):
            if padding_mask is not None:
                padding_mask = ops.expand_dims(padding_mask, 1)  # (B, 1, S): hides keys

            def sublayer(query, value, **kwargs):
                kwargs["attention_mask"] = padding_mask
                return self.residual_dropout(attention(query, value, **kwargs))

            return sublayer

        return decoder_block(
            x,
            memory,
            attend_with(self.self_attention, padding_mask),
            attend_with(self.cross_attention, memory_padding_mask),
            lambda h: self.residual_dropout(self.feed_forward(h)),
            self.norm1,
            self.norm2,
            self.norm3,
            self.pre_norm,
        )

    def get_config(self):
        return super().get_config() | {
            "intermediate_dim": self.intermediate_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "pre_norm": self.pre_norm,
            "activation": keras.activations.serialize(self.feed_forward.activation),
            "position": keras.saving.serialize_keras_object(self.position),
        }

    @classmethod
    def from_config(cls, config):
        position = keras.saving.deserialize_keras_object(config.get("position"))
        return super().from_config(config | {"position": position})
