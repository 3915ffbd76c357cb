"""Values of a dialect under keys without a definition: visible in the admin, escaped, never editable."""

import re

from contacts.models import Contact
from crm_project.records.services import restore_custom_field, trash_custom_field
from deals.models import Deal
from tests.dialects.base import Call, DialectClient
from tests.dialects.intum.test_deals import PRINTED
from tests.factories import CustomFieldFactory
from tests.staff.base import StaffTestCase, change_url

FREE = {
    "rating": "<b>five</b>",
    "score": 4.5,
    "nested": {"a": [1, {"b": None}], "markup": '"><script>'},
    "flag": False,
    "words": "zażółć\ngęślą",
}
TITLE = "Fields of integrations"


class FreeFieldTests(DialectClient, StaffTestCase):
    system = "intum"

    def call(self, method, path, body):
        answer = self.as_actor(self.manager, Call(method, path, body))
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def setUp(self):
        super().setUp()
        CustomFieldFactory(actor=self.alice, key="region", kind="deal")
        fields = {**FREE, "region": "North"}
        client = self.person().pk
        self.call(
            "POST",
            "/crm/deals.json",
            {
                "deal": {
                    **PRINTED,
                    "client_id": client,
                    "status_id": self.new.pk,
                    "name": "Roof",
                    "fields": fields,
                }
            },
        )
        self.call(
            "POST", "/crm/clients.json", {"client": {"name": "Acme", "tags": "vip, old", "fields": FREE}}
        )
        self.deal_row, self.company = Deal.objects.get(name="Roof"), Contact.objects.get(name="Acme")

    def panel(self, row):
        page = self.page(change_url(row))
        found = re.search(rf"<h2>{TITLE}</h2>(.*?)</section>", page, re.DOTALL)
        return found[1] if found else None

    def test_colleagues_of_every_role_see_them_as_text(self):
        for who in (self.bob, self.viewer, self.manager, self.alice):
            self.sign_in(who)
            for row in (self.deal_row, self.company):
                panel = self.panel(row)
                for text in (
                    *FREE,
                    "&lt;b&gt;five&lt;/b&gt;",
                    "4.5",
                    "&quot;b&quot;: null",
                    "script&gt;",
                    "false",
                    "gęślą",
                ):
                    assert text in panel, text
                assert not re.search("<(input|textarea|select|script|b)[ >]", panel)
        assert "region" not in self.panel(self.deal_row), "a declared field is in the form"
        assert "vip" in self.panel(self.company)

    def test_no_form_writes_them(self):
        for row in (self.deal_row, self.company):
            before = dict(row.custom_fields)
            response = self.save(change_url(row), description="x", custom_rating="six", custom_flag="on")
            assert response.status_code == 302
            row.refresh_from_db()
            assert (row.description, row.custom_fields) == ("x", before)

    def test_rows_without_have_no_panel(self):
        for row in (self.deal(), self.person(), self.pipeline):
            self.sign_in(self.alice)
            assert self.panel(row) is None

    def test_the_values_of_a_trashed_field_are_hidden_and_those_of_a_new_one_are_in_the_form(self):
        field = CustomFieldFactory(actor=self.alice, key="rating", kind="deal")
        assert "rating" not in self.panel(self.deal_row)

        trash_custom_field(actor=self.alice, custom_field=field)

        assert "five" not in self.page(change_url(self.deal_row))
        assert "nested" in self.panel(self.deal_row)
        assert "rating" in self.panel(self.company), "the field was one of deals"
        restore_custom_field(actor=self.alice, custom_field=field)
        assert 'name="custom_rating"' in self.page(change_url(self.deal_row))
