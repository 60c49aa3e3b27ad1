"""The transformer encoder layer (Vaswani et al., 2017, section 3.1).

    x ← self-attention block, then feed-forward block (see `blocks.py`)

Axes: B batch, T length, D hidden size, F intermediate size.
"""

import keras
from keras import ops

from course.m02_transformer.blocks import encoder_block
from course.m02_transformer.feed_forward import FeedForward
from course.m02_transformer.layer_normalization import LayerNormalization
from course.m02_transformer.masks import combine_masks
from course.m02_transformer.multi_head_attention import MultiHeadAttention


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class TransformerEncoderLayer(keras.layers.Layer):
    """Self-attention and feed-forward, each with a residual connection and a norm.

    With `use_causal_mask=True` this is the layer of decoder-only models.

    Args:
        intermediate_dim: int. Width F of the feed-forward network.
        num_heads: int. Number of attention heads; must divide D.
        dropout: float. Rate on each sublayer's output, before it is added.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum
            (False, the paper's).
        activation: activation of the feed-forward network.
        position: optional position layer for the attention, such as
            `RotaryEmbedding()`; see `MultiHeadAttention`.

    Call arguments:
        x: float tensor `(B, T, D)`.
        padding_mask: optional bool `(B, T)`, True at tokens, False at padding.
        attention_mask: optional bool, broadcastable to `(B, T, T)`. True means
            "may attend".
        use_causal_mask: bool. Also hide the future.

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
        self.residual_dropout = keras.layers.Dropout(dropout, **policy)

    def build(self, x_shape):
        self.attention = MultiHeadAttention(
            x_shape[-1],
            self.num_heads,
            position=self.position,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention.build(x_shape, x_shape)
        for sublayer in (self.feed_forward, self.norm1, self.norm2):
            sublayer.build(x_shape)

    def call(self, x, padding_mask=None, attention_mask=None, use_causal_mask=False):
        if padding_mask is not None:
            padding_mask = ops.expand_dims(padding_mask, 1)  # (B, 1, T): hides keys
        masks = {
            "attention_mask": combine_masks(padding_mask, attention_mask),
            "use_causal_mask": use_causal_mask,
        }
        return encoder_block(
            x,
            lambda query, value: self.residual_dropout(self.attention(query, value, **masks)),
            lambda h: self.residual_dropout(self.feed_forward(h)),
            self.norm1,
            self.norm2,
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
