"""In a browser: import a file with one bad row, mend it, import it again; nothing is doubled."""

import re

import pytest
from django.contrib.staticfiles.testing import StaticLiveServerTestCase

from crm_project.accounts.models import User
from deals.models import Deal
from tests.base import World
from tests.browser.chromium import browser_context, executable
from tests.tasks import running_worker

HEADER = "external_id,name,amount,stage\n"
GOOD = "".join(f"{number},Deal {number},{number}.50,Offer\n" for number in range(1, 40))
HUBSPOT = (
    "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date,Deal owner\n"
    "1,One,Appointment,Sales Pipeline,1000.50,2027-01-31 10:00,2025-01-01 10:00,Bob\n"
    "2,Two,Qualified,Sales Pipeline,2000.50,2027-01-31 10:00,2025-01-02 10:00,Bob\n"
    "3,Three,Demo,Sales Pipeline,3000.50,2027-01-31 10:00,2025-01-03 10:00,\n"
    "4,Four,Contract sent,Sales Pipeline,4000.50,2027-01-31 10:00,2025-01-04 10:00,Alice\n"
    "5,Five,Closed Won,Sales Pipeline,5000.50,2025-12-31 16:00,2025-01-05 10:00,Former Colleague\n"
)
BAD = "40,Deal 40,forty,Offer\n"


@pytest.mark.browser
@pytest.mark.skipif(executable() is None, reason="no Chromium was found")
class ImportTest(StaticLiveServerTestCase):
    def setUp(self):
        self.world = World()
        self.user = self.world.bob.member.user
        self.user.set_password("a long enough password")
        self.user.save()
        User.objects.filter(pk=self.user.pk).update(is_staff=True)

    def test_a_bad_row_is_mended_and_nothing_doubled(self):
        with running_worker(), browser_context(base_url=self.live_server_url) as context:
            self.page = context.new_page()
            self.page.set_default_timeout(20_000)
            self.sign_in()

            self.upload(HEADER + GOOD + BAD)
            self.press("Preview", "previewed")
            assert self.page.get_by_text("39 would be created").is_visible()
            self.press("Import", "refused")
            assert self.page.get_by_role("cell", name="41", exact=True).is_visible()
            assert self.page.get_by_role("cell", name="amount: 'forty' is not a number.").is_visible()
            assert Deal.objects.count() == 0

            self.upload(HEADER + GOOD + BAD.replace("forty", "40"))
            self.press("Import", "done")
            assert Deal.objects.count() == 40

            self.upload(HEADER + GOOD + BAD.replace("forty", "40"))
            self.press("Import", "done")
            assert self.page.get_by_text("40 were unchanged").is_visible()
            assert Deal.objects.count() == 40

    def test_a_newcomer_moves_in_from_hubspot(self):
        """Four unknown stages and a former colleague, in at most twelve clicks."""
        self.user = self.world.alice.member.user
        self.user.set_password("a long enough password")
        self.user.save()
        User.objects.filter(pk=self.user.pk).update(is_staff=True)
        with running_worker(), browser_context(base_url=self.live_server_url) as context:
            self.page = context.new_page()
            self.page.set_default_timeout(20_000)
            self.sign_in()
            self.page.goto("/admin/deals/deal/")
            # 1 to 3: the link, the file and the upload.
            self.page.locator(".crm-tools").get_by_role("link", name="Import").click()
            file = {"name": "hubspot.csv", "mimeType": "text/csv", "buffer": HUBSPOT.encode()}
            self.page.set_input_files("input[type=file]", file)
            self.page.get_by_role("button", name="Upload", exact=True).click()
            self.page.wait_for_selector("[data-state=ready]")
            assert self.page.get_by_text("This is a file of HubSpot").is_visible()
            clicks = 3
            # 4 to 9: what the unknown values mean.
            self.choose("Pipeline: Sales Pipeline", "Sales")
            for stage in ("Appointment", "Qualified", "Demo", "Contract sent"):
                self.choose(f"Stage: {stage}", "create it")
            self.choose("Owner: Former Colleague", "create a former member, without a login")
            clicks += 6
            # 10 and 11.
            self.press("Preview", "previewed")
            assert self.page.get_by_text("5 would be created").is_visible()
            self.press("Import", "done")
            clicks += 2

        assert clicks <= 12
        won = Deal.objects.get(name="Five")
        assert (won.status, won.owner.full_name, won.owner.is_active) == ("won", "Former Colleague", False)
        assert (str(won.closed_at.date()), str(won.created_at.date())) == ("2025-12-31", "2025-01-05")
        assert Deal.objects.filter(stage__name="Demo").exists()

    def choose(self, select, option):
        self.page.get_by_role("combobox", name=select, exact=True).select_option(label=option)

    def sign_in(self):
        self.page.goto("/admin/")
        self.page.fill("input[name=username]", self.user.email)
        self.page.fill("input[name=password]", "a long enough password")
        self.page.press("input[name=password]", "Enter")
        # The first sign-in leads to the first steps.
        self.page.wait_for_url(re.compile("/admin/(first-steps/.*)?$"))

    def upload(self, content):
        self.page.goto("/admin/deals/deal/")
        self.page.locator(".crm-tools").get_by_role("link", name="Import").click()
        file = {"name": "deals.csv", "mimeType": "text/csv", "buffer": content.encode()}
        self.page.set_input_files("input[type=file]", file)
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.page.wait_for_selector("[data-state=ready]")

    def press(self, button, state):
        """The page comes again until the work is done."""
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.wait_for_selector(f"[data-state={state}]")
