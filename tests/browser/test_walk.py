"""Every page of the admin in a browser, in both themes and on a phone: nothing in the console, nothing beside it."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import Member, Organization, User
from crm_project.accounts.services import create_token
from crm_project.imports.files import receive
from crm_project.imports.services import upload_file
from crm_project.mail.models import Message
from crm_project.notifications.models import Notification
from crm_project.webhooks.models import WebhookDelivery
from crm_project.webhooks.services import create_webhook, send_test
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.notifications.base import read_all
from tests.staff.base import action_url, add_url, change_url, list_url
from tests.tasks import run_tasks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = [
    ({"width": 1360, "height": 900}, "light"),
    ({"width": 390, "height": 844}, "dark"),
]
# What an eye reads beside a field, a screen reader needs too.
NAMELESS = """() => ["input:not([type=hidden])", "select", "textarea", "button", "a[href]"]
    .flatMap(name => [...document.querySelectorAll(`#page ${name}`)])
    .filter(element => element.offsetParent !== null)
    .filter(element => element.matches("button, a")
        ? !(element.textContent.trim() || element.ariaLabel || element.title)
        : !(element.labels?.length || element.ariaLabel || element.title || element.getAttribute("aria-labelledby")))
    .map(element => element.outerHTML.slice(0, 150))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def rows(world):
    """One row of every model that has pages."""
    long = "Nospaces" * 31
    world.deal(name=long, owner=world.alice.member.pk)
    read_all()
    Message.objects.all().delete()
    company = CompanyFactory(actor=world.alice, name="شركة الاختبار <b>&amp;</b>")
    field = CustomFieldFactory(actor=world.alice, type="multiselect", options=["north", "south"])
    CustomFieldFactory(actor=world.alice, type="heading", label=long)
    deal = world.deal(name=long, client=company.pk, amount="999999999999.99", bid_type="fixed")
    token, _ = create_token(actor=world.alice, name="shop")
    source = upload_file(actor=world.alice, kind="deals", upload=receive("d.csv", [b"name,amount\nA,1\n"]))
    reason = LostReasonFactory(actor=world.alice)
    webhook, delivery = webhook_rows(world, long)
    invite_member(actor=world.alice, email=f"{long[:60]}@{long[:60]}.example.com")
    Message.objects.update(failed_at=timezone.now(), error=f"550 <{long}>: no such user")
    message = Message.objects.get()
    known = (
        deal,
        company,
        world.pipeline,
        world.new,
        reason,
        field,
        token,
        source,
        message,
        webhook,
        delivery,
    )
    return [*known, Member.objects.first(), Organization.objects.first(), User.objects.first()]


def webhook_rows(world, long):
    change = {"url": f"https://example.com/{long}", "events": ["*"], "description": long}
    webhook, _ = create_webhook(actor=world.alice, change=change)
    delivery = send_test(actor=world.alice, webhook=webhook)
    delivery.body = delivery.answer = long
    delivery.save()
    return webhook, delivery


def addresses(world):
    """Every list, with and without rows, every form, every action."""
    yield from ("/admin/", "/admin/organization/", "/admin/password_change/")
    yield action_url("merge", world.person(first_name="Nospaces" * 31), world.person(city="Wien"))
    yield reverse("admin:deals_deal_board", args=[world.pipeline.pk])
    yield from (list_url(Notification), reverse("admin:notifications_notification_settings"))
    for row in rows(world):
        model, listing = type(row), list_url(type(row))
        page = admin.site._registry[model]
        yield from (listing, f"{listing}?q=nothing+like+it")
        yield change_url(row)
        yield from (f"{listing}?trash=only",) if page.has_trash else ()
        yield from (add_url(model),) if model not in (type(world.new), WebhookDelivery, Message) else ()
        yield from (action_url(action.name, row) for action in page.row_actions if not action.on_trash)


