#!/usr/bin/env python
"""Django's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
    # The time limit protects a server's threads; a migration or the demo may take as long as it takes.
    if sys.argv[1:2] not in (["runserver"], ["worker"]):
        os.environ.setdefault("LONG_STATEMENTS", "on")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
