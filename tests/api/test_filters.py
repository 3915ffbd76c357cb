"""Lists against a brute-force oracle: each filter, each ordering, page by page, forward and back, while rows change."""

import datetime
import random
import uuid
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.core import signing
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from contacts.models import Contact
from crm_project.activities.services import create_activities
from crm_project.journal.models import Event
from crm_project.records.text import fold
from crm_project.server import limit_request_line
from deals.models import Deal
from deals.services import create_deals
from pipelines.services import update_stage
from tests.api.client import ApiTestCase, problem
from tests.examples import IS_REPEATABLE, examples
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory, PersonFactory

PARIS = ZoneInfo("Europe/Paris")
ROWS = 30
DAY = datetime.timedelta(days=1)
# On the last Sunday of October Paris has 25 hours, on that of March 23.
DAYS = ["2024-03-31", "2024-10-26", "2024-10-27", "2024-10-28"]
INSTANTS = [
    "2024-10-26T21:59:59.999999Z",
    "2024-10-26T22:00:00Z",
    "2024-10-27T00:30:00Z",
    "2024-10-27T01:30:00Z",
    "2024-10-27T22:59:59.999999Z",
    "2024-10-27T23:00:00Z",
    "2024-03-30T23:00:00Z",
    "2024-03-31T21:59:59Z",
    "2024-03-31T22:00:00Z",
]
AMOUNTS = [None, "0", "10", "10.50", "1000"]
NAMES = ["Éa", "éa", "Zoo", "apple", "Apple", "apple pie", "😀", "\ufffd"]
BOUNDS = ["0", "10", "10.5", "10.51", "1000.0000"]
CUSTOM = ["figure", "flag", "word", "day", "size", "colors"]
# Parameters that take several values, and exact texts: each has an opposite, `<name>_not`.
SEVERAL = [
    *(
        "status",
        "next_step",
        "forecast_category",
        "stage_kind",
        "pipeline",
        "stage",
        "owner",
        "contact",
        "client",
        "participant",
        "company",
        "uuid",
        "change_set",
    ),
    *("contact_email", "currency", "origin", "lost_reason", "department_id", "project_id", "task_id"),
]
# Columns that are the same in all rows here.
UNIFORM = [
    f"{name}_empty" for name in ("name", "bid_value", "bid_periods", "invoice_no", "date_to", "created_by")
]
UNIFORM += ["next_deal_empty"]
# Columns that may be null or the empty string.
EMPTY = [
    *(
        "name",
        "description",
        "amount",
        "amount_base",
        "amount_gross",
        "tax_rate",
        "bid_value",
        "bid_periods",
        "contact",
        "client",
    ),
    *("owner", "lost_reason", "expected_close_date", "closed_at", "date", "date_from", "date_to", "number"),
    *("invoice_no", "url", "origin", "department_id", "project_id", "task_id", "next_deal", "created_by"),
    *("paused_until", "pause_reason"),
]
ORDERINGS = [
    *(
        "created_at",
        "updated_at",
        "amount",
        "amount_base",
        "expected_close_date",
        "closed_at",
        "name",
        "status",
    ),
    *("custom_figure", "custom_flag", "custom_word"),
]
# It stands for other filters; see tests/saved_views.
OF_VIEWS = {"view"}
# Parameters that are no filters: `as_of` reads another table, and is tested with it; `custom_fields` stands for the
# parameters of all custom fields.
EVERYWHERE = {
    *("cursor", "page_size", "total", "ordering", "format", "deleted", "fields", "expand"),
    *("as_of", "custom_fields"),
}


def paris_today():
    return datetime.datetime.now(PARIS).date()


def is_paused(row):
    return row["status"] == "open" and (row["paused_until"] or "") >= paris_today().isoformat()


def parameters_of(path):
    """The query parameters of a list in the OpenAPI document."""
    operation = Client().get("/api/schema").json()["paths"][path]["get"]
    return {entry["name"] for entry in operation["parameters"] if entry["in"] == "query"}


def instant(text):
    return datetime.datetime.fromisoformat(text)


def at_least(read):
    return lambda row, bound: read(row) is not None and read(row) >= bound


def at_most(read):
    return lambda row, bound: read(row) is not None and read(row) <= bound


def amount_of(name):
    return lambda row: None if row[name] is None else Decimal(row[name])


def bounds_of_instant(name):
    """What both bounds of an instant mean: a day is a day in Paris."""

    def compare(row, bound, step):
        if row[name] is None:
            return False
        if len(bound) == 10:
            local = instant(row[name]).astimezone(PARIS).date().isoformat()
            return local >= bound if step > 0 else local <= bound
        return instant(row[name]) >= instant(bound) if step > 0 else instant(row[name]) <= instant(bound)

    return (lambda row, bound: compare(row, bound, 1)), (lambda row, bound: compare(row, bound, -1))


