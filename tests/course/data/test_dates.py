"""Dates: true calendar, formats that read one way, splits by date."""

import calendar
import datetime
import re

import numpy as np
import pytest

from course.data import load
from course.data.dates import (
    FORMATS,
    SOURCE_ALPHABET,
    decode_sources,
    decode_targets,
    pairs,
    reads_one_way,
    write,
)

MARCH = datetime.date(1998, 3, 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weekday_day_month", "Tuesday, 3 March 1998"),
        ("word_of_month", "the third of March, 1998"),
        ("short_ordinal", "Mar 3rd, 98"),
        ("day_slashes", "3/3/98"),
        ("hyphens", "03-Mar-1998"),
        ("digits", "19980303"),
        ("dots", "3.3.1998"),
        ("apostrophe", "3 Mar '98"),
    ],
)
def test_worked_examples(name, text):
    assert write(MARCH, name) == text


@pytest.mark.parametrize(
    ("day", "nth", "word"),
    [
        (1, "1st", "first"),
        (2, "2nd", "second"),
        (11, "11th", "eleventh"),
        (12, "12th", "twelfth"),
        (13, "13th", "thirteenth"),
        (21, "21st", "twenty-first"),
        (22, "22nd", "twenty-second"),
        (23, "23rd", "twenty-third"),
        (31, "31st", "thirty-first"),
    ],
)
def test_ordinals(day, nth, word):
    date = datetime.date(2004, 1, day)
    assert write(date, "ordinal_of_month") == f"the {nth} of January 2004"
    assert write(date, "word_of_month") == f"the {word} of January, 2004"


def test_weekdays_and_leap_years_are_the_calendar_s():
    found = pairs("train", 12_000, formats=("weekday_day_month", "short_weekday"))
    for text, iso in found:
        year, month, day = map(int, iso.split("-"))
        name = calendar.day_name[calendar.weekday(year, month, day)]
        assert text.startswith((f"{name}, {day} ", f"{name[:3]} {day} "))
        assert calendar.month_name[month][:3] in text
    leap = [iso for _, iso in found if iso.endswith("02-29")]
    assert leap
    assert all(int(iso[:4]) % 4 == 0 for iso in leap)


def test_bare_numbers_come_only_where_both_orders_agree():
    found = pairs("train", 5_000, formats=("day_slashes", "month_slashes"))
    for text, iso in found:
        first, second, year = map(int, text.split("/"))
        date = datetime.date.fromisoformat(iso)
        assert {first, second} == {date.day, date.month}
        assert max(first, second) > 12 or first == second
        assert year == date.year % 100
        assert (1950 <= date.year <= 1999) == (year >= 50)
    assert not reads_one_way(datetime.date(1998, 3, 4))


def test_each_format_of_at_least_twelve_comes():
    assert len(FORMATS) >= 12
    texts = " | ".join(text for text, _ in pairs("test", 2_000))
    for mark in ("the 2", ", on ", "on Sunday the", "'", "/", "-Jun-", "Wed ", " the first, "):
        assert mark in texts
    assert re.search(r"\| \d{8} \|", texts)


def test_no_date_is_in_both_splits_for_any_seed():
    train = {iso for _, iso in pairs("train", 15_000, seed=1)}
    test = {iso for _, iso in pairs("test", 9_000, seed=2)}
    assert not train & test
    assert len(train) > 10_000
    assert len(test) > 3_000


def test_load_gives_the_pairs_as_ids():
    sources, targets = load("dates", "test", num_examples=211, seed=5)
    assert list(zip(decode_sources(sources), decode_targets(targets), strict=True)) == pairs(
        "test", 211, seed=5
    )
    assert sources.shape == (211, 40)
    assert targets.shape == (211, 12)
    assert (targets[:, 0] == 1).all()
    assert (targets[:, 11] == 2).all()
    assert sources.dtype == targets.dtype == "int32"


def test_the_alphabet_has_what_is_needed_and_no_more():
    days = [datetime.date(1950, 1, 1) + datetime.timedelta(days=i) for i in range(4018)]
    texts = [write(day, name) for day in days for name in FORMATS]
    assert "".join(sorted(set("".join(texts)))) == SOURCE_ALPHABET
    assert max(map(len, texts)) == 40


def test_the_seed_decides():
    first, again, other = (load("dates", num_examples=53, seed=s)[0] for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_examples": -3}, "`num_examples`.*-3"),
        ({"formats": ("dots", "roman")}, "`formats`.*day_month.*'roman'"),
        ({"formats": ()}, r"`formats`.*\(\)"),
        ({"seed": "x"}, "`seed`.*'x'"),
    ],
)
def test_errors_name_the_argument(options, named):
    with pytest.raises(ValueError, match=named):
        load("dates", **options)
