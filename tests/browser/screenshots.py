"""Take a picture of every page of the admin in light, dark and phone width: `python -m tests.browser.screenshots DIR`.

It starts the server on the database that the environment names, which must hold the demo, and signs in with
DEMO_PASSWORD. `--only deals` takes those whose name begins so.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.browser.chromium import browser_context
from tests.browser.scenes import SCENES
from tests.server import UNLIMITED

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}
# name → where: a path, or a list and the link to follow in it.
PAGES = {
    "home": "/admin/",
    "board": "/admin/deals/deal/board/",
    "board-filtered": "/admin/deals/deal/board/?q=2026&amount_from=5000&status=any > .kb-filters summary",
    "board-views": "/admin/deals/deal/board/?amount_from=5000 > .kb-views summary",
    "deals": "/admin/deals/deal/",
    "deals-filtered": "/admin/deals/deal/?status=open&amount_from=5000&o=-2",
    "deals-filters": "/admin/deals/deal/?status=open > .crm-filters",
    "deals-trash": "/admin/deals/deal/?trash=only",
    "deal": "/admin/deals/deal/?status=open&amount_from=9000 > .field-title a",
    "deal-form": "/admin/deals/deal/?status=open&amount_from=9000 > .field-title a > .crm-page-tabs >> text=Edit",
    "deal-lost": "/admin/deals/deal/?status=lost > .field-title a",
    "deal-duplicate": "/admin/deals/deal/?status=open > .field-title a > .crm-actions >> text=Duplicate",
    "deals-mine": "/admin/deals/deal/ > .crm-tabs a",
    "deals-wrong-address": "/admin/deals/deal/?ordering=-created_at",
    "deal-add": "/admin/deals/deal/add/",
    "deal-lose": "/admin/deals/deal/?status=open&amount_from=9000 > .field-title a > .crm-actions >> text=Lose",
    "deal-move": "/admin/deals/deal/?status=open&amount_from=9000 > .field-title a > .crm-actions >> text=Move",
    "deal-undo": "/admin/deals/deal/?status=open&amount_from=9000 > .field-title a > .crm-undo",
    "activities": "/admin/activities/activity/?state=late",
    "activity-add": "/admin/activities/activity/add/",
    "reports": "/admin/deals/deal/reports/",
    "contacts": "/admin/contacts/contact/",
    "company": "/admin/contacts/contact/?kind=company > .field-full_name a",
    "company-form": "/admin/contacts/contact/?kind=company > .field-full_name a > .crm-page-tabs >> text=Edit",
    "contact-add": "/admin/contacts/contact/add/",
    "pipelines": "/admin/pipelines/pipeline/",
    "pipeline": "/admin/pipelines/pipeline/ > .field-name a",
    "pipeline-add": "/admin/pipelines/pipeline/add/",
    "stage-remove": "/admin/pipelines/pipeline/ > .field-name a > text=Remove…",
    "lost-reasons": "/admin/deals/lostreason/",
    "goals": "/admin/goals/goal/",
    "goal-add": "/admin/goals/goal/add/",
    "exchange-rates": "/admin/rates/exchangerate/",
    "exchange-rate-add": "/admin/rates/exchangerate/add/",
    "custom-fields": "/admin/records/customfield/",
    "custom-field-add": "/admin/records/customfield/add/",
    "members": "/admin/accounts/member/",
    "member": "/admin/accounts/member/ > .field-full_name a",
    "member-add": "/admin/accounts/invitation/add/",
    "tokens": "/admin/accounts/apitoken/",
    "token-add": "/admin/accounts/apitoken/add/",
    "webhooks": "/admin/webhooks/webhook/",
    "webhook": "/admin/webhooks/webhook/ > .field-__str__ a",
    "webhook-add": "/admin/webhooks/webhook/add/",
    "deliveries": "/admin/webhooks/webhookdelivery/",
    "delivery": "/admin/webhooks/webhookdelivery/ > .field-type a",
    "notifications": "/admin/notifications/notification/",
    "notification-settings": "/admin/notifications/notification/settings/",
    "mail": "/admin/mail/message/",
    # Of an empty database they show more: templates of pipelines, and guesses.
    "first-steps": "/admin/first-steps/organization/",
    "first-steps-pipeline": "/admin/first-steps/pipeline/",
    "first-steps-colleagues": "/admin/first-steps/colleagues/",
    "first-steps-deals": "/admin/first-steps/deals/",
    "forgotten-password": "/admin/password_reset/",
    "tasks": "/admin/background/storedtask/",
    "task": "/admin/background/storedtask/ > .field-name a",
    "schedule": "/admin/background/schedule/",
    "schedule-entry": "/admin/background/schedule/ > .field-name a",
    "organizations": "/admin/accounts/organization/",
    "organization-add": "/admin/accounts/organization/add/",
    "logins": "/admin/accounts/user/",
    "choose-organization": "/admin/organization/",
    "password": "/admin/password_change/",
    "import-upload": "/admin/imports/import/add/",
    "exports": "/admin/imports/export/",
    "export-long": "/admin/deals/deal/ > .crm-tools >> text=CSV",
    "export": "/admin/deals/deal/ > .crm-tools >> text=CSV > text=Write it in the background",
    "reasons-trash": "/admin/deals/lostreason/?trash=only",
    "not-found": "/nothing/here",
    "forbidden": "/admin/pipelines/stage/add/",
}

LONG = (
    "board",
    "board-filtered",
    "board-views",
    "deals",
    "deals-filtered",
    "deals-filters",
    "deals-trash",
    "deals-chosen",
    "home-plan",
    "contacts",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--looks", default=",".join(LOOKS))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base, server = serve()
    try:
        for look in options.looks.split(","):
            with browser_context(**LOOKS[look]) as context:
                take(context.new_page(), base, options.folder, look, options.only)
    finally:
        server.terminate()
        server.wait()


def serve() -> tuple[str, "subprocess.Popen[bytes]"]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        line,
        env={**os.environ, **UNLIMITED, "DEBUG": "on", "EXPORT_TASK_ROWS": "20"},
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urlopen(f"{base}/healthz").close()
            return base, server
        except OSError:
            time.sleep(0.2)
    server.terminate()
    raise SystemExit("The server did not start.")


def take(page: Any, base: str, folder: Path, look: str, only: str) -> None:
    page.goto(f"{base}/admin/login/")
    if not only or "sign-in".startswith(only):
        page.screenshot(path=folder / f"sign-in-{look}.png")
    page.fill("input[name=username]", os.environ.get("DEMO_EMAIL", "admin@example.com"))
    page.fill("input[name=password]", os.environ["DEMO_PASSWORD"])
    page.click("button[type=submit]")
    ways = {name: partial(go, way=way) for name, way in PAGES.items()} | SCENES
    for name, play in ways.items():
        if not name.startswith(only):
            continue
        play(page, base)
        page.wait_for_timeout(250)
        picture(page, folder / f"{name}-{look}.png", whole=name not in LONG)
        print(f"{name}-{look}.png", flush=True)


def picture(page: Any, path: Path, *, whole: bool) -> None:
    """A whole page by a taller window: what sticks to the window's edge would lie across a stitched one."""
    size = page.viewport_size
    if whole:
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": min(max(height, size["height"]), 3000)})
    page.screenshot(path=path)
    page.set_viewport_size(size)


def go(page: Any, base: str, way: str) -> None:
    path, *links = way.split(" > ")
    page.goto(f"{base}{path}")
    for link in links:
        if not page.locator(link).count():
            print(f"{way}: no {link}", flush=True)  # the demo has no such row
            return
        page.locator(link).first.click()
        page.wait_for_load_state()


if __name__ == "__main__":
    main()
