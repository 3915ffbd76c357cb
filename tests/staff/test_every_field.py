"""Used or refused: no field of a form of the admin is accepted and dropped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django import forms
from django.db import transaction

from contacts.models import Contact
from crm_project.accounts.models import ApiToken, Invitation, Member, Organization, User
from crm_project.accounts.services import create_token
from crm_project.changes import columns
from crm_project.records.kinds import kind_of
from crm_project.records.models import CustomField
from crm_project.staff.inputs import DecimalInput, Lines, References, WholeNumber
from deals.models import Deal, LostReason
from pipelines.models import Pipeline
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, add_url, change_url, typed

# A field may be refused at another one, which it needs.
NEEDS: Mapping[str, str] = {
    "contact_phone": "contact_first_name",
    "contact_email": "contact_first_name",
    "bid_type": "bid_value",
    "bid_periods": "bid_type",
    "kind": "name",
    "first_name": "name",
    "last_name": "name",
    "type": "options",
}
# Accepted without an effect on the row, each with its reason.
UNUSED: Mapping[str, str] = {
    "password": "Only its hash is stored.",
    "contacts.contact.name": "The page hides the name of a company from a person.",
}
# Texts that the form takes as they are would fail in these.
TEXTS: Mapping[str, str] = {
    "color": "#123456",
    "currency": "USD",
    "country": "NO",
    "language": "nb",
    "time_zone": "Europe/Oslo",
    "tax_rate": "17",
    "key": "other_key",
    "slug": "other-slug",
    "closed_at": "2020-02-03T04:05",
    "expires_at": "2100-02-03T04:05",
}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stored(model: Any) -> list[dict[str, Any]]:
    """All rows of a model and of what its forms write beside it, without what every write changes."""
    kind = kind_of(model)
    parts = [part for part in kind.parts if part.__name__ != "DealState"] if kind else []
    beside = [*parts, *([kind.references] if kind and kind.references else [])]
    rows = []
    for table in (model, Contact, User, *beside):
        omitted = {
            "id",
            "uuid",
            "created_at",
            "updated_at",
            "version",
            "stage_entered_at",
            "password",
            "deal_id",
        }
        omitted |= {"row_id", "date_joined", "last_login", "search_text", "digest", "expires_at"}
        for row in table._default_manager.order_by("pk"):
            values = {name: value for name, value in columns(row).items() if name not in omitted}
            if values.get("closed_at"):
                values["closed_at"] = values["closed_at"].date()
            rows.append(values)
    return rows


def other_value(name: str, field: forms.Field, current: Any) -> Any:
    """What a person could type or choose instead of the current value; None if there is no other choice."""
    if name in TEXTS:
        return TEXTS[name]
    match field:
        case forms.BooleanField():
            return "" if current == "on" else "on"
        case forms.ModelMultipleChoiceField() | forms.MultipleChoiceField():
            chosen = current or []
            left = [str(key) for key, _ in _choices(field) if str(key) not in chosen]
            return left[:1] or None
        case forms.ModelChoiceField() | forms.ChoiceField():
            left = [str(key) for key, _ in _choices(field) if key not in ("", None) and str(key) != current]
            return left[-1] if left else None
        case DecimalInput():
            return "77"
        case WholeNumber():
            return "63"
        case forms.DateField():
            return "2031-02-03"
        case References():
            return "shop: 77"
        case Lines():
            return "other one"
        case forms.EmailField():
            return "other@example.com"
    return "Other text"


def _choices(field: Any) -> list[tuple[Any, str]]:
    if isinstance(field, forms.ModelChoiceField):
        return [(row.pk, "") for row in field.queryset[:5]]
    flat: list[tuple[Any, str]] = []
    for key, label in field.choices:
        flat += list(label) if isinstance(label, list | tuple) else [(key, label)]
    return flat


class FormTests(StaffTestCase):
    def walk(self, model: Any, url: str, base: Mapping[str, Any]) -> None:
        response = self.client.get(url)
        form = response.context["adminform"].form
        plain = {**typed(response), **base}
        with undone():
            assert not self.errors_of(url, plain), url
            unchanged = stored(model)
        tried = set()
        for name, field in form.fields.items():
            value = other_value(name, field, plain.get(name))
            shown = name in typed(response) or not field.required
            is_unused = bool({name, f"{model._meta.label_lower}.{name}"} & UNUSED.keys())
            if is_unused or value is None or field.widget.is_hidden or field.disabled or not shown:
                continue
            tried.add(name)
            with self.subTest(url=url, field=name, value=value), undone():
                errors = self.errors_of(url, {**plain, name: value})
                if errors:
                    assert {name, NEEDS.get(name)} & errors.keys(), errors
                else:
                    assert stored(model) != unchanged, "accepted and dropped"
        assert tried, url

    def errors_of(self, url: str, typed_in: Mapping[str, Any]) -> Mapping[str, Any]:
        """The errors of the form; a new token is saved and shown on a page without one."""
        response = self.client.post(url, typed_in)
        has_form = response.status_code == 200 and "adminform" in (response.context or {})
        errors: Mapping[str, Any] = response.context["adminform"].form.errors if has_form else {}
        assert errors or response.status_code == 302 or not has_form
        return errors

    @pytest.mark.long
    def test_deals_and_contacts(self) -> None:
        CustomFieldFactory(actor=self.alice, key="seats", type="number")
        company = CompanyFactory(actor=self.bob, name="Acme")
        person = self.person(company=company.pk)
        LostReasonFactory(actor=self.alice)
        deal = self.deal(name="Full", contact=person.pk)
        self.walk(Deal, change_url(deal), {})
        self.walk(Deal, add_url(Deal), {"name": "New"})
        self.walk(Contact, change_url(person), {})
        self.walk(Contact, add_url(Contact), {"first_name": "New"})
        self.walk(Contact, change_url(company), {})

    def test_reference_data(self) -> None:
        self.sign_in(self.alice)
        reason = LostReasonFactory(actor=self.alice)
        self.walk(LostReason, change_url(reason), {})
        self.walk(CustomField, change_url(CustomFieldFactory(actor=self.alice)), {})
        self.walk(
            CustomField, add_url(CustomField), {"key": "new", "label": "New", "kind": "deal", "type": "text"}
        )
        self.walk(Pipeline, change_url(self.renewals), {})
        self.walk(Organization, change_url(self.organization), {})
        self.walk(Member, change_url(self.bob.member), {})
        self.walk(Invitation, add_url(Invitation), {"email": "new@example.com"})
        token, _ = create_token(actor=self.alice, name="shop")
        self.walk(ApiToken, change_url(token), {})
        self.walk(ApiToken, add_url(ApiToken), {"name": "new"})

    def test_logins(self) -> None:
        self.sign_in(self.operator)
        self.walk(User, change_url(self.bob.member.user), {})
        self.walk(Organization, add_url(Organization), {"name": "New", "owner_email": "new@example.com"})
