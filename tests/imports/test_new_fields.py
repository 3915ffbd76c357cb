"""Custom fields and tags that an import creates for columns."""

from collections import Counter
from typing import Any

from crm_project.imports.new_fields import type_of
from crm_project.records.models import CustomField
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.factories import CustomFieldFactory
from tests.imports.client import carried_out, counts, csv_file, imported, upload

HEADER = ("External ID", "Name", "Deal Type", "Seats", "Go live", "Renewal", "Next Step", "Tags")
ROWS = [
    ("1", "A", "New business", "1.250,5", "31.12.2026", "yes", "Call on monday", "vip,north"),
    ("2", "B", "Existing", "20,25", "01.10.2026", "no", "Offer", "north"),
    ("3", "C", "New business", "7", "", "no", "Wait", ""),
    ("4", "D", "Existing", "", "15.08.2026", "", "", "vip"),
]
NEW = dict.fromkeys(HEADER[2:], "new_field")


class TypeTests(ApiTestCase):
    def test_the_type_that_suits_a_column(self) -> None:
        for label, texts, expected in (
            ("Empty", [], "text"),
            ("Type", ["new", "old"] * 5, "select"),
            ("Type", ["new", "old", "older"], "text"),
            ("Interests", ["a;b", "b;c", "a;c", "a", "b", "c"], "multiselect"),
            ("Tag", ["a", "b,c"], "multiselect"),
            ("Deal - Label", ["Hot", "Cold"], "multiselect"),
            ("Seats", ["1", "2.5", "1,250"], "number"),
            ("Zip", ["00123", "10115"], "text"),
            ("Phone", ["+49 30 1234567", "+49 30 1234568"], "text"),
            ("Long id", ["12345678901234567890"], "text"),
            ("Go live", ["31.12.2026", "2026-01-01", "Dec 31, 2025"], "date"),
            ("Year", ["2024", "2025"], "number"),
            ("Signed", ["yes", "no"], "checkbox"),
            ("Signed", ["1", "0"], "checkbox"),
            ("Signed", ["true"], "checkbox"),
            ("Comment", ["x" * 101], "textarea"),
        ):
            with self.subTest(label=label, texts=texts):
                assert type_of(label, Counter(texts)) == expected

    def test_many_values_are_no_choice(self) -> None:
        assert type_of("Code", {f"k{number}": 9 for number in range(31)}) == "text"


