"""The words of the reviews: what is reviewed, its aspects, facts about it, and opinions."""

DOMAINS = {
    "film": ("acting", "plot", "ending", "soundtrack", "script"),
    "novel": ("style", "plot", "ending", "dialogue", "opening"),
    "meal": ("soup", "dessert", "service", "sauce", "main course"),
    "hotel": ("room", "breakfast", "view", "service", "garden"),
    "concert": ("singing", "sound", "lighting", "encore", "programme"),
    "exhibition": ("layout", "lighting", "catalogue", "guided tour", "opening"),
}
FACTS = {
    "film": (
        "lasted two hours",
        "was shot in Rome",
        "opened in May",
        "was about two sisters",
    ),
    "novel": (
        "had three hundred pages",
        "was set in Rome",
        "appeared in May",
        "was about two brothers",
    ),
    "meal": (
        "had four courses",
        "was served at eight",
        "lasted two hours",
        "came with bread",
    ),
    "hotel": (
        "had three hundred rooms",
        "stood by a lake",
        "opened in May",
        "was near the station",
    ),
    "concert": (
        "began at eight",
        "lasted two hours",
        "took place by a lake",
        "was in three parts",
    ),
    "exhibition": (
        "filled four rooms",
        "opened in May",
        "was near the station",
        "showed three hundred drawings",
    ),
}
PEOPLE = (
    ("my sister", "she"),
    ("my brother", "he"),
    ("my aunt", "she"),
    ("my uncle", "he"),
    ("my mother", "she"),
    ("my father", "he"),
)
DEGREES = ("really", "quite", "rather", "truly")
ADJECTIVES = {
    1: (
        "good great wonderful excellent lovely delightful charming pleasant impressive clever "
        "brilliant superb memorable refreshing splendid enjoyable"
    ).split(),
    -1: (
        "bad awful terrible dreadful poor dull boring tedious annoying clumsy "
        "horrible disappointing mediocre forgettable unpleasant feeble"
    ).split(),
}
NOUNS = {
    1: ("a joy", "a delight", "a pleasure", "a triumph", "a treat", "a success"),
    -1: ("a mess", "a bore", "a failure", "a disappointment", "a disaster", "a nuisance"),
}
VERBS = {
    1: (("enjoy", "enjoyed"), ("love", "loved"), ("admire", "admired"), ("like", "liked")),
    -1: (
        ("hate", "hated"),
        ("dislike", "disliked"),
        ("resent", "resented"),
        ("regret", "regretted"),
    ),
}
