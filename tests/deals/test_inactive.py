"""A deactivated member gets nothing new: no open deal, contact, follow or place in an access list."""

from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts, update_contacts
from crm_project.accounts.services import deactivate_member, update_member
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import create_deals, follow_deal, update_deals
from tests.api.client import ApiTestCase, problem
from tests.base import BaseTestCase, refused
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url


class Leaver:
    """Victor has been deactivated."""

    def leave(self: Any) -> None:
        update_member(actor=self.alice, member=self.viewer.member, is_active=False)

    @property
    def leaver(self: Any) -> int:
        return self.viewer.member.pk


class ServiceTests(Leaver, BaseTestCase):
    def test_an_open_deal_does_not_get_one_as_its_owner(self):
        self.leave()
        with refused("inactive", "owner"):
            create_deals(actor=self.bob, changes=[{"owner": self.leaver}])
        with refused("inactive", "owner"):
            update_deals(actor=self.bob, changes=[(self.deal(), {"owner": self.leaver})])
        with refused("inactive", "owner"):
            update_deals(
                actor=self.bob, changes=[(self.deal(status="won"), {"owner": self.leaver, "status": "open"})]
            )

    def test_a_closed_deal_may_have_one(self):
        self.leave()
        [won] = create_deals(actor=self.bob, changes=[{"owner": self.leaver, "status": "won"}])
        update_deals(actor=self.bob, changes=[(lost := self.deal(status="lost"), {"owner": self.leaver})])

        assert Deal.objects.filter(pk__in=[won.pk, lost.pk], owner=self.leaver).count() == 2

    def test_one_that_is_stored_may_be_sent_back(self):
        lists = {"followers": [self.leaver], "access_list": [self.leaver, self.bob.member.pk]}
        deal = self.deal(owner=self.leaver, is_private=True, **lists)
        self.leave()

        [receipt] = update_deals(actor=self.bob, changes=[(deal, {"owner": self.leaver, **lists})])

        assert receipt.outcome == "unchanged"
        follow_deal(actor=self.bob, deal=deal, member=self.leaver, follows=False)

    def test_lists(self):
        deal = self.deal()
        self.leave()
        for name in ("followers", "access_list", "add_followers"):
            with refused("inactive", f"{name}.0"):
                update_deals(actor=self.bob, changes=[(deal, {name: [self.leaver]})])
        with refused("inactive", "add_followers.0"):
            follow_deal(actor=self.bob, deal=deal, member=self.leaver, follows=True)

    def test_contacts(self):
        person = self.person()
        self.leave()
        with refused("inactive", "owner"):
            create_contacts(actor=self.bob, changes=[{"first_name": "A", "owner": self.leaver}])
        with refused("inactive", "owner"):
            update_contacts(actor=self.bob, changes=[(person, {"owner": self.leaver})])

    def test_handing_over_leaves_closed_deals_unless_it_is_asked_for(self):
        for with_closed in (False, True):
            with self.subTest(with_closed=with_closed):
                update_member(actor=self.alice, member=self.viewer.member, is_active=True)
                Deal.objects.all().update(owner=None)
                opened, won = self.deal(owner=self.leaver), self.deal(owner=self.leaver, status="won")

                deactivate_member(
                    actor=self.alice,
                    member=self.viewer.member,
                    hand_over_to=self.bob.member,
                    hand_over_closed=with_closed,
                )

                owners = dict(Deal.objects.values_list("pk", "owner"))
                heir = self.bob.member.pk
                assert (owners[opened.pk], owners[won.pk]) == (heir, heir if with_closed else self.leaver)


