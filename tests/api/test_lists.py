"""Every filter with malformed values, through every door; batch reads; `fields` and `expand`; gross totals."""

import uuid

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from crm_project.api.filters import (
    BooleanFilter,
    CurrencyFilter,
    DayFilter,
    InstantFilter,
    IntegerFilter,
    NumberFilter,
    SearchFilter,
    StrictFilterSet,
    ValuesFilter,
)
from crm_project.webhooks.services import create_webhook
from deals.api.filters import DealFilter, PastDealFilter
from deals.api.past import ChangesFilter
from tests.api.client import ApiTestCase, problem
from tests.factories import CompanyFactory, CustomFieldFactory, PersonFactory

LISTS = ("/api/deals", "/api/deals/summary", "/api/deals/export", "/api/pipelines/{pipeline}/deals")
CHANGES = "/api/deals/changes?since=2024-01-01"
UUID = str(uuid.uuid4())
# The other lists with filters, and the texts that may have any form.
OTHER_LISTS = {
    "/api/activities": {"external_system", "external_id"},
    "/api/contacts": {"external_system", "external_id", "phone"},
    "/api/custom-fields": set(),
    "/api/exchange-rates": set(),
    "/api/external-references": {"system", "external_id"},
    "/api/goals": set(),
    "/api/notifications": set(),
    "/api/saved-views": set(),
    "/api/stages": set(),
    "/api/users": set(),
    "/api/webhooks/{webhook}/deliveries": set(),
}
CONTACT_LISTS = ("/api/contacts", "/api/contacts/export")
# Per kind of filter, values that can match nothing because of their form.
MALFORMED = {
    BooleanFilter: ["1", "True", "yes"],
    DayFilter: ["2024-02-30", "2024-2-3", "today"],
    InstantFilter: ["2024-02-30", "2024-01-01T00:00:00", "now"],
    IntegerFilter: ["x", "1.5", f"{2**64}", "1 2"],
    NumberFilter: ["x", "1,5", "1e3", "NaN"],
    ValuesFilter: [",", "1,", "x\u00a0", "not one"],
    SearchFilter: [" ", "\u200b"],
}


def subclasses(cls):
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def malformed(made):
    return next((values for kind, values in MALFORMED.items() if isinstance(made, kind)), [])


