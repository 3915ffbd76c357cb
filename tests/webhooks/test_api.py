"""`/api/webhooks`: for admins alone, with secrets that are in one answer only."""

from standardwebhooks import Webhook as Verifier

from crm_project.api.models import IdempotencyKey
from crm_project.journal.models import Event
from crm_project.webhooks.dispatcher import dispatch_here
from crm_project.webhooks.models import Webhook
from tests.api.client import ApiTestCase, problem
from tests.webhooks.receiver import receiving

HOOK = {"url": "https://hooks.example.com/crm", "events": ["deal.won", "deal.created"]}


class WebhookApiTests(ApiTestCase):
    def created(self, **change):
        answer = self.as_alice.post("/api/webhooks", {**HOOK, **change})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_it_works(self):
        row = self.created(fields=["amount"], skip_own=True, description="Shop")

        shown = self.as_alice.get(f"/api/webhooks/{row['uuid']}").json()
        assert shown == {name: value for name, value in row.items() if name != "secret"}
        assert shown["user"]["uuid"] == str(self.alice.member.uuid)
        assert (shown["is_active"], shown["format"], shown["paused_reason"]) == (True, "crm", "")
        assert Verifier(row["secret"])

    def test_the_secret_is_in_one_answer_and_in_no_store(self):
        row = self.created()
        secret = row["secret"]

        assert "secret" not in self.as_alice.get("/api/webhooks").json()["results"][0]
        assert secret not in str(list(Webhook.objects.values()))
        assert secret not in str(list(Event.objects.filter(kind="webhook").values("changes")))

    def test_an_idempotent_retry_does_not_show_it_again(self):
        headers = {"headers": {"Idempotency-Key": "one", "Accept-Encoding": "gzip"}}
        first = self.as_alice.post("/api/webhooks", HOOK, **headers)
        second = self.as_alice.post("/api/webhooks", HOOK, **headers)

        assert first.status_code == 201
        assert not first.has_header("Content-Encoding")
        assert (second.status_code, second.json()["code"]) == (409, "secret_not_kept")
        assert IdempotencyKey.objects.get(key="one").body is None
        assert Webhook.objects.count() == 1

    def test_a_dry_run_stores_nothing(self):
        assert self.as_alice.post("/api/webhooks?dry_run=true", HOOK).status_code == 201
        assert not Webhook.objects.exists()

    def test_every_wrong_field_is_named(self):
        body = {
            "url": "http://127.0.0.1/",
            "events": ["deal.blessed"],
            "fields": ["nothing"],
            "colour": "red",
        }
        answer = self.as_alice.post("/api/webhooks", body)

        assert answer.status_code == 400
        wrong = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
        assert wrong["/colour"] == "unknown_field"
        assert "/events/0" in wrong
        answer = self.as_alice.post(
            "/api/webhooks", {**HOOK, "url": "https://10.0.0.1/", "fields": ["nothing"]}
        )
        wrong = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
        assert wrong == {"/url": "internal_host", "/fields": "invalid_choice"}

    def test_a_stale_version_is_refused(self):
        row = self.created()
        path = f"/api/webhooks/{row['uuid']}"
        tag = self.as_alice.get(path)["ETag"]
        assert self.as_alice.patch(path, {"description": "A"}, headers={"If-Match": tag}).status_code == 200
        assert self.as_alice.patch(path, {"description": "B"}, headers={"If-Match": tag}).status_code == 412

    def test_a_rotation_answers_another_secret(self):
        row = self.created()
        answer = self.as_alice.post(f"/api/webhooks/{row['uuid']}/rotate-secret").json()

        assert answer["secret"] != row["secret"]
        assert answer["previous_secret_until"]

    def test_a_webhook_for_another_member(self):
        row = self.created(user_uuid=str(self.bob.member.uuid))

        assert row["user"]["uuid"] == str(self.bob.member.uuid)
        outsider = {**HOOK, "user_uuid": str(self.charlie.member.uuid)}
        assert self.as_alice.post("/api/webhooks", outsider).json()["errors"][0]["code"] == "does_not_exist"

    def test_outsiders_and_members_who_are_no_admins_find_nothing(self):
        row = self.created()
        path = f"/api/webhooks/{row['uuid']}"

        assert self.as_charlie.get(path).status_code == 404
        assert self.as_bob.get(path).status_code == 404
        assert self.as_charlie.post(f"{path}/test").status_code == 404

    def test_the_log_a_test_and_a_resend(self):
        with receiving() as receiver, self.settings(OUTBOUND_ALLOWED_HOSTS={"127.0.0.1"}):
            row = self.created(url=receiver.url)
            path = f"/api/webhooks/{row['uuid']}"
            asked = self.as_alice.post(f"{path}/test")
            assert asked.status_code == 202
            dispatch_here()
            [entry] = self.as_alice.get(f"{path}/deliveries?state=delivered").json()["results"]
            again = self.as_alice.post(f"{path}/deliveries/{entry['uuid']}/resend")
            dispatch_here()

        assert asked["Location"].endswith(f"{path}/deliveries/{entry['uuid']}")
        assert (entry["type"], entry["status"], entry["attempts"]) == ("webhook.test", 204, 1)
        assert entry["request"] == receiver.requests[0].body.decode()
        assert again.status_code == 202
        assert receiver.ids == [entry["message_id"]] * 2
        assert self.as_bob.get(f"{path}/deliveries").status_code == 404
        assert self.as_charlie.get(f"{path}/deliveries/{entry['uuid']}").status_code == 404

    def test_a_replay_needs_a_beginning(self):
        path = f"/api/webhooks/{self.created()['uuid']}/replay"

        assert self.as_alice.post(path, {}).json()["errors"][0]["pointer"] == "/since"
        assert self.as_alice.post(path, {"since": 0}).json()["position"] == 0
        day = {"from": "2020-01-01T00:00:00Z", "to": "2019-01-01T00:00:00Z"}
        assert self.as_alice.post(path, day).json()["errors"][0]["pointer"] == "/to"

    def test_a_replay_from_a_position_beyond_the_end_is_told_where_the_feed_ends(self):
        path = f"/api/webhooks/{self.created()['uuid']}/replay"
        feed = self.as_alice.get("/api/events?limit=200").json()

        refused = problem(self.as_alice.post(path, {"since": 10**9}), 409, "position_unknown", "/since")

        assert (refused["epoch"], refused["last"]) == (feed["epoch"], feed["last"])

    def test_what_is_wrong_with_a_url_has_a_page(self):
        for url, code in (
            ("ftp://example.com", "scheme"),
            ("https://me:secret@example.com", "user_info"),
            ("https://example.com:22", "port"),
            ("https://example", "host"),
            ("https://127.0.0.1", "internal_host"),
        ):
            refused = problem(self.as_alice.post("/api/webhooks", {"url": url, "events": ["*"]}), 400, code)
            assert self.as_alice.get(refused["type"]).status_code == 200, code

    def test_events_have_the_types_of_the_document(self):
        deal = self.as_bob.post("/api/deals", {"name": "Roof"}).json()["uuid"]
        self.as_bob.patch(f"/api/deals/{deal}", {"status": "won"})

        won = self.as_bob.get("/api/events?kind=deal").json()["results"][-1]
        assert (won["type"], won["types"]) == ("deal.won", ["deal.won", "deal.moved", "deal.updated"])
