"""Used, refused or named: every accepted field changes the response, equals what is stored, or is refused.

`Door` is one way to write deals. A dialect's test derives from `UsedFieldsTests` with a door of its own, whose
`ignored` holds the names in the response's `X-Ignored-Fields`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core import mail
from django.db import transaction

from contacts.models import Contact
from crm_project.api.serializers import plain_json
from deals.api.serializers import DealSerializer, UpsertDealSerializer
from deals.models import Deal
from deals.services import update_deals
from tests.api.client import ApiTestCase
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, add_url, change_url, typed

NORA = {"contact_first_name": "Nora", "contact_last_name": "Quist", "contact_phone": "+4722334455"}
# Values that say nothing and are the same as an absent field.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "contact_first_name": ("", None),
    "contact_last_name": ("", None),
    "contact_phone": ("", None),
    "notify_access_list": (False,),
    # An upsert adds references and removes none.
    "external_id": ("", None),
}


@dataclass
class Answer:
    """Whether the write was accepted, and the names of the fields that it says it ignored."""

    accepted: bool
    ignored: set[str] = field(default_factory=set)
    text: str = ""


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
    return plain_json([deals, people, len(mail.outbox)])


class Values:
    """Values of every writable field, in a world of deals in different states."""

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

    def values(self: Any) -> Mapping[str, list[Any]]:
        member = str(self.viewer.member.uuid)
        return {
            "name": ["Renamed", ""],
            "description": ["x", ""],
            "amount": ["77", None],
            "amount_gross": ["1000000", None],
            "tax_rate": ["19", ""],
            "currency": ["USD", "eur"],
            "bid_type": ["hour", "fixed"],
            "bid_value": ["5", None],
            "bid_periods": [3, 1, 0, None],
            "status": ["open", "won", "lost", "abandoned"],
            "probability": [35, 99, 100, 0, None],
            "is_private": [True, False],
            "expected_close_date": ["2031-01-01", None],
            "closed_at": ["2020-01-01T00:00:00Z", None],
            "date": ["2031-01-01", None],
            "date_from": ["2031-01-01", None],
            "date_to": ["2031-01-01", None],
            "number": ["N1", ""],
            "invoice_no": ["I1", ""],
            "url": ["https://example.com", ""],
            "origin": ["Fair", ""],
            "external_references": [[{"system": "erp", "external_id": "1"}], []],
            "department_id": [1, None],
            "project_id": [1, None],
            "task_id": [1, None],
            "custom_fields": [{"seats": 3}, {"seats": None}, {}, {"unknown": 1}],
            "pipeline_id": [self.pipeline.pk, self.renewals.pk],
            "stage_id": [self.new.pk, self.offer.pk, self.won.pk, self.lost.pk],
            "contact_uuid": [str(self.nora.uuid), None],
            "contact_email": ["new@example.com", "", None],
            "contact_first_name": ["Nora", "Nina", ""],
            "contact_last_name": ["Quist", "Quirk", ""],
            "contact_phone": ["+4722334455", "1", ""],
            "client_uuid": [str(self.acme.uuid), None],
            "owner_uuid": [member, None],
            "participant_uuids": [[str(self.nora.uuid)], []],
            "follower_uuids": [[member], []],
            "access_list_uuids": [[member], []],
            "next_deal_uuid": [str(self.next.uuid), None],
            "lost_reason_id": [self.reason.pk, None],
            "notify_access_list": [True, False],
            "external_id": ["X1", ""],
            "external_system": ["erp"],
        }


class UsedFieldsTests(Values, ApiTestCase):
    serializer_class: ClassVar[Any] = UpsertDealSerializer

    def setUp(self) -> None:
        super().setUp()
        self.make_world()

    def writes(self) -> Iterator[tuple[str, Any, str, Any]]:
        """The door's writes of one field: a name, the method, the path and a function from a field to the body."""
        for name, deal in self.targets.items():
            path = f"/api/deals/{deal.uuid}"
            yield f"PATCH {name}", "PATCH", path, dict
        key = str(self.targets["contact"].uuid)
        yield "upsert contact", "POST", "/api/deals/upsert", lambda body: {"uuid": key, **body}

    def write(self, method: str, path: str, body: Any) -> Answer:
        answer = self.as_bob.send(method, path, body)
        return Answer(answer.status_code < 400, text=answer.content.decode())

    def stored_value(self, name: str, deal: Deal) -> Any:
        """The value of a field as it would be sent; None if the response has no such field."""
        shown = plain_json(DealSerializer(deal).data)
        if name in shown:
            return shown[name]
        part = {
            "participant_uuids": "participants",
            "follower_uuids": "followers",
            "access_list_uuids": "access_list",
        }.get(name)
        if part:
            return [row["uuid"] for row in shown[part]]
        base, _, key = name.rpartition("_")
        part_shown = shown.get(base)
        return part_shown.get(key) if isinstance(part_shown, dict) else None

    def test_every_field_has_values(self) -> None:
        writable = {name for name, entry in self.serializer_class().fields.items() if not entry.read_only} - {
            "uuid",
            "match_on",
        }

        assert writable == self.values().keys()

    def test_an_accepted_value_changes_something_or_is_stored_already(self) -> None:
        for label, method, path, body_of in self.writes():
            deal = next(row for name, row in self.targets.items() if label.endswith(f" {name}"))
            for name, values in self.values().items():
                for value in values:
                    with self.subTest(door=label, field=name, value=value):
                        self.assert_used(deal, name, value, method, path, body_of)

    def assert_used(self, deal: Deal, name: str, value: Any, method: str, path: str, body_of: Any) -> None:
        if value in NEUTRAL.get(name, ()):
            return
        before, shown = stored(), self.stored_value(name, Deal.objects.get(pk=deal.pk))
        with self.undone():
            answer = self.write(method, path, body_of({name: value}))
            if not answer.accepted or name in answer.ignored or stored() != before:
                return
        assert self.equal(name, value, shown, deal), f"{name}={value!r} was accepted and dropped"

    def equal(self, name: str, value: Any, shown: Any, deal: Deal) -> bool:
        if name in NORA or name == "contact_email":
            contact = deal.contact
            own = getattr(contact, name.removeprefix("contact_"), "") if contact else ""
            return str(own).replace(" ", "") == (value or "")
        if name == "custom_fields":
            return all((shown or {}).get(key) == entry for key, entry in value.items())
        if name == "currency":
            return str(value).upper() == shown
        if name == "external_references":
            # An upsert adds references.
            return value == [] or value == shown
        return value == shown or (value in (0, None, "") and shown in (0, None, ""))

    def undone(self) -> Any:
        return _Undone()


