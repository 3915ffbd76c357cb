"""The load: an organization opened by the services, and rows that one statement per table writes.

Deals move through the stages of one pipeline at a pace of their own; some are won or lost, the others stay open. Each
move is an event and ends a state. Open deals have a call that was made, two of three also a call that is planned. All
figures depend on a row's number alone, so that every load is the same.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, create_token, find_or_create_user
from crm_project.activities.models import Activity
from crm_project.journal.models import Counter, Event
from crm_project.journal.services import take_sequences
from crm_project.records.planner_statistics import analyze_tables
from crm_project.records.text import fold
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.data import words
from crm_project.setup.organizations import open_organization
from deals.models import Deal, DealState, LostReason
from deals.services import create_lost_reason
from pipelines.models import Stage
from tests.load.sql import as_json, change, choice, creation, insert, run, vendor
from tests.load.tables import without_constraints

MODELS = (Contact, Deal, DealState, Activity, Event)
# From this number on it is faster to drop the constraints and indexes and to create them again.
MANY_DEALS = 20_000
HISTORY = datetime.timedelta(days=730)
DAY = 24 * 3600
SELLERS = 8
ENDLESS = 15
REASONS = ("Price", "Competitor", "No budget")


@dataclass(frozen=True)
class Loaded:
    organization: Organization
    token: str


@dataclass
class Load:
    actor: Actor
    deals: int
    contacts: int
    # The percentage of deals that are never closed.
    endless: int
    # Seconds since 1970.
    start: int
    end: int
    sellers: list[Member]
    open_stages: list[Stage]
    closing_stages: list[Stage]
    reasons: list[LostReason]
    first_contact: int = 0
    first_deal: int = 0
    last_sequence: int = 0

    @property
    def stages(self) -> list[Stage]:
        return [*self.open_stages, *self.closing_stages]


def load(
    *, deals: int, slug: str = "load", without_indexes: bool | None = None, endless: int = ENDLESS
) -> Loaded:
    """Fill a new organization with this many deals, in one transaction.

    `endless` percent of the deals are never closed; others are open, too, since they have not come to their end.
    `without_indexes` decides whether constraints and indexes are created after the rows; by default for many deals.
    """
    with transaction.atomic():
        end = timezone.now().replace(microsecond=0)
        prepared = _prepare(slug, deals, end, endless)
        _create_work_tables(prepared)
        if deals >= MANY_DEALS if without_indexes is None else without_indexes:
            with without_constraints(MODELS):
                _write(prepared)
        else:
            _write(prepared)
        for table in ("load_contact", "load_deal", "load_step", "load_activity"):
            run(f"DROP TABLE {table}")
        _, token = create_token(actor=prepared.actor, name="Load")
    analyze_tables(MODELS)
    return Loaded(prepared.actor.organization, token)


def _prepare(slug: str, deals: int, end: datetime.datetime, endless: int) -> Load:
    """What the services write: the organization, its members, stages and lost reasons."""
    with frozen_time(end - HISTORY):
        owner = find_or_create_user(email=f"admin@{slug}.example", is_staff=True)
        actor = open_organization(name=slug.title(), slug=slug, owner=owner)
        users = [find_or_create_user(email=f"seller{n}@{slug}.example") for n in range(SELLERS)]
        organization = actor.organization
        sellers = [
            add_member(actor=actor, organization=organization, user=user, role=Role.REP) for user in users
        ]
        reasons = [create_lost_reason(actor=actor, change={"name": name}) for name in REASONS]
    stages = list(Stage.objects.of(organization.pk).in_order())
    return Load(
        actor=actor,
        deals=deals,
        contacts=max(deals // 12, 4),
        endless=endless,
        start=int((end - HISTORY).timestamp()),
        end=int(end.timestamp()),
        sellers=sellers,
        open_stages=[stage for stage in stages if stage.kind == Stage.Kinds.OPEN],
        closing_stages=sorted(
            (stage for stage in stages if stage.kind != Stage.Kinds.OPEN), key=lambda stage: stage.kind
        )[::-1],
        reasons=reasons,
        last_sequence=Counter.objects.get(organization=organization).last,
    )


def _reserve_ids(model: Any, count: int) -> int:
    """The first of `count` consecutive ids. The table is locked until the transaction ends."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            first = int(cursor.fetchone()[0])
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + count])
            return first
        # SQLite has one writer, and continues after the largest id of the table's past.
        cursor.execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = %s", [table])
        return int(cursor.fetchone()[0])


