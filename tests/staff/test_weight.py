"""What a first visit of the admin transfers, with the static files as a production server serves them."""

import re
import tempfile
from urllib.parse import urljoin

from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse

from deals.models import Deal
from tests.staff.base import StaffTestCase, add_url, change_url, list_url

ACCEPTS = {"accept-encoding": "br, gzip"}
FIRST_VISIT = 400_000
IN_PAGES = re.compile(r'<(?:link href|script[^>]* src)="([^"]+)"')
IN_STYLES = re.compile(r'url\("?([^")]+)"?\)')
# Files of other documents, many and large.
OTHERS = ["drf_spectacular_sidecar", "rest_framework", "gis", "inter", "material-symbols"]
UNUSED = ("xregexp", "urlify", "prepopulate", "chart")


class WeightTests(StaffTestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="crm-static-")
        cls.addClassCleanup(folder.cleanup)
        production = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
        storages = {**settings.STORAGES, "staticfiles": production}
        cls.enterClassContext(override_settings(STATIC_ROOT=folder.name, STORAGES=storages))
        call_command("collectstatic", verbosity=0, ignore=OTHERS)
        super().setUpClass()

    def assets(self, url):
        """The answers of a page and of all that it names, by path; fonts are named by style sheets."""
        page = self.client.get(url, headers=ACCEPTS)
        answers = {url: page}
        names = IN_PAGES.findall(self.client.get(url).content.decode())
        for name in names:
            answers[name] = self.client.get(name, headers=ACCEPTS)
            if name.endswith(".css"):
                plain = b"".join(self.client.get(name)).decode()
                names += [urljoin(name, part) for part in IN_STYLES.findall(plain) if "data:" not in part]
        return answers

    def weight(self, url):
        return sum(_bytes(answer) for answer in self.assets(url).values())

    def test_a_first_visit_of_each_page_is_light(self):
        deal = self.deal(name="One")
        pages = {
            "home": reverse("admin:index"),
            "list": list_url(Deal),
            "deal": change_url(deal),
            "new deal": add_url(Deal),
        }

        weights = {name: self.weight(url) for name, url in pages.items()}

        assert max(weights.values()) <= FIRST_VISIT, weights
        print("weight of a first visit:", "; ".join(f"{name} {size:,}" for name, size in weights.items()))

    def test_files_are_cached_for_good_under_names_with_a_digest(self):
        assets = self.assets(change_url(self.deal(name="One")))
        files = {name: answer for name, answer in assets.items() if name.startswith("/static/")}

        assert len(files) > 10
        for name, answer in files.items():
            assert answer.status_code == 200, name
            assert re.search(r"\.[0-9a-f]{12}\.", name), name
            assert "immutable" in answer["Cache-Control"], name

    def test_one_file_of_the_typeface_and_no_unused_script(self):
        names = list(self.assets(change_url(self.deal(name="One"))))

        assert len([name for name in names if "Inter" in name]) == 1
        assert not [name for name in names if any(word in name for word in UNUSED)]

    def test_pages_and_answers_of_the_api_are_compressed(self):
        for number in range(50):
            self.deal(name=f"Deal {number}")
        accepts = {"accept-encoding": "gzip"}

        page = self.client.get("/admin/deals/deal/", headers=accepts)
        answer = self.client.get("/api/deals", headers={**accepts, "accept": "application/json"})

        assert page["content-encoding"] == "gzip"
        assert len(page.content) < 40_000
        assert answer["content-encoding"] == "gzip"


def _bytes(answer):
    return len(b"".join(answer) if answer.streaming else answer.content)
