"""A developer's browser: from the index to a deal that is written by hand, and nothing is loaded from elsewhere."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from crm_project.accounts.services import create_token
from deals.models import Deal
from tests.browser.chromium import browser_context, executable
from tests.browser.conftest import PASSWORD
from tests.factories import DealFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = date(2027, 1, 1)


@pytest.fixture
def developer(world: Any, live_server: Any) -> Iterator[Any]:
    """Bob's browser. A request to another host or a complaint in the console fails the test.

    Chromium itself notes the status of each refused request there.
    """
    if executable() is None:
        pytest.skip("no Chromium is installed")
    for n in range(30):
        status = "won" if n % 3 == 0 else "open"
        close = FIRST + timedelta(days=n)
        DealFactory(
            actor=world.bob, name=f"Deal {n}", amount=n * 100, status=status, expected_close_date=close
        )
    hosts, complaints = set(), []
    with browser_context(base_url=live_server.url, viewport={"width": 1360, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/admin/")
        page.fill("input[name=username]", "bob@example.com")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".crm-home")
        yield page
    assert hosts - {""} == {urlsplit(live_server.url).netloc}
    assert [text for text in complaints if "responded with a status of 400" not in text] == []


def names(page: Any) -> list[str]:
    return [row["name"] for row in json.loads(page.locator("#answer").inner_text())["results"]]


def by_token(world: Any, url: str, asked: dict[str, Any]) -> list[str]:
    """The names of the rows that a client outside the browser gets."""
    _, secret = create_token(actor=world.bob, name="test")
    address = f"{urlsplit(url)._replace(path='/api/deals', query=urlencode(asked)).geturl()}"
    with urlopen(Request(address, headers={"Authorization": f"Bearer {secret}"})) as answer:
        return [row["name"] for row in json.load(answer)["results"]]


def in_the_admin(page: Any, asked: dict[str, Any]) -> list[str]:
    """The names of the rows of the admin's list with the same filters."""
    suffixes = {"_min": "_from", "_after": "_from", "_max": "_to", "_before": "_to"}
    same = {"status": asked["status"]}
    for name, value in asked.items():
        for suffix, ours in suffixes.items():
            if name.endswith(suffix):
                same[name.removesuffix(suffix) + ours] = value
    page.goto(f"/admin/deals/deal/?{urlencode(same)}")
    return [str(name) for name in page.locator("#result_list tbody .field-title a").all_inner_texts()]


def test_a_developer_filters_pages_and_writes(developer: Any, world: Any) -> None:
    page = developer
    page.goto("/api")
    page.click(".rows >> text='deals'")
    page.click("#filters summary")
    page.fill("[name=status]", "open")
    page.fill("[name=amount_min]", "300")
    page.fill("[name=amount_max]", "2500")
    page.fill("[name=expected_close_date_after]", "2027-01-05")
    page.fill("[name=expected_close_date_before]", "2027-01-25")
    page.fill("[name=ordering]", "amount")
    page.click("text=Apply")
    page.wait_for_url("**/api/deals?*")
    seen = names(page)
    page.click("a[rel=next]")
    page.wait_for_url("**cursor=*")
    seen += names(page)

    asked = {
        "status": "open",
        "amount_min": 300,
        "amount_max": 2500,
        "expected_close_date_after": "2027-01-05",
        "expected_close_date_before": "2027-01-25",
        "ordering": "amount",
    }
    assert seen == by_token(world, page.url, asked)
    assert len(seen) == 14
    assert sorted(in_the_admin(page, asked)) == sorted(seen)
    page.go_back()
    page.click("a[rel=prev]")
    page.wait_for_function("document.querySelector('a[rel=next]')")
    assert names(page) == seen[:10]

    page.goto("/api/deals")
    form = page.locator("form[data-method=POST]")
    body = json.loads(form.locator("textarea").input_value())
    form.locator("button[type=submit]").click()
    form.locator(".status", has_text="201").wait_for()
    assert Deal.objects.filter(name=body["name"]).count() == 1
    form.locator("a", has_text="Open").click()
    form = page.locator("form[data-method=PATCH]")
    body = json.loads(form.locator("textarea").input_value())
    form.locator("button[type=submit]").click()
    form.locator(".status", has_text="200").wait_for()
    assert Deal.objects.get(name=body["name"]).version == 1
    form.locator("textarea").fill(json.dumps({**body, "name": "Renamed"}, indent=2))
    form.locator("[name=dry_run]").check()
    form.locator("button[type=submit]").click()
    form.locator("pre", has_text="Renamed").wait_for()
    assert not Deal.objects.filter(name="Renamed").exists()
    form.locator("[name=dry_run]").uncheck()
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as answered:
        form.locator("button[type=submit]").click()
    assert answered.value.status == 200
    assert Deal.objects.filter(name="Renamed").count() == 1
    form.locator("textarea").fill(json.dumps({"name": "Renamed", "amount": "12,5"}, indent=2))
    form.locator("button[type=submit]").click()
    refusal = form.locator("[data-pointer='/amount']")
    refusal.wait_for()
    assert "decimal" in refusal.inner_text()
    areas = "[...document.querySelectorAll('form.write textarea')]"
    selected = f"{areas}.map(area => area.value.slice(area.selectionStart, area.selectionEnd))"
    assert any('"amount": "12,5"' in text for text in page.evaluate(selected))


def test_a_refusal_is_shown_at_its_field(developer: Any, world: Any) -> None:
    page = developer
    page.goto("/api/deals?amount_min=100")
    page.fill("[name=amount_min]", "12,5")
    page.fill("[name=status]", "on")
    page.click("text=Apply")
    page.wait_for_selector("#refusal-amount_min")
    assert page.input_value("[name=amount_min]") == "12,5"
    assert "on" in page.inner_text("#refusal-status")


def test_every_kind_of_page_is_clean(developer: Any, world: Any) -> None:
    deal = Deal.objects.first()
    for path in (
        "/api",
        "/api/pipelines",
        f"/api/deals/{deal.uuid}",
        "/api/events",
        "/api/problems",
        "/api/docs",
    ):
        developer.goto(path, wait_until="networkidle")
        assert developer.title().startswith("CRM") or "CRM API" in developer.title()
        outside = (
            "[...document.querySelectorAll('a[href]')].filter(a => a.host !== location.host).map(a => a.href)"
        )
        assert developer.evaluate(outside) == [], path


def test_try_it_out_begins_as_a_dry_run(developer: Any) -> None:
    page, before = developer, Deal.objects.count()
    page.goto("/api/docs")
    page.click("#operations-tag-deals")
    operation = page.locator(".opblock-post", has_text="Create a deal").first
    operation.locator(".opblock-summary-control").click()
    operation.locator("button.try-out__btn").click()
    operation.locator("button.execute").click()
    operation.locator(".live-responses-table .response-col_status", has_text="201").wait_for()

    assert Deal.objects.count() == before
    curl = operation.locator(".curl-command").inner_text()
    assert "dry_run=true" in curl
    assert "Authorization: Bearer" in curl
    assert "csrf" not in curl.lower()
