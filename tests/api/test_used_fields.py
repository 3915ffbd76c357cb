"""Used or refused: a field that says something only beside another one is refused, and so is what a form drops."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from django.db import transaction

from contacts.models import Contact
from crm_project.api.serializers import plain_json
from crm_project.mail.models import Message
from deals.api.serializers import DealSerializer
from deals.models import Deal
from deals.services import update_deals
from tests.api.client import ApiTestCase
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, add_url, change_url, typed

pytestmark = pytest.mark.once

NORA = {"contact_first_name": "Nora", "contact_last_name": "Quist", "contact_phone": "+4722334455"}


def stored() -> Any:
    """All that a write of deals may change, without what every write changes."""
    deals = [
        DealSerializer(deal).data
        | {"updated_at": None, "stage_entered_at": None, "uuid": None, "created_at": None}
        for deal in Deal.objects.order_by("id")
    ]
    for deal in deals:
        if deal["closed_at"]:
            deal["closed_at"] = str(deal["closed_at"])[:10]
    people = list(Contact.objects.order_by("id").values("email", "full_name", "phone"))
    return plain_json([deals, people, Message.objects.count()])


class Values:
    """Deals in different states."""

    def make_world(self: Any) -> None:
        self.nora = self.person(first_name="Nora", last_name="Quist", phone="+47 22 33 44 55")
        self.acme = CompanyFactory(actor=self.bob, name="Acme")
        self.reason = LostReasonFactory(actor=self.alice, name="Price")
        self.next = self.deal(name="Next")
        CustomFieldFactory(actor=self.alice, key="seats", type="number")
        won = self.deal(name="Won", probability=35, contact=self.nora.pk)
        update_deals(actor=self.bob, changes=[(won, {"status": "won"})])
        self.targets = {
            "bare": self.deal(name="Bare"),
            "contact": self.deal(name="With contact", contact=self.nora.pk),
            "won": won,
            "hourly": self.deal(name="Hourly", bid_type="hour", bid_value="10", bid_periods=2),
        }


class _Undone:
    """A transaction that is rolled back."""

    def __enter__(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            transaction.set_rollback(True)
        self.atomic.__exit__(*error)


class TogetherTests(Values, ApiTestCase):
    """Fields that say something only beside another one."""

    def test_fields_that_need_another_one_are_refused_alone(self) -> None:
        self.make_world()
        bare, hourly = self.targets["bare"], self.targets["hourly"]
        for body, pointer, code in (
            ({"contact_phone": "1"}, "/contact_first_name", "required"),
            ({"bid_periods": 3}, "/bid_periods", "invalid"),
            ({"external_system": "erp"}, "/external_id", "required"),
            ({"notify_access_list": True}, "/notify_access_list", "invalid"),
            ({"lost_reason_id": self.reason.pk}, "/lost_reason_id", "invalid"),
            ({"closed_at": "2020-01-01T00:00:00Z"}, "/closed_at", "invalid"),
        ):
            for path, method in ((f"/api/deals/{bare.uuid}", "PATCH"), ("/api/deals", "POST")):
                for query in ("", "?dry_run=true"):
                    with self.subTest(body=body, path=path, query=query):
                        sent = {"name": "A", **body} if method == "POST" else body
                        answer = self.as_bob.send(method, path + query, sent)
                        assert answer.status_code == 400, answer.content
                        assert (pointer, code) in {
                            (error["pointer"], error["code"]) for error in answer.json()["errors"]
                        }
        assert self.as_bob.patch(f"/api/deals/{hourly.uuid}", {"bid_periods": 3}).status_code == 200


class FormTests(Values, StaffTestCase):
    """The admin's form of a deal."""

    typed_values: ClassVar[Mapping[str, Any]] = {
        "contact_phone": "1",
        "contact_first_name": "Nina",
        "contact_last_name": "Quirk",
        "contact_email": "nina@example.com",
        "bid_periods": "3",
        "probability": "35",
        "status": "lost",
        "amount_gross": "1000",
        "closed_at": "2020-01-01T00:00",
        "tax_rate": "19",
        "number": "N1",
    }

    def test_a_typed_value_is_stored_or_refused(self) -> None:
        self.make_world()
        pages = {add_url(Deal): None} | {change_url(deal): deal for deal in self.targets.values()}
        for url, deal in pages.items():
            response = self.client.get(url)
            plain = typed(response) | ({} if deal else {"name": "A"})
            form = response.context["adminform"].form
            with _Undone():
                assert self.client.post(url, plain).status_code == 302
                unchanged = stored()
            for name, value in self.typed_values.items():
                if name not in form.fields or str(plain.get(name, "")) == value:
                    continue
                with self.subTest(url=url, field=name), _Undone():
                    answer = self.client.post(url, {**plain, name: value})
                    refused = answer.status_code == 200 and answer.context["adminform"].form.errors
                    assert refused or stored() != unchanged, "accepted and dropped"

    def test_a_new_contact_without_email(self) -> None:
        self.save(
            add_url(Deal), name="Phone call", contact_first_name="Nolwenn", contact_phone="+33 6 55 00 11 22"
        )

        deal = Deal.objects.get(name="Phone call")
        assert (deal.contact.first_name, deal.contact.phone) == ("Nolwenn", "+33 6 55 00 11 22")
