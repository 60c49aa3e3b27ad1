"""Warm kernels: a process that has imported TensorFlow forks one IPython kernel per notebook."""

CONTROL, WIRE = 3, 4  # a fork's descriptors: its socket to its owner, and to the referee
