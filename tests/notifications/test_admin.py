"""The bell of the admin, its page and the page of the switches."""

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_project.notifications.models import Notification
from crm_project.notifications.services import settings_of
from deals.models import Deal
from deals.services import update_deals
from tests.notifications.base import read_all
from tests.staff.base import StaffTestCase, change_url, list_url

pytestmark = pytest.mark.once

LIST = reverse("admin:notifications_notification_changelist")
SETTINGS = reverse("admin:notifications_notification_settings")


class BellTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        read_all()
        Notification.objects.all().delete()
        mail.outbox.clear()

    def handed(self, *names):
        deals = [self.deal(self.alice, name=name, owner=self.bob.member.pk) for name in names]
        read_all()
        return deals

    def test_the_number_of_unread_ones_is_on_every_page(self):
        for url in (reverse("admin:index"), list_url(Deal)):
            assert "unread</span>" not in self.page(url)

        self.handed("Roof", "Wall")

        for url in (reverse("admin:index"), list_url(Deal)):
            assert "Notifications, 2 unread</span>" in self.page(url)

    def test_a_large_number_is_not_counted_to_its_end(self):
        deal = self.handed("Roof")[0]
        row = Notification.objects.get()
        Notification.objects.bulk_create(
            Notification(
                organization=self.organization,
                member=self.bob.member,
                kind=row.kind,
                key=f"event:{number}",
                row_kind="deal",
                row_id=deal.pk,
            )
            for number in range(10_000, 10_150)
        )

        assert "Notifications, 99+ unread</span>" in self.page(reverse("admin:index"))

    def test_it_is_one_query_of_a_page(self):
        self.handed("Roof")
        self.page(list_url(Deal))
        with CaptureQueriesContext(connection) as queries:
            self.page(list_url(Deal))

        [own] = [query["sql"] for query in queries if "notifications_" in query["sql"]]
        assert "COUNT" not in own

    def test_the_page_lists_them_with_links(self):
        roof, wall = self.handed("Roof <b>", "Wall")

        page = self.page(LIST)

        assert "Roof &lt;b&gt;" in page
        assert page.index("Wall") < page.index("Roof &lt;b&gt;")
        assert change_url(roof) in page
        assert change_url(wall) in page
        assert "Alice handed you this deal" in page

    def test_one_is_marked_as_read(self):
        self.handed("Roof", "Wall")
        row = Notification.objects.order_by("pk").first()
        url = reverse("admin:notifications_notification_read", args=[row.pk])

        assert self.client.get(url).status_code == 405
        assert self.client.post(url, {"next": f"{LIST}?unread=yes"}).url == f"{LIST}?unread=yes"

        page = self.page(f"{LIST}?unread=yes")
        assert "Wall" in page
        assert "Roof" not in page
        assert "Roof" in self.page(LIST)

    def test_all_are_marked_as_read(self):
        self.handed("Roof", "Wall")

        self.client.post(reverse("admin:notifications_notification_read_all"))

        assert not Notification.objects.filter(read_at=None).exists()
        assert "You have read everything." in self.page(f"{LIST}?unread=yes")

    def test_others_cannot_mark_it(self):
        self.handed("Roof")
        row = Notification.objects.get()
        self.sign_in(self.alice)

        response = self.client.post(reverse("admin:notifications_notification_read", args=[row.pk]))

        assert response.status_code == 404
        assert self.client.get(change_url(row)).status_code == 404
        assert "Roof" not in self.page(LIST)

    def test_the_page_of_one_is_that_of_its_row(self):
        [roof] = self.handed("Roof")

        assert self.client.get(change_url(Notification.objects.get())).url == change_url(roof)

    def test_a_hidden_row_is_neither_listed_nor_counted(self):
        [roof] = self.handed("Roof")
        update_deals(actor=self.alice, changes=[(roof, {"owner": self.alice.member.pk, "is_private": True})])

        page = self.page(LIST)

        assert "Roof" not in page
        assert "unread</span>" not in page

    def test_older_pages(self):
        self.handed(*(f"Deal {number}" for number in range(52)))

        first = self.client.get(LIST)
        older = self.client.get(f"{LIST}?{first.context['older']}")

        assert [entry.name for entry in older.context["entries"]] == ["Deal 1", "Deal 0"]
        assert self.client.get(f"{LIST}?cursor=nonsense").context["newer"] == ""
        assert self.client.get(f"{LIST}?colour=red").status_code == 400

    def test_the_switches(self):
        assert 'name="deal_handed.mail"' in self.page(SETTINGS)

        self.client.post(
            SETTINGS, {"deal_handed.bell": "on", "import_finished.mail": "on", "digest_hour": "9"}
        )

        switches = settings_of(self.bob)
        assert (switches.pop("digest"), switches.pop("digest_hour")) == (False, 9)
        assert switches.pop("deal_handed") == {"bell": True, "mail": False}
        assert switches.pop("import_finished") == {"bell": False, "mail": True}
        assert set(map(str, switches.values())) == {"{'bell': False, 'mail': False}"}

    def test_an_operator_without_an_organization_has_no_bell(self):
        self.sign_in(self.operator)

        assert "crm-bell" not in self.page(reverse("admin:index"))
        assert self.client.get(LIST).status_code == 403
        assert self.client.get(SETTINGS).status_code == 403
