"""`POST /api/deals/bulk` and `/api/contacts/bulk`: a list of mixed writes, each treated as a single one."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import create_deals
from tests.api.client import ApiTestCase, problem
from tests.api.races import CALLERS, RaceTestCase, statuses
from tests.factories import CompanyFactory

BULK = "/api/deals/bulk"
CONTACTS = "/api/contacts/bulk"


def op(name, data=None, **named):
    return {"op": name, **({} if data is None else {"data": data}), **named}


class BulkTestCase(ApiTestCase):
    def bulk(self, *operations, path=BULK, client=None, **body):
        return (client or self.as_bob).post(path, {"operations": operations, **body})

    def results(self, *operations, **options):
        answer = self.bulk(*operations, **options)
        results = answer.json()["results"]
        refused = any(row["outcome"] == "refused" for row in results)
        assert answer.status_code == (207 if refused else 200), answer.content
        return results


class MixedTests(BulkTestCase):
    def test_it_works(self):
        changed, gone = self.deal(name="A"), self.deal(name="B")
        known = self.deal(name="C", external_references=[("erp", "1")])

        results = self.results(
            op("create", {"name": "New", "amount": 10}),
            op("update", {"name": "A2"}, uuid=str(changed.uuid)),
            op("upsert", {"name": "C2", "external_id": "1", "external_system": "erp"}),
            op("delete", uuid=str(gone.uuid)),
            op("upsert", {"name": "D", "external_id": "2"}),
            op("update", {"name": "C3"}, uuid=str(self.deal(name="C3").uuid)),
        )

        assert [(row["status"], row["outcome"]) for row in results] == [
            (201, "created"),
            (200, "updated"),
            (200, "updated"),
            (204, "deleted"),
            (201, "created"),
            (200, "unchanged"),
        ]
        assert results[1]["changed"] == ["name"]
        assert results[2]["matched_on"] == "external_reference"
        assert results[2]["deal"]["uuid"] == str(known.uuid)
        assert results[4]["matched_on"] is None
        assert results[3] == {"status": 204, "outcome": "deleted"}
        gone.refresh_from_db()
        assert gone.deleted_at
        assert Deal.objects.live().count() == 5

    def test_rows_and_etags_are_what_reading_answers(self):
        results = self.results(op("create", {"name": "A"}), op("upsert", {"name": "B", "external_id": "1"}))

        for row in results:
            read = self.as_bob.get(f"/api/deals/{row['deal']['uuid']}")
            assert row["deal"] == read.json()
            assert row["etag"] == read["ETag"]

    def test_it_is_one_change_set(self):
        deal = self.deal()
        last = Event.objects.order_by("sequence").last().sequence

        self.bulk(op("create", {"name": "A"}), op("delete", uuid=str(deal.uuid)), op("create", {"name": "B"}))

        events = Event.objects.filter(sequence__gt=last)
        assert sorted(events.values_list("action", flat=True)) == ["created", "created", "trashed"]
        assert events.values("change_set").distinct().count() == 1

    def test_one_new_contact_for_all_who_name_it(self):
        person = {"contact_email": "ann@example.com", "contact_first_name": "Ann"}

        results = self.results(*(op("create", {"name": f"{n}", **person}) for n in range(3)))

        assert len({row["deal"]["contact"]["uuid"] for row in results}) == 1
        assert Contact.objects.count() == 1

    def test_a_deletion_frees_what_the_list_gives_away(self):
        old = self.deal(external_references=[("erp", "1")])
        new = {"name": "New", "external_id": "1", "external_system": "erp"}

        results = self.results(op("create", new), op("delete", uuid=str(old.uuid)))

        assert [row["outcome"] for row in results] == ["created", "deleted"]

    def test_an_empty_list_does_nothing(self):
        assert self.results() == []

    def test_contacts(self):
        person = self.person(first_name="Ann", email="ann@example.com")
        gone, company = self.person(), CompanyFactory(actor=self.bob)

        results = self.results(
            op("create", {"first_name": "Bo", "company_uuid": str(company.uuid)}),
            op("update", {"city": "Paris", "company_uuid": str(company.uuid)}, uuid=str(person.uuid)),
            op("upsert", {"first_name": "Cy", "email": "cy@example.com"}),
            op("delete", uuid=str(gone.uuid)),
            op("update", {"city": "Lyon"}, uuid=str(company.uuid)),
            path=CONTACTS,
        )

        assert [row["status"] for row in results] == [201, 200, 201, 204, 200]
        assert results[1]["contact"]["company"]["uuid"] == str(company.uuid)
        assert results[1]["etag"] == self.as_bob.get(f"/api/contacts/{person.uuid}")["ETag"]
        assert results[2]["contact"]["email"] == "cy@example.com"


class RefusalTests(BulkTestCase):
    def bad(self):
        """A good row among rows that are each bad in a way of their own."""
        self.taken = self.deal(external_references=[("default", "taken")])
        stale = self.deal()
        self.as_bob.patch(f"/api/deals/{stale.uuid}", {"name": "Newer"})
        return [
            op("create", {"name": "Good", "contact_email": "good@example.com", "contact_first_name": "G"}),
            op(
                "create",
                {"name": "A", "amount": "1.001", "contact_email": "b@example.com", "contact_first_name": "B"},
            ),
            op("create", {"name": "A", "amount": "x", "nonsense": 1}),
            op("update", {"name": "A"}, uuid=str(uuid.uuid4())),
            op("create", {"name": "A", "external_id": "taken"}),
            op("update", {"name": "A"}, uuid=str(stale.uuid), if_match='"1"'),
            op("upsert", {"name": "No key"}),
            op("upsert", {"external_id": "new"}),
            op("update", {"stage_id": self.theirs.stages.first().pk}, uuid=str(self.deal().uuid)),
            op("delete", uuid=str(self.deal(self.charlie).uuid)),
        ]

    EXPECTED = {
        1: (400, "max_decimal_places", ["/operations/1/data/amount"]),
        2: (400, "invalid", ["/operations/2/data/amount", "/operations/2/data/nonsense"]),
        3: (404, "not_found", []),
        4: (409, "reference_taken", []),
        5: (412, "precondition_failed", []),
        6: (400, "required", ["/operations/6/data/match_on"]),
        7: (400, "required", ["/operations/7/data/name"]),
        8: (400, "does_not_exist", ["/operations/8/data/stage_id"]),
        9: (404, "not_found", []),
    }

    def test_atomic_writes_nothing_and_names_every_bad_row(self):
        operations = self.bad()
        before = list(Event.objects.values_list("sequence", flat=True))

        refusal = problem(self.bulk(*operations), 400, "rows_refused")

        rows = {row["index"]: row for row in refusal["rows"]}
        assert rows.keys() == self.EXPECTED.keys()
        for index, row in rows.items():
            status, code, pointers = self.EXPECTED[index]
            assert (row["status"], row["code"]) == (status, code)
            assert sorted(wrong["pointer"] for wrong in row["errors"]) == pointers
        assert rows[5]["changes"][0]["fields"] == ["name"]
        assert {wrong["pointer"] for wrong in refusal["errors"]} >= {"/operations/1/data/amount"}
        assert list(Event.objects.values_list("sequence", flat=True)) == before
        assert not Contact.objects.filter(email="good@example.com").exists()

    def test_not_atomic_writes_the_good_ones(self):
        results = self.results(*self.bad(), atomic=False)

        assert (results[0]["status"], results[0]["outcome"]) == (201, "created")
        for index, (status, code, pointers) in self.EXPECTED.items():
            row = results[index]
            assert (row["status"], row["outcome"], row["error"]["code"]) == (status, "refused", code), row
            assert row["error"]["status"] == status
            assert sorted(wrong["pointer"] for wrong in row["error"]["errors"]) == pointers
        assert results[5]["error"]["changes"][0]["fields"] == ["name"]

    def test_a_refused_row_leaves_no_contact_of_its_own(self):
        self.results(*self.bad(), atomic=False)

        emails = list(Contact.objects.values_list("email", flat=True))
        assert emails == ["good@example.com"]
        assert not Event.objects.filter(kind="contact").exclude(row_id=Contact.objects.get().pk).exists()

    def test_ten_bad_rows_of_a_thousand_are_named_and_990_written(self):
        operations = [op("create", {"name": f"N {n}"}) for n in range(1000)]
        for n in range(0, 1000, 100):
            operations[n] = op("create", {"name": f"N {n}", "amount": "-1"})

        results = self.results(*operations, atomic=False)

        bad = [index for index, row in enumerate(results) if row["outcome"] == "refused"]
        assert bad == list(range(0, 1000, 100))
        assert Deal.objects.count() == 990
        assert [row["deal"]["name"] for row in results if "deal" in row] == [
            f"N {n}" for n in range(1000) if n % 100
        ]

    def test_a_bad_row_is_refused_in_the_words_of_a_single_write(self):
        for data in (
            {},
            {"name": ""},
            {"name": "\ud800", "nonsense": 1},
            {"name": "a\x00b"},
            {"name": "x", "amount": "1.005", "stage_id": 999_999},
            {"name": "x", "bid_periods": 2**40, "participant_uuids": "none"},
            {"name": "x", "closed_at": "0001-01-01T00:00:00+14:00"},
            {"name": "x", "contact_email": "new@example.com"},
        ):
            single = self.as_bob.post("/api/deals", data).json()
            listed = self.as_bob.post(
                "/api/deals/bulk", {"atomic": False, "operations": [{"op": "create", "data": data}]}
            ).json()["results"][0]["error"]

            start = "/operations/0/data"
            moved = [{**wrong, "pointer": start + wrong["pointer"]} for wrong in single["errors"]]
            assert listed["errors"] == moved
            assert (listed["status"], listed["code"]) == (single["status"], single["code"])

    def test_the_status_is_that_of_the_rows_if_they_share_one(self):
        deal = self.deal(external_references=[("default", "1")])
        taken = op("create", {"name": "A", "external_id": "1"})
        problem(self.bulk(taken, op("create", {"name": "B"})), 409, "rows_refused")
        stale = op("update", {"name": "B"}, uuid=str(deal.uuid), if_match='"7"')
        problem(self.bulk(stale, op("create", {"name": "B"})), 412, "rows_refused")
        problem(self.bulk(stale, taken), 400, "rows_refused")
        problem(self.bulk(op("delete", uuid=str(uuid.uuid4())), taken), 400, "rows_refused")

    def test_a_list_writes_a_row_once(self):
        deal = self.deal(external_references=[("default", "1")])
        twice = [
            op("update", {"name": "A"}, uuid=str(deal.uuid)),
            op("upsert", {"name": "B", "external_id": "1"}),
            op("delete", uuid=str(deal.uuid)),
            op("upsert", {"name": "C", "external_id": "new"}),
            op("upsert", {"name": "D", "external_id": "new"}),
        ]
        refusal = problem(self.bulk(*twice), 400, "rows_refused")
        assert [(row["index"], row["code"]) for row in refusal["rows"]] == [
            (1, "row_twice"),
            (2, "row_twice"),
            (4, "row_twice"),
        ]

        results = self.results(*twice, atomic=False)

        assert [row["status"] for row in results] == [200, 400, 400, 201, 400]

    def test_the_second_may_when_the_first_has_been_refused(self):
        deal = self.deal()
        operations = [
            op("update", {"amount": "-1"}, uuid=str(deal.uuid)),
            op("update", {"amount": "2"}, uuid=str(deal.uuid)),
            op("create", {"name": "A", "external_id": "1", "amount": "-1"}),
            op("create", {"name": "B", "external_id": "1"}),
        ]

        results = self.results(*operations, atomic=False)

        assert [row["status"] for row in results] == [400, 200, 400, 201]

    def test_a_used_contact_is_not_deleted(self):
        used, free = self.person(), self.person()
        self.deal(contact=used.pk)
        operations = [op("delete", uuid=str(free.uuid)), op("delete", uuid=str(used.uuid))]
        refusal = problem(self.bulk(*operations, path=CONTACTS), 409, "rows_refused")
        assert [(row["index"], row["code"], row["count"]) for row in refusal["rows"]] == [(1, "in_use", 1)]

        results = self.results(*operations, path=CONTACTS, atomic=False)

        assert [row["status"] for row in results] == [204, 409]

    def test_an_address_that_is_taken_by_a_row_or_in_the_list(self):
        self.person(email="ann@example.com")
        operations = [
            op("create", {"first_name": "A", "email": "Ann@example.com"}),
            op("create", {"first_name": "B", "email": "bo@example.com"}),
            op("create", {"first_name": "C", "email": "bo@example.com"}),
        ]

        results = self.results(*operations, path=CONTACTS, atomic=False)

        assert [row["status"] for row in results] == [409, 201, 409]
        assert results[0]["error"]["errors"][0]["pointer"] == "/operations/0/data/email"

    def test_a_list_that_is_none(self):
        for body, pointer in (
            ({}, "/operations"),
            ({"operations": {}}, "/operations"),
            ({"operations": [op("create", {"name": "A"})] * 1001}, "/operations"),
            ({"operations": [], "atomic": "no"}, "/atomic"),
            ({"operations": [], "more": 1}, "/more"),
        ):
            with self.subTest(pointer=pointer):
                assert pointer in str(self.as_bob.post(BULK, body).json()["errors"])
                assert self.as_bob.post(BULK, body).status_code == 400

    def test_an_operation_that_is_none(self):
        known = str(self.deal().uuid)
        for operation, pointer in (
            ("create", ""),
            ({}, "/op"),
            (op("destroy", uuid=known), "/op"),
            (op("create"), "/data"),
            (op("create", {"name": "A"}, uuid=known), "/uuid"),
            (op("create", {"name": "A"}, if_match="*"), "/if_match"),
            (op("update", {"name": "A"}), "/uuid"),
            (op("update", uuid=known), "/data"),
            (op("update", {"name": "A"}, uuid="7"), "/uuid"),
            (op("update", {"name": "A"}, uuid=known, if_match="1"), "/if_match"),
            (op("delete", {"name": "A"}, uuid=known), "/data"),
            (op("delete", uuid=known, more=1), "/more"),
            (op("create", ["name"]), "/data"),
        ):
            with self.subTest(operation=operation):
                refusal = problem(self.bulk(operation), 400, "rows_refused")
                assert [w["pointer"] for w in refusal["errors"]] == [f"/operations/0{pointer}"]

    def test_a_viewer_is_refused_as_a_whole(self):
        problem(self.bulk(op("create", {"name": "A"}), client=self.as_viewer), 403, "forbidden")
        path = str(self.deal(self.bob, is_private=True).uuid)
        refusal = problem(self.bulk(op("delete", uuid=path), client=self.as_manager), 400, "rows_refused")
        assert refusal["rows"][0]["status"] == 404


class TogetherTests(BulkTestCase):
    """With the promises of every write."""

    def test_a_retry(self):
        body = {"operations": [op("create", {"name": "A"})]}
        key = {"headers": {"Idempotency-Key": "k"}}

        first, again = self.as_bob.post(BULK, body, **key), self.as_bob.post(BULK, body, **key)

        assert again.content == first.content
        assert Deal.objects.count() == 1

    def test_a_dry_run_answers_alike_and_leaves_nothing(self):
        deal = self.deal()
        body = {
            "atomic": False,
            "operations": [
                op("create", {"name": "A", "contact_email": "a@example.com", "contact_first_name": "A"}),
                op("delete", uuid=str(deal.uuid)),
                op("create", {"name": "A", "amount": "-1"}),
            ],
        }
        before = Event.objects.count()

        tried = self.as_bob.send("POST", BULK, body, dry_run="true").json()["results"]

        assert (Deal.objects.live().count(), Contact.objects.count(), Event.objects.count()) == (1, 0, before)
        done = self.as_bob.post(BULK, body).json()["results"]
        assert [(row["status"], row["outcome"]) for row in tried] == [
            (row["status"], row["outcome"]) for row in done
        ]

    def test_a_condition_is_a_rows_and_not_the_lists(self):
        answer = self.as_bob.post(BULK, {"operations": []}, headers={"If-Match": "*"})

        problem(answer, 400, "invalid_header")

    def test_a_current_condition_holds_for_every_kind_of_operation(self):
        changed, gone, found = self.deal(), self.deal(), self.deal(external_references=[("default", "1")])

        results = self.results(
            op("update", {"name": "A"}, uuid=str(changed.uuid), if_match='"1-aa"'),
            op("delete", uuid=str(gone.uuid), if_match="*"),
            op("upsert", {"name": "B", "external_id": "1"}, if_match=f'"{found.version}"'),
        )

        assert [row["status"] for row in results] == [200, 204, 200]


class QueryTests(BulkTestCase):
    """However long the list, the queries are the same; but that SQLite takes 999 parameters at a time."""

    def mixed(self, count, batch):
        stage, member = self.offer.pk, str(self.alice.member.uuid)
        deals = create_deals(
            actor=self.bob,
            changes=[
                {
                    "name": "Old",
                    "followers": [self.alice.member.pk],
                    "external_references": [("erp", f"{batch}-{n}")],
                }
                for n in range(3 * count // 4)
            ],
        )
        operations = []
        for n in range(count // 4):
            update, delete, _ = deals[3 * n : 3 * n + 3]
            operations += [
                op(
                    "create",
                    {"name": "A", "contact_email": f"{batch}{n}@example.com", "contact_first_name": "A"},
                ),
                op(
                    "update",
                    {"stage_id": stage, "follower_uuids": [], "external_id": f"u{batch}{n}"},
                    uuid=str(update.uuid),
                ),
                op("delete", uuid=str(delete.uuid)),
                op(
                    "upsert",
                    {
                        "amount": n,
                        "access_list_uuids": [member],
                        "external_id": f"{batch}-{3 * n + 2}",
                        "external_system": "erp",
                    },
                ),
            ]
        return operations

    def queries(self, operations):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            results = self.results(*operations)
        assert {row["outcome"] for row in results} == {"created", "updated", "deleted"}
        print(
            "\n".join(q["sql"][:90] for q in captured.captured_queries),
        )
        return len(captured)

    def test_a_long_list_takes_as_many_queries_as_a_short_one(self):
        self.results(op("create", {"name": "warm"}))
        short, long = self.mixed(400, "s"), self.mixed(1000, "l")

        few, many = self.queries(short), self.queries(long)

        if connection.vendor == "postgresql":
            assert many == few < 75
        else:
            # Each of the wide inserts goes in batches of 999 parameters.
            assert many - few < 600 / 8
            assert few < 130


@pytest.mark.race
class BulkRaceTests(RaceTestCase):
    def test_lists_in_opposite_orders_do_not_block_each_other(self):
        people = [self.person() for _ in range(12)]
        companies = [CompanyFactory(actor=self.bob) for _ in range(4)]
        deals = [self.deal(contact=people[n].pk) for n in range(12)]

        def both(number):
            turn = -1 if number % 2 else 1
            if number % 4 < 2:
                updates = [
                    op(
                        "update",
                        {"city": f"{number}", "company_uuid": str(companies[n % 4].uuid)},
                        uuid=str(p.uuid),
                    )
                    for n, p in enumerate(people)
                ]
                offices = [op("update", {"city": f"{number}"}, uuid=str(c.uuid)) for c in companies]
                return self.call("POST", CONTACTS, {"operations": (updates + offices)[::turn]})
            updates = [
                op(
                    "update",
                    {
                        "name": f"{number}",
                        "contact_uuid": str(people[-n].uuid),
                        "client_uuid": str(companies[n % 4].uuid),
                    },
                    uuid=str(deal.uuid),
                )
                for n, deal in enumerate(deals)
            ]
            new = op(
                "create",
                {"name": "New", "contact_email": people[number % 12].email, "contact_first_name": "A"},
            )
            return self.call("POST", BULK, {"operations": [*updates, new][::turn]})

        for _ in range(2):
            answers = self.at_once(both, 12)
            assert statuses(answers) == {200: 12}, [
                answer.body[:500] for answer in answers if answer.status != 200
            ]

    def test_lists_of_the_same_upserts_make_each_deal_once(self):
        body = {
            "operations": [
                op(
                    "upsert",
                    {
                        "name": "Once",
                        "external_id": f"{n}",
                        "contact_email": f"c{n}@example.com",
                        "contact_first_name": "C",
                    },
                )
                for n in range(8)
            ]
        }
        turned = {"operations": body["operations"][::-1]}

        answers = self.at_once(lambda n: self.call("POST", BULK, turned if n % 2 else body))

        assert statuses(answers) == {200: CALLERS}
        outcomes = [row["outcome"] for answer in answers for row in answer.json()["results"]]
        assert outcomes.count("created") == 8
        assert Deal.objects.count() == Contact.objects.count() == 8

    def test_lists_that_delete_and_change_in_opposite_orders(self):
        def delete_or_change(number):
            half = range(8) if number % 2 else range(7, -1, -1)
            operations = [
                op(
                    "delete" if (n + number) % 4 == 0 else "update",
                    None if (n + number) % 4 == 0 else {"name": "N"},
                    uuid=str(deals[n].uuid),
                )
                for n in half
            ]
            return self.call("POST", BULK, {"operations": operations, "atomic": False})

        deals = [self.deal() for _ in range(8)]
        answers = self.at_once(delete_or_change, 8)

        for answer in answers:
            some_refused = any(row["outcome"] == "refused" for row in answer.json()["results"])
            assert answer.status == (207 if some_refused else 200)
        refused = [row for a in answers for row in a.json()["results"] if row["outcome"] == "refused"]
        assert {row["status"] for row in refused} <= {404}
