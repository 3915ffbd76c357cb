"""Many rows at once are the rows that a few at a time would be, whatever they hold."""

import datetime
import itertools
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from contacts.models import Contact, ContactReference
from contacts.services import create_contacts
from crm_project.changes import attempt, change_set
from crm_project.errors import DomainError
from crm_project.journal.models import Event
from crm_project.records.bulk_sql import COPY_FROM, insert_rows, update_rows
from deals.models import Deal, DealState
from deals.services import create_deals, update_deals
from tests.base import BaseTestCase
from tests.factories import CustomFieldFactory

AWKWARD = ["\\N", "\\", "a\tb", "a\nb\r\n", "'\"", "{1,2}", "NULL", "é😀\u2028", "\x01\x7f", "  ", "\\."]


class CopyingTest(BaseTestCase):
    def test_every_text_comes_back_as_it_was_sent(self):
        count = COPY_FROM + len(AWKWARD)
        changes = [
            {"first_name": "x", "last_name": AWKWARD[n % len(AWKWARD)], "phone": str(n)} for n in range(count)
        ]

        rows = create_contacts(actor=self.bob, changes=changes)

        stored = list(Contact.objects.filter(pk__in=[row.pk for row in rows]).order_by("id"))
        assert [row.last_name for row in stored] == [change["last_name"] for change in changes]
        assert [row.phone for row in stored] == [change["phone"] for change in changes]
        assert stored == rows

    def test_every_type_comes_back(self):
        change = {
            "amount": Decimal("999999999999.99"),
            "is_private": True,
            "probability": 7,
            "bid_type": "fixed",
        }

        rows = create_deals(actor=self.bob, changes=[{**change, "name": str(n)} for n in range(COPY_FROM)])

        stored = Deal.objects.get(pk=rows[-1].pk)
        for field in Deal._meta.concrete_fields:
            assert getattr(stored, field.attname) == getattr(rows[-1], field.attname), field.attname
        assert DealState.objects.filter(deal__in=rows).count() == COPY_FROM
        event = Event.objects.get(kind="deal", row_id=stored.pk)
        assert event.changes["amount"] == [None, "999999999999.99"]

    def test_the_database_still_refuses(self):
        person = self.person(external_references=[("old", "7")])
        keys = [str(n) for n in range(COPY_FROM)]
        rows = [
            ContactReference(
                organization_id=person.organization_id, row_id=person.pk, system="old", external_id=key
            )
            for key in keys
        ]

        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows(rows)

    def test_changed_rows_of_every_type_come_back(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")
        deals = create_deals(actor=self.bob, changes=[{"name": str(n)} for n in range(COPY_FROM + 1)])
        change = {
            "amount": Decimal("999999999999.99"),
            "stage": self.lost.pk,
            "is_private": True,
            "date": datetime.date(2026, 1, 2),
            "next_deal": self.deal().pk,
            "department_id": 2**63 - 1,
            "custom_fields": {"size": 1.5},
        }
        texts = itertools.cycle(AWKWARD)
        changes = [(deal, {**change, "name": next(texts)}) for deal in deals[:-1]]

        receipts = update_deals(
            actor=self.bob, changes=[*changes, (deals[-1], {"description": "one column"})]
        )

        for receipt in receipts[-len(AWKWARD) - 1 :]:
            stored = Deal.objects.get(pk=receipt.row.pk)
            for field in Deal._meta.concrete_fields:
                assert getattr(stored, field.attname) == getattr(receipt.row, field.attname), field.attname

    def test_a_text_that_is_too_long_is_refused_and_not_cut(self):
        deals = create_deals(actor=self.bob, changes=[{"name": str(n)} for n in range(COPY_FROM)])
        deals[0].number = "x" * 256

        if connection.vendor == "postgresql":
            with pytest.raises(DataError), transaction.atomic():
                update_rows(deals, ["number"])

    def test_a_failed_attempt_leaves_neither_rows_nor_events(self):
        before = Contact.objects.count()

        with change_set(self.bob) as changes:
            create_contacts(actor=self.bob, changes=[{"first_name": "Kept"}])
            with pytest.raises(DomainError), attempt():  # noqa: PT012
                create_contacts(actor=self.bob, changes=[{"first_name": "Gone"}])
                create_contacts(actor=self.bob, changes=[{}])

        assert Contact.objects.count() == before + 1
        assert Event.objects.filter(change_set=changes.uuid).count() == 1
