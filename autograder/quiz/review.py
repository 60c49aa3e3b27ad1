"""What the course asks of a quiz as a whole.

`review` checks coverage, levels, variants, and that neither length nor position gives a key
away; the builder refuses a bank that breaks a rule. `review_keys` computes every key.
"""

import math
from collections import Counter

from autograder.quiz.bank import named
from autograder.quiz.items import LETTERS, BankError, Computed
from autograder.quiz.plain import unmarked
from autograder.quiz.variants import variants

MIN_ITEMS, MIN_VARIED, MIN_REVISITS = 15, 5, 3


def review(bank):
    """Check a bank as the course asks of every quiz.

    Raises:
        BankError: one sentence for each rule that is broken.
    """
    file = named(bank._path)
    broken = [f"{file}: {sentence}" for rule in RULES for sentence in rule(bank)]
    if broken:
        raise BankError("\n".join(broken))


def review_keys(bank):
    """Compute every key and every named mistake of every variant.

    Raises:
        BankError: a key fails, is not finite, or a mistake never differs from the key.
    """
    for item in bank.items:
        if not isinstance(item, Computed):
            continue
        seen = set()
        for parameters in variants(item.choose):
            key = item.key(parameters)
            if isinstance(key, list) != (item.type == "shape"):
                item.fail(f"the key {item.key_name} gives {key!r}, which is not a {item.type}.")
            if item.rank and len(key) != item.rank:
                item.fail(f"the key has {len(key)} axes, `axes` says {item.rank}.")
            for value, mistake in item.wrong(parameters):
                seen.add(mistake.key)
                if item.type == "numeric" and abs(value - key) <= 2 * item.tolerance:
                    item.fail(f"for {parameters} a mistake gives {value}, too close to {key}.")
        if len(seen) < len(item.mistakes):
            item.fail("a mistake gives the key, or another mistake, in every variant.")


def _enough_items(bank):
    if len(bank.items) < MIN_ITEMS:
        yield f"{len(bank.items)} items are too few; write at least {MIN_ITEMS}."
    higher = sum(item.level != "recall" for item in bank.items)
    if 2 * higher < len(bank.items):
        yield f"{higher} of {len(bank.items)} items ask to predict or apply; at least half must."
    varied = sum(bool(item.choose) for item in bank.items)
    if varied < MIN_VARIED:
        yield f"{varied} items have variants (`choose`); at least {MIN_VARIED} must."
    revisits = sum(bool(item.revisits) for item in bank.items)
    if bank.module > "m02" and revisits < MIN_REVISITS:
        yield f"{revisits} items revisit an earlier module; at least {MIN_REVISITS} must."


def _all_topics(bank):
    asked = {item.topic for item in bank.items}
    for topic in bank.topics:
        if topic not in asked:
            yield f"no item asks about the topic {topic!r}; write one or remove the topic."


def _length_cue(bank):
    """Reject keys that their length gives away."""
    singles = [item for item in bank.items if item.type == "single"]
    share = math.ceil(len(singles) / 3)
    for word, sign in (("longest", 1), ("shortest", -1)):
        hits = [item.id for item in singles if _extreme(item, sign)]
        if len(hits) > share:
            yield (
                f"the key is the {word} option in {len(hits)} of {len(singles)} single items "
                f"({', '.join(hits)}), at most {share} may be; change other options."
            )
    several = [item for item in bank.items if item.type == "multiple"]
    hits = [item.id for item in several if _extreme(item, 1)]
    if len(several) >= 3 and len(hits) == len(several):
        yield f"in every multiple item the longest option is correct ({', '.join(hits)})."


def _extreme(item, sign):
    """Return whether a correct option alone is the longest (sign 1) or shortest (sign -1)."""
    sizes = {letter: sign * len(unmarked(entry.text)) for letter, entry in item.entries.items()}
    largest = [letter for letter, size in sizes.items() if size == max(sizes.values())]
    return len(largest) == 1 and largest[0] in item.correct


def _position_cue(bank):
    """Reject keys that their position gives away."""
    singles = [item for item in bank.items if item.type == "single"]
    if len(singles) < 5:
        return
    counts = Counter(item.correct[0] for item in singles)
    share = math.ceil(len(singles) * 0.4)
    for letter, count in sorted(counts.items()):
        if count > share:
            yield (
                f"the key is option {letter} in {count} of {len(singles)} single items, "
                f"at most {share} may be; move some."
            )
    fewest = min(len(item.options) for item in singles)
    unused = [letter for letter in LETTERS[:fewest] if not counts[letter]]
    if unused:
        yield f"the key is never option {', '.join(unused)} in the single items; move some there."


RULES = (_enough_items, _all_topics, _length_cue, _position_cue)
