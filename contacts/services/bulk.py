"""Lists of mixed writes of contacts, and the upsert, which is a list of upserts only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from contacts.models import Contact, ContactReference
from contacts.querysets import fold_email
from contacts.services import addresses
from contacts.services.trash import trash_contacts
from contacts.services.write import hold, lock_together, write_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import DomainError
from crm_project.records import bulk
from crm_project.records.bulk import Deletions, Found, Operation
from crm_project.records.locks import for_update
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import HasKey, Receipt, has
from crm_project.versions import Versions

# The keys of an upsert, each with whether a change has it.
MATCH: dict[str, HasKey] = {
    "uuid": has("uuid"),
    "external_reference": has("external_references"),
    "email": has("email"),
}
MATCH_KEYS = tuple(MATCH)


def carry_out_contacts(*, actor: Actor, operations: Sequence[Operation]) -> list[Receipt[Contact]]:
    """Carry out all operations or none: RowsRefused has an error for each refused one."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        return bulk.carry_out(operations, _ContactWork(actor))


def upsert_contacts(*, actor: Actor, changes: Sequence[Change]) -> list[Receipt[Contact]]:
    """Update the contact with the key of each change, or create one. The key is `match_on`, else the first one."""
    operations = [Operation("upsert", change=change) for change in changes]
    return carry_out_contacts(actor=actor, operations=operations)


@dataclass
class _ContactWork:
    actor: Actor
    match_keys: Mapping[str, HasKey] = field(default_factory=lambda: MATCH)

    @cached_property
    def visible(self) -> Any:
        return Contact.objects.visible_to(self.actor.member)

    def find(
        self, operations: Mapping[int, Operation], keys: Mapping[int, str]
    ) -> dict[int, Found | DomainError]:
        hold(self.actor, [operation.change for operation in operations.values()])
        sorted_out = bulk.sort_out(operations, keys)
        rows = bulk.by_uuid(self.visible, sorted_out["uuid"].values())
        return (
            {index: Found() for index in sorted_out["new"]}
            | {index: bulk.found_by_uuid(rows, one) for index, one in sorted_out["uuid"].items()}
            | bulk.found_by_reference(
                self.actor, self.visible, ContactReference, sorted_out["external_reference"]
            )
            | self._found_by_email(sorted_out["email"])
        )

    def _found_by_email(self, operations: Mapping[int, Operation]) -> dict[int, Found | DomainError]:
        names = {index: _kind_and_email(operation.change) for index, operation in operations.items()}
        emails = {email for _, email in names.values()}
        found = [*self.visible.with_email(emails, self.actor.organization_id)] if emails else []
        rows = {(row.kind, email): row for email, row in addresses.holdings(found, emails)}
        return {index: Found(rows.get(name), name) for index, name in names.items()}

    def lock(self, ids: Collection[int], changes: Sequence[Change]) -> None:
        lock_together(self.actor, ids, changes)
        list(for_update(self.visible.filter(pk__in=ids)).values_list("pk"))

    def write(
        self,
        targets: Sequence[tuple[Contact | None, Change]],
        *,
        adding: Collection[int],
        deletions: Deletions,
    ) -> list[Receipt[Contact]]:
        return write_contacts(self.actor, targets, add_references=adding, deletions=deletions)

    def trash(self, rows: Sequence[Contact], *, if_match: Mapping[int, Versions]) -> list[Contact]:
        return trash_contacts(actor=self.actor, rows=rows, if_match=if_match)


def _kind_and_email(change: Change) -> tuple[str, str]:
    return change.get("kind") or Contact.Kinds.PERSON, fold_email(str(change["email"]))
