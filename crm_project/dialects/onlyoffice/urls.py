"""ONLYOFFICE's routes, as its documentation lists them; each is served with `.json`, too."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.onlyoffice.views import contacts, opportunities, people, settings, stages
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView

BASE = "api/2.0"


def route(where: str, view: Any, actions: dict[str, str], **attributes: Any) -> list[Any]:
    """Both spellings; the OpenAPI document shows the bare one. `.json` comes first: an id would swallow it."""
    suffixed = view.as_view(actions, schema=None, **attributes)
    return [
        path(f"{BASE}/{where}.json", suffixed),
        path(f"{BASE}/{where}", view.as_view(actions, **attributes)),
    ]


def custom_fields(entity: str, kind: str) -> list[Any]:
    view = settings.CustomFieldView
    return [
        *route(f"crm/{entity}/customfield/definitions", view, {"get": "definitions_list"}, kind=kind),
        *route(f"crm/{entity}/<str:pk>/customfield", view, {"get": "values_list"}, kind=kind),
        *route(f"crm/{entity}/<str:pk>/customfield/<str:field>", view, {"post": "set_value"}, kind=kind),
    ]


urlpatterns = [
    # Authentication and people
    *route("authentication", people.AuthenticationView, {"post": "create"}),
    *route("people/@self", people.PeopleView, {"get": "oneself"}),
    *route("people", people.PeopleView, {"get": "list"}),
    *route("people/<str:pk>", people.PeopleView, {"get": "retrieve"}),
    # Settings
    *route("crm/settings/currency", settings.CurrencyView, {"get": "list"}),
    *custom_fields("opportunity", "deal"),
    *custom_fields("contact", "contact"),
    *custom_fields("person", "contact"),
    *custom_fields("company", "contact"),
    # Stages
    *route("crm/opportunity/stage", stages.StageView, {"get": "list", "post": "create"}),
    *route("crm/opportunity/stage/reorder", stages.StageView, {"put": "reorder"}),
    *route(
        "crm/opportunity/stage/<str:pk>",
        stages.StageView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/opportunity/stage/<str:pk>/color", stages.StageView, {"put": "recolor"}),
    # Opportunities
    *route("crm/opportunity", opportunities.OpportunityView, {"post": "create", "put": "trash_many"}),
    *route("crm/opportunity/filter", opportunities.ListView, {"get": "list", "delete": "trash_matching"}),
    *route("crm/opportunity/filter/access", opportunities.AccessView, {"put": "set_matching"}),
    *route("crm/opportunity/access", opportunities.AccessView, {"put": "set_many"}),
    *route("crm/opportunity/byprefix", opportunities.ListView, {"get": "by_prefix"}),
    *route("crm/opportunity/bycontact/<str:contact>", opportunities.ListView, {"get": "by_contact"}),
    *route("crm/opportunity/tag", opportunities.TagView, {"get": "list"}),
    *route("crm/opportunity/tag/<str:pk>", opportunities.TagView, {"get": "of_one"}),
    *route(
        "crm/opportunity/<str:pk>",
        opportunities.OpportunityView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/opportunity/<str:pk>/stage/<str:stage>", opportunities.OpportunityView, {"put": "move"}),
    *route("crm/opportunity/<str:pk>/access", opportunities.AccessView, {"put": "set"}),
    *route("crm/opportunity/<str:pk>/contact", opportunities.MemberView, {"get": "list"}),
    *route(
        "crm/opportunity/<str:pk>/contact/<str:contact>",
        opportunities.MemberView,
        {"post": "add", "delete": "remove"},
    ),
    # Contacts
    *route("crm/contact/filter", contacts.ContactView, {"get": "list"}),
    *route("crm/contact/simple/byEmail", contacts.ContactView, {"get": "by_email"}),
    *route("crm/contact/person", contacts.PersonView, {"post": "create"}),
    *route("crm/contact/person/<str:pk>", contacts.PersonView, {"put": "replace"}),
    *route("crm/contact/company", contacts.CompanyView, {"post": "create"}),
    *route("crm/contact/company/<str:pk>", contacts.CompanyView, {"put": "replace"}),
    *route("crm/contact/company/<str:pk>/person", contacts.CompanyView, {"get": "people"}),
    *route("crm/contact/<str:pk>", contacts.ContactView, {"get": "retrieve", "delete": "destroy"}),
    *route("crm/contact/<str:pk>/data", contacts.InfoView, {"get": "list", "post": "create"}),
    *route("crm/contact/<str:pk>/data/<str:info>", contacts.InfoView, {"delete": "destroy"}),
    *nowhere(OnlyofficeView),
]
