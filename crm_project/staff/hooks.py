"""What the admin asks of outer apps, which fill these lists in their AppConfig."""

from collections.abc import Callable

from crm_project.accounts.models import Organization

# Open an organization: name, currency, time zone, and the login of its first admin.
open_organization: list[Callable[..., Organization]] = []
