"""A morning in French: pages, figures and phone numbers as a rep in Lyon reads and types them."""

import re

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm_project.accounts.models import Member, Organization
from crm_project.activities.models import Activity
from deals.models import Deal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is written on the page, without the icons, whose names are words of a font.
TEXT = """() => [...document.querySelectorAll("body *")]
    .filter(element => !element.closest("script, style, template, .material-symbols-outlined"))
    .flatMap(element => [...element.childNodes])
    .filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join(" ")"""
# Words that no French page of a small world has.
ENGLISH = re.compile(r"\b(?:the|of|and|with|without|deals|yours|today|overdue|next step|saved)\b")


@pytest.fixture(autouse=True)
def _french(world):
    Organization.objects.filter(pk=world.organization.pk).update(name="Toits SA", language="fr", country="FR")
    Member.objects.filter(pk=world.bob.member.pk).update(time_zone="Europe/Paris")
    with translation.override("fr"):
        yield


def french(page):
    """The page is read in French: its language is named, and no English word is left."""
    assert page.evaluate("document.documentElement.lang") == "fr"
    found = ENGLISH.findall(page.evaluate(TEXT))
    assert not found, f"{page.url}: {found}"


def test_a_morning_in_french(page, sign_in, world):
    caller = world.person(first_name="Amélie", last_name="Roux", phone="+33 1 55 96 02 43")
    world.deal(name="Toiture", owner=world.bob.member.pk, contact=caller.pk, amount="1200")
    sign_in("bob@example.com")
    french(page)

    # Who is calling?
    page.goto("/admin/contacts/contact/")
    page.fill("#searchbar", "01 55 96 02 43")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=01**")
    assert page.locator("#result_list tbody tr").count() == 1
    french(page)

    # A deal for the caller.
    page.goto(f"/admin/deals/deal/add/?contact={caller.pk}")
    page.fill("input[name=name]", "Charpente")
    page.fill("input[name=amount]", "12 500,50")
    page.click("button[name=_save]")
    page.wait_for_selector(".crm-facts")
    french(page)
    deal = Deal.objects.get(name="Charpente")
    assert f"{deal.amount:.2f}" == "12500.50"
    assert "12\u00a0500,50" in page.inner_text("body")

    # A call, and the next step.
    page.click(".crm-log [name=subject]")
    page.keyboard.type("Veut une offre")
    page.locator(".crm-when label", has_text=_("Tomorrow")).click()
    page.locator(".crm-log > button").click()
    page.wait_for_selector(".crm-act-message.crm-act-good")
    assert Activity.objects.filter(deal=deal.pk, done_at=None).get().due_on > timezone.localdate()
    french(page)

    # Larger than a figure with a comma.
    page.goto("/admin/deals/deal/")
    page.click(".crm-filters")
    page.fill("input[name=amount_from]", "12 500,50")
    page.click("#filter-form button[type=submit]")
    page.wait_for_url("**amount_from=**")
    assert [text.strip() for text in page.locator("#result_list .field-title").all_inner_texts()] == [
        "Charpente"
    ]
    french(page)

    for address in ("/admin/deals/deal/board/", "/admin/deals/deal/reports/", "/admin/?whose=all"):
        page.goto(address)
        french(page)


def test_a_figure_that_is_none_is_refused_in_french(page, sign_in, world):
    deal = world.deal(name="Toiture", owner=world.bob.member.pk, amount="1200")
    sign_in("bob@example.com")
    page.goto(f"/admin/deals/deal/{deal.pk}/change/#edit")
    assert page.input_value("input[name=amount]") == "1200,00"

    page.fill("input[name=amount]", "12.500")
    page.click("button[name=_save]")

    page.wait_for_selector("text=15\u00a0000,50")
    assert page.input_value("input[name=amount]") == "12.500"
    assert Deal.objects.get(pk=deal.pk).amount == 1200
