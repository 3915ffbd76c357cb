"""Staff at work: all of Alice's may sign in to the admin, so may Charlie, the outsider, and Olivia, who operates."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.services import find_or_create_user
from tests.base import BaseTestCase

HIDDEN = re.compile(r'<input type="hidden" name="seen" value="(\d+)"')


def change_url(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def add_url(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def action_url(name: str, *rows: Any) -> str:
    path = reverse(f"admin:{rows[0]._meta.app_label}_{rows[0]._meta.model_name}_action", args=[name])
    return f"{path}?ids={','.join(str(row.pk) for row in rows)}"


class StaffTestCase(BaseTestCase):
    """Each test begins signed in as Bob, a rep."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        User.objects.update(is_staff=True)
        cls.operator = find_or_create_user(
            email="operator@example.com", full_name="Olivia", is_staff=True, is_superuser=True
        )

    def setUp(self) -> None:
        self.sign_in(self.bob)

    def sign_in(self, who: Actor | User) -> Client:
        self.client.force_login(who.member.user if isinstance(who, Actor) else who)
        return self.client

    def page(self, url: str, status: int = 200) -> str:
        """The page as text; the test fails where the status is another one."""
        response = self.client.get(url)
        assert response.status_code == status, f"{url}: {response.status_code}"
        return response.content.decode()

    def form(self, url: str) -> dict[str, Any]:
        """What the page's form would send if nothing were typed."""
        response = self.client.get(url)
        assert response.status_code == 200, f"{url}: {response.status_code}"
        return typed(response)

    def save(self, url: str, **changes: Any) -> Any:
        """Open the form, type the changes and save."""
        return self.client.post(url, {**self.form(url), **changes})


def typed(response: Any) -> dict[str, Any]:
    """The values that a browser would send back from a change form."""
    admin_form = response.context["adminform"]
    forms = [admin_form.form]
    data: dict[str, Any] = {}
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    shown = {name for _, options in admin_form.fieldsets for name in _flat(options["fields"])}
    for form in forms:
        for field in form:
            if form is admin_form.form and field.name not in shown and not field.is_hidden:
                continue
            _type_in(data, field)
    return data


def _flat(names: Any) -> list[str]:
    return [part for name in names for part in (name if isinstance(name, list | tuple) else [name])]


def _type_in(data: dict[str, Any], field: Any) -> None:
    value = field.value()
    if value is None or value is False:
        return
    if value is True:
        data[field.html_name] = "on"
    elif isinstance(value, list | tuple):
        data[field.html_name] = [str(getattr(item, "pk", item)) for item in value]
    else:
        data[field.html_name] = (
            str(field.field.widget.format_value(value) or "") if _is_text(field) else str(value)
        )


def _is_text(field: Any) -> bool:
    return hasattr(field.field.widget, "input_type") and field.field.widget.input_type not in (
        "select",
        "checkbox",
    )


def errors(response: Any) -> dict[str, list[str]]:
    """The errors of the form, by field."""
    return {name: list(told) for name, told in response.context["adminform"].form.errors.items()}
