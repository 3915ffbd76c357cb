"""A process that dispatches until it is killed: `python -m tests.webhooks.dispatching`."""

import os
import time


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
    import django

    django.setup()
    from crm_project.webhooks.dispatcher import dispatch

    while True:
        dispatch()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
