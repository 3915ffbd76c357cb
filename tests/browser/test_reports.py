"""The page of reports in a browser: each section with figures has a chart that is drawn."""

import pytest
from django.urls import reverse

from tests.browser.chromium import executable

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(executable() is None, reason="no Chromium was found"),
]
DRAWN = """() => [...document.querySelectorAll("canvas.chart")].map(canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some(value => value > 0);
})"""


def test_every_chart_is_drawn(page, sign_in, world):
    world.deal(name="Roof", amount="900", status="won")
    world.deal(name="Pool", amount="400", status="lost")
    sign_in("bob@example.com")

    page.goto(reverse("admin:deals_deal_reports"))
    page.wait_for_timeout(1500)  # the bars grow

    drawn = page.evaluate(DRAWN)
    assert len(drawn) >= 3
    assert all(drawn), drawn
