"""The settings of the release after this one: its models are today's, `deals` has more migrations."""

from crm_project.settings import *  # noqa: F403

MIGRATION_MODULES = {"deals": "tests.migrations.next"}
