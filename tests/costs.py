"""The most expensive legal request of each route of the six APIs and the admin, and the cost of its answer."""

import datetime
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.test import Client
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import ApiToken
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import create_token
from crm_project.activities.models import Activity
from crm_project.api.schema import CanonicalGenerator
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.schema import DialectGenerator
from crm_project.dialects.registry import DIALECTS
from crm_project.goals.models import Goal
from crm_project.imports.export_services import ask_for_export
from crm_project.imports.export_tasks import carry_out, claim
from crm_project.imports.models import Export, Import
from crm_project.notifications.models import Notification
from crm_project.rates.models import ExchangeRate
from crm_project.records.models import CustomField
from crm_project.saved_views.models import SavedView
from crm_project.webhooks.models import Webhook, WebhookDelivery
from deals.models import Deal, LostReason
from pipelines.models import Pipeline
from tests.admin_requests import admin_addresses, largest_action
from tests.api.routes import make_rows
from tests.factories import ActivityFactory, CompanyFactory, DealFactory, PersonFactory

# The largest page of each API, by the name of the parameter; larger than the schema's maximum is refused.
PAGES = {"page_size": 200, "per_page": 200, "limit": 200, "count": 1000, "maxCount": 1000}
SINCE = "2000-01-01"
# The kinds of rows by the part of the path of the API before their name, and the parts before other names.
KINDS: Mapping[str, type[Model]] = {
    "exchange-rates": ExchangeRate,
    "exports": Export,
    "goals": Goal,
    "imports": Import,
    "lost-reasons": LostReason,
    "notifications": Notification,
    "saved-views": SavedView,
    "tokens": ApiToken,
    "webhooks": Webhook,
    "deliveries": WebhookDelivery,
}
NUMBERED = ("pipeline", "stage", "field", "exchange-rates", "lost-reasons")
PARTS = {
    "deal": "deals opportunities opportunity",
    "contact": "contacts contact person organization-contact bycontact",
    "client": "clients company",
    "pipeline": "pipelines",
    "stage": "stages stage statuses board",
    "user": "users people employee",
    "organization": "locations",
    "field": "custom-fields customFields customfield",
    "task": "activities tasks task",
    "note": "notes",
    "reference": "external-references",
}
OTHERS = {"rates": "EUR", "category": "3", "status": "active", "@search": "a"}
KEYS = {"/external/{system}/{external_id}": "/external/erp/K-1"}
# The values of required parameters, by their names.
REQUIRED = {"infoType": "1", "email": "alice@example.com", "currency": "EUR"}
HEADERS = {"leadconnector": {"Version": "2021-07-28"}}


@dataclass(frozen=True)
class Request:
    system: str
    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Cost:
    """`cpu` are seconds of this process; `rows` those that a stream may hold."""

    request: Request
    status: int
    size: int
    cpu: float
    is_stream: bool


def documents() -> dict[str, Any]:
    own = CanonicalGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    generated = {
        system: DialectGenerator(system).get_schema(request=None, public=True) for system in DIALECTS
    }
    return {"api": own, **generated}


def expensive_reads(actor: Actor) -> Iterator[Request]:
    """Each GET of the documents with the largest page, totals and expansions, for rows of the organization."""
    for system, document in documents().items():
        names = names_of_rows(actor, system)
        for path, item in document["paths"].items():
            if "get" not in item:
                continue
            filled = fill(path, names)
            yield Request(system, "GET", f"{filled}?{query_of(item['get'], actor, system)}")


def names_of_rows(actor: Actor, system: str) -> Mapping[str, str]:
    """The name of a row by the part of the path before it."""
    member = actor.member
    deal = Deal.objects.visible_to(member).exclude(contact=None).exclude(client=None).order_by("-id").first()
    activities = Activity.objects.visible_to(member).order_by("-id")
    rows = {
        "deal": deal,
        "contact": deal.contact,
        "client": deal.client,
        "pipeline": Pipeline.objects.visible_to(member).order_by("id").first(),
        "user": member,
        "organization": actor.organization,
        "field": CustomField.objects.visible_to(member).first(),
        "task": activities.filter(contact=deal.contact).exclude(type="note").first(),
        "note": activities.filter(contact=deal.contact, type="note").first(),
    }
    rows["reference"] = deal.references.first()
    rows["stage"] = rows["pipeline"].stages.in_order().first()
    if system == "api":
        ids = {name: str(row.pk if name in NUMBERED else row.uuid) for name, row in rows.items() if row}
        for part, model in KINDS.items():
            row = model.objects.visible_to(member).order_by("id").last()  # type: ignore[attr-defined]
            ids |= {part: str(row.pk if part in NUMBERED else row.uuid)} if row else {}
    else:
        known = Ids(actor, system)
        ids = {name: str(known.id_of(row)) for name, row in rows.items() if row and name != "reference"}
    names = {part: ids[name] for name, texts in PARTS.items() if name in ids for part in texts.split()}
    return ids | names | OTHERS


def fill(path: str, names: Mapping[str, str]) -> str:
    """The path with a name for each parameter, by the part before it."""
    for kind, text in KEYS.items():
        path = path.replace(kind, text)
    filled = re.sub(
        r"/([\w@-]+)/\{\w+\}", lambda match: f"/{match[1]}/{names.get(match[1], 'missing')}", path
    )
    return re.sub(r"\{\w+\}", "1", filled)


