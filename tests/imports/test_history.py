"""Two years of another system, moved in by a file: the figures of the past are those of the source rows."""

import datetime
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from crm_project.accounts.models import Organization
from crm_project.journal.models import Event
from deals.models import Deal, DealState
from pipelines.models import Pipeline
from tests.api.client import ApiTestCase
from tests.imports.client import carried_out, counts, csv_file, upload

PARIS = ZoneInfo("Europe/Paris")
STAGES = ("Appointment Scheduled", "Qualified To Buy", "Presentation", "Contract Sent")
CLOSING = ("Closed Won", "Closed Lost")
BEGIN = datetime.datetime(2024, 7, 1, 7, tzinfo=datetime.UTC)
END = datetime.datetime(2026, 6, 30, 22, tzinfo=datetime.UTC)
HEADER = (
    "Record ID", "Deal Name", "Deal Stage", "Pipeline", "Amount", "Currency", "Create Date", "Close Date",
    *(f'Date entered "{name} (Sales Pipeline)"' for name in (*STAGES, *CLOSING)),
)  # fmt: skip


def written(instant: datetime.datetime | None) -> str:
    return f"{instant.astimezone(PARIS):%Y-%m-%d %H:%M}" if instant else ""


@dataclass
class Row:
    """A deal of the old system: the stages that it passed, by name, and its closing."""

    number: int
    amount: Decimal
    path: list[tuple[str, datetime.datetime]]
    closing: tuple[str, datetime.datetime] | None = None
    steps: list[tuple[str, datetime.datetime]] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = [*self.path, *([self.closing] if self.closing else [])]

    @property
    def status(self) -> str:
        return self.closing[0].split()[1].lower() if self.closing else "open"

    @property
    def created(self) -> datetime.datetime:
        return self.path[0][1]

    def at(self, instant: datetime.datetime) -> str | None:
        """The stage at an instant; None before the creation."""
        return next((name for name, begin in reversed(self.steps) if begin <= instant), None)

    def cells(self) -> list[Any]:
        entered = dict(self.steps)
        closed = self.closing[1] if self.closing else None
        dates = [written(entered.get(name)) for name in (*STAGES, *CLOSING)]
        stage = self.steps[-1][0]
        return [
            *(self.number, f"Deal {self.number}", stage, "Sales Pipeline", self.amount, "EUR"),
            *(written(self.created), written(closed), *dates),
        ]


def history() -> list[Row]:
    chance = random.Random(3)
    rows = []
    for number in range(1, 141):
        at = BEGIN + datetime.timedelta(days=chance.randint(0, 720), minutes=chance.randint(0, 500))
        path = []
        for name in STAGES[chance.choice([0, 0, 0, 1]) :]:
            path.append((name, at))
            at += datetime.timedelta(days=chance.randint(0, 40), minutes=chance.randint(1, 500))
            if at >= END or chance.random() < 0.3:
                break
        closing = (chance.choice(CLOSING), at) if at < END and chance.random() < 0.7 else None
        rows.append(Row(number, Decimal(chance.randint(1, 900)) * 10, path, closing))
    return rows