class _Undone:
    """A transaction that is rolled back, with the mail that was sent in it."""

    def __enter__(self) -> None:
        self.sent = len(mail.outbox)
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            transaction.set_rollback(True)
        self.atomic.__exit__(*error)
        del mail.outbox[self.sent :]


class CreateTests(UsedFieldsTests):
    """A field of a new deal changes the deal that comes of it, or equals what a deal without it has."""

    def writes(self) -> Iterator[tuple[str, Any, str, Any]]:
        yield "POST", "POST", "/api/deals", lambda body: {"name": "A", **body}

    def test_an_accepted_value_changes_something_or_is_stored_already(self) -> None:
        for label, method, path, body_of in self.writes():
            with self.undone():
                assert self.write(method, path, body_of({})).accepted
                plain = stored()
                bare = Deal.objects.latest("id")
                shown = {name: self.stored_value_of_new(name, bare) for name in self.values()}
            for name, values in self.values().items():
                for value in values:
                    if value in NEUTRAL.get(name, ()):
                        continue
                    with self.subTest(door=label, field=name, value=value), self.undone():
                        answer = self.write(method, path, body_of({name: value}))
                        used = not answer.accepted or stored() != plain
                        assert used or self.equal(name, value, shown[name], bare), "accepted and dropped"

    def stored_value_of_new(self, name: str, deal: Deal) -> Any:
        return self.stored_value(name, deal) if name not in NORA else ""


class TogetherTests(Values, ApiTestCase):
    """Fields that say something only beside another one."""

    def test_what_says_nothing_alone_is_refused(self) -> None:
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
