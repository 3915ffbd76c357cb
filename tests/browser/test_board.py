"""The board in a real browser: cards moved by mouse, touch, keyboard and select, by one person and by two."""

import datetime

import pytest
from playwright.sync_api import expect

from deals.models import Deal
from deals.services import trash_deals, update_deals
from pipelines.services import update_stage
from tests.browser.chromium import browser_context
from tests.browser.conftest import PASSWORD
from tests.factories import CompanyFactory, LostReasonFactory, StageFactory

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

BOARD = "/admin/deals/deal/board/"
WIDTHS = (390, 768, 1280, 1440)
LONGEST = ("Renouvellement du contrat-cadre et extension de licence 2026", "Wdrożenia Kowalscy sp. z o.o.")
# Texts that do not fit, and parts of the page that stick out of their column.
CLIPPED = """() => [...document.querySelectorAll("#kb :is(h2, .kb-figures > *, li, li > p, li b, li time, li span)")]
    .filter(element => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline")
    .map(element => element.outerHTML.slice(0, 120))"""
OVERLAPPING = """() => [...document.querySelectorAll("#kb li")].flatMap(card => {
    const boxes = [...card.children].filter(part => part.matches("p, a")).map(part => part.getBoundingClientRect());
    const overlap = boxes.some((box, index) => index && box.top < boxes[index - 1].bottom - 1);
    return overlap ? [card.outerHTML.slice(0, 120)] : [];
})"""
SMALL = """() => [...document.querySelectorAll("#kb :is(a, button, input:not([type=hidden]), select, summary)")]
    .filter(element => element.offsetParent !== null && element.checkVisibility())
    .map(element => [element, element.matches("li:not(.kb-more) > a") ? element.parentElement : element])
    .map(([element, area]) => [element, area.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.height < 44 || box.width < 44))
    .map(([element, box]) => `${element.outerHTML.slice(0, 100)} ${box.width}x${box.height}`)"""


@pytest.fixture
def stages(world):
    """The columns by name."""
    return {stage.name: stage for stage in (world.new, world.offer, world.won, world.lost)}


def card(page, name):
    return page.locator("#kb li", has_text=name)


def column(page, stage):
    return page.locator(f'.kb-column[data-to="{stage.pk}"]')


def names(page, stage):
    return column(page, stage).locator("li > a").all_inner_texts()


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, source, to):
    """One drag with the mouse: `to` is asked for when the drag has begun, since drop zones appear then."""
    source.scroll_into_view_if_needed()
    x, y = middle(source)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 4, steps=3)
    page.mouse.move(*middle(to), steps=6)
    page.mouse.up()


def message(page, text):
    expect(page.locator("#kb-message")).to_contain_text(text)


def open_board(page, sign_in, email="bob@example.com", query=""):
    sign_in(email)
    page.goto(BOARD + query)
    return page


def test_a_drag_moves_a_card_and_the_message_undoes_it(page, sign_in, world):
    deal = world.deal(name="Roof", amount="1500")
    open_board(page, sign_in)

    drag(page, card(page, "Roof"), column(page, world.offer))
    message(page, "Roof: moved to Offer.")
    assert (names(page, world.new), names(page, world.offer)) == ([], ["Roof"])
    expect(column(page, world.offer).locator(".kb-figures")).to_contain_text("1,500 EUR")
    expect(column(page, world.new).locator(".kb-figures")).not_to_contain_text("EUR")
    deal.refresh_from_db()
    assert deal.stage == world.offer

    # The card has its new version: it can be moved again at once.
    drag(page, card(page, "Roof"), column(page, world.new))
    message(page, "Roof: moved to New.")

    page.click("#kb-message >> text=Undo")
    message(page, "change undone")
    assert names(page, world.offer) == ["Roof"]
    deal.refresh_from_db()
    assert deal.stage == world.offer


