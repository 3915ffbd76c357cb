"""Every column of a deal, a contact and an activity is in the form, the import, the export, the API and the service.

A column that is missing from one of them fails here, unless it is excluded by name, with the reason.
"""

import datetime
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import models
from django.test import RequestFactory

from contacts.api.serializers import ContactSerializer
from contacts.kinds import PERSONAL
from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.activities.api.serializers import ActivitySerializer
from crm_project.activities.models import Activity
from crm_project.activities.services import create_activities
from crm_project.imports.kinds import import_kind
from crm_project.records.kinds import kind_of
from crm_project.records.models import Row
from crm_project.records.services import create_custom_field
from deals.api.serializers import DealSerializer
from deals.models import Deal, DealState
from deals.rules import STATE_FIELDS
from deals.services import create_deals, create_lost_reason
from tests.base import BaseTestCase

INTERNAL = {
    "id": "internal key; rows are named by uuid",
    "organization": "the actor's",
    "version": "sent as the ETag, and in the form as `seen`",
    "deleted_at": "set by trash and restore alone",
    "search_text": "derived from the searched columns",
    "phone_normalized": "derived from the phone",
    "mobile_normalized": "derived from the mobile",
    "name_folded": "derived from a company's name",
    "deadline": "derived from the due date",
    "merged_into": "set by a merge alone",
    "next_due_at": "derived from the planned activities; `next_step` of a response",
    "next_activity": "derived from the planned activities; `next_step` of a response",
}
DERIVED = {
    "uuid": "assigned once",
    "created_at": "assigned once",
    "updated_at": "set at each write",
    "full_name": "derived from the names",
    "amount_base": "derived from the amount and the rates of the organization",
    "stage_entered_at": "set when the stage changes",
    "created_by": "the actor",
}
# What a redaction leaves in a contact.
IMPERSONAL = {
    "kind": "a person or a company",
    "company": "another contact, which is redacted by itself",
    "owner": "a member",
}
# Sums and lists of an earlier day are made of states, which have no other columns.
NOT_IN_STATES = (
    "name description amount_gross tax_rate bid_type bid_value bid_periods contact client is_private lost_reason date"
    " date_from date_to number invoice_no url origin department_id project_id task_id next_deal custom_fields"
    " forecast_category amount_base paused_until pause_reason"
    " members followers access_list external_references stage_entered_at created_by created_at updated_at uuid"
).split()
# What another system has assigned, which an import takes.
OF_A_SOURCE = ("uuid", "created_at", "full_name", "stage_entered_at", "created_by")
# Import fields whose `attribute` is not the column.
IMPORTED_AS = {"custom_fields": "custom_extra", "external_references": "external_id"}


SERIALIZERS: tuple[tuple[Any, type[Row]], ...] = (
    (DealSerializer(), Deal),
    (ContactSerializer(), Contact),
    (ActivitySerializer(), Activity),
)


