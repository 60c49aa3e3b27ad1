"""From raw text to tokens: lower case, one Unicode form, punctuation on its own.

"Don't panic: it's 3.5 km!"  →  "don't panic : it's 3 . 5 km !"
"""

import re
import unicodedata

INSIDE_A_WORD = re.compile(r"(?<=[^\W_])['’](?=[^\W_])")
KEPT = "\ue000"  # private use: no text has it


class _Marks(dict):
    """What becomes of each code point, filled as they are met: `str.translate` reads it."""

    def __missing__(self, code):
        is_mark = unicodedata.category(chr(code))[0] in "PS"
        return self.setdefault(code, f" {chr(code)} " if is_mark else code)


MARKS = _Marks()


def standardize(text):
    """Lower the case, compose characters, and set punctuation apart.

    Characters go to NFC, so that é is one character however it was typed. Each
    punctuation mark or symbol (Unicode categories P and S) becomes a token of its own, except an
    apostrophe between letters or digits, which stays and is always `'`.

    Args:
        text: str.

    Returns:
        str of tokens with one space between them.
    """
    text = unicodedata.normalize("NFC", text.lower())
    text = INSIDE_A_WORD.sub(KEPT, text)
    return " ".join(text.translate(MARKS).replace(KEPT, "'").split())


def tokenize(text):
    """Return the list of tokens of a text after `standardize`."""
    return standardize(text).split()
