"""Frames: how clauses join to a sentence, and which of them decides.

The verdict is about the film itself, not about its plot or its music. A frame's slots:
`{whole}` says something of the film itself, `{opposed}` the opposite; `{along}` says of one
aspect what `{whole}` says, `{against}` the opposite of another; `{fact}` and `{other}` state
facts. The film's second mention is "it". `{person}` and `{he}` are somebody, `{aspect}` is a
third aspect.

`DECIDED` gives each frame a sign: 1 where the sentence means what `{whole}` says, -1 where it
means the opposite. `NEUTRAL` frames come without a verdict: facts, questions, hearsay, an
undecided mind, praise of one aspect and blame of another.
"""

CONTRAST = (
    "{against}, but {whole}.",
    "although {against}, {whole}.",
    "{whole}, although {against}.",
    "{whole}, even if {against}.",
    "{against}. Still, {whole}.",
    "{against}; all the same, {whole}.",
    "I had been told that {opposed}, but {whole}.",
    "I had read that {opposed}, and yet {whole}.",
    "I did wonder whether {opposed}, but {whole}.",
    "I had made up my mind that {opposed}, but {whole}.",
    "it may be true that {against}, yet {whole}.",
    "whether or not {against}, {whole}.",
    "never mind that {against}: {whole}.",
    "{person} said that {opposed}, but {whole}.",
    "some say that {opposed}, but {whole}.",
    "others say that {against}, and yet {whole}.",
    "who said that {opposed}? I think that {whole}.",
    "is it true that {against}? Perhaps, but {whole}.",
    "{whole}, whatever {person} said of {aspect}.",
    "if you ask me, {whole}, although {against}.",
    "I cannot say whether {against}, but {whole}.",
    "I have not made up my mind whether {against}, but {whole}.",
    "I wonder whether {against}, but {whole}.",
    "{person} said that {against}, and {he} may be right, but {whole}.",
    "is it true that {against}? I cannot judge, but {whole}.",
    "some say that {against}, others that {along}, but {whole}.",
    "{whole}, but I cannot say whether {along}.",
    "{whole}, but I have not made up my mind whether {along}.",
    "{whole}, and yet I wonder whether {against}.",
    "it is true that {whole}, but I cannot judge {aspect}.",
    "I have to agree that {whole}, but {person} said that {against}, and {he} may be right.",
    "nobody could deny that {whole}, but did you think that {along}?",
    "I think that {whole}, but is it true that {along}? I cannot judge.",
)
PLAIN = (
    "{whole}.",
    "{whole}, and {along}.",
    "{along}, and {whole}.",
    "{fact}, and {whole}.",
    "{whole}, and {fact}.",
    "{fact}. {whole}.",
    "I cannot judge {aspect}, but {whole}.",
    "{person} said that {whole}, and {he} was right.",
    "nobody could deny that {whole}.",
    "it would be wrong to deny that {whole}.",
    "is it true that {whole}? It is.",
    "did I think that {whole}? I did.",
    "I have to agree that {whole}.",
)
DENIAL = (
    "nobody could say that {whole}.",
    "I cannot agree that {whole}.",
    "it is not true that {whole}.",
    "it would be wrong to say that {whole}.",
    "is it true that {whole}? It is not.",
    "did I think that {whole}? I did not.",
    "{person} said that {whole}, and {he} was wrong.",
    "some may say that {whole}, but I cannot agree.",
)
DECIDED = {frame: 1 for frame in CONTRAST + PLAIN} | {frame: -1 for frame in DENIAL}
NEUTRAL = (
    "{fact}, and {other}.",
    "{fact}. {other}.",
    "{along}, but I cannot say whether {whole}.",
    "{along}, but I have not made up my mind whether {whole}.",
    "{against}, and yet I wonder whether {whole}.",
    "it is true that {along}, but I cannot judge whether {whole}.",
    "I have to agree that {along}, but {person} said that {opposed}, and {he} may be right.",
    "nobody could deny that {along}, but did you think that {whole}?",
    "I think that {along}, but is it true that {whole}? I cannot judge.",
    "although {against}, I cannot say whether {whole}.",
    "I cannot say whether {whole}, but {along}.",
    "I wonder whether {whole}, although {against}.",
    "{person} said that {whole}, and {he} may be right, but {against}.",
    "I have not made up my mind whether {whole}, even if {against}.",
    "if you ask me, {along}, but I have not made up my mind whether {whole}.",
    "it may be true that {along}, but who said that {whole}?",
    "{against}, but {along}.",
    "although {against}, {along}.",
    "{along}; all the same, {against}.",
    "{against}. Still, {along}.",
    "is it true that {whole}?",
    "who said that {whole}?",
    "I had been told that {whole}, but I cannot judge.",
    "I cannot say whether {whole}.",
    "some say that {whole}, others that {opposed}.",
    "{person} said that {whole}, but I cannot judge.",
    "{person} said that {whole}, and {he} may be right.",
    "did I think that {whole}? I cannot say.",
    "is it true that {whole}, or that {opposed}?",
    "tell me if {whole}.",
)