class ColumnsTestCase(BaseTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        for kind in ("deal", "contact"):
            change = {"kind": kind, "key": "extra", "label": "Extra", "type": "text"}
            create_custom_field(actor=cls.alice, change=change)
        cls.lost_reason = create_lost_reason(actor=cls.alice, change={"name": "Price"})
        cls.company = cls.person(cls, kind="company", name="Acme", first_name="", last_name="", email="")
        cls.other = cls.person(cls)
        cls.next_deal = cls.deal(cls, name="Next")
        cls.call = cls.activity(cls, type="call", contact=cls.other.pk)


def columns_of(model: type[Row]) -> list[str]:
    """The columns and lists of a kind of row."""
    lists = [field.name for field in model._meta.many_to_many]
    own = [name for name in kind_of(model).lists if name not in lists]
    return [*(field.name for field in model._meta.concrete_fields), *lists, *own]


def assert_complete(
    where: str, model: type[Row], present: Collection[str], *excluded: Mapping[str, str]
) -> None:
    reasons = {name: reason for names in excluded for name, reason in names.items()}
    columns = set(columns_of(model))
    missing = columns - set(present) - reasons.keys()
    assert not missing, f"{where} lacks {sorted(missing)}: add each, or exclude it by name with the reason"
    needless = columns & set(present) & reasons.keys()
    assert not needless, f"{where} has {sorted(needless)}, which are excluded"


class AdminFormTests(ColumnsTestCase):
    """The form to add a row and the form to change it, as an admin gets them."""

    def fields(self, model: type[Row], row: Any) -> set[str]:
        request = RequestFactory().get("/admin/")
        request.user, request.staff_actor = self.alice.member.user, self.alice
        page = admin.site._registry[model]
        form = page.get_form(request, row, change=row is not None)
        names = set(flatten_fieldsets(page.get_fieldsets(request, row))) & set(form.base_fields)
        return {"custom_fields" if name == "custom_extra" else name for name in names}

    def test_deals(self) -> None:
        for row in (None, self.next_deal):
            assert_complete("The form of deals", Deal, self.fields(Deal, row), INTERNAL, DERIVED)

    def test_contacts(self) -> None:
        for row in (None, self.other):
            assert_complete("The form of contacts", Contact, self.fields(Contact, row), INTERNAL, DERIVED)

    def test_activities(self) -> None:
        for row in (None, self.call):
            assert_complete("The form of activities", Activity, self.fields(Activity, row), INTERNAL, DERIVED)


class TableTests(ColumnsTestCase):
    """What a column of a file can be mapped to, and the columns of an export."""

    def names(self, kind: str, *, written: bool) -> set[str]:
        fields = [
            field for field in import_kind(kind, self.alice).fields if not (written and field.is_read_only)
        ]
        as_columns = {key: name for name, key in IMPORTED_AS.items()}
        return {as_columns.get(field.key, field.attribute) for field in fields}

    def test_imported_deals(self) -> None:
        assigned = {name: reason for name, reason in DERIVED.items() if name not in OF_A_SOURCE}
        assert_complete("The import of deals", Deal, self.names("deals", written=True), INTERNAL, assigned)

    def test_imported_contacts(self) -> None:
        assigned = {name: reason for name, reason in DERIVED.items() if name not in OF_A_SOURCE}
        assert_complete(
            "The import of contacts", Contact, self.names("contacts", written=True), INTERNAL, assigned
        )

    def test_imported_activities(self) -> None:
        assigned = {name: reason for name, reason in DERIVED.items() if name != "uuid"}
        names = self.names("activities", written=True)
        assert_complete("The import of activities", Activity, names, INTERNAL, assigned)

    def test_exported(self) -> None:
        names = self.names("activities", written=False)
        assert_complete("The export of activities", Activity, names, INTERNAL)
        assert_complete("The export of deals", Deal, self.names("deals", written=False), INTERNAL)
        assert_complete("The export of contacts", Contact, self.names("contacts", written=False), INTERNAL)


class SerializerTests(BaseTestCase):
    def test_read(self) -> None:
        for serializer, model in SERIALIZERS:
            fields = [field for field in serializer.fields.values() if not field.write_only]
            names = {str(field.field_name) for field in fields}
            # The API says `participants`, and the model `members`.
            names |= {"members"} if "participants" in names else set()
            assert_complete(type(serializer).__name__, model, names, INTERNAL)

    def test_written(self) -> None:
        for serializer, model in SERIALIZERS:
            fields = [field for field in serializer.fields.values() if not field.read_only]
            names = {str(field.source) for field in fields}
            assert_complete(type(serializer).__name__, model, names, INTERNAL, DERIVED)

    def test_texts_are_as_long_as_their_columns(self) -> None:
        """The document names the length; the service would refuse a longer text, whatever the document says."""
        for serializer, model in SERIALIZERS:
            lengths = {
                field.name: field.max_length
                for field in model._meta.concrete_fields
                if isinstance(field, models.CharField) and not field.choices
            }
            sent = {
                str(field.source): getattr(field, "max_length", None)
                for field in serializer.fields.values()
                if not field.read_only and field.source in lengths
            }
            assert sent == {name: lengths[name] for name in sent}, type(serializer).__name__


class ServiceTests(ColumnsTestCase):
    """Each column is sent to the service and read back; `values` has those that need more than a value of the type."""

    def written(self, model: type[Row], create: Any, values: Mapping[str, Any]) -> set[str]:
        names = [name for name in columns_of(model) if name not in INTERNAL and name not in DERIVED]
        change = {name: values.get(name, self.value_of(model, name)) for name in names}
        row = model.objects.get(pk=create(actor=self.alice, changes=[change])[0].pk)
        return {name for name in names if _value(row, name) == change[name]}

    def value_of(self, model: type[Row], name: str) -> Any:
        match name:
            case "further_emails" | "further_phones":
                return [f"{name}@example.com"]
            case "external_references":
                return [("crm", f"{model.__name__}-1")]
            case "custom_fields":
                return {"extra": "more"}
        match model._meta.get_field(name):
            case models.BooleanField():
                return True
            case models.IntegerField():
                return 7
            case models.DecimalField():
                return Decimal("20.00")
            case models.DateField():
                return self.next_deal.created_at.date()
        return f"{name}@example.com"

    def test_deals(self) -> None:
        values = {
            "currency": "USD",
            "bid_type": "hour",
            "amount": Decimal("140.00"),
            "amount_gross": Decimal("150.00"),
            "tax_rate": "exempt",
            "status": "lost",
            "forecast_category": "commit",
            "stage": self.lost.pk,
            "contact": self.other.pk,
            "client": self.company.pk,
            "owner": self.manager.member.pk,
            "lost_reason": self.lost_reason.pk,
            "closed_at": self.next_deal.created_at,
            "next_deal": self.next_deal.pk,
            "members": [self.other.pk],
            "followers": [self.manager.member.pk],
            "access_list": [self.alice.member.pk, self.manager.member.pk],
        }
        # A closed deal has no probability of its own, and is not paused.
        closed = {"probability": None, "paused_until": None, "pause_reason": ""}
        names = self.written(Deal, create_deals, {**values, **closed}) - closed.keys()
        opened = {"status": "open", "stage": self.offer.pk, "lost_reason": None, "closed_at": None}
        opened["external_references"] = []
        opened["paused_until"] = datetime.date(2999, 1, 1)
        of_open = {"probability", "paused_until", "pause_reason"}
        names |= self.written(Deal, create_deals, {**values, **opened}) & of_open
        assert_complete("create_deals", Deal, names, INTERNAL, DERIVED)

    def test_activities(self) -> None:
        common = {
            "type": "call",
            "done_at": self.next_deal.created_at,
            "owner": self.manager.member.pk,
            "deal": self.next_deal.pk,
            "contact": self.other.pk,
        }
        at = {**common, "due_at": self.next_deal.created_at, "due_on": None}
        names = self.written(Activity, create_activities, at) - {"due_on"}
        on = {**common, "due_at": None, "external_references": []}
        names |= self.written(Activity, create_activities, on)
        assert_complete("create_activities", Activity, names, INTERNAL, DERIVED)

    def test_contacts(self) -> None:
        person = {"kind": "person", "company": self.company.pk, "owner": self.manager.member.pk}
        company = {**person, "kind": "company", "company": None, "first_name": "", "last_name": ""}
        names = self.written(Contact, create_contacts, {**person, "name": ""})
        names |= self.written(Contact, create_contacts, {**company, "external_references": []})
        assert_complete("create_contacts", Contact, names, INTERNAL, DERIVED)


class RedactionTests(BaseTestCase):
    def test_every_column_of_a_contact_is_erased_or_excluded(self) -> None:
        """In the row and in its events; what is derived is derived again."""
        assert_complete("PERSONAL of contacts/kinds.py", Contact, PERSONAL, INTERNAL, DERIVED, IMPERSONAL)


class StateTests(BaseTestCase):
    def test_every_column_of_a_state_is_compared(self) -> None:
        """A state is written when one of `STATE_FIELDS` or the probability changes."""
        own = {"id", "organization_id", "deal_id", "valid_from", "valid_to"}
        columns = {field.attname for field in DealState._meta.concrete_fields}

        assert columns - own == {*STATE_FIELDS, "probability"}

    def test_every_column_of_a_deal_is_in_its_states(self) -> None:
        present = {field.name for field in DealState._meta.concrete_fields}
        reasons = dict.fromkeys(NOT_IN_STATES, "never read as of an earlier day")
        internal = {name: reason for name, reason in INTERNAL.items() if name not in present}
        assert_complete("The state of a deal", Deal, present, internal, reasons)


def _value(row: Any, name: str) -> Any:
    """A column or list of the row in the form in which a service takes it."""
    if name == "external_references":
        return [(reference.system, reference.external_id) for reference in row.references.all()]
    if name in kind_of(type(row)).lists and name.startswith("further_"):
        return getattr(row, name)
    field = row._meta.get_field(name)
    if field.many_to_many:
        return sorted(target.pk for target in getattr(row, name).all())
    return getattr(row, field.attname)
