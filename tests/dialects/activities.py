"""The contract of the dialects' notes and tasks: that of every dialect, over activities of a contact."""

import datetime
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.activities.services import trash_activities
from deals.services import trash_deals
from tests.dialects.base import Call, DialectContract, secret_of

DONE = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


class ActivityContract(DialectContract):
    """`type` is the type of the activities that the calls name; `self.ann` is their contact."""

    model = Activity
    type = "note"
    ann: Contact

    def created(self, body: Any) -> Activity:
        return Activity.objects.latest("id")

    def own_row(self, **change: Any) -> Activity:
        """An activity of Ann's that the calls may name."""
        return self.activity(**{"type": self.type, "contact": self.ann.pk, **change})

    def foreign_row(self) -> Activity:
        charlie = self.charlie
        stranger = self.person(charlie)
        return self.activity(charlie, type=self.type, subject="Charlie's secret", contact=stranger.pk)

    def hidden_row(self) -> Activity:
        private = self.deal(self.alice, name="Private", is_private=True)
        return self.activity(self.alice, type=self.type, deal=private.pk, contact=self.ann.pk)

    def list_calls(self) -> list[Call]:
        """The lists that have Ann's activities of this type."""
        raise NotImplementedError

    def test_lists_have_no_hidden_rows(self) -> None:
        """Of a private deal, of a deal in the trash, in the trash itself."""
        gone = self.deal()
        rows = [
            self.hidden_row(),
            self.own_row(deal=gone.pk, subject="Of a deal in the trash"),
            self.own_row(subject="In the trash"),
        ]
        kept = self.own_row(subject="Kept")
        trash_deals(actor=self.bob, rows=[gone])
        trash_activities(actor=self.bob, rows=[rows[2]])

        for call in self.list_calls():
            text = self.as_actor(self.bob, call).content.decode()

            assert str(self.row_id(kept)) in text, (call.path, text)
            assert [row.subject for row in rows if row.subject in text] == [], call.path
            assert rows[0].subject in self.as_actor(self.alice, call).content.decode()

    def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(self) -> None:
        def add(number: int, owner: Any) -> None:
            deal = self.deal(contact=self.ann.pk, client=self.person().pk)
            keys = [(self.system, f"r{number}")]
            self.own_row(owner=owner.member.pk, deal=deal.pk, external_references=keys)

        add(0, self.bob)
        few = [self.queries(call) for call in self.list_calls()]
        for number in range(1, 5):
            add(number, self.alice)

        assert [self.queries(call) for call in self.list_calls()] == few

    def queries(self, call: Call) -> int:
        """The number of queries of one answer, with a token that has been used."""
        call = self.with_token(call, secret_of(self.bob))
        self.send(call)
        with CaptureQueriesContext(connection) as captured:
            assert self.send(call).status_code == 200
        return len(captured)
