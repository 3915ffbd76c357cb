"""Forms in a hurry: saved once, by Ctrl+S, shown at the wrong field, kept over the end of a session."""

import pytest
from django.contrib.sessions.models import Session

from deals.models import Deal
from tests.browser.conftest import PASSWORD
from tests.staff.base import add_url, change_url, list_url

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}
# What is pressed on a phone and is too low for a thumb; links inside texts and cells are read rather than pressed.
LOW = """() => [...document.querySelectorAll("#page button, #page input, #page select, #page summary, "
        + "#page .crm-button, #page nav a, #page .crm-undo, #page .crm-pages a, "
        + "#page .crm-filter-chip, #page .select2-selection")]
    .filter(element => element.checkVisibility({visibilityProperty: true}) && element.offsetWidth > 1)
    .filter(element => !element.closest("#nav-sidebar") && !["checkbox", "radio", "hidden"].includes(element.type))
    .filter(element => element.getBoundingClientRect().height < 43.5)
    .map(element => [element.outerHTML.slice(0, 120), element.getBoundingClientRect().height])"""


def test_three_clicks_on_save_make_one_deal(page, sign_in, world):
    sign_in("bob@example.com")
    page.goto(add_url(Deal))
    page.fill("input[name=name]", "Clicked thrice")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 700, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)

    # In one go: a later click would meet the page that the first one leads to.
    page.evaluate(
        "const save = document.querySelector('button[name=_save]'); [1, 2, 3].forEach(() => save.click())"
    )
    page.wait_for_url("**/change/**")

    page.wait_for_selector("text=was added successfully")
    assert Deal.objects.filter(name="Clicked thrice").count() == 1


def test_ctrl_s_saves_and_stays_on_the_page(page, sign_in, world):
    deal = world.deal(name="Before")
    sign_in("bob@example.com")
    page.goto(f"{change_url(deal)}#edit")

    page.fill("input[name=name]", "After")
    page.keyboard.press("Control+s")

    page.wait_for_selector("text=was changed successfully")
    deal.refresh_from_db()
    assert deal.name == "After"
    assert page.url.endswith(f"{change_url(deal)}#edit")
    assert page.locator("input[name=name]").is_visible()


def test_the_first_wrong_field_is_shown_and_has_the_focus(page, sign_in, world):
    sign_in("bob@example.com")
    page.set_viewport_size(PHONE)
    page.goto(add_url(Deal))
    page.fill("input[name=name]", "Wrong")
    page.locator("#content-main form nav").get_by_text("Money", exact=True).click()
    page.fill("input[name=amount_gross]", "12.345")
    page.click("button[name=_save]")

    page.wait_for_selector("input[name=amount_gross]:focus")

    box = page.locator("input[name=amount_gross]").bounding_box()
    assert 0 < box["y"] < PHONE["height"] - box["height"]


def test_what_was_typed_is_there_again_after_the_end_of_the_session(page, sign_in, world):
    person = world.person(first_name="Sophie", last_name="Martin")
    sign_in("bob@example.com")
    page.goto(add_url(Deal))
    page.fill("input[name=name]", "Typed for an hour")
    page.fill("textarea[name=description]", "First line\nSecond line")
    page.click("#id_contact + .select2 .select2-selection")
    page.keyboard.type("sophie")
    page.click(".select2-results__option:has-text('Sophie Martin')")
    Session.objects.all().delete()

    page.click("button[name=_save]")
    page.wait_for_selector("input[name=username]")
    page.fill("input[name=username]", "bob@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")

    page.wait_for_selector("text=You were signed out")
    assert page.input_value("input[name=name]") == "Typed for an hour"
    assert page.input_value("textarea[name=description]") == "First line\nSecond line"
    page.click("button[name=_save]")
    page.wait_for_selector("text=was added successfully")
    assert Deal.objects.get(name="Typed for an hour").contact == person


def test_another_person_does_not_get_what_was_typed(page, sign_in, world):
    sign_in("bob@example.com")
    page.goto(add_url(Deal))
    page.fill("input[name=name]", "Bob's secret")
    Session.objects.all().delete()

    page.click("button[name=_save]")
    page.wait_for_selector("input[name=username]")
    page.fill("input[name=username]", "alice@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")

    page.wait_for_selector("input[name=name]")
    page.wait_for_timeout(300)
    assert page.input_value("input[name=name]") == ""


def test_what_is_pressed_on_a_phone_is_high_enough_and_save_is_within_reach(page, sign_in, world):
    deal = world.deal(name="Roof", amount="1000")
    sign_in("bob@example.com")
    page.set_viewport_size(PHONE)

    for url in (
        list_url(Deal),
        f"{list_url(Deal)}?status=open",
        change_url(deal),
        f"{change_url(deal)}#edit",
    ):
        page.goto(url)
        page.reload()
        assert page.evaluate(LOW) == [], url
    save = page.locator("button[name=_save]").bounding_box()
    assert save["y"] + save["height"] <= PHONE["height"]


def test_the_first_press_of_tab_leads_to_the_content(page, sign_in, world):
    sign_in("bob@example.com")
    page.goto(list_url(Deal))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def open_palette(page):
    """The page gives it the focus a moment after it is shown."""
    page.keyboard.press("Control+k")
    page.wait_for_selector("#search-input-command:focus")


def test_the_palette_adds_and_acts(page, sign_in, world):
    deal = world.deal(name="Roof")
    sign_in("bob@example.com")
    page.goto(change_url(deal))

    open_palette(page)
    page.keyboard.type("lose", delay=30)
    page.wait_for_selector("#command-results-list a:has-text('Lose')")
    page.keyboard.press("Escape")
    page.goto(list_url(Deal))
    open_palette(page)
    page.keyboard.type("new deal", delay=30)
    page.click("#command-results-list a:has-text('New deal')")

    page.wait_for_selector("input[name=name]")
