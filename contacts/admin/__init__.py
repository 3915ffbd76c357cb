"""People and companies in the admin."""

from contacts.admin import contacts  # noqa: F401
