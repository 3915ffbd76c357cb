"""Webhooks in the admin: the secret is displayed once, the log is readable, and its buttons send."""

import pytest
from django.urls import reverse

from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from crm_project.webhooks.services import create_webhook, send_test
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url

pytestmark = pytest.mark.once

URL = "https://hooks.example.com/crm"


class AdminTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.sign_in(self.alice)

    def webhook(self):
        change = {"url": URL, "events": ["deal.won"], "fields": ["amount"]}
        return create_webhook(actor=self.alice, change=change)[0]

    def form(self, page, **given):
        """Post the form of a page as it is, but for the given fields; None leaves one out."""
        form = self.client.get(page).context["adminform"].form
        data = {field.html_name: field.value() for field in form} | given
        return self.client.post(
            page, {name: value for name, value in data.items() if value not in (None, False)}
        )

    def test_a_new_one_displays_its_secret_once(self):
        response = self.form(add_url(Webhook), url=URL, events=["deal.won", "deal.lost"], format="crm")

        webhook = Webhook.objects.get()
        secret = response.context["secret"]
        assert secret.startswith("whsec_")
        assert secret in response.content.decode()
        assert (webhook.url, webhook.events, webhook.member_id) == (
            URL,
            ["deal.won", "deal.lost"],
            self.alice.member.pk,
        )
        assert secret not in self.client.get(change_url(webhook)).content.decode()
        assert not response.has_header("Content-Encoding")

    def test_a_refusal_is_an_error_of_its_field(self):
        response = self.form(
            add_url(Webhook),
            url="https://127.0.0.1/",
            events=["deal.won"],
            format="crm",
            fields_changed="nothing",
        )

        errors = response.context["adminform"].form.errors
        assert errors["url"] == ["127.0.0.1 is inside the network. The operator can allow it by name."]
        assert errors["fields_changed"] == ["Rows of these events have no field: nothing."]

    def test_it_is_changed_and_switched_off(self):
        webhook = self.webhook()

        response = self.form(
            change_url(webhook), description="Shop", fields_changed="amount\nstage", is_active=None
        )
        assert response.status_code == 302, response.context["adminform"].form.errors

        webhook.refresh_from_db()
        assert (webhook.description, webhook.fields, webhook.is_active) == (
            "Shop",
            ["amount", "stage"],
            False,
        )

    def test_a_rotation_displays_the_new_secret(self):
        webhook = self.webhook()
        before = webhook.secret
        assert self.client.get(action_url("rotate", webhook)).status_code == 200

        response = self.client.post(action_url("rotate", webhook))

        webhook.refresh_from_db()
        assert response.context["secret"] in response.content.decode()
        assert webhook.secret != before == webhook.previous_secret

    def test_a_test_a_resend_and_a_replay(self):
        webhook = self.webhook()
        self.client.post(action_url("test", webhook))
        delivery = WebhookDelivery.objects.get(type="webhook.test")
        WebhookDelivery.objects.update(state="failed", status=500, body="<b>sent</b>", answer="<i>no</i>")

        self.client.post(action_url("resend", delivery))
        self.client.post(action_url("replay", webhook), {"since": "0"})

        delivery.refresh_from_db()
        assert (delivery.state, delivery.by_hand) == ("pending", True)
        assert WebhookState.objects.get().position == 0

    def test_a_refused_replay_is_an_error(self):
        response = self.client.post(action_url("replay", self.webhook()), {"since": "999999"})

        assert "The feed ends at" in str(response.context["form"].errors["since"])

    def test_the_log_is_escaped(self):
        webhook = self.webhook()
        delivery = send_test(actor=self.alice, webhook=webhook)
        WebhookDelivery.objects.update(body="<b>sent</b>", answer="<i>no</i>", error="<u>bad</u>")

        for url in (change_url(webhook), change_url(delivery), list_url(WebhookDelivery)):
            page = self.client.get(url).content.decode()
            for tag in ("<b>sent", "<i>no", "<u>bad"):
                assert tag not in page
        assert (
            "&lt;b&gt;sent" in page
            or "&lt;b&gt;sent" in self.client.get(change_url(delivery)).content.decode()
        )

    def test_others_have_no_page(self):
        webhook = self.webhook()
        for who in (self.bob, self.manager):
            self.sign_in(who)
            assert self.client.get(change_url(webhook)).status_code in (302, 403)
            assert self.client.post(action_url("rotate", webhook)).status_code == 403
            assert "Webhooks" not in self.client.get(reverse("admin:index")).content.decode()
