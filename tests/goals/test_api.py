"""`/api/goals`, and the goals in the forecast of a pipeline."""

import datetime
from decimal import Decimal

from crm_project.goals.models import Goal
from tests.api.client import ApiTestCase, problem
from tests.goals.base import MONTHS, figures, goal, in_tokyo, random_deals

GOALS = "/api/goals"


class ApiTests(ApiTestCase):
    def test_a_goal(self):
        body = {"month": "2024-01-01", "amount": "50000", "member_uuid": str(self.bob.member.uuid)}
        created = self.as_manager.post(GOALS, body)
        row = created.json()

        assert created.status_code == 201
        assert list(row) == [
            *("uuid", "month", "amount", "currency", "member", "attained", "attained_percent", "deals"),
            *("without_rate", "created_at", "updated_at"),
        ]
        assert (row["month"], row["amount"], row["currency"]) == ("2024-01-01", "50000.00", "EUR")
        assert row["member"]["full_name"] == "Bob"
        assert (row["attained"], row["attained_percent"], row["deals"], row["without_rate"]) == (
            *("0.0000", 0.0),
            *(0, 0),
        )
        assert created["Location"].endswith(f"{GOALS}/{row['uuid']}")
        assert self.as_bob.get(f"{GOALS}/{row['uuid']}").json() == row

        changed = self.as_manager.patch(f"{GOALS}/{row['uuid']}", {**row, "amount": "60000.50"}).json()
        assert changed["amount"] == "60000.50"
        assert self.as_manager.delete(f"{GOALS}/{row['uuid']}").status_code == 204
        assert self.as_bob.rows(GOALS) == []
        restored = self.as_manager.post(f"{GOALS}/{row['uuid']}/restore")
        assert restored.json()["amount"] == "60000.50"

    def test_all_wrong_fields_are_named_at_once(self):
        answer = self.as_manager.post(GOALS, {"month": "2024-01-02", "amount": "x", "deals": 1})

        errors = problem(answer, 400, "invalid")["errors"]
        assert {error["pointer"]: error["code"] for error in errors} == {
            "/month": "invalid",
            "/amount": "invalid",
            "/deals": "read_only",
        }
        answer = self.as_manager.post(GOALS, {"month": "2024-11", "amount": "1"})
        assert answer.json()["errors"][0]["pointer"] == "/month"

    def test_a_month_that_is_taken(self):
        body = {"month": "2024-01-01", "amount": "1"}
        self.as_manager.post(GOALS, body)

        problem(self.as_manager.post(GOALS, body), 409, "month_taken")

    def test_an_old_version_is_refused(self):
        one = goal(self.alice)
        tag = self.as_manager.get(f"{GOALS}/{one.uuid}")["ETag"]
        self.as_manager.patch(f"{GOALS}/{one.uuid}", {"amount": "2"})

        answer = self.as_manager.patch(f"{GOALS}/{one.uuid}", {"amount": "3"}, headers={"If-Match": tag})
        problem(answer, 412, "precondition_failed")

    def test_the_goal_of_somebody_else_does_not_exist(self):
        one = goal(self.alice, member=self.manager.member.pk)

        for client in (self.as_bob, self.as_viewer, self.as_charlie):
            problem(client.get(f"{GOALS}/{one.uuid}"), 404, "not_found")
            assert client.rows(GOALS) == []
        answer = self.as_charlie.post(
            GOALS, {"month": "2024-01-01", "amount": "1", "member_uuid": str(self.bob.member.uuid)}
        )
        assert answer.json()["errors"][0]["code"] == "does_not_exist"

    def test_filters(self):
        for month in MONTHS:
            for member in (None, self.bob.member.pk, self.manager.member.pk):
                goal(self.alice, month.isoformat(), member=member)

        def found(client=self.as_manager, **query):
            return {
                (row["month"][5:7], row["member"] and row["member"]["full_name"])
                for row in client.rows(GOALS, **query)
            }

        names = (None, "Bob", "Mary")
        assert found() == {(month, name) for month in ("01", "02", "03") for name in names}
        assert found(self.as_bob) == {(month, name) for month in ("01", "02", "03") for name in names[:2]}
        assert found(month="2024-02-01") == {("02", name) for name in names}
        assert found(month_from="2024-02-01", member="none") == {("02", None), ("03", None)}
        assert found(month_to="2024-02-01", member="me") == {("01", "Mary"), ("02", "Mary")}
        assert found(month="2024-01-01", member=f"none,{self.bob.member.uuid}") == {
            ("01", None),
            ("01", "Bob"),
        }
        assert found(month="2024-01-01", member_not="none") == {("01", "Bob"), ("01", "Mary")}
        problem(self.as_bob.get(f"{GOALS}?month=2024-13-01"), 400, "invalid")
        months = [row["month"] for row in self.as_manager.rows(GOALS, ordering="month")]
        assert months == sorted(months)

    def test_every_figure_is_that_of_the_single_deals(self):
        in_tokyo(self)
        random_deals(self)
        for month in MONTHS:
            for member in (None, self.bob.member.pk):
                goal(self.alice, month.isoformat(), "123.45", member)

        for reader, client in ((self.alice, self.as_alice), (self.bob, self.as_bob)):
            rows = client.rows(GOALS)
            assert len(rows) == 6
            for row in rows:
                attained, percent, deals, without_rate = figures(reader, Goal.objects.get(uuid=row["uuid"]))
                assert row["attained"] == f"{attained:.4f}"
                assert row["attained_percent"] == float(percent)
                assert (row["deals"], row["without_rate"]) == (deals, without_rate)
                assert client.get(f"{GOALS}/{row['uuid']}").json() == row

    def test_the_event_names_the_member(self):
        one = goal(self.alice, member=self.bob.member.pk)

        [event] = [row for row in self.as_bob.rows("/api/events") if row["type"] == "goal.created"]
        assert event["row"] == str(one.uuid)
        to = {change["field"]: change["to"] for change in event["changes"]}
        assert to["member"]["full_name"] == "Bob"


