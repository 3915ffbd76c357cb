"""The functions of outer apps that webhooks call; each is set in an AppConfig."""

from collections.abc import Callable
from dataclasses import dataclass

from crm_project.webhooks.models import Webhook


@dataclass
class Hooks:
    # paused(webhook): inform its manager, in the transaction that pauses it
    paused: Callable[[Webhook], None] = lambda webhook: None


hooks = Hooks()