class ApiTests(Leaver, ApiTestCase):
    def test_deals_contacts_and_bulk(self):
        self.leave()
        deal, uuid = self.deal(), str(self.viewer.member.uuid)
        path = f"/api/deals/{deal.uuid}"
        for field, body in (
            ("owner_uuid", uuid),
            ("follower_uuids", [uuid]),
            ("access_list_uuids", [uuid]),
        ):
            pointer = f"/{field}" if body == uuid else f"/{field}/0"
            with self.subTest(field=field):
                problem(self.as_bob.post("/api/deals", {"name": "A", field: body}), 400, "inactive", pointer)
                problem(self.as_bob.patch(path, {field: body}), 400, "inactive", pointer)
                problem(self.as_bob.patch(f"{path}?dry_run=true", {field: body}), 400, "inactive", pointer)
                upsert = {"uuid": str(deal.uuid), field: body}
                problem(self.as_bob.post("/api/deals/upsert", upsert), 400, "inactive", pointer)
        problem(self.as_bob.put(f"{path}/followers/{uuid}"), 400, "inactive")
        problem(
            self.as_bob.post("/api/contacts", {"first_name": "A", "owner_uuid": uuid}),
            400,
            "inactive",
            "/owner_uuid",
        )

    def test_undo_restore_and_replay_are_exempt(self):
        key, body = {"Idempotency-Key": "k"}, {"name": "A", "owner_uuid": str(self.viewer.member.uuid)}
        made = self.as_bob.post("/api/deals", body, headers=key)
        deal, trashed = self.deal(owner=self.leaver), self.deal(owner=self.leaver)
        self.as_bob.patch(f"/api/deals/{deal.uuid}", {"owner_uuid": None})
        changed = Event.objects.latest("sequence").sequence
        self.as_bob.delete(f"/api/deals/{trashed.uuid}")
        self.leave()

        again = self.as_bob.post("/api/deals", body, headers=key)
        undone = self.as_bob.post(f"/api/events/{changed}/undo")
        restored = self.as_bob.post(f"/api/deals/{trashed.uuid}/restore")

        assert (again.status_code, again.content) == (201, made.content)
        assert (undone.status_code, restored.status_code) == (200, 200)
        owners = Deal.objects.filter(pk__in=[deal.pk, trashed.pk]).values_list("owner", flat=True)
        assert [*owners] == [self.leaver] * 2

    def test_the_list_of_users(self):
        self.leave()
        rows = self.as_bob.rows("/api/users")

        assert {row["email"]: row["is_active"] for row in rows}["victor@example.com"] is False
        assert [row["email"] for row in self.as_bob.rows("/api/users?is_active=false")] == [
            "victor@example.com"
        ]
        assert len(self.as_bob.rows("/api/users?is_active=true")) == len(rows) - 1
        assert [row["email"] for row in self.as_bob.rows("/api/users?email=Bob@example.com")] == [
            "bob@example.com"
        ]


class FormTests(Leaver, StaffTestCase):
    def offered(self, model, field):
        app, name = model._meta.app_label, model._meta.model_name
        query = {"app_label": app, "model_name": name, "field_name": field, "term": "vic"}
        return self.client.get("/admin/autocomplete/", query).json()["results"]

    def test_no_choice_offers_one(self):
        fields = [(Deal, name) for name in ("owner", "followers", "access_list")] + [(Contact, "owner")]
        assert all(self.offered(*field) for field in fields)
        self.leave()
        self.sign_in(self.alice)

        assert not any(self.offered(*field) for field in fields)
        for url in (action_url("hand-over", self.deal()), action_url("deactivate", self.bob.member)):
            page = self.page(url)
            assert ">Mary<" in page
            assert "Victor" not in page

    def test_one_that_is_stored_is_shown_and_stays(self):
        lists = {"followers": [self.leaver], "access_list": [self.leaver]}
        deal = self.deal(owner=self.leaver, **lists)
        person = self.person(owner=self.leaver)
        self.leave()

        for row in (deal, person):
            assert f'<option value="{self.leaver}" selected>Victor' in self.page(change_url(row))
            response = self.save(change_url(row), description="Called.")
            assert response.status_code == 302
            row.refresh_from_db()
            assert (row.owner_id, row.description) == (self.leaver, "Called.")
        assert [member.pk for member in deal.followers.all()] == [self.leaver]
        assert "Victor (deactivated)" in self.page(list_url(Deal))
        found = self.client.get(f"{list_url(Deal)}?owner={self.leaver}").context["cl"].result_list
        assert [row.pk for row in found] == [deal.pk]

    def test_a_forged_choice_is_refused(self):
        self.leave()

        response = self.save(add_url(Deal), name="A", owner=self.leaver)

        assert response.status_code == 200
        assert "owner" in response.context["adminform"].form.errors
