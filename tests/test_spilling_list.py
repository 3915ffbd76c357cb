"""A spool is a list, whether its items are in memory or on disk."""

import pytest

from crm_project.spilling_list import KEPT, SpillingList


def filled(count):
    spool = SpillingList()
    for number in range(count):
        spool.append({"number": number})
    return spool


def numbers(spool):
    return [item["number"] for item in spool]


@pytest.mark.parametrize("count", [0, 1, KEPT - 1, KEPT, KEPT + 1, 3 * KEPT + 7])
def test_it_gives_back_what_was_appended(count):
    spool = filled(count)

    assert len(spool) == count
    assert bool(spool) == bool(count)
    assert numbers(spool) == list(range(count))


@pytest.mark.parametrize("length", [0, 1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT])
def test_it_cuts_off_the_end_and_goes_on(length):
    spool = filled(2 * KEPT + 3)

    spool.truncate(length)
    spool.append({"number": -1})

    assert numbers(spool) == [*range(length), -1]


def test_it_answers_a_part():
    assert [item["number"] for item in filled(KEPT + 5)[KEPT + 3 :]] == [KEPT + 3, KEPT + 4]
