"""Fields without a column of the core: stored in a contact's custom fields, and checked if these are defined."""

from typing import Any

import pytest

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.records.services import create_custom_field
from tests.dialects.base import BaseTestCase, Call, RaceTestCase, Racing
from tests.dialects.leadconnector.base import LOCATION, LeadConnector, record
from tests.factories import PersonFactory

KEPT: dict[str, Any] = {
    "tags": ["vip", "it"],
    "type": "customer",
    "state": "AL",
    "timezone": "America/Chihuahua",
    "gender": "female",
    "dateOfBirth": "1990-09-25",
    "dnd": True,
    "dndSettings": {"Call": {"status": "active", "message": "later"}},
    "inboundDndSettings": {"all": {"status": "inactive"}},
}


def declare(actor: Any, key: str, kind: str, **fields: Any) -> None:
    change = {"kind": "contact", "key": key, "label": key.title(), "type": kind, **fields}
    create_custom_field(actor=actor, change=change)


class TestKept(LeadConnector, BaseTestCase):
    def setUp(self) -> None:
        record(self)
        self.contact = self.person(first_name="Ann")
        self.path = f"/contacts/{self.contact.uuid}"

    def put(self, **body: Any) -> Any:
        return self.call("PUT", self.path, body)["contact"]

    def refuse(self, method: str, path: str, body: Any) -> list[str]:
        answer = self.as_actor(self.bob, Call(method, path, body))
        assert answer.status_code == 422, answer.content
        self.check_refusal(answer, 422)
        return list(answer.json()["message"])

    def test_it_is_read_as_it_was_sent(self) -> None:
        shown = self.put(**{**KEPT, "dateOfBirth": "09/25/1990"})

        assert {name: shown[name] for name in KEPT} == KEPT
        assert shown["customFields"] == []
        self.contact.refresh_from_db()
        assert self.contact.custom_fields["date_of_birth"] == "1990-09-25"

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        shown = self.put(**KEPT)

        assert self.put(**shown) == shown

    def test_an_empty_list_object_or_flag_removes_it(self) -> None:
        self.put(**KEPT)

        rest = {"dnd": False, "dndSettings": {}, "inboundDndSettings": {}}
        shown = self.put(tags=[], **rest)

        assert shown["tags"] == []
        assert not any(shown[name] for name in rest)

    def test_it_is_merged_with_the_custom_fields(self) -> None:
        declare(self.manager, "size", "text")

        shown = self.put(customFields=[{"key": "size", "field_value": "L"}], tags="vip")

        assert (shown["tags"], [entry["value"] for entry in shown["customFields"]]) == (["vip"], ["L"])
        assert self.refuse("PUT", self.path, {"customFields": [{"key": "nothing", "field_value": "L"}]})

    def test_a_defined_field_accepts_values_of_its_type(self) -> None:
        declare(self.manager, "tags", "multiselect", options=["vip", "it"])

        assert self.put(tags=["vip"])["tags"] == ["vip"]
        assert self.refuse("PUT", self.path, {"tags": ["other"]})[0].startswith("tags: ")
        tags = self.call("GET", f"/locations/{LOCATION}/tags")["tags"]
        assert tags == [{"id": tag, "name": tag, "locationId": LOCATION} for tag in ("vip", "it")]

    def test_a_value_of_another_kind_is_a_custom_field_like_any_other(self) -> None:
        change = {"custom_fields": {"tags": "vip, it"}, "free_custom_fields": True}
        update_contacts(actor=self.bob, changes=[(self.contact, change)])

        shown = self.call("GET", self.path)["contact"]

        assert (shown["tags"], shown["customFields"]) == ([], [{"id": "tags", "value": "vip, it"}])
        assert self.put(**shown) == shown

    def test_tags_are_added_and_removed(self) -> None:
        added = self.call("POST", f"{self.path}/tags", {"tags": ["vip", "it"]})
        again = self.call("POST", f"{self.path}/tags/", {"tags": ["it", "new"]})
        gone = self.call("DELETE", f"{self.path}/tags", {"tags": ["vip", "nothing"]})

        assert (added["tags"], added["tagsAdded"]) == (["vip", "it"], ["vip", "it"])
        assert (again["tags"], again["tagsAdded"]) == (["vip", "it", "new"], ["new"])
        assert (gone["tags"], gone["tagsRemoved"]) == (["it", "new"], ["vip"])
        assert self.refuse("POST", f"{self.path}/tags", {}) == ["tags should not be empty"]
        deal = self.deal(contact=self.contact.pk)
        shown = self.call("GET", f"/opportunities/{deal.uuid}")["opportunity"]
        assert shown["contact"]["tags"] == ["it", "new"]

    def test_tags_of_many_are_added_and_removed(self) -> None:
        other = self.person(first_name="Ben")
        self.put(tags=["old"])
        rows, stranger = [str(self.contact.uuid), str(other.uuid)], str(self.person(self.charlie).uuid)

        def change(kind: str, *contacts: str, **body: Any) -> Any:
            sent = {"contacts": list(contacts), "tags": ["vip"], "locationId": LOCATION, **body}
            return self.call("POST", f"/contacts/bulk/tags/update/{kind}", sent)

        added = change("add", *rows)
        again = change("add", rows[0], stranger)
        removed = change("remove", *rows)
        cleared = change("remove", *rows, removeAllTags=True)

        assert (added["succeded"], added["errorCount"]) == (True, 0)
        assert added["responses"][0] == {
            "contactId": rows[0],
            "message": "Tags updated",
            "type": "success",
            "oldTags": ["old"],
            "tagsAdded": ["vip"],
            "tagsRemoved": [],
        }
        assert (again["succeded"], again["errorCount"]) == (False, 1)
        assert (again["responses"][0]["tagsAdded"], again["responses"][1]["contactId"]) == ([], stranger)
        assert [entry["tagsRemoved"] for entry in removed["responses"]] == [["vip"], ["vip"]]
        assert [entry["tagsRemoved"] for entry in cleared["responses"]] == [["old"], []]
        body = {"contacts": rows, "tags": [], "locationId": LOCATION}
        assert self.as_actor(self.bob, Call("POST", "/contacts/bulk/tags/update/x", body)).status_code == 404

    def test_tags_are_for_those_who_may_write_and_see(self) -> None:
        call = Call("POST", f"{self.path}/tags", {"tags": ["vip"]})

        for actor, status in ((self.viewer, 403), (self.charlie, 404)):
            answer = self.as_actor(actor, call)
            assert answer.status_code == status
            self.check_refusal(answer, status)


@pytest.mark.race
class TestRaces(LeadConnector, Racing, RaceTestCase):
    def test_tags_added_at_once_are_all_stored(self) -> None:
        path = f"/contacts/{PersonFactory(actor=self.bob).uuid}/tags"
        tags = [str(number) for number in range(self.callers)]

        answers = self.race_each([Call("POST", path, {"tags": [tag]}) for tag in tags], self.bob)

        assert {answer.status_code for answer in answers} == {201}
        assert sorted(Contact.objects.get().custom_fields["tags"]) == tags
