"""The most expensive requests on 100,000 deals: `python -m tests.postgres python -m tests.long.costs`.

Each route of the six APIs and the admin gets its most expensive legal request, as each role. An answer that is built in
memory has at most 5 MiB and takes at most 2 s of CPU, a stream 10 s for 100,000 rows. Each role has a worker, a process
of its own, which stays below 300 MiB.
"""

import argparse
import logging
import os
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

from tests.long.servers import fresh_database
from tests.server import UNLIMITED

MIB = 1024 * 1024
MEMORY_LIMIT = 300
# Cheaper requests are not printed.
SHOWN_SECONDS = 0.5
ROLES = ("viewer", "rep", "manager", "admin")
SLUG = "load"


def memory(file: str, name: str) -> float:
    """A figure of this process in MiB: VmHWM is its largest resident set so far, Pss its present share."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/self/{file}").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--roles", nargs="*", choices=ROLES, default=ROLES)
    parser.add_argument("--worker", choices=ROLES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(options.worker)
    with fresh_database() as url, tempfile.TemporaryDirectory() as static:
        environment = {
            "ENV_FILE": "",
            "SECRET_KEY": "x" * 50,
            "ALLOWED_HOSTS": "testserver",
            "BEHIND_TLS": "off",
            "DATABASE_URL": url,
            "LOG_LEVEL": "CRITICAL",
            "TASK_WORKER": "command",
            "DJANGO_SETTINGS_MODULE": "crm_project.settings",
            **UNLIMITED,
        }
        os.environ.update(environment, COSTS_STATIC=static, LONG_STATEMENTS="on")
        fill(options.deals)
        # The limits of a server's statements are for the walk alone.
        del os.environ["LONG_STATEMENTS"]
        line = [sys.executable, "-m", "tests.long.costs", "--worker"]
        codes = [subprocess.run([*line, role], check=False).returncode for role in options.roles]
    return int(any(codes))


def start() -> None:
    """Set Django up; the static files are where this run has collected them."""
    django.setup()
    from django.conf import settings

    settings.STATIC_ROOT = Path(os.environ["COSTS_STATIC"])
    # Refusals are logged.
    logging.disable(logging.CRITICAL)


def fill(deals: int) -> None:
    start()
    from django.core.management import call_command
    from django.db import connection

    from tests.costs import make_one_of_each
    from tests.load.loading import load

    call_command("collectstatic", interactive=False, verbosity=0)
    with closing(connection):
        call_command("migrate", verbosity=0)
        organization = load(deals=deals, slug=SLUG).organization
        make_one_of_each(people(organization))


def people(organization: Any) -> Any:
    """The admin and two members, by the names of the tests; the walk is done by another one, the last."""
    from crm_project.accounts.actors import Actor
    from tests.api.client import ApiClient

    alice, bob, viewer = map(Actor, organization.members.order_by("id")[:3])
    clients = {"as_alice": ApiClient(alice), "as_bob": ApiClient(bob)}
    return SimpleNamespace(organization=organization, alice=alice, bob=bob, viewer=viewer, **clients)


def work(role: str) -> int:
    """Send the requests of a role; 1 if a bound is exceeded."""
    start()
    from django.db import connection

    from crm_project.accounts.models import Organization
    from tests.test_costs import walk

    count, exceeding, share = 0, 0, 0.0
    with closing(connection):
        for cost, exceeds in walk(Organization.objects.get(slug=SLUG), role):
            count, exceeding = count + 1, exceeding + exceeds
            share = max(share, memory("smaps_rollup", "Pss"))
            if exceeds or cost.cpu > SHOWN_SECONDS:
                sign = "EXCEEDS" if exceeds else ""
                line = f"{role:8} {cost.status} {cost.request.method} {cost.request.path[:110]} {sign}"
                print(f"{cost.cpu:6.2f} s {cost.size / MIB:6.1f} MiB  {line}", flush=True)
    resident = memory("status", "VmHWM")
    print(
        f"{role}: {count} requests, at most {resident:.0f} MiB resident, {share:.0f} MiB as a share",
        flush=True,
    )
    return int(bool(exceeding) or resident > MEMORY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
