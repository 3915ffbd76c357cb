"""The pages of activities in the admin."""

from crm_project.activities.admin import activities  # noqa: F401
