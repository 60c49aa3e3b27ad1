"""The wiring of encoder and decoder blocks (Vaswani et al., 2017, section 3.1).

    post-norm:  x ← norm(x + sublayer(x))        the paper
    pre-norm:   x ← x + sublayer(norm(x))        Xiong et al., 2020

The residual connection adds the sublayer's input to its output. Pre-norm
leaves a path from the output to the input that no normalisation touches, so
the stack around it ends with one more normalisation.

These functions own no weights: the sublayers are arguments. Any callable with
the same call works, `keras.layers.MultiHeadAttention` included.

Axes: B batch, T target length, S source length, D hidden size.
"""


def residual(x, sublayer, norm, pre_norm):
    """Add `x` to what the sublayer makes of it, with the norm before or after.

    Args:
        x: float tensor `(B, T, D)`.
        sublayer: callable from `(B, T, D)` to `(B, T, D)`.
        norm: callable from `(B, T, D)` to `(B, T, D)`.
        pre_norm: bool. Normalise the sublayer's input (True) or the sum (False).

    Returns:
        Float tensor `(B, T, D)`.
    """
    if pre_norm:
        return x + sublayer(norm(x))
    return norm(x + sublayer(x))


def encoder_block(x, attention, feed_forward, norm1, norm2, pre_norm):
    """Wire self-attention and feed-forward into an encoder block.

    Args:
        x: float tensor `(B, T, D)`.
        attention: callable `attention(query, value)`.
        feed_forward: callable `feed_forward(x)`.
        norm1: normalisation of the attention sublayer.
        norm2: normalisation of the feed-forward sublayer.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum
            (False).

    Returns:
        Float tensor `(B, T, D)`.
    """
    x = residual(x, lambda h: attention(h, h), norm1, pre_norm)
    return residual(x, feed_forward, norm2, pre_norm)


def decoder_block(
    x, memory, self_attention, cross_attention, feed_forward, norm1, norm2, norm3, pre_norm
):
    """Wire causal self-attention, cross-attention and feed-forward into a decoder block.

    Queries of the cross-attention come from the decoder, keys and values from
    the encoder's output, which no norm of this block touches.

    Args:
        x: float tensor `(B, T, D)`.
        memory: float tensor `(B, S, D)`, the encoder's output.
        self_attention: callable `self_attention(query, value, use_causal_mask=True)`.
        cross_attention: callable `cross_attention(query, value)`.
        feed_forward: callable `feed_forward(x)`.
        norm1: normalisation of the self-attention sublayer.
        norm2: normalisation of the cross-attention sublayer.
        norm3: normalisation of the feed-forward sublayer.
        pre_norm: bool. Normalise before each sublayer (True) or after each sum
            (False).

    Returns:
        Float tensor `(B, T, D)`.
    """
    x = residual(x, lambda h: self_attention(h, h, use_causal_mask=True), norm1, pre_norm)
    x = residual(x, lambda h: cross_attention(h, memory), norm2, pre_norm)
    return residual(x, feed_forward, norm3, pre_norm)
