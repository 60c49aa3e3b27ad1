"""The transformer decoder: a stack of layers (Vaswani et al., 2017, section 3.1).

KerasHub's `TransformerDecoder` is one layer: `TransformerDecoderLayer` here.

Axes: B batch, T target length, S source length, D hidden size, F intermediate
size.
"""

import keras

from course.m02_transformer.transformer_decoder_layer import TransformerDecoderLayer
from course.m02_transformer.transformer_stack import TransformerStack


@keras.saving.register_keras_serializable(package="course.m02_transformer")
class TransformerDecoder(TransformerStack):
    """A stack of `TransformerDecoderLayer`s, with a final norm if `pre_norm`.

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
        memory: float tensor `(B, S, D)`, the encoder's output.
        padding_mask: optional bool `(B, T)`, True at tokens of the target.
        memory_padding_mask: optional bool `(B, S)`, True at tokens of the source.

    Returns:
        `(B, T, D)`. A Keras mask on `x` passes through and hides nothing.

    Reference: [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    layer_class = TransformerDecoderLayer

    def build(self, x_shape, memory_shape):
        super().build(x_shape, memory_shape)

    def compute_output_shape(self, x_shape, memory_shape):
        # Keras would trace every layer to find this out: seconds for each model.
        return x_shape

    def call(self, x, memory, padding_mask=None, memory_padding_mask=None):
        return self.run(
            x, memory, padding_mask=padding_mask, memory_padding_mask=memory_padding_mask
        )
