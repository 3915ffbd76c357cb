"""People and companies in the admin."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.admin import likeness
from contacts.admin.merging import Merge
from contacts.models import Contact
from contacts.services import addresses
from crm_project.accounts.rules import Permission
from crm_project.staff import display, panels
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import ChangeSetFilter, InstantRange, RowFilter, choice_filter, range_filter
from crm_project.staff.forms import StaffForm, references_field, when
from crm_project.staff.inputs import Entries, EntriesInput, Textarea
from crm_project.staff.request_actor import actor_of, member_choices

PEOPLE_SHOWN = 50
# Shortest search text that finds few enough contacts to sort them.
SORTABLE_LENGTH = 3


class ContactForm(StaffForm):
    labels: ClassVar[Mapping[str, Any]] = {
        "name": gettext_lazy("Company name"),
        "email": gettext_lazy("E-mail"),
    }
    further_emails = Entries(
        label=gettext_lazy("Further e-mails"), required=False, widget=EntriesInput({"inputmode": "email"})
    )
    further_phones = Entries(
        label=gettext_lazy("Further phones"), required=False, widget=EntriesInput({"inputmode": "tel"})
    )
    external_references = references_field()

    class Media:
        js = likeness.SCRIPTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            likeness.warn(self.fields["email"], self.instance if self.instance.pk else None)
        for name in addresses.NAMES if self.instance.pk else ():
            self.initial[name] = getattr(self.instance, name)
        if "description" in self.fields:
            self.fields["description"].widget = Textarea({"rows": 4})
        if "company" in self.fields:
            companies: Any = self.fields["company"]
            companies.queryset = companies.queryset.filter(kind=Contact.Kinds.COMPANY)

    def change(self) -> dict[str, Any]:
        """Fields that the form hides for this kind of contact are empty."""
        change = super().change()
        kind = self.cleaned_data.get("kind")
        hidden = hidden_for(kind)
        if self.instance.pk is None:
            return {name: value for name, value in change.items() if name not in hidden}
        if "kind" in change:
            empty = {name: None if name == "company" else "" for name in hidden}
            change |= {name: value for name, value in empty.items() if getattr(self.instance, name)}
        return change


PERSON_FIELDS = ("first_name", "last_name", "company")
COMPANY_FIELDS = ("name",)


def hidden_for(kind: Any) -> tuple[str, ...]:
    return PERSON_FIELDS if kind == Contact.Kinds.COMPANY else COMPANY_FIELDS


def people_of(request: HttpRequest, company: Contact) -> panels.Panel | None:
    """The panel of the people of a company."""
    actor = actor_of(request)
    if actor is None or company.kind != Contact.Kinds.COMPANY:
        return None
    people = Contact.objects.visible_to(actor.member).filter(company=company.pk).order_by("full_name", "id")
    first_people = list(people[: PEOPLE_SHOWN + 1])
    more = f"{reverse('admin:contacts_contact_changelist')}?company={company.pk}"
    add = f"{reverse('admin:contacts_contact_add')}?kind=person&company={company.pk}"
    return panels.Panel(
        title=_("People"),
        headers=(_("Name"), _("Job title"), _("E-mail"), _("Phone")),
        rows=[
            (
                display.link(person),
                person.job_title,
                display.mail(person.email),
                display.phone(person.phone or person.mobile),
            )
            for person in first_people[:PEOPLE_SHOWN]
        ],
        empty=_("No people yet."),
        more_url=more if len(first_people) > PEOPLE_SHOWN else "",
        add_url=add if actor.may(Permission.EDIT_DEALS) else "",
    )


class CompanyFilter(RowFilter):
    title = gettext_lazy("Company")
    parameter = "company"
    model = Contact


@admin.register(Contact)
class ContactAdmin(StaffModelAdmin):
    form = ContactForm
    has_trash = True
    custom_kind = "contact"
    panel_factories: ClassVar[Any] = {Contact: people_of}
    select_related: ClassVar[Any] = ("company", "owner__user")
    search_fields: ClassVar[Any] = ("search_text",)
    search_help_text = gettext_lazy("Name, e-mail or phone")
    palette_icon = "person"
    has_tabs = True
    has_views = True
    column_names: ClassVar[Any] = {
        "full_name": "name",
        "kind_of": "kind",
        "address": "email",
        "phone_number": "phone",
        "company_name": "company",
        "owned_by": "owner",
        "created_on": "created_at",
    }
    empty_hint = gettext_lazy(
        "Add people and companies here, import them from a file, or enter their e-mail with a deal."
    )
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at", "full_name")
    list_columns: ClassVar[Any] = (
        *("full_name", "kind", "email", "phone", "mobile", "created_at", "deleted_at", "company__full_name"),
        *("owner__user__full_name", "owner__user__email"),
    )
    list_display: ClassVar[Any] = (
        "full_name",
        "kind_of",
        "address",
        "phone_number",
        "company_name",
        "owned_by",
        "created_on",
    )
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("Kind"), "kind", Contact.Kinds.choices),
        choice_filter(gettext_lazy("Owner"), "owner", member_choices),
        range_filter(InstantRange, gettext_lazy("Created"), "created_at"),
        CompanyFilter,
        ChangeSetFilter,
    )
    sortable_by: ClassVar[Any] = ("full_name", "created_on")
    autocomplete_fields: ClassVar[Any] = ("company", "owner")
    conditional_fields: ClassVar[Any] = {
        "name": when("kind", "== 'company'"),
        "first_name": when("kind", "== 'person'"),
        "last_name": when("kind", "== 'person'"),
        "company": when("kind", "== 'person'"),
        "job_title": when("kind", "== 'person'"),
        "department": when("kind", "== 'person'"),
    }
    row_actions: ClassVar[Any] = (
        TrashAction(
            explanation=gettext_lazy(
                "Contacts of deals cannot be moved to the trash. Others can be restored for 30 days."
            ),
        ),
        RestoreAction(),
        Merge(),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(likeness.duplicates_view, self))
        return [path("duplicates/", view, name="contacts_contact_duplicates"), *super().get_urls()]

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        main: list[Any] = ["kind", "name", "first_name", "last_name", "email", ("phone", "mobile")]
        main += [("further_emails", "further_phones"), "company"]
        if row is not None and not self.has_change_permission(request, row):
            main = [name for name in main if name not in hidden_for(row.kind)]
        work = ["job_title", "department", "owner", "website", "origin", "description"]
        address = ["street", "postal_code", "city", "country"]
        return [
            (None, {"fields": main}),
            (_("More"), {"fields": work, "classes": ["tab"]}),
            (_("Address"), {"fields": address, "classes": ["tab"]}),
            (_("References"), {"fields": ["external_references"], "classes": ["tab"]}),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": self.actor(request).member.pk, **super().get_changeform_initial_data(request)}

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The choices of a person's company are companies; those of a deal's account have companies first."""
        field_name = request.GET.get("field_name") if "term" in request.GET else None
        rows = queryset.filter(kind=Contact.Kinds.COMPANY) if field_name == "company" else queryset
        if field_name == "client" and len(search_term.strip()) >= SORTABLE_LENGTH:
            rows = rows.order_by("kind", "full_name", "id")
        return super().get_search_results(request, rows, search_term)

    def header(self, request: HttpRequest, row: Contact) -> dict[str, Any] | None:
        """How to reach the contact, and the company of a person."""
        facts = [
            (_("E-mail"), row.email and display.mail(row.email)),
            (_("Phone"), row.phone and display.phone(row.phone)),
            (_("Mobile"), row.mobile and display.phone(row.mobile)),
            (_("Further e-mails"), display.joined([*map(display.mail, row.further_emails)])),
            (_("Further phones"), display.joined([*map(display.phone, row.further_phones)])),
            (_("Company"), row.company and display.link(row.company)),
            (_("Website"), row.website and display.web(row.website)),
        ]
        present = [(label, value) for label, value in facts if value]
        return {"template": "admin/facts.html", "facts": present} if present else None

    def palette_description(self, row: Contact) -> str:
        return " · ".join(part for part in (row.get_kind_display(), row.email) if part)

    @admin.display(description=gettext_lazy("Kind"))
    def kind_of(self, contact: Contact) -> Any:
        return display.status(
            "muted" if contact.kind == Contact.Kinds.PERSON else "open", contact.get_kind_display()
        )

    @admin.display(description=gettext_lazy("Company"))
    def company_name(self, contact: Contact) -> Any:
        return display.link(contact.company)

    @admin.display(description=gettext_lazy("E-mail"))
    def address(self, contact: Contact) -> Any:
        return display.mail(contact.email)

    @admin.display(description=gettext_lazy("Phone"))
    def phone_number(self, contact: Contact) -> Any:
        return display.phone(contact.phone or contact.mobile)

    @admin.display(description=gettext_lazy("Created"), ordering="created_at")
    def created_on(self, contact: Contact) -> Any:
        return display.day(timezone.localdate(contact.created_at))

    @admin.display(description=gettext_lazy("Owner"))
    def owned_by(self, contact: Contact) -> Any:
        return contact.owner.full_name if contact.owner else display.NOTHING
