"""What sales staff do on a day, in a real browser."""

import pytest

from crm_project.accounts.services import create_token
from deals.models import Deal
from pipelines.models import Pipeline
from tests.base import stages_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_deal_from_the_list_to_the_api(page, sign_in, world, client):
    deal = world.deal(
        name="Right one", amount="5000", expected_close_date="2027-03-10", owner=world.bob.member.pk
    )
    world.deal(name="Too small", amount="10", expected_close_date="2027-03-10")
    world.deal(name="Too late", amount="5000", expected_close_date="2028-01-01")
    sign_in("bob@example.com")

    page.click("a:has-text('Deals') >> nth=0")
    page.click("text=Filters")
    page.fill("input[name=amount_from]", "1000")
    page.fill("input[name=expected_close_date_from]", "2027-03-01")
    page.fill("input[name=expected_close_date_to]", "2027-03-31")
    page.click("#filter-form button[type=submit]")
    page.wait_for_url("**amount_from=1000**")
    titles = page.locator(".field-title").all_inner_texts()
    assert [title.strip() for title in titles] == ["Right one"]

    page.click(".field-title a")
    page.click(".crm-page-tabs >> text=Edit")
    page.fill("input[name=name]", "Typed before the refusal")
    page.fill("input[name=amount]", "12.345")
    page.click("button[name=_save]")
    page.wait_for_selector("text=nothing is rounded")
    assert page.input_value("input[name=name]") == "Typed before the refusal"
    assert page.input_value("input[name=amount]") == "12.345"

    page.fill("input[name=amount]", "12.34")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")
    page.click(".crm-actions >> text=Win")
    page.click("button:has-text('Win')")
    page.wait_for_selector("text=Typed before the refusal: won.")

    _, secret = create_token(actor=world.bob, name="browser")
    answer = client.get(f"/api/deals/{deal.uuid}", headers={"authorization": f"Bearer {secret}"}).json()
    assert (answer["status"], answer["amount"], answer["stage"]["name"]) == ("won", "12.34", "Won")


def test_a_pipeline_with_five_stages(page, sign_in, world):
    sign_in("mary@example.com")

    page.goto("/admin/pipelines/pipeline/add/")
    page.fill("input[name=name]", "New business")
    names = ["Lead", "Call", "Offer", "Talk", "Signed"]
    for index, name in enumerate(names):
        if page.locator(f"input[name=stages-{index}-name]").count() == 0:
            page.click("text=Add another")
        page.fill(f"input[name=stages-{index}-name]", name)
        page.fill(f"input[name=stages-{index}-probability]", str(20 * index))
    page.select_option("select[name=stages-4-kind]", "won")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was added successfully")

    pipeline = Pipeline.objects.get(name="New business")
    assert [stage.name for stage in stages_of(pipeline)] == names
    assert stages_of(pipeline)[4].kind == "won"


def test_a_deal_is_added_with_a_contact_found_by_typing(page, sign_in, world):
    person = world.person(first_name="Sophie", last_name="Martin")
    sign_in("bob@example.com")

    page.click("text=Add deal")
    page.fill("input[name=name]", "With Sophie")
    page.click(".field-row:has(#id_contact) .select2-selection, #id_contact + .select2 .select2-selection")
    page.keyboard.type("sophie")
    page.click(".select2-results__option:has-text('Sophie Martin')")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was added successfully")

    assert Deal.objects.get(name="With Sophie").contact == person


def test_the_palette_finds_a_deal(page, sign_in, world):
    world.deal(name="Needle in the haystack")
    sign_in("bob@example.com")

    page.keyboard.press("Control+k")
    page.keyboard.type("needle", delay=30)
    page.click("#command-results-list a:has-text('Needle in the haystack')")

    page.wait_for_selector(".crm-deal-title")
    assert page.input_value("input[name=name]") == "Needle in the haystack"


def test_what_somebody_saved_meanwhile_is_shown(page, sign_in, world):
    from decimal import Decimal

    from deals.services import update_deals

    deal = world.deal(name="Shared", amount="100")
    sign_in("bob@example.com")
    page.goto(f"/admin/deals/deal/{deal.pk}/change/#edit")
    update_deals(actor=world.alice, changes=[(deal, {"amount": Decimal(200)})])

    page.fill("input[name=name]", "Bob's name")
    page.click("button[name=_save]")
    page.wait_for_selector("#saved-meanwhile >> text=Alice")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")

    deal.refresh_from_db()
    assert (deal.name, deal.amount) == ("Bob's name", 200)
