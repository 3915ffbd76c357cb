"""The bell in a browser: a notification is read by opening its row."""

import pytest

from crm_project.notifications.models import Notification
from tests.notifications.base import read_all
from tests.server import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_bell_to_the_deal(page, sign_in, world):
    for name in ("Roof", "Wall"):
        world.deal(world.alice, name=name, owner=world.bob.member.pk)
    read_all()
    sign_in("bob@example.com")

    bell = page.locator(".crm-bell")
    assert bell.inner_text().split() == ["notifications", "Notifications,", "2", "unread", "2"]
    bell.click()
    page.click("text=Wall")
    page.wait_for_selector("h1:has-text('Wall')")
    until(lambda: Notification.objects.filter(read_at=None).count() == 1, 10)

    page.click(".crm-bell")
    page.click("[aria-label='Mark as read: Roof']")
    page.wait_for_selector(".crm-act")
    assert page.locator(".crm-unread").count() == 0
    assert not Notification.objects.filter(read_at=None).exists()
