"""Definitions of ONLYOFFICE's user fields: declared, changed, put in order and deleted."""

from typing import Any

from crm_project.records.models import CustomField
from tests.dialects.base import BaseTestCase
from tests.dialects.onlyoffice.base import Onlyoffice
from tests.factories import CustomFieldFactory


class TestDefinitions(Onlyoffice, BaseTestCase):
    def manage(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        said = self.call_as(self.manager, method, path, body, **query)
        assert said["statusCode"] == (201 if method == "POST" else 200), said
        return said["response"]

    def declare(self, **sent: Any) -> Any:
        return self.manage("POST", "/opportunity/customfield.json", sent)

    def test_one_is_declared_in_every_type(self) -> None:
        for kind, name, mask, shown in (
            ("text", 0, '{"size": 40}', '{"size": 40}'),
            ("textarea", "TextArea", '{"rows":2,"cols":30}', '{"rows":2,"cols":30}'),
            ("select", 2, '["S", "M"]', '["S", "M"]'),
            ("checkbox", "3", "", ""),
            ("heading", 4, "", ""),
            ("date", "Date", "", ""),
        ):
            row = self.declare(label="Größe?", fieldType=name, mask=mask, position=3)
            held = CustomField.objects.get(pk=row["id"])

            assert (row["label"], row["mask"], held.type, held.kind) == ("Größe?", shown, kind, "deal")
        keys = CustomField.objects.exclude(key="city").order_by("id").values_list("key", flat=True)
        assert list(keys) == ["grosse", *(f"grosse_{number}" for number in range(2, 7))]
        labels = [row["label"] for row in self.manage("GET", "/opportunity/customfield/definitions")]
        assert labels == ["City", *["Größe?"] * 6]

    def test_people_and_companies_share_theirs(self) -> None:
        for entity in ("contact", "person", "company"):
            row = self.manage("POST", f"/{entity}/customfield", {"label": entity, "fieldType": 0})
            assert CustomField.objects.get(pk=row["id"]).kind == "contact"
            assert self.manage("PUT", f"/{entity}/customfield/{row['id']}", {"label": "x"})["label"] == "x"
        assert (
            self.call_as(self.manager, "PUT", f"/opportunity/customfield/{row['id']}", {"label": "x"})[
                "statusCode"
            ]
            == 404
        )

    def test_one_is_changed_but_for_its_type(self) -> None:
        sizes = self.declare(label="Size", fieldType=2, mask=["S", "M"])
        days = CustomFieldFactory(
            actor=self.alice, key="days", label="Days", type="multiselect", options=["Mo", "Tu"]
        )
        one = f"/opportunity/customfield/{sizes['id']}"

        self.manage("PUT", one, {"label": "Sizes", "fieldType": 2, "mask": '["S","M","L"]'})
        assert (
            self.manage("PUT", one, {"label": "Sizes", "fieldType": "SelectBox"})["mask"] == '["S", "M", "L"]'
        )
        shown = self.manage("GET", "/opportunity/customfield/definitions.json")[1]
        assert self.manage("PUT", f"/opportunity/customfield/{days.pk}", shown) == shown
        assert CustomField.objects.get(pk=days.pk).version == days.version
        for body in (
            {"label": "Sizes", "fieldType": 0},
            {"label": "", "fieldType": 2},
            {"label": "Sizes", "fieldType": 2, "mask": "S"},
            {"label": "Sizes", "fieldType": 9},
        ):
            assert self.call_as(self.manager, "PUT", one, body)["statusCode"] == 400, body

    def test_they_are_put_in_order_and_deleted(self) -> None:
        ids = [self.declare(label=label)["id"] for label in "AB"]

        rows = self.manage(
            "PUT", "/opportunity/customfield/reorder.json", {"fieldIds": [ids[1], self.city.pk]}
        )
        assert [row["id"] for row in rows] == [ids[1], self.city.pk, ids[0]]
        assert self.manage("DELETE", f"/opportunity/customfield/{ids[1]}")["label"] == "B"
        rows = self.manage("GET", "/opportunity/customfield/definitions")
        assert [row["id"] for row in rows] == [self.city.pk, ids[0]]
        # Another field of the same label does not bring the deleted one's values back.
        again = self.declare(label="B")
        assert CustomField.objects.get(pk=again["id"]).key == "b_2"

    def test_only_managers_do_this(self) -> None:
        for method, path, body in (
            ("POST", "", {"label": "x"}),
            ("PUT", f"/{self.city.pk}", {"label": "x"}),
            ("DELETE", f"/{self.city.pk}", None),
            ("PUT", "/reorder", {"fieldids": [self.city.pk]}),
        ):
            said = self.call(method, f"/opportunity/customfield{path}", body)
            assert (said["statusCode"], said["error"]["message"]) == (403, "Access denied")
