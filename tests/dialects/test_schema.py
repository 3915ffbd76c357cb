"""The OpenAPI document of each dialect against the server: every answer to what it generates is as documented."""

import re
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import pytest
from django.db import transaction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from crm_project.accounts.services import create_token
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.schema import DialectGenerator
from crm_project.dialects.registry import DIALECTS
from tests.base import World
from tests.examples import IS_REPEATABLE
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
    "history": "note",
    "locations": "organization",
    "notes": "note",
    "opportunities": "deal",
    "opportunity": "deal",
    "organization-contact": "person",
    "people": "member",
    "person": "person",
    "pipelines": "pipeline",
    "stage": "stage",
    "stages": "stage",
    "statuses": "stage",
    "task": "task",
    "tasks": "task",
    "users": "member",
}


# The rows that fields of bodies and queries name.
FIELDS = {
    "assignedTo": "member",
    "clientId": "company",
    "client_id": "company",
    "companyId": "company",
    "contactId": "person",
    "contact_id": "person",
    "contactid": "person",
    "locationId": "organization",
    "location_id": "organization",
    "organizationContactId": "person",
    "pipelineId": "pipeline",
    "pipelineStageId": "stage",
    "pipeline_id": "pipeline",
    "responsible_id": "member",
    "responsibleid": "member",
    "stageId": "stage",
    "stage_id": "stage",
    "stageid": "stage",
    "status_id": "stage",
    "userId": "member",
}


class Rows(World):
    """Alice's organization, with a row of each kind; one deal has a reference of each dialect."""

    def __init__(self) -> None:
        super().__init__()
        keys = [(system, f"K-{system}") for system in DIALECTS]
        company, person = CompanyFactory(actor=self.bob), self.person()
        referred = self.person(company=company.pk, external_references=keys)
        self.deal(contact=referred.pk, external_references=keys)
        self.secret = create_token(actor=self.alice, name="schema")[1]
        self.stranger = create_token(actor=self.charlie, name="schema")[1]
        self.rows = {
            "company": company,
            "person": person,
            "deal": self.deal(contact=person.pk, client=company.pk),
            "field": CustomFieldFactory(actor=self.alice),
            "member": self.bob.member,
            "note": self.activity(type="note", contact=person.pk),
            "organization": self.organization,
            "pipeline": self.pipeline,
            "stage": self.offer,
            "task": self.activity(contact=person.pk),
        }

    def ids(self, system: str) -> dict[str, str]:
        ids = Ids(self.alice, system)
        return {name: str(ids.id_of(row)) for name, row in self.rows.items()}


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any) -> Any:
    """Made once: each test undoes only what it does itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Rows()
        transaction.set_rollback(True)


def mended(value: Any, ids: Mapping[str, str]) -> Any:
    """The query or the body with the ids of rows that exist, where the vendor has a name for them."""
    if isinstance(value, list):
        return [mended(item, ids) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: ids.get(FIELDS.get(name, "")) or mended(item, ids) for name, item in value.items()}


def with_rows(case: Any, ids: Mapping[str, str]) -> None:
    """Replace generated ids in the request."""
    found = re.findall(r"/([\w-]+)/\{(\w+)\}", case.path)
    names = {name: ids[ROWS[part]] for part, name in found if part in ROWS}
    case.path_parameters = {**(case.path_parameters or {}), **names}
    case.query = mended(dict(case.query or {}), ids)
    case.body = mended(case.body, ids)


def slice_of(schema: Any) -> Any:
    """Every operation in a long run, every fourth one in a short run."""
    if not IS_REPEATABLE:
        return schema
    return schema.include(lambda context: crc32(context.operation.label.encode()) % 4 == 0)


def keeps_to_its_document(system: str) -> Any:
    document = DialectGenerator(system).get_schema(request=None, public=True)

    @slice_of(loaded(document)).parametrize()
    @generates(1)
    def test(world: Any, django_db_blocker: Any, case: Any) -> None:
        def check(secret: str) -> None:
            headers = {"Authorization": f"Bearer {secret}", **PLAIN}
            case.validate_response(case.call(headers=headers), headers=headers, excluded_checks=UNCHECKED)

        with django_db_blocker.unblock(), undone():
            check(world.secret)
            with_rows(case, world.ids(system))
            # A stranger first: he changes nothing.
            check(world.stranger)
            check(world.secret)

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
