"""The transformer encoder: a stack of layers (Vaswani et al., 2017, section 3.1).

KerasHub's `TransformerEncoder` is one layer: `TransformerEncoderLayer` here.

Axes: B batch, T length, D hidden size, F intermediate size.
"""

import keras

from course.m02_transformer.transformer_encoder_layer import TransformerEncoderLayer
from course.m02_transformer.transformer_stack import TransformerStack


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class TransformerEncoder(TransformerStack):
    """A stack of `TransformerEncoderLayer`s, with a final norm if `pre_norm`.

    Args:
        num_layers: int. Number of layers.
        intermediate_dim: int. Width F of the feed-forward networks.
        num_heads: int. Number of attention heads; must divide D.
        dropout: float. Rate on each sublayer's output.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum
            (False, the paper's).
        activation: activation of the feed-forward networks.

    Call arguments:
        x: float tensor `(B, T, D)`.
        padding_mask: optional bool `(B, T)`, True at tokens, False at padding.
        attention_mask: optional bool, broadcastable to `(B, T, T)`.
        use_causal_mask: bool. Also hide the future.

    Returns:
        `(B, T, D)`. A Keras mask on `x` passes through and hides nothing.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    layer_class = TransformerEncoderLayer

    def build(self, x_shape):
        super().build(x_shape)

    def compute_output_shape(self, x_shape):
        # Keras would trace every layer to find this out: seconds for each model.
        return x_shape

    def call(self, x, padding_mask=None, attention_mask=None, use_causal_mask=False):
        return self.run(
            x,
            padding_mask=padding_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
        )