def test_a_click_opens_the_deal_and_a_drag_does_not(page, sign_in, world):
    deal = world.deal(name="Roof")
    open_board(page, sign_in)

    drag(page, card(page, "Roof"), column(page, world.new))
    assert page.url.endswith(f"/board/{world.pipeline.pk}/")
    card(page, "Roof").click(position={"x": 20, "y": 40})

    page.wait_for_url(f"**/deals/deal/{deal.pk}/change/")


def test_escape_ends_a_drag(page, sign_in, world):
    deal = world.deal(name="Roof")
    open_board(page, sign_in)
    page.mouse.move(*middle(card(page, "Roof")))
    page.mouse.down()
    page.mouse.move(*middle(column(page, world.offer)), steps=5)

    page.keyboard.press("Escape")
    page.mouse.up()

    assert names(page, world.new) == ["Roof"]
    deal.refresh_from_db()
    assert deal.stage == world.new


def test_two_keys_move_a_card(page, sign_in, world):
    deal = world.deal(name="Roof")
    open_board(page, sign_in)
    card(page, "Roof").locator("a").focus()

    page.keyboard.press("ArrowRight")
    expect(page.locator("#kb-said")).to_contain_text("Offer, 2 of 4. Enter drops it.")
    page.keyboard.press("Enter")

    message(page, "Roof: moved to Offer.")
    deal.refresh_from_db()
    assert deal.stage == world.offer
    assert page.evaluate("document.activeElement.textContent") == "Roof"


