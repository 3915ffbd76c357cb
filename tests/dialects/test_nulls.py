"""No answer to a GET of the five dialects has null where another one has an object or a list."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.test import Client

from tests.base import BaseTestCase
from tests.costs import HEADERS, expensive_reads
from tests.dialects.base import secret_of
from tests.factories import CustomFieldFactory

# Objects and lists of LeadConnector's published schemas. The other vendors publish no schema of their answers.
DECLARED = {
    ("leadconnector", key)
    for key in (
        "contact contacts opportunities opportunity pipelines stages customFields followers tags meta users"
        " notes tasks calendarEvents dndSettings inboundDndSettings"
    ).split()
}
# Objects that are null where there is no such row, each with the reason.
NULLABLE = {
    ("xalantis", ".data[].client"): "a deal without a company",
    ("xalantis", ".data[].contact"): "a deal without a contact",
    ("leadconnector", ".contact"): "no duplicate was found, of whose answer no schema is published",
}


def parts_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of an answer under its path; the entries of a list share one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield f"{path}.{key}", part
            yield from parts_of(part, f"{path}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from parts_of(part, f"{path}[]")


class TestNulls(BaseTestCase):
    def setUp(self) -> None:
        """A deal and a contact with all that they can have, and ones with nothing."""
        size = CustomFieldFactory(actor=self.alice, key="size")
        CustomFieldFactory(actor=self.alice, key="size", kind="contact")
        company = self.person(kind="company", name="Acme", first_name="", last_name="")
        person = self.person(
            company=company.pk,
            owner=self.bob.member.pk,
            custom_fields={size.key: "L"},
            external_references=[("leadconnector", "c1")],
        )
        self.person(first_name="Bare", last_name="", email="")
        self.deal(name="Bare")
        self.deal(
            contact=person.pk,
            client=company.pk,
            members=[person.pk],
            followers=[self.bob.member.pk],
            is_private=True,
            access_list=[self.bob.member.pk],
            custom_fields={size.key: "L"},
            external_references=[("leadconnector", "d1")],
        )

    def test_no_object_and_no_list_is_null(self) -> None:
        secret = secret_of(self.alice)
        kinds: dict[tuple[str, str], set[type]] = defaultdict(set)
        nulls: set[tuple[str, str]] = set()
        for request in expensive_reads(self.alice):
            headers = {"Authorization": f"Bearer {secret}", **HEADERS.get(request.system, {})}
            answer = Client().get(request.path, headers=headers)
            content = answer.getvalue()
            if request.system == "api" or answer.status_code != 200 or "json" not in answer["Content-Type"]:
                continue
            for path, value in parts_of(json.loads(content)):
                kinds[request.system, key_of(path)].add(type(value))
                if value is None:
                    nulls.add((request.system, path))

        whole = DECLARED | {place for place, types in kinds.items() if types & {dict, list}}
        found = {(system, path) for system, path in nulls if (system, key_of(path)) in whole}
        assert len(kinds) > 300
        assert found == NULLABLE.keys()


def key_of(path: str) -> str:
    return path.rpartition(".")[2]
