"""Date normalisation: a date as people write it, then the same date by ISO 8601.

    Tuesday, 3 March 1998            ->  1998-03-03
    the third of March, 1998         ->  1998-03-03
    Mar 3rd, 98                      ->  1998-03-03

Dates run from 1950 to 2049, so two digits name one year: 50 to 99 are 1950 to 1999, 00 to
49 are 2000 to 2049. Weekdays are the calendar's. Days and months as bare numbers between
slashes come only where both orders mean the same date: a day above 12, or equal to the
month. Between dots the day comes first, between hyphens the year.

A hash of the date decides the split: no date is in both. Ids: PAD 0, START 1, END 2, then
the characters of `SOURCE_ALPHABET` or `TARGET_ALPHABET`.
"""

import datetime
import random
import zlib

from course.data import characters
from course.data.arguments import check_choices, check_count
from course.data.characters import FIRST

FIRST_DAY, LAST_DAY = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
MONTHS = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
    "twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
    "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
FORMATS = {
    "weekday_day_month": "{weekday}, {day} {month} {year}",
    "weekday_month_day": "{weekday}, {month} {day}, {year}",
    "day_month": "{day} {month} {year}",
    "month_day": "{month} {day}, {year}",
    "month_ordinal": "{month} {nth}, {year}",
    "ordinal_of_month": "the {nth} of {month} {year}",
    "word_of_month": "the {word} of {month}, {year}",
    "month_word": "{month} the {word}, {year}",
    "on_weekday": "on {weekday} the {nth} of {month}, {year}",
    "year_first": "in {year}, on {month} {nth}",
    "short_weekday": "{wkd} {day} {mon} {year}",
    "short_month": "{mon} {day}, {year}",
    "short_ordinal": "{mon} {nth}, {yy}",
    "apostrophe": "{day} {mon} '{yy}",
    "hyphens": "{dd}-{mon}-{year}",
    "dots": "{day}.{number}.{year}",
    "digits": "{year}{mm}{dd}",
    "year_slashes": "{year}/{mm}/{dd}",
    "day_slashes": "{day}/{number}/{yy}",
    "month_slashes": "{number}/{day}/{yy}",
}
EITHER_ORDER = ("day_slashes", "month_slashes")
SOURCE_ALPHABET = " ',-./0123456789ADFJMNOSTWabcdefghilmnoprstuvwxy"
TARGET_ALPHABET = "-0123456789"
SOURCE_VOCABULARY_SIZE = FIRST + len(SOURCE_ALPHABET)
TARGET_VOCABULARY_SIZE = FIRST + len(TARGET_ALPHABET)
SOURCE_LENGTH, TARGET_LENGTH = 40, 12
TEST_SHARE = 10  # one date in ten belongs to the test


def load(split, num_examples=None, formats=None, seed=0):
    """Return sources and targets as ids; `num_examples` defaults to 20,000 or 2,000.

    Args:
        split: str. `"train"` or `"test"`.
        num_examples: int. B.
        formats: names out of `FORMATS`; all by default. A format is drawn for each example.
        seed: int. The same seed gives the same examples.

    Returns:
        `sources`, int32 `(B, 40)`: the characters, then PAD. `targets`, int32 `(B, 12)`:
        START, ten characters, END.

    Raises:
        ValueError: if an argument is out of its limits.
    """
    sources, targets = zip(*pairs(split, num_examples, formats, seed), strict=True)
    return (
        characters.encode(sources, SOURCE_ALPHABET, SOURCE_LENGTH),
        characters.encode(targets, TARGET_ALPHABET, TARGET_LENGTH, marks=True),
    )


def pairs(split, num_examples=None, formats=None, seed=0):
    """Return what `load` returns as a list of pairs of str: as written, and by ISO 8601."""
    if num_examples is None:
        num_examples = {"train": 20_000, "test": 2_000}[split]
    check_count("num_examples", num_examples, high=1_000_000)
    formats = check_choices("formats", formats, FORMATS)
    rng = random.Random(f"dates {split} {check_count('seed', seed, low=0)}")
    days = [day for day in _calendar() if _is_test(day) == (split == "test")]
    chosen = []
    while len(chosen) < num_examples:
        day, name = rng.choice(days), rng.choice(formats)
        if name not in EITHER_ORDER or reads_one_way(day):
            chosen.append((write(day, name), day.isoformat()))
    return chosen


def write(day, name):
    """Return a `datetime.date` as the format called `name` writes it."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    return FORMATS[name].format(
        day=day.day,
        dd=f"{day.day:02}",
        nth=f"{day.day}{_suffix(day.day)}",
        word=ORDINALS[day.day - 1],
        month=month,
        mon=month[:3],
        number=day.month,
        mm=f"{day.month:02}",
        year=day.year,
        yy=f"{day.year % 100:02}",
        weekday=weekday,
        wkd=weekday[:3],
    )


def reads_one_way(day):
    """Whether day/month and month/day of this date cannot be mistaken for each other's."""
    return day.day > 12 or day.day == day.month


def decode_sources(ids):
    """Return sources `(B, T)` as a list of str."""
    return characters.decode(ids, SOURCE_ALPHABET)


def decode_targets(ids):
    """Return targets or predictions `(B, T)` as a list of str."""
    return characters.decode(ids, TARGET_ALPHABET)


def _suffix(number):
    return "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _calendar():
    first, last = FIRST_DAY.toordinal(), LAST_DAY.toordinal()
    return [datetime.date.fromordinal(i) for i in range(first, last + 1)]


def _is_test(day):
    return zlib.crc32(day.isoformat().encode()) % TEST_SHARE == 0
