"""Files of no known system, with headers in five languages and the notations of their countries, as they come."""

from typing import Any

import pytest

from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.imports.client import XLSX, carried_out, upload, xlsx_file
from tests.imports.test_sources import stored

# Name: content, what is asked, answers, and the deals: name, amount, status, client, expected, closed, created.
FORMS: dict[str, tuple[bytes, list[str], dict[str, str], list[tuple[str, ...]]]] = {
    "French": (
        "Identifiant;Nom;Montant;Devise;Société;Étape;Date de clôture;Date de création\n"
        "1;Chaufferie;12 500,50;EUR;Éts Morel;New;31/03/2027;05/02/2025\n"
        "2;Toiture;1.250;EUR;Éts Morel;Gagné;28/12/2025;06/02/2025\n".encode("cp1252"),
        [],
        {},
        [
            ("Chaufferie", "12500.5 EUR", "open", "Éts Morel", "2027-03-31", "", "2025-02-05"),
            ("Toiture", "1250 EUR", "won", "Éts Morel", "", "2025-12-28", "2025-02-06"),
        ],
    ),
    "Polish": (
        "Nazwa;Kwota;Waluta;Klient;Etap;Data zamknięcia;Utworzono\n"
        "Szkolenie;1 234,50;zł;Gęś S.A.;Wygrana;31.12.2025;1.02.2025 10:00\n".encode("cp1250"),
        [],
        {},
        [("Szkolenie", "1234.5 PLN", "won", "Gęś S.A.", "", "2025-12-31", "2025-02-01")],
    ),
    "Spanish": (
        "Nombre;Importe;Moneda;Empresa;Etapa;Fecha de cierre;Fecha de creación\n"
        "Caldera;1.500;EUR;Muñoz SL;New;31/12/2027;03/04/2025\n".encode(),
        ["Importe"],
        {"Importe": ","},
        [("Caldera", "1500 EUR", "open", "Muñoz SL", "2027-12-31", "", "2025-04-03")],
    ),
    "Italian": (
        "Nome;Importo;Valuta;Azienda;Stato;Data di chiusura;Data creazione\n"
        "Caldaia;€ 1.250,00;EUR;Rossi Srl;persa;15/11/2025;13/02/2025\n".encode(),
        [],
        {},
        [("Caldaia", "1250 EUR", "lost", "Rossi Srl", "", "2025-11-15", "2025-02-13")],
    ),
    "German": (
        "Titel;Betrag;Währung;Firma;Phase;Erstellt am\nHeizung;CHF 12'500.50;;Blum AG;New;31. Dezember 2025\n".encode(),
        [],
        {},
        [("Heizung", "12500.5 CHF", "open", "Blum AG", "", "", "2025-12-31")],
    ),
    "American": (
        b"Deal name,Value,Currency,Company,Status,Closing date,Created on\n"
        b'Boiler,"$1,234.56",USD,Acme,Closed Won,12/31/25,"Jan 5, 2025 2:05 PM"\n',
        [],
        {},
        [("Boiler", "1234.56 USD", "won", "Acme", "", "2025-12-31", "2025-01-05")],
    ),
    "American, without a deciding day": (
        b"Deal name,Value,Expected close date\nBoiler,10,04/05/2027\n",
        ["Expected close date"],
        {"Expected close date": "mdy"},
        [("Boiler", "10 EUR", "open", "", "2027-04-05", "", "")],
    ),
    "a report with a title": (
        b"Pipeline report,,,\nMade by Alice,,,\n,,,\nName,Amount,Stage,Created\nBoiler,12.50,New,2025-02-03\n",
        [],
        {},
        [("Boiler", "12.5 EUR", "open", "", "", "", "2025-02-03")],
    ),
    "tabs in UTF-16": (
        "Name\tAmount\tCreated\nBoiler €\t12,50\t2025-02-03 23:30\n".encode("utf-16"),
        [],
        {},
        [("Boiler €", "12.5 EUR", "open", "", "", "", "2025-02-03")],
    ),
    "thousands": (
        b"Name,Amount,Created\nBoiler,12.5k,20250203\nRoof,$3k USD,20250204\n",
        [],
        {},
        [
            ("Boiler", "12500 EUR", "open", "", "", "", "2025-02-03"),
            ("Roof", "3000 USD", "open", "", "", "", "2025-02-04"),
        ],
    ),
    "a sheet with numbers for days": (
        xlsx_file(("Name", "Amount", "Expected close date", "Created"), ("Boiler", 12.5, 46752, 45691.5)),
        [],
        {},
        [("Boiler", "12.5 EUR", "open", "", "2027-12-31", "", "2025-02-03")],
    ),
    "a better name before another one": (
        b"Title,Deal name,Amount\nDr.,Boiler,5\n",
        [],
        {},
        [("Boiler", "5 EUR", "open", "", "", "", "")],
    ),
}