class ForecastTests(ApiTestCase):
    """The goals in the forecast of a pipeline, for each role."""

    def forecast(self, client, pipeline, **asked):
        path = f"/api/pipelines/{pipeline.pk}/forecast"
        return client.get(path, since="2024-01-01", until="2024-04-01", **asked).json()["months"]

    def test_every_goal_that_the_reader_may_see_counts_the_deals_of_all_pipelines(self):
        in_tokyo(self)
        random_deals(self)
        for month in MONTHS[:2]:
            for member in (None, self.bob.member.pk, self.manager.member.pk):
                goal(self.alice, month.isoformat(), "1234.50", member)

        clients = {
            self.alice: self.as_alice,
            self.manager: self.as_manager,
            self.bob: self.as_bob,
            self.viewer: self.as_viewer,
        }
        seen = set()
        for actor, client in clients.items():
            for pipeline, asked in ((self.pipeline, {}), (self.renewals, {"owner": "none"})):
                for month, shown in zip(MONTHS, self.forecast(client, pipeline, **asked), strict=True):
                    goals = list(Goal.objects.visible_to(actor.member).filter(month=month))
                    assert {one["uuid"] for one in shown["goals"]} == {str(one.uuid) for one in goals}
                    by_uuid = {one["uuid"]: one for one in shown["goals"]}
                    for one in goals:
                        found = by_uuid[str(one.uuid)]
                        attained, percent, deals, without_rate = figures(actor, one)
                        assert (Decimal(found["attained"]), found["attained_percent"]) == (
                            attained,
                            float(percent),
                        )
                        assert (found["deals"], found["without_rate"]) == (deals, without_rate)
                        assert (found["amount"], found["member"] and found["member"]["full_name"]) == (
                            "1234.50",
                            one.member and one.member.full_name,
                        )
                        seen.add((actor.member.role, one.member_id))
        assert len(seen) == 3 + 3 + 2 + 1

    def test_the_goal_of_the_organization_is_the_first(self):
        for member in (self.manager.member.pk, self.bob.member.pk, None):
            goal(self.alice, member=member)

        january, february, _ = self.forecast(self.as_alice, self.pipeline)

        names = [one["member"] and one["member"]["full_name"] for one in january["goals"]]
        assert names == [None, *sorted((self.bob.member.full_name, self.manager.member.full_name))]
        assert february["goals"] == []

    def test_a_goal_is_as_the_list_of_goals_has_it(self):
        goal(self.alice, amount="100", member=self.bob.member.pk)
        closed = datetime.datetime(2024, 1, 5, 12, tzinfo=datetime.UTC)
        self.deal(status="won", amount=50, closed_at=closed, owner=self.bob.member.pk)

        [shown] = self.forecast(self.as_bob, self.pipeline)[0]["goals"]
        [listed] = self.as_bob.rows("/api/goals")

        assert shown == {name: listed[name] for name in shown}
        assert shown["attained_percent"] == 50.0
