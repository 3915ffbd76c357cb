"""A spilling list is a list, whether its items are in memory or on disk."""

import pytest

from crm_project.spilling_list import IN_MEMORY, SpillingList


def filled(count):
    items = SpillingList()
    for number in range(count):
        items.append({"number": number})
    return items


def numbers(items):
    return [item["number"] for item in items]


@pytest.mark.parametrize("count", [0, 1, IN_MEMORY - 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + 7])
def test_it_gives_back_what_was_appended(count):
    items = filled(count)

    assert len(items) == count
    assert bool(items) == bool(count)
    assert numbers(items) == list(range(count))


@pytest.mark.parametrize("length", [0, 1, IN_MEMORY - 1, IN_MEMORY, IN_MEMORY + 1, 2 * IN_MEMORY])
def test_it_cuts_off_the_end_and_goes_on(length):
    items = filled(2 * IN_MEMORY + 3)

    items.truncate(length)
    items.append({"number": -1})

    assert numbers(items) == [*range(length), -1]


def test_it_answers_a_part():
    assert numbers(filled(IN_MEMORY + 5)[IN_MEMORY + 3 :]) == [
        IN_MEMORY + 3,
        IN_MEMORY + 4,
    ]