class MalformedTests(ApiTestCase):
    def test_every_filter_of_every_list_refuses_what_cannot_match(self):
        doors = [(path.format(pipeline=self.pipeline.pk), DealFilter) for path in LISTS]
        doors += [(CHANGES, PastDealFilter), ("/api/deals?as_of=2024-01-01", PastDealFilter)]
        for path, filters in doors:
            tried = 0
            for name, made in filters.base_filters.items():
                for value in malformed(made)[:: 1 if path == "/api/deals" else 3]:
                    tried += 1
                    problem(self.as_bob.get(path, **{name: value}), 400, "invalid", f"/{name}")
            assert tried > 40, path
        texts = {
            name for name, made in DealFilter.base_filters.items() if not malformed(made) and name != "view"
        }
        assert texts == {"external_system", "external_id", "origin", "origin_not"}

    def test_every_filter_of_the_other_lists_refuses_what_cannot_match(self):
        change = {"url": "https://example.com/", "events": ["*"]}
        webhook, _ = create_webhook(actor=self.alice, change=change)
        for path, texts in OTHER_LISTS.items():
            path = path.format(webhook=webhook.uuid)
            filters = resolve(path).func.cls.filterset_class.base_filters
            for name, made in filters.items():
                if name.removesuffix("_not") in texts | {"view"}:
                    continue
                assert malformed(made), (path, name)
                for value in malformed(made):
                    problem(self.as_alice.get(path, **{name: value}), 400, "invalid", f"/{name}")

    def test_the_table_has_every_list_with_filters(self):
        shown = {path: resolve(path.replace("{webhook}", UUID)) for path in OTHER_LISTS}
        found = {match.func.cls.filterset_class for match in shown.values()} | {DealFilter, PastDealFilter}
        every = set(subclasses(StrictFilterSet))
        # The filters of changes are those of past deals.
        bases = {one for one in every if one.__subclasses__()}
        assert every - found == bases - found | {ChangesFilter}

    def test_a_currency_that_is_none(self):
        for path in (*LISTS, CHANGES):
            for value in ("EURO", "€", "EUR ", "EUR,", "EUR,EURO", "XYZ", "eu", "ＥＵＲ"):
                for name in ("currency", "currency_not"):
                    answer = self.as_bob.get(path.format(pipeline=self.pipeline.pk), **{name: value})
                    problem(answer, 400, "invalid", f"/{name}")
        assert isinstance(DealFilter.base_filters["currency"], CurrencyFilter)

    def test_an_address_that_is_none_and_a_plus_that_was_not_escaped(self):
        self.deal(contact=PersonFactory(actor=self.bob, first_name="A", email="a+b@example.com").pk)
        for path, name in (("/api/deals", "contact_email"), ("/api/contacts", "email")):
            for value in ("notanemail", "a@", "@example.com", "a@b@c", "a@example.com,x", "a b@example.com"):
                problem(self.as_bob.get(path, **{name: value}), 400, "invalid", f"/{name}")
            problem(self.as_bob.get(f"{path}?{name}=a+b@example.com"), 400, "invalid", f"/{name}")
            assert len(self.as_bob.rows(f"{path}?{name}=A%2BB@example.com")) == 1

    def test_a_search_for_nothing_finds_not_everything(self):
        self.deal()
        for path in ("/api/deals", "/api/deals/summary", "/api/contacts"):
            for value in ("", " ", "\u3000", "\u200b", "\u0301", "\x1f", " \u00a0 "):
                problem(self.as_bob.get(path, q=value), 400, "invalid", "/q")

    def test_words_are_accepted_where_they_mean_something(self):
        for name, value in (("stage", "none"), ("pipeline", "me"), ("contact", "me"), ("status", "none")):
            problem(self.as_bob.get("/api/deals", **{name: value}), 400, "invalid", f"/{name}")
        too_many = ",".join(str(uuid.uuid4()) for _ in range(101))
        for name in ("uuid", "owner", "contact_not"):
            problem(self.as_bob.get("/api/deals", **{name: too_many}), 400, "invalid", f"/{name}")

    def test_all_wrong_parameters_are_named_at_once(self):
        asked = {"currency": "EURO", "owner": "you", "fields": "nmae", "expand": "owners", "page_size": "0"}
        problem(self.as_bob.get("/api/deals", **asked), 400, "invalid", *(f"/{name}" for name in asked))

    def test_bounds_of_custom_fields_fit_their_types(self):
        for key, type_ in (("figure", "number"), ("day", "date"), ("word", "text"), ("flag", "checkbox")):
            CustomFieldFactory(actor=self.alice, key=key, type=type_)
        for name in (
            "figure_after",
            "day_min",
            "word_min",
            "word_after",
            "flag_max",
            "nothing_not",
            "min",
            "_min",
        ):
            problem(
                self.as_bob.get("/api/deals", **{f"custom_{name}": "1"}), 400, "invalid", f"/custom_{name}"
            )
        for name, value in (("figure_min", "x"), ("day_after", "1"), ("word_empty", "1"), ("figure", "1,x")):
            problem(
                self.as_bob.get("/api/deals", **{f"custom_{name}": value}), 400, "invalid", f"/custom_{name}"
            )


class ContactListTests(ApiTestCase):
    def test_each_filter_finds_the_right_rows(self):
        company = CompanyFactory(actor=self.bob, name="Acme", email="office@example.com")
        gone = CompanyFactory(actor=self.bob, name="Gone")
        for number in range(6):
            self.person(
                first_name=f"Person {number}",
                email=f"p{number}@example.com" if number < 4 else "",
                company=(company.pk, gone.pk, None)[number % 3],
                owner=(self.alice.member.pk, self.bob.member.pk, None)[number % 3],
                city="Paris" if number % 2 else "",
            )
        type(gone).objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
        every = self.as_bob.rows("/api/contacts")
        bob, alice = str(self.bob.member.uuid), str(self.alice.member.uuid)

        def owned_by(*members):
            return lambda row: (row["owner"] or {"uuid": None})["uuid"] in members

        for name, value, passes in (
            ("owner", "none", owned_by(None)),
            ("owner", "me", owned_by(bob)),
            ("owner", f"none,{alice}", owned_by(None, alice)),
            ("owner_not", "me", lambda row: not owned_by(bob)(row)),
            ("owner_not", "me,none", owned_by(alice)),
            ("owner_empty", "false", lambda row: row["owner"] is not None),
            ("company", "none", lambda row: row["company"] is None),
            ("company", str(gone.uuid), lambda row: False),
            ("company_not", str(company.uuid), lambda row: row["company"] is None),
            ("company_empty", "true", lambda row: row["company"] is None),
            ("company_empty", "false", lambda row: row["company"] is not None),
            ("email", "p1@example.com,p3@example.com", lambda row: row["email"][:2] in ("p1", "p3")),
            ("email_not", "p1@example.com", lambda row: row["email"][:2] != "p1"),
            ("email_empty", "true", lambda row: row["email"] == ""),
            ("kind_not", "company", lambda row: row["kind"] == "person"),
            ("city_empty", "false", lambda row: row["city"] == "Paris"),
            ("uuid", ",".join(row["uuid"] for row in every[:3]), lambda row: row in every[:3]),
        ):
            found = self.as_bob.rows("/api/contacts", **{name: value})
            assert found == [row for row in every if passes(row)], (name, value)

    def test_it_rejects_malformed_values(self):
        for path in CONTACT_LISTS:
            for name, value in (
                ("owner", "x"),
                ("company", "1"),
                ("kind", "robot"),
                ("email", "x"),
                ("uuid", "1"),
            ):
                for suffix in ("", "_not"):
                    answer = self.as_bob.get(path, **{f"{name}{suffix}": value})
                    problem(answer, 400, "invalid", f"/{name}{suffix}")


