"""The words of the grammar: planted categories, and tables whose rows belong together.

`words/` holds a table a file, columns between bars, and `things.txt` with a list a line. A row
binds what goes together: France, Paris, French, the Seine. Both words of a pair meet the rest
of their row; each meets, besides, what all words of its own category meet.
"""

from functools import cache
from importlib.resources import files

WORDS = files(__package__) / "words"
NUMBERS = "two three four five six seven eight nine ten eleven twelve twenty".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February April June July August September October November December".split()
PLURAL = {"pliers", "tongs", "scissors", "apples", "pears", "cherries", "potatoes", "carrots"}
PLURAL |= {"onions", "beans", "sausages", "pancakes", "biscuits", "mushrooms", "eggs", "plums"}


@cache
def categories():
    """Return the planted categories: a dict from name to a tuple of lower-case words.

    No word is in two. Plural forms are not listed; see `category_of`.
    """
    named = {
        "countries": _column("countries", "country"),
        "capitals": _column("countries", "capital"),
        "demonyms": _column("countries", "demonym"),
        "animals": _column("animals", "animal"),
        "young animals": _column("animals", "young"),
        "men": _column("family", "man"),
        "women": _column("family", "woman"),
        "male names": _column("names", "he"),
        "female names": _column("names", "she"),
        "professions": _column("professions", "profession"),
        "musicians": _column("instruments", "musician"),
        "instruments": _column("instruments", "instrument"),
    }
    lists = {name: [row["name"] for row in rows] for name, rows in things().items()}
    named |= {
        "tools": lists["tool"],
        "foods": lists["food"],
        "drinks": lists["drink"],
        "clothes": lists["clothing"],
        "vehicles": lists["land_vehicle"] + lists["water_vehicle"],
        "colours": lists["colour"],
        "materials": lists["metal"] + lists["fabric"] + lists["stuff"],
        "furniture": lists["furniture"],
        "body parts": lists["body"],
        "plants": lists["plant"],
        "weather": lists["weather"],
        "sports": lists["sport"],
        "places": lists["place"],
    }
    return {name: tuple(word.lower() for word in words) for name, words in named.items()}


@cache
def category_of():
    """Return a dict from each word, singular or plural, to its category's name."""
    found = {word: name for name, words in categories().items() for word in words}
    found |= dict.fromkeys(_column("animals", "plural"), "animals")
    found |= dict.fromkeys(_column("animals", "young_plural"), "young animals")
    return found | dict.fromkeys(_column("professions", "plural"), "professions")


@cache
def table(name):
    """Return the rows of `words/<name>.txt`, each a dict from column to str."""
    lines = (WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.strip()]
    return [dict(zip(head, row, strict=True)) for row in rows]


@cache
def things():
    """Return the lists of `words/things.txt` as rows: `name`, `it`, and a tool's `use`."""
    found = {}
    for line in (WORDS / "things.txt").read_text(encoding="utf-8").splitlines():
        name, _, words = line.partition(": ")
        pairs = [word.partition("=") for word in words.split(", ")]
        found[name] = [
            {"name": word, "use": use, "it": "them" if word in PLURAL else "it"}
            for word, _, use in pairs
        ]
    return found


@cache
def tables():
    """Return every table that the grammar's templates draw from."""
    animals = [row | _deeds(row["deed"]) for row in table("animals")]
    family = [row | _deeds(row["deed"]) | _noun_phrases(row) for row in table("family")]
    men = [{"name": row["man"], "np": row["man_np"]} | HE for row in family]
    women = [{"name": row["woman"], "np": row["woman_np"]} | SHE for row in family]
    males = [{"name": row["he"], "np": row["he"]} | HE for row in table("names")]
    females = [{"name": row["she"], "np": row["she"]} | SHE for row in table("names")]
    trades = _column("professions", "profession")
    at_work = [{"name": t, "np": f"the {t}"} | gender for t in trades for gender in (HE, SHE)]
    people = men + women + 5 * (males + females) + at_work
    return {
        "country": _named("countries", "country"),
        "animal": [row | {"name": row["animal"]} for row in animals],
        "parent": [r | {"name": r["animal"]} for r in animals if r["young"] != "-"],
        "family": [row | {"name": row["man"]} for row in family],
        "male": males,
        "female": females,
        "name": males + females,
        "worker": _named("professions", "profession"),
        "workshop": [r for r in _named("professions", "profession") if r["place"] != "-"],
        "instrument": _named("instruments", "instrument"),
        "quality": _named("adjectives", "adjective"),
        "act": [row | {"name": row["verb"], "base": row["verb"]} for row in table("verbs")],
        "person": people,
        "teller": people,
        "listener": people,
        "number": [{"name": word} for word in NUMBERS],
        "weekday": [{"name": word} for word in WEEKDAYS],
        "month": [{"name": word} for word in MONTHS],
    } | things()


HE = {"he": "he", "him": "him", "his": "his"}
SHE = {"he": "she", "him": "her", "his": "her"}


def _column(name, column):
    return [row[column] for row in table(name) if row[column] != "-"]


def _named(name, column):
    return [row | {"name": row[column]} for row in table(name)]


def _deeds(forms):
    """Return `deed`, `deed_past` and `deed_s` of `bark/barked`."""
    base, past = forms.split("/")
    if base.endswith(("s", "sh", "ch", "x", "z")):
        third = base + "es"
    else:
        third = base[:-1] + "ies" if base[-1] == "y" and base[-2] not in "aeou" else base + "s"
    return {"deed": base, "deed_past": past, "deed_s": third}


def _noun_phrases(row):
    """Return how a sentence names the man and the woman of a pair."""
    his, her = ("her", "his") if row["np"] == "-" else (row["np"], row["np"])
    return {"man_np": f"{his} {row['man']}", "woman_np": f"{her} {row['woman']}"}
