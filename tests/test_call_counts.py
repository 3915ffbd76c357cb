"""The work of a request: bounds on its calls of functions and on its statements, which no other load disturbs."""

import json
import sys
from decimal import Decimal
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext

from contacts.services import create_contacts
from crm_project.accounts.models import User
from crm_project.accounts.services import create_token
from deals.services import create_deals
from tests.base import BaseTestCase

# Counted on Python 3.11; later versions call fewer functions, since comprehensions are none there.
BOUNDS = Path(__file__).parent / "call_counts.json"
ROWS = 60


class CountingHandler(ClientHandler):
    """Counts the calls of functions, those written in C included, from the environment of a request to its answer."""

    calls = 0

    def __call__(self, environ):
        self.calls = 0
        sys.setprofile(self.count)
        try:
            return super().__call__(environ)
        finally:
            sys.setprofile(None)

    def count(self, frame, event, argument):
        if event in ("call", "c_call"):
            self.calls += 1


class CallCountTests(BaseTestCase):
    """A sales rep, for whom private deals are filtered, and ordinary deals, with contact, client and owner."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        company = create_contacts(actor=cls.bob, changes=[{"kind": "company", "name": "Example Ltd"}])[0]
        people = [
            {"first_name": f"Person {n}", "email": f"p{n}@example.com", "company": company.pk}
            for n in range(ROWS)
        ]
        cls.contacts = create_contacts(actor=cls.bob, changes=people)
        changes = [
            {
                "name": f"Deal {n}",
                "amount": Decimal(n),
                "stage": cls.new.pk,
                "contact": contact.pk,
                "client": company.pk,
                "owner": cls.bob.member.pk,
                "external_references": [("erp", f"{n}")],
            }
            for n, contact in enumerate(cls.contacts)
        ]
        cls.deals = create_deals(actor=cls.bob, changes=changes)
        cls.secret = create_token(actor=cls.bob, name="test")[1]
        User.objects.update(is_staff=True)

    def setUp(self):
        self.client, self.browser = Client(), Client()
        self.client.handler = self.browser.handler = CountingHandler(enforce_csrf_checks=False)
        self.browser.force_login(self.bob.member.user)
        self.cursor = self.send("GET", "/api/deals").json()["next"].partition("cursor=")[2]

    def send(self, method, path, body=None):
        if path.startswith("/admin/"):
            answer = self.browser.get(path)
            assert answer.status_code == 200, path
            return answer
        data = json.dumps(body).encode() if body else b""
        headers = {"Authorization": f"Bearer {self.secret}", "Version": "2021-07-28"}
        answer = self.client.generic(method, path, data, "application/json" if body else "", headers=headers)
        assert answer.status_code in (200, 201), answer.content
        return answer

    def requests(self, number):
        """The requests by name; with another number they are other requests with the same work."""
        deal = f"/api/deals/{self.deals[0].uuid}"
        stage = [self.new, self.offer][number % 2].pk
        filters = f"status=open&amount_min=1&stage={self.new.pk}&owner=me&ordering=-amount"
        return {
            "list": ("GET", "/api/deals"),
            "list, filtered": ("GET", f"/api/deals?{filters}"),
            "list, next page": ("GET", f"/api/deals?cursor={self.cursor}"),
            "get": ("GET", deal),
            "create, new contact": ("POST", "/api/deals", self.body(f"new{number}@example.com")),
            "create, known contact": ("POST", "/api/deals", self.body("p1@example.com")),
            "upsert, creates": ("POST", "/api/deals/upsert", self.keyed(f"new{number}", 1)),
            "upsert, changes": ("POST", "/api/deals/upsert", self.keyed("1", number + 10)),
            "upsert, repeats": ("POST", "/api/deals/upsert", self.keyed("2", 7)),
            "change": ("PATCH", deal, {"stage_id": stage}),
            "leadconnector: list": (
                "GET",
                f"/dialects/leadconnector/opportunities/search?locationId={self.organization.uuid}&limit=50",
            ),
            "leadconnector: create": (
                "POST",
                "/dialects/leadconnector/opportunities",
                self.opportunity(number),
            ),
            "intum: list": ("GET", "/dialects/intum/crm/deals.json?per_page=50"),
            "intum: create": (
                "POST",
                "/dialects/intum/crm/deals.json",
                {"deal": self.intum_deal(number)},
            ),
            "admin: list of deals": ("GET", "/admin/deals/deal/"),
            "admin: list of deals, filtered": ("GET", "/admin/deals/deal/?status=open&o=-2"),
            "admin: list of contacts": ("GET", "/admin/contacts/contact/"),
            "admin: home": ("GET", "/admin/"),
            "admin: board": ("GET", f"/admin/deals/deal/board/{self.pipeline.pk}/"),
        }

    def body(self, email):
        return {
            "name": "Deal",
            "amount": 15000,
            "contact_email": email,
            "contact_first_name": "Sophie",
            "contact_last_name": "Martin",
        }

    def keyed(self, key, amount):
        return {"name": "Deal", "amount": amount, "external_system": "erp", "external_id": key}

    def opportunity(self, number):
        return {
            "pipelineId": str(self.pipeline.uuid),
            "locationId": str(self.organization.uuid),
            "name": f"Deal {number}",
            "status": "open",
            "contactId": str(self.contacts[0].uuid),
            "monetaryValue": 220,
        }

    def intum_deal(self, number):
        amounts = {"total_amount_net": "100.00", "total_amount_gross": "123.00", "tax": "23"}
        named = {"client_id": self.contacts[0].pk, "status_id": self.new.pk}
        return {"name": f"Deal {number}", **amounts, **named}

    def counts(self):
        counts = {}
        # The first requests fill what is cached; the third upsert of one value repeats it.
        for number in range(3):
            for name, request in self.requests(number).items():
                with CaptureQueriesContext(connection) as queries:
                    self.send(*request)
                statements = [one for one in queries if "SAVEPOINT" not in one["sql"]]
                counts[name] = {"calls": self.client.handler.calls, "statements": len(statements)}
        return counts

    def test_no_request_does_more_work_than_its_bound(self):
        counts, bounds = self.counts(), json.loads(BOUNDS.read_text())
        for name, count in counts.items():
            print(
                f"{name:24}",
                *(f"{value:7} of {bounds[name][kind]:7} {kind}" for kind, value in count.items()),
            )

        above = {
            name: count
            for name, count in counts.items()
            if any(value > bounds[name][kind] for kind, value in count.items())
        }
        assert not above, f"more than {BOUNDS.name} allows: {above}"
        assert counts.keys() == bounds.keys()