def _text(index: str, kind: str, convert: Callable[[str], str] = str) -> str:
    return choice(index, [convert(word) for word in words()[kind]])


def _numbers(count: int) -> str:
    rows = f"SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM number WHERE n < {count}"
    return f"WITH RECURSIVE number(n) AS ({rows})"


def _create_work_tables(load: Load) -> None:
    """`load_contact`, `load_deal`, `load_step` and `load_activity`: whose ids, when, and which stage of which deal."""
    load.first_contact = _reserve_ids(Contact, load.contacts)
    load.first_deal = _reserve_ids(Deal, load.deals)
    # Of four contacts one is a company, and the others work there.
    texts = {
        "first_name": _text("n * 7", "first_names"),
        "last_name": _text("n * 13", "last_names"),
        "name": f"{_text('n', 'company_names')} || ' ' || {_text('n * 5', 'company_trades')}",
    }
    folded = {
        "person": f"{_text('n * 7', 'first_names', fold)} || ' ' || {_text('n * 13', 'last_names', fold)}",
        "company": f"{_text('n', 'company_names', fold)} || ' ' || {_text('n * 5', 'company_trades', fold)}",
    }
    run(
        f"CREATE TEMPORARY TABLE load_contact AS {_numbers(load.contacts)}"
        f" SELECT n, {load.first_contact} + n - 1 AS id, {vendor().new_uuid} AS uuid, {load.start} + n AS created,"
        f" CASE WHEN n %% 4 = 1 THEN 'company' ELSE 'person' END AS kind,"
        f" CASE WHEN n %% 4 <> 1 THEN {load.first_contact} + n - 1 - (n - 1) %% 4 END AS company_id,"
        f" CASE WHEN n %% 4 = 1 THEN '' ELSE {texts['first_name']} END AS first_name,"
        f" CASE WHEN n %% 4 = 1 THEN '' ELSE {texts['last_name']} END AS last_name,"
        f" CASE WHEN n %% 4 = 1 THEN {texts['name']} ELSE '' END AS name,"
        f" CASE WHEN n %% 4 = 1 THEN {folded['company']} ELSE {folded['person']} END AS folded,"
        f" 'contact' || n || '@load.example' AS email FROM number"
    )
    opening = load.start + load.contacts + DAY
    reached = f"(n * 7919) %% {len(load.open_stages)}"
    won, lost = len(load.open_stages), len(load.open_stages) + 1
    # `ending` is the place of the closing stage, or null; the first stage of a deal is that of place 0.
    run(
        f"CREATE TEMPORARY TABLE load_deal AS {_numbers(load.deals)}, outline AS ("
        f" SELECT n, CAST((n * 104729) %% 100 AS integer) AS luck,"
        f" {opening} + (n - 1) * {load.end - opening} / {load.deals} AS created,"
        f" (3 + (n * 31) %% 25) * {DAY} + (n * 17) %% {DAY} AS pace,"
        f" {load.first_contact} + (n * 101) %% {load.contacts // 4} * 4 AS client FROM number)"
        f" SELECT n, {load.first_deal} + n - 1 AS id, {vendor().new_uuid} AS uuid, created, pace, client,"
        f" client + 1 + n %% 3 AS contact,"
        f" {choice('n * 3', [seller.pk for seller in load.sellers])} AS owner,"
        f" (1 + (n * 53) %% 400) * CASE WHEN n %% 40 = 0 THEN 1000 ELSE 50 END AS amount,"
        f" {_text('n * 11', 'products')} || ' ' || n AS name,"
        f" {_text('n * 11', 'products', fold)} || ' ' || n AS folded,"
        f" CASE WHEN luck < 42 THEN {won - 1} ELSE {reached} END AS reached,"
        f" CASE WHEN luck < 42 THEN {won} WHEN luck < {100 - load.endless} THEN {lost} END AS ending FROM outline"
    )
    steps = " UNION ALL ".join(f"SELECT {place} AS step" for place in range(len(load.open_stages) + 1))
    before = load.last_sequence + load.contacts
    run(
        "CREATE TEMPORARY TABLE load_step AS"
        f" SELECT d.n, s.step, d.created + s.step * d.pace AS at,"
        " CASE WHEN s.step <= d.reached THEN s.step ELSE d.ending END AS place,"
        f" {before} + row_number() OVER (ORDER BY d.created + s.step * d.pace, d.n) AS sequence"
        f" FROM load_deal d JOIN ({steps}) s"
        " ON s.step <= d.reached + CASE WHEN d.ending IS NULL THEN 0 ELSE 1 END"
        f" WHERE d.created + s.step * d.pace < {load.end}"
    )
    _create_activities(load)


