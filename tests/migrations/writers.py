"""Write deals with today's code in two threads until the standard input ends; prints what happened as JSON.

The connections to PostgreSQL wait at most a second for a lock: a longer wait is an error.
"""

import json
import sys
import threading
import time
from typing import Any

import django

THREADS = 2


def main() -> None:
    django.setup()
    from crm_project.accounts.actors import Actor
    from crm_project.accounts.models import Member

    member = Member.objects.select_related("user", "organization").filter(role="admin").earliest("id")
    over, report = threading.Event(), {"writes": 0, "longest": 0.0, "errors": []}
    arguments = (Actor(member), over, report)
    threads = [threading.Thread(target=write, args=(n, *arguments)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    print("writing", flush=True)
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(report))


def write(number: int, actor: Any, over: threading.Event, report: dict[str, Any]) -> None:
    from django.db import connection

    from deals.models import Deal
    from deals.services import create_deals, update_deals

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
    deals = list(Deal.objects.visible_to(actor.member).open().order_by("id")[number : 40 * THREADS : THREADS])
    try:
        count = 0
        while not over.is_set():
            count += 1
            began = time.monotonic()
            if count % 4:
                deal = deals[count % len(deals)]
                update_deals(actor=actor, changes=[(deal, {"name": f"Written {count}"})])
            else:
                create_deals(actor=actor, changes=[{"name": f"New {count}"}])
            report["writes"] += 1
            report["longest"] = max(report["longest"], time.monotonic() - began)
    except Exception as error:
        report["errors"].append(repr(error))
    finally:
        connection.close()


if __name__ == "__main__":
    main()
