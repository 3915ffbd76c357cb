"""A day is read back exactly, in all of its readings, or refused; a column decides about the order."""

import datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from crm_project.readers import Unreadable
from crm_project.readers.days import ORDERS, from_serial, read_moment
from crm_project.readers.evidence import Evidence, evidence_of

LAST = datetime.date(2025, 12, 31)


@pytest.mark.parametrize(
    "written",
    ["2025-12-31", "2025/12/31", "2025.12.31.", "20251231", "31.12.2025", "31. 12. 2025", "31.12.25", "Dec 31, 2025",
     "31 Dec 2025", "31-Dec-2025", "31-Dec-25", "December 31st, 2025", "31. Dezember 2025", "31 décembre 2025",
     "31 grudnia 2025", "31 de diciembre de 2025", "31 dicembre 2025", "Wed, Dec 31, 2025",
     "Wednesday, 31 December 2025",
     "mercredi 31 déc. 2025", "46022"],
)  # fmt: skip
def test_spellings_that_leave_no_doubt(written: str) -> None:
    moment = read_moment(written)
    assert (set(moment.days.values()), set(moment.days), moment.time) == ({LAST}, set(ORDERS), None)


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("31.12.2025 12:00", "12:00:00"),
        ("31/12/2025 14:05", "14:05:00"),
        ("12/31/2025 02:05\u202fPM", "14:05:00"),
        ("12/31/2025 02:05 PM", "14:05:00"),
        ("12/31/2025, 12:05 am", "00:05:00"),
        ("15/10/2017 10:55:00 PM", "22:55:00"),
        ("Dec 31, 2025 at 2:05 p.m.", "14:05:00"),
        ("2025-12-31 16:00", "16:00:00"),
        ("2025-12-31T16:54:01.082Z", "16:54:01.082000+00:00"),
        ("2025-12-31 16:54:01+0100", "16:54:01+01:00"),
        ("2025-12-31 16:00 UTC", "16:00:00+00:00"),
        ("31/12/2025 14h05", "14:05:00"),
        ("46022.5", "12:00:00"),
    ],
)
def test_times(written: str, time: str) -> None:
    moment = read_moment(written)
    assert moment.time is not None
    assert moment.time.isoformat() == time


def test_what_can_be_read_in_two_orders_has_two_readings() -> None:
    assert read_moment("03/04/2025").days == {
        "dmy": datetime.date(2025, 4, 3),
        "mdy": datetime.date(2025, 3, 4),
    }
    assert read_moment("12/31/25").days == {"mdy": LAST}
    assert read_moment("31/12/25").days == {"dmy": LAST}
    # With hyphens the year may come first.
    assert read_moment("25-12-31").days == {"dmy": datetime.date(2031, 12, 25), "ymd": LAST}


@pytest.mark.parametrize(
    "written",
    ["", "soon", "2025-02-30", "12.31.2025", "31/13/2025", "0/0/00", "--03-07", "2025-13-01", "12345", "99999",
     "1700000000000",
     "2025-12-31 25:00", "2025-12-31 13:05 PM", "32 Dec 2025", "31 Foo 2025", "1/2/3", "20259931"],
)  # fmt: skip
def test_other_texts_are_refused(written: str) -> None:
    with pytest.raises(Unreadable):
        read_moment(written)


def test_numbers_of_spreadsheets() -> None:
    assert set(from_serial(46022).days.values()) == {LAST}
    assert from_serial(46022.75).time == datetime.time(18)
    with pytest.raises(Unreadable):
        from_serial(5)


def column(*cells: str) -> Evidence:
    return evidence_of(ORDERS, [(cell, read_moment(cell).days) for cell in cells])


def test_a_column_decides_about_its_order() -> None:
    assert column("03/04/2025", "31/12/2025").decided == "dmy"
    assert column("03/04/2025", "12/31/2025").decided == "mdy"
    assert column("2025-12-31", "31.12.2025").choices == []
    assert column("03/04/2025", "2025-12-31").choices == ["dmy", "mdy"]
    assert not column("05/05/2025", "2025-12-31").is_open


def test_a_column_that_contradicts_itself_is_open() -> None:
    evidence = column("31/12/2025", "12/31/2025")
    assert (evidence.is_contradictory, evidence.choices) == (True, ["dmy", "mdy"])


DAYS = st.dates(datetime.date(1970, 1, 1), datetime.date(2069, 12, 31))
SPELLINGS = {
    "%d/%m/%Y": "dmy", "%m/%d/%Y": "mdy", "%d/%m/%y": "dmy", "%m/%d/%y": "mdy", "%d-%m-%Y": "dmy", "%m-%d-%Y": "mdy",
    "%y-%m-%d": "ymd", "%d-%m-%y": "dmy", "%d.%m.%Y": "dmy", "%d.%m.%y": "dmy", "%Y-%m-%d": "ymd", "%Y/%m/%d": "ymd",
    "%Y%m%d": "ymd", "%d %B %Y": "dmy", "%B %d, %Y": "mdy", "%d-%b-%Y": "dmy", "%b %d, %Y": "mdy",
}  # fmt: skip
CLOCKS = ("", " %H:%M", " %I:%M %p", "T%H:%M:%SZ", ", %H:%M:%S")


@given(
    st.lists(DAYS, min_size=1, max_size=6),
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(CLOCKS),
    st.times(),
)
def test_a_column_is_read_back_exactly_or_asked_about(days, spelling, clock, time) -> None:
    at = time.replace(microsecond=0, second=time.second if "%S" in clock else 0)
    written = [datetime.datetime.combine(day, at).strftime(spelling + clock) for day in days]
    evidence = column(*written)
    order = SPELLINGS[spelling]
    moments = [read_moment(text) for text in written]

    assert order in evidence.choices or not evidence.choices or not evidence.different
    decided = evidence.decided or (order if evidence.choices else next(iter(moments[0].days)))
    assert [moment.days[decided] for moment in moments] == days
    if clock:
        assert [(m.time or datetime.time()).replace(tzinfo=None) for m in moments] == [at] * len(days)


@given(
    DAYS,
    st.sampled_from(["en_GB", "en_US", "fr", "pl", "es", "it", "de", "pt", "nl"]),
    st.sampled_from(["medium", "long", "full"]),
)
def test_named_months_are_read_back_exactly_or_refused(day, language, width) -> None:
    written = format_date(day, width, locale=language)
    try:
        moment = read_moment(written)
    except Unreadable:
        return
    assert day in moment.days.values()
    assert len(set(moment.days.values())) == 1 or language in ("pt", "es", "fr", "it", "nl")
