"""A grammar of sentences: rules with alternatives, and words that stay the same words.

    greeting:
      3* {person.np} waved to {person2.np}.
      $greeting $story(farewell)

An alternative comes as often as its weight says. `$rule` writes one alternative of another
rule. `$rule(other)` does too, and `$1` in it stands for `$other`. `{person.np}` draws a row of
the table `person` and writes its column `np`; the row stays for the whole passage, so a
pronoun finds its noun. `{person2.np}` draws another row of the same table.
"""

import re

PART = re.compile(
    r"\$(?P<rule>\w+)(?:\((?P<argument>\w+)\))?"
    r"|\{(?P<row>[a-z_]+\d?)(?:\.(?P<column>\w+))?\}"
)
SENTENCE_START = re.compile(r"(^\"?|[.?!] \"?)([a-z])")
A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[AEIOaeio](?!ne )|u(?!ni|se))")


class Grammar:
    """Rules and tables, from which passages are written.

    Args:
        text: str. Rules, as in the module's docstring; `#` opens a comment line.
        tables: dict from a table's name to its rows, dicts from column to str. The column
            `name` is what `{table}` writes. Several names may lead to the same rows.
    """

    def __init__(self, text, tables):
        self.tables = tables
        self._sources = parse(text)
        self._rules = {}

    def write(self, rng, rule):
        """Return a passage of `rule`, drawn with a `random.Random`."""
        written = []
        self._expand(self._alternatives(rule, None), rng, {}, written)
        return polish("".join(written))

    def templates(self):
        """Return every rule's different alternatives, a dict from name to tuple of str."""
        return {rule: tuple(dict.fromkeys(texts)) for rule, texts in self._sources.items()}

    def _expand(self, alternatives, rng, rows, written):
        chosen = alternatives[int(rng.random() * len(alternatives))]
        for kind, first, second in chosen:
            if kind == "text":
                written.append(first)
            elif kind == "rule":
                self._expand(self._alternatives(first, second), rng, rows, written)
            else:
                row = rows.get(first)
                if row is None:
                    row = rows[first] = self._draw(first, rng, rows)
                written.append(row[second])

    def _draw(self, name, rng, rows):
        """Draw a row that the passage does not use yet."""
        table = self.tables[name.rstrip("0123456789")]
        used = {row["name"] for row in rows.values()}
        while True:
            row = table[int(rng.random() * len(table))]
            if row["name"] not in used:
                return row

    def _alternatives(self, rule, argument):
        """Return a rule's alternatives as tuples of parts; compiled once."""
        key = (rule, argument)
        if key not in self._rules:
            texts = self._sources[rule]
            texts = [text.replace("$1", f"${argument}") for text in texts] if argument else texts
            self._rules[key] = [tuple(parts(text)) for text in texts]
        return self._rules[key]


def parse(text):
    """Return the alternatives of each rule, repeated by weight, as a dict of lists of str."""
    rules = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            rules[line.strip().removesuffix(":")] = current = []
            continue
        weight, star, rest = line.strip().partition("* ")
        weight, rest = (int(weight), rest) if star and weight.isdigit() else (1, line.strip())
        current.extend([rest] * weight)
    return rules


def parts(text):
    """Yield the parts of an alternative: `(kind, name, column or argument)`."""
    end = 0
    for match in PART.finditer(text):
        if match.start() > end:
            yield "text", text[end : match.start()], None
        if match["rule"]:
            yield "rule", match["rule"], match["argument"]
        else:
            yield "row", match["row"], match["column"] or "name"
        end = match.end()
    if end < len(text):
        yield "text", text[end:], None


def polish(passage):
    """Write a capital where a sentence begins, and `an` before a vowel."""
    passage = A_BEFORE_VOWEL.sub(r"\1n ", passage)
    return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), passage)