def _create_activities(load: Load) -> None:
    """Of each open deal a call that was made, and of two of three one that is planned around the end of the load."""
    first = _reserve_ids(Activity, 2 * load.deals)
    run(
        "CREATE TEMPORARY TABLE load_activity AS"
        f" SELECT a.*, {first} + number - 1 AS id, {vendor().new_uuid} AS uuid,"
        f" (SELECT max(sequence) FROM load_step) + number AS sequence FROM ("
        " SELECT d.n, d.id AS deal, d.owner, p.planned, row_number() OVER (ORDER BY d.n, p.planned) AS number,"
        f" CASE WHEN p.planned = 1 THEN {load.end} + (d.n %% 21 - 10) * {DAY} END AS due,"
        f" CASE WHEN p.planned = 0 THEN {load.end} END AS done"
        " FROM load_deal d JOIN (SELECT 0 AS planned UNION ALL SELECT 1) p"
        " ON p.planned = 0 OR d.n %% 3 <> 0 WHERE d.ending IS NULL) a"
    )


def _write(load: Load) -> None:
    _write_contacts(load)
    _write_deals(load)
    _write_activities(load)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM load_step) + (SELECT count(*) FROM load_activity)")
        take_sequences(load.actor.organization_id, load.contacts + int(cursor.fetchone()[0]))


def _write_contacts(load: Load) -> None:
    columns = ("id", "uuid", "kind", "first_name", "last_name", "name", "email", "company_id")
    values = {name: name for name in columns} | {
        "organization_id": str(load.actor.organization_id),
        "created_at": "created",
        "owner_id": choice("n", [seller.pk for seller in load.sellers]),
    }
    derived = {
        "updated_at": "created",
        "full_name": "CASE kind WHEN 'company' THEN name ELSE first_name || ' ' || last_name END",
        "name_folded": "CASE kind WHEN 'company' THEN folded ELSE '' END",
        "search_text": "folded || '\n' || email || '\n' || COALESCE('\x1f' || company_text, '')",
    }
    companies = "SELECT id AS its_id, folded || '\n' || email || '\n' AS company_text FROM load_contact"
    insert(
        Contact,
        values | derived,
        f"FROM load_contact LEFT JOIN ({companies}) c ON its_id = company_id ORDER BY n",
    )
    event = {
        "sequence": f"{load.last_sequence} + n",
        "at": "created",
        "actor_id": str(load.actor.member.pk),
        "action": "'created'",
        "row_version": "1",
        "changes": creation(Contact, values),
    }
    insert(Event, _event(load, "contact") | event, "FROM load_contact ORDER BY n")


def _event(load: Load, kind: str) -> dict[str, str]:
    return {
        "organization_id": str(load.actor.organization_id),
        "change_set": vendor().new_uuid,
        "kind": f"'{kind}'",
        "row_id": "id",
        "row_uuid": "uuid",
    }