def test_the_keyboard_reaches_every_card_puts_one_back_and_wins_one(page, sign_in, world):
    for name in ("Third", "Second", "First"):
        deal = world.deal(name=name)
    open_board(page, sign_in)
    card(page, "First").locator("a").focus()

    for key, focused in (("ArrowDown", "Second"), ("ArrowDown", "Third"), ("ArrowUp", "Second")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == focused
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    assert names(page, world.offer) == ["Second"]
    page.keyboard.press("Escape")
    assert names(page, world.new) == ["First", "Second", "Third"]
    expect(page.locator("#kb-said")).to_contain_text("Second was put back.")

    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    message(page, "First: won.")
    assert names(page, world.new) == ["Second", "Third"]
    deal.refresh_from_db()
    assert deal.status == "won"


def test_a_finger_moves_a_card_and_scrolls_without_moving_one(page, sign_in, world):
    for number in range(12):
        world.deal(name=f"Filler {number}")
    touch = Touch(page)
    page.set_viewport_size({"width": 768, "height": 800})
    open_board(page, sign_in)
    source, target = card(page, "Filler 11"), column(page, world.offer)

    touch.start(*middle(source))
    page.wait_for_selector(".kb-ghost")
    touch.move(*middle(target))
    touch.move(middle(target)[0] + 3, middle(target)[1])
    page.wait_for_selector(".kb-column.kb-over")
    touch.end()
    message(page, "Filler 11: moved to Offer.")
    assert Deal.objects.get(stage=world.offer).name == "Filler 11"

    # A finger that moves at once scrolls the column.
    x, y = middle(card(page, "Filler 9"))
    touch.start(x, y)
    for step in range(1, 8):
        touch.move(x, y - 30 * step)
    touch.end()
    page.wait_for_function("document.querySelector('.kb-column ol').scrollTop > 0")
    assert Deal.objects.filter(stage=world.offer).count() == 1


class Touch:
    """A finger, by the protocol of the browser: Playwright has taps alone."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 1})

    def send(self, kind, points):
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def start(self, x, y):
        self.send("touchStart", [{"x": x, "y": y}])

    def move(self, x, y):
        self.send("touchMove", [{"x": x, "y": y}])

    def end(self):
        self.send("touchEnd", [])


def test_a_deal_is_lost_with_a_reason_by_a_drag_and_one_click(page, sign_in, world):
    reason = LostReasonFactory(actor=world.alice, name="Too expensive")
    lost, kept = world.deal(name="Roof"), world.deal(name="Pool")
    open_board(page, sign_in)

    drag(page, card(page, "Pool"), page.locator("#kb-zones [data-to=lost]"))
    expect(page.locator("#kb-lose")).to_contain_text("Pool")
    page.keyboard.press("Escape")
    expect(page.locator("#kb-lose")).to_be_hidden()
    assert names(page, world.new) == ["Pool", "Roof"]

    drag(page, card(page, "Roof"), page.locator("#kb-zones [data-to=lost]"))
    page.click("#kb-lose >> text=Too expensive")
    message(page, "Roof: lost.")

    assert names(page, world.new) == ["Pool"]
    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.status, lost.stage, lost.lost_reason) == ("lost", world.lost, reason)
    assert kept.status == "open"


def test_of_two_people_the_second_sees_who_moved_the_card(page, sign_in, world):
    deal = world.deal(name="Roof")
    third = StageFactory(actor=world.alice, pipeline=world.pipeline.pk, name="Talks")
    open_board(page, sign_in)
    update_deals(actor=world.alice, changes=[(deal, {"stage": world.offer.pk})])

    drag(page, card(page, "Roof"), column(page, third))

    message(page, "changed meanwhile by Alice on")
    assert (names(page, world.offer), names(page, third)) == (["Roof"], [])
    drag(page, card(page, "Roof"), column(page, third))
    message(page, "Roof: moved to Talks.")
    deal.refresh_from_db()
    assert deal.stage == third


def test_a_refused_move_puts_the_card_back(page, sign_in, world):
    deal = world.deal(name="Roof")
    world.deal(name="Pool")
    open_board(page, sign_in)
    # Lost deals need a reason, for which the page has not asked.
    update_stage(actor=world.alice, stage=world.offer, change={"kind": "lost"})

    drag(page, card(page, "Roof"), column(page, world.offer))

    message(page, "This stage closes deals as lost now. Reload the board.")
    assert names(page, world.new) == ["Pool", "Roof"]
    deal.refresh_from_db()
    assert (deal.stage, deal.status) == (world.new, "open")


def test_a_trashed_deal_leaves_the_board(page, sign_in, world):
    deal = world.deal(name="Roof")
    open_board(page, sign_in)
    trash_deals(actor=world.alice, rows=[deal])

    drag(page, card(page, "Roof"), column(page, world.offer))

    message(page, "This deal is no longer here")
    assert page.locator("#kb li").count() == 0


def test_the_select_of_a_card(page, sign_in, world):
    deal = world.deal(name="Roof")
    open_board(page, sign_in)

    card(page, "Roof").hover()
    page.click("text=Move")
    page.select_option("#kb li select", label="Won")
    page.click("#kb li button:text-is('Move'):visible")

    message(page, "Roof: moved to Won.")
    deal.refresh_from_db()
    assert deal.status == "won"


def test_the_select_of_a_card_without_javascript(live_server, world):
    deal = world.deal(name="Roof")
    with browser_context(base_url=live_server.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/admin/login/?next={BOARD}")
        page.fill("input[name=username]", "bob@example.com")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.hover("#kb li")
        page.click("#kb li >> text=Move")
        page.select_option("#kb li select", label="Offer")
        page.click("#kb li form button")
        expect(page.locator("body")).to_contain_text("Roof: moved to Offer.")

    deal.refresh_from_db()
    assert deal.stage == world.offer


def test_a_deal_is_added_in_a_column_with_a_contact_found_by_typing(page, sign_in, world):
    person = world.person(first_name="Sophie", last_name="Martin")
    open_board(page, sign_in)

    column(page, world.offer).locator(".kb-add").click()
    page.keyboard.type("From a phone call")
    page.keyboard.press("Tab")
    page.keyboard.type("1200.50")
    page.keyboard.press("Tab")
    page.keyboard.type("sophie")
    page.wait_for_selector("#kb-contacts option", state="attached")
    page.fill("input[name=contact_text]", page.locator("#kb-contacts option").first.get_attribute("value"))
    page.keyboard.press("Enter")

    message(page, "From a phone call: added to Offer.")
    assert names(page, world.offer) == ["From a phone call"]
    deal = Deal.objects.get()
    assert (deal.stage, deal.contact, deal.owner) == (world.offer, person, world.bob.member)


def test_what_was_typed_stays_when_an_added_deal_is_refused(page, sign_in, world):
    open_board(page, sign_in)
    column(page, world.new).locator(".kb-add").click()
    page.keyboard.type("Roof")
    page.fill("input[name=amount]", "1.234")

    page.keyboard.press("Enter")
    message(page, "nothing is rounded")
    page.fill("input[name=amount]", "1.23")
    page.keyboard.press("Enter")

    message(page, "Roof: added to New.")
    assert Deal.objects.count() == 1


def test_filters_stay_in_the_address_and_after_a_move(page, sign_in, world):
    world.deal(name="Large roof", amount="900", owner=world.bob.member.pk)
    world.deal(name="Small roof", amount="10", owner=world.bob.member.pk)
    world.deal(name="Pool", amount="900", owner=world.alice.member.pk)
    open_board(page, sign_in)

    page.click("summary")
    page.select_option("select[name=owner]", label="Bob")
    page.fill("input[name=amount_from]", "100")
    page.click("text=Apply")
    page.wait_for_url("**amount_from=100**")
    assert names(page, world.new) == ["Large roof"]
    drag(page, card(page, "Large roof"), column(page, world.offer))
    message(page, "moved to Offer.")
    page.reload()
    assert (names(page, world.new), names(page, world.offer)) == ([], ["Large roof"])

    column(page, world.offer).locator(".kb-figures a").click()
    page.wait_for_selector("#result_list")
    assert [title.strip() for title in page.locator(".field-title").all_inner_texts()] == ["Large roof"]
    page.click("a:has-text('Board') >> nth=-1")
    page.wait_for_selector("#kb")
    assert "amount_from=100" in page.url


def test_show_more(page, sign_in, world):
    for number in range(25):
        world.deal(name=f"Deal {number}")
    open_board(page, sign_in)
    assert len(names(page, world.new)) == 21

    page.click("text=Show more")
    page.wait_for_function("document.querySelectorAll('#kb li').length === 25")

    assert sorted(names(page, world.new)) == sorted(f"Deal {number}" for number in range(25))
    drag(page, card(page, "Deal 24"), column(page, world.offer))
    message(page, "Deal 24: moved to Offer.")


def test_a_viewer_drags_nothing(page, sign_in, world):
    world.deal(name="Roof")
    open_board(page, sign_in, "victor@example.com")

    drag(page, card(page, "Roof"), column(page, world.offer))

    assert names(page, world.new) == ["Roof"]
    assert page.locator("#kb li button, .kb-add, #kb-zones").count() == 0


def test_nothing_is_clipped_and_what_a_thumb_needs_is_large_enough(page, sign_in, world):
    company = CompanyFactory(actor=world.alice, name=LONGEST[1])
    late = datetime.date(2024, 1, 1)
    for stage in (world.new, world.offer):
        update_stage(actor=world.alice, stage=stage, change={"name": f"{stage.name} und Angebotserstellung"})
        for currency in ("EUR", "JPY", "PLN"):
            world.deal(
                name=LONGEST[0],
                amount="1269000.50" if currency == "EUR" else "1269000",
                currency=currency,
                stage=stage.pk,
                client=company.pk,
                owner=world.bob.member.pk,
                expected_close_date=late,
                is_private=True,
            )
    open_board(page, sign_in)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CLIPPED) == [], width
            assert page.evaluate(OVERLAPPING) == [], width
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(SMALL) == []
    column(page, world.new).locator(".kb-add").click()
    assert page.evaluate(SMALL) == []
    page.click("summary")
    assert page.evaluate(SMALL) == []
