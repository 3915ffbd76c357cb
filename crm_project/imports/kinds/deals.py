"""Deals as rows of a table."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_noop

from contacts.services import addresses
from crm_project.emails import fold_email
from crm_project.errors import FieldError, Invalid
from crm_project.imports import cells
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import ExportRow, ImportField, export_only, import_only, plain
from crm_project.imports.kinds.base import Values, oldest_reference
from crm_project.imports.kinds.contacts import cleared_name, day_of
from crm_project.imports.kinds.deal_stages import EnteredStages
from crm_project.imports.kinds.links import Link
from crm_project.imports.kinds.names import refuse_rows
from crm_project.imports.people import person_name
from crm_project.records.bulk import Operation
from crm_project.records.expressions import IsOneOf
from crm_project.records.kinds import kinds
from crm_project.records.writing.receipts import Receipt
from deals import money
from deals.models import Deal, DealAccess, DealContact, DealFollower
from deals.money import AMOUNT_FIELDS
from deals.querysets import EFFECTIVE_PROBABILITY
from deals.rules import STORE
from deals.services.context import person_errors
from pipelines.models import ForecastCategories


class DealImportKind(EnteredStages):
    company_fields = ("client_name", "client")
    links = (
        Link("client_external_id", "client", ("client_name",), is_company=True),
        Link(
            "contact_external_id",
            "contact",
            ("contact_email", "contact_first_name", "contact_last_name", "contact_phone"),
            others="add_members",
        ),
    )
    parts = ("stage_id", "stage__pipeline_id", "lost_reason_id", *AMOUNT_FIELDS)

    stand_ins = MappingProxyType(
        {
            "contact_name": ("contact_first_name", "contact_last_name", "contact_email"),
            "close_date": ("closed_at", "expected_close_date"),
            "amount": ("currency",),
        }
    )

    in_lists = MappingProxyType(
        {
            "amount": ("amount", "currency"),
            "stage": ("pipeline", "stage"),
            "client": ("client_name",),
            "owner": ("owner_email",),
        }
    )

    def preview(self, row: Deal) -> list[list[str]]:
        zone = self.cell_format.zone
        amount = money.formatted(row.amount, row.currency)
        return [
            [gettext_noop("Name"), row.name],
            [gettext_noop("Amount"), f"{Decimal(amount):,f} {row.currency}" if amount else ""],
            [
                gettext_noop("Stage"),
                f"{row.stage.name} ({row.status})" if row.status != row.stage.kind else row.stage.name,
            ],
            [gettext_noop("Owner"), row.owner.full_name if row.owner else ""],
            [gettext_noop("Client"), str(row.client or "")],
            [gettext_noop("Contact"), str(row.contact or "")],
            [gettext_noop("Expected close"), day_of(row.expected_close_date, zone)],
            [gettext_noop("Closed"), day_of(row.closed_at, zone)],
            [gettext_noop("Created"), day_of(row.created_at, zone)],
        ]

    def own_fields(self) -> list[ImportField]:
        return [*self._what(), *self._where(), *self._who(), *self._when(), *self._rest(), *EXPORT_ONLY]

    def _what(self) -> list[ImportField]:
        return [
            plain("uuid", gettext_noop("UUID"), cells.uuid, can_clear=False),
            ImportField("external_system", gettext_noop("External system"), cells.word, oldest_reference(0)),
            ImportField("external_id", gettext_noop("External ID"), cells.identifier, oldest_reference(1)),
            plain("name", gettext_noop("Name"), cells.text),
            plain("description", gettext_noop("Description"), cells.text),
            _amount("amount", gettext_noop("Amount")),
            _amount("amount_gross", gettext_noop("Gross amount")),
            plain("tax_rate", gettext_noop("Tax rate"), cells.word),
            plain("currency", gettext_noop("Currency"), cells.word, can_clear=False),
            plain("bid_type", gettext_noop("Bid type"), cells.choice(*Deal.BidTypes.values), can_clear=False),
            _amount("bid_value", gettext_noop("Bid value")),
            plain("bid_periods", gettext_noop("Bid periods"), cells.whole),
        ]

    def _where(self) -> list[ImportField]:
        return [
            ImportField("pipeline", gettext_noop("Pipeline"), cells.word, self._pipeline_name),
            plain(
                "forecast_category",
                gettext_noop("Forecast category"),
                cells.choice(*ForecastCategories.values),
            ),
            ImportField("stage", gettext_noop("Stage"), cells.word, self._stage_name),
            plain("status", gettext_noop("Status"), cells.word, can_clear=False),
            plain("probability", gettext_noop("Probability"), cells.percent),
            ImportField(
                "lost_reason", gettext_noop("Lost reason"), cells.word, self._reason_name, can_clear=True
            ),
        ]

    def _who(self) -> list[ImportField]:
        return [
            _row("contact_uuid", gettext_noop("Contact's UUID"), cells.uuid, "contact__uuid", "contact"),
            _ids("contact_external_id", gettext_noop("Contact's external ID")),
            ImportField("contact_email", gettext_noop("Contact's e-mail"), cells.email, "contact__email"),
            import_only(
                "contact_name", gettext_noop("Contact's full name"), cells.person, attribute="contact"
            ),
            _contact("first_name", gettext_noop("Contact's first name")),
            _contact("last_name", gettext_noop("Contact's last name")),
            _contact("phone", gettext_noop("Contact's phone")),
            _row("client_uuid", gettext_noop("Client's UUID"), cells.uuid, "client__uuid", "client"),
            _ids("client_external_id", gettext_noop("Client's external ID")),
            ImportField(
                "client_name", gettext_noop("Client"), cells.word, "client__full_name", can_clear=True
            ),
            _row("owner_email", gettext_noop("Owner"), cells.word, "owner__user__email", "owner"),
            ImportField(
                "created_by_email",
                gettext_noop("Created by"),
                cells.word,
                "created_by__user__email",
                attribute="created_by",
            ),
            _list("participant_uuids", gettext_noop("Participants' UUIDs"), cells.uuids, "members"),
            _list("follower_emails", gettext_noop("Followers"), cells.items, "followers"),
            plain("is_private", gettext_noop("Private"), cells.boolean, can_clear=False),
            _list("access_list_emails", gettext_noop("Access list"), cells.items, "access_list"),
        ]

    def _when(self) -> list[ImportField]:
        return [
            plain("expected_close_date", gettext_noop("Expected close date"), cells.day),
            plain("paused_until", gettext_noop("Paused until"), cells.day),
            plain("pause_reason", gettext_noop("Reason of the pause"), cells.text),
            plain("closed_at", gettext_noop("Closed at"), cells.instant, can_clear=False),
            import_only("close_date", gettext_noop("Close date"), cells.instant, attribute="closed_at"),
            plain("created_at", gettext_noop("Created"), cells.instant, can_clear=False),
            plain("stage_entered_at", gettext_noop("In this stage since"), cells.instant, can_clear=False),
            plain("date", gettext_noop("Date"), cells.day),
            plain("date_from", gettext_noop("From"), cells.day),
            plain("date_to", gettext_noop("To"), cells.day),
        ]

    def _rest(self) -> list[ImportField]:
        return [
            plain("number", gettext_noop("Number"), cells.text),
            plain("invoice_no", gettext_noop("Invoice number"), cells.text),
            plain("url", gettext_noop("URL"), cells.word),
            plain("origin", gettext_noop("Origin"), cells.text),
            plain("department_id", gettext_noop("Department ID"), cells.whole),
            plain("project_id", gettext_noop("Project ID"), cells.whole),
            plain("task_id", gettext_noop("Task ID"), cells.whole),
            _row(
                "next_deal_uuid", gettext_noop("Next deal's UUID"), cells.uuid, "next_deal_uuid", "next_deal"
            ),
        ]

    def combine(self, values: Values) -> list[FieldError]:
        """Split the name of the contact, and take the amounts out of their cells."""
        errors = self._split_contact(values)
        return errors + self._amounts(values)

    def _split_contact(self, values: Values) -> list[FieldError]:
        """First and last name of the contact's full name, and the e-mail address beside it."""
        written = values.pop("contact_name", None)
        if not written:
            return []
        try:
            name = person_name(written)
        except UnreadableCell as error:
            return [FieldError("contact_name", "invalid", error.template, error.params)]
        if not values.get("contact_first_name") and not values.get("contact_last_name"):
            values |= {"contact_first_name": name.first_name, "contact_last_name": name.last_name}
        if name.email and not values.get("contact_email"):
            values["contact_email"] = name.email
        return []

    def _amounts(self, values: Values) -> list[FieldError]:
        """A currency beside an amount is that of the row, or contradicts it; else it is that of the options."""
        errors: list[FieldError] = []
        default = self.options.get("currency") or None
        written = self._written_currency(values)
        for key in AMOUNT_FIELDS:
            read = values.get(key)
            if not isinstance(read, cells.Money):
                continue
            values[key] = read.amount
            meant = read.currencies if len(read.currencies) < 2 or written else read.currencies & {default}
            if read.currencies and not meant:
                template = gettext_noop("%(unit)s is the sign of several currencies. Say which one is meant.")
                errors.append(FieldError("currency", "required", template, {"unit": read.unit}))
            elif meant and written and written not in meant:
                params = {"unit": read.unit, "currency": written}
                template = gettext_noop(
                    "The amount is in %(unit)s, but the currency of the row is %(currency)s."
                )
                errors.append(FieldError(key, "invalid", template, params))
            elif meant and not written:
                (written,) = meant
        if not values.get("currency") and (written or default):
            values["currency"] = written or default
        return errors

    def _written_currency(self, values: Values) -> str | None:
        """The currency of the row's column, as a code; an unknown one is refused later."""
        written = values.get("currency")
        if not written:
            return None
        try:
            return self._choice("currency", written) or self.find_currency(written)
        except UnreadableCell:
            return str(written)

    def _pipeline_name(self, row: ExportRow) -> str:
        return self.pipelines.text_of(row["stage__pipeline_id"])

    def _stage_name(self, row: ExportRow) -> str:
        return self.stages[row["stage__pipeline_id"]].text_of(row["stage_id"])

    def _reason_name(self, row: ExportRow) -> str:
        return self.lost_reasons.text_of(row["lost_reason_id"])

    def to_change(self, values: Values) -> Values:
        """A cleared name clears the client, unless a UUID names one; the close date of a closed deal is its closing."""
        stage = values.get("stage")
        if isinstance(stage, int) and isinstance(values.get("pipeline"), int):
            values["pipeline"] = self.stage_kinds[stage][1]
        status = values.get("status") or (self.stage_kinds[stage][0] if isinstance(stage, int) else None)
        closing = values.pop("close_date", None)
        if closing is not None and status in (None, Deal.Statuses.OPEN):
            zone = self.cell_format.zone
            values.setdefault("expected_close_date", closing.astimezone(zone).date())
        elif closing is not None:
            values.setdefault("closed_at", closing)
        if status in (None, Deal.Statuses.OPEN) and self.is_former(values.get("owner_email")):
            del values["owner_email"]
        change = cleared_name(super().to_change(values), "client_name", "client")
        if "probability" in change:
            change["closed_probability"] = STORE
        return change

    def write_linked(self, changes: Sequence[Values]) -> list[Receipt[Deal]]:
        self._create_people(changes)
        receipts = super().write_linked(changes)
        nameless = {
            index: Invalid(fields=[FieldError("name", "required", "A new deal needs a name.")])
            for index, receipt in enumerate(receipts)
            if receipt.outcome == "created" and not receipt.row.name.strip()
        }
        refuse_rows(nameless)
        return receipts

    def _create_people(self, changes: Sequence[Values]) -> None:
        """Create the contacts that are named by an e-mail address alone, as a file of contacts can name them."""
        nameless = {
            fold_email(change["contact_email"])
            for change in changes
            if change.get("contact_email")
            and not (change.get("contact_first_name") or "").strip()
            and change.get("contact") is None
            and not person_errors(change)
        }
        if not nameless:
            return
        known = {email for _, email in addresses.holders(self.actor.organization_id, nameless)}
        upserts = [
            Operation("upsert", change={"email": email, "match_on": "email", "incomplete": True})
            for email in sorted(nameless - known)
        ]
        services: Any = kinds["contact"].services
        if upserts:
            services.carry_out(actor=self.actor, operations=upserts)

    def for_export(self, rows: Any) -> Any:
        next_deal = Deal.objects.visible_to(self.actor.member).filter(pk=OuterRef("next_deal"))
        return super().for_export(
            rows.annotate(
                probability_in_force=EFFECTIVE_PROBABILITY, next_deal_uuid=Subquery(next_deal.values("uuid"))
            )
        )

    def lists(self, ids: Sequence[int]) -> dict[str, Iterable[tuple[int, Any]]]:
        def of_links(model: Any, column: str) -> Any:
            rows = model.objects.filter(IsOneOf("deal", ids))
            return rows.order_by("id").values_list("deal_id", column)

        return {
            **super().lists(ids),
            "participant_uuids": of_links(DealContact, "contact__uuid"),
            "follower_emails": of_links(DealFollower, "member__user__email"),
            "access_list_emails": of_links(DealAccess, "member__user__email"),
        }


def _amount(key: str, label: str) -> ImportField:
    def show(row: ExportRow) -> Decimal | None:
        """A number with the currency's decimals, so that a spreadsheet can add it up."""
        text = money.formatted(row[key], row["currency"])
        return Decimal(text) if text else None

    return ImportField(key, label, cells.money, show, can_clear=True)


def _contact(name: str, label: str) -> ImportField:
    return ImportField(f"contact_{name}", label, cells.text, f"contact__{name}")


def _row(key: str, label: str, read: cells.Reader, show: str, attribute: str) -> ImportField:
    """Another row, by a column that identifies it."""
    return ImportField(key, label, read, show, can_clear=True, attribute=attribute)


def _ids(key: str, label: str) -> ImportField:
    """Ids of rows that were imported before."""
    return import_only(key, label, cells.identifiers, attribute=key)


def _list(key: str, label: str, read: cells.Reader, attribute: str) -> ImportField:
    return ImportField(key, label, read, itemgetter(key), clears=[], can_clear=True, attribute=attribute)


EXPORT_ONLY = (
    export_only("amount_base", gettext_noop("Amount in the organization's currency")),
    export_only("probability_in_force", gettext_noop("Probability in force")),
    export_only("updated_at", gettext_noop("Updated")),
)
