"""The people of the tests: Alice owns, Bob is a member, Charlie is an outsider who must see nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test import TestCase

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Role
from crm_project.accounts.services import create_token
from crm_project.errors import DomainError
from tests.factories import (
    ActivityFactory,
    ActorFactory,
    DealFactory,
    OrganizationFactory,
    PersonFactory,
    PipelineFactory,
)


class World:
    """Alice's organization, with a member of each role and two pipelines, and Charlie's, which is another."""

    def __init__(self) -> None:
        self.organization = OrganizationFactory(name="Alice and Co", slug="alice")
        self.alice = self._member(Role.ADMIN, "Alice")
        self.manager = self._member(Role.MANAGER, "Mary")
        self.bob = self._member(Role.REP, "Bob")
        self.viewer = self._member(Role.VIEWER, "Victor")
        self.pipeline = PipelineFactory(actor=self.alice, name="Sales")
        self.new, self.offer, self.won, self.lost = stages_of(self.pipeline)
        self.renewals = PipelineFactory(actor=self.alice, name="Renewals")

        elsewhere = OrganizationFactory(name="Charlie Ltd", slug="charlie")
        self.charlie = ActorFactory(
            organization=elsewhere, role=Role.ADMIN, full_name="Charlie", email="charlie@example.org"
        )
        self.theirs = PipelineFactory(actor=self.charlie, name="Sales")

    def _member(self, role: str, name: str) -> Actor:
        email = f"{name.lower()}@example.com"
        return ActorFactory(organization=self.organization, role=role, full_name=name, email=email)  # type: ignore[no-any-return]

    def deal(self, actor: Actor | None = None, **change: Any) -> Any:
        """Bob's deal, unless somebody else makes it."""
        return DealFactory(actor=actor or self.bob, **change)

    def person(self, actor: Actor | None = None, **change: Any) -> Any:
        return PersonFactory(actor=actor or self.bob, **change)

    def activity(self, actor: Actor | None = None, **change: Any) -> Any:
        return ActivityFactory(actor=actor or self.bob, **change)


class BaseTestCase(TestCase):
    """A world that each test may change; the next one finds it as it was."""

    @classmethod
    def setUpTestData(cls) -> None:
        for name, value in vars(World()).items():
            setattr(cls, name, value)

    deal = World.deal
    person = World.person
    activity = World.activity


def stages_of(pipeline: Any) -> list[Any]:
    """The pipeline's live stages, in order."""
    return list(pipeline.stages.in_order())


def with_token(actor: Actor, *scopes: str, **fields: Any) -> Actor:
    """The same member, speaking through a token of these scopes."""
    token, _ = create_token(actor=actor, name="test", scopes=scopes, **fields)
    return Actor(actor.member, token)


@contextmanager
def refused(code: str, *fields: str) -> Iterator[Any]:
    """Expect a refusal of this code, or one that says it of a field; `fields` are all the fields it names."""
    # The savepoint undoes what a refused write has begun, so that the test can look at what is left.
    with pytest.raises(DomainError) as caught, transaction.atomic():
        yield caught
    error = caught.value
    assert code in {error.code, *(wrong.code for wrong in error.fields)}, error
    if fields:
        assert [wrong.field for wrong in error.fields] == list(fields)


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    """Expect the database itself to refuse, at the latest when the transaction would commit."""
    # A number that is too wide for its column is no matter of integrity to PostgreSQL.
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():  # noqa: PT012
        yield
        connection.check_constraints()
