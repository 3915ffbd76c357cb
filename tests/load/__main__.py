"""`python -m tests.load --deals 1000000`: load deals, contacts, states and events into the configured database."""

import argparse
import os
import time

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--deals", type=int, default=100_000, metavar="N")
    parser.add_argument("--slug", default="load", help="the new organization, `load` unless given")
    parser.add_argument(
        "--endless",
        type=int,
        default=15,
        metavar="PERCENT",
        help="of the deals are never closed; 15 unless given",
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
    django.setup()
    from tests.load.loading import load

    started = time.monotonic()
    loaded = load(deals=options.deals, slug=options.slug, endless=options.endless)
    print(f"{options.deals:,} deals in {time.monotonic() - started:.0f} s.")
    print(f"Organization: {loaded.organization.slug}")
    print(f"API token: {loaded.token}")


if __name__ == "__main__":
    main()
