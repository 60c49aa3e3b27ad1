"""What each head adds to its layer's output, and how much the loss hangs on it.

    MultiHead(X) = Σ_n head_n W_n^O,   with W_n^O rows nH to (n + 1)H of the output kernel
    I_n = mean over examples of |Σ head_n · ∂loss / ∂head_n|

Axes: L layers, B batch, N heads, T length, H head size, E output size.

Source: [Michel et al., 2019](https://arxiv.org/abs/1905.10650), section 4.1, for the importance.
`head_importance` finds both arrays in a model; these are the formulas.
"""

from keras import ops


def head_contributions(heads, kernel):
    """Return what each head adds to the layer's output.

    Args:
        heads: float tensor `(B, N, T, H)`, before the heads are merged.
        kernel: float tensor `(N·H, E)`, the rows of head 0 first.

    Returns:
        Float tensor `(B, N, T, E)`; its sum over N is the layer's output, without a bias.
    """
    num_heads, size = heads.shape[1], heads.shape[3]
    kernel = ops.reshape(kernel, (num_heads, size, kernel.shape[-1]))  # (N, H, E)
    return ops.einsum("bnth,nhe->bnte", heads, kernel)


def importance_per_head(heads, gradients):
    """Return how much the loss hangs on each head, to first order.

    Args:
        heads: float tensor `(L, B, N, T, H)`.
        gradients: float tensor `(L, B, N, T, H)`, of each example's own loss.

    Returns:
        Float tensor `(L, N)`; each layer has the Euclidean norm 1, or 0 where nothing hangs on it.
    """
    slopes = ops.sum(heads * gradients, axis=(-2, -1))  # (L, B, N)
    importance = ops.mean(ops.abs(slopes), axis=1)  # (L, N)
    norm = ops.sqrt(ops.sum(importance**2, axis=-1, keepdims=True))
    return importance / ops.where(norm > 0, norm, ops.ones_like(norm))
