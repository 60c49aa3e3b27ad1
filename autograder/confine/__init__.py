"""Confinement of the kernels that run learners' code: one mechanism a file.

`tiers` says what this machine can do, `enter` applies it to a fork of the zygote, `warden` stays
outside and watches.
"""
