"""Ready-made layers and functions that exercises of several labs forbid.

One name of a thing is enough: the guard finds its aliases, those of `tf.keras` included. The text
of a lab names what is forbidden in it.
"""

ATTENTION = [
    "keras.layers.Attention",
    "keras.layers.AdditiveAttention",
    "keras.layers.MultiHeadAttention",
    "keras.layers.GroupQueryAttention",
    "keras.ops.dot_product_attention",
    "keras_hub.layers.CachedMultiHeadAttention",
]
