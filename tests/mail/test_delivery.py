"""Mail leaves after the commit, over one connection; what one recipient's server refuses stops nobody else's."""

import datetime
from unittest import mock

import pytest
from django.core import mail
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.accounts.models import User
from crm_project.accounts.services import update_member
from crm_project.background.backend import run_again
from crm_project.background.models import StoredTask
from crm_project.errors import Conflict
from crm_project.mail import delivery, smtp, templates
from crm_project.mail.delivery import StillWaiting, deliver
from crm_project.mail.models import Message
from crm_project.mail.services import BATCH, queue_messages, send_again
from crm_project.mail.tasks import ATTEMPTS
from crm_project.mail.templates import Text, fill, one_line
from deals.models import Deal
from deals.services import update_deals
from tests.api.client import ApiClient
from tests.base import BaseTestCase
from tests.factories import ActorFactory
from tests.mail.server import mail_server, no_server, silent_server
from tests.staff.base import change_url
from tests.tasks import run_tasks

A, B, C = "a@example.com", "b@example.com", "c@example.com"


@pytest.fixture(autouse=True)
def _plain_template(monkeypatch):
    monkeypatch.setitem(templates.TEMPLATES, "plain", templates.Template("Plain", plain))


def plain(message):
    return Text("Hello", f"To {message.recipient}\n") if not message.parameters.get("gone") else None


def queue(*addresses, **options):
    queue_messages(template="plain", recipients=[(address, {}) for address in addresses], **options)


def message(address=A):
    return Message.objects.get(recipient=address)


def again(times=1):
    """The next attempts of the tasks that have failed, without the pause between them."""
    for _ in range(times):
        StoredTask.objects.filter(state="ready").update(due_at=timezone.now())
        run_tasks(failing=True)


