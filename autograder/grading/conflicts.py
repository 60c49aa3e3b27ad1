"""Git's conflict marks in a text: a notebook's file, or the source of one cell."""

import re

MARK = re.compile(r"(<{7}|\|{7}|={7}|>{7})( .*)?\r?")
NEXT = {
    ("both", "<"): "ours",
    ("ours", "|"): "base",
    ("ours", "="): "theirs",
    ("base", "="): "theirs",
    ("theirs", ">"): "both",
}


def sides(text):
    """Return the two texts between which git left the choice, or None where it left none.

    Args:
        text: what may hold conflict marks, each on a line of its own.
    """
    found, place = {"ours": [], "theirs": []}, "both"
    marked = False
    for line in text.split("\n"):
        match = MARK.fullmatch(line)
        after = NEXT.get((place, line[0])) if match else None
        if after:
            place, marked = after, True
            continue
        for side, lines in found.items():
            if place in ("both", side):
                lines.append(line)
    if not marked or place != "both":
        return None
    return "\n".join(found["ours"]), "\n".join(found["theirs"])
