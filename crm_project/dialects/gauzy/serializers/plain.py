"""Deals and contacts of long lists: what the serializers of this folder return, from plain values of the database.

Instances and serializers cost five times as much for each row. Stages, members and the organization are read once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.dialects.gauzy.serializers.entities import GauzyTenantNested
from crm_project.dialects.gauzy.serializers.people import GauzyUserRead, contact_type
from crm_project.dialects.gauzy.serializers.sales import GauzyStageRead
from crm_project.dialects.kit.instants import format_instant
from deals.querysets import EFFECTIVE_PROBABILITY
from pipelines.models import Stage

Rows = Sequence[tuple[Any, ...]]
ENTITY = ("pk", "uuid", "created_at", "updated_at", "deleted_at")


class PlainEntities:
    """Represents rows of `values_list(*columns)`. `relations` are the supported values of the query's `relations`."""

    columns: ClassVar[tuple[Any, ...]]
    relations: ClassVar[frozenset[str]] = frozenset({"tenant", "organization"})

    def __init__(self, view: Any, relations: Iterable[str]) -> None:
        self.view, self.asked = view, frozenset(relations)
        organization = str(view.ids.id_of(view.actor.organization))
        self.constants = {
            "updatedByUserId": None,
            "deletedByUserId": None,
            "isActive": True,
            "isArchived": False,
            "archivedAt": None,
            "tenantId": organization,
            "organizationId": organization,
        }
        tenant: Any = GauzyTenantNested(context={"view": view})
        nested = tenant.to_representation(view.actor.organization)
        self.ours: dict[str, Any] = {
            name: nested for name in ("tenant", "organization") if name in self.asked
        }

    def entity(self, row_id: Any, row: tuple[Any, ...], created_by: Any = None) -> dict[str, Any]:
        """The fields of all entities, from the columns of `ENTITY`."""
        return {
            "id": row_id,
            "createdAt": format_instant(row[2], digits=3),
            "updatedAt": format_instant(row[3], digits=3),
            "deletedAt": format_instant(row[4], digits=3) if row[4] else None,
            "createdByUserId": created_by,
            **self.constants,
        }

    def rows_of(self, rows: Any, keys: Sequence[int]) -> Rows:
        """The values of the rows with these keys, in this order."""
        found = {row[0]: row for row in rows.order_by().filter(pk__in=keys).values_list(*self.columns)}
        return [found[key] for key in keys if key in found]

    def represent(self, rows: Rows) -> list[dict[str, Any]]:
        raise NotImplementedError


class PlainContacts(PlainEntities):
    columns = (*ENTITY, "full_name", "email", "phone", "description", "custom_fields")

    def represent(self, rows: Rows) -> list[dict[str, Any]]:
        ids = self.view.ids.ids_of("contact", {row[0]: row[1] for row in rows})
        return [self.contact(ids[row[0]], row) for row in rows]

    def contact(self, row_id: Any, row: tuple[Any, ...]) -> dict[str, Any]:
        name, email, phone, notes, custom_fields = row[len(ENTITY) :]
        return {
            **self.entity(row_id, row),
            "name": name,
            "primaryEmail": email,
            "primaryPhone": phone,
            "notes": notes,
            "contactType": contact_type(custom_fields),
            "contactId": row_id,
            "inviteStatus": None,
            "imageUrl": None,
            "imageId": None,
            "budget": None,
            "budgetType": None,
            **self.ours,
        }


class PlainDeals(PlainEntities):
    columns = (
        *ENTITY,
        *("name", EFFECTIVE_PROBABILITY, "stage_id", "created_by_id"),
        *("client_id", "client__uuid", "contact_id", "contact__uuid"),
    )
    relations = PlainEntities.relations | {"stage", "stage.pipeline", "client", "createdByUser"}

    def __init__(self, view: Any, relations: Iterable[str]) -> None:
        super().__init__(view, relations)
        organization, context = view.actor.organization_id, {"view": view}
        stages = Stage.objects.of(organization).select_related("pipeline")
        members = Member.objects.filter(organization=organization).select_related("user", "organization")
        view.ids.prefetch([*stages, *(stage.pipeline for stage in stages), *members])
        nested_stage: Any = GauzyStageRead(within="stage.", context=context)
        nested_user: Any = GauzyUserRead(context=context)
        self.stages = {
            row.pk: (
                view.ids.id_of(row),
                {"stage": nested_stage.to_representation(row)} if "stage" in self.asked else {},
            )
            for row in stages
        }
        self.members: dict[int | None, tuple[Any, dict[str, Any]]] = {
            None: (None, {"createdByUser": None} if "createdByUser" in self.asked else {})
        }
        for row in members:
            nested = (
                {"createdByUser": nested_user.to_representation(row)} if "createdByUser" in self.asked else {}
            )
            self.members[row.pk] = view.ids.id_of(row), nested
        self.contacts = PlainContacts(view, relations=())

    def represent(self, rows: Rows) -> list[dict[str, Any]]:
        ids = self.view.ids.ids_of("deal", {row[0]: row[1] for row in rows})
        # A deal without a client has its contact as client.
        clients = {row[9] or row[11]: row[10] or row[12] for row in rows}
        clients.pop(None, None)
        client_ids = {None: None, **self.view.ids.ids_of("contact", clients)}
        if "client" not in self.asked:
            return [self._deal(ids[row[0]], row, client_ids, {}) for row in rows]
        found = Contact.objects.filter(pk__in=clients).values_list(*PlainContacts.columns)
        nested = {row[0]: self.contacts.contact(client_ids[row[0]], row) for row in found}
        return [
            self._deal(ids[row[0]], row, client_ids, {"client": nested.get(row[9] or row[11])})
            for row in rows
        ]

    def _deal(
        self, row_id: Any, row: tuple[Any, ...], client_ids: Mapping[Any, Any], client: Mapping[str, Any]
    ) -> dict[str, Any]:
        name, probability, stage_id, created_by_id, client_id, _, contact_id, _ = row[len(ENTITY) :]
        stage, nested_stage = self.stages[stage_id]
        created_by, nested_user = self.members[created_by_id]
        return {
            **self.entity(row_id, row, created_by),
            "title": name,
            "probability": probability,
            "stageId": stage,
            "clientId": client_ids[client_id or contact_id],
            **nested_stage,
            **client,
            **nested_user,
            **self.ours,
        }
