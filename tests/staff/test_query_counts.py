"""Every change list has a fixed number of queries for any number of rows, and no list is counted."""

import datetime

from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Invitation
from crm_project.records.paging import Cursor
from deals.models import Deal, LostReason
from deals.services import update_deals
from pipelines.models import Pipeline
from tests.factories import (
    ActorFactory,
    CompanyFactory,
    CustomFieldFactory,
    LostReasonFactory,
    PipelineFactory,
)
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url

# Session, user, member, unread notifications, then what the page shows.
# A number that grows is a finding, not a nuisance.
COUNTS = {
    "accounts.apitoken": 5,
    "accounts.member": 5,
    "accounts.organization": 5,
    "contacts.contact": 7,
    "deals.deal": 9,
    "deals.lostreason": 5,
    "pipelines.pipeline": 6,
    "pipelines.stage": 5,
    "records.customfield": 5,
    # Five lists of deals, their groups and pipelines, whose they are, and the counts of the activities.
    "home": 12,
    # The first three, and one of each model with rows in the palette.
    "search": 3 + sum(bool(getattr(page, "palette_icon", "")) for page in admin.site._registry.values()),
}
DOUBLINGS = 7


def fill(case, number):
    """Insert that many deals and contacts, each with one statement."""
    stages = [case.new, case.offer, case.won]
    now = timezone.now()
    contacts = [
        Contact(organization=case.organization, first_name=f"P{n}", full_name=f"P{n}", owner=case.bob.member)
        for n in range(min(number, 1000))
    ]
    Contact.objects.bulk_create(contacts)
    Deal.objects.bulk_create(
        (
            Deal(
                organization=case.organization,
                name=f"Deal {n}",
                search_text=f"deal {n}",
                amount=n % 5000,
                currency="EUR",
                stage=stages[n % 2],
                owner=case.bob.member if n % 3 else case.alice.member,
                contact=contacts[n % len(contacts)],
                client=contacts[-n % len(contacts)],
                expected_close_date=datetime.date(2026, 1, 1) + datetime.timedelta(days=n % 700),
                created_at=now - datetime.timedelta(minutes=n),
                is_private=n % 10 == 0,
            )
            for n in range(number)
        ),
        batch_size=5000,
    )


def place_of(number):
    """The cursor of a page far behind the first one."""
    deal = Deal.objects.order_by("-created_at", "-id")[number]
    return Cursor("-created_at", False, deal.created_at, deal.pk).encode()


def double():
    """Twice as many deals, in one statement."""
    columns = [field.column for field in Deal._meta.concrete_fields if field.column != "id"]
    fresh = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    values = [fresh if column == "uuid" else column for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO deals_deal ({', '.join(columns)}) SELECT {', '.join(values)} FROM deals_deal"
        )


class QueryCountTests(StaffTestCase):
    def count(self, url):
        # What is kept until the catalogue changes is read by the first visit.
        self.client.get(url)
        with CaptureQueriesContext(connection) as queries:
            response = self.client.get(url)
            assert response.status_code == 200, url
        statements = [query["sql"] for query in queries]
        counting = [sql for sql in statements if "COUNT(*)" in sql and "GROUP BY" not in sql]
        assert not counting, counting
        skipping = [sql for sql in statements if " OFFSET " in sql]
        assert not skipping, skipping
        return len(statements), statements

    def pages(self):
        yield "home", "/admin/"
        yield "search", "/admin/search/?s=deal&extended=1"
        for model in admin.site._registry:
            if model._meta.label_lower in COUNTS:
                yield model._meta.label_lower, list_url(model)

    def test_every_list_with_few_and_with_many_rows(self):
        self.sign_in(self.alice)
        CustomFieldFactory(actor=self.alice, key="region")
        self.client.get("/admin/")
        fill(self, 3)
        few = {name: self.count(url) for name, url in self.pages()}
        for number in range(5):
            PipelineFactory(actor=self.alice)
            LostReasonFactory(actor=self.alice)
            CompanyFactory(actor=self.alice)
            CustomFieldFactory(actor=self.alice, key=f"more_{number}")
        fill(self, 300)

        many = {name: self.count(url) for name, url in self.pages()}

        assert {name: number for name, (number, _) in few.items()} == COUNTS
        assert {name: number for name, (number, _) in many.items()} == COUNTS

    def test_every_form_with_few_and_with_many_rows(self):
        self.sign_in(self.alice)
        company, reason = CompanyFactory(actor=self.alice), LostReasonFactory(actor=self.alice)
        deal = self.deal(client=company.pk)
        models = (Contact, Deal, LostReason, Invitation, Pipeline)
        rows = (company, deal, reason, self.bob.member, self.new.pipeline, self.new)
        actions = [("lose", deal), ("move", deal), ("hand-over", deal)]
        urls = [*map(add_url, models), *map(change_url, rows), *(action_url(*action) for action in actions)]
        for url in urls:
            self.client.get(url)
        few = {url: self.count(url)[0] for url in urls}
        for _ in range(5):
            PipelineFactory(actor=self.alice)
            LostReasonFactory(actor=self.alice)
            person = self.person(company=company.pk)
            self.deal(contact=person.pk, members=[person.pk])
            ActorFactory(organization=self.organization)
            update_deals(actor=self.alice, changes=[(deal, {"name": person.full_name})])

        many = {url: self.count(url)[0] for url in urls}

        assert many == few

    def test_filters_searches_and_sorting_add_no_queries_with_the_rows(self):
        fill(self, 200)
        whole = ("o=-2", "o=7", f"p={place_of(150)}")
        filtered = ("status=open&amount_from=10", "q=deal")

        def counts(queries):
            return {self.count(f"{list_url(Deal)}?{query}")[0] for query in queries}

        assert counts(whole) == {COUNTS["deals.deal"]}
        # The totals of what is filtered are one query.
        assert counts(filtered) == {COUNTS["deals.deal"] + 1}
        # The link that saves the list as a view has the uuid of the owner, as the API names members.
        assert counts([f"owner={self.bob.member.pk}"]) == {COUNTS["deals.deal"] + 2}


class BigTests(QueryCountTests):
    """128,000 deals: the same queries, and no page that takes seconds."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        fill(cls, 1000)
        for _ in range(DOUBLINGS):
            double()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        assert Deal.objects.count() == 1000 * 2**DOUBLINGS

    def test_every_list_with_few_and_with_many_rows(self):
        self.sign_in(self.alice)
        self.client.get("/admin/")
        slow = {}
        for name, url in self.pages():
            started = timezone.now()
            number, _ = self.count(url)
            slow[name] = (timezone.now() - started).total_seconds()
            # The home page reads the lists that have deals: one more of them here.
            assert number <= COUNTS[name] + (name == "home"), name
        assert max(slow.values()) < 5, slow

    test_every_form_with_few_and_with_many_rows = None

    def test_filters_searches_and_sorting_add_no_queries_with_the_rows(self):
        for query in (
            "status=open&amount_from=990",
            "q=deal 99",
            "o=-2",
            f"p={place_of(75_000)}",
            "is_private=yes",
        ):
            assert self.count(f"{list_url(Deal)}?{query}")[0] <= COUNTS["deals.deal"] + 1
