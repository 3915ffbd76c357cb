"""The most expensive requests on 100,000 deals: `python -m tests.postgres python -m tests.long.costs`.

Each route of the six APIs and the admin gets its most expensive legal request, as each role. An answer that is built in
memory has at most 5 MiB and takes at most 2 s of CPU, a stream 10 s for 100,000 rows; this process stays below 300 MiB.
"""

import argparse
import logging
import os
import re
import sys
from pathlib import Path

import django

from tests.long.servers import fresh_database

MIB = 1024 * 1024
MEMORY_LIMIT = 300
# Cheaper requests are not printed.
SHOWN_SECONDS = 0.5


def highest_memory() -> float:
    """The largest resident set of this process so far, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--roles", nargs="*", default=["viewer", "rep", "manager", "admin"])
    options = parser.parse_args()
    with fresh_database() as url:
        environment = {
            "ENV_FILE": "",
            "SECRET_KEY": "x" * 50,
            "ALLOWED_HOSTS": "testserver",
            "BEHIND_TLS": "off",
        }
        os.environ.update(environment, DATABASE_URL=url, LOG_LEVEL="CRITICAL", TASK_WORKER="command")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
        django.setup()
        # Refusals are logged.
        logging.disable(logging.CRITICAL)
        from django.core.management import call_command
        from django.db import connection

        from tests.load.loading import load
        from tests.test_costs import walk

        call_command("migrate", verbosity=0)
        organization = load(deals=options.deals).organization
        count, exceeding = 0, []
        try:
            for role in options.roles:
                for cost, exceeds in walk(organization, role):
                    count += 1
                    line = f"{role:8} {cost.status} {cost.request.method} {cost.request.path[:110]}"
                    if exceeds:
                        exceeding.append(line)
                    if exceeds or cost.cpu > SHOWN_SECONDS:
                        print(f"{cost.cpu:6.2f} s {cost.size / MIB:6.1f} MiB  {line}", flush=True)
                print(f"{role}: at most {highest_memory():.0f} MiB until here", flush=True)
        finally:
            connection.close()
    memory = highest_memory()
    print(f"{count} requests; the process had at most {memory:.0f} MiB")
    assert not exceeding, exceeding
    assert memory < MEMORY_LIMIT, f"{memory:.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())
