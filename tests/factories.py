"""Rows with plausible values for what a test does not care about, written by the services, events and all."""

from decimal import Decimal
from typing import Any

import factory

from contacts.services import create_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, create_organization, find_or_create_user
from crm_project.activities.services import create_activities
from crm_project.records.services import create_custom_field
from deals.money import AMOUNT_FIELDS
from deals.services import create_deals, create_lost_reason
from pipelines.services import create_pipeline, create_stage

SALES_STAGES = (
    {"name": "New", "probability": 10},
    {"name": "Offer", "probability": 50},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
)


class OrganizationFactory(factory.Factory):
    class Meta:
        model = dict

    name = factory.Sequence(lambda n: f"Organization {n}")

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Any:
        return create_organization(**fields)


class ActorFactory(factory.Factory):
    """A member of `organization` with a login of its own, acting without a token."""

    class Meta:
        model = dict

    organization = factory.SubFactory(OrganizationFactory)
    role = Role.REP
    full_name = "Robin Roe"
    email = factory.Sequence(lambda n: f"member{n}@example.com")

    @classmethod
    def _create(cls, model_class: Any, *, organization: Any, role: str, full_name: str, email: str) -> Actor:
        user = find_or_create_user(email=email, full_name=full_name)
        return Actor(add_member(actor=None, organization=organization, user=user, role=role))


class ServiceFactory(factory.Factory):
    """What the factory declares is a change in the core's words; `actor` carries it out."""

    class Meta:
        model = dict
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *, actor: Actor, **change: Any) -> Any:
        return cls.write(actor, change)

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        raise NotImplementedError


class PersonFactory(ServiceFactory):
    kind = "person"
    first_name = "Sam"
    last_name = "Sample"
    email = factory.Sequence(lambda n: f"person{n}@example.com")

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_contacts(actor=actor, changes=[change])[0]


class CompanyFactory(PersonFactory):
    kind = "company"
    first_name = last_name = ""
    name = factory.Sequence(lambda n: f"Company {n}")
    email = factory.Sequence(lambda n: f"office{n}@example.com")


class PipelineFactory(ServiceFactory):
    """Two open stages, one won, one lost."""

    name = factory.Sequence(lambda n: f"Pipeline {n}")
    stages = factory.LazyFunction(lambda: [dict(stage) for stage in SALES_STAGES])

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_pipeline(actor=actor, change=change)


class StageFactory(ServiceFactory):
    name = factory.Sequence(lambda n: f"Stage {n}")

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_stage(actor=actor, change=change)


class LostReasonFactory(ServiceFactory):
    name = factory.Sequence(lambda n: f"Reason {n}")

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_lost_reason(actor=actor, change=change)


class CustomFieldFactory(ServiceFactory):
    kind = "deal"
    key = factory.Sequence(lambda n: f"field_{n}")
    label = factory.LazyAttribute(lambda change: change.key.replace("_", " ").title())
    type = "text"

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_custom_field(actor=actor, change=change)


class ActivityFactory(ServiceFactory):
    """A task without a due date; it needs a deal or a contact."""

    subject = factory.Sequence(lambda n: f"Task {n}")

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        return create_activities(actor=actor, changes=[change])[0]


class DealFactory(ServiceFactory):
    """In the default pipeline, unless told otherwise; amounts may be given as 100 or "99.90"."""

    name = factory.Sequence(lambda n: f"Deal {n}")

    @classmethod
    def write(cls, actor: Actor, change: dict[str, Any]) -> Any:
        amounts = {name: Decimal(change[name]) for name in AMOUNT_FIELDS if change.get(name) is not None}
        return create_deals(actor=actor, changes=[change | amounts])[0]
