"""The tags of contacts: added and removed, of one or of many."""

from collections.abc import Collection, Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.dialects.leadconnector.serializers import tags as serializers
from crm_project.dialects.leadconnector.serializers.custom_field_backed import TAGS, held
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.records.locks import for_update


class LeadConnectorTagView(LeadConnectorView):
    """Tags. The contacts are locked before their tags are read, so that two who tag one at once both succeed."""

    @extend_schema(
        request=serializers.LeadConnectorTagsWrite, responses={201: serializers.AddedTags}, summary="Add tags"
    )
    def add(self, request: Request, row_id: str) -> Response:
        contact = self._locked([self.find("contact", row_id).pk])[0]
        told = self._retag([contact], add=self._sent(serializers.LeadConnectorTagsWrite))[0]
        answer = {"tags": serializers.after(told), "tagsAdded": told["tagsAdded"]}
        return Response({**answer, **self.trace}, self.create_status)

    @extend_schema(
        request=serializers.LeadConnectorTagsWrite, responses=serializers.RemovedTags, summary="Remove tags"
    )
    def remove(self, request: Request, row_id: str) -> Response:
        contact = self._locked([self.find("contact", row_id).pk])[0]
        told = self._retag([contact], remove=self._sent(serializers.LeadConnectorTagsWrite))[0]
        return Response({"tags": serializers.after(told), "tagsRemoved": told["tagsRemoved"], **self.trace})

    @extend_schema(
        request=serializers.LeadConnectorBulkTagsWrite,
        responses={201: serializers.Retagged},
        summary="Add or remove tags of many",
    )
    def many(self, request: Request, kind: str) -> Response:
        if kind not in ("add", "remove"):
            raise NotFound
        body = self.read(serializers.LeadConnectorBulkTagsWrite)
        known = self.ids.resolve_all("contact", body["contacts"])
        rows = self._locked(row.pk for row in known.values())
        told = self._retag(rows, **self._asked(kind, body))
        unknown = [serializers.missing(text) for text in body["contacts"] if text not in known]
        answer = {"succeded": not unknown, "errorCount": len(unknown), "responses": [*told, *unknown]}
        return Response({**answer, **self.trace}, self.create_status)

    def _asked(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        tags = body["custom_fields"][TAGS] or []
        everything = body["removeAllTags"] and kind == "remove"
        return {kind: None if everything else tags}

    def _sent(self, words: Any) -> list[str]:
        return self.read(words)["custom_fields"][TAGS] or []

    def _locked(self, ids: Iterable[int]) -> list[Contact]:
        return list(for_update(Contact.objects.visible_to(self.actor.member).filter(pk__in=list(ids))))

    def _retag(
        self, contacts: list[Contact], *, add: Collection[str] = (), remove: Collection[str] | None = ()
    ) -> list[dict[str, Any]]:
        """What becomes of each; without names to remove, all are."""
        told = []
        changes = []
        for contact in contacts:
            before = held(contact, TAGS) or []
            kept = [tag for tag in before if remove is not None and tag not in remove]
            tags = [*kept, *(tag for tag in add if tag not in before)]
            if tags != before:
                change = {"custom_fields": {TAGS: tags or None}, "free_custom_fields": [TAGS]}
                changes.append((contact, change))
            told.append(serializers.told(self.ids.shown(contact), before, tags))
        update_contacts(actor=self.actor, changes=changes)
        return told
