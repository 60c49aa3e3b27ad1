"""The wire between the referee and the learner's names: values cross it, code never does.

`client` is the referee's side, `probe` the learner's; `codec` turns values into bytes.
"""
