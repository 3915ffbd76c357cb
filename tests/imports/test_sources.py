"""Files of the forms that other systems write: what is guessed, what is asked, and what is stored of each."""

import datetime
from pathlib import Path
from typing import Any

from contacts.models import Contact
from crm_project.accounts.models import User
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.sources import FOLDER, sources
from deals.models import Deal, DealState
from tests.api.client import ApiTestCase
from tests.imports.client import XLSX, carried_out, counts, csv_file, upload

FILES = Path(__file__).parent / "files"


def stored(deal: Deal) -> tuple[Any, ...]:
    """What a person compares first."""
    return (
        deal.name,
        f"{deal.amount.normalize():f} {deal.currency}" if deal.amount is not None else "",
        deal.stage.name,
        deal.status,
        deal.owner.full_name if deal.owner else "",
        str(deal.client or ""),
        deal.contact.full_name if deal.contact else "",
        str(deal.expected_close_date or ""),
        deal.closed_at.strftime("%Y-%m-%d") if deal.closed_at else "",
        deal.created_at.strftime("%Y-%m-%d"),
    )


class SourceTestCase(ApiTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        User.objects.filter(pk=cls.bob.member.user_id).update(
            full_name="Mathieu Girard", email="rep@example.com"
        )

    def of_file(self, name: str, kind: str = "deals") -> dict[str, Any]:
        content = (FILES / name).read_bytes()
        answer = upload(self.as_alice, kind, content, XLSX if name.endswith("xlsx") else "text/csv")
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def unknown(self, source: dict[str, Any]) -> dict[str, dict[str, int]]:
        return {
            field["field"]: {value["value"]: value["count"] for value in field["values"]}
            for field in source["values"]
        }

    def run_with(self, source: dict[str, Any], **change: Any) -> dict[str, Any]:
        """The import after its run; the chosen values are those of `change`, all others are created."""
        place = f"/api/imports/{source['uuid']}"
        choices = change.pop("choices", {})
        created = {
            field["field"]: {value["value"]: "create" for value in field["values"]}
            for field in source["values"]
            if field["can_create"]
        }
        chosen = {key: created.get(key, {}) | choices.get(key, {}) for key in {*created, *choices}}
        answer = self.as_alice.patch(place, {**change, "value_choices": chosen})
        assert answer.status_code == 200, answer.content
        result: dict[str, Any] = carried_out(self.as_alice, place)
        refused = self.as_alice.rows(f"{place}/refused-rows")
        assert result["state"] == "done", (result["problem"], [row["errors"] for row in refused])
        return result

    def deals(self) -> list[tuple[Any, ...]]:
        return [stored(deal) for deal in Deal.objects.order_by("id")]


class DealFileTests(SourceTestCase):
    """Each deal file as it comes: no column is mapped by hand."""

    def test_hubspot(self) -> None:
        source = self.of_file("hubspot-deals.csv")
        assert (source["recognized_as"], source["options"]["external_system"]) == ("hubspot.deals", "hubspot")
        assert source["questions"] == []
        assert self.unknown(source) == {
            "pipeline": {"Sales Pipeline": 3},
            "stage": {"Qualified To Buy": 1},
            "lost_reason": {"Price": 1},
        }
        self.run_with(source, choices={"pipeline": {"Sales Pipeline": str(self.pipeline.uuid)}})
        assert self.deals() == [
            ("Cold store retrofit", "12500.5 EUR", "Qualified To Buy", "open", "Mathieu Girard", "Nordkap Kühltechnik",
             "Ilse Vogt", "2027-03-31", "", "2025-02-03"),
            ("Line 3 upgrade", "48000 EUR", "Won", "won", "Mathieu Girard", "Maas Metaal", "Piet Maas", "",
             "2025-12-31", "2025-01-10"),
            ("Spare parts frame", "7200 EUR", "Lost", "lost", "", "", "", "", "2025-11-30", "2025-03-01"),
        ]  # fmt: skip
        assert Deal.objects.get(name="Spare parts frame").lost_reason.name == "Price"
        assert Deal.objects.get(name="Cold store retrofit").probability == 40
        assert Deal.objects.holding_reference(system="hubspot", external_id="90010001").exists()

    def test_hubspot_with_a_new_pipeline(self) -> None:
        """The pipeline is created with the stages that the file has in it."""
        self.run_with(self.of_file("hubspot-deals.csv"))
        deal = Deal.objects.get(name="Line 3 upgrade")
        stages = deal.stage.pipeline.stages.in_order()
        assert [(stage.name, stage.kind) for stage in stages] == [
            ("Qualified To Buy", "open"),
            ("Closed Won", "won"),
            ("Closed Lost", "lost"),
        ]
        assert deal.stage.name == "Closed Won"

    def test_pipedrive(self) -> None:
        for name in ("pipedrive-deals.csv", "pipedrive-deals.xlsx"):
            with self.subTest(name):
                source = self.of_file(name)
                assert source["recognized_as"] == "pipedrive.deals"
                assert source["questions"] == []
                self.run_with(source)
        assert self.deals()[:3] == [
            ("Warehouse racks", "18500 EUR", "Contact Made", "open", "Mathieu Girard", "Regalbau Linde", "Jonas Linde",
             "2027-02-28", "", "2025-04-02"),
            ("Office move", "9400.75 EUR", "Negotiations Started", "won", "Mathieu Girard", "Umzug Weber", "Eva Weber",
             "2025-12-31", "2025-12-19", "2025-02-11"),
            ("Fork lift lease", "3100 USD", "Proposal Made", "lost", "Mathieu Girard", "Hebezeug Kern", "Max Kern",
             "2025-10-15", "2025-10-20", "2025-03-20"),
        ]  # fmt: skip
        assert str(Deal.objects.get(name="Serial date").expected_close_date) == "2027-12-31"
        assert Deal.objects.count() == 4

    def test_salesforce(self) -> None:
        source = self.of_file("salesforce-opportunities.csv")
        assert source["recognized_as"] == "salesforce.deals"
        assert source["options"]["encoding"] == "cp1252"
        assert self.unknown(source) == {
            "stage": {"Proposal/Price Quote": 1},
            "owner_email": {"Former User": 1},
        }
        result = self.run_with(source)
        assert counts(result) == (3, 0, 0, 0)
        assert self.deals() == [
            ("Espresso bar fit-out", "15000 EUR", "Proposal/Price Quote", "open", "Mathieu Girard", "Café Müller GmbH",
             "", "2027-03-31", "", "2025-12-01"),
            ("Oven line", "250000 EUR", "Won", "won", "Mathieu Girard", "Bäckerei Öz", "", "", "2025-12-31",
             "2025-09-15"),
            ("Terrace heaters", "4500.5 USD", "Lost", "lost", "Former User", "Hôtel du Lac", "", "", "2025-11-05",
             "2025-10-01"),
        ]  # fmt: skip
        former = Deal.objects.get(name="Terrace heaters").owner
        assert (former.is_active, former.user.is_active, former.user.has_usable_password()) == (
            False,
            False,
            False,
        )

    def test_zoho(self) -> None:
        self.run_with(self.of_file("zoho-deals.csv"))
        assert self.deals() == [
            ("Car park resurfacing", "42000 EUR", "Proposal/Price Quote", "open", "Mathieu Girard", "Ridgeway Estates",
             "Dana Whit", "2026-11-15", "", "2025-06-01"),
            ("Kerb repair", "8500.5 EUR", "Won", "won", "Mathieu Girard", "Elm Court", "", "", "2025-12-31",
             "2025-05-01"),
        ]  # fmt: skip

    def test_espocrm(self) -> None:
        self.run_with(self.of_file("espocrm-opportunities.csv"))
        assert self.deals() == [
            ("Garden hall", "15000 EUR", "Negotiation", "open", "Mathieu Girard", "Gärtnerei Blum", "Uwe Blum",
             "2027-06-30", "", "2025-01-15"),
            ("Greenhouse glass", "1234.56 EUR", "Won", "won", "Mathieu Girard", "Gärtnerei Blum", "", "", "2025-12-31",
             "2025-03-01"),
        ]  # fmt: skip

    def test_suitecrm(self) -> None:
        source = self.of_file("suitecrm-opportunities.csv")
        assert self.unknown(source)["owner_email"] == {"rep": 2}
        self.run_with(source, choices={"owner_email": {"rep": str(self.bob.member.uuid)}})
        assert self.deals() == [
            ("Boiler swap", "1250 EUR", "Proposal/Price Quote", "open", "Mathieu Girard", "Hallam Homes", "",
             "2027-12-31", "", "2025-02-05"),
            ("Radiator set", "980.5 EUR", "Won", "won", "Mathieu Girard", "Hallam Homes", "", "", "2025-03-04",
             "2025-02-01"),
        ]  # fmt: skip

    def test_odoo(self) -> None:
        self.run_with(self.of_file("odoo-crm-lead.xlsx"))
        assert self.deals() == [
            ("Solar roof", "21500 EUR", "Qualified", "open", "Mathieu Girard", "Serra Energia", "Lia Serra",
             "2027-04-30", "", "2025-03-04"),
            ("Battery pack", "8000 EUR", "Won", "won", "Mathieu Girard", "Berg Strom", "Tom Berg", "2025-12-31",
             "2025-12-30", "2025-01-04"),
            ("Charger", "1500 EUR", "New", "lost", "", "", "Ute Hahn", "", "2025-06-01", "2025-02-04"),
        ]  # fmt: skip

    def test_freshsales(self) -> None:
        source = self.of_file("freshsales-deals.csv")
        assert [question["asks"] for question in source["questions"]] == ["currency"]
        result = self.run_with(source, options={"currency": "USD", "bad_rows": "skip"})
        assert self.deals() == [
            ("Kiosk pilot", "1234.56 USD", "Negotiation", "open", "Mathieu Girard", "Kiosk King", "ray.king@f.example",
             "2027-12-31", "", "2025-01-13"),
        ]  # fmt: skip
        (refused,) = self.as_alice.rows(f"/api/imports/{result['uuid']}/refused-rows")
        assert (refused["errors"][0]["column"], refused["errors"][0]["code"]) == ("Amount", "out_of_range")

    def test_close(self) -> None:
        self.run_with(self.of_file("close-opportunities.csv"))
        assert self.deals() == [
            ("Hilltop Dairy", "1200 USD", "Proposal Sent", "open", "Mathieu Girard", "Hilltop Dairy", "Kai Moss",
             "2027-01-31", "", "2025-05-01"),
            ("Valley Farm", "500 USD", "Won", "won", "Mathieu Girard", "Valley Farm", "Bo Lind", "", "2025-12-30",
             "2025-04-01"),
        ]  # fmt: skip

    def test_gohighlevel(self) -> None:
        source = self.of_file("gohighlevel-opportunities.csv")
        assert source["options"]["external_system"] == "leadconnector"
        self.run_with(source)
        today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
        assert self.deals() == [
            ("Deal with Jo Smit", "3934 EUR", "Negotiation", "won", "Mathieu Girard", "", "Jo Smit", "", today,
             "2025-09-23"),
            ("Deal with Al Cart", "1554 EUR", "Closed", "abandoned", "", "", "Al Doe Cart", "", today, "2025-09-23"),
        ]  # fmt: skip

    def test_intum(self) -> None:
        source = self.of_file("intum-deals.csv")
        assert source["options"]["encoding"] == "cp1250"
        self.run_with(source)
        assert [deal[:6] for deal in self.deals()] == [
            ("Wdrożenie CRM", "10000 PLN", "Nowa", "open", "Mathieu Girard", "Żółw Sp. z o.o."),
            ("Szkolenie", "1234.5 PLN", "Won", "won", "Mathieu Girard", "Gęś S.A."),
        ]

    def test_amounts(self) -> None:
        thousands = self.of_file("amounts-thousands-only.csv")
        assert [question["column"] for question in thousands["questions"]] == ["Amount"]
        self.run_with(thousands, answers={"Amount": ","})
        assert [deal[1] for deal in self.deals()] == ["1500 EUR", "2000 EUR", "12750 EUR"]


class ContactFileTests(SourceTestCase):
    def contacts(self) -> list[tuple[str, ...]]:
        return [
            (row.kind, row.full_name, row.email, row.phone, row.mobile, str(row.company or ""), row.job_title)
            for row in Contact.objects.order_by("id")
        ]

    def test_hubspot(self) -> None:
        self.run_with(self.of_file("hubspot-contacts.csv", "contacts"))
        assert ("person", "Ilse Vogt", "ilse.vogt@hub.example", "+49 30 5550101", "", "Nordkap Kühltechnik",
                "Einkauf") in self.contacts()  # fmt: skip
        assert Contact.objects.filter(email="info@hub.example").exists()

    def test_pipedrive(self) -> None:
        self.run_with(self.of_file("pipedrive-organizations.csv", "contacts"))
        assert [row[:2] for row in self.contacts()] == [
            ("company", "Regalbau Linde"),
            ("company", "Umzug Weber"),
        ]
        self.run_with(self.of_file("pipedrive-persons.csv", "contacts"))
        assert self.contacts()[2:] == [
            ("person", "Jonas Linde", "jonas.linde@pd.example", "+49 40 5550201", "+49 171 5550201", "Regalbau Linde",
             ""),
            ("person", "Eva Maria Weber", "eva.weber@pd.example", "", "", "Umzug Weber", ""),
        ]  # fmt: skip

    def test_onlyoffice(self) -> None:
        self.run_with(self.of_file("onlyoffice-contacts.csv", "contacts"))
        assert {row[:3] for row in self.contacts()} == {
            ("company", "Lumen Werke", "info@lumen.example"),
            ("person", "Rita Licht", "rita.licht@lumen.example"),
        }

    def test_google(self) -> None:
        self.run_with(self.of_file("google-contacts.csv", "contacts"))
        people = [row for row in self.contacts() if row[0] == "person"]
        assert people == [
            ("person", "Noor Haddad", "noor@g.example", "+43 1 5550301", "", "Haddad Textil", "Buyer"),
            ("person", "Olga Petrova", "", "+43 660 5550304", "", "", ""),
        ]

    def test_outlook(self) -> None:
        self.run_with(self.of_file("outlook-contacts.csv", "contacts"))
        assert ("person", "Jürg Äbi", "juerg.aebi@o.example", "+41 44 5550401", "+41 79 5550401", "Äbi Treuhand",
                "Partner") in self.contacts()  # fmt: skip


class PastTests(SourceTestCase):
    def test_the_states_of_a_deal_begin_where_it_did(self) -> None:
        self.run_with(self.of_file("pipedrive-deals.csv"))
        deal = Deal.objects.get(name="Office move")
        states = [
            (
                state.status,
                state.valid_from.strftime("%Y-%m-%d"),
                state.valid_to and state.valid_to.strftime("%Y-%m-%d"),
            )
            for state in DealState.objects.filter(deal=deal).order_by("valid_from")
        ]
        assert states == [("open", "2025-02-11", "2025-12-19"), ("won", "2025-12-19", None)]

    def test_figures_of_a_past_month_count_a_win_when_it_happened(self) -> None:
        self.run_with(self.of_file("pipedrive-deals.csv"))
        changes = self.as_alice.get("/api/deals/changes", since="2025-12-01", until="2026-01-01")
        assert changes.status_code == 200, changes.content
        assert "9400.75" in changes.content.decode()

    def test_a_second_import_does_not_change_the_past(self) -> None:
        self.run_with(self.of_file("pipedrive-deals.csv"))
        again = self.run_with(self.of_file("pipedrive-deals.csv"))
        assert counts(again) == (0, 0, 3, 0)

    def test_an_import_with_new_stages_and_members_can_be_undone(self) -> None:
        result = self.run_with(self.of_file("salesforce-opportunities.csv"))
        undone = carried_out(self.as_alice, f"/api/imports/{result['uuid']}", "undo")
        assert undone["state"] == "undone", undone["problem"]
        assert not Deal.objects.filter(deleted_at=None).exists()


class ValueTests(SourceTestCase):
    def test_choices_are_remembered_for_the_source(self) -> None:
        self.run_with(
            self.of_file("suitecrm-opportunities.csv"),
            choices={"owner_email": {"rep": str(self.bob.member.uuid)}},
        )
        again = self.of_file("suitecrm-opportunities.csv")
        (owners,) = [field for field in again["values"] if field["field"] == "owner_email"]
        assert owners["values"] == [{"value": "rep", "count": 2, "choice": str(self.bob.member.uuid)}]

    def test_a_rep_is_not_offered_what_a_rep_may_not_create(self) -> None:
        content = csv_file(("Name", "Stage", "Owner"), ("a", "Lead In", "Nobody Here"))
        source = upload(self.as_bob, "deals", content).json()
        assert {field["field"]: field["can_create"] for field in source["values"]} == {
            "stage": False,
            "owner_email": False,
        }
        answer = self.as_bob.patch(
            f"/api/imports/{source['uuid']}", {"value_choices": {"stage": {"Lead In": "create"}}}
        )
        assert answer.status_code == 400

    def test_a_value_can_be_left_empty(self) -> None:
        content = csv_file(("Name", "Owner"), ("a", "Nobody Here"))
        source = upload(self.as_bob, "deals", content).json()
        place = f"/api/imports/{source['uuid']}"
        self.as_bob.patch(place, {"value_choices": {"owner_email": {"Nobody Here": ""}}})
        assert counts(carried_out(self.as_bob, place)) == (1, 0, 0, 0)
        assert Deal.objects.get().owner is None


class DeclarationTests(ApiTestCase):
    def test_every_source_maps_to_fields_that_can_be_imported(self) -> None:
        names = set()
        for kind in KINDS:
            fields = {field.key for field in import_kind(kind, self.alice).fields if not field.is_read_only}
            for source in sources(kind):
                names.add(source.key.partition(".")[0])
                assert set(source.mapping.values()) | set(source.also) <= fields, source.key
                assert set(source.recognized_by) <= set(source.mapping) | {"Contact Type"}, source.key
        assert names == {path.stem for path in FOLDER.glob("*.toml")}
