"""Deals as rows of a table."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.db.models import OuterRef, Subquery

from crm_project.errors import FieldError, Invalid
from crm_project.imports import cells
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import ExportRow, ImportField, export_only, plain
from crm_project.imports.kinds.base import ImportKind, Values, oldest_reference
from crm_project.imports.kinds.contacts import COMPANIES, IDS, cleared_name
from crm_project.imports.kinds.names import Names, refuse_rows
from crm_project.records.expressions import IsOneOf
from crm_project.records.writing.receipts import Receipt
from deals import money
from deals.models import Deal, DealAccess, DealContact, DealFollower, LostReason
from deals.money import AMOUNT_FIELDS
from deals.querysets import EFFECTIVE_PROBABILITY
from deals.rules import STORE
from pipelines.models import ForecastCategories, Pipeline, Stage


class DealImportKind(ImportKind[Deal]):
    model = Deal
    plural = "deals"
    company_fields = ("client_name", "client")
    parts = ("stage_id", "stage__pipeline_id", "lost_reason_id", *AMOUNT_FIELDS)

    def own_fields(self) -> list[ImportField]:
        return [*self._what(), *self._where(), *self._who(), *self._when(), *self._rest(), *EXPORT_ONLY]

    def _what(self) -> list[ImportField]:
        return [
            plain("uuid", "UUID", cells.uuid, can_clear=False),
            ImportField("external_system", "External system", cells.word, oldest_reference(0)),
            ImportField("external_id", "External ID", cells.word, oldest_reference(1), (*IDS, "deal id")),
            plain("name", "Name", cells.text, "deal", "deal name", "title", "opportunity", "titel", "titre"),
            plain("description", "Description", cells.text, "notes", "note", "comment", "beschreibung"),
            _amount("amount", "Amount", "value", "deal value", "total", "net", "betrag", "wert", "montant"),
            _amount("amount_gross", "Gross amount", "gross", "brutto", "ttc"),
            plain("tax_rate", "Tax rate", cells.word, "vat", "tax", "mwst", "tva"),
            plain("currency", "Currency", cells.word, "währung", "devise", can_clear=False),
            plain("bid_type", "Bid type", cells.choice(*Deal.BidTypes.values), can_clear=False),
            _amount("bid_value", "Bid value"),
            plain("bid_periods", "Bid periods", cells.whole),
        ]

    def _where(self) -> list[ImportField]:
        return [
            ImportField("pipeline", "Pipeline", cells.word, self._pipeline_name),
            ImportField("stage", "Stage", cells.word, self._stage_name, ("deal stage", "phase", "étape")),
            plain("status", "Status", cells.choice(*Deal.Statuses.values), can_clear=False),
            plain("probability", "Probability", cells.whole, "wahrscheinlichkeit", "probabilité"),
            plain(
                "forecast_category",
                "Forecast category",
                cells.choice(*ForecastCategories.values),
                "forecast",
                "prévision",
            ),
            ImportField(
                "lost_reason", "Lost reason", cells.word, self._reason_name, ("loss reason",), can_clear=True
            ),
        ]

    def _who(self) -> list[ImportField]:
        return [
            _row("contact_uuid", "Contact's UUID", cells.uuid, "contact__uuid", "contact"),
            ImportField("contact_email", "Contact's e-mail", cells.word, "contact__email", EMAILS),
            _contact("first_name", "Contact's first name", "first name"),
            _contact("last_name", "Contact's last name", "last name"),
            _contact("phone", "Contact's phone", "phone"),
            _row("client_uuid", "Client's UUID", cells.uuid, "client__uuid", "client"),
            ImportField("client_name", "Client", cells.word, "client__full_name", COMPANIES, can_clear=True),
            _row("owner_email", "Owner", cells.word, "owner__user__email", "owner", OWNERS),
            _list("participant_uuids", "Participants' UUIDs", cells.uuids, "members", ("member_uuids",)),
            _list("follower_emails", "Followers", cells.items, "followers"),
            plain("is_private", "Private", cells.boolean, can_clear=False),
            _list("access_list_emails", "Access list", cells.items, "access_list"),
        ]

    def _when(self) -> list[ImportField]:
        return [
            plain(
                "expected_close_date",
                "Expected close date",
                cells.day,
                "close date",
                "closing date",
                "expected close",
            ),
            plain(
                "closed_at", "Closed at", cells.instant, "closed", "closed on", "won time", can_clear=False
            ),
            plain("date", "Date", cells.day, "datum"),
            plain("date_from", "From", cells.day, "start", "start date"),
            plain("date_to", "To", cells.day, "end", "end date"),
        ]

    def _rest(self) -> list[ImportField]:
        return [
            plain("number", "Number", cells.text, "deal number", "nummer", "numéro"),
            plain("invoice_no", "Invoice number", cells.text, "invoice"),
            plain("url", "URL", cells.word, "link"),
            plain("origin", "Origin", cells.text, "source", "lead source", "quelle"),
            plain("department_id", "Department ID", cells.whole),
            plain("project_id", "Project ID", cells.whole),
            plain("task_id", "Task ID", cells.whole),
            _row("next_deal_uuid", "Next deal's UUID", cells.uuid, "next_deal_uuid", "next_deal"),
        ]

    @cached_property
    def pipelines(self) -> Names:
        rows = Pipeline.objects.visible_to(self.actor.member).values_list("id", "name")
        return Names("pipeline", rows)

    @cached_property
    def stages(self) -> dict[int, Names]:
        """The stages of each pipeline: stages of several pipelines may have the same name."""
        rows = Stage.objects.visible_to(self.actor.member).values_list("pipeline_id", "id", "name")
        stages: dict[int, list[tuple[int, str]]] = {pipeline: [] for pipeline in self.pipelines.name_of}
        for pipeline, stage, name in rows:
            stages.setdefault(pipeline, []).append((stage, name))
        return {pipeline: Names("stage", pairs) for pipeline, pairs in stages.items()}

    @cached_property
    def default_pipeline(self) -> int | None:
        live = Pipeline.objects.visible_to(self.actor.member)
        return live.filter(is_default=True).values_list("id", flat=True).first()

    @cached_property
    def lost_reasons(self) -> Names:
        return Names(
            "lost reason", LostReason.objects.visible_to(self.actor.member).values_list("id", "name")
        )

    @property
    def resolvers(self) -> Mapping[str, Any]:
        return {
            "pipeline": lambda name, values: self.pipelines.find(name),
            "stage": self._find_stage,
            "lost_reason": lambda name, values: self.lost_reasons.find(name),
            "owner_email": lambda email, values: self.member(email),
            "follower_emails": lambda emails, values: [self.member(email) for email in emails],
            "access_list_emails": lambda emails, values: [self.member(email) for email in emails],
        }

    def _find_stage(self, name: str, values: Values) -> int:
        """In the pipeline that the row names; else in the default pipeline, or the only stage of this name."""
        pipeline = values.get("pipeline")
        if isinstance(pipeline, int):
            return self.stages[pipeline].find(name)
        if pipeline is None and self.default_pipeline is not None:
            try:
                return self.stages[self.default_pipeline].find(name)
            except UnreadableCell:
                if len(self.stages) == 1:
                    raise
        return self._all_stages.find(name)

    @cached_property
    def _all_stages(self) -> Names:
        rows = [pair for names in self.stages.values() for pair in names.name_of.items()]
        return Names("stage", rows)

    def _pipeline_name(self, row: ExportRow) -> str:
        return self.pipelines.text_of(row["stage__pipeline_id"])

    def _stage_name(self, row: ExportRow) -> str:
        return self.stages[row["stage__pipeline_id"]].text_of(row["stage_id"])

    def _reason_name(self, row: ExportRow) -> str:
        return self.lost_reasons.text_of(row["lost_reason_id"])

    def to_change(self, values: Values) -> Values:
        """A cleared name clears the client, unless a UUID names one."""
        change = cleared_name(super().to_change(values), "client_name", "client")
        if "probability" in change:
            change["closed_probability"] = STORE
        if isinstance(change.get("currency"), str):
            change["currency"] = change["currency"].upper()
        return change

    def write(self, changes: Sequence[Values]) -> list[Receipt[Deal]]:
        receipts = super().write(changes)
        nameless = {
            index: Invalid(fields=[FieldError("name", "required", "A new deal needs a name.")])
            for index, receipt in enumerate(receipts)
            if receipt.outcome == "created" and not receipt.row.name.strip()
        }
        refuse_rows(nameless)
        return receipts

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


EMAILS = ("email", "e-mail", "contact email", "mail", "person email")
OWNERS = ("owner", "deal owner", "assigned to", "besitzer", "verantwortlich", "responsable")


def _amount(key: str, label: str, *names: str) -> ImportField:
    def show(row: ExportRow) -> Decimal | None:
        """A number with the currency's decimals, so that a spreadsheet can add it up."""
        text = money.formatted(row[key], row["currency"])
        return Decimal(text) if text else None

    return ImportField(key, label, cells.number, show, names, can_clear=True)


def _contact(name: str, label: str, *names: str) -> ImportField:
    return ImportField(f"contact_{name}", label, cells.text, f"contact__{name}", names)


def _row(
    key: str, label: str, read: cells.Reader, show: str, attribute: str, names: Sequence[str] = ()
) -> ImportField:
    """Another row, by a column that identifies it."""
    return ImportField(key, label, read, show, names, can_clear=True, attribute=attribute)


def _list(key: str, label: str, read: cells.Reader, attribute: str, names: Sequence[str] = ()) -> ImportField:
    return ImportField(
        key, label, read, itemgetter(key), names, clears=[], can_clear=True, attribute=attribute
    )


EXPORT_ONLY = (
    export_only("amount_base", "Amount in the organization's currency"),
    export_only("probability_in_force", "Probability in force"),
    export_only("stage_entered_at", "In this stage since"),
    export_only("created_by_email", "Created by", "created_by__user__email", attribute="created_by"),
    export_only("created_at", "Created"),
    export_only("updated_at", "Updated"),
)
