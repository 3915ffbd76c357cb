"""Columns with the day on which a deal entered a stage: how they are found, what is stored, what is refused."""

import datetime
from typing import Any

from crm_project.imports.stage_dates import guess, with_pipelines
from deals.models import Deal, DealState
from pipelines.models import Stage
from tests.api.client import ApiTestCase
from tests.imports.client import carried_out, counts, csv_file, imported, upload

DAY = datetime.timedelta(days=1)


def states(name: str = "A") -> list[tuple[str, str, str]]:
    """Stage, status and day of each state of a deal."""
    found = DealState.objects.filter(deal__name=name).order_by("valid_from").select_related("stage")
    return [(state.stage.name, state.status, f"{state.valid_from:%Y-%m-%d}") for state in found]


class GuessTests(ApiTestCase):
    def test_headers_in_several_languages(self) -> None:
        for label, stage in (
            ('Date entered "Proposal (Sales Pipeline)"', "Proposal (Sales Pipeline)"),
            ("Date Entered Proposal", "Proposal"),
            ("Entered Proposal on", "Proposal"),
            ("Deal - Date entered Proposal Made", "Proposal Made"),
            ("Proposal entered on", "Proposal"),
            ("Date d'entrée dans « Proposition »", "Proposition"),
            ("Date d’entrée dans l’étape Offre", "Offre"),
            ("Fecha de entrada en «Propuesta»", "Propuesta"),
            ("Data di ingresso nella fase Offerta", "Offerta"),
            ("Data wejścia do etapu Oferta", "Oferta"),
            ("Eingetreten in Angebot am", "Angebot"),
        ):
            with self.subTest(label):
                assert guess([{"label": label, "samples": ["2025-03-01 10:00"]}], ()) == {
                    label: f"entered:{stage}"
                }

    def test_other_columns_are_not_taken(self) -> None:
        for label, sample in (
            ("Entered by", "2025-03-01"),
            ("Date entered", "2025-03-01"),
            ("Date entered current stage", "2025-03-01"),
            ("Entered Proposal", "Ann Lee"),
        ):
            with self.subTest(label):
                assert guess([{"label": label, "samples": [sample]}], ()) == {}
        assert guess([{"label": "Entered Proposal", "samples": []}], ()) == {}

    def test_a_pipeline_stands_behind_the_stage(self) -> None:
        assert list(with_pipelines("Offer (EU) (Sales (B2B))")) == [
            ("Offer (EU) (Sales", "B2B)"),
            ("Offer (EU)", "Sales (B2B)"),
            ("Offer", "EU) (Sales (B2B)"),
        ]


