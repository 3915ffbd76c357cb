"""The dispatcher: what an endpoint gets, in which order, how often, and what stops it."""

import datetime
import json
import threading
import time
import uuid
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.services import update_contacts
from crm_project.accounts.services import deactivate_member, update_member
from crm_project.journal.feed import end_of
from crm_project.webhooks import services
from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from crm_project.webhooks.serving import Turn, claim
from deals.services import trash_deals, update_deals
from tests.api.client import ApiClient
from tests.base import refused, with_token
from tests.webhooks.base import WebhookTestCase
from tests.webhooks.receiver import answering


class DeliveryTests(WebhookTestCase):
    def test_an_event_arrives_signed_as_the_feed_shows_it(self):
        webhook = self.webhook(events=["deal.created"])
        deal = self.deal(name="Roof")

        assert self.dispatch() == 1

        [body] = self.received(webhook)
        assert body["type"] == "deal.created"
        assert body["data"]["row"] == str(deal.uuid)
        assert {"field": "name", "from": None, "to": "Roof"} in body["data"]["changes"]
        assert body["data"]["types"] == ["deal.created"]
        assert self.states(webhook) == ["delivered"]

    def test_nothing_arrives_twice(self):
        webhook = self.webhook()
        self.deal()
        self.dispatch()
        arrived = len(self.receiver.requests)

        assert self.dispatch() == 0
        assert len(self.receiver.requests) == arrived > 0
        assert {delivery.attempts for delivery in self.deliveries(webhook)} == {1}

    def test_events_before_the_webhook_are_not_sent(self):
        self.deal()
        webhook = self.webhook(events=["deal.created"])

        assert self.dispatch() == 0
        assert self.reread(webhook).state.position > 0

    def test_what_is_rolled_back_is_never_sent(self):
        self.webhook(events=["deal.created"])

        with transaction.atomic():
            self.deal()
            transaction.set_rollback(True)

        assert self.dispatch() == 0

    def test_the_types_that_it_names(self):
        webhook = self.webhook(events=["deal.won", "deal.deleted"])
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"name": "Other"})])
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk})])
        trash_deals(actor=self.bob, rows=[deal])
        self.person()

        self.dispatch()

        assert self.types(webhook) == ["deal.won", "deal.deleted"]
        [won, _] = self.received(webhook)
        assert won["data"]["types"] == ["deal.won", "deal.moved", "deal.updated"]

    def test_only_updates_of_the_fields_that_it_names(self):
        webhook = self.webhook(events=["deal.updated", "deal.created"], fields=["amount"])
        deal = self.deal(name="A")
        update_deals(actor=self.bob, changes=[(deal, {"name": "B"})])
        update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal(5)})])

        self.dispatch()

        assert self.types(webhook) == ["deal.created", "deal.updated"]

    def test_the_member_sees_no_private_deal_of_others(self):
        webhook = self.webhook(events=["deal.created"], member=self.bob.member.pk)
        self.deal(self.alice, name="Hidden", is_private=True)
        self.deal(self.bob, name="Seen", is_private=True)

        self.dispatch()

        assert [body["data"]["changes"][-1] for body in self.received(webhook)]
        assert "Hidden" not in str(self.receiver.requests)
        assert len(self.receiver.requests) == 1

    def test_a_row_that_became_private_before_the_retry_is_not_sent(self):
        webhook = self.webhook(events=["deal.created"], member=self.bob.member.pk)
        self.receiver.answer = answering(500)
        deal = self.deal(self.alice)
        self.dispatch()
        self.receiver.answer = answering(204)
        update_deals(actor=self.alice, changes=[(deal, {"is_private": True})])
        self.let_pass(webhook)

        assert self.dispatch() == 0
        assert self.states(webhook) == ["hidden"]

    def test_another_organization_gets_nothing(self):
        self.webhook(self.charlie, events=["deal.created"])
        self.deal()

        assert self.dispatch() == 0

    def test_what_its_own_token_did_is_left_out_if_asked(self):
        shop = with_token(self.alice, "read", "write", "pipelines")
        webhook = self.webhook(shop, events=["deal.created"], skip_own=True)
        self.deal(shop, name="Own")
        self.deal(self.alice, name="By hand")

        self.dispatch()

        assert len(self.received(webhook)) == 1

    def test_a_write_takes_no_statement_more(self):
        deal = self.deal()
        before = self._statements(deal, "1")
        self.webhook()

        assert self._statements(deal, "2") == before

    def test_a_request_takes_no_statement_more_with_ten_webhooks(self):
        client = ApiClient(self.bob)
        # Notes the use of the token, and fills what the process remembers.
        client.post("/api/deals", {"name": "First"})
        without = self._statements_of_request(client)
        for _ in range(10):
            self.webhook()

        assert self._statements_of_request(client) == without

    def _statements_of_request(self, client):
        with CaptureQueriesContext(connection) as queries:
            assert client.post("/api/deals", {"name": "Next"}).status_code == 201
        return len(queries)

    def _statements(self, deal, amount):
        with CaptureQueriesContext(connection) as queries:
            update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal(amount)})])
        return len(queries)