def query_of(operation: Any, actor: Actor, system: str) -> str:
    query: dict[str, Any] = {}
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if {"since", "until"} <= names:
        return longest_period()
    for parameter in operation.get("parameters", ()):
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] != "query":
            continue
        if name in PAGES:
            query[name] = min(PAGES[name], schema.get("maximum", PAGES[name]))
        elif name == "total":
            query[name] = "true"
        elif name == "expand":
            query[name] = parameter["description"].rpartition("Of: ")[2].rstrip(".").replace(" ", "")
        elif name == "since":
            query[name] = SINCE
        elif (
            name in ("locationId", "location_id")
            or parameter.get("required")
            or (system, name) == ("onlyoffice", "currency")
        ):
            own = str(actor.organization.uuid)
            query[name] = own if "ocation" in name else REQUIRED.get(name) or schema.get("enum", [SINCE])[0]
    if system == "xalantis" and "per_page" in query:
        query["per_page"] = 100
    return urlencode(query)


def own_requests(actor: Actor) -> Iterator[Request]:
    """What no document says: batches, streams, rows in rows, and the largest writes."""
    for path in ("deals", "contacts"):
        for file_format in ("csv", "xlsx"):
            yield Request("api", "GET", f"/api/{path}/export?file_format={file_format}")
    for path in ("deals", "organization-contact", "pipelines"):
        yield Request("gauzy", "GET", f"/dialects/gauzy/api/{path}")
    relations = "relations[0]=stages&relations[1]=stages.deals"
    yield Request("gauzy", "GET", f"/dialects/gauzy/api/pipelines?{relations}")
    for place in ("contact", "opportunity"):
        reads = [{"relativeUrl": f"crm/{place}/filter?count=1000", "name": str(n)} for n in range(100)]
        yield Request("onlyoffice", "POST", "/dialects/onlyoffice/api/2.0/batch", {"batch": reads})
    yield Request(
        "leadconnector", "POST", "/dialects/leadconnector/contacts/search",
        {"locationId": str(actor.organization.uuid), "pageLimit": 100},
    )  # fmt: skip
    yield from figures(actor)
    for place, model in (("deals", Deal), ("contacts", Contact)):
        rows = model.objects.visible_to(actor.member).order_by("-id").values_list("uuid", flat=True)[:1000]
        operations = [{"op": "update", "uuid": str(uuid), "data": {}} for uuid in rows]
        yield Request("api", "POST", f"/api/{place}/bulk?dry_run=true", {"operations": operations})
        nonsense = [{"op": "create", "data": {f"k{n}": 1 for n in range(60)}}] * 1000
        yield Request("api", "POST", f"/api/{place}/bulk", {"operations": nonsense})


def longest_period() -> str:
    until = timezone.localdate() + datetime.timedelta(days=1)
    return f"since={until - datetime.timedelta(days=729)}&until={until}"


def figures(actor: Actor) -> Iterator[Request]:
    """Over the longest period."""
    period = longest_period()
    for groups in ("owner,stage", "lost_reason,origin"):
        yield Request(
            "api", "GET", f"/api/deals/metrics?{period}&date=created_at&bucket=week&group_by={groups}"
        )
    yield Request("api", "GET", f"/api/deals/metrics?as_of={timezone.localdate()}&group_by=owner,stage")
    pipeline = Pipeline.objects.visible_to(actor.member).first()
    for name in ("forecast", "funnel"):
        yield Request("api", "GET", f"/api/pipelines/{pipeline.pk}/{name}?{period}")


def admin_requests(actor: Actor) -> Iterator[Request]:
    for address in admin_addresses(actor, longest_period()):
        yield Request("admin", "GET", address)
    if actor.may(Permission.EDIT_DEALS):
        yield Request("admin", "POST", *largest_action(actor))


def make_one_of_each(case: Any) -> None:
    """A row of each kind, as `make_rows`, and a deal with all that leads to other rows."""
    make_rows(case)
    company = CompanyFactory(actor=case.bob)
    person = PersonFactory(actor=case.bob, company=company.pk)
    DealFactory(
        actor=case.bob, contact=person.pk, client=company.pk, external_references=[("erp", "of the walk")]
    )
    invite_member(actor=case.alice, email="guest@example.com")
    for kind in ("note", "task"):
        ActivityFactory(actor=case.bob, contact=person.pk, type=kind)


def make_own(actor: Actor) -> None:
    """What only its member sees: the export of all deals."""
    if not Export.objects.visible_to(actor.member).filter(state="done").exists():
        export = ask_for_export(actor=actor, kind="deals", file_format="csv", listing="api", query="")
        carry_out(claim(export.pk))


def costs(actor: Actor) -> Iterator[Cost]:
    """The costs of all requests as this actor."""
    make_own(actor)
    secret = create_token(actor=actor, name="costs")[1]
    client, browser = Client(raise_request_exception=False), Client(raise_request_exception=False)
    user = actor.member.user
    user.is_staff = True
    user.save()
    browser.force_login(user)
    for request in (*expensive_reads(actor), *own_requests(actor), *admin_requests(actor)):
        headers = {"Authorization": f"Bearer {secret}", **HEADERS.get(request.system, {})}
        body = b"" if request.body is None else json.dumps(request.body).encode()
        began = time.process_time()
        if request.system == "admin":
            answer = browser.generic(
                request.method,
                request.path,
                urlencode(request.body or {}),
                "application/x-www-form-urlencoded",
            )
        else:
            answer = client.generic(
                request.method, request.path, body, "application/json" if body else "", headers=headers
            )
        size = sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)
        yield Cost(request, answer.status_code, size, time.process_time() - began, bool(answer.streaming))
