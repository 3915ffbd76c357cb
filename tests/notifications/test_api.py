"""`/api/notifications`: a member's own, closed by default; marks and switches."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.notifications.models import Notification
from deals.services import update_deals
from tests.api.client import ApiTestCase
from tests.notifications.base import read_all


class NotificationApiTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        read_all()
        Notification.objects.all().delete()
        self.roof = self.deal(self.alice, name="Roof", owner=self.bob.member.pk)
        self.wall = self.deal(self.alice, name="Wall", owner=self.bob.member.pk)
        read_all()

    def test_it_works(self):
        [wall, roof] = self.as_bob.rows("/api/notifications")

        assert wall.pop("uuid") != roof["uuid"]
        assert wall.pop("created_at") >= roof["created_at"]
        assert wall.pop("sequence") > roof["sequence"]
        assert wall == {
            "kind": "deal_handed",
            "row": {"kind": "deal", "uuid": str(self.wall.uuid), "name": "Wall"},
            "text": "Alice handed you this deal",
            "user": {
                "uuid": str(self.alice.member.uuid),
                "full_name": "Alice",
                "email": "alice@example.com",
            },
            "read_at": None,
        }

    def test_pages_by_cursor(self):
        first = self.as_bob.get("/api/notifications?page_size=1").json()
        second = self.as_bob.get(f"/api/notifications?page_size=1&cursor={first['next_cursor']}").json()

        assert [row["row"]["name"] for row in first["results"] + second["results"]] == ["Wall", "Roof"]
        assert second["next"] is None

    def test_the_number_of_queries_does_not_depend_on_the_rows(self):
        def count():
            with CaptureQueriesContext(connection) as queries:
                self.as_bob.rows("/api/notifications")
            return len(queries)

        self.as_bob.rows("/api/notifications")
        few = count()
        for number in range(10):
            self.deal(self.alice, name=f"Deal {number}", owner=self.bob.member.pk)
        read_all()

        assert count() == few

    def test_marked_as_read(self):
        [_, roof] = self.as_bob.rows("/api/notifications")
        path = f"/api/notifications/{roof['uuid']}"

        answer = self.as_bob.post(f"{path}/read").json()
        again = self.as_bob.post(f"{path}/read").json()

        assert answer["read_at"]
        assert again == answer == self.as_bob.get(path).json()
        assert [row["row"]["name"] for row in self.as_bob.rows("/api/notifications?unread=true")] == ["Wall"]
        assert [row["row"]["name"] for row in self.as_bob.rows("/api/notifications?unread=false")] == ["Roof"]

    def test_all_marked_as_read(self):
        assert self.as_bob.post("/api/notifications/read").json() == {"read": 2}
        assert self.as_bob.post("/api/notifications/read").json() == {"read": 0}
        assert self.as_bob.rows("/api/notifications?unread=true") == []

    def test_nobody_else_has_them(self):
        """Not even an admin of the organization."""
        [row, _] = self.as_bob.rows("/api/notifications")
        path = f"/api/notifications/{row['uuid']}"

        for client in (self.as_alice, self.as_charlie):
            assert client.rows("/api/notifications") == []
            assert client.get(path).status_code == 404
            assert client.post(f"{path}/read").status_code == 404
        assert not Notification.objects.exclude(read_at=None).exists()

    def test_a_row_that_is_hidden_by_now_is_not_shown(self):
        [row, _] = self.as_bob.rows("/api/notifications")
        update_deals(
            actor=self.alice,
            changes=[(self.wall, {"owner": self.alice.member.pk, "is_private": True})],
        )

        assert [other["row"]["name"] for other in self.as_bob.rows("/api/notifications")] == ["Roof"]
        assert self.as_bob.get(f"/api/notifications/{row['uuid']}").status_code == 404
        assert self.as_bob.post("/api/notifications/read").json() == {"read": 1}

    def test_a_wrong_parameter_is_named(self):
        for query in ("unread=maybe", "kind=deal_blessed", "colour=red"):
            answer = self.as_bob.get(f"/api/notifications?{query}")
            assert answer.status_code == 400
            [error] = answer.json()["errors"]
            assert error["pointer"] == f"/{query.partition('=')[0]}"

    def test_the_switches(self):
        path = "/api/notifications/settings"
        before = self.as_bob.get(path).json()
        assert before["deal_handed"] == {"bell": True, "mail": True}

        changed = self.as_bob.patch(path, {"deal_handed": {"mail": False}}).json()

        assert changed == {**before, "deal_handed": {"bell": True, "mail": False}}
        assert self.as_bob.get(path).json() == changed
        assert self.as_alice.get(path).json() == before

    def test_every_wrong_switch_is_named(self):
        body = {"deal_handed": {"fax": True}, "deal_closed": {"mail": "yes"}, "deal_blessed": {}}

        answer = self.as_bob.patch("/api/notifications/settings", body)

        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert pointers == {"/deal_handed/fax", "/deal_closed/mail", "/deal_blessed"}