class HistoryTests(ApiTestCase):
    """A file of HubSpot's form."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Organization.objects.filter(pk=cls.alice.organization_id).update(time_zone="Europe/Paris")
        cls.rows = history()

    def move_in(self) -> Any:
        answer = upload(self.as_alice, "deals", csv_file(HEADER, *(row.cells() for row in self.rows)))
        source = answer.json()
        place = f"/api/imports/{source['uuid']}"
        for value in source["values"]:
            chosen = {one["value"]: "create" for one in value["values"]}
            assert self.as_alice.patch(place, {"value_choices": {value["field"]: chosen}}).status_code == 200
        result = carried_out(self.as_alice, place)
        refused = self.as_alice.rows(f"{place}/refused-rows")
        assert result["state"] == "done", (result["problem"], refused[:2])
        return result

    def test_all_figures_are_those_of_the_source(self) -> None:
        result = self.move_in()
        assert counts(result) == (len(self.rows), 0, 0, 0)
        assert [part for part in result["summary"]["left_out"] if part["reason"] == "contradicting"] == []
        pipeline = Pipeline.objects.get(name="Sales Pipeline")
        stages = list(pipeline.stages.in_order())
        assert [stage.name for stage in stages] == [*STAGES, *CLOSING]
        self.check_states()
        self.check_created_and_won()
        self.check_changes()
        self.check_funnel(pipeline)
        self.check_as_of()
        self.check_events(result)

    def check_states(self) -> None:
        for row in self.rows:
            deal = Deal.objects.get(name=f"Deal {row.number}")
            states = DealState.objects.filter(deal=deal).order_by("valid_from").select_related("stage")
            assert [(state.stage.name, state.valid_from) for state in states] == row.steps
            assert [state.valid_to for state in states] == [*(at for _, at in row.steps[1:]), None]
            assert {state.status for state in states if state.valid_to} <= {"open"}
            assert (deal.created_at, deal.stage_entered_at) == (row.created, row.steps[-1][1])
            assert (deal.status, deal.closed_at) == (row.status, row.closing[1] if row.closing else None)

    def check_created_and_won(self) -> None:
        period = {"since": "2024-07-01", "until": "2026-07-01", "bucket": "month"}
        for date, status in (("created_at", None), ("closed_at", "won"), ("closed_at", "lost")):
            shown = self.as_alice.get(
                "/api/deals/metrics", **period, date=date, **({"status": status} if status else {})
            ).json()
            found = {
                one["group"]["period"]: (one["count"], one["totals"][0]["amount"]) for one in shown["results"]
            }
            sums: dict[str, list[Decimal]] = {}
            for row in self.rows:
                if status is None or row.status == status:
                    at = row.created if status is None else row.steps[-1][1]
                    sums.setdefault(f"{at.astimezone(PARIS):%Y-%m}-01", []).append(row.amount)
            assert found == {month: (len(some), f"{sum(some):.2f}") for month, some in sums.items()}

    def check_changes(self) -> None:
        for month in (datetime.date(2025, 3, 1), datetime.date(2025, 11, 1), datetime.date(2026, 6, 1)):
            since = datetime.datetime.combine(month, datetime.time(), PARIS)
            until = (since + datetime.timedelta(days=32)).replace(day=1)
            shown = self.as_alice.get(
                "/api/deals/changes", since=since.isoformat(), until=until.isoformat()
            ).json()
            found = {
                name: (part["count"], part["totals"][0]["amount"])
                for name, part in shown.items()
                if isinstance(part, dict) and part["count"]
            }
            expected: dict[str, list[Decimal]] = {}
            for row in self.rows:
                before, after = (
                    row.at(since - datetime.timedelta(microseconds=1)),
                    row.at(until - datetime.timedelta(microseconds=1)),
                )
                if since <= row.created < until:
                    expected.setdefault("added", []).append(row.amount)
                if row.closing and since <= row.closing[1] < until:
                    expected.setdefault(row.status, []).append(row.amount)
                if before in STAGES and after in STAGES and before != after:
                    expected.setdefault("moved", []).append(row.amount)
            assert found == {name: (len(some), f"{sum(some):.2f}") for name, some in expected.items()}

    def check_funnel(self, pipeline: Pipeline) -> None:
        since, until = datetime.date(2025, 1, 1), datetime.date(2025, 7, 1)
        shown = self.as_alice.get(
            f"/api/pipelines/{pipeline.uuid}/funnel", since=str(since), until=str(until)
        ).json()
        assert [one["stage"]["name"] for one in shown["stages"]] == list(STAGES)
        for one in shown["stages"]:
            rank = STAGES.index(one["stage"]["name"])
            entered, passed, days = 0, 0, []
            for row in self.rows:
                for place, (name, at) in enumerate(row.steps):
                    if name != STAGES[rank] or not since <= at.astimezone(PARIS).date() < until:
                        continue
                    later = row.steps[place + 1 :]
                    entered += 1
                    passed += any(next_one in (*STAGES[rank + 1 :], "Closed Won") for next_one, _ in later)
                    days += [(later[0][1] - at).total_seconds() / 86400] if later else []
            assert (one["entered"], one["passed"]) == (entered, passed)
            assert abs(float(one["median_days"]) - median(days)) < 0.1
        won = [
            row
            for row in self.rows
            if row.status == "won" and since <= row.steps[-1][1].astimezone(PARIS).date() < until
        ]
        cycle = median((row.steps[-1][1] - row.created).total_seconds() / 86400 for row in won)
        assert shown["won"]["count"] == len(won)
        assert abs(float(shown["median_days_to_win"]) - cycle) < 0.1

    def check_as_of(self) -> None:
        at = datetime.datetime(2025, 6, 1, tzinfo=PARIS)
        shown = self.as_alice.get(
            "/api/deals/metrics", as_of=at.isoformat(), group_by="stage", status="open"
        ).json()
        found = {one["group"]["stage"]["name"]: one["count"] for one in shown["results"]}
        stood = Counter(row.at(at) for row in self.rows)
        assert found == {name: stood[name] for name in STAGES if stood[name]}

    def check_events(self, result: Any) -> None:
        events = Event.objects.of_change_set(self.alice.organization_id, result["counts"]["change_set"])
        assert Counter(event.action for event in events.filter(kind="deal")) == {"created": len(self.rows)}
        assert {str(event.import_uuid) for event in events} == {result["uuid"]}
        shown = self.as_alice.rows("/api/events", kind="deal")
        assert {tuple(event["types"]) for event in shown} == {("deal.created",)}

    def test_an_undo_takes_the_past_back(self) -> None:
        result = self.move_in()
        undone = carried_out(self.as_alice, f"/api/imports/{result['uuid']}", "undo")
        assert undone["state"] == "undone", undone["problem"]
        assert not Deal.objects.filter(deleted_at=None).exists()
        assert not Pipeline.objects.filter(name="Sales Pipeline", deleted_at=None).exists()
        shown = self.as_alice.get("/api/deals/changes", since="2025-03-01", until="2025-04-01").json()
        assert sum(part["count"] for part in shown.values() if isinstance(part, dict)) == 0
        past = self.as_alice.get("/api/deals/metrics", as_of="2025-06-01", group_by="stage").json()
        assert past["results"] == []

        redone = carried_out(self.as_alice, f"/api/imports/{result['uuid']}", "undo")
        assert redone["state"] == "done", redone["problem"]
        self.check_created_and_won()
        self.check_changes()
        self.check_as_of()