class NewFieldTests(ApiTestCase):
    def source(self, **mapping: str) -> tuple[str, Any]:
        source = upload(self.as_alice, "deals", csv_file(HEADER, *ROWS)).json()
        place = f"/api/imports/{source['uuid']}"
        answer = self.as_alice.patch(place, {"mapping": mapping})
        assert answer.status_code == 200, answer.content
        return place, answer.json()

    def test_the_fields_are_created_with_the_run(self) -> None:
        place, source = self.source(**NEW)
        assert {label: source["mapping"][label] for label in NEW} == {
            "Deal Type": "new_field:select",
            "Seats": "new_field:number",
            "Go live": "new_field:date",
            "Renewal": "new_field:checkbox",
            "Next Step": "new_field:text",
            "Tags": "new_field:multiselect",
        }
        assert {column["label"]: column["type"] for column in source["columns"]}["Seats"] == "number"

        previewed = carried_out(self.as_alice, place, "preview")
        assert counts(previewed) == (4, 0, 0, 0), previewed["summary"]
        assert previewed["summary"]["created_beside"] == {"custom_field": 6}
        assert not CustomField.objects.exists()

        done = carried_out(self.as_alice, place)
        assert counts(done) == (4, 0, 0, 0)
        assert done["mapping"]["Deal Type"] == "custom_deal_type"
        fields = [
            (field.key, field.label, field.type, field.options)
            for field in CustomField.objects.order_by("position")
        ]
        assert fields == [
            ("deal_type", "Deal Type", "select", ["New business", "Existing"]),
            ("seats", "Seats", "number", []),
            ("go_live", "Go live", "date", []),
            ("renewal", "Renewal", "checkbox", []),
            ("next_step", "Next Step", "text", []),
            ("tags", "Tags", "multiselect", ["vip", "north"]),
        ]
        assert Deal.objects.get(name="A").custom_fields == {
            "deal_type": "New business",
            "seats": 1250.5,
            "go_live": "2026-12-31",
            "renewal": True,
            "next_step": "Call on monday",
            "tags": ["vip", "north"],
        }

    def test_the_next_file_fills_the_same_fields(self) -> None:
        place, _source = self.source(**NEW)
        carried_out(self.as_alice, place)
        again = imported(self.as_alice, "deals", csv_file(HEADER, *ROWS))
        assert counts(again) == (0, 0, 4, 0), again["refused"]
        assert CustomField.objects.count() == 6

    def test_an_undo_takes_the_fields_back(self) -> None:
        place, _source = self.source(**NEW)
        carried_out(self.as_alice, place)
        undone = carried_out(self.as_alice, place, "undo")
        assert undone["state"] == "undone", undone["problem"]
        assert not CustomField.objects.filter(deleted_at=None).exists()
        redone = carried_out(self.as_alice, place, "undo")
        assert redone["state"] == "done", redone["problem"]
        assert CustomField.objects.filter(deleted_at=None).count() == 6
        assert Deal.objects.get(name="B").custom_fields["seats"] == 20.25

    def test_a_field_that_is_used_elsewhere_stays(self) -> None:
        place, _source = self.source(Seats="new_field:number", Tags="new_field")
        carried_out(self.as_alice, place)
        other = self.as_bob.post("/api/deals", {"name": "Other", "custom_fields": {"seats": 5}})
        assert other.status_code == 201, other.content
        refused = carried_out(self.as_alice, place, "undo")
        assert refused["state"] == "done"
        assert "Seats" in refused["problem"], refused["problem"]
        undone = carried_out(self.as_alice, place, "undo", changed_rows="keep")
        assert (undone["state"], undone["counts"]["stayed"]) == ("undone", 1), undone["problem"]
        assert list(CustomField.objects.filter(deleted_at=None).values_list("key", flat=True)) == ["seats"]
        assert list(Deal.objects.filter(deleted_at=None).values_list("name", flat=True)) == ["Other"]

    def test_a_type_is_chosen_by_hand(self) -> None:
        place, _source = self.source(Seats="new_field:text", **{"Next Step": "new_field:select"})
        carried_out(self.as_alice, place)
        assert dict(CustomField.objects.values_list("key", "type")) == {
            "seats": "text",
            "next_step": "select",
        }
        assert Deal.objects.get(name="A").custom_fields["seats"] == "1.250,5"

    def test_a_figure_that_can_be_read_in_two_ways_is_asked_about(self) -> None:
        content = csv_file(("Name", "Seats"), ("A", "1.250"), ("B", "2.500"))
        source = upload(self.as_alice, "deals", content).json()
        place = f"/api/imports/{source['uuid']}"
        changed = self.as_alice.patch(place, {"mapping": {"Seats": "new_field"}}).json()
        assert [question["column"] for question in changed["questions"]] == ["Seats"]

    def test_a_key_that_is_taken(self) -> None:
        CustomFieldFactory(actor=self.alice, kind="deal", key="seats", label="Seats before", type="text")
        place, _source = self.source(Seats="new_field:number")
        done = carried_out(self.as_alice, place)
        assert done["mapping"]["Seats"] == "custom_seats_2"

    def test_wrong_types_and_members_who_may_not(self) -> None:
        source = upload(self.as_alice, "deals", csv_file(HEADER, *ROWS)).json()
        for wrong in ("new_field:heading", "new_field:", "new_field:x"):
            answer = self.as_alice.patch(f"/api/imports/{source['uuid']}", {"mapping": {"Seats": wrong}})
            assert answer.status_code == 400, wrong
        own = upload(self.as_bob, "deals", csv_file(HEADER, *ROWS)).json()
        answer = self.as_bob.patch(f"/api/imports/{own['uuid']}", {"mapping": {"Seats": "new_field"}})
        assert answer.status_code == 400
        assert "may define them" in answer.content.decode()
        keys = {field["key"] for field in self.as_bob.get("/api/imports/fields").json()["deals"]}
        assert not any(key.startswith("new_field") for key in keys)

    def test_a_cell_that_does_not_fit_refuses_its_row(self) -> None:
        content = csv_file(("Name", "Seats"), ("A", "12"), ("B", "many"))
        result = imported(self.as_alice, "deals", content, mapping={"Seats": "new_field:number"})
        (refused,) = result["refused"]
        assert (refused["line"], refused["errors"][0]["column"]) == (3, "Seats")
        assert not CustomField.objects.exists()

    def test_too_many_options(self) -> None:
        rows = [(f"{number}", f"code {number}") for number in range(600)]
        result = imported(
            self.as_alice, "deals", csv_file(("Name", "Code"), *rows), mapping={"Code": "new_field:select"}
        )
        assert result["state"] == "failed"
        assert result["problem"].startswith("Code has too many or too long values for a choice.")
        assert not CustomField.objects.exists()

    def test_contacts_and_large_choices(self) -> None:
        rows = [(f"P{number}", f"group {number % 25}") for number in range(300)]
        content = csv_file(("First name", "Group"), *rows)
        result = imported(self.as_alice, "contacts", content, mapping={"Group": "new_field"})
        assert counts(result) == (300, 0, 0, 0), result["problem"]
        field = CustomField.objects.get()
        assert (field.kind, field.type, len(field.options)) == ("contact", "select", 25)
