"""Writes of saved views. A view is changed by its owner alone; a shared one is seen by the organization."""

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import FieldError, Forbidden, refuse_fields
from crm_project.records.writing import store
from crm_project.records.writing.columns import Change, set_columns
from crm_project.records.writing.reference_data import locked, trashed
from crm_project.records.writing.store import Draft
from crm_project.saved_views.hooks import hooks
from crm_project.saved_views.models import SavedView
from crm_project.versions import Versions

COLUMNS = ("name", "list", "is_shared", "ordering")
MOST_FILTERS = 50


def create_saved_view(*, actor: Actor, change: Change) -> SavedView:
    """Create a view, which belongs to the actor."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        row = SavedView(organization_id=actor.organization_id, owner=actor.member)
        _apply(actor, row, change)
        draft = Draft(row)
        store.insert([draft], now=timezone.now())
        store.record(changes, [draft], "created")
    return row


def update_saved_view(*, actor: Actor, saved_view: SavedView, change: Change) -> SavedView:
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        row: SavedView = _own(actor, locked(SavedView, actor, saved_view.pk, change.get("if_match")))
        draft = Draft.of(row)
        _apply(actor, row, change)
        store.record(changes, store.update([draft], now=timezone.now()), "updated")
    return row


def trash_saved_view(*, actor: Actor, saved_view: SavedView, if_match: Versions | None = None) -> None:
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        draft = Draft.of(_own(actor, locked(SavedView, actor, saved_view.pk, if_match)))
        draft.row.deleted_at = timezone.now()
        store.record(changes, store.update([draft], now=draft.row.deleted_at), "trashed")


def restore_saved_view(*, actor: Actor, saved_view: SavedView, if_match: Versions | None = None) -> SavedView:
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        row: SavedView = _own(actor, trashed(SavedView, actor, saved_view.pk, if_match))
        draft = Draft.of(row)
        row.deleted_at = None
        store.record(changes, store.update([draft], now=timezone.now()), "restored")
    return row


def _own(actor: Actor, row: SavedView) -> SavedView:
    if row.owner_id != actor.member.pk:
        raise Forbidden("A shared view is changed by its owner.")
    return row


def _apply(actor: Actor, row: SavedView, change: Change) -> None:
    """Set the columns of the change; refuse it with every wrong one."""
    if row.pk and "list" in change and change["list"] != row.list:
        refuse_fields([FieldError("list", "read_only", "The list of a view cannot be changed.")])
    errors = set_columns(row, change, COLUMNS)
    if "filters" in change:
        row.filters = dict(change["filters"])
    if "columns" in change:
        row.columns = list(dict.fromkeys(change["columns"]))
    for name in ("name", "list"):
        if not str(getattr(row, name) or "").strip() and not any(error.field == name for error in errors):
            errors.append(FieldError(name, "blank", "This may not be blank."))
    if len(row.filters) > MOST_FILTERS:
        errors.append(
            FieldError("filters", "max_length", "At most %(limit)s filters.", {"limit": MOST_FILTERS})
        )
    refuse_fields([*errors, *([] if errors else hooks.check(actor, row))])