def any_of(*read):
    """Passes if the text of one of the values that `read` gives is among the comma-separated ones; `none`: no value."""

    def passes(row, value):
        held = [one for part in read for one in part(row)] or ["none"]
        return bool({*map(str, held)} & {*value.split(",")})

    return passes


def part_of(part, name="uuid"):
    return lambda row: [row[part][name]] if row[part] else []


def plain_value(name):
    return lambda row: [] if row[name] is None else [row[name]]


def custom_value(key):
    return lambda row: row["custom_fields"].get(key)


def searched(company_names):
    """Whether a row has every word; `company_names` holds the name of each person's company, by the person's uuid."""

    def passes(row, text):
        people = [row[part] for part in ("contact", "client") if row[part]]
        texts = [row["name"], row["description"], row["number"]]
        texts += [person[name] for person in people for name in ("full_name", "email") if name in person]
        if row["contact"] and not row["client"]:
            texts.append(company_names.get(row["contact"]["uuid"], ""))
        return all(any(word in fold(part) for part in texts) for word in fold(text).split())

    return passes


def holds(row, system, external_id=None):
    return any(
        key["system"] == system and external_id in (None, key["external_id"])
        for key in row["external_references"]
    )


class FilterTests(ApiTestCase, HypothesisTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        type(cls.organization).objects.filter(pk=cls.organization.pk).update(time_zone="Europe/Paris")
        for key, type_ in (("figure", "number"), ("flag", "checkbox"), ("word", "text"), ("day", "date")):
            CustomFieldFactory(actor=cls.alice, key=key, type=type_)
        for key, type_, options in (
            ("size", "select", ["S", "M", "L, XL"]),
            ("colors", "multiselect", ["red", "blue", "green"]),
        ):
            CustomFieldFactory(actor=cls.alice, key=key, type=type_, options=options)
        cls.companies = [CompanyFactory(actor=cls.bob, name=name) for name in ("Acme", "Élan")]
        cls.people = [
            PersonFactory(actor=cls.bob, first_name="Zoé", email="zoe1@example.com"),
            PersonFactory(
                actor=cls.bob, first_name="Zoé", email="zoe2+x@example.com", company=cls.companies[0].pk
            ),
        ]
        cls.reasons = [LostReasonFactory(actor=cls.alice) for _ in range(2)]
        cls.stages = [*cls.pipeline.stages.in_order(), *cls.renewals.stages.in_order()]
        chance = random.Random(7)
        changes = [cls.change(chance, number) for number in range(ROWS)]
        cls.written = [create_deals(actor=cls.bob, changes=part) for part in (changes[::2], changes[1::2])]
        cls.deal(cls, cls.charlie, name="theirs", amount="10")
        cls.plan_steps()
        # Limits below, between and above the days that the deals have been in their stages.
        for stage, limit in zip(cls.stages, (2, 60, None, None, 5), strict=False):
            update_stage(actor=cls.alice, stage=stage, change={"stale_after_days": limit})
        cls.limits = {
            stage.pk: limit or 30 for stage, limit in zip(cls.stages, (2, 60, 0, 0, 5), strict=False)
        }
        today = paris_today()
        for deal in Deal.objects.filter(organization=cls.organization).order_by("id"):
            stamps = {name: instant(chance.choice(INSTANTS)) for name in ("created_at", "updated_at")}
            if deal.closed_at:
                stamps["closed_at"] = instant(chance.choice(INSTANTS))
            if deal.status == "open":
                until = chance.choice([None, None, today - DAY, today, today + 9 * DAY])
                stamps |= {"paused_until": until, "pause_reason": "Budget" if until else ""}
            days = chance.choice([0, 3, 40, 90])
            stamps["stage_entered_at"] = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
            Deal.objects.filter(pk=deal.pk).update(**stamps)
        cls.company_of = {str(cls.people[1].uuid): str(cls.companies[0].uuid)}
        cls.company_names = {str(cls.people[1].uuid): cls.companies[0].full_name}
        cls.ids = {str(key): pk for key, pk in Deal.objects.values_list("uuid", "pk")}
        cls.every = cls.as_bob.rows("/api/deals", page_size=200)
        assert len(cls.every) == ROWS

    @classmethod
    def plan_steps(cls):
        """A next step of every other deal: overdue, planned, or without a date."""
        deals = Deal.objects.filter(organization=cls.organization).order_by("id")[::2]
        days = (datetime.date(2026, 1, 1), datetime.date(2999, 1, 1), None)
        changes = [
            {"type": "call", "deal": deal.pk, "due_on": days[number % 3]} for number, deal in enumerate(deals)
        ]
        create_activities(actor=cls.alice, changes=changes)

    @classmethod
    def change(cls, chance, number):
        """A deal of few different values, so that many rows tie."""
        stage, amount = chance.choice(cls.stages), chance.choice(AMOUNTS)
        status = {"won": "won", "lost": chance.choice(["lost", "abandoned"])}.get(
            stage.kind
        ) or chance.choice(["open", "open", "won", "lost"])
        custom = {"figure": chance.choice([-1, 0, 2.5, 10]), "flag": chance.choice([True, False])}
        custom["word"] = chance.choice(NAMES)
        custom["day"], custom["size"] = chance.choice(DAYS), chance.choice(["S", "M", "L, XL"])
        custom["colors"] = chance.choice([["red"], ["red", "blue"], ["green"]])
        keys = [("default", f"{number}"), ("erp", f"{number % 5}-{number}")]
        return {
            "name": chance.choice(NAMES),
            "description": chance.choice(["", "Straße"]),
            "number": chance.choice(["", "N-1"]),
            "amount": Decimal(amount) if amount else None,
            "tax_rate": chance.choice(["", "20"]),
            "currency": chance.choice(["EUR", "USD"]),
            "stage": stage.pk,
            "status": status,
            "contact": chance.choice([None, *cls.people]) and chance.choice(cls.people).pk,
            "client": chance.choice([None, cls.companies[0].pk, cls.companies[1].pk]),
            "members": chance.choice(
                [[], [cls.people[1].pk], [row.pk for row in (*cls.people, *cls.companies)]]
            ),
            "probability": chance.choice([None, 0, 35, 70]) if status == "open" else None,
            "forecast_category": chance.choice([None, "commit", "omitted"]),
            "task_id": chance.choice([None, 5]),
            "date_from": chance.choice([None, datetime.date(2024, 1, 1)]),
            "url": chance.choice(["", "https://example.com"]),
            "owner": chance.choice([None, cls.bob.member.pk, cls.alice.member.pk]),
            "lost_reason": chance.choice(cls.reasons).pk if status in ("lost", "abandoned") else None,
            "expected_close_date": chance.choice([None, *map(datetime.date.fromisoformat, DAYS)]),
            "date": chance.choice([None, *map(datetime.date.fromisoformat, DAYS)]),
            "origin": chance.choice(["", "fair", "Web"]),
            "department_id": chance.choice([None, 1, -2]),
            "project_id": chance.choice([None, 1, 2**63 - 1]),
            "is_private": chance.choice([True, False]),
            "custom_fields": {key: value for key, value in custom.items() if chance.random() < 0.6},
            "external_references": chance.choice([[], keys, keys[:1]]),
        }

    def is_stale(self, row):
        limit = datetime.timedelta(days=self.limits.get(row["stage"]["id"], 30))
        too_long = instant(row["stage_entered_at"]) < datetime.datetime.now(datetime.UTC) - limit
        return row["status"] == "open" and not is_paused(row) and too_long

    @cached_property
    def change_sets(self):
        """The uuids of the deals that each of the two creations wrote, by its change set."""
        of = dict(Event.objects.filter(kind="deal", action="created").values_list("row_id", "change_set"))
        return {str(of[part[0].pk]): {str(row.uuid) for row in part} for part in self.written}

    @property
    def filters(self):
        """`declared`, and what each declaration makes: the opposite, and whether the column is empty."""
        made = dict(self.declared)
        for name, (values, passes) in self.declared.items():
            if name.startswith("custom_") and name.removeprefix("custom_") not in CUSTOM:
                continue
            if name in SEVERAL or name.startswith("custom_"):
                made[f"{name}_not"] = values, lambda row, value, passes=passes: not passes(row, value)
        for name in EMPTY:
            made[f"{name}_empty"] = (
                ["true", "false"],
                lambda row, value, name=name: (row[name] in (None, "")) is (value == "true"),
            )
        by_hand = {f"{key}" for key in Deal.objects.exclude(probability=None).values_list("uuid", flat=True)}
        made["probability_empty"] = (
            ["true", "false"],
            lambda row, value: (row["uuid"] not in by_hand) is (value == "true"),
        )
        chosen = Deal.objects.exclude(forecast_category=None).values_list("uuid", flat=True)
        chosen = {f"{key}" for key in chosen}
        made["forecast_category_empty"] = (
            ["true", "false"],
            lambda row, value: (row["uuid"] not in chosen) is (value == "true"),
        )
        for key in CUSTOM:
            made[f"custom_{key}_empty"] = (
                ["true", "false"],
                lambda row, value, key=key: (key not in row["custom_fields"]) is (value == "true"),
            )
        return made

    @property
    def declared(self):
        """Each parameter with values to try, and whether a row as it is read passes it."""
        closed, created, updated = map(bounds_of_instant, ("closed_at", "created_at", "updated_at"))
        amount, gross = amount_of("amount"), amount_of("amount_gross")
        times, nobody = [*DAYS[:3], *INSTANTS[:2], "2024-10-27T02:30:00+01:00"], str(uuid.uuid4())
        people, companies = [str(row.uuid) for row in self.people], [str(row.uuid) for row in self.companies]

        def taking_part(row):
            return [part["uuid"] for part in row["participants"]]

        def at_least_int(name):
            return lambda row, value: row[name] >= int(value)

        def at_most_int(name):
            return lambda row, value: row[name] <= int(value)

        def of_decimal(test):
            return lambda row, value: test(row, Decimal(value))

        def of_day(name):
            return at_least(lambda row: row[name]), at_most(lambda row: row[name])

        expected, date = of_day("expected_close_date"), of_day("date")
        paused_until = of_day("paused_until")
        pauses = [(paris_today() + days * DAY).isoformat() for days in (-1, 0, 1)]
        return {
            "status": (
                ["open", "won", "lost,abandoned", "open,open"],
                lambda row, value: row["status"] in value.split(","),
            ),
            "amount_min": (BOUNDS, of_decimal(at_least(amount))),
            "amount_max": (BOUNDS, of_decimal(at_most(amount))),
            "amount_base_min": (BOUNDS, of_decimal(at_least(amount_of("amount_base")))),
            "amount_base_max": (BOUNDS, of_decimal(at_most(amount_of("amount_base")))),
            "amount_gross_min": (BOUNDS, of_decimal(at_least(gross))),
            "amount_gross_max": (BOUNDS, of_decimal(at_most(gross))),
            "expected_close_date_after": (DAYS, expected[0]),
            "expected_close_date_before": (DAYS, expected[1]),
            "date_after": (DAYS, date[0]),
            "date_before": (DAYS, date[1]),
            "closed_at_after": (times, closed[0]),
            "closed_at_before": (times, closed[1]),
            "created_at_after": (times, created[0]),
            "created_at_before": (times, created[1]),
            "updated_at_after": (times, updated[0]),
            "updated_at_before": (times, updated[1]),
            "probability_min": (["0", "35", "71", "100"], at_least_int("probability")),
            "probability_max": (["0", "35", "69"], at_most_int("probability")),
            "days_in_stage_min": (
                ["0", "1", "3", "30", "41"],
                lambda row, value: (
                    instant(row["stage_entered_at"])
                    <= datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=int(value))
                ),
            ),
            "paused": (["true", "false"], lambda row, value: is_paused(row) is (value == "true")),
            "paused_until_after": (pauses, paused_until[0]),
            "paused_until_before": (pauses, paused_until[1]),
            "stale": (["true", "false"], lambda row, value: self.is_stale(row) is (value == "true")),
            "pipeline": (
                [f"{row.pk}" for row in (self.renewals, self.theirs)]
                + [f"{self.pipeline.pk},{self.renewals.pk}"],
                any_of(part_of("pipeline", "id")),
            ),
            "stage": (
                [f"{stage.pk}" for stage in self.stages]
                + [f"{2**62}", "-1", "0", ",".join(f"{stage.pk}" for stage in self.stages[:2])],
                any_of(part_of("stage", "id")),
            ),
            "forecast_category": (
                ["commit", "pipeline", "omitted,commit", "best_case"],
                any_of(lambda row: [row["forecast_category"]]),
            ),
            "stage_kind": (["open", "won", "won,lost"], any_of(part_of("stage", "kind"))),
            "uuid": (
                [nobody, self.every[0]["uuid"], ",".join([*(row["uuid"] for row in self.every[:5]), nobody])],
                any_of(lambda row: [row["uuid"]]),
            ),
            "change_set": (
                [*self.change_sets, nobody, ",".join(self.change_sets)],
                lambda row, value: any(
                    row["uuid"] in self.change_sets.get(one, ()) for one in value.split(",")
                ),
            ),
            "owner": (
                [str(actor.member.uuid) for actor in (self.bob, self.alice, self.viewer, self.charlie)]
                + ["none", "me", f"none,{self.alice.member.uuid}"],
                lambda row, value: any_of(part_of("owner"))(
                    row, value.replace("me", str(self.bob.member.uuid))
                ),
            ),
            "contact": ([*people, nobody, "none", f"none,{people[0]}"], any_of(part_of("contact"))),
            "client": ([*companies, nobody, "none", ",".join(companies)], any_of(part_of("client"))),
            "participant": ([*people, nobody, "none", f"{people[1]},none"], any_of(taking_part)),
            "company": (
                [*companies, nobody, ",".join(companies)],
                lambda row, value: bool(
                    {
                        belongs
                        for key in (*part_of("contact")(row), *part_of("client")(row), *taking_part(row))
                        for belongs in (key, self.company_of.get(key))
                    }
                    & {*value.split(",")}
                ),
            ),
            "contact_email": (
                [
                    "zoe1@example.com",
                    " ZOE2+X@example.COM",
                    "x@example.com",
                    "x@example.com,zoe1@example.com",
                ],
                lambda row, value: any_of(part_of("contact", "email"))(row, value.strip().lower()),
            ),
            "currency": (
                ["EUR", "usd", "XOF", "eur,USD"],
                lambda row, value: row["currency"] in value.upper(),
            ),
            "next_step": (
                ["none", "overdue", "planned", "today", "none,planned"],
                lambda row, value: (row["next_step"] or {"state": "none"})["state"] in value.split(","),
            ),
            "origin": (["fair", "Web", "web", "f"], lambda row, value: row["origin"] == value),
            "lost_reason": (
                [f"{row.pk}" for row in self.reasons] + ["1000000", "none", f"{self.reasons[0].pk},none"],
                any_of(part_of("lost_reason", "id")),
            ),
            "department_id": (["1", "-2", "7", "none", "1,-2"], any_of(plain_value("department_id"))),
            "project_id": (["1", str(2**63 - 1), "1,none"], any_of(plain_value("project_id"))),
            "task_id": (["5", "none", "6"], any_of(plain_value("task_id"))),
            "is_private": (["true", "false"], lambda row, value: row["is_private"] == (value == "true")),
            "external_system": (["default", "erp", "shop"], holds),
            "external_id": (["1", "2", "7", "x"], lambda row, value: holds(row, "default", value)),
            "custom_figure": (
                ["-1", "2.50", "10", "11", "-1,10"],
                lambda row, value: row["custom_fields"].get("figure") in map(float, value.split(",")),
            ),
            "custom_flag": (
                ["true", "false"],
                lambda row, value: row["custom_fields"].get("flag") is (value == "true"),
            ),
            "custom_figure_min": (
                ["0", "2.5", "9"],
                lambda row, value: (
                    custom_value("figure")(row) is not None and custom_value("figure")(row) >= float(value)
                ),
            ),
            "custom_figure_max": (
                ["0", "2.5", "-2"],
                lambda row, value: (
                    custom_value("figure")(row) is not None and custom_value("figure")(row) <= float(value)
                ),
            ),
            "custom_day": (DAYS, lambda row, value: custom_value("day")(row) == value),
            "custom_day_after": (DAYS, lambda row, value: (custom_value("day")(row) or "") >= value),
            "custom_day_before": (DAYS, lambda row, value: (custom_value("day")(row) or "9") <= value),
            "custom_size": (
                ["S", "S,M", "L, XL", "XXL"],
                lambda row, value: (
                    custom_value("size")(row) in (["L, XL"] if value == "L, XL" else value.split(","))
                ),
            ),
            "custom_colors": (
                ["red", "blue", "blue,green", "pink"],
                lambda row, value: bool({*(custom_value("colors")(row) or [])} & {*value.split(",")}),
            ),
            "custom_word": (NAMES, lambda row, value: row["custom_fields"].get("word") == value),
            "q": (
                [
                    "ea",
                    "ÉA",
                    "strasse",
                    "zoe1@",
                    "elan",
                    "acme",
                    "n-1",
                    "%",
                    "_",
                    "\\",
                    "'",
                    "pie",
                    "😀",
                    "nothing",
                ],
                searched(self.company_names),
            ),
        }

    def expected(self, parameters, ordering="-created_at"):
        rows = [
            row
            for row in self.every
            if all(self.filters[name][1](row, value) for name, value in parameters.items())
        ]
        name = ordering.removeprefix("-")

        def sort_key(row):
            custom = name.startswith("custom_")
            value = row["custom_fields"].get(name.removeprefix("custom_")) if custom else row[name]
            if value is not None:
                value = (
                    Decimal(value) if name == "amount" else instant(value) if name.endswith("_at") else value
                )
            return value, self.ids[row["uuid"]]

        def ordered(part):
            keys = sorted(((*sort_key(row), row["uuid"]) for row in part), reverse=name != ordering)
            return [key[-1] for key in keys]

        null = [row for row in rows if sort_key(row)[0] is None]
        # Nulls are last in both directions, in the order of their ids.
        without = sorted(null, key=lambda row: self.ids[row["uuid"]], reverse=name != ordering)
        return ordered(row for row in rows if row not in null) + [row["uuid"] for row in without]

    def walked(self, page_size, **parameters):
        """The uuids of every page forward; the way back must show the same pages."""
        pages = [self.as_bob.get("/api/deals", page_size=page_size, total="true", **parameters).json()]
        while pages[-1]["next"]:
            pages.append(self.as_bob.get(pages[-1]["next"]).json())
            assert len(pages) <= ROWS + 1
        page = pages[-1]
        for former in pages[-2::-1]:
            page = self.as_bob.get(page["previous"]).json()
            links = {name: page[name] for name in ("previous", "next", "next_cursor")}
            assert page == former | links
        assert page["previous"] is None
        assert all(len(page["results"]) == page_size for page in pages[:-1])
        uuids = [row["uuid"] for page in pages for row in page["results"]]
        assert {page["count"] for page in pages} == {len(uuids)}
        return uuids

    def test_each_filter_finds_the_right_rows(self):
        for name, (values, _) in self.filters.items():
            sizes = set()
            for value in values:
                rows = self.as_bob.rows("/api/deals", page_size=200, fields="uuid", **{name: value})
                assert [row["uuid"] for row in rows] == self.expected({name: value}), (name, value)
                sizes.add(len(rows))
            assert sizes - {0, ROWS} or name in UNIFORM, f"{name} was not really tried"

    def test_the_table_has_every_filter_of_the_document(self):
        custom = {name for name in self.filters if name.startswith("custom_")}

        assert parameters_of("/api/deals") - EVERYWHERE - OF_VIEWS == set(self.filters) - custom, (
            "one line for each"
        )

    def test_a_system_and_an_id_are_one_key(self):
        for row in self.every:
            for key in row["external_references"]:
                found = self.as_bob.rows(
                    "/api/deals", external_system=key["system"], external_id=key["external_id"]
                )
                assert [found["uuid"] for found in found] == [row["uuid"]]

    def test_each_ordering_page_by_page(self):
        for name in ORDERINGS:
            for ordering in (name, f"-{name}"):
                assert self.walked(9, ordering=ordering) == self.expected({}, ordering), ordering

    def test_the_smallest_pages(self):
        assert self.walked(1, ordering="amount") == self.expected({}, "amount")

    @settings(
        max_examples=examples(15),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=IS_REPEATABLE,
    )
    @given(data=st.data())
    def test_filters_orderings_and_pages_go_together(self, data):
        names = data.draw(
            st.lists(st.sampled_from(sorted(self.filters)), min_size=1, max_size=3, unique=True)
        )
        if {"external_system", "external_id"} <= set(names):
            names.remove("external_id")
        parameters = {name: data.draw(st.sampled_from(self.filters[name][0])) for name in names}
        ordering = data.draw(st.sampled_from(["", "-"])) + data.draw(st.sampled_from(ORDERINGS))

        walked = self.walked(data.draw(st.integers(2, 9)), ordering=ordering, **parameters)

        assert walked == self.expected(parameters, ordering)

    def test_a_day_is_a_day_in_the_organization_s_zone(self):
        long_day = {"created_at_after": "2024-10-27", "created_at_before": "2024-10-27"}

        found = self.as_bob.rows("/api/deals", page_size=200, **long_day)

        first, behind = instant("2024-10-26T22:00:00Z"), instant("2024-10-27T23:00:00Z")
        wanted = [row for row in self.every if first <= instant(row["created_at"]) < behind]
        assert (behind - first).total_seconds() == 25 * 3600
        assert {row["uuid"] for row in found} == {row["uuid"] for row in wanted}
        assert wanted


