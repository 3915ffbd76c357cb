"""A process that dispatches as a worker does, until it is killed: `python -m tests.webhooks.dispatching`."""

import os
from threading import Event


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
    import django

    django.setup()
    from crm_project.background.loops import keep_calling
    from crm_project.webhooks.dispatcher import dispatch

    keep_calling("webhooks", dispatch, Event())


if __name__ == "__main__":
    main()
