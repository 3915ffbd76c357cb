"""Every read asks the database a fixed number of times, the same for 10 rows and for 200; the numbers are in a file."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.services import create_contacts
from crm_project.accounts import services as accounts_services
from crm_project.accounts.models import ApiToken, Member, User
from crm_project.records.kinds import OMITTED_COLUMNS, kinds
from crm_project.records.models import CustomField
from deals.models import Deal, LostReason
from deals.services import create_deals
from pipelines.models import Pipeline, Stage
from tests.api.client import ApiTestCase
from tests.api.routes import ROUTES, make_rows

COUNTS = Path(__file__).parent.parent / "query_counts.json"
FEW, MANY = 10, 200


class QueryCountTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def setUp(self):
        # On a slow machine a token's use would be noted again in the middle of the counting.
        a_day = datetime.timedelta(days=1)
        self.enterContext(mock.patch.object(accounts_services, "LAST_USED_EVERY", a_day))

    def grow(self, first, last):
        """More rows of every kind, each with all that a row can hold."""
        numbers = range(first, last)
        own = {"organization": self.organization}
        users = User.objects.bulk_create(User(email=f"u{n}@example.com", password="!") for n in numbers)
        members = Member.objects.bulk_create(Member(user=user, **own) for user in users)
        ApiToken.objects.bulk_create(
            ApiToken(member=member, name="x", digest=f"{member.pk}", **own) for member in members
        )
        LostReason.objects.bulk_create(LostReason(name=f"Too {n}", **own) for n in numbers)
        CustomField.objects.bulk_create(
            CustomField(kind="deal", key=f"field{n}", label="x", type="text", **own) for n in numbers
        )
        pipelines = Pipeline.objects.bulk_create(Pipeline(name=f"{n}", **own) for n in numbers)
        Stage.objects.bulk_create(Stage(pipeline=row, name="One", position=0, **own) for row in pipelines)
        self.people = self.make_contacts(numbers, members)
        self.make_deals(numbers, members)

    def make_contacts(self, numbers, members):
        companies = create_contacts(
            actor=self.bob, changes=[{"kind": "company", "name": f"Company {n}"} for n in numbers]
        )
        people = [
            {
                "first_name": f"Person {n}",
                "company": company.pk,
                "owner": member.pk,
                "external_references": [("erp", f"{n}"), ("shop", f"{n}")],
            }
            for n, company, member in zip(numbers, companies, members, strict=True)
        ]
        return create_contacts(actor=self.bob, changes=people)

    def make_deals(self, numbers, members):
        reason, following = LostReason.objects.live().first(), Deal.objects.get(uuid=self.rows["deal"])
        changes = [
            {
                "name": f"Deal {n}",
                "amount": Decimal(n),
                "stage": self.lost.pk,
                "lost_reason": reason.pk,
                "pipeline": self.pipeline.pk,
                "contact": person.pk,
                "client": person.company_id,
                "owner": member.pk,
                "members": [person.pk, person.company_id],
                "followers": [member.pk, self.viewer.member.pk],
                "access_list": [member.pk, self.bob.member.pk],
                "next_deal": following.pk,
                "external_references": [("erp", f"{n}"), ("shop", f"{n}")],
            }
            for n, person, member in zip(numbers, self.people, members, strict=True)
        ]
        deals = create_deals(actor=self.bob, changes=changes)
        for kind in kinds.values():
            if kind.parents:
                self.copy_rows(kind, deals)

    def copy_rows(self, kind, deals):
        """Rows of a kind that belongs to deals: that of the routes for each deal, with all that a row can hold."""
        row = kind.rows(self.bob.member).get(uuid=self.rows[kind.name])
        plain = {field.name for field in kind.model._meta.concrete_fields if not field.related_model}
        given = {name: getattr(row, name) for name in plain - OMITTED_COLUMNS - kind.model.derived}
        changes = [
            {
                **given,
                "deal": deal.pk,
                "contact": deal.contact_id,
                "owner": deal.owner_id,
                "external_references": [("erp", f"{deal.pk}")],
            }
            for deal in deals
        ]
        kind.services.create(actor=self.bob, changes=changes)

    def counts(self):
        return {str(route): self.count(route) for route in ROUTES if route.method == "GET"}

    def count(self, route):
        size = {"limit": MANY} if route.path == "/api/events" else {"page_size": MANY}
        path = route.path.format(**self.rows | {"pipeline": self.pipeline.pk, "stage": self.lost.pk})
        # An export is its member's alone.
        client = self.as_alice if route.expected[-1] == 200 else self.as_bob
        # The first call notes the token's use and fills what is cached.
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(path, **size)
                answer.getvalue()
        assert answer.status_code == 200
        return len(queries)

    def test_no_number_grows_with_the_rows(self):
        self.grow(0, FEW)
        few = self.counts()
        self.grow(FEW, MANY)
        many = self.counts()

        assert len(self.as_alice.rows("/api/deals", page_size=MANY)) == MANY
        assert many == few
        # A number that has changed is either a regression or belongs into the file.
        assert many == json.loads(COUNTS.read_text())
