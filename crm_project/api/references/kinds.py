"""Each kind of row that can be named from outside, and how the API names such rows: by uuid or by id."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.records.models import CustomField, reference_models
from deals.models import Deal, LostReason
from pipelines.models import Pipeline, Stage


@dataclass(frozen=True)
class Kind:
    name: str
    rows: Callable[[Actor], Any]
    named_by: str

    @property
    def references(self) -> Any:
        return reference_models()[self.name]


def _visible(model: Any) -> Callable[[Actor], Any]:
    return lambda actor: model.objects.visible_to(actor.member)


def _own_organization(actor: Actor) -> Any:
    return Organization.objects.filter(pk=actor.organization_id)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("organization", _own_organization, "uuid"),
        Kind("user", _visible(Member), "uuid"),
        Kind("contact", _visible(Contact), "uuid"),
        Kind("deal", _visible(Deal), "uuid"),
        Kind("pipeline", _visible(Pipeline), "id"),
        Kind("stage", _visible(Stage), "id"),
        Kind("lost_reason", _visible(LostReason), "id"),
        Kind("custom_field", _visible(CustomField), "id"),
    )
}