class MovingTests(ApiTestCase):
    """Rows that are there all the time come exactly once, whatever is written meanwhile."""

    def test_inserts_and_deletes_while_paging(self):
        for ordering in ("created_at", "-created_at", "amount", "-expected_close_date", "name"):
            with self.subTest(ordering):
                Deal.objects.filter(organization=self.organization, deleted_at=None).update(
                    deleted_at=datetime.datetime.now(datetime.UTC)
                )
                chance = random.Random(3)
                self.make(chance, 20)
                steady = {row["uuid"] for row in self.as_bob.rows("/api/deals", page_size=200)}
                seen, doomed = [], set()
                where, parameters = "/api/deals", {"page_size": 3, "ordering": ordering}
                while where:
                    page = self.as_bob.get(where, **parameters).json()
                    seen += [row["uuid"] for row in page["results"]]
                    where, parameters = page["next"], {}
                    self.make(chance, 2)
                    # The row at the very edge of the page is gone, and one that is still to come.
                    edge = [row["uuid"] for row in page["results"][-1:]]
                    for gone in (*edge, chance.choice(sorted(steady))):
                        if gone not in doomed:
                            doomed.add(gone)
                            self.as_bob.delete(f"/api/deals/{gone}")
                    assert len(seen) < 200
                assert len(seen) == len(set(seen))
                assert steady - doomed <= set(seen)

    def make(self, chance, count):
        # New amounts are below those of old rows or above, never without end ahead of the reader.
        for _ in range(count):
            amount = chance.choice([None, "1", "5", "9"])
            day = chance.choice([None, datetime.date(2024, 1, 1)])
            self.deal(amount=amount, name=chance.choice(NAMES), expected_close_date=day)


