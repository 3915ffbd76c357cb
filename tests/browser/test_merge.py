"""Duplicates in the browser: named while one is typed, merged side by side, and taken back by one click."""

import pytest

from contacts.models import Contact
from deals.models import Deal

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_two_contacts_are_merged_and_the_undo_brings_them_back(page, sign_in, world, width):
    page.set_viewport_size({"width": width, "height": 844})
    ann = world.person(first_name="Ann", last_name="Lee", email="ann@example.com", city="Wien")
    anne = world.person(first_name="Ann", last_name="LEE", email="anne@example.com", city="Graz")
    deal = world.deal(contact=anne.pk)
    sign_in("bob@example.com")
    page.goto(f"/admin/contacts/contact/{ann.pk}/change/")

    page.locator(".crm-duplicates").get_by_role("link", name="Merge").click()
    page.wait_for_selector(".crm-merge")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator(".crm-merge-row", has_text="City").get_by_label("Graz").check()
    page.get_by_role("button", name="Merge").click()

    page.wait_for_selector("text=merged.")
    kept = Contact.objects.get(pk=ann.pk)
    assert (kept.email, kept.further_emails, kept.city) == ("ann@example.com", ["anne@example.com"], "Graz")
    assert Deal.objects.get(pk=deal.pk).contact == kept
    page.get_by_role("link", name="Undo").first.click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("text=change undone")
    assert Contact.objects.get(pk=anne.pk).deleted_at is None
    assert Deal.objects.get(pk=deal.pk).contact == anne


def test_a_duplicate_is_named_while_a_contact_is_typed(page, sign_in, world):
    world.person(first_name="Ann", last_name="Lee", phone="+43 1 5550001")
    sign_in("bob@example.com")
    page.goto("/admin/contacts/contact/add/")

    page.fill("[name=phone]", "0043 1 555 00 01")

    page.wait_for_selector(".crm-duplicates >> text=Ann Lee")
    assert "same phone" in page.locator(".crm-duplicates").inner_text()
    page.fill("[name=phone]", "0043 1 555 00 02")
    page.wait_for_function("document.querySelector('.crm-duplicates').textContent.trim() === ''")


def test_rows_of_addresses_are_added_and_removed(page, sign_in, world):
    ann = world.person(further_emails=["a@home.example", "b@home.example"])
    sign_in("bob@example.com")
    page.goto(f"/admin/contacts/contact/{ann.pk}/change/#edit")
    box = page.locator(".crm-entries:has([name=further_emails])")
    rows = box.locator(".crm-entry")

    rows.nth(0).get_by_role("button", name="Remove").click()
    rows.nth(2).locator("input").fill("c@home.example")
    box.get_by_role("button", name="Add another").click()
    page.keyboard.type("d@home.example")
    with page.expect_navigation():
        page.keyboard.press("Control+s")

    stored = Contact.objects.get(pk=ann.pk).further_emails
    assert stored == ["b@home.example", "c@home.example", "d@home.example"]
