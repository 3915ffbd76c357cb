"""Rows without the ORM: a history's contacts and deals as plain objects that the core's own rules can run over."""

import uuid
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from contacts.models import Contact
from contacts.services import COLUMNS as CONTACT_COLUMNS
from crm_project.changes import Columns
from crm_project.errors import refuse_fields
from crm_project.setup.demo.steps import Step
from deals import money, rules
from deals.models import Deal
from deals.services.write import COLUMNS as DEAL_COLUMNS
from deals.services.write import LISTS

if TYPE_CHECKING:
    from crm_project.setup.demo.crowd import Profile
    from crm_project.setup.demo.world import World
    from pipelines.models import Stage


# A change without any of these leaves the money alone, and most do.
MONEY = {"currency", "tax_rate", *money.AMOUNT_FIELDS, *money.BID_FIELDS}


class Shadow:
    """A row whose attributes are its columns. `lists` holds what other tables hold of it."""

    model: ClassVar[Any]
    plain: ClassVar[frozenset[str]]
    named: ClassVar[frozenset[str]]

    def __init__(self, world: "World", row_id: int, step: Step) -> None:
        vars(self).update(_blank(self.model))
        self.world = world
        self.lists: dict[str, list[int]] = {}
        self.id = row_id
        self.uuid = uuid.uuid4()
        self.organization_id = world.organization_id
        self.created_at = self.updated_at = step.at
        self.custom_fields: dict[str, Any] = {}
        self.version = 1

    def columns(self) -> Columns:
        """Those that events are about."""
        held = vars(self)
        return {name: held[name] for name in told_columns(self.model)}

    def stored(self) -> list[Any]:
        """Every column, in the order of the model's."""
        self.refresh_derived()
        held = vars(self)
        return [held[name] for name in all_columns(self.model)]

    def apply(self, step: Step) -> None:
        """Do what the services do with a change that is known to be in order."""
        held, change = vars(self), step.change
        for name in change.keys() & self.plain:
            held[name] = change[name]
        for name in change.keys() & self.named:
            held[f"{name}_id"] = change[name]
        if "custom_fields" in change:
            self.custom_fields = self.custom_fields | change["custom_fields"]

    def refresh_derived(self) -> None:
        raise NotImplementedError


class ContactShadow(Shadow):
    model = Contact
    plain = frozenset(CONTACT_COLUMNS)
    named = frozenset({"company", "owner"})
    Kinds = Contact.Kinds
    refresh_derived = Contact.refresh_derived


class DealShadow(Shadow):
    model = Deal
    plain = frozenset(DEAL_COLUMNS)
    named = frozenset({"contact", "client", "owner"})
    Statuses = Deal.Statuses
    effective_probability = Deal.effective_probability
    refresh_derived = Deal.refresh_derived
    contact_id: int | None
    client_id: int | None

    def __init__(self, world: "World", row_id: int, step: Step) -> None:
        super().__init__(world, row_id, step)
        self.currency = world.currency
        self.created_by_id = step.actor

    def apply(self, step: Step) -> None:
        if step.verb in ("trash", "restore"):
            self.deleted_at = step.at if step.verb == "trash" else None
            return
        super().apply(step)
        change: Any = step.change
        deal: Any = self
        errors = money.price(deal, change) if change.keys() & MONEY else []
        errors += rules.travel(deal, self._goal(change), change, now=step.at)
        refuse_fields(errors)
        self._extend_lists(change)

    def _goal(self, change: dict[str, Any]) -> "Stage":
        return self.world.stages[change["stage"]] if "stage" in change else self.stage

    def _extend_lists(self, change: dict[str, Any]) -> None:
        for name in LISTS:
            added = [*change.get(name, ()), *change.get(f"add_{name}", ())]
            if added:
                self.lists[name] = list(dict.fromkeys([*self.lists.get(name, ()), *added]))

    @property
    def stage(self) -> "Stage":
        return self.world.stages[self.stage_id]

    @stage.setter
    def stage(self, stage: "Stage") -> None:
        self.stage_id = stage.pk

    def _set_lost_reason(self, key: int | None) -> None:
        self.lost_reason_id = key

    # The rules pass it on and ask nothing of it.
    lost_reason = property(fset=_set_lost_reason)

    @property
    def contact(self) -> "Profile | None":
        return self._profile(self.contact_id)

    @property
    def client(self) -> "Profile | None":
        return self._profile(self.client_id)

    def _profile(self, contact_id: int | None) -> "Profile | None":
        return self.world.crowd[contact_id - self.world.first_contact] if contact_id else None


@cache
def all_columns(model: Any) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


@cache
def told_columns(model: Any) -> tuple[str, ...]:
    return tuple(name for name in all_columns(model) if name not in model.derived)


@cache
def _blank(model: Any) -> Columns:
    row = model()
    return {name: getattr(row, name) for name in all_columns(model)}
