"""The timeline of a deal in the browser: a logged call appears, a kind is chosen, older entries are added."""

import datetime

import pytest
from django.utils import timezone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = datetime.timedelta(days=1)


def lines(page):
    return page.locator("[data-timeline] li")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_timeline_is_read_and_continued_on_the_same_page(page, sign_in, world, width):
    page.set_viewport_size({"width": width, "height": 844})
    deal, now = world.deal(name="Roof"), timezone.now()
    world.activity(type="note", subject="Pinned", deal=deal.pk, is_pinned=True, done_at=now - 900 * DAY)
    for number in range(70):
        world.activity(
            type="call", subject=f"No {number:02}", deal=deal.pk, done_at=now - (9 + number) * 9 * DAY
        )
    sign_in("bob@example.com")
    page.goto(f"/admin/deals/deal/{deal.pk}/change/")
    page.evaluate("document.documentElement.dataset.mark = '1'")

    page.fill(".crm-log [name=subject]", "Wants an offer")
    page.click(".crm-log > button")
    page.wait_for_selector("[data-timeline] >> text=Wants an offer")
    assert lines(page).all_inner_texts()[0].find("Pinned") >= 0
    assert lines(page).count() == 30

    for count in (60, 73):
        page.click("text=Older entries")
        page.wait_for_function(f"document.querySelectorAll('[data-timeline] li').length === {count}")
    headings = page.locator("[data-timeline] h3").all_inner_texts()
    years = list(dict.fromkeys(str((now - (9 + number) * 9 * DAY).year) for number in range(70)))
    assert headings == ["Pinned", *dict.fromkeys([str(now.year), *years])]
    told = page.locator("[data-timeline]").inner_text()
    assert [f"No {number:02}" in told for number in range(70)] == [True] * 70
    assert page.locator("text=Older entries").count() == 0

    page.click("[data-timeline] nav >> text=Changes")
    page.wait_for_function("document.querySelectorAll('[data-timeline] li').length === 1")
    assert "Created" in lines(page).inner_text()
    assert page.evaluate("document.documentElement.dataset.mark === '1'")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.activeElement.textContent") == "Changes"
