"""Checks of what a data set is asked for: a `ValueError` names argument, value and limits."""

import operator


def check_count(name, value, low=1, high=None):
    """Return `value` as an int between `low` and `high`.

    Raises:
        ValueError: if it is no whole number or lies outside.
    """
    limits = f"at least {low}" if high is None else f"from {low} to {high}"
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < low or (high and number > high):
        raise ValueError(f"`{name}` must be a whole number, {limits}. Received: {value!r}.")
    return number


def check_choices(name, chosen, allowed):
    """Return `chosen`, a name or several, as a tuple; all of `allowed` where it is None.

    Raises:
        ValueError: if none is chosen, or one that is not allowed.
    """
    chosen = tuple(allowed) if chosen is None else chosen
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    wrong = [choice for choice in chosen if choice not in allowed]
    if wrong or not chosen:
        raise ValueError(
            f"`{name}` must be among: {', '.join(map(str, allowed))}. "
            f"Received: {wrong[0] if wrong else chosen!r}."
        )
    return chosen