class RetryTests(WebhookTestCase):
    def test_a_retry_has_the_same_bytes_and_id(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(500, b"broken")
        deal = self.deal(name="First name")
        self.dispatch()
        update_deals(actor=self.bob, changes=[(deal, {"name": "Second"})])
        self.receiver.answer = answering(200)
        self.let_pass(webhook)
        self.dispatch()

        first, second = self.receiver.requests
        assert (first.body, first.id) == (second.body, second.id)
        [delivery] = self.deliveries(webhook)
        assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 2, 200)

    def test_a_failure_is_recorded_with_answer_and_duration(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(503, b"x" * 5_000)
        self.deal()
        self.dispatch()

        [delivery] = self.deliveries(webhook)
        assert delivery.status == 503
        assert delivery.error == "The endpoint answered 503."
        assert 0 < len(delivery.answer) <= 2_048
        assert delivery.duration_ms is not None
        assert delivery.state == "pending"
        assert 4 < (delivery.next_attempt_at - delivery.attempted_at).total_seconds() < 6

    def test_it_holds_later_events_of_its_row_alone(self):
        webhook = self.webhook(events=["deal.created", "deal.updated"])
        stuck, free = self.deal(name="Stuck"), self.deal(name="Free")
        self.receiver.answer = self._refusing(stuck)
        update_deals(actor=self.bob, changes=[(stuck, {"name": "Stuck 2"})])
        update_deals(actor=self.bob, changes=[(free, {"name": "Free 2"})])
        self.dispatch()
        assert self._rows(webhook) == [stuck.uuid, free.uuid, free.uuid]

        self.receiver.requests.clear()
        self.receiver.answer = answering(204)
        update_deals(actor=self.bob, changes=[(stuck, {"name": "Stuck 3"})])
        self.let_pass(webhook)
        self.dispatch()

        assert self.types(webhook) == ["deal.created", "deal.updated", "deal.updated"]
        assert self._sequences(webhook) == sorted(self._sequences(webhook))

    @override_settings(WEBHOOK_RETRIES=[1.0])
    def test_given_up_it_lets_the_next_go(self):
        webhook = self.webhook(events=["deal.created", "deal.updated"])
        deal = self.deal(name="Stuck")
        update_deals(actor=self.bob, changes=[(deal, {"name": "Next"})])
        self.receiver.answer = self._refusing(deal, types=("deal.created",))
        self.dispatch()
        self.let_pass(webhook)
        self.dispatch()

        assert self.states(webhook) == ["failed", "delivered"]
        assert self.types(webhook) == ["deal.created", "deal.created", "deal.updated"]
        assert not WebhookDelivery.objects.filter(holds=True).exists()

    def test_ten_tries_over_75_hours(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(500)
        self.deal()
        waits = []
        for _ in range(11):
            self.dispatch()
            [delivery] = self.deliveries(webhook)
            if delivery.next_attempt_at:
                waits.append((delivery.next_attempt_at - delivery.attempted_at).total_seconds() / 3600)
            self.let_pass(webhook)

        assert len(self.receiver.requests) == 10
        assert delivery.state == "failed"
        assert 67 < sum(waits) < 84

    def _refusing(self, deal, types=("deal.created", "deal.updated")):
        def answer(handler, request):
            body = json.loads(request.body)
            refused = body["data"]["row"] == str(deal.uuid) and body["type"] in types
            answering(500 if refused else 204)(handler, request)

        return answer

    def _rows(self, webhook):
        return [uuid.UUID(body["data"]["row"]) for body in self.received(webhook)]

    def _sequences(self, webhook):
        return [body["data"]["sequence"] for body in self.received(webhook)]


class AnswerTests(WebhookTestCase):
    """What is no success."""

    def outcome(self, answer):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answer
        self.deal()
        self.dispatch()
        [delivery] = self.deliveries(webhook)
        return delivery

    def test_a_redirect_is_not_followed(self):
        delivery = self.outcome(answering(302, Location=f"http://127.0.0.1:{self.receiver.port}/other"))

        assert (delivery.status, delivery.error) == (302, "Redirects are not followed.")
        assert len(self.receiver.requests) == 1

    def test_a_connection_that_closes(self):
        delivery = self.outcome(lambda handler, request: handler.connection.close())

        assert (delivery.status, delivery.state) == (None, "pending")
        assert delivery.error

    def test_one_that_hangs(self):
        release = threading.Event()
        self.addCleanup(release.set)
        delivery = self.outcome(lambda handler, request: release.wait(5))

        assert delivery.error == "No complete answer within 1 seconds."
        assert 900 < delivery.duration_ms < 2_500

    def test_one_that_dribbles_is_cut_at_the_deadline(self):
        def dribble(handler, request):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(30):
                try:
                    handler.wfile.write(b"X-A: b\r\n")
                    handler.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)

        delivery = self.outcome(dribble)

        assert delivery.error == "No complete answer within 1 seconds."
        assert delivery.duration_ms < 2_000

    def test_410_pauses_the_endpoint(self):
        delivery = self.outcome(answering(410))

        webhook = self.reread(delivery.webhook)
        assert (webhook.is_active, webhook.paused_reason) == (False, "gone")
        assert delivery.state == "failed"
        self.deal()
        assert self.dispatch() == 0


class PauseTests(WebhookTestCase):
    def test_a_member_who_left_stops_it(self):
        webhook = self.webhook(events=["deal.created"], member=self.bob.member.pk)
        deactivate_member(actor=self.alice, member=self.bob.member)
        self.deal(self.alice)

        assert self.dispatch() == 0
        webhook = self.reread(webhook)
        assert (webhook.is_active, webhook.paused_reason) == (False, "member")

    def test_a_manager_who_is_no_admin_any_more_stops_it(self):
        update_member(actor=self.alice, member=self.manager.member, role="admin")
        self.manager.member.refresh_from_db()
        manager = type(self.manager)(self.manager.member)
        webhook = self.webhook(manager)
        update_member(actor=self.alice, member=self.manager.member, role="manager")
        services.send_test(actor=self.alice, webhook=webhook)

        assert self.dispatch() == 0
        assert self.reread(webhook).paused_reason == "member"
        assert self.dispatch() == 0
        assert self.states(webhook) == ["failed"]

    def test_the_admin_who_activates_it_becomes_its_manager_and_nothing_is_lost(self):
        webhook = self.webhook(events=["deal.created"])
        Webhook.objects.filter(pk=webhook.pk).update(is_active=False, paused_reason="failing")
        self.deal()
        assert self.dispatch() == 0

        services.update_webhook(actor=self.alice, webhook=webhook, change={"is_active": True})

        assert self.dispatch() == 1
        assert self.reread(webhook).paused_reason == ""

    def test_five_bad_days_pause_it(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(500)
        self.deal()
        self.dispatch()
        assert self.reread(webhook).is_active
        before = timezone.now() - datetime.timedelta(days=5)
        WebhookState.objects.filter(webhook=webhook).update(failing_since=before)
        self.let_pass(webhook)
        self.dispatch()

        assert self.reread(webhook).paused_reason == "failing"

    def test_an_endpoint_that_is_down_rests_and_stores_little(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(500)
        for _ in range(40):
            self.deal()
        self.dispatch()

        state = self.reread(webhook).state
        assert state.not_before is not None
        assert len(self.deliveries(webhook)) < 60
        assert state.position <= end_of(self.organization)[1]


class LeaseTests(WebhookTestCase):
    def test_one_dispatcher_serves_a_webhook_at_a_time(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        assert claim(webhook.pk) is not None

        assert claim(webhook.pk) is None
        assert self.dispatch() == 0

    def test_another_one_takes_over_from_a_dead_one_and_sends_what_it_had_stored(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        dead = Turn(webhook.pk, claim(webhook.pk))
        dead._load()
        assert len(dead._next_batch()) == 1
        WebhookState.objects.filter(webhook=webhook).update(
            leased_until=timezone.now() - datetime.timedelta(seconds=1)
        )

        assert self.dispatch() == 1
        assert self.states(webhook) == ["delivered"]

    def test_one_that_lost_its_lease_records_nothing(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        late = Turn(webhook.pk, claim(webhook.pk))
        late._load()
        WebhookState.objects.filter(webhook=webhook).update(lease=uuid.uuid4())

        assert late.run() == 0
        assert self.deliveries(webhook) == []


class HandTests(WebhookTestCase):
    def test_a_test_message_reaches_a_paused_endpoint(self):
        webhook = self.webhook(is_active=False)
        services.send_test(actor=self.alice, webhook=webhook)

        assert self.dispatch() == 1
        assert self.types(webhook) == ["webhook.test"]

    def test_a_resend_has_the_same_bytes(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        self.dispatch()
        [delivery] = self.deliveries(webhook)

        services.resend(actor=self.alice, delivery=delivery)
        self.dispatch()

        first, second = self.receiver.requests
        assert (first.body, first.id) == (second.body, second.id)
        assert self.states(webhook) == ["delivered"]

    def test_a_replay_sets_the_position(self):
        webhook = self.webhook(events=["deal.created"])
        position = self.reread(webhook).state.position
        self.deal()
        self.deal()
        self.dispatch()

        services.replay(actor=self.alice, webhook=webhook, since=position)
        self.dispatch()

        assert len(self.receiver.requests) == 4
        assert self.receiver.ids[:2] == self.receiver.ids[2:]
        assert [request.body for request in self.receiver.requests[:2]] == [
            request.body for request in self.receiver.requests[2:]
        ]

    def test_a_replay_reaches_back_before_the_webhook(self):
        self.deal()
        webhook = self.webhook(events=["deal.created"])

        services.replay(actor=self.alice, webhook=webhook, since=0)

        assert self.dispatch() == 1

    def test_a_range_is_sent_beside_the_position(self):
        webhook = self.webhook(events=["deal.created"])
        start = timezone.now()
        self.deal()
        end = timezone.now()
        self.deal()
        self.dispatch()
        position = self.reread(webhook).state.position

        services.replay(actor=self.alice, webhook=webhook, start=start, end=end)
        self.dispatch()

        assert len(self.receiver.requests) == 3
        assert self.receiver.ids[2] == self.receiver.ids[0]
        assert self.reread(webhook).state.position == position

    def test_a_position_beyond_the_end_is_refused(self):
        with refused("position_unknown"):
            services.replay(actor=self.alice, webhook=self.webhook(), since=10**9)

    def test_both_secrets_sign_during_a_rotation(self):
        webhook = self.webhook(events=["deal.created"])
        _, fresh = services.rotate_secret(actor=self.alice, webhook=webhook)
        self.deal()
        self.dispatch()

        [request] = self.receiver.requests
        assert request.verified(webhook.plain_secret) == request.verified(fresh)

        Webhook.objects.update(previous_secret_until=timezone.now())
        self.deal()
        self.dispatch()
        assert self.receiver.requests[1].verified(fresh)
        with pytest.raises(Exception, match="No matching signature"):
            self.receiver.requests[1].verified(webhook.plain_secret)


class OrderTests(WebhookTestCase):
    def test_a_catalogue_event_and_a_contact_have_their_types(self):
        webhook = self.webhook(events=["contact.updated"])
        person = self.person(first_name="Ann")
        update_contacts(actor=self.bob, changes=[(person, {"first_name": "Anna"})])

        self.dispatch()

        assert self.types(webhook) == ["contact.updated"]

    def test_closings_have_their_types(self):
        webhook = self.webhook(events=["deal.won", "deal.lost", "deal.reopened", "deal.moved"])
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk})])
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.offer.pk})])
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.new.pk})])
        update_deals(actor=self.bob, changes=[(deal, {"status": "lost"})])

        self.dispatch()

        assert self.types(webhook) == ["deal.won", "deal.reopened", "deal.moved", "deal.lost"]
