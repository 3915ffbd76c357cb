"""A fresh row is what the model itself would have made."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.db import models
from django.db.models import Model

from contacts.models import Contact, ContactReference
from crm_project.changes import Recorded
from crm_project.journal.models import Event
from crm_project.records.instances import fast_instance
from crm_project.spilling_list import IN_MEMORY, SpillingList
from deals.models import Deal, DealReference, DealState

MADE_ANEW = models.UUIDField | models.DateTimeField


@pytest.mark.parametrize("model", [Contact, ContactReference, Deal, DealReference, DealState, Event])
def test_it_holds_the_defaults(model: type[Model]):
    row, plain = fast_instance(model), model()

    for field in model._meta.concrete_fields:
        value, expected = row.__dict__[field.attname], getattr(plain, field.attname)
        assert type(value) is type(expected), field
        if expected is not None and not isinstance(field, MADE_ANEW):
            assert value == expected, field
    assert row._state.adding
    assert (row.pk, row == row, row == fast_instance(model)) == (None, True, False)


def test_it_takes_what_is_given():
    key, day = uuid.uuid4(), datetime.date(2026, 1, 2)

    deal = fast_instance(Deal, uuid=key, name="A", amount=Decimal(5), expected_close_date=day, stage_id=7)

    assert (deal.uuid, deal.name, deal.amount, deal.expected_close_date, deal.stage_id) == (
        key,
        "A",
        Decimal(5),
        day,
        7,
    )


def test_two_share_nothing():
    one, other = fast_instance(Deal), fast_instance(Deal)

    one.custom_fields["size"] = 1

    assert other.custom_fields == {}
    assert one.uuid != other.uuid
    assert one._state is not other._state


def test_what_happened_to_a_row_survives_being_put_away():
    spool: SpillingList[Recorded] = SpillingList()
    recorded = [
        Recorded(1, "deal", "created", number, uuid.uuid4(), 1, {"name": (None, "A")})
        for number in range(IN_MEMORY + 1)
    ]
    for one in recorded:
        spool.append(one)

    assert list(spool) == recorded