class SendingTests(BaseTestCase):
    def test_many_messages_are_one_connection(self):
        with mail_server() as server:
            queue(A, B, C)
            assert run_tasks() == 1

        assert server.connections == 1
        assert server.recipients == [A, B, C]
        assert {message(address).state for address in (A, B, C)} == {"sent"}
        letter = server.accepted[0][1]
        assert (letter["Subject"], letter["To"], letter.get_content()) == ("Hello", A, f"To {A}\r\n")
        assert str(message(A).uuid) in letter["Message-ID"]

    def test_an_international_domain(self):
        with mail_server() as server:
            queue("info@bücher.example")
            run_tasks()

        assert server.recipients == ["info@xn--bcher-kva.example"]

    def test_nothing_is_queued_by_a_transaction_that_rolls_back(self):
        with transaction.atomic():
            queue(A)
            transaction.set_rollback(True)

        assert not Message.objects.exists()
        assert not StoredTask.objects.exists()

    def test_a_refused_recipient_does_not_stop_the_others(self):
        with mail_server() as server:
            server.answers = {A: "550 5.1.1 no such user", B: "450 try later"}
            queue(A, B, C)
            run_tasks(failing=True)

            assert server.recipients == [C]
            assert (message(A).state, message(A).error) == ("given up", "550 5.1.1 no such user")
            assert (message(B).state, message(B).error) == ("waiting", "450 try later")

            server.answers = {}
            again()

        assert server.recipients == [C, B]
        assert message(B).state == "sent"
        assert message(B).attempts == 2

    def test_a_message_at_which_the_server_hangs_up_comes_last_the_next_time(self):
        with mail_server() as server:
            server.answers = {A: "hang up"}
            queue(A, B)
            run_tasks(failing=True)
            assert server.recipients == []

            again()

        assert server.recipients == [B]
        assert message(A).state == "waiting"

    def test_each_is_marked_when_the_server_has_accepted_it(self):
        """A process that dies between two messages leaves the first one marked; the next attempt sends the others."""
        hand_over = delivery._hand_over

        def dies_at_b(connection, row, text):
            if row.recipient == B:
                raise SystemExit
            hand_over(connection, row, text)

        with mail_server() as server:
            queue(A, B)
            ids = list(Message.objects.values_list("pk", flat=True))
            with mock.patch.object(delivery, "_hand_over", dies_at_b), pytest.raises(SystemExit):
                deliver(ids, claimant="task")
            assert (message(A).state, message(B).state) == ("sent", "waiting")

            with pytest.raises(StillWaiting):
                deliver(ids, claimant="another task")  # until the claim ends
            deliver(ids, claimant="task")

        assert server.recipients == [A, B]

    def test_a_database_that_is_away_has_no_message_sent_twice(self):
        mark, failures = delivery._mark, [OperationalError, InterfaceError]

        def away(row, **fields):
            if "sent_at" in fields and failures:
                raise failures.pop()
            mark(row, **fields)

        with mail_server() as server, mock.patch.multiple(delivery, _mark=away, MARK_PAUSE=0):
            queue(A, B)
            run_tasks()

        assert not failures
        assert server.recipients == [A, B]
        assert message(A).state == "sent"

    def test_what_one_is_sending_no_other_one_sends(self):
        hand_over, claims = delivery._hand_over, []

        def slowly(connection, row, text):
            claims.append(delivery._claim(message(), "another task"))
            # An earlier attempt of the task, which was considered dead and goes on.
            claims.append(delivery._claim(row, "task"))
            hand_over(connection, row, text)

        with mail_server() as server, mock.patch.object(delivery, "_hand_over", slowly):
            queue(A)
            deliver([message().pk], claimant="task")

        assert claims == [False, False]
        assert server.recipients == [A]

    def test_the_claim_of_a_task_that_is_lost_ends(self):
        with mail_server() as server:
            queue(A)
            Message.objects.update(claimed_by="lost", claimed_until=timezone.now() + delivery.CLAIM)
            run_tasks(failing=True)
            assert server.recipients == []

            Message.objects.update(claimed_until=timezone.now())
            again()

        assert server.recipients == [A]

    def test_a_claim_of_another_clock_does_not_hold_for_ever(self):
        with mail_server() as server:
            queue(A)
            ahead = timezone.now() + datetime.timedelta(hours=1)
            Message.objects.update(claimed_by="lost", claimed_until=ahead)
            run_tasks()

        assert server.recipients == [A]

    def test_it_is_given_up_at_the_last_attempt_and_can_be_sent_again(self):
        with no_server():
            queue(A)
            run_tasks(failing=True)
            assert message().state == "waiting"
            again(ATTEMPTS - 1)

        assert StoredTask.objects.get().state == "failed"
        assert message().state == "given up"
        assert "ConnectionRefusedError" in message().error
        assert message().attempts == ATTEMPTS
        with mail_server() as server:
            send_again(messages=[message()])
            run_tasks()
        assert server.recipients == [A]
        with pytest.raises(Conflict):
            send_again(messages=[message()])

    def test_an_operator_runs_the_task_again(self):
        with no_server():
            queue(A)
            run_tasks(failing=True)
            again(ATTEMPTS - 1)
        with mail_server() as server:
            assert run_again(StoredTask.objects.get())
            run_tasks()

        assert server.recipients == [A]
        assert message().state == "sent"

    def test_the_stored_error_of_the_task_names_nobody(self):
        with mail_server() as server:
            server.answers = {A: f"450 <{A}> is full"}
            queue(A)
            run_tasks(failing=True)

        stored = StoredTask.objects.get()
        assert A not in stored.error + stored.traceback
        assert A in message().error

    def test_what_is_too_late_is_given_up_and_what_has_lost_its_reason_is_deleted(self):
        queue(A, expires_at=timezone.now() - datetime.timedelta(seconds=1))
        queue_messages(template="plain", recipients=[(B, {"gone": True})])
        run_tasks()

        assert mail.outbox == []
        assert message(A).state == "given up"
        assert not Message.objects.filter(recipient=B).exists()

    def test_many_are_sent_in_several_tasks(self):
        queue(*(f"p{number}@example.com" for number in range(BATCH + 1)))

        assert run_tasks() == 2
        assert len(mail.outbox) == BATCH + 1


class HangingServerTests(BaseTestCase):
    def test_a_silent_server_ends_at_the_time_out(self):
        with silent_server() as server, override_settings(EMAIL_TIMEOUT=0.2):
            queue(A, B)
            run_tasks(failing=True)

        assert server.connections == 1
        assert message(A).state == "waiting"
        assert message(A).error

    def test_a_dribbling_one_ends_at_the_deadline_of_the_connection(self):
        with silent_server(dribbles=True) as server, mock.patch.object(smtp, "CONNECTION_SECONDS", 0.2):
            queue(A)
            run_tasks(failing=True)

        assert server.connections == 1
        assert message(A).state == "waiting"

    def test_the_socket_of_the_deadline_is_closed_with_the_connection(self):
        with mail_server() as server:
            link = smtp.BoundedSMTP("127.0.0.1", server.port)
            copy = next(iter(smtp.deadlines._ends))
            link.quit()

        assert copy.fileno() == -1
        assert not smtp.deadlines._ends

    def test_tls_from_the_first_byte_has_the_deadline_too(self):
        short = mock.patch.object(smtp, "CONNECTION_SECONDS", 0.2)
        with silent_server(dribbles=True) as server, short, override_settings(EMAIL_USE_SSL=True):
            queue(A)
            run_tasks(failing=True)

        assert server.connections == 1
        assert message(A).state == "waiting"


