"""Members, tokens, organizations and logins in the admin."""

from crm_project.accounts.admin import members, operators, tokens  # noqa: F401
