"""ONLYOFFICE's routes, in the order of its documentation; each also with `.json` and `.xml`."""

from typing import Any

from django.urls import path

from crm_project.dialects.kit.views import catch_all
from crm_project.dialects.onlyoffice.serializers.activities import HISTORY, TASKS
from crm_project.dialects.onlyoffice.views import (
    activities,
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
    unsupported,
)
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView

BASE = "api/2.0"


def route(where: str, view: Any, actions: dict[str, str], **attributes: Any) -> list[Any]:
    """The path with `.json`, with `.xml`, and without a suffix, which is last because an id would match the others."""
    return [
        path(f"{BASE}/{where}.json", view.as_view(actions, schema=None, **attributes)),
        path(f"{BASE}/{where}.xml", view.as_view(actions, schema=None, in_xml=True, **attributes)),
        path(f"{BASE}/{where}", view.as_view(actions, **attributes)),
    ]


def user_fields(entity: str, kind: str) -> list[Any]:
    where, view = f"crm/{entity}", custom_fields.OnlyofficeDefinitionView
    one = {"put": "replace", "delete": "destroy"}
    value = custom_fields.OnlyofficeCustomFieldView
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
    return route(f"crm/{entity}/<str:pk>/tag/group", tags.OnlyofficeContactTagsView, actions)


def dates(entity: str, kind: str) -> list[Any]:
    where = f"crm/{entity}/<str:pk>"
    return [
        *route(f"{where}/creationdate", unsupported.OnlyofficeDateView, {"put": "creation"}, kind=kind),
        *route(
            f"{where}/lastmodifeddate", unsupported.OnlyofficeDateView, {"put": "modification"}, kind=kind
        ),
    ]


def list_items(name: str) -> list[Any]:
    view, where = unsupported.OnlyofficeUnsupportedListView, f"crm/contact/{name}"
    return [
        *route(where, view, {"get": "list", "post": "refuse"}),
        *route(f"{where}/<str:pk>", view, {"put": "refuse", "delete": "refuse"}),
    ]


def categories(name: str, listed: Any) -> list[Any]:
    view, where = activities.OnlyofficeCategoryView, f"crm/{name}/category"
    one = {"put": "refuse", "delete": "refuse"}
    read = {"get": "retrieve", **one} if name == "task" else one
    return [
        *route(where, view, {"get": "list", "post": "refuse"}, categories=listed),
        *route(f"{where}/reorder", view, {"put": "refuse"}, categories=listed),
        *route(f"{where}/<str:pk>", view, read, categories=listed),
    ]


