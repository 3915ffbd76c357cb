"""The OpenAPI document of each dialect against the server: every answer to what it generates is as documented."""

import re
from typing import Any

import pytest
from django.db import transaction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from crm_project.accounts.services import create_token
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.schema import DialectGenerator
from crm_project.dialects.registry import DIALECTS
from tests.base import World
from tests.factories import CompanyFactory, CustomFieldFactory
from tests.generated import PLAIN, generates, loaded, undone

# A body may have ids of no row, and the vendors' servers accept more than their documents name.
UNCHECKED = [positive_data_acceptance, negative_data_rejection]
# The rows that a part of a path names, by the part before it.
ROWS = {
    "clients": "company",
    "company": "company",
    "contact": "person",
    "contacts": "person",
    "customFields": "field",
    "customfield": "field",
    "deals": "deal",
    "employee": "member",
    "locations": "organization",
    "opportunities": "deal",
    "opportunity": "deal",
    "organization-contact": "person",
    "people": "member",
    "person": "person",
    "pipelines": "pipeline",
    "stage": "stage",
    "stages": "stage",
    "statuses": "stage",
    "users": "member",
}


@pytest.fixture(scope="module")
def rows(django_db_setup: Any, django_db_blocker: Any) -> Any:
    """The rows of Alice's organization, made once: each test undoes only what it does itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = World()
        company, person = CompanyFactory(actor=world.bob), world.person()
        keys = [(system, f"K-{number}") for number, system in enumerate(DIALECTS)]
        deal = world.deal(contact=person.pk, client=company.pk)
        world.deal(
            contact=world.person(company=company.pk, external_references=keys).pk, external_references=keys
        )
        yield {
            "": world.alice,
            "secret": create_token(actor=world.alice, name="schema")[1],
            "company": company,
            "person": person,
            "deal": deal,
            "field": CustomFieldFactory(actor=world.alice),
            "member": world.bob.member,
            "organization": world.organization,
            "pipeline": world.pipeline,
            "stage": world.offer,
        }
        transaction.set_rollback(True)


def named(path: str, system: str, rows: Any) -> dict[str, str] | None:
    """The parameters of a path with the ids of rows that exist; None if there are none."""
    found = re.findall(r"/([\w-]+)/\{(\w+)\}", path)
    ids = Ids(rows[""], system)
    return {name: str(ids.id_of(rows[ROWS[part]])) for part, name in found if part in ROWS} or None


def keeps_to_its_document(system: str) -> Any:
    @loaded(DialectGenerator(system).get_schema(request=None, public=True)).parametrize()
    @generates(2)
    def test(rows: Any, django_db_blocker: Any, case: Any) -> None:
        headers = {"Authorization": f"Bearer {rows['secret']}", **PLAIN}
        with django_db_blocker.unblock(), undone():
            for names in ({}, named(case.path, system, rows)):
                if names is None:
                    continue
                case.path_parameters = {**(case.path_parameters or {}), **names}
                response = case.call(headers=headers)
                case.validate_response(response, headers=headers, excluded_checks=UNCHECKED)

    return test


test_xalantis = keeps_to_its_document("xalantis")
test_onlyoffice = keeps_to_its_document("onlyoffice")
test_intum = keeps_to_its_document("intum")
test_leadconnector = keeps_to_its_document("leadconnector")
test_gauzy = keeps_to_its_document("gauzy")


# The mark has pytest-django create the database, which the fixtures above use.
@pytest.mark.django_db
def test_every_dialect_is_tested() -> None:
    assert {f"test_{system}" for system in DIALECTS} <= globals().keys()