def _write_deals(load: Load) -> None:
    organization = load.actor.organization
    stages = [stage.pk for stage in load.stages]
    status = choice("place", ["open"] * len(load.open_stages) + ["won", "lost"])
    reason = f"CASE WHEN place = {len(stages) - 1} THEN {choice('d.n', [row.pk for row in load.reasons])} END"
    closed = f"CASE WHEN place >= {len(load.open_stages)} THEN at END"
    created = {
        "id": "id",
        "uuid": "uuid",
        "organization_id": str(organization.pk),
        "created_at": "created",
        "name": "name",
        "amount": "amount",
        "currency": f"'{organization.currency}'",
        "owner_id": "owner",
        "created_by_id": "owner",
        "contact_id": "contact",
        "client_id": "client",
        "expected_close_date": "created + 5 * pace",
    }
    at_first = {"stage_id": str(stages[0]), "status": "'open'", "stage_entered_at": "created"}
    at_last = {
        "stage_id": choice("place", stages),
        "status": status,
        "stage_entered_at": "at",
        "closed_at": closed,
        "lost_reason_id": reason,
        "version": "step + 1",
        "updated_at": "at",
        "search_text": "folded || '\n' || contact_text || client_text",
        "amount_base": "amount",
        "next_due_at": "next_due",
        "next_activity": "next_uuid",
    }
    last_steps = (
        "FROM load_deal d JOIN (SELECT n AS last_n, max(step) AS last_step FROM load_step GROUP BY n) l"
        " ON l.last_n = d.n JOIN load_step s ON s.n = d.n AND s.step = l.last_step"
        " JOIN (SELECT id AS contact_id, folded || '\n' || email || '\n' AS contact_text FROM load_contact) p"
        " ON p.contact_id = d.contact"
        " JOIN (SELECT id AS client_id, folded || '\n' || email || '\n' AS client_text FROM load_contact) c"
        " ON c.client_id = d.client LEFT JOIN (SELECT n AS next_n, due AS next_due, uuid AS next_uuid"
        " FROM load_activity WHERE planned = 1) a ON a.next_n = d.n ORDER BY d.n"
    )
    insert(Deal, created | at_last, last_steps)

    steps = "FROM load_step s JOIN load_deal d ON d.n = s.n"
    state = {
        "organization_id": str(organization.pk),
        "deal_id": "id",
        "stage_id": choice("place", stages),
        "status": status,
        "amount": "amount",
        "currency": created["currency"],
        "owner_id": "owner",
        "probability": choice("place", [*(stage.probability for stage in load.open_stages), 100, 0]),
        "expected_close_date": created["expected_close_date"],
        "closed_at": closed,
        "valid_from": "at",
        "valid_to": "lead(at) OVER (PARTITION BY s.n ORDER BY s.step)",
    }
    insert(DealState, state, steps)

    event = _event(load, "deal") | {"sequence": "sequence", "at": "at", "actor_id": "owner"}
    first = {"action": "'created'", "row_version": "1", "changes": creation(Deal, created | at_first)}
    insert(Event, event | first, f"{steps} WHERE s.step = 0 ORDER BY s.sequence")
    entered = Deal._meta.get_field("stage_entered_at")
    moved = {
        "stage_id": change(choice("step - 1", stages), choice("place", stages)),
        "stage_entered_at": change(as_json(entered, "at - pace"), as_json(entered, "at")),
    }
    ended = moved | {
        "status": change("'open'", status),
        "closed_at": change("NULL", as_json(entered, "at")),
    }
    lost = ended | {"lost_reason_id": change("NULL", reason)}
    for changes, places in (
        (moved, f"< {len(load.open_stages)}"),
        (ended, f"= {len(load.open_stages)}"),
        (lost, f"= {len(load.open_stages) + 1}"),
    ):
        pairs = ", ".join(f"'{name}', {pair}" for name, pair in changes.items())
        later = {
            "action": "'updated'",
            "row_version": "step + 1",
            "changes": f"{vendor().object}({pairs})",
        }
        source = f"{steps} WHERE s.step > 0 AND s.place {places} ORDER BY s.sequence"
        insert(Event, event | later, source)


def _write_activities(load: Load) -> None:
    values = {
        "id": "id",
        "uuid": "uuid",
        "organization_id": str(load.actor.organization_id),
        "created_at": str(load.end),
        "type": "'call'",
        "subject": "CASE planned WHEN 1 THEN 'Follow up' ELSE 'First call' END",
        "due_at": "due",
        "done_at": "done",
        "owner_id": "owner",
        "deal_id": "deal",
    }
    derived = {
        "updated_at": str(load.end),
        "deadline": "due",
        "search_text": "CASE planned WHEN 1 THEN 'follow up' ELSE 'first call' END || '\n'",
    }
    insert(Activity, values | derived, "FROM load_activity ORDER BY number")
    event = {
        "sequence": "sequence",
        "at": str(load.end),
        "actor_id": "owner",
        "action": "'created'",
        "row_version": "1",
        "changes": creation(Activity, values),
    }
    insert(Event, _event(load, "activity") | event, "FROM load_activity ORDER BY sequence")
