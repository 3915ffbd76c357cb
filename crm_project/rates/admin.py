"""Exchange rates in the admin, one at a time or from a file."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, npgettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget

from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError, FieldError
from crm_project.languages.figures import number
from crm_project.rates import services
from crm_project.rates.models import ExchangeRate
from crm_project.rates.reading import Read, read_file
from crm_project.staff.actions import RestoreAction, TrashAction, undo_url
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import DayRange, range_filter
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import DecimalInput
from crm_project.staff.once import carry_out
from crm_project.staff.pages import render_page

MOST_ERRORS = 10
OUTCOMES = {
    "created": npgettext_lazy("rate", "%(number)s created", "%(number)s created", "count"),
    "updated": npgettext_lazy("rate", "%(number)s updated", "%(number)s updated", "count"),
    "unchanged": npgettext_lazy("rate", "%(number)s unchanged", "%(number)s unchanged", "count"),
}


class ExchangeRateForm(StaffForm):
    help_texts: ClassVar[dict[str, Any]] = {
        "date": gettext_lazy("The rate counts from this day until that of the next one.")
    }
    rate = DecimalInput(
        help_text=gettext_lazy("What one unit of the currency is worth in the organization's currency.")
    )
    external_references = references_field()

    def initial_of(self, column: Any) -> Any:
        """The rate without the zeros that fill the column."""
        value = super().initial_of(column)
        return Decimal(f"{value.normalize():f}") if column.name == "rate" else value


class RateFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File of rates"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy(
            "A CSV with the columns currency, date (2026-12-31) and rate, or the XML file of the European"
            " Central Bank. A rate of the same currency and day is corrected."
        ),
    )


@admin.register(ExchangeRate)
class ExchangeRateAdmin(StaffModelAdmin):
    form = ExchangeRateForm
    list_tools: ClassVar[Any] = {
        ExchangeRate: [
            (gettext_lazy("Upload a file"), "upload", "admin:rates_upload", Permission.EDIT_PIPELINES)
        ]
    }
    empty_hint = gettext_lazy("With rates, deals in all currencies are added up in that of the organization.")
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("currency",)
    ordering: ClassVar[Any] = ("-date", "-id")
    list_display: ClassVar[Any] = ("currency", "date", "value")
    list_filter: ClassVar[Any] = (range_filter(DayRange, gettext_lazy("Date"), "date"),)
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(
            explanation=gettext_lazy("The rate before it counts then."),
        ),
        RestoreAction(),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": [("currency", "rate"), "date", "external_references"]})]

    def get_urls(self) -> list[URLPattern]:
        upload: Any = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", upload, name="rates_upload"), *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RateFileForm(request.POST or None, request.FILES or None)
        rates_url = reverse("admin:rates_exchangerate_changelist")
        if request.method == "POST" and form.is_valid() and self._stores(request, form):
            return HttpResponseRedirect(rates_url)
        return render_page(
            self,
            request,
            "admin/rates/upload.html",
            title=_("Upload exchange rates"),
            form=form,
            form_key=uuid4().hex,
            rates_url=rates_url,
        )

    def _stores(self, request: HttpRequest, form: forms.Form) -> bool:
        """Store the rates of the file and report it, or add the errors to the form."""
        actor, rates = self.actor(request), list[Read]()
        try:
            rates = read_file(form.cleaned_data["file"].read(), actor.organization.currency)
            text, changes = carry_out(
                actor=actor,
                request=request,
                act=lambda: json.dumps(services.set_exchange_rates(actor=actor, rates=rates)),
            )
        except DomainError as error:
            for sentence in _sentences(error, rates):
                form.add_error("file", sentence)
            return False
        undo = undo_url(actor, changes)
        link = format_html(' <a class="crm-link" href="{}">{}</a>', undo, _("Undo")) if undo else ""
        messages.success(request, format_html("{}{}", _summary(json.loads(text)), link))
        return True

    @admin.display(description=gettext_lazy("Rate"))
    def value(self, row: ExchangeRate) -> str:
        return f"{row.rate.normalize():f} {row.base}"


def _summary(counts: Mapping[str, int]) -> str:
    parts = [
        OUTCOMES[outcome] % {"count": count, "number": number(count)} for outcome, count in counts.items()
    ]
    return _("Rates: %(parts)s.") % {"parts": ", ".join(map(str, parts))}


def _sentences(error: DomainError, rates: Sequence[Read]) -> list[str]:
    """The errors of a file, each of a rate with its currency and day; at most ten, and how many more there are."""
    found = [_sentence(wrong, rates) for wrong in error.fields] or [error.detail]
    more = len(found) - MOST_ERRORS
    return [
        *found[:MOST_ERRORS],
        *([_("And %(count)s more.") % {"count": number(more)}] if more > 0 else []),
    ]


def _sentence(wrong: FieldError, rates: Sequence[Read]) -> str:
    parts = wrong.field.split(".")
    if parts[0] != "rates":
        return wrong.detail
    rate = rates[int(parts[1])]
    params = {"currency": rate.currency, "day": rate.date, "problem": wrong.detail}
    return _("%(currency)s of %(day)s: %(problem)s") % params
