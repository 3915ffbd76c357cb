"""Pages that no address leads to: refusals, somebody else's changes, an import on its way, a secret shown once.

Each scene is played as a person would, on the demo; some leave a row behind.
"""

import time
from collections.abc import Callable
from typing import Any

FIRST_DEAL = "/admin/deals/deal/?status=open&amount_from=9000"
FILE = """external_id,name,amount,stage,contact_email,expected_close_date
W-1,Scene one,1200.00,Nouveau lead,claire.dubois@acme.example,2027-02-01
W-2,Scene two,twelve,Nouveau lead,claire.dubois@acme.example,2027-02-30
W-3,Scene three,88.5,Qualification,hello@acme.example,2027-03-01
"""
MENDED = FILE.replace("twelve", "12").replace("02-30", "02-28")


def open_deal(page: Any, base: str) -> None:
    page.goto(f"{base}{FIRST_DEAL}")
    page.locator(".field-title a").first.click()
    page.click(".crm-page-tabs >> text=Edit")
    page.wait_for_selector("input[name=name]")


def refused(page: Any, base: str) -> None:
    open_deal(page, base)
    page.fill("input[name=amount]", "12.345")
    page.get_by_text("State", exact=True).click()
    page.select_option("select[name=status]", "lost")
    page.select_option("select[name=stage]", index=1)
    page.click("button[name=_save]")
    page.wait_for_load_state()


def saved_meanwhile(page: Any, base: str) -> None:
    open_deal(page, base)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("textarea[name=description]")
    other.fill("textarea[name=description]", f"Called at {time.strftime('%H:%M:%S')}; they want an offer.")
    other.click("button[name=_save]")
    other.wait_for_load_state()
    other.close()
    page.fill("textarea[name=description]", "Sent the offer.")
    page.click("button[name=_save]")
    page.wait_for_selector("#saved-meanwhile")


def upload(page: Any, base: str, content: str) -> None:
    page.goto(f"{base}/admin/imports/import/add/?kind=deals")
    file = {"name": "deals.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_selector("[data-state=ready]")


def mapping(page: Any, base: str) -> None:
    upload(page, base, FILE)


def previewed(page: Any, base: str) -> None:
    upload(page, base, FILE)
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_selector("[data-state=previewed]")


def import_refused(page: Any, base: str) -> None:
    upload(page, base, FILE)
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_selector("[data-state=refused]")


def imported(page: Any, base: str) -> None:
    upload(page, base, MENDED)
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_selector("[data-state=done], [data-state=refused]")


def imports(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/imports/import/")


def secret(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/accounts/apitoken/add/")
    page.fill("input[name=name]", "Web shop")
    page.click("button[name=_save]")
    page.wait_for_selector("#token-secret")


def palette(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/")
    page.keyboard.press("Control+k")
    page.keyboard.type("acme", delay=30)
    page.wait_for_selector("#command-results-list a")


def chosen(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/deals/deal/")
    for index in (0, 2):
        page.locator("input.action-select").nth(index).check()
    page.select_option("select[name=action]", label="Lose")


def several(page: Any, base: str) -> None:
    chosen(page, base)
    page.click("#changelist-actions button[type=submit]")
    page.wait_for_selector(".crm-action")


def nothing_matches(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/deals/deal/?q=nothing+of+the+kind")


def timeline(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/deals/deal/?status=won&amount_from=9000")
    page.locator(".field-title a").nth(4).click()
    page.wait_for_selector("[data-timeline] .crm-change")


def deactivation(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/accounts/member/?q=omar")
    page.locator(".field-full_name a").first.click()
    page.locator(".crm-actions >> text=Deactivate").click()
    page.wait_for_selector(".crm-action")


def tab(page: Any, base: str, name: str) -> None:
    open_deal(page, base)
    page.locator("#content-main form nav").get_by_text(name, exact=True).click()


def merge(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/contacts/contact/?kind=person")
    boxes = page.locator("input.action-select")
    ids = [boxes.nth(place).get_attribute("value") for place in range(2)]
    page.goto(f"{base}/admin/contacts/contact/action/merge/?ids={','.join(ids)}")


def duplicates(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/contacts/contact/?kind=person")
    name = page.locator(".field-full_name a").first.inner_text()
    page.goto(f"{base}/admin/contacts/contact/add/")
    first, _, last = name.partition(" ")
    page.fill("[name=first_name]", first)
    page.fill("[name=last_name]", last)
    page.wait_for_selector(".crm-duplicates li")


def planning(page: Any, base: str) -> None:
    page.goto(f"{base}/admin/?whose=all")
    page.locator("[data-plan]").first.click()
    page.wait_for_selector(".crm-work .crm-log")
    page.locator(".crm-work .crm-log").scroll_into_view_if_needed()


SCENES: dict[str, Callable[[Any, str], None]] = {
    "home-plan": planning,
    "deal-refused": refused,
    "deal-saved-meanwhile": saved_meanwhile,
    "deal-timeline": timeline,
    "deal-custom-fields": lambda page, base: tab(page, base, "Custom fields"),
    "deal-people": lambda page, base: tab(page, base, "People"),
    "deals-chosen": chosen,
    "deals-several": several,
    "deals-nothing": nothing_matches,
    "import-mapping": mapping,
    "import-previewed": previewed,
    "import-refused": import_refused,
    "import-done": imported,
    "imports": imports,
    "contacts-merge": merge,
    "contact-duplicates": duplicates,
    "member-deactivate": deactivation,
    "palette": palette,
    "token-secret": secret,
}
