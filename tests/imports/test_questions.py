"""Nothing is guessed in silence: what a column does not decide is asked, and the run waits for the answer."""

from typing import Any

from crm_project.imports import profiles
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.imports.client import carried_out, counts, csv_file, imported, upload

HEADER = ("External ID", "Name", "Amount", "Currency", "Expected close date")


class QuestionTests(ApiTestCase):
    def source(self, *rows: Any, header: Any = HEADER) -> dict[str, Any]:
        answer = upload(self.as_bob, "deals", csv_file(header, *rows))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_groups_of_three_digits_are_asked_about_and_the_run_waits(self) -> None:
        source = self.source(("1", "a", "1.500", "EUR", ""), ("2", "b", "12.750", "EUR", ""))
        place = f"/api/imports/{source['uuid']}"

        (question,) = source["questions"]
        assert (question["column"], question["asks"], question["answer"]) == ("Amount", "decimal", None)
        assert question["choices"] == [
            {"value": ".", "meaning": "1.500 = 1.500"},
            {"value": ",", "meaning": "1.500 = 1500"},
        ]
        assert question["suggested"] == ","
        problem(self.as_bob.post(f"{place}/run"), 400, "required", "/answers/Amount")

        answered = self.as_bob.patch(place, {"answers": {"Amount": ","}})
        assert answered.json()["questions"][0]["answer"] == ","
        assert carried_out(self.as_bob, place)["state"] == "done"
        assert [int(deal.amount) for deal in Deal.objects.order_by("id")] == [1500, 12750]

    def test_a_preview_does_not_wait_and_reads_no_such_cell(self) -> None:
        result = imported(
            self.as_bob, "deals", csv_file(HEADER, ("1", "a", "1.500", "EUR", "")), task="preview"
        )
        assert counts(result) == (0, 0, 0, 1)
        assert "'1.500' can be read in two ways" in result["refused"][0]["errors"][0]["detail"]

    def test_each_column_is_read_by_its_own_cells(self) -> None:
        header = ("Name", "Amount", "Gross amount")
        result = imported(
            self.as_bob, "deals", csv_file(header, ("a", "€1.250,00", "1400.00"), ("b", "980", "1,100.00"))
        )
        assert result["state"] == "done", result
        assert [(str(d.amount), str(d.amount_gross)) for d in Deal.objects.order_by("id")] == [
            ("1250.0000", "1400.0000"),
            ("980.0000", "1100.0000"),
        ]

    def test_days_up_to_the_twelfth_are_asked_about_unless_another_column_decides(self) -> None:
        header = ("Name", "Expected close date", "Date")
        open_one = self.source(("a", "03/04/2027", "05/06/2027"), header=header)
        assert [question["column"] for question in open_one["questions"]] == ["Expected close date", "Date"]
        assert open_one["questions"][0]["choices"][0] == {
            "value": "dmy",
            "meaning": "03/04/2027 = 3 April 2027",
        }

        assert self.source(("a", "03/04/2027", "25/06/2027"), header=header)["questions"] == []

    def test_an_option_for_the_whole_file_answers_all(self) -> None:
        content = csv_file(HEADER, ("1", "a", "1.500", "EUR", "03/04/2027"))
        result = imported(self.as_bob, "deals", content, options={"decimal": ",", "date_order": "dmy"})
        assert (result["state"], result["questions"]) == ("done", [])
        assert str(Deal.objects.get().expected_close_date) == "2027-04-03"

    def test_a_contradictory_column_is_asked_about_and_the_other_cells_are_refused(self) -> None:
        source = self.source(("1", "a", "", "", "31/12/2027"), ("2", "b", "", "", "12/31/2027"))
        place = f"/api/imports/{source['uuid']}"
        self.as_bob.patch(place, {"answers": {"Expected close date": "dmy"}, "options": {"bad_rows": "skip"}})
        assert counts(carried_out(self.as_bob, place)) == (1, 0, 0, 1)

    def test_wrong_answers_are_named(self) -> None:
        place = f"/api/imports/{self.source(('1', 'a', '1.500', 'EUR', ''))['uuid']}"
        problem(
            self.as_bob.patch(place, {"answers": {"Amount": "!"}}), 400, "invalid_choice", "/answers/Amount"
        )
        problem(self.as_bob.patch(place, {"answers": {"Name": ","}}), 400, "unknown_field", "/answers/Name")
        problem(self.as_bob.patch(place, {"answers": [","]}), 400, "invalid", "/answers")

    def test_the_next_file_is_read_by_its_own_cells(self) -> None:
        """Mapping and system are remembered, notations are not."""
        header = ("Ref no", "Deal name", "Worth", "Close date")
        mapping = {
            "Ref no": "external_id",
            "Deal name": "name",
            "Worth": "amount",
            "Close date": "expected_close_date",
        }
        first = csv_file(header, ("1", "a", "1,500.75", "01/31/2027"))
        assert imported(self.as_bob, "deals", first, mapping=mapping)["state"] == "done"

        second = imported(self.as_bob, "deals", csv_file(header, ("2", "b", "1500,75", "31/01/2027")))

        assert second["state"] == "done"
        deal = Deal.objects.latest("id")
        assert (str(deal.amount), str(deal.expected_close_date)) == ("1500.7500", "2027-01-31")

    def test_a_large_file_is_read_to_its_end_before_anything_is_written(self) -> None:
        """What the upload has not seen is asked by the run."""
        old, profiles.ROWS_AT_UPLOAD = profiles.ROWS_AT_UPLOAD, 2
        self.addCleanup(setattr, profiles, "ROWS_AT_UPLOAD", old)
        rows = [("1", "a", "10", "EUR", ""), ("2", "b", "20", "EUR", ""), ("3", "c", "1.500", "EUR", "")]
        source = self.source(*rows)
        place = f"/api/imports/{source['uuid']}"
        assert source["questions"] == []

        failed = carried_out(self.as_bob, place)

        assert failed["state"] == "failed"
        assert failed["problem"].startswith("Cells can be read in several ways in: Amount.")
        assert [question["column"] for question in failed["questions"]] == ["Amount"]
        assert not Deal.objects.exists()

    def test_the_sign_of_a_currency_names_it_or_contradicts_it(self) -> None:
        header = ("Name", "Amount", "Currency")
        rows = [
            ("a", "£200", ""),
            ("b", "€5", "EUR"),
            ("c", "$5", "CAD"),
            ("d", "€5", "USD"),
            ("e", "$5", ""),
        ]
        result = imported(self.as_bob, "deals", csv_file(header, *rows), options={"bad_rows": "skip"})

        assert result["questions"] == []
        assert [(deal.name, deal.currency) for deal in Deal.objects.order_by("id")] == [
            ("a", "GBP"),
            ("b", "EUR"),
            ("c", "CAD"),
        ]
        assert [(row["line"], row["errors"][0]["code"]) for row in result["refused"]] == [
            (5, "invalid"),
            (6, "required"),
        ]

    def test_a_sign_of_several_currencies_is_asked_about(self) -> None:
        source = self.source(("a", "$1,234.56"), ("b", "£5"), header=("Name", "Amount"))
        place = f"/api/imports/{source['uuid']}"
        (question,) = source["questions"]
        assert (question["asks"], question["samples"]) == ("currency", ["$1,234.56"])
        problem(self.as_bob.post(f"{place}/run"), 400, "required", "/options/currency")

        self.as_bob.patch(place, {"options": {"currency": "CAD"}})

        assert carried_out(self.as_bob, place)["state"] == "done"
        assert list(Deal.objects.order_by("id").values_list("currency", flat=True)) == ["CAD", "GBP"]

    def test_several_columns_fill_one_field_and_the_first_filled_wins(self) -> None:
        header = ("Name", "Won time", "Lost time", "Status")
        rows = [("a", "2025-12-19 17:45:10", "", "won"), ("b", "", "2025-10-20", "lost")]
        mapping = {"Won time": "closed_at", "Lost time": "closed_at"}
        assert imported(self.as_bob, "deals", csv_file(header, *rows), mapping=mapping)["state"] == "done"
        assert [str(deal.closed_at.date()) for deal in Deal.objects.order_by("id")] == [
            "2025-12-19",
            "2025-10-20",
        ]

    def test_an_own_export_asks_nothing(self) -> None:
        self.deal(amount="1.234", currency="KWD")
        content = b"".join(self.as_bob.get("/api/deals/export").streaming_content)
        source = upload(self.as_bob, "deals", content).json()
        assert source["questions"] == []
        assert counts(imported(self.as_bob, "deals", content)) == (0, 0, 1, 0)

    def test_the_mended_error_file_continues_its_import(self) -> None:
        header = ("Opp Key", "Opp Title", "Opp Worth", "Opp Day")
        rows = [("EF1", "good", "1.500,50", "31/12/2027"), ("EF2", "bad", "ten", "03/04/2027")]
        mapping = {
            "Opp Key": "external_id",
            "Opp Title": "name",
            "Opp Worth": "amount",
            "Opp Day": "expected_close_date",
        }
        options = {"bad_rows": "skip", "external_system": "oldcrm"}
        result = imported(self.as_bob, "deals", csv_file(header, *rows), mapping=mapping, options=options)
        address = f"/api/imports/{result['uuid']}/error-file"
        content = b"".join(self.as_bob.client.get(address, headers=self.as_bob.headers).streaming_content)

        mended = imported(self.as_bob, "deals", content.replace(b"ten", b"2.000"))

        assert (counts(mended), mended["options"]["external_system"]) == ((1, 0, 0, 0), "oldcrm")
        deal = Deal.objects.holding_reference(system="oldcrm", external_id="EF2").get()
        assert (str(deal.amount), str(deal.expected_close_date)) == ("2000.0000", "2027-04-03")
        whole = csv_file(header, rows[0], ("EF2", "bad", "2.000", "03/04/2027"))
        assert counts(imported(self.as_bob, "deals", whole)) == (0, 0, 2, 0)