class StageDateTests(ApiTestCase):
    """The pipeline has New, Offer, Won and Lost."""

    def outcome(self, header: Any, *rows: Any, **change: Any) -> Any:
        return imported(self.as_alice, "deals", csv_file(header, *rows), **change)

    def test_the_path_of_a_won_deal(self) -> None:
        result = self.outcome(
            ("Name", "Stage", "Created", "Closed at", "Date entered New", "Date entered Offer"),
            ("A", "Won", "2025-01-01 09:00", "2025-03-01 12:00", "2025-01-01 09:00", "2025-02-01 10:00"),
        )
        assert counts(result) == (1, 0, 0, 0), result["refused"]
        assert states() == [
            ("New", "open", "2025-01-01"),
            ("Offer", "open", "2025-02-01"),
            ("Won", "won", "2025-03-01"),
        ]
        assert Deal.objects.get().stage_entered_at.date() == datetime.date(2025, 3, 1)

    def test_the_entry_into_a_closing_stage_closes_the_deal(self) -> None:
        """Without another date of the closing; and the first entry is the creation without another one."""
        self.outcome(
            ("Name", "Stage", "Date entered New", 'Date entered "Closed Won"'),
            ("A", "Won", "2025-01-01", "2025-03-01"),
        )
        deal = Deal.objects.get()
        assert (deal.created_at.date(), deal.closed_at.date()) == (
            datetime.date(2025, 1, 1),
            datetime.date(2025, 3, 1),
        )
        assert states() == [("New", "open", "2025-01-01"), ("Won", "won", "2025-03-01")]

    def test_days_without_a_time_keep_the_order_of_the_pipeline(self) -> None:
        result = self.outcome(
            ("Name", "Stage", "Created", "Closed at", "Date entered Offer", "Date entered New"),
            ("A", "Lost", "2025-01-01 16:30", "2025-01-01", "2025-01-01", "2025-01-01"),
        )
        assert result["summary"]["left_out"] == []
        assert states() == [
            ("New", "open", "2025-01-01"),
            ("Offer", "open", "2025-01-01"),
            ("Lost", "lost", "2025-01-01"),
        ]

    def test_before_the_first_known_stage_a_deal_was_in_the_first_one(self) -> None:
        self.outcome(
            ("Name", "Stage", "Created", "Date entered Offer"), ("A", "Offer", "2025-01-01", "2025-02-01")
        )
        assert states() == [("New", "open", "2025-01-01"), ("Offer", "open", "2025-02-01")]
        assert Deal.objects.get().stage_entered_at.date() == datetime.date(2025, 2, 1)

    def test_a_reopened_deal(self) -> None:
        self.outcome(
            ("Name", "Stage", "Date entered New", "Date entered Lost", "Date entered Offer"),
            ("A", "Offer", "2025-01-01", "2025-02-01", "2025-03-01"),
        )
        assert states() == [
            ("New", "open", "2025-01-01"),
            ("Lost", "lost", "2025-02-01"),
            ("Offer", "open", "2025-03-01"),
        ]

    def test_the_present_stage_is_the_last_one(self) -> None:
        """A deal that was moved back, with the day of that."""
        self.outcome(
            ("Name", "Stage", "Date entered New", "Date entered Offer", "In this stage since"),
            ("A", "New", "2025-01-01", "2025-02-01", "2025-03-01"),
        )
        assert states() == [
            ("New", "open", "2025-01-01"),
            ("Offer", "open", "2025-02-01"),
            ("New", "open", "2025-03-01"),
        ]

    def test_contradicting_dates_are_left_out_and_named(self) -> None:
        header = ("Name", "Stage", "Created", "Closed at", "Date entered New", "Date entered Offer")
        rows = [
            ("A", "Won", "2025-01-10", "2025-03-01", "2025-01-01", "2025-02-01"),
            ("B", "Won", "2025-01-10", "2025-03-01", "2025-01-10", "2025-04-01"),
            ("C", "New", "2025-01-10", "", "2025-01-10", "2025-04-01"),
            ("D", "Offer", "2025-01-10", "", "2025-02-01", "2025-01-01"),
        ]
        for task in ("preview", "run"):
            result = self.outcome(header, *rows, task=task)
            assert result["summary"]["left_out"] == [
                {
                    "column": "Date entered New",
                    "rows": 1,
                    "samples": ["2025-01-01"],
                    "reason": "contradicting",
                },
                {
                    "column": "Date entered Offer",
                    "rows": 3,
                    "samples": ["2025-04-01", "2025-04-01", "2025-01-01"],
                    "reason": "contradicting",
                },
            ]
        assert states("A") == [
            ("New", "open", "2025-01-10"),
            ("Offer", "open", "2025-02-01"),
            ("Won", "won", "2025-03-01"),
        ]
        assert states("B") == [("New", "open", "2025-01-10"), ("Won", "won", "2025-03-01")]
        assert states("C") == [("New", "open", "2025-01-10")]
        # When it came to its present stage is not known: after the last one that is known.
        assert states("D") == [("New", "open", "2025-01-10"), ("Offer", "open", "2025-02-01")]

    def test_an_entry_in_the_future_refuses_the_row(self) -> None:
        tomorrow = f"{datetime.datetime.now(datetime.UTC) + 2 * DAY:%Y-%m-%d}"
        result = self.outcome(
            ("Name", "Stage", "Date entered Offer"), ("A", "Offer", tomorrow), ("B", "Offer", "2025-01-01")
        )
        (refused,) = result["refused"]
        (error,) = refused["errors"]
        assert (error["column"], error["field"], error["code"]) == (
            "Date entered Offer",
            "entered:Offer",
            "future",
        )

    def test_an_unknown_stage_of_a_header_is_asked_about(self) -> None:
        content = csv_file(
            ("Name", "Stage", "Date entered New", "Date entered Demo"),
            ("A", "Offer", "2025-01-01", "2025-02-01"),
            ("B", "New", "2025-01-01", ""),
        )
        source = upload(self.as_alice, "deals", content).json()
        place = f"/api/imports/{source['uuid']}"
        (stages,) = source["values"]
        assert (stages["field"], stages["columns"]) == ("stage", ["Stage", "Date entered Demo"])
        assert stages["values"] == [{"value": "Demo", "count": 1, "choice": None}]
        refused = carried_out(self.as_alice, place)
        assert refused["state"] == "refused"
        (problem,) = refused["summary"]["problems"]
        assert (problem["column"], problem["rows"]) == ("Date entered Demo", 1)
        assert "'Demo'" in problem["detail"]

        for choice, expected in (
            ("create", [("New", "open"), ("Demo", "open"), ("Offer", "open")]),
            (str(self.offer.uuid), [("New", "open"), ("Offer", "open")]),
            ("", [("New", "open"), ("Offer", "open")]),
        ):
            with self.subTest(choice=choice):
                again = upload(self.as_alice, "deals", content).json()
                place = f"/api/imports/{again['uuid']}"
                chosen = {"value_choices": {"stage": {"Demo": choice}}, "options": {"match_on": "none"}}
                assert self.as_alice.patch(place, chosen).status_code == 200
                done = carried_out(self.as_alice, place)
                assert done["state"] == "done", done["problem"]
                newest = Deal.objects.filter(name="A").latest("id")
                found = DealState.objects.filter(deal=newest).order_by("valid_from")
                assert [(state.stage.name, state.status) for state in found] == expected
                undone = carried_out(self.as_alice, place, "undo")
                assert undone["state"] == "undone", undone["problem"]

    def test_stages_of_two_pipelines(self) -> None:
        """A deal that has changed its pipeline: the header names the pipeline of each stage."""
        result = self.outcome(
            ("Name", "Pipeline", "Stage", "Date entered New (Sales)", "Date entered New (Renewals)"),
            ("A", "Renewals", "New", "2025-01-01", "2025-02-01"),
        )
        assert counts(result) == (1, 0, 0, 0), result["refused"]
        found = DealState.objects.order_by("valid_from").values_list("stage__pipeline__name", flat=True)
        assert list(found) == ["Sales", "Renewals"]

    def test_a_column_is_mapped_by_hand(self) -> None:
        content = csv_file(("Name", "Stage", "Quoted"), ("A", "Won", "03/04/2025"))
        source = upload(self.as_alice, "deals", content).json()
        place = f"/api/imports/{source['uuid']}"
        for wrong in ("entered:", "entered: ", "entered:" + "x" * 300):
            answer = self.as_alice.patch(place, {"mapping": {"Quoted": wrong}})
            assert answer.status_code == 400
        changed = self.as_alice.patch(place, {"mapping": {"Quoted": "entered:Offer"}}).json()
        assert changed["mapping"]["Quoted"] == "entered:Offer"
        assert [question["column"] for question in changed["questions"]] == ["Quoted"]
        assert self.as_alice.patch(place, {"answers": {"Quoted": "dmy"}}).status_code == 200
        assert carried_out(self.as_alice, place)["state"] == "done"
        assert states()[0] == ("Offer", "open", "2025-04-03")
        again = upload(self.as_alice, "deals", content).json()
        assert again["mapping"]["Quoted"] == "entered:Offer"

    def test_the_stages_are_among_the_fields(self) -> None:
        Stage.objects.filter(pk=self.offer.pk).update(name="Quoted")
        fields = self.as_bob.get("/api/imports/fields").json()
        labels = {field["key"]: field["label"] for field in fields["deals"]}
        assert labels["entered:Quoted"] == "Date entered “Quoted”"
        assert not any(field["key"].startswith("entered:") for field in fields["contacts"])
        others = self.as_charlie.get("/api/imports/fields").json()["deals"]
        assert "entered:Quoted" not in {field["key"] for field in others}

    def test_an_existing_deal_keeps_its_past(self) -> None:
        header = ("External ID", "Name", "Stage", "Date entered New", "Date entered Offer")
        self.outcome(header, ("1", "A", "Offer", "2025-01-01", "2025-02-01"))
        before = states()
        again = self.outcome(header, ("1", "A", "Offer", "2025-01-05", "2025-02-05"))
        assert counts(again) == (0, 0, 1, 0)
        assert states() == before