urlpatterns = [
    # Authentication and people
    *route("authentication", people.OnlyofficeAuthenticationView, {"post": "create"}),
    *route("people/@self", people.OnlyofficePeopleView, {"get": "oneself"}),
    *route("people/filter", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people/simple/filter", people.OnlyofficePeopleView, {"get": "list_simply"}),
    *route("people/email", people.OnlyofficePeopleView, {"get": "by_email"}),
    *route("people/search", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people/@search/<str:text>", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people/status/<str:status>/search", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people/status/<str:status>", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people", people.OnlyofficePeopleView, {"get": "list"}),
    *route("people/<str:pk>", people.OnlyofficePeopleView, {"get": "retrieve"}),
    *route("batch", batch.OnlyofficeBatchView, {"post": "create"}),
    # Settings
    *route("crm/settings/currency", settings.OnlyofficeCurrencyView, {"get": "list", "put": "set"}),
    *route("crm/settings/currency/convert", settings.OnlyofficeCurrencyView, {"get": "convert"}),
    *route("crm/settings/currency/summarytable", settings.OnlyofficeCurrencyView, {"get": "summary"}),
    *route("crm/currency/rates", settings.OnlyofficeCurrencyRateView, {"get": "list", "post": "refuse"}),
    *route("crm/currency/setrates", settings.OnlyofficeCurrencyRateView, {"post": "refuse"}),
    *route("crm/currency/addrates", settings.OnlyofficeCurrencyRateView, {"post": "refuse"}),
    *route(
        "crm/currency/rates/<str:pk>",
        settings.OnlyofficeCurrencyRateView,
        {"get": "retrieve", "put": "refuse", "delete": "refuse"},
    ),
    *route("crm/currency/rates/<str:pk>/<str:to>", settings.OnlyofficeCurrencyRateView, {"get": "retrieve"}),
    *user_fields("opportunity", "deal"),
    *user_fields("contact", "contact"),
    *user_fields("person", "contact"),
    *user_fields("company", "contact"),
    *tagging("opportunity", tags.OnlyofficeDealTagsView),
    *tagging("contact", tags.OnlyofficeContactTagsView),
    *tagging_group("person"),
    *tagging_group("company"),
    # Stages
    *route("crm/opportunity/stage", stages.OnlyofficeStageView, {"get": "list", "post": "create"}),
    *route("crm/opportunity/stage/reorder", stages.OnlyofficeStageView, {"put": "reorder"}),
    *route(
        "crm/opportunity/stage/<str:pk>",
        stages.OnlyofficeStageView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/opportunity/stage/<str:pk>/color", stages.OnlyofficeStageView, {"put": "recolor"}),
    # Opportunities
    *route(
        "crm/opportunity", opportunities.OnlyofficeOpportunityView, {"post": "create", "put": "trash_many"}
    ),
    *route(
        "crm/opportunity/filter",
        opportunities.OnlyofficeOpportunityListView,
        {"get": "list", "delete": "trash_matching"},
    ),
    *route(
        "crm/opportunity/filter/access",
        opportunities.OnlyofficeOpportunityAccessView,
        {"put": "set_matching"},
    ),
    *route("crm/opportunity/access", opportunities.OnlyofficeOpportunityAccessView, {"put": "set_many"}),
    *route("crm/opportunity/byprefix", opportunities.OnlyofficeOpportunityListView, {"get": "by_prefix"}),
    *route(
        "crm/opportunity/bycontact/<str:contact>",
        opportunities.OnlyofficeOpportunityListView,
        {"get": "by_contact"},
    ),
    *route(
        "crm/opportunity/<str:pk>",
        opportunities.OnlyofficeOpportunityView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route(
        "crm/opportunity/<str:pk>/stage/<str:stage>", opportunities.OnlyofficeOpportunityView, {"put": "move"}
    ),
    *route("crm/opportunity/<str:pk>/access", opportunities.OnlyofficeOpportunityAccessView, {"put": "set"}),
    *route(
        "crm/opportunity/<str:pk>/contact", opportunities.OnlyofficeOpportunityMemberView, {"get": "list"}
    ),
    *route(
        "crm/opportunity/<str:pk>/contact/<str:contact>",
        opportunities.OnlyofficeOpportunityMemberView,
        {"post": "add", "delete": "remove"},
    ),
    *dates("opportunity", "deal"),
    # Contacts
    *route("crm/contact", contacts.OnlyofficeContactView, {"put": "trash_many"}),
    *route(
        "crm/contact/filter",
        contact_search.OnlyofficeContactSearchView,
        {"get": "list", "delete": "trash_matching"},
    ),
    *route("crm/contact/filter/access", contacts.OnlyofficeContactAccessView, {"put": "set_matching"}),
    *route("crm/contact/access", contacts.OnlyofficeContactAccessView, {"put": "set_many"}),
    *route("crm/contact/merge", contacts.OnlyofficeContactView, {"put": "merge"}),
    *route("crm/contact/simple/filter", contact_search.OnlyofficeContactSearchView, {"get": "list_simply"}),
    *route("crm/contact/simple/byEmail", contact_search.OnlyofficeContactSearchView, {"get": "by_email"}),
    *route("crm/contact/byprefix", contact_search.OnlyofficeContactSearchView, {"get": "by_prefix"}),
    *route("crm/contact/bycontactinfo", contact_search.OnlyofficeContactSearchView, {"get": "by_info"}),
    *route("crm/contact/mail", contact_search.OnlyofficeContactSearchView, {"get": "for_mail"}),
    *list_items("status"),
    *list_items("type"),
    *route("crm/contact/person", contacts.OnlyofficePersonView, {"post": "create"}),
    *route("crm/contact/person/quick", contacts.OnlyofficePersonView, {"post": "create_many"}),
    *route("crm/contact/person/<str:pk>", contacts.OnlyofficePersonView, {"put": "replace"}),
    *route("crm/contact/company", contacts.OnlyofficeCompanyView, {"post": "create"}),
    *route("crm/contact/company/quick", contacts.OnlyofficeCompanyView, {"post": "create_many"}),
    *route("crm/contact/company/<str:pk>", contacts.OnlyofficeCompanyView, {"put": "replace"}),
    *route(
        "crm/contact/company/<str:pk>/person",
        contacts.OnlyofficeCompanyView,
        {"get": "people", "post": "add_person", "delete": "remove_person"},
    ),
    *route("crm/contact/data/infoType", contact_infos.OnlyofficeInfoTypeView, {"get": "list"}),
    *route("crm/contact/data/infotype", contact_infos.OnlyofficeInfoTypeView, {"get": "list"}),
    *route(
        "crm/contact/data/<str:kind>/category", contact_infos.OnlyofficeInfoTypeView, {"get": "categories"}
    ),
    *route("crm/contact/<str:pk>", contacts.OnlyofficeContactView, {"get": "retrieve", "delete": "destroy"}),
    *route(
        "crm/contact/<str:pk>/access", contacts.OnlyofficeContactAccessView, {"get": "list", "put": "set"}
    ),
    *route(
        "crm/contact/<str:contact>/opportunity/<str:pk>",
        opportunities.OnlyofficeOpportunityMemberView,
        {"post": "add_from_contact", "delete": "remove_from_contact"},
    ),
    *dates("contact", "contact"),
    *route("crm/contact/<str:pk>/data", contact_infos.OnlyofficeInfoView, {"get": "list", "post": "create"}),
    *route(
        "crm/contact/<str:pk>/data/<str:info>",
        contact_infos.OnlyofficeInfoView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/contact/<str:pk>/addressdata", contact_infos.OnlyofficeInfoView, {"post": "create_address"}),
    *route(
        "crm/contact/<str:pk>/addressdata/<str:info>",
        contact_infos.OnlyofficeInfoView,
        {"put": "replace_address"},
    ),
    *route(
        "crm/contact/<str:pk>/batch",
        contact_infos.OnlyofficeInfoView,
        {"post": "create_all", "put": "replace_all"},
    ),
    # Tasks
    *categories("task", TASKS),
    *route("crm/task", activities.OnlyofficeTaskView, {"post": "create"}),
    *route("crm/task/filter", activities.OnlyofficeTaskView, {"get": "list"}),
    *route(
        "crm/task/<str:pk>",
        activities.OnlyofficeTaskView,
        {"get": "retrieve", "put": "replace", "delete": "destroy"},
    ),
    *route("crm/task/<str:pk>/close", activities.OnlyofficeTaskView, {"put": "close"}),
    *route("crm/task/<str:pk>/reopen", activities.OnlyofficeTaskView, {"put": "reopen"}),
    # History
    *categories("history", HISTORY),
    *route("crm/history", activities.OnlyofficeHistoryView, {"post": "create"}),
    *route("crm/history/filter", activities.OnlyofficeHistoryView, {"get": "list"}),
    *route("crm/history/<str:pk>", activities.OnlyofficeHistoryView, {"delete": "destroy"}),
    *catch_all(OnlyofficeView),
]
