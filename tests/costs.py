"""The most expensive legal request of each route of the six APIs and the admin, and the cost of its answer."""

import datetime
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.services import create_token
from crm_project.activities.models import Activity
from crm_project.api.schema import CanonicalGenerator
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.schema import DialectGenerator
from crm_project.dialects.registry import DIALECTS
from crm_project.records.models import CustomField
from deals.models import Deal, LostReason
from pipelines.models import Pipeline, Stage

# The largest page of each API, by the name of the parameter; larger than the schema's maximum is refused.
PAGES = {"page_size": 200, "per_page": 200, "limit": 200, "count": 1000, "maxCount": 1000}
SINCE = "2000-01-01"
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
    deal = Deal.objects.visible_to(member).exclude(contact=None).order_by("-id").first()
    contact = deal.contact
    rows = {
        "deal": deal,
        "contact": contact,
        "pipeline": Pipeline.objects.visible_to(member).first(),
        "stage": Stage.objects.visible_to(member).first(),
        "user": member,
        "organization": actor.organization,
        "field": CustomField.objects.visible_to(member).first(),
        "reason": LostReason.objects.visible_to(member).first(),
    }
    if system == "api":
        rows["activity"] = Activity.objects.visible_to(member).filter(done_at=None).first()
        by_id = ("pipeline", "stage", "field", "reason")
        ids = {name: str(row.pk if name in by_id else row.uuid) for name, row in rows.items() if row}
    else:
        known = Ids(actor, system)
        ids = {name: str(known.id_of(row)) for name, row in rows.items() if row and name != "reason"}
    parts = {
        "deal": "deals opportunities opportunity",
        "contact": "contacts clients contact person company organization-contact",
        "pipeline": "pipelines",
        "stage": "stages stage statuses",
        "user": "users people employee",
        "organization": "locations",
        "field": "custom-fields customFields customfield",
        "reason": "lost-reasons",
        "activity": "activities",
    }
    return {part: ids[name] for name, texts in parts.items() if name in ids for part in texts.split()}


def fill(path: str, names: Mapping[str, str]) -> str:
    filled = re.sub(r"/([\w-]+)/\{\w+\}", lambda match: f"/{match[1]}/{names.get(match[1], 'missing')}", path)
    return re.sub(r"\{\w+\}", "1", filled)


def query_of(operation: Any, actor: Actor, system: str) -> str:
    query: dict[str, Any] = {}
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
        elif name in ("locationId", "location_id") or parameter.get("required"):
            own = str(actor.organization.uuid)
            query[name] = own if "ocation" in name else schema.get("enum", [SINCE])[0]
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


def figures(actor: Actor) -> Iterator[Request]:
    """Over the longest period."""
    until = timezone.localdate() + datetime.timedelta(days=1)
    period = f"since={until - datetime.timedelta(days=729)}&until={until}"
    for groups in ("owner,stage", "lost_reason,origin"):
        yield Request(
            "api", "GET", f"/api/deals/metrics?{period}&date=created_at&bucket=week&group_by={groups}"
        )
    yield Request("api", "GET", f"/api/deals/metrics?as_of={until}&group_by=owner,stage")
    pipeline = Pipeline.objects.visible_to(actor.member).first()
    for name in ("forecast", "funnel"):
        yield Request("api", "GET", f"/api/pipelines/{pipeline.pk}/{name}?{period}")
    yield Request("admin", "GET", f"{reverse('admin:deals_deal_reports')}?{period}")
    yield Request("admin", "GET", reverse("admin:deals_deal_board", args=[pipeline.pk]))


def admin_pages(actor: Actor) -> Iterator[Request]:
    """The lists, forms and histories of the admin."""
    yield Request("admin", "GET", reverse("admin:index"))
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.order_by("-pk").first()
        yield Request("admin", "GET", f"{reverse(f'{name}_changelist')}?all=")
        yield Request("admin", "GET", f"{reverse(f'{name}_changelist')}?q=a")
        yield Request("admin", "GET", f"{reverse('admin:autocomplete')}?term=a&app_label={model._meta.app_label}"
                      f"&model_name={model._meta.model_name}&field_name=contact")  # fmt: skip
        for page in ("change", "history", "delete"):
            try:
                yield Request("admin", "GET", reverse(f"{name}_{page}", args=[row.pk if row else 1]))
            except NoReverseMatch:
                assert pages


def costs(actor: Actor) -> Iterator[Cost]:
    """The costs of all requests as this actor."""
    secret = create_token(actor=actor, name="costs")[1]
    client, browser = Client(raise_request_exception=False), Client(raise_request_exception=False)
    user = actor.member.user
    user.is_staff = True
    user.save()
    browser.force_login(user)
    for request in (*expensive_reads(actor), *own_requests(actor), *admin_pages(actor)):
        headers = {"Authorization": f"Bearer {secret}", **HEADERS.get(request.system, {})}
        body = b"" if request.body is None else json.dumps(request.body).encode()
        began = time.process_time()
        if request.system == "admin":
            answer = browser.get(request.path)
        else:
            answer = client.generic(
                request.method, request.path, body, "application/json" if body else "", headers=headers
            )
        size = sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)
        yield Cost(request, answer.status_code, size, time.process_time() - began, bool(answer.streaming))