class RolesTests(ApiTestCase):
    def test_a_list_has_what_the_member_may_see(self):
        """Each filter narrows the member's own list, whatever the role; the outsider's is empty."""
        for number, actor in enumerate((self.alice, self.bob, self.bob)):
            made = self.deal(name=f"{number}", owner=actor.member.pk, is_private=number < 2)
            assert made
        self.deal(name="nobody's", next_deal=made.pk)
        for client in (self.as_alice, self.as_manager, self.as_bob, self.as_viewer, self.as_charlie):
            every = client.rows("/api/deals")
            me = client.get("/api/me").json()["user"]["uuid"]
            for name, value, passes in (
                ("owner", "me", lambda row, me=me: (row["owner"] or {}).get("uuid") == me),
                ("owner", "none", lambda row: row["owner"] is None),
                ("owner_not", "me", lambda row, me=me: (row["owner"] or {}).get("uuid") != me),
                ("next_deal_empty", "true", lambda row: row["next_deal"] is None),
                ("next_deal_empty", "false", lambda row: row["next_deal"] is not None),
                ("stage", f"{self.new.pk}", lambda row: row["stage"]["id"] == self.new.pk),
                ("stage_not", f"{self.new.pk}", lambda row: row["stage"]["id"] != self.new.pk),
                ("uuid", f"{made.uuid}", lambda row: row["uuid"] == str(made.uuid)),
            ):
                wanted = [row for row in every if passes(row)]
                assert client.rows("/api/deals", **{name: value}) == wanted, (name, value)
                assert client.get("/api/deals/summary", **{name: value}).json()["count"] == len(wanted)
        assert self.as_charlie.rows("/api/deals") == []


class BatchReadTests(ApiTestCase):
    def test_a_hundred_rows_are_one_page(self):
        made = [str(self.deal(name=f"{number}").uuid) for number in range(60)]
        theirs, unknown = str(self.deal(self.charlie).uuid), str(uuid.uuid4())

        answer = self.as_bob.get("/api/deals", uuid=",".join([*made, theirs, unknown])).json()

        assert {row["uuid"] for row in answer["results"]} == {*made}
        assert answer["next"] is None
        page = self.as_bob.get("/api/deals", uuid=",".join(made), page_size=10).json()
        assert len(page["results"]) == 10
        assert page["next"]


class SparseTests(ApiTestCase):
    def setUp(self):
        company = CompanyFactory(actor=self.bob, name="Acme")
        person = PersonFactory(
            actor=self.bob, first_name="Zoé", company=company.pk, external_references=[("erp", "1")]
        )
        people = {"contact": person.pk, "client": company.pk, "owner": self.alice.member.pk}
        self.row = self.deal(name="One", amount="5", **people)
        self.deal(name="Bare")
        self.path, self.person_path = f"/api/deals/{self.row.uuid}", f"/api/contacts/{person.uuid}"
        self.company_path = f"/api/contacts/{company.uuid}"

    def test_fields_are_the_only_keys(self):
        doors = ["/api/deals", f"/api/pipelines/{self.pipeline.pk}/deals", "/api/deals?as_of=2100-01-01"]
        for path in doors:
            rows = self.as_bob.rows(path, fields="name,uuid,stage")
            assert [list(row) for row in rows] == [["uuid", "name", "stage"]] * 2
        whole = self.as_bob.get(self.path).json()
        for name in whole:
            answer = self.as_bob.get(self.path, fields=name)
            assert answer.json() == {name: whole[name]}, name
        person = self.as_bob.get(self.person_path, fields="first_name,kind").json()
        assert person == {"kind": "person", "first_name": "Zoé"}
        assert self.as_bob.rows("/api/stages", fields="id")[0] == {"id": self.new.pk}

    def test_expanded_rows_are_shown_as_their_own_resources_show_them(self):
        owner = f"/api/users/{self.alice.member.uuid}"
        paths = {
            "contact": self.person_path,
            "client": self.company_path,
            "owner": owner,
            "stage": f"/api/stages/{self.new.pk}",
            "pipeline": f"/api/pipelines/{self.pipeline.pk}",
        }
        whole, expand = self.as_bob.get(self.path).json(), ",".join(paths)
        wanted = whole | {name: self.as_bob.get(path).json() for name, path in paths.items()}

        assert self.as_bob.get(self.path, expand=expand).json() == wanted
        bare, one = sorted(self.as_bob.rows("/api/deals", expand=expand), key=lambda row: row["name"])
        assert one == wanted
        assert (bare["contact"], bare["client"], bare["owner"]) == (None, None, None)
        found = self.as_bob.get(self.path, expand="contact", fields="name,contact").json()
        assert found == {"name": "One", "contact": wanted["contact"]}
        person = self.as_bob.get(self.person_path, expand="company").json()
        assert person["company"] == wanted["client"]

    def test_what_is_unknown_is_refused(self):
        for asked in ({"fields": "nmae"}, {"fields": "name,"}, {"fields": "stage_id"}, {"fields": "*"}):
            for path in ("/api/deals", self.path, "/api/contacts"):
                problem(self.as_bob.get(path, **asked), 400, "invalid", "/fields")
        for asked in ({"expand": "participants"}, {"expand": "contact,"}):
            problem(self.as_bob.get("/api/deals", **asked), 400, "invalid", "/expand")
        problem(self.as_bob.get("/api/deals", fields="name", expand="contact"), 400, "invalid", "/expand")
        for path in ("/api/deals/summary?fields=count", "/api/stages?expand=pipeline"):
            problem(self.as_bob.get(path), 400, "unknown_parameter")

    def test_the_queries_do_not_depend_on_the_number_of_rows(self):
        counts = []
        expand = "contact,client,owner,stage,pipeline"
        for _ in range(2):
            self.as_bob.rows("/api/deals", expand=expand)
            with CaptureQueriesContext(connection) as queries:
                self.as_bob.rows("/api/deals", expand=expand, ordering="-amount")
            counts.append(len(queries))
            for number in range(5):
                company = CompanyFactory(actor=self.bob, name=f"Other {number}")
                self.deal(
                    contact=company.pk, client=company.pk, owner=self.bob.member.pk, stage=self.offer.pk
                )
        assert counts[0] == counts[1]