def test_every_page(page, sign_in, world):
    User.objects.filter(email="alice@example.com").update(is_superuser=True)
    found = list(dict.fromkeys(addresses(world)))
    assert len(found) > 50
    failed = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    sign_in("alice@example.com")
    for url in found:
        page.goto(url)
        for viewport, scheme in LOOKS:
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            assert page.title().strip(" |"), url
            assert page.locator("h1").count() == 1, url
            assert page.locator("h1").inner_text().strip(), url
            assert page.evaluate(TOO_WIDE) <= 0, (url, viewport)
            assert page.evaluate(NAMELESS) == [], url
    assert not failed


def test_every_page_without_a_session(page, world):
    user = User.objects.get(email="bob@example.com")
    token, uid = default_token_generator.make_token(user), urlsafe_base64_encode(force_bytes(user.pk))
    _, secret = invite_member(actor=world.alice, email=f"{'long' * 15}@example.com")
    pages = (
        reverse("admin:login"),
        reverse("admin:password_reset"),
        reverse("admin:password_reset_sent"),
        reverse("admin:password_reset_done"),
        reverse("admin:password_reset_confirm", args=[uid, token]),
        f"{reverse('admin:accept_invitation')}?token={secret}",
    )
    for url in pages:
        page.goto(url)
        for viewport, scheme in LOOKS:
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            assert page.locator("h1").inner_text().strip(), url
            assert page.evaluate(TOO_WIDE) <= 0, (url, viewport)
            assert page.evaluate(NAMELESS) == [], url


def test_the_label_of_a_password_is_not_close_under_a_text(page, world):
    _, secret = invite_member(actor=world.alice, email="nina@example.com")
    page.goto(f"{reverse('admin:accept_invitation')}?token={secret}")

    text, label = page.locator("form > p").bounding_box(), page.locator("label").bounding_box()

    assert label["y"] - (text["y"] + text["height"]) >= 12


def test_a_forgotten_password(page, world):
    page.goto("/admin/")
    page.click("text=Forgot your password?")
    page.fill("input[name=email]", "bob@example.com")
    page.click("text=Send the link")
    page.wait_for_selector("text=a link is on its way")
    run_tasks()
    page.goto(urlsplit(re.search(r"http\S+", mail.outbox[-1].body)[0]).path)
    assert page.url.endswith("/set-password/")
    page.fill("input[name=new_password1]", "another unheard of phrase")
    page.fill("input[name=new_password2]", "another unheard of phrase")
    page.click("text=Set the password")
    page.wait_for_selector("text=Your password is set")
    page.locator("a", has_text="Sign in").click()
    page.fill("input[name=username]", "bob@example.com")
    page.fill("input[name=password]", "another unheard of phrase")
    page.click("button[type=submit]")
    page.wait_for_selector(".crm-home")


def test_a_viewer_reads_without_complaints(page, sign_in, world):
    deal = world.deal(name="Seen", status="won")
    field = CustomFieldFactory(actor=world.alice, type="select", options=["a"])
    sign_in("victor@example.com")

    for row in (deal, world.pipeline, world.person(), field, world.new):
        page.goto(change_url(row))
        assert page.locator("button[name=_save]").count() == 0
        assert page.locator("h1").inner_text().strip() == str(row)


def test_a_form_is_filled_in_by_keyboard_alone(page, sign_in, world):
    sign_in("bob@example.com")
    page.goto(reverse("admin:deals_deal_add"))

    # What is typed before the page has focused its first field would be lost.
    page.wait_for_selector("input[name=name]:focus")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type("1200.50")
    tab_to(page, "Money")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=tax_rate]:visible")
    page.locator("input[name=tax_rate]").focus()
    page.keyboard.type("23")
    page.keyboard.press("Enter")

    page.wait_for_selector("text=was added successfully")
    from deals.models import Deal

    deal = Deal.objects.get(name="By keyboard")
    assert (deal.amount, deal.tax_rate) == (1200.50, "23")


def test_filters_open_and_close_by_keyboard(page, sign_in, world):
    sign_in("bob@example.com")
    page.goto("/admin/deals/deal/")

    tab_to(page, "Filters")
    page.keyboard.press("Enter")
    page.wait_for_selector("#changelist-filter:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#changelist-filter", state="hidden")


def tab_to(page, text):
    """Press Tab until what says `text` has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").strip().endswith(text):
            return
    raise AssertionError(f"{text} is out of reach of the keyboard.")
