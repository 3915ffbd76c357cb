"""The form of a deal: one select for pipeline and stage, amounts in a currency, a contact by e-mail address."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.admin import likeness
from crm_project.accounts.rules import Role
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.generics import AnyModelChoiceField
from crm_project.languages.figures import decimal_as_typed
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import (
    DecimalInput,
    PlainText,
    Select,
    Textarea,
    TextInput,
    WholeNumber,
)
from crm_project.staff.request_actor import actor_of, visible
from deals import money
from deals.models import Deal
from pipelines.catalogue import cached_catalogue
from pipelines.models import Stage

AMOUNTS = ("amount", "amount_gross", "bid_value")
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "PLN", "CAD", "AUD", "JPY")


def stages_of(request: Any) -> list[Stage]:
    """The visible stages with their pipelines, the default pipeline first."""
    actor = actor_of(request)
    if actor is None:
        return []
    catalogue = cached_catalogue.of(actor.organization)
    return [stage for pipeline in catalogue.default_first() for stage in catalogue.stages_of[pipeline.pk]]


def stage_choices(request: HttpRequest) -> list[Any]:
    """Stages in order, grouped by pipeline."""
    return _grouped(stages_of(request))


class StageChoiceField(AnyModelChoiceField):
    """One select for pipeline and stage."""

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        rows = visible(request, Stage).select_related("pipeline")
        super().__init__(rows, **{"label": _("Stage"), "widget": Select(), **kwargs})
        self._set_choices(request)

    def _set_choices(self, request: HttpRequest) -> None:
        blank = [] if self.required and self.initial else [("", _("Select a stage"))]
        self.grouped = [*blank, *stage_choices(request)]
        self.widget.choices = self.grouped

    def __deepcopy__(self, memo: Any) -> Any:
        """Keep the choices: ModelChoiceField would query them again."""
        copied: Any = super().__deepcopy__(memo)
        copied.widget.choices = self.grouped
        return copied


def _grouped(stages: list[Stage]) -> list[Any]:
    groups: dict[str, list[tuple[int, str]]] = {}
    names: dict[int, str] = {}
    for stage in stages:
        name = names.setdefault(stage.pipeline_id, _distinct(stage.pipeline.name, names.values()))
        groups.setdefault(name, []).append((stage.pk, stage.name))
    return list(groups.items())


def _distinct(name: str, taken: Any) -> str:
    return next(
        text for n in range(1, 1000) if (text := name if n == 1 else f"{name} ({n})") not in set(taken)
    )


LABELS: Mapping[str, str | Promise] = {
    "client": gettext_lazy("Account"),
    "contact": gettext_lazy("Primary contact"),
    "expected_close_date": gettext_lazy("Expected close"),
    "is_private": gettext_lazy("Private"),
    "paused_until": gettext_lazy("Paused until"),
    "pause_reason": gettext_lazy("Reason of the pause"),
    "bid_type": gettext_lazy("Priced"),
    "url": gettext_lazy("Link"),
    "next_deal": gettext_lazy("Followed by"),
    "invoice_no": gettext_lazy("Invoice number"),
    "department_id": gettext_lazy("Department number"),
    "project_id": gettext_lazy("Project number"),
    "task_id": gettext_lazy("Task number"),
}
HELP: Mapping[str, str | Promise] = {
    "forecast_category": gettext_lazy("If empty, that of the stage applies."),
    "client": gettext_lazy("The company or person the deal is with."),
    "is_private": gettext_lazy("Visible to its owner, its creator, the access list and admins only."),
    "paused_until": gettext_lazy("The last day of the pause; it needs a reason."),
    "closed_at": gettext_lazy("Set when the deal is closed; you can change it to an earlier time."),
    "tax_rate": gettext_lazy("In percent, such as 23, or a word, such as exempt."),
}


class DealForm(StaffForm):
    labels: ClassVar[Mapping[str, str | Promise]] = LABELS
    help_texts: ClassVar[Mapping[str, str | Promise]] = HELP
    defaults: ClassVar[Mapping[str, Any]] = {"status": Deal.Statuses.OPEN, "bid_type": Deal.BidTypes.FIXED}

    amount = DecimalInput(required=False, help_text=gettext_lazy("Net of tax."))
    amount_gross = DecimalInput(
        label=gettext_lazy("Gross amount"),
        required=False,
        help_text=gettext_lazy("If empty, it is calculated from the amount and the tax rate."),
    )
    bid_value = DecimalInput(required=False, label=gettext_lazy("Price per period"))
    bid_periods = WholeNumber(required=False, label=gettext_lazy("Number of periods"))
    probability = WholeNumber(
        required=False,
        help_text=gettext_lazy("In percent. If empty, that of the stage applies."),
        widget=TextInput({"suffix": "%"}),
    )
    external_references = references_field()
    contact_email = forms.EmailField(
        required=False,
        label=gettext_lazy("Contact email"),
        widget=TextInput(),
        help_text=gettext_lazy("Uses the contact with this address, or creates one."),
    )
    contact_first_name = PlainText(required=False, max_length=255, label=gettext_lazy("First name"))
    contact_last_name = PlainText(required=False, max_length=255, label=gettext_lazy("Last name"))
    contact_phone = PlainText(required=False, max_length=255, label=gettext_lazy("Phone"))

    class Media:
        js = likeness.SCRIPTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._set_widgets()
        if "contact_email" in self.fields and not self.instance.pk:
            likeness.warn(self.fields["contact_email"])
        if self.instance.pk:
            for name in AMOUNTS:
                amount = money.formatted(getattr(self.instance, name), self.instance.currency)
                if not self.is_bound and amount is not None:
                    self.initial[name] = decimal_as_typed(amount)
            self.initial["next_deal"] = self.instance.next_deal_id
            for name in ("contact_email", "contact_first_name", "contact_last_name", "contact_phone"):
                self.fields.pop(name, None)

    def _set_widgets(self) -> None:
        if "description" in self.fields:
            self.fields["description"].widget = Textarea({"rows": 5})
        if "currency" in self.fields:
            self.fields["currency"] = forms.ChoiceField(
                label=_("Currency"), choices=currencies(self.instance.currency), widget=Select()
            )


def currencies(current: str) -> list[tuple[str, str]]:
    """The current currency, which may be withdrawn, then the common ones, then all others of ISO 4217."""
    codes = list(
        dict.fromkeys([*([current] if current else []), *COMMON_CURRENCIES, *sorted(CURRENCY_DECIMALS)])
    )
    return [(code, code) for code in codes]


def may_share(request: HttpRequest, deal: Deal | None) -> bool:
    """Whether the member may set the privacy of a deal; the same rule as in the service."""
    actor = actor_of(request)
    if actor is None:
        return False
    if deal is None or actor.member.role == Role.ADMIN:
        return True
    own = actor.member.pk
    return own in (deal.owner_id, deal.created_by_id) or deal.access_links.filter(member=own).exists()
