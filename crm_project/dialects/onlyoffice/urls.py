"""ONLYOFFICE's routes, as its documentation lists them; each is served with `.json` and `.xml`, too."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import catch_all
from crm_project.dialects.onlyoffice.views import (
    batch,
    contact_infos,
    contact_search,
    contacts,
    custom_fields,
    opportunities,
    people,
    settings,
    stages,
    tags,
    unkept,
)
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView

BASE = "api/2.0"


def route(where: str, view: Any, actions: dict[str, str], **attributes: Any) -> list[Any]:
    """All three spellings; the OpenAPI document shows the bare one. It comes last: an id would swallow the others."""
    return [
        path(f"{BASE}/{where}.json", view.as_view(actions, schema=None, **attributes)),
        path(f"{BASE}/{where}.xml", view.as_view(actions, schema=None, in_xml=True, **attributes)),
        path(f"{BASE}/{where}", view.as_view(actions, **attributes)),
    ]


def user_fields(entity: str, kind: str) -> list[Any]:
    where, view = f"crm/{entity}", custom_fields.DefinitionView
    one = {"put": "replace", "delete": "destroy"}
    value = custom_fields.CustomFieldView
    return [
        *route(f"{where}/customfield", view, {"post": "create"}, kind=kind),
        *route(f"{where}/customfield/definitions", view, {"get": "list"}, kind=kind),
        *route(f"{where}/customfield/reorder", view, {"put": "reorder"}, kind=kind),
        *route(f"{where}/customfield/<str:pk>", view, one, kind=kind),
        *route(f"{where}/<str:pk>/customfield", value, {"get": "values_list"}, kind=kind),
        *route(f"{where}/<str:pk>/customfield/<str:field>", value, {"post": "set_value"}, kind=kind),
    ]


def tagging(entity: str, view: Any) -> list[Any]:
    where = f"crm/{entity}"
    return [
        *route(f"{where}/tag", view, {"get": "list", "post": "create", "delete": "destroy"}),
        *route(f"{where}/tag/unused", view, {"delete": "destroy_unused"}),
        *route(f"{where}/tag/<str:pk>", view, {"get": "of_one"}),
        *route(f"{where}/taglist", view, {"post": "add_to_many"}),
        *route(f"{where}/filter/taglist", view, {"post": "add_to_matching"}),
        *route(f"{where}/<str:pk>/tag", view, {"get": "of_one", "post": "add", "delete": "remove"}),
    ]


def tagging_group(entity: str) -> list[Any]:
    actions = {"post": "add_to_group", "delete": "remove_from_group"}
    return route(f"crm/{entity}/<str:pk>/tag/group", tags.ContactTagsView, actions)


def dates(entity: str, kind: str) -> list[Any]:
    where = f"crm/{entity}/<str:pk>"
    return [
        *route(f"{where}/creationdate", unkept.DateView, {"put": "creation"}, kind=kind),
        *route(f"{where}/lastmodifeddate", unkept.DateView, {"put": "modification"}, kind=kind),
    ]


def list_items(name: str) -> list[Any]:
    view, where = unkept.ListItemView, f"crm/contact/{name}"
    return [
        *route(where, view, {"get": "list", "post": "refuse"}),
        *route(f"{where}/<str:pk>", view, {"put": "refuse", "delete": "refuse"}),
    ]


urlpatterns = [
    # Authentication and people
    *route("authentication", people.AuthenticationView, {"post": "create"}),
    *route("people/@self", people.PeopleView, {"get": "oneself"}),
    *route("people/filter", people.PeopleView, {"get": "list"}),
    *route("people/simple/filter", people.PeopleView, {"get": "list_simply"}),
    *route("people/email", people.PeopleView, {"get": "by_email"}),
    *route("people/search", people.PeopleView, {"get": "list"}),
    *route("people/@search/<str:text>", people.PeopleView, {"get": "list"}),
    *route("people/status/<str:status>/search", people.PeopleView, {"get": "list"}),
    *route("people/status/<str:status>", people.PeopleView, {"get": "list"}),
    *route("people", people.PeopleView, {"get": "list"}),
    *route("people/<str:pk>", people.PeopleView, {"get": "retrieve"}),
    *route("batch", batch.BatchView, {"post": "create"}),
    # Settings
    *route("crm/settings/currency", settings.CurrencyView, {"get": "list", "put": "set"}),
    *route("crm/settings/currency/convert", settings.CurrencyView, {"get": "convert"}),
    *route("crm/settings/currency/summarytable", settings.CurrencyView, {"get": "summary"}),
    *route("crm/currency/rates", settings.CurrencyRateView, {"get": "list", "post": "refuse"}),
    *route("crm/currency/setrates", settings.CurrencyRateView, {"post": "refuse"}),
    *route("crm/currency/addrates", settings.CurrencyRateView, {"post": "refuse"}),
    *route(
        "crm/currency/rates/<str:pk>",
        settings.CurrencyRateView,
        {"get": "retrieve", "put": "refuse", "delete": "refuse"},
    ),
    *route("crm/currency/rates/<str:pk>/<str:to>", settings.CurrencyRateView, {"get": "retrieve"}),
    *user_fields("opportunity", "deal"),
    *user_fields("contact", "contact"),
    *user_fields("person", "contact"),
    *user_fields("company", "contact"),
    *tagging("opportunity", tags.DealTagsView),
    *tagging("contact", tags.ContactTagsView),
    *tagging_group("person"),
    *tagging_group("company"),
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
    *dates("opportunity", "deal"),
    # Contacts
    *route("crm/contact", contacts.ContactView, {"put": "trash_many"}),
    *route(
        "crm/contact/filter",
        contact_search.ContactSearchView,
        {"get": "list", "delete": "trash_matching"},
    ),
    *route("crm/contact/filter/access", contacts.ContactAccessView, {"put": "set_matching"}),
    *route("crm/contact/access", contacts.ContactAccessView, {"put": "set_many"}),
    *route("crm/contact/merge", contacts.ContactView, {"put": "merge"}),
    *route("crm/contact/simple/filter", contact_search.ContactSearchView, {"get": "list_simply"}),
    *route("crm/contact/simple/byEmail", contact_search.ContactSearchView, {"get": "by_email"}),
    *route("crm/contact/byprefix", contact_search.ContactSearchView, {"get": "by_prefix"}),
    *route("crm/contact/bycontactinfo", contact_search.ContactSearchView, {"get": "by_info"}),
    *route("crm/contact/mail", contact_search.ContactSearchView, {"get": "for_mail"}),
    *list_items("status"),
    *list_items("type"),
    *route("crm/contact/person", contacts.PersonView, {"post": "create"}),
    *route("crm/contact/person/quick", contacts.PersonView, {"post": "create_many"}),
    *route("crm/contact/person/<str:pk>", contacts.PersonView, {"put": "replace"}),
    *route("crm/contact/company", contacts.CompanyView, {"post": "create"}),
    *route("crm/contact/company/quick", contacts.CompanyView, {"post": "create_many"}),
    *route("crm/contact/company/<str:pk>", contacts.CompanyView, {"put": "replace"}),
    *route(
        "crm/contact/company/<str:pk>/person",
        contacts.CompanyView,
        {"get": "people", "post": "add_person", "delete": "remove_person"},
    ),
    *route("crm/contact/data/infoType", contact_infos.InfoTypeView, {"get": "list"}),
    *route("crm/contact/data/infotype", contact_infos.InfoTypeView, {"get": "list"}),
    *route("crm/contact/data/<str:kind>/category", contact_infos.InfoTypeView, {"get": "categories"}),
    *route("crm/contact/<str:pk>", contacts.ContactView, {"get": "retrieve", "delete": "destroy"}),
    *route("crm/contact/<str:pk>/access", contacts.ContactAccessView, {"get": "list", "put": "set"}),
    *route(
        "crm/contact/<str:contact>/opportunity/<str:pk>",
        opportunities.MemberView,
        {"post": "add_from_contact", "delete": "remove_from_contact"},
    ),
    *dates("contact", "contact"),
    *route("crm/contact/<str:pk>/data", contact_infos.InfoView, {"get": "list", "post": "create"}),
    *route(
        "crm/contact/<str:pk>/data/<str:info>",
        contact_infos.InfoView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/contact/<str:pk>/addressdata", contact_infos.InfoView, {"post": "create_address"}),
    *route("crm/contact/<str:pk>/addressdata/<str:info>", contact_infos.InfoView, {"put": "replace_address"}),
    *route(
        "crm/contact/<str:pk>/batch", contact_infos.InfoView, {"post": "create_all", "put": "replace_all"}
    ),
    *catch_all(OnlyofficeView),
]
