"""Erasing a person leaves no trace of the person, and every other trace."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from contacts.models import Contact
from contacts.redaction import redact_contact
from contacts.services import trash_contacts, update_contacts
from crm_project.accounts.invitations import invite_member, withdraw_invitation
from crm_project.accounts.models import Invitation
from crm_project.api.models import IdempotencyKey
from crm_project.changes import columns
from crm_project.errors import Conflict
from crm_project.journal.models import Event
from crm_project.journal.services import replayed_columns
from crm_project.journal.undo import undo
from crm_project.mail.models import Message
from deals.models import Deal
from tests.api.client import ApiClient
from tests.base import BaseTestCase
from tests.factories import CustomFieldFactory
from tests.mail.server import mail_server
from tests.tasks import run_tasks

SECRETS = (
    "Sophie",
    "sophie.martin",
    "Martin",
    "0123456",
    "Rue de",
    "Zuerich",
    "erp-77",
    "loves cats",
    "s.martin@home",
    "998877",
    "999 88 77",
)


def everything_stored() -> str:
    """Every value of every table, as one text."""
    texts = []
    for model in apps.get_models():
        for row in model._base_manager.all():
            for field in row._meta.concrete_fields:
                value = getattr(row, field.attname)
                texts.append(
                    bytes(value).decode() if isinstance(field, models.BinaryField) and value else str(value)
                )
    return "\n".join(texts).lower()


class RedactionTests(BaseTestCase):
    def setUp(self):
        CustomFieldFactory(actor=self.manager, kind="contact", key="hobby")
        self.contact = self.person(
            first_name="Sophie",
            last_name="Martin",
            email="sophie.martin@example.com",
            phone="0123456",
            further_emails=["s.martin@home.example"],
            further_phones=["+41 44 999 88 77"],
            external_references=[("erp", "erp-77")],
            custom_fields={"hobby": "loves cats"},
        )
        self.row = self.deal(name="Big one", amount="100", contact=self.contact.pk)
        change = {"street": "Rue de Rivoli", "city": "Zuerich", "phone": ""}
        update_contacts(actor=self.alice, changes=[(self.contact, change)])

    def test_nothing_is_left_of_the_person(self):
        ApiClient(self.bob).post("/api/deals", {"name": "Kept", "contact_email": "sophie.martin@example.com"},
                                 headers={"Idempotency-Key": "k"})  # fmt: skip
        assert all(secret.lower() in everything_stored() for secret in SECRETS)

        redact_contact(contact=self.contact)

        stored = everything_stored()
        assert [secret for secret in SECRETS if secret.lower() in stored] == []
        assert IdempotencyKey.objects.count() == 1

    def test_nothing_is_left_of_the_person_in_mail_and_tasks(self):
        """Sent, waiting and given up, to the person and about deals of the person; and in the errors of tasks."""
        invite_member(actor=self.alice, email="sophie.martin@example.com", full_name="Guest")
        shared = {"is_private": True, "notify_access_list": True, "contact": self.contact.pk}
        for _ in range(2):
            self.deal(name="Shared", access_list=[self.viewer.member.pk, self.manager.member.pk], **shared)
        with mail_server() as server:
            server.answers = {
                "sophie.martin@example.com": "550 Sophie Martin is unknown",
                "victor@example.com": "450 busy",
                "mary@example.com": "hang up",
            }
            run_tasks(failing=True)
        withdraw_invitation(actor=self.alice, invitation=Invitation.objects.get())
        assert "550 sophie martin" in everything_stored()

        redact_contact(contact=self.contact)

        stored = everything_stored()
        assert [secret for secret in SECRETS if secret.lower() in stored] == []
        assert Message.objects.filter(sent_at=None).count() == 4

    def test_the_messages_of_other_organizations_stay(self):
        invite_member(actor=self.charlie, email="sophie.martin@example.com")

        redact_contact(contact=self.contact)

        assert Message.objects.count() == 1

    def test_the_rest_of_history_stays(self):
        deal_before = columns(Deal.objects.get(pk=self.row.pk))
        events = list(Event.objects.order_by("id").values_list("sequence", "at", "actor", "kind", "action"))
        version = Contact.objects.get(pk=self.contact.pk).version

        redacted = redact_contact(contact=self.contact)

        assert (
            list(Event.objects.order_by("id").values_list("sequence", "at", "actor", "kind", "action"))[:-1]
            == events
        )
        assert redacted.events == 2
        row = Contact.objects.get(pk=self.contact.pk)
        assert (row.full_name, row.version) == ("(erased)", version + 1)
        assert columns(Deal.objects.get(pk=self.row.pk)) == deal_before
        last = Event.objects.order_by("id").last()
        assert (last.action, last.row_version, last.actor) == ("redacted", row.version, None)
        assert last.changes["city"] == ["(erased)", ""]

    def test_the_replay_still_gives_the_row(self):
        redact_contact(contact=self.contact)

        events = Event.objects.filter(kind="contact", row_id=self.contact.pk).order_by("sequence")
        replayed = replayed_columns(Contact, events)[self.contact.pk]
        row = columns(Contact.objects.get(pk=self.contact.pk))
        assert {name: replayed.get(name) for name in row} == row

    def test_a_deal_is_no_longer_found_by_the_person(self):
        redact_contact(contact=self.contact)

        assert not Deal.objects.matching("martin").exists()
        assert Deal.objects.matching("big one").exists()

    def test_it_cannot_be_undone(self):
        sequence = Event.objects.filter(kind="contact", action="updated").get().sequence
        redact_contact(contact=self.contact)

        with pytest.raises(Conflict):
            undo(actor=self.alice, sequence=sequence)
        with pytest.raises(Conflict):
            undo(actor=self.alice, sequence=Event.objects.order_by("id").last().sequence)

    def test_its_timeline_can_be_read(self):
        redact_contact(contact=self.contact)

        history = ApiClient(self.bob).get(f"/api/contacts/{self.contact.uuid}/history").json()["results"]
        assert [event["action"] for event in history] == ["redacted", "updated", "created"]


class CommandTests(BaseTestCase):
    def run_command(self, *arguments: str) -> str:
        out = StringIO()
        call_command("redact_contact", *arguments, "--yes", stdout=out, stderr=StringIO())
        return out.getvalue()

    def test_by_uuid_also_in_the_trash(self):
        contact = self.person(first_name="Sophie")
        trash_contacts(actor=self.bob, rows=[contact])

        assert str(contact.uuid) in self.run_command(str(contact.uuid))
        assert Contact.objects.get(pk=contact.pk).full_name == "(erased)"

    def test_by_address(self):
        contact = self.person(email="sophie@example.com")
        theirs = self.person(actor=self.charlie, email="sophie@example.com")

        with pytest.raises(CommandError, match="several"):
            self.run_command("sophie@example.com")
        self.run_command("Sophie@Example.com ", "--organization", "alice")

        assert Contact.objects.get(pk=contact.pk).email == ""
        assert Contact.objects.get(pk=theirs.pk).email == "sophie@example.com"

    def test_no_contact_of_that_name(self):
        with pytest.raises(CommandError, match="no contact"):
            self.run_command("nobody@example.com")
