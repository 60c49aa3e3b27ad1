"""What the encoder and the decoder share (Vaswani et al., 2017, section 3.1).

    stack(x) = layer_L(... layer_2(layer_1(x)))

Pre-norm layers leave their sum unnormalised, so a pre-norm stack ends with one
more layer normalisation; a post-norm stack does not.
"""

import keras

from course.m02_transformer.layer_normalization import LayerNormalization


class TransformerStack(keras.layers.Layer):
    """What encoder and decoder share: equal layers, and a final norm for pre-norm."""

    layer_class = None

    def __init__(
        self,
        num_layers,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        pre_norm=False,
        activation="relu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_layers = num_layers
        self.arguments = {
            "intermediate_dim": intermediate_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "pre_norm": pre_norm,
            "activation": activation,
        }
        self.supports_masking = True
        policy = {"dtype": self.dtype_policy}
        self.layers = [
            self.layer_class(**self.arguments, name=f"layer_{i}", **policy)
            for i in range(num_layers)
        ]
        self.final_norm = LayerNormalization(name="final_norm", **policy) if pre_norm else None

    def build(self, x_shape, *shapes):
        for layer in self.layers:
            layer.build(x_shape, *shapes)
        if self.final_norm:
            self.final_norm.build(x_shape)

    def run(self, x, *inputs, **masks):
        """Pass `x` through every layer, then through the final norm if there is one."""
        for layer in self.layers:
            x = layer(x, *inputs, **masks)
        return self.final_norm(x) if self.final_norm else x

    def get_config(self):
        activation = keras.activations.get(self.arguments["activation"])
        return (
            super().get_config()
            | {"num_layers": self.num_layers}
            | self.arguments
            | {"activation": keras.activations.serialize(activation)}
        )
