"""Browser tests run against Django's live server, in the system's Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from crm_project.accounts.models import User
from tests.base import World
from tests.browser.chromium import browser_context, executable

PASSWORD = "a rather long password"


@pytest.fixture
def world(transactional_db: None) -> World:
    """The people of the tests; all of Alice's may sign in with the same password."""
    made = World()
    for user in User.objects.all():
        user.is_staff = True
        user.set_password(PASSWORD)
        user.save()
    return made


@pytest.fixture
def complaints() -> list[str]:
    """The errors in the console of `page`; a test removes those that it expects."""
    return []


@pytest.fixture
def page(live_server: Any, world: World, complaints: list[str]) -> Iterator[Any]:
    """A page of a fresh browser. What it complains about in its console fails the test."""
    if executable() is None:
        pytest.skip("no Chromium is installed")
    with browser_context(base_url=live_server.url, viewport={"width": 1360, "height": 900}) as context:
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        opened.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
    assert not complaints, complaints


@pytest.fixture
def sign_in(page: Any, live_server: Any) -> Any:
    """Open the home page as the owner of an address, by a session: the form has tests of its own."""

    def by(email: str) -> Any:
        client = Client()
        client.force_login(User.objects.get(email=email))
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        page.goto("/admin/")
        page.wait_for_selector(".crm-home")
        return page

    return by
