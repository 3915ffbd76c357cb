"""Tags of opportunities and contacts."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField

from crm_project.accounts.rules import Permission
from crm_project.dialects.kit.tags import KEY
from crm_project.dialects.onlyoffice.serializers import contacts, opportunities
from crm_project.dialects.onlyoffice.serializers import tags as serializers
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.views.base import AT_ONCE, OnlyofficeView, described
from crm_project.dialects.onlyoffice.views.contacts import OnlyofficeContactBaseView
from crm_project.dialects.onlyoffice.views.custom_fields import update_rows
from crm_project.dialects.onlyoffice.views.opportunities import OnlyofficeOpportunityBaseView
from crm_project.errors import Invalid
from crm_project.records.kinds import kinds
from crm_project.records.locks import for_update
from crm_project.records.models import CustomField
from crm_project.records.services import create_custom_field, trash_custom_field, update_custom_field
from pipelines.catalogue import held_catalogue


class OnlyofficeTagView(OnlyofficeView):
    """`kind` is the core's kind of row."""

    kind = "deal"

    @described("Tags to choose from", serializers.OnlyofficeTagRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many([{"title": tag} for tag in sorted(self._options(), key=str.lower)])

    @described("Tags of a row", CharField, many=True)
    def of_one(self, request: Request, pk: str) -> Response:
        return self.many(sorted(serializers.tags_of(self.find(self.kind, pk))))

    @described("Declare a tag", CharField, request=serializers.OnlyofficeTagWrite, status=201)
    def create(self, request: Request) -> Response:
        tag = self.read(serializers.OnlyofficeTagWrite)["tag"]
        if tag in self._options():
            raise ValidationError({"tagName": ["This tag already exists."]})
        self._declare([tag])
        return self.one(tag, 201)

    @described(
        "Delete a tag, from all rows and from the tags to choose from",
        CharField,
        request=serializers.OnlyofficeTagWrite,
    )
    def destroy(self, request: Request) -> Response:
        tag, options = self.read(serializers.OnlyofficeTagWrite)["tag"], self._options()
        ids = list(serializers.with_tags(self._rows(), [tag]).values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            raise Invalid("More than %(limit)s rows have this tag.", {"limit": AT_ONCE})
        if not ids and tag not in options:
            raise NotFound
        self._retag(ids, tag, add=False)
        self._keep([option for option in options if option != tag])
        return self.one(tag)

    @described("Delete unused tags", CharField, many=True)
    def destroy_unused(self, request: Request) -> Response:
        self.read(OnlyofficeNoParameters)
        rows = kinds[self.kind].model.objects.of(self.actor.organization_id).live()
        unused = [tag for tag in self._options() if not serializers.with_tags(rows, [tag]).exists()]
        self._keep([tag for tag in self._options() if tag not in unused])
        return self.many(unused)

    @described("Tag a row", CharField, request=serializers.OnlyofficeTagWrite, status=201)
    def add(self, request: Request, pk: str) -> Response:
        return self._answered([self.find(self.kind, pk).pk], self.read(serializers.OnlyofficeTagWrite)["tag"])

    @described("Remove a tag from a row", CharField, request=serializers.OnlyofficeTagWrite)
    def remove(self, request: Request, pk: str) -> Response:
        row, tag = self.find(self.kind, pk), self.read(serializers.OnlyofficeTagWrite)["tag"]
        if tag not in serializers.tags_of(row):
            raise NotFound
        return self._answered([row.pk], tag, add=False)

    @described("Tag several rows", CharField, request=serializers.OnlyofficeBulkTagWrite, status=201)
    def add_to_many(self, request: Request) -> Response:
        sent = self.read(
            serializers.OnlyofficeOpportunityBulkTagWrite
            if self.kind == "deal"
            else serializers.OnlyofficeBulkTagWrite
        )
        return self._answered(sent["rows"], sent["tag"])

    def _rows(self) -> Any:
        return kinds[self.kind].model.objects.visible_to(self.actor.member)

    def _declared(self) -> CustomField | None:
        return self.definitions(self.kind).get(KEY)

    def _options(self) -> Sequence[str]:
        declared = self._declared()
        return declared.options if declared else []

    def _answered(self, ids: Iterable[int], tag: str, *, add: bool = True) -> Response:
        self._retag(ids, tag, add=add)
        return self.one(tag, 201 if add else 200)

    def _retag(self, ids: Iterable[int], tag: str, *, add: bool = True) -> None:
        """Rows are locked before their tags are read, so that of two concurrent changes neither is lost."""
        if add and self._declared() and self.actor.may(Permission.EDIT_PIPELINES):
            self._declare([tag])
        held_catalogue(self.actor.organization_id)
        rows = for_update(self._rows().filter(pk__in=list(ids)))
        changes = [(row, serializers.tagged(row, tag, add=add)) for row in rows]
        update_rows(self.kind, self.actor, changes)

    def _declare(self, tags: Iterable[str]) -> None:
        """Add tags to the options of the custom field, which is declared, with the tags in use, if it is not."""
        declared = self._declared()
        if declared is None:
            tagged_rows = self._rows().filter(custom_fields__has_key=KEY)
            in_use = {
                tag
                for row in tagged_rows.only("custom_fields").iterator()
                for tag in serializers.tags_of(row)
            }
            position = len(self.definitions(self.kind))
            change = serializers.declaration(self.kind, [*sorted(in_use), *tags], position)
            create_custom_field(actor=self.actor, change=change)
        elif new := [tag for tag in tags if tag not in declared.options]:
            update_custom_field(
                actor=self.actor, custom_field=declared, change={"options": [*declared.options, *new]}
            )

    def _keep(self, options: Sequence[str]) -> None:
        """Reduce the options of the custom field to these; without any, the field is deleted."""
        declared = self._declared()
        if declared is None or len(options) == len(declared.options):
            return
        if options:
            update_custom_field(actor=self.actor, custom_field=declared, change={"options": list(options)})
        else:
            trash_custom_field(actor=self.actor, custom_field=declared)


class OnlyofficeDealTagsView(OnlyofficeOpportunityBaseView, OnlyofficeTagView):
    queries = {}

    @described(
        "Tag the opportunities that match",
        CharField,
        request=opportunities.OnlyofficeMatchingTagWrite,
        status=201,
    )
    def add_to_matching(self, request: Request) -> Response:
        sent, ids = self.read_bulk_filter(opportunities.OnlyofficeMatchingTagWrite, self.matching)
        return self._answered(ids, sent["tag"])


class OnlyofficeContactTagsView(OnlyofficeContactBaseView, OnlyofficeTagView):
    kind = "contact"
    queries = {}

    @described(
        "Tag the contacts that match",
        CharField,
        request=contacts.OnlyofficeMatchingContactTagWrite,
        status=201,
    )
    def add_to_matching(self, request: Request) -> Response:
        sent, ids = self.read_bulk_filter(contacts.OnlyofficeMatchingContactTagWrite, self.matching)
        return self._answered(ids, sent["tag"])

    @described("Tag a company and its people", CharField, request=serializers.OnlyofficeTagWrite, status=201)
    def add_to_group(self, request: Request, pk: str) -> Response:
        return self._answered(self._group(pk), self.read(serializers.OnlyofficeTagWrite)["tag"])

    @described(
        "Remove a tag from a company and its people", CharField, request=serializers.OnlyofficeTagWrite
    )
    def remove_from_group(self, request: Request, pk: str) -> Response:
        return self._answered(self._group(pk), self.read(serializers.OnlyofficeTagWrite)["tag"], add=False)

    def _group(self, pk: str) -> list[int]:
        contact = self.find("contact", pk)
        company = contact.pk if contact.kind == "company" else contact.company_id
        named = Q(pk=contact.pk) | Q(pk=company) | Q(company=company, company__isnull=False)
        return list(self.rows().filter(named).order_by("id").values_list("pk", flat=True))
