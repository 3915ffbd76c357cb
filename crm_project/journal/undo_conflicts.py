"""What prevents an undo: later changes of the same facts, and values that do not fit other rows any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.changes import stored
from crm_project.errors import Conflict, DomainError, FieldError
from crm_project.journal.models import Event
from crm_project.journal.net_changes import Fact, NetChange, RowKey, batches, facts_of
from crm_project.records.kinds import Kind, kinds
from crm_project.records.models import CustomField

CHANGED_BY = gettext_noop("%(who)s changed it at %(at)s UTC.")
CHANGED = gettext_noop("It has changed.")
USED = gettext_noop("Other rows have values of it.")
# The templates with the name of the row, of several.
NAMED = {
    CHANGED_BY: gettext_noop("%(row)s: %(who)s changed it at %(at)s UTC."),
    CHANGED: gettext_noop("%(row)s: It has changed."),
    USED: gettext_noop("%(row)s: Other rows have values of it."),
}
# Rows that a refusal names.
LISTED = 100


def conflicts_of(
    actor: Actor, event: Event, nets: Mapping[RowKey, NetChange], by_kind: Mapping[str, Sequence[NetChange]]
) -> dict[RowKey, dict[str, FieldError]]:
    """The errors of the rows that have been changed since, by field."""
    later = _later_events(actor.organization_id, event, by_kind)
    found = {key: _changed_since(net, later.get(key, ())) for key, net in nets.items()}
    found |= _used_elsewhere(event, by_kind.get(CustomField.row_kind, ()))
    return {key: errors for key, errors in found.items() if errors}


def _used_elsewhere(event: Event, nets: Sequence[NetChange]) -> dict[RowKey, dict[str, FieldError]]:
    """An error for each custom field that an import has created and that has values in rows of others."""
    created = {net.row_id: net for net in nets if net.created and event.import_uuid}
    if not created:
        return {}
    found: dict[RowKey, dict[str, FieldError]] = {}
    for field in CustomField.objects.filter(pk__in=created):
        own = Event.objects.of_change_set(event.organization_id, event.change_set).filter(
            kind=field.kind, row_id=OuterRef("pk")
        )
        rows = kinds[field.kind].model.objects.filter(organization_id=event.organization_id, deleted_at=None)
        if rows.filter(Q(custom_fields__has_key=field.key) & ~Exists(own.order_by())).exists():
            error = FieldError("key", "changed_since", USED)
            found[created[field.pk].key] = {"key": error}
    return found


def refusal_of_changed(
    nets: Mapping[RowKey, NetChange], conflicts: Mapping[RowKey, Mapping[str, FieldError]]
) -> Conflict:
    """The refusal. Of several rows, each error begins with the name of its row."""
    rows, fields = [], []
    names = _names(conflicts)
    for (kind, row_id), errors in conflicts.items():
        name = names.get((kind, row_id), "")
        row = {"kind": kind, "row": str(nets[kind, row_id].row_uuid), "name": name, "fields": sorted(errors)}
        rows.append(row)
        for _name, error in sorted(errors.items()):
            params = {**error.params, "row": name}
            named = replace(error, template=NAMED[error.template], params=params)
            fields.append(named if name and len(nets) > 1 else error)
    return conflict(fields, rows)


def _names(keys: Iterable[RowKey]) -> dict[RowKey, str]:
    """The names of the first rows of each kind, as many as a refusal lists."""
    ids = defaultdict(list)
    for kind, row_id in islice(keys, LISTED):
        ids[kind].append(row_id)
    return {
        (kind, row.pk): str(row)
        for kind, of_kind in ids.items()
        for row in kinds[kind].model.objects.filter(pk__in=of_kind).select_related(*kinds[kind].related)
    }


def conflict(fields: Sequence[FieldError], rows: Sequence[Mapping[str, Any]] = ()) -> Conflict:
    """The refusal of an undo that would overwrite later changes, or whose values do not fit other rows."""
    names = ", ".join(dict.fromkeys(error.field for error in fields))
    return Conflict(
        "Changed since, so that it cannot be undone: %(fields)s.",
        {"fields": names},
        code="undo_conflict",
        fields=fields,
        conflicts=list(rows),
    )


def refuse_first(errors: Mapping[int, DomainError]) -> None:
    """Raise the error of the first row: an undo is one request, which has no errors by row."""
    if errors:
        raise errors[min(errors)]


def _later_events(
    organization_id: int, event: Event, by_kind: Mapping[str, Sequence[NetChange]]
) -> dict[RowKey, list[Event]]:
    """Later events of the same rows, without undone change sets and the change sets that undid them."""
    newer = [
        Event.objects.of(organization_id)
        .filter(kind=name, row_id__in=[net.row_id for net in batch], sequence__gt=event.sequence)
        .exclude(change_set=event.change_set)
        for name, nets in by_kind.items()
        for batch in batches(nets)
    ]
    sets = {entry for events in newer for entry in events.change_sets()}
    settled = _settled(sets)
    if event.change_set in settled:
        raise Conflict("This change set has been undone already.", code="undo_conflict")
    by_row: dict[RowKey, list[Event]] = defaultdict(list)
    for events in newer if {uuid for _sequence, uuid, _undoes in sets} - settled else ():
        for later in events.exclude(change_set__in=settled).with_actor().order_by("sequence"):
            by_row[later.kind, later.row_id].append(later)
    return by_row


def _settled(sets: Iterable[tuple[int, UUID, UUID | None]]) -> set[UUID]:
    """The change sets without a net effect: undone ones, and undos of one of these sets. Read from the newest."""
    undone: set[UUID] = set()
    undoing: set[UUID] = set()
    uuids = {uuid for _sequence, uuid, _undoes in sets}
    for _sequence, uuid, undoes in sorted(sets, reverse=True):
        if undoes and uuid not in undone:
            undone.add(undoes)
            if undoes in uuids:
                undoing.add(uuid)
    return undone | undoing


def _changed_since(net: NetChange, later: Sequence[Event]) -> dict[str, FieldError]:
    """An error for each field that has changed since, with the name of the member and the time."""
    facts = net.facts() if later else {}
    errors: dict[str, FieldError] = {}
    for event in later:
        touched = {
            fact
            for name, (old, new) in stored(event.changes).items()
            for fact in facts_of(net.kind, name, old, new)
            if net.created or fact in facts
        }
        who = event.actor.full_name if event.actor else _("The system")
        params = {"who": who, "at": f"{event.at:%Y-%m-%d %H:%M:%S}"}
        for name in {_field(net.kind, fact) for fact in touched}:
            errors[name] = FieldError(name, "changed_since", CHANGED_BY, params)
    for name in {_field(net.kind, fact) for fact in net.stale} - errors.keys():
        errors[name] = FieldError(name, "changed_since", CHANGED)
    return errors


def _field(kind: Kind, fact: Fact) -> str:
    name, part = fact
    if name == "custom_fields":
        return f"{name}.{part}"
    field = kind.fields.get(name)
    return field.name if field else name
