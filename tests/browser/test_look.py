"""Pages of deals and contacts at four widths, light and dark: no text is cut, none overlaps, nothing moves."""

import datetime
import json
import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Organization
from crm_project.languages import TRANSLATED
from deals.models import Deal
from tests.factories import CompanyFactory
from tests.staff.base import action_url, add_url, change_url, list_url
from tests.staff.test_leaks import plain_urls

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

WIDTHS = (390, 768, 1280, 1440)
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
NEEDS_AXE = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in tests/browser")
# What is no page, leads elsewhere or answers with a file.
NO_PAGES = re.compile(
    r"logout|/jsi18n|autocomplete|\.csv|\.xlsx|manifest|/search/|/r/|/password_change/done|/calendar/"
)
LONG = "Renouvellement du contrat d'entretien Kowalski-Przybyszewska & Söhne, Wąbrzeźno"
# Texts that are cut without an ellipsis, and texts that lie on each other.
FAULTS = """() => {
    const texts = [...document.querySelectorAll("#content *")].filter(element =>
        [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
        && element.checkVisibility({visibilityProperty: true, opacityProperty: true})
        && !element.closest(".crm-hidden, .crm-skip, option, .select2-hidden-accessible, script, style, .crm-submit"));
    const cut = texts.filter(element => {
        const style = getComputedStyle(element);
        return element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1 && style.display !== "inline"
            && style.overflowX !== "visible" && !["auto", "scroll"].includes(style.overflowX)
            && style.textOverflow !== "ellipsis" && style.webkitLineClamp === "none"
            && !element.matches("input, textarea, select");
    });
    // A text that wraps has a box for each of its lines, as far as the elements around it show them.
    const boxes = texts.flatMap(element => {
        const range = document.createRange();
        range.selectNodeContents(element);
        let lines = [...range.getClientRects()].map(({left, right, top, bottom}) => ({left, right, top, bottom}));
        for (let around = element; around; around = around.parentElement) {
            if (getComputedStyle(around).overflow === "visible" || around === document.body) continue;
            const edge = around.getBoundingClientRect();
            lines = lines.map(line => ({
                left: Math.max(line.left, edge.left), right: Math.min(line.right, edge.right),
                top: Math.max(line.top, edge.top), bottom: Math.min(line.bottom, edge.bottom),
            }));
        }
        return lines.map(line => [element, line]);
    }).filter(([, line]) => line.right - line.left > 1 && line.bottom - line.top > 1);
    const overlapping = [];
    for (let first = 0; first < boxes.length; first++) {
        for (let second = first + 1; second < boxes.length; second++) {
            const [[a, one], [b, two]] = [boxes[first], boxes[second]];
            const wide = Math.min(one.right, two.right) - Math.max(one.left, two.left);
            const high = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
            if (wide > 2 && high > 2 && !a.contains(b) && !b.contains(a)) {
                overlapping.push([a.outerHTML.slice(0, 90), b.outerHTML.slice(0, 90)]);
            }
        }
    }
    return [cut.map(element => element.outerHTML.slice(0, 120)), overlapping.slice(0, 5)];
}"""
SHIFT = """() => new Promise(resolve => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.hadRecentInput ? 0 : entry.value))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(sum), 100);
})"""


WRONG = f"{list_url(Deal)}?ordering=-created_at"


@pytest.fixture
def addresses(world, complaints):
    """The browser complains about the status of a page that is refused."""
    company = CompanyFactory(actor=world.alice, name=f"{LONG}, Aktiengesellschaft")
    person = world.person(
        first_name="Przemysława-Małgorzata", last_name="Wiśniewska-Kowalska", company=company.pk
    )
    deal = world.deal(
        name=LONG, client=company.pk, contact=person.pk, amount="999999999999.99", owner=world.bob.member.pk
    )
    lost = world.deal(name=LONG, status="lost")
    for kind in ("call", "meeting"):
        world.activity(type=kind, subject=LONG, deal=deal.pk, due_on=timezone.localdate())
    yield [
        "/admin/?whose=all",
        list_url(Deal),
        f"{list_url(Deal)}?status=open&amount_from=10",
        WRONG,
        change_url(deal),
        change_url(lost),
        f"{change_url(deal)}#edit",
        add_url(Deal),
        action_url("lose", deal),
        list_url(Contact),
        change_url(company),
    ]
    complaints[:] = [text for text in complaints if "the server responded with a status of 4" not in text]


def faults_of(page, urls, widths):
    """What is cut, overlaps or moves on these pages, by address and width."""
    faults = {}
    for url in urls:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 844})
            page.goto("about:blank")
            page.goto(url)
            cut, overlapping = page.evaluate(FAULTS)
            shift = page.evaluate(SHIFT)
            if cut or overlapping or shift > 0.05:
                faults[f"{url} {width}"] = (cut, overlapping, shift)
    return faults


def violations_of(page, urls):
    """What axe finds on these pages, light and dark, by rule and address."""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for url in urls:
            page.goto("about:blank")
            page.goto(url)
            page.evaluate(AXE.read_text())
            for one in page.evaluate("axe.run().then(result => result.violations)"):
                nodes = [node["html"][:150] for node in one["nodes"]][:3]
                found.setdefault(f"{one['id']} ({one['impact']})", {})[f"{url} {scheme}"] = nodes
    return found


@pytest.fixture
def every_address(world):
    """The pages without arguments, which have rows of most kinds, and one of each kind."""
    deal = world.deal(name=LONG)
    activity = world.activity(subject=LONG, deal=deal.pk, due_on=datetime.date(2026, 1, 31))
    client = Client()
    client.force_login(world.alice.member.user)
    # An address that takes a POST alone has no page.
    pages = [url for url in plain_urls() if not NO_PAGES.search(url) and client.get(url).status_code != 405]
    return [*pages, change_url(activity), change_url(world.pipeline), change_url(world.bob.member)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_text_is_cut_or_overlaps_and_nothing_moves(page, sign_in, addresses, scheme):
    sign_in("bob@example.com")
    page.emulate_media(color_scheme=scheme)

    faults = faults_of(page, addresses, WIDTHS)

    assert not faults, json.dumps(faults, indent=1)


def test_nor_on_any_other_page(page, sign_in, every_address, addresses):
    sign_in("alice@example.com")

    faults = faults_of(page, every_address, (390, 1280))

    assert not faults, json.dumps(faults, indent=1)


@pytest.mark.parametrize("language", TRANSLATED)
def test_nor_in_another_language_on_a_phone(page, sign_in, world, addresses, language):
    Organization.objects.filter(pk=world.organization.pk).update(language=language)
    sign_in("bob@example.com")

    faults = faults_of(page, addresses, (390,))

    assert not faults, json.dumps(faults, indent=1)


@NEEDS_AXE
def test_axe_finds_nothing(page, sign_in, addresses):
    sign_in("bob@example.com")

    found = violations_of(page, addresses)

    assert not found, json.dumps(found, indent=1)


@NEEDS_AXE
def test_axe_finds_nothing_on_any_other_page(page, sign_in, every_address, addresses):
    sign_in("alice@example.com")

    found = violations_of(page, every_address)

    assert not found, json.dumps(found, indent=1)