class OtherFileTests(ApiTestCase):
    def test_each_comes_in_as_it_is(self) -> None:
        for name, (content, asked, answers, expected) in FORMS.items():
            with self.subTest(name):
                before = set(Deal.objects.values_list("pk", flat=True))
                media = XLSX if content.startswith(b"PK") else "text/csv"
                source: dict[str, Any] = upload(self.as_alice, "deals", content, media).json()
                assert [question["column"] for question in source["questions"]] == asked
                assert source["values"] == []
                place = f"/api/imports/{source['uuid']}"
                if answers:
                    self.as_alice.patch(place, {"answers": answers})
                result = carried_out(self.as_alice, place)
                assert result["state"] == "done", self.as_alice.rows(f"{place}/refused-rows")
                found = [stored(deal) for deal in Deal.objects.exclude(pk__in=before).order_by("id")]
                shown = [(row[0], row[1], row[3], row[5], row[7], row[8], row[9]) for row in found]
                assert [
                    (*row[:6], row[6] if wanted[6] else "")
                    for row, wanted in zip(shown, expected, strict=True)
                ] == expected

    def test_an_id_that_a_spreadsheet_has_shortened_is_refused(self) -> None:
        content = b"Record ID,Name\n9.00E+10,A\n"
        source = upload(self.as_alice, "deals", content).json()
        place = f"/api/imports/{source['uuid']}"
        carried_out(self.as_alice, place)
        (refused,) = self.as_alice.rows(f"{place}/refused-rows")
        assert "shortened by a spreadsheet" in refused["errors"][0]["detail"]

    def test_what_is_left_out_is_named(self) -> None:
        content = b"Name,Contact's e-mail,Fancy\nA,a@x.example; b@x.example,1\n"
        source = upload(self.as_alice, "deals", content).json()
        result = carried_out(self.as_alice, f"/api/imports/{source['uuid']}", "preview")
        assert result["summary"]["left_out"] == [
            {"column": "Fancy", "rows": 1, "samples": ["1"], "reason": "unmapped"},
            {"column": "Contact's e-mail", "rows": 1, "samples": ["b@x.example"], "reason": "further"},
        ]
        assert result["summary"]["created_beside"] == {"contact": 1}
        assert ["Contact", "a@x.example"] in result["examples"][0]["row"]

    def test_unknown_values_are_summed_up(self) -> None:
        rows = "".join(f"Deal {number},Lead In\n" for number in range(30))
        source = upload(self.as_bob, "deals", f"Name,Stage\n{rows}".encode()).json()
        result = carried_out(self.as_bob, f"/api/imports/{source['uuid']}", "preview")
        (problem,) = result["summary"]["problems"]
        assert (problem["column"], problem["rows"]) == ("Stage", 30)
        assert problem["detail"].startswith("There is no stage 'Lead In'. Known: New")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Id;Klient\n1;Źródło\n", "cp1250"),
        ("Název;Částka\nKotel;Škoda Plzeň\n", "cp1250"),
        ("Название;Сумма\nПоставка котлов;100\n", "cp1251"),
        ("name,amount\nПоставка котлов;100\n", "cp1251"),
        ("Ad;Şirket\n1;Çelik İşleri\n", "cp1254"),
        ("Όνομα;Εταιρεία\nΠώληση;Αθήνα\n", "cp1253"),
        ("Nom;Société\nOpportunité;Été à Besançon\n", "cp1252"),
        ("Nombre;Compañía\nMuñoz;¿Año?\n", "cp1252"),
    ],
)
def test_code_pages_are_guessed_by_their_letters(text: str, encoding: str) -> None:
    from crm_project.imports.tables.encodings import guess_code_page

    assert text.encode(encoding).decode(guess_code_page(text.encode(encoding))) == text