class ReferenceFilterTests(ApiTestCase):
    def test_a_key_finds_its_row_and_in_the_trash_what_held_it(self):
        for made in (self.deal, self.person):
            key = {"external_system": "erp", "external_id": "moved"}
            gone = made(external_references=[("erp", "moved")])
            path = f"/api/{gone.row_kind}s"
            self.as_bob.delete(f"{path}/{gone.uuid}")
            heir = made(external_references=[("erp", "moved"), ("shop", "moved")])

            assert [row["uuid"] for row in self.as_bob.rows(path, **key)] == [str(heir.uuid)]
            assert [row["uuid"] for row in self.as_bob.rows(path, external_system="shop")] == [str(heir.uuid)]
            assert [row["uuid"] for row in self.as_bob.rows(path, deleted="only", **key)] == [str(gone.uuid)]


class CursorTests(ApiTestCase):
    def test_forged_cursors_are_refused(self):
        for number in range(3):
            self.deal(name=f"{number}")
        cursor = (
            self.as_bob.get("/api/deals", page_size=1, ordering="name").json()["next"].split("cursor=")[1]
        )
        cursor = cursor.split("&")[0]
        good = {"ordering": "name", "page_size": 1}
        assert self.as_bob.get(f"/api/deals?cursor={cursor}&ordering=name").status_code == 200

        payload = signing.dumps(["name", 0, "str", "1", 1], salt="another")
        forged = [
            cursor[:-1],
            cursor + "A",
            "A" + cursor,
            cursor.swapcase(),
            payload,
            "W10:x",
            ":",
            "W10",
            "%",
        ]
        for text in forged:
            problem(self.as_bob.get("/api/deals", cursor=text, **good), 400, "invalid", "/cursor")
        for ordering in ("-name", "amount", "status"):
            answer = self.as_bob.get(f"/api/deals?cursor={cursor}&ordering={ordering}")
            problem(answer, 400, "invalid", "/cursor")

    def test_links_fit_into_a_request_line(self):
        """Whatever the last row's text is, the next page can be asked for."""
        CustomFieldFactory(actor=self.alice, kind="deal", key="story", label="Story", type="textarea")
        for number in range(3):
            self.deal(name="😀" * 255, custom_fields={"story": f"{number}" + "😀" * 20_000})

        for ordering in ("name", "-name", "custom_story", "-custom_story"):
            seen, path = [], f"/api/deals?page_size=1&ordering={ordering}"
            while path:
                assert len(path) < limit_request_line
                page = self.as_bob.get(path).json()
                seen += [row["custom_fields"]["story"][0] for row in page["results"]]
                path = page["next"]
            assert seen == ["2", "1", "0"] if ordering.startswith("-") else ["0", "1", "2"]

    def test_a_cursor_of_another_list_is_no_error_of_ours(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")
        CustomFieldFactory(actor=self.alice, kind="contact", key="size", type="text")
        for _ in range(3):
            self.deal(custom_fields={"size": 1})
            self.person(custom_fields={"size": "big"})
        for path, other in (("/api/contacts", "/api/deals"), ("/api/deals", "/api/contacts")):
            page = self.as_bob.get(path, page_size=1, ordering="custom_size").json()
            answer = self.as_bob.get(page["next"].replace(path, other))
            assert answer.status_code in (200, 400)

    def test_a_cursor_survives_a_change_of_the_field_s_type(self):
        old = CustomFieldFactory(actor=self.alice, key="size", type="text")
        for _ in range(3):
            self.deal(custom_fields={"size": "big"})
        page = self.as_bob.get("/api/deals", page_size=1, ordering="custom_size").json()
        self.as_alice.delete(f"/api/custom-fields/{old.pk}")
        for type_ in ("number", "checkbox"):
            made = CustomFieldFactory(actor=self.alice, key="size", type=type_)
            problem(self.as_bob.get(page["next"]), 400, "invalid", "/cursor")
            self.as_alice.delete(f"/api/custom-fields/{made.pk}")


# All rows of the test are created now.
OF_INSTANTS = {f"{name}_{end}" for name in ("created_at", "updated_at") for end in ("after", "before")}


class ContactFilterTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.company = CompanyFactory(actor=cls.bob, name="Élan", email="office@example.com")
        cls.people = [
            cls.person(
                cls,
                first_name=f"Person {number}",
                email=f"p{number}@example.com",
                phone="+33 1" if number % 2 else "",
                company=cls.company.pk if number % 3 == 0 else None,
                owner=cls.alice.member.pk if number % 2 else None,
                external_references=[("erp", f"{number}")] if number < 3 else [("default", f"{number}")],
            )
            for number in range(6)
        ]
        cls.person(cls, first_name="Without", email="", origin="fair")
        cls.every = cls.as_bob.rows("/api/contacts")
        cls.known = parameters_of("/api/contacts") - EVERYWHERE

    @property
    def filters(self):
        """Each parameter with a value, and whether a row as it is read passes it."""
        company, alice = str(self.company.uuid), str(self.alice.member.uuid)
        created = Event.objects.get(kind="contact", row_id=self.company.pk, action="created")
        return [
            ("change_set", str(created.change_set), lambda row: row["uuid"] == company),
            ("uuid", company, lambda row: row["uuid"] == company),
            ("email", " P1@Example.com", lambda row: row["email"] == "p1@example.com"),
            ("phone", "+331", lambda row: row["phone"] == "+33 1"),
            ("kind", "company", lambda row: row["kind"] == "company"),
            ("kind", "person,company", lambda row: True),
            ("company", company, lambda row: bool(row["company"])),
            ("owner", alice, lambda row: bool(row["owner"])),
            ("external_system", "erp", lambda row: holds(row, "erp")),
            ("external_id", "4", lambda row: holds(row, "default", "4")),
            ("q", "elan", lambda row: row["name"] == "Élan" or bool(row["company"])),
            ("q", "p3@", lambda row: row["email"] == "p3@example.com"),
            ("q", "+33", lambda row: row["phone"] == "+33 1"),
            ("created_at_after", "9000-01-01", lambda row: False),
            ("created_at_before", "9000-01-01", lambda row: True),
            ("updated_at_after", "9000-01-01", lambda row: False),
            ("updated_at_before", "9000-01-01", lambda row: True),
        ]

    def found(self, **parameters):
        return self.as_bob.rows("/api/contacts", **parameters)

    def test_each_filter_finds_the_right_rows(self):
        tried = {name: set() for name, _, _ in self.filters}
        for name, value, passes in self.filters:
            tried[name] |= {passes(row) for row in self.every}
            assert self.found(**{name: value}) == [row for row in self.every if passes(row)], (name, value)
            if f"{name}_not" in self.known:
                others = [row for row in self.every if not passes(row)]
                assert self.found(**{f"{name}_not": value}) == others, (name, value)
        found = self.found(external_system="erp", external_id="1")
        assert [row["email"] for row in found] == ["p1@example.com"]
        vacuous = {name for name, outcomes in tried.items() if outcomes != {True, False}}
        assert vacuous <= OF_INSTANTS, "no row passes, or none fails"

    def test_whether_a_column_is_empty(self):
        for parameter in (name for name in self.known if name.endswith("_empty")):
            column = parameter.removesuffix("_empty")
            empty = [row for row in self.every if row[column] in (None, "")]
            assert self.found(**{parameter: "true"}) == empty, parameter
            assert self.found(**{parameter: "false"}) == [row for row in self.every if row not in empty]

    def test_the_table_has_every_filter_of_the_document(self):
        tried = {name for name, _, _ in self.filters}
        made = {f"{name}_not" for name in tried} | {name for name in self.known if name.endswith("_empty")}

        assert self.known - made - OF_VIEWS == tried, "add a line to `filters` for each"

    def test_each_ordering_page_by_page(self):
        for name in ("b", "B", "é", "a", "a"):
            self.person(first_name=name, last_name="")
        for name, column in (("full_name", "full_name"), ("email", "email"), ("created_at", "created_at")):
            rows = Contact.objects.filter(organization=self.organization)
            wanted = [
                str(row.uuid) for row in sorted(rows, key=lambda row, c=column: (getattr(row, c), row.pk))
            ]
            for ordering, uuids in ((name, wanted), (f"-{name}", wanted[::-1])):
                seen, where, parameters = [], "/api/contacts", {"page_size": 2, "ordering": ordering}
                while where:
                    page = self.as_bob.get(where, **parameters).json()
                    seen += [row["uuid"] for row in page["results"]]
                    where, parameters = page["next"], {}
                assert seen == uuids, ordering
