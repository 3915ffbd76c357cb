"""Every route that writes leaves an event and a new version; one that changes nothing leaves neither."""

from django.apps import apps
from django.db import transaction

from crm_project.journal.models import Event
from tests.api.client import ApiTestCase
from tests.api.routes import ROUTES, make_rows

# Every kind of row that has a version and a place in the journal.
VERSIONED = {
    model.row_kind: model
    for model in apps.get_models()
    if hasattr(model, "row_kind") and hasattr(model, "version")
}
# A file on its way in is no row of the organization's data: what it brings in is written by a worker. Neither is what a
# member has read, nor how a member reads.
NO_ROWS = ("/api/imports", "/api/notifications", "/api/me")
WRITES = [route for route in ROUTES if route.writes and not route.path.startswith(NO_ROWS)]


def versions():
    return {
        (kind, row_id): version
        for kind, model in VERSIONED.items()
        for row_id, version in model._default_manager.values_list("pk", "version")
    }


class WriteTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def test_every_write_leaves_an_event_and_a_new_version(self):
        for route in WRITES:
            with transaction.atomic():
                before, last = versions(), Event.objects.latest("id").pk
                answer = self.as_alice.send(*route.request(self.rows))
                after, events = versions(), list(Event.objects.filter(pk__gt=last))
                transaction.set_rollback(True)
            if answer.status_code == 202 or "/exports/" in route.path:
                continue  # a job, which has a journal of its own, or one's own file
            assert answer.status_code in (200, 201, 204), route
            assert events, f"{route} left no event"
            for event in events:
                row = (event.kind, event.row_id)
                assert after[row] == event.row_version, f"{route}: {event} is not of the row's version"
                assert event.row_version > before.get(row, 0), f"{route}: {event} left the version as it was"
                assert event.changes, f"{route}: {event} tells no change"
                assert event.actor == self.alice.member
            changed = {row for row, version in after.items() if before.get(row) != version}
            assert changed == {(event.kind, event.row_id) for event in events}, route
            assert {event.change_set for event in events} == {events[0].change_set}

    def test_the_journal_has_no_gaps(self):
        for route in WRITES:
            with transaction.atomic():
                self.as_alice.send(*route.request(self.rows))
                sequences = Event.objects.filter(organization=self.organization).order_by("sequence")
                numbers = list(sequences.values_list("sequence", flat=True))
                transaction.set_rollback(True)
            assert numbers == list(range(1, len(numbers) + 1)), route

    def test_the_token_that_wrote_is_noted(self):
        self.as_bob.post("/api/deals", {"name": "Deal"})

        assert Event.objects.latest("id").token_uuid == self.rows["token"]

    def test_a_refused_write_leaves_nothing(self):
        before, count = versions(), Event.objects.count()

        for route in WRITES:
            if route.expected[0] == 403:
                self.as_viewer.send(*route.request(self.rows))

        assert (versions(), Event.objects.count()) == (before, count)