class NoticeTests(BaseTestCase):
    """A member who is put on the access list of a deal, with `notify_access_list`."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.guests = [ActorFactory(organization=cls.organization) for _ in range(12)]

    def share(self, *actors, **fields):
        uuids = [str(actor.member.uuid) for actor in actors]
        body = {"name": "Big one", "is_private": True, "access_list_uuids": uuids, "notify_access_list": True}
        return ApiClient(self.bob).post("/api/deals", {**body, **fields})

    def test_the_request_opens_no_connection_while_the_server_hangs(self):
        self.share(self.guests[0])  # the first request of a process reads more
        with silent_server() as server, CaptureQueriesContext(connection) as many:
            answer = self.share(*self.guests)
            assert server.connections == 0
        with CaptureQueriesContext(connection) as few:
            self.share(self.guests[0])

        assert answer.status_code == 201
        assert Message.objects.count() == 14
        assert len(many) == len(few)

    def test_it_leads_to_the_deal_with_sender_and_amount(self):
        with override_settings(PUBLIC_URL="https://crm.example.com"):
            self.share(self.viewer, amount="1500", currency="EUR")
            run_tasks()

        letter = mail.outbox[0]
        assert letter.subject == "Bob has shared the deal “Big one” with you"
        assert letter.to == ["victor@example.com"]
        path = change_url(Deal.objects.get(name="Big one"))
        assert f"https://crm.example.com{path}\n" in letter.body
        assert "1500.00 EUR" in letter.body
        assert "Alice and Co" in letter.body
        User.objects.filter(pk=self.viewer.member.user_id).update(is_staff=True)
        self.client.force_login(self.viewer.member.user)
        assert self.client.get(path).status_code == 200

    def test_neither_its_author_nor_a_deactivated_member_gets_one(self):
        leaver = self.guests[0]
        answer = self.share(self.bob, self.viewer, leaver)
        update_member(actor=self.alice, member=leaver.member, is_active=False)
        run_tasks()
        self.share(self.bob, self.manager)
        update_member(actor=self.alice, member=self.manager.member, is_active=False)
        run_tasks()

        assert answer.status_code == 201
        assert [letter.to for letter in mail.outbox] == [["victor@example.com"]]

    def test_who_has_lost_access_meanwhile_gets_none(self):
        self.share(self.viewer)
        deal = Deal.objects.get(name="Big one")
        update_deals(actor=self.bob, changes=[(deal, {"access_list": [self.bob.member.pk]})])
        run_tasks()

        assert mail.outbox == []
        assert not Message.objects.exists()

    def test_a_name_adds_neither_a_header_nor_a_line(self):
        user = self.bob.member.user
        user.full_name = "Bob\r\nBcc: evil@example.com\r\n\r\nHTML <b>"
        user.save()
        with mail_server() as server:
            self.share(self.viewer, name="One\nTwo: \u202e\u2028three")
            run_tasks()

        letter = server.accepted[0][1]
        assert server.recipients == ["victor@example.com"]
        assert letter["Bcc"] is None
        name = "Bob Bcc: evil@example.com HTML <b>"
        assert letter["Subject"].strip() == f"{name} has shared the deal “One Two: three” with you"
        assert letter.get_content_type() == "text/plain"
        assert not any(line.startswith(("Bcc", "Two", "HTML")) for line in letter.get_content().splitlines())


def test_values_are_single_lines_and_subjects_are_not_endless():
    assert one_line(" a\tb\r\n c\x00\u2029d\u202e ") == "a b c d"
    assert one_line("👩\u200d💻") == "👩\u200d💻"
    text = fill("%(name)s", "%(name)s", name="x y" * 200)
    assert len(text.subject) == templates.SUBJECT_LENGTH
    assert text.body == "x y" * 200
