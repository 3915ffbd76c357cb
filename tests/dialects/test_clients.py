"""Published clients, unchanged but for the base URL, against a running server.

`make test-long` installs them: Python packages into `.venv/clients`, Node.js packages beside their driver.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import LiveServerTestCase

from crm_project.environment import BASE_DIR
from deals.models import Deal
from tests.base import World
from tests.dialects.base import secret_of

DRIVERS = Path(__file__).parent / "clients"
PYTHON = BASE_DIR / ".venv/clients/bin/python"
NODE = shutil.which("node")


@pytest.mark.long
class TestClients(LiveServerTestCase):
    deal = World.deal
    person = World.person

    def setUp(self) -> None:
        vars(self).update(vars(World()))
        self.organization.country = "FR"
        self.organization.save()
        self.secret = secret_of(self.bob)

    def run_client(self, *command: Any) -> str:
        url = f"{self.live_server_url}/dialects/leadconnector"
        program, driver, *more = command
        line = [program, DRIVERS / driver, url, self.secret, str(self.organization.uuid), *more]
        done = subprocess.run(line, capture_output=True, text=True, timeout=300, cwd=DRIVERS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @pytest.mark.skipif(not PYTHON.exists(), reason="`make test-long` installs the clients")
    def test_gohighlevel_api(self) -> None:
        results = json.loads(self.run_client(PYTHON, "gohighlevel.py"))

        row_id = results["created"]["id"]
        assert results["read"]["email"] == "ann@x.io"
        assert results["updated"]["city"] == "Rome"
        assert results["upserted"]["contact"]["id"] == row_id
        assert [row["id"] for row in results["listed"]] == [row_id]
        assert results["duplicate"]["contact"]["id"] == row_id
        assert results["tagged"]["tags"] == ["vip"]
        assert results["untagged"]["tags"] == []

    @pytest.mark.skipif(not PYTHON.exists(), reason="`make test-long` installs the clients")
    def test_singer_tap(self) -> None:
        ann = self.person(email="ann@x.io")
        deal = self.deal(contact=ann.pk, amount=1000)

        lines = [json.loads(line) for line in self.run_client(PYTHON, "singer.py").splitlines()]

        records = {line["stream"]: line["record"] for line in lines if line["type"] == "RECORD"}
        assert records["go_high_level_contacts"]["id"] == str(ann.uuid)
        assert records["go_high_level_opportunities"]["id"] == str(deal.uuid)
        assert records["go_high_level_opportunities"]["monetaryValue"] == 1000

    @pytest.mark.skipif(
        NODE is None or not (DRIVERS / "node_modules").exists(),
        reason="`make test-long` installs the clients",
    )
    def test_highlevel_sdk_and_0nmcp(self) -> None:
        stage = str(self.offer.uuid)

        results = json.loads(self.run_client(NODE, "leadconnector.mjs", str(self.pipeline.uuid), stage))

        refused = {name: call for name, call in results["sdk"].items() if call["status"] >= 300}
        refused |= {name: call for name, call in results["tools"].items() if not call["success"]}
        assert refused == {}
        sdk = results["sdk"]
        assert sdk["create opportunity"]["data"]["opportunity"]["monetaryValue"] == 3.3
        assert sdk["update opportunity"]["data"]["opportunity"]["pipelineStageId"] == stage
        assert results["again"] is True
        assert not Deal.objects.live().exists()
