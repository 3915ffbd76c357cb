"""Adding and removing tags of one contact or of many."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.dialects.kit.tags import KEY, tags_change, tags_of
from crm_project.dialects.leadconnector.serializers import tags as serializers
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.records.locks import for_update


class LeadConnectorTagView(LeadConnectorView):
    """Contacts are locked before their tags are read, so that of two concurrent changes neither is lost."""

    @extend_schema(
        request=serializers.LeadConnectorTagsWrite, responses={201: serializers.AddedTags}, summary="Add tags"
    )
    def add(self, request: Request, row_id: str) -> Response:
        contact, tags = (
            self.find("contact", row_id),
            self._tags(self.read(serializers.LeadConnectorTagsWrite)),
        )
        result = self._retag([contact.pk], add=tags)[0]
        answer = {"tags": serializers.tags_after(result), "tagsAdded": result["tagsAdded"]}
        return Response({**answer, **self.trace}, self.create_status)

    @extend_schema(
        request=serializers.LeadConnectorTagsWrite, responses=serializers.RemovedTags, summary="Remove tags"
    )
    def remove(self, request: Request, row_id: str) -> Response:
        contact, tags = (
            self.find("contact", row_id),
            self._tags(self.read(serializers.LeadConnectorTagsWrite)),
        )
        result = self._retag([contact.pk], remove=tags)[0]
        answer = {"tags": serializers.tags_after(result), "tagsRemoved": result["tagsRemoved"]}
        return Response({**answer, **self.trace})

    @extend_schema(
        request=serializers.LeadConnectorBulkTagsWrite,
        responses={201: serializers.Retagged},
        summary="Add or remove tags of many contacts",
    )
    def many(self, request: Request, kind: str) -> Response:
        if kind not in ("add", "remove"):
            raise NotFound
        body = self.read(serializers.LeadConnectorBulkTagsWrite)
        contacts = self.ids.resolve_all("contact", body["contacts"])
        removes_all = kind == "remove" and body["removeAllTags"]
        change: dict[str, Any] = {kind: None if removes_all else self._tags(body)}
        results = self._retag([contact.pk for contact in contacts.values()], **change)
        unknown = [serializers.unknown_contact(text) for text in body["contacts"] if text not in contacts]
        answer = {"succeded": not unknown, "errorCount": len(unknown), "responses": [*results, *unknown]}
        return Response({**answer, **self.trace}, self.create_status)

    def _tags(self, body: Mapping[str, Any]) -> list[str]:
        return body["custom_fields"][KEY] or []

    def _retag(
        self, ids: Iterable[int], *, add: Collection[str] = (), remove: Collection[str] | None = ()
    ) -> list[dict[str, Any]]:
        """The result for each contact. `remove=None` removes all tags."""
        results, changes = [], []
        for contact in for_update(Contact.objects.visible_to(self.actor.member).filter(pk__in=list(ids))):
            before = tags_of(contact)
            rest = [tag for tag in before if remove is not None and tag not in remove]
            after = [*rest, *(tag for tag in add if tag not in before)]
            if after != before:
                changes.append((contact, tags_change(after)))
            results.append(serializers.result_of(self.ids.id_of(contact), before, after))
        update_contacts(actor=self.actor, changes=changes)
        return results
