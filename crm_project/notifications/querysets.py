"""Queryset of notifications: `Notification.objects.visible_to(member).unread()`."""

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from crm_project.activities.models import Activity
from crm_project.imports.models import Import
from deals.models import Deal

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

# The models of the rows that notifications are about, by `row_kind`.
MODELS: Mapping[str, Any] = {"deal": Deal, "activity": Activity, "import": Import}


class NotificationQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """The member's own, of rows that the member may see now."""
        return self.filter(in_bell=True).of_visible_rows(member)

    def of_visible_rows(self, member: "Member") -> Self:
        visible = Q(pk__in=[])
        for kind, model in MODELS.items():
            rows = model.objects.visible_to(member).order_by().filter(pk=OuterRef("row_id"))
            visible |= Q(Exists(rows), row_kind=kind)
        return self.filter(visible, member=member.pk, organization=member.organization_id)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def older_than(self, before: datetime.datetime) -> Self:
        return self.filter(created_at__lt=before)
