"""A saved view: the filters, the order and the columns of a list under a name, of one member or shared."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy

from crm_project.accounts.models import Member
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.models import Row
from crm_project.records.querysets import RowQuerySet


class SavedView(Row):
    """`filters` are parameters of the API's list with their values as texts, `columns` its fields."""

    class Lists(models.TextChoices):
        DEALS = "deals", gettext_lazy("Deals")
        CONTACTS = "contacts", gettext_lazy("Contacts")

    row_kind: ClassVar[str] = "saved_view"

    # Before `list`, which hides the type of that name.
    columns: Any = models.JSONField(default=list, blank=True)
    owner = RowForeignKey(Member, db_index=True, editable=False)
    name = models.CharField(max_length=255)
    list = models.CharField(max_length=16, choices=Lists)
    is_shared = models.BooleanField("shared", default=False)
    filters: Any = models.JSONField(default=dict, blank=True)
    ordering = models.CharField("order", max_length=64, blank=True)

    objects: Any = RowQuerySet.as_manager()

    class Meta:
        verbose_name = "saved view"
        constraints: ClassVar = [
            organization_key("saved_views_savedview"),
            *same_organization("saved_views_savedview", "owner"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="saved_views_newest"),
        ]

    def __str__(self) -> str:
        return self.name
