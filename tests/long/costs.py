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

from tests.long.faults import fresh_database

MIB = 1024 * 1024
MEMORY_LIMIT = 300


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
    options = parser.parse_args()
    with fresh_database() as url:
        environment = {
            "ENV_FILE": "",
            "SECRET_KEY": "x" * 50,
            "ALLOWED_HOSTS": "testserver",
            "BEHIND_TLS": "off",
        }
        os.environ.update(environment, DATABASE_URL=url, LOG_LEVEL="CRITICAL", IMPORT_WORKER="command")
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
        try:
            exceeding, lines = walk(organization)
        finally:
            connection.close()
    for cpu, size, role, status, method, path in lines[:25]:
        print(f"{cpu:6.2f} s {size / MIB:6.1f} MiB  {role:8} {status} {method} {path}")
    memory = highest_memory()
    print(f"{len(lines)} requests; the process had at most {memory:.0f} MiB")
    assert not exceeding, exceeding
    assert memory < MEMORY_LIMIT, f"{memory:.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())