class GrossTests(ApiTestCase):
    def test_a_sum_of_gross_amounts_has_the_number_of_its_rows(self):
        for amount, gross in (("10", "12"), ("20", None), (None, None)):
            self.deal(amount=amount, amount_gross=gross, probability=33)
        self.deal(amount="383.33", probability=15, currency="USD")

        totals = {row["currency"]: row for row in self.as_bob.get("/api/deals/summary").json()["totals"]}

        assert (totals["EUR"]["amount_gross"], totals["EUR"]["amount_gross_count"]) == ("12.00", 1)
        assert totals["EUR"]["count"] == 3
        assert totals["EUR"]["weighted_amount"] == "9.90"
        assert (totals["USD"]["amount_gross_count"], totals["USD"]["weighted_amount"]) == (0, "57.50")
        past = self.as_bob.get("/api/deals/summary?as_of=2100-01-01").json()["totals"]
        assert [(row["amount_gross"], row["amount_gross_count"]) for row in past] == [(None, 0)] * 2


class DocumentTests(ApiTestCase):
    def test_every_parameter_of_a_list_has_a_text(self):
        paths = self.as_nobody.client.get("/api/schema").json()["paths"]
        for path in (
            "/api/deals",
            "/api/deals/summary",
            "/api/deals/changes",
            "/api/contacts",
            "/api/deals/export",
        ):
            parameters = [entry for entry in paths[path]["get"]["parameters"] if entry["in"] == "query"]
            assert [entry["name"] for entry in parameters if not entry.get("description")] == [], path
        texts = {entry["name"]: entry["description"] for entry in paths["/api/deals"]["get"]["parameters"]}
        assert "currenc" in texts["ordering"]
        assert "none" in texts["owner"]


class UserListTests(ApiTestCase):
    def test_members_by_their_addresses(self):
        for asked, names in (
            ({"email": "BOB@example.com,alice@example.com"}, {"Alice", "Bob"}),
            ({"email_not": "bob@example.com"}, {"Alice", "Mary", "Victor"}),
            ({"email": "nobody@example.com"}, set()),
        ):
            assert {row["full_name"] for row in self.as_bob.rows("/api/users", **asked)} == names, asked


class ReferenceListTests(ApiTestCase):
    def test_the_opposite_of_each_filter(self):
        self.deal(external_references=[("erp", "1"), ("shop", "2")])
        self.person(external_references=[("erp", "3")])
        path = "/api/external-references"

        def ids(**asked):
            return {row["external_id"] for row in self.as_bob.rows(path, **asked)}

        assert ids() == {"1", "2", "3"}
        assert ids(system_not="erp") == {"2"}
        assert ids(external_id_not="1", kind="deal") == {"2"}
        assert ids(kind_not="deal") == {"3"}
        problem(self.as_bob.get(path, kind_not="robot"), 400, "invalid", "/kind_not")
