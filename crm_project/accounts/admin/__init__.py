"""Members, invitations, tokens, organizations and logins in the admin."""

from crm_project.accounts.admin import invitations, members, operators, tokens  # noqa: F401
