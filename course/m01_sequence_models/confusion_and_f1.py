"""Which class is taken for which, and a score in which a rare class weighs as much as any.

    matrix_{ij} = number of texts of class i that were called j
    F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c),  macro-F1 = mean over c

Axes: N texts, C classes.
"""

import numpy as np


def confusion_and_f1(labels, predictions, num_classes):
    """Return the confusion matrix and macro-F1.

    Args:
        labels: int array `(N,)`, the true classes 0 to C - 1.
        predictions: int array `(N,)`, the predicted classes.
        num_classes: int. C.

    Returns:
        `matrix`, int64 array `(C, C)`, rows true and columns predicted; `macro_f1`, float. A
        class that is neither true nor predicted has the F1 0 and counts in the mean.
    """
    matrix = np.zeros((num_classes, num_classes), "int64")
    np.add.at(matrix, (np.asarray(labels), np.asarray(predictions)), 1)
    found = matrix.sum(axis=0) + matrix.sum(axis=1)  # 2 TP + FP + FN
    return matrix, float(np.mean(2 * np.diag(matrix) / np.maximum(found, 1)))
