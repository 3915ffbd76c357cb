"""ONLYOFFICE's tags, which are stored in the custom field `tags`."""

from typing import Any

import pytest

from contacts.models import Contact
from crm_project.records.models import CustomField
from deals.models import Deal
from tests.base import World
from tests.dialects.base import BaseTestCase, Call, RaceTestCase, Racing
from tests.dialects.onlyoffice.base import CRM, Onlyoffice
from tests.factories import CompanyFactory


class TestTags(Onlyoffice, BaseTestCase):
    def ok(self, method: str, path: str, body: Any = None, actor: Any = None, **query: str) -> Any:
        said = self.call_as(actor or self.bob, method, path, body, **query)
        assert said["statusCode"] == (201 if method == "POST" else 200), said
        return said["response"]

    def test_rows_are_tagged_without_any_declaration(self) -> None:
        for entity, row, model in (
            ("opportunity", self.deal(), Deal),
            ("contact", self.ann, Contact),
        ):
            one = f"/{entity}/{row.pk}/tag.json"
            for tag in ("vip", "Éclair & co", "vip"):
                assert self.ok("POST", one, {"tagName": tag}) == tag
            assert self.ok("GET", f"/{entity}/tag/{row.pk}") == ["vip", "Éclair & co"]
            assert model.objects.get(pk=row.pk).custom_fields == {"tags": ["vip", "Éclair & co"]}
            found = self.ok("GET", f"/{entity}/filter", **{"tags[]": "vip"})
            assert [shown["id"] for shown in found] == [row.pk]
            assert self.ok("GET", f"/{entity}/filter", tags="other") == []
            assert row.pk in [shown["id"] for shown in self.ok("GET", f"/{entity}/filter", tags="")]

            assert self.ok("DELETE", one, {"tagName": "vip"}) == "vip"
            assert self.ok("DELETE", one, tagName="Éclair & co") == "Éclair & co"
            assert model.objects.get(pk=row.pk).custom_fields == {}
            assert self.call("DELETE", one, {"tagName": "vip"})["statusCode"] == 404
            assert self.call("POST", one, {"tagName": ""})["statusCode"] == 400
            assert self.ok("GET", f"/{entity}/tag") == []
        assert self.ok("GET", f"/contact/{self.ann.pk}/tag.json") == []

    def test_many_are_tagged_at_once(self) -> None:
        deals = [self.deal(name="Hotel"), self.deal(name="Hotel"), self.deal(name="Other")]
        ids = [deal.pk for deal in deals]

        self.ok("POST", "/opportunity/taglist", {"entityid": ids[1:], "tagName": "late"})
        self.ok("POST", "/opportunity/filter/taglist", {"tagName": "stay"}, filterValue="hotel")
        assert [self.ok("GET", f"/opportunity/tag/{pk}") for pk in ids] == [
            ["stay"],
            ["late", "stay"],
            ["late"],
        ]
        assert [row["id"] for row in self.ok("GET", "/opportunity/filter", tags="late", sortBy="id")] == ids[
            1:
        ]
        assert self.call("POST", "/opportunity/filter/taglist", {"tagName": "all"})["statusCode"] == 400

        company = CompanyFactory(actor=self.bob)
        person = self.person(company=company.pk)
        self.ok("POST", f"/person/{person.pk}/tag/group", {"tagName": "both"})
        self.ok("POST", "/contact/taglist", {"entityid": [self.ann.pk], "tagName": "both"})
        assert {row["id"] for row in self.ok("GET", "/contact/filter", tags="both")} == {
            company.pk,
            person.pk,
            self.ann.pk,
        }
        self.ok("DELETE", f"/company/{company.pk}/tag/group", {"tagName": "both"})
        assert [row["id"] for row in self.ok("GET", "/contact/filter", tags="both")] == [self.ann.pk]

    def test_tags_to_choose_from_are_declared_and_forgotten(self) -> None:
        deal = self.deal(custom_fields={"tags": ["old"]}, free_custom_fields=["tags"])
        assert self.call("POST", "/opportunity/tag", {"tagName": "vip"})["statusCode"] == 403

        self.ok("POST", "/opportunity/tag", {"tagName": "vip"}, self.manager)
        said = self.call_as(self.manager, "POST", "/opportunity/tag", {"tagName": "vip"})
        assert (said["statusCode"], "already exists" in said["error"]["message"]) == (400, True)
        assert self.ok("GET", "/opportunity/tag") == [{"title": "old"}, {"title": "vip"}]
        assert self.ok("GET", "/contact/tag") == []

        # Whoever may not declare one takes one of these; whoever may, declares it by the way.
        one = f"/opportunity/{deal.pk}/tag"
        assert self.call("POST", one, {"tagName": "new"})["statusCode"] == 400
        self.ok("POST", one, {"tagName": "vip"})
        self.ok("POST", one, {"tagName": "new"}, self.manager)
        assert self.ok("GET", f"/opportunity/tag/{deal.pk}") == ["new", "old", "vip"]

        self.ok("DELETE", "/opportunity/tag", {"tagName": "old"}, self.manager)
        assert self.ok("GET", f"/opportunity/tag/{deal.pk}") == ["new", "vip"]
        self.ok("DELETE", one, {"tagName": "vip"})
        assert self.ok("DELETE", "/opportunity/tag/unused", actor=self.manager) == ["vip"]
        self.ok("DELETE", "/opportunity/tag", {"tagName": "new"}, self.manager)
        assert not CustomField.objects.live().filter(key="tags").exists()
        assert self.call_as(self.manager, "DELETE", "/opportunity/tag", tagName="new")["statusCode"] == 404

    def test_sending_back_a_tagged_contact_changes_nothing(self) -> None:
        self.ok("POST", f"/contact/{self.ann.pk}/tag", {"tagName": "vip"})
        shown = self.ok("GET", f"/contact/{self.ann.pk}")
        assert shown["tags"] == ["vip"]
        body = {"firstName": shown["firstName"], "lastName": shown["lastName"], "tags": shown["tags"]}

        said = self.ok("PUT", f"/contact/person/{self.ann.pk}", body)

        assert said == shown


@pytest.mark.race
class TestRaces(Onlyoffice, Racing, RaceTestCase):
    deal = World.deal
    person = World.person

    def test_two_who_tag_a_row_at_once_both_succeed(self) -> None:
        deal = self.deal()
        path = f"{CRM}/opportunity/{deal.pk}/tag"

        answers = self.race_each([Call("POST", path, {"tagName": str(n)}) for n in range(4)], self.bob)

        assert {answer.status_code for answer in answers} == {201}
        assert sorted(Deal.objects.get(pk=deal.pk).custom_fields["tags"]) == ["0", "1", "2", "3"]
