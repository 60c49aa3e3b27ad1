"""Cross-entropy per step, averaged over real tokens.

    loss = -Σ_{b,t} m_{bt} log softmax(logits_{bt})[y_{bt}] / Σ_{b,t} m_{bt}

Padding neither adds to the sum nor to the count, so longer padding leaves the
loss unchanged.

Axes: B batch, T length, V vocabulary size.
"""

import keras
from keras import ops


def masked_cross_entropy(logits, targets, mask=None, pad_id=0):
    """Return the mean cross-entropy of the real tokens.

    Args:
        logits: float tensor `(B, T, V)`. Computed in float32.
        targets: int tensor `(B, T)`.
        mask: optional bool tensor `(B, T)`, True where a token counts. Defaults to
            every target that is not `pad_id`.
        pad_id: int. Id of padding; used without `mask` only.

    Returns:
        Float32 scalar, in nats per token; 0 where no token counts.
    """
    targets = ops.cast(targets, "int32")
    mask = ops.not_equal(targets, pad_id) if mask is None else mask
    mask = ops.cast(mask, "float32")  # (B, T)
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)  # (B, T, V)
    chosen = ops.take_along_axis(log_probabilities, targets[..., None], axis=-1)  # (B, T, 1)
    total = ops.sum(-chosen[..., 0] * mask)
    return total / ops.maximum(ops.sum(mask), 1.0)


@keras.saving.register_keras_serializable(package="course.m01_sequence_models")
class MaskedCrossEntropy(keras.losses.Loss):
    """`masked_cross_entropy` for `compile(loss=...)`.

    The mean runs over the real tokens of a batch; sample weights are ignored.

    Args:
        pad_id: int. Targets with this id do not count. Defaults to `0`.

    Call arguments:
        y_true: int tensor `(B, T)`.
        y_pred: logits `(B, T, V)`.
    """

    def __init__(self, pad_id=0, name="masked_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.pad_id = pad_id

    def call(self, y_true, y_pred):
        return masked_cross_entropy(y_pred, y_true, pad_id=self.pad_id)

    def get_config(self):
        return super().get_config() | {"pad_id": self.pad_id}
