"""Settings of the theme: titles, colours, and the sidebar by role.

Settings import this module before the apps are loaded; therefore functions import what needs models.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.rules import Permission, Role
from crm_project.staff.addresses import address_of, row_address

# (title, icon, URL name, permission or None for operators)
SECTIONS: list[tuple[str | Promise, list[tuple[str | Promise, str, str, Permission | None]]]] = [
    (
        gettext_lazy("Sales"),
        [
            (gettext_lazy("Home"), "home", "admin:index", Permission.VIEW),
            (gettext_lazy("Board"), "view_kanban", "admin:deals_deal_board_default", Permission.VIEW),
            (gettext_lazy("Activities"), "task_alt", "admin:activities_activity_changelist", Permission.VIEW),
            (gettext_lazy("Deals"), "handshake", "admin:deals_deal_changelist", Permission.VIEW),
            (gettext_lazy("Reports"), "query_stats", "admin:deals_deal_reports", Permission.VIEW),
            (gettext_lazy("Contacts"), "contacts", "admin:contacts_contact_changelist", Permission.VIEW),
            (
                gettext_lazy("Imports"),
                "upload_file",
                "admin:imports_import_changelist",
                Permission.EDIT_DEALS,
            ),
            (gettext_lazy("Exports"), "file_download", "admin:imports_export_changelist", Permission.VIEW),
        ],
    ),
    (
        gettext_lazy("Set-up"),
        [
            (
                gettext_lazy("Pipelines"),
                "view_column",
                "admin:pipelines_pipeline_changelist",
                Permission.VIEW,
            ),
            (
                gettext_lazy("Saved views"),
                "bookmark",
                "admin:saved_views_savedview_changelist",
                Permission.VIEW,
            ),
            (
                gettext_lazy("Lost reasons"),
                "thumb_down",
                "admin:deals_lostreason_changelist",
                Permission.VIEW,
            ),
            (gettext_lazy("Goals"), "target", "admin:goals_goal_changelist", Permission.VIEW),
            (
                gettext_lazy("Exchange rates"),
                "payments",
                "admin:rates_exchangerate_changelist",
                Permission.VIEW,
            ),
            (
                gettext_lazy("Custom fields"),
                "tune",
                "admin:records_customfield_changelist",
                Permission.EDIT_PIPELINES,
            ),
            (gettext_lazy("Members"), "group", "admin:accounts_member_changelist", Permission.VIEW),
            (gettext_lazy("API tokens"), "key", "admin:accounts_apitoken_changelist", Permission.VIEW),
            (gettext_lazy("Webhooks"), "webhook", "admin:webhooks_webhook_changelist", Permission.ADMINISTER),
            (gettext_lazy("Mail"), "mail", "admin:mail_message_changelist", Permission.ADMINISTER),
            (gettext_lazy("Organization"), "apartment", "staff:own_organization", Permission.ADMINISTER),
        ],
    ),
    (
        gettext_lazy("Operator"),
        [
            (gettext_lazy("Organizations"), "domain", "admin:accounts_organization_changelist", None),
            (gettext_lazy("Logins"), "passkey", "admin:accounts_user_changelist", None),
            (gettext_lazy("Mail to logins"), "outgoing_mail", "admin:mail_message_changelist", None),
            (gettext_lazy("Tasks"), "task_alt", "admin:background_storedtask_changelist", None),
            (gettext_lazy("Schedule"), "schedule", "admin:background_schedule_changelist", None),
        ],
    ),
]

# What a member is, below the name of the organization.
ROLES = {
    Role.VIEWER: gettext_lazy("You are a viewer"),
    Role.REP: gettext_lazy("You are a rep"),
    Role.MANAGER: gettext_lazy("You are a manager"),
    Role.ADMIN: gettext_lazy("You are an admin"),
}

# The only entry for a login that no organization has invited yet.
HOME_ENTRY = {"title": gettext_lazy("Home"), "icon": "home", "link": reverse_lazy("admin:index")}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, without sections and entries that the role does not allow."""
    from crm_project.staff.request_actor import actor_of, is_operator

    actor = actor_of(request)

    def may(permission: Permission | None) -> bool:
        return is_operator(request) if permission is None else actor is not None and actor.may(permission)

    groups: list[dict[str, Any]] = []
    for title, entries in SECTIONS:
        items = [
            {"title": capfirst(str(name)), "icon": icon, "link": _link(url, actor)}
            for name, icon, url, permission in entries
            if may(permission)
        ]
        if items:
            groups.append({"title": title, "separator": bool(groups), "items": items})
    _mark_current(groups, request.path)
    return groups or [{"title": "", "separator": False, "items": [HOME_ENTRY]}]


def _mark_current(groups: list[dict[str, Any]], path: str) -> None:
    """Mark the entry whose address is the longest beginning of the path: the board's begins with that of the deals."""
    home = address_of("admin:index")
    entries = [entry for group in groups for entry in group["items"]]
    leading = [
        entry["link"]
        for entry in entries
        if path == entry["link"] or (entry["link"] != home and path.startswith(entry["link"]))
    ]
    for entry in entries:
        entry["active"] = entry["link"] == max(leading, key=len, default=None)


def _link(name: str, actor: Any) -> str:
    if name == "staff:own_organization":
        return row_address(actor.organization)
    return address_of(name)


def header(request: HttpRequest) -> str:
    """The organization of the session."""
    from crm_project.staff.request_actor import actor_of

    actor = actor_of(request)
    return actor.organization.name if actor else "CRM"


def subheader(request: HttpRequest) -> str:
    from crm_project.staff.request_actor import actor_of, is_operator

    actor = actor_of(request)
    if actor is None:
        return _("Operator") if is_operator(request) else ""
    return str(ROLES[Role(actor.member.role)])


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu at the name of the login."""
    from crm_project.staff.request_actor import actor_of

    preferences = {"title": _("Language and time zone"), "link": address_of("admin:preferences")}
    password = {"title": _("Change password"), "link": address_of("admin:password_change")}
    return [*([preferences] if actor_of(request) else []), password]


def organizations(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu at the name of the organization."""
    return [
        {
            "title": _("Choose an organization"),
            "icon": "swap_horiz",
            "link": address_of("admin:choose_organization"),
        }
    ]


def color_variables(colors: Mapping[str, Mapping[str, str]]) -> SafeString:
    """The colours of the settings as CSS; a template's loop over them is dear, and every page has it."""
    return SafeString(
        "\n".join(
            f"--color-{name}-{weight}: {value};"
            for name, weights in colors.items()
            for weight, value in weights.items()
        )
    )


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CRM",
    "SITE_HEADER": "crm_project.staff.theme.header",
    "SITE_SUBHEADER": "crm_project.staff.theme.subheader",
    "SITE_DROPDOWN": "crm_project.staff.theme.organizations",
    "SITE_SYMBOL": "handshake",
    "ACCOUNT": {"navigation": "crm_project.staff.theme.account_links"},
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("staff/staff.css")],
    "SCRIPTS": [
        lambda request: static("staff/staff.js"),
        lambda request: static("staff/forms.js"),
    ],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("staff/icon.svg")},
    ],
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "crm_project.staff.theme.navigation",
    },
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}
