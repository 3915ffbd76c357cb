"""Saved views: Alice's are hers, shared ones are the organization's, Charlie sees none; lists take them by id."""

from urllib.parse import parse_qs, urlsplit

from crm_project.journal.models import Event
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.services import create_saved_view, trash_saved_view, update_saved_view
from deals.models import Deal
from tests.api.client import ApiClient, ApiTestCase
from tests.base import refused
from tests.staff.base import StaffTestCase, add_url, change_url, list_url

VIEWS = "/api/saved-views"
OPEN = {"name": "Open", "list": "deals", "filters": {"status": "open"}}


def saved(actor, **change):
    return create_saved_view(actor=actor, change={**OPEN, **change})


class ServiceTests(ApiTestCase):
    def test_a_private_view_is_its_owners_alone_and_a_shared_one_the_organizations(self):
        saved(self.alice, name="Hers")
        saved(self.alice, name="Ours", is_shared=True)

        seen = {
            actor: sorted(SavedView.objects.visible_to(actor.member).values_list("name", flat=True))
            for actor in (self.alice, self.bob, self.viewer, self.charlie)
        }

        assert seen == {
            self.alice: ["Hers", "Ours"],
            self.bob: ["Ours"],
            self.viewer: ["Ours"],
            self.charlie: [],
        }

    def test_so_are_its_events(self):
        saved(self.alice, name="Hers")

        def told(actor):
            return Event.objects.visible_to(actor.member).filter(kind="saved_view").count()

        assert (told(self.alice), told(self.bob), told(self.charlie)) == (1, 0, 0)

    def test_a_shared_view_is_changed_by_its_owner_alone(self):
        view = saved(self.alice, is_shared=True)

        with refused("forbidden"):
            update_saved_view(actor=self.bob, saved_view=view, change={"name": "Mine"})
        with refused("forbidden"):
            trash_saved_view(actor=self.bob, saved_view=view)
        with refused("not_found"):
            update_saved_view(actor=self.charlie, saved_view=view, change={"name": "Mine"})

    def test_a_viewer_saves_none(self):
        with refused("forbidden"):
            saved(self.viewer)

    def test_everything_that_is_wrong_is_named(self):
        change = {
            "filters": {"status": "opn", "nothing": "1", "view": "x"},
            "ordering": "-color",
            "columns": ["name", "color"],
        }

        with refused("invalid") as caught:
            saved(self.bob, **change)

        fields = {wrong.field for wrong in caught.value.fields}
        assert fields == {"filters.status", "filters.nothing", "filters.view", "ordering", "columns"}

    def test_the_list_of_a_view_stays(self):
        view = saved(self.bob)

        with refused("read_only", "list"):
            update_saved_view(actor=self.bob, saved_view=view, change={"list": "contacts"})


class ApiTests(ApiTestCase):
    def test_a_view_is_created_read_changed_and_removed(self):
        created = self.as_bob.post(VIEWS, {**OPEN, "ordering": "-amount", "columns": ["name", "amount"]})
        path = f"{VIEWS}/{created.json()['uuid']}"

        assert created.status_code == 201
        assert created.json()["user"]["full_name"] == "Bob"
        assert self.as_bob.get(path).json()["filters"] == {"status": "open"}
        assert self.as_bob.patch(path, {"is_shared": True}).json()["is_shared"] is True
        assert self.as_alice.get(path).status_code == 200
        assert self.as_alice.patch(path, {"name": "Mine"}).status_code == 403
        assert self.as_charlie.get(path).status_code == 404
        assert self.as_bob.delete(path).status_code == 204
        assert self.as_bob.get(path).status_code == 404
        assert self.as_bob.post(f"{path}/restore", {}).status_code == 200

    def test_a_refusal_names_the_wrong_filter(self):
        answer = self.as_bob.post(VIEWS, {**OPEN, "filters": {"amount_min": "much"}})

        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/filters/amount_min"]


class ListTests(ApiTestCase):
    def setUp(self):
        for name, amount, status in (("A", 10, "open"), ("B", 20, "open"), ("C", 30, "won")):
            self.deal(name=name, amount=amount, status=status)
        self.view = saved(self.bob, ordering="-amount")

    def names(self, client=None, **query):
        answer = (client or self.as_bob).get("/api/deals", view=self.view.uuid, **query)
        assert answer.status_code == 200, answer.content
        return [deal["name"] for deal in answer.json()["results"]]

    def test_it_stands_for_its_filters_and_order(self):
        assert self.names() == ["B", "A"]

    def test_further_parameters_apply_together_with_it(self):
        assert self.names(amount_max="15") == ["A"]

    def test_a_parameter_of_the_request_replaces_that_of_the_view(self):
        assert self.names(status="won") == ["C"]
        assert self.names(ordering="amount") == ["A", "B"]

    def test_its_pages_follow_each_other(self):
        first = self.as_bob.get("/api/deals", view=self.view.uuid, page_size=1).json()
        second = self.as_bob.get(first["next"].partition("testserver")[2] or first["next"]).json()

        assert [row["name"] for row in (*first["results"], *second["results"])] == ["B", "A"]

    def test_the_summary_takes_it_too(self):
        summary = self.as_bob.get("/api/deals/summary", view=self.view.uuid).json()

        assert summary["count"] == 2

    def test_what_others_may_not_see_and_views_of_other_lists_are_refused(self):
        contacts = saved(self.bob, list="contacts", filters={"kind": "person"})

        for client, view in (
            (self.as_alice, self.view),
            (self.as_charlie, self.view),
            (self.as_bob, contacts),
        ):
            answer = client.get("/api/deals", view=view.uuid)
            assert answer.status_code == 400
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/view"]

    def test_private_deals_stay_hidden_in_a_shared_view(self):
        self.deal(self.alice, name="Secret", amount=1, is_private=True)
        update_saved_view(actor=self.bob, saved_view=self.view, change={"is_shared": True})

        assert "Secret" not in self.names()
        assert "Secret" in self.names(ApiClient(self.alice))


class AdminTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.deal(name="Roof", amount=10)
        self.deal(name="Wall", amount=20)
        self.deal(name="Door", status="won")

    def listed(self, **query):
        return self.client.get(list_url(Deal), query).context["cl"]

    def test_a_view_is_a_tab_of_the_list(self):
        view = saved(self.bob, ordering="-amount", columns=["name", "amount"])

        listed = self.listed(view=str(view.uuid))

        assert [deal.name for deal in listed.result_list] == ["Wall", "Roof"]
        assert [tab["label"] for tab in listed.tabs if tab["is_current"]] == ["Open"]
        assert listed.list_display == ["action_checkbox", "title", "worth"]

    def test_a_tab_is_shown_to_those_who_see_the_view(self):
        saved(self.bob, name="Bob's")
        saved(self.bob, name="Ours", is_shared=True)
        self.sign_in(self.alice)

        labels = [tab["label"] for tab in self.listed().tabs]

        assert "Ours" in labels
        assert "Bob's" not in labels

    def test_the_id_of_a_view_that_one_may_not_see_shows_no_row(self):
        view = saved(self.alice)

        assert list(self.listed(view=str(view.uuid)).result_list) == []
        assert "There is no such view of this list." in self.page(f"{list_url(Deal)}?view={view.uuid}")

    def test_a_filtered_list_is_saved_with_the_parameters_of_the_api(self):
        page = self.client.get(
            list_url(Deal), {"status": "open", "owner": self.bob.member.pk, "amount_from": "15", "o": "-2"}
        )
        query = parse_qs(urlsplit(page.context["cl"].save_url).query)

        assert query["ordering"] == ["-amount"]
        assert query["filters"][0].splitlines() == [
            "status=open",
            f"owner={self.bob.member.uuid}",
            "amount_min=15",
        ]

    def test_the_form_saves_it_and_shows_what_is_wrong_at_the_filters(self):
        url = f"{add_url(SavedView)}?list=deals&filters=status%3Dopen%0Aamount_min%3D15"
        refused_page = self.save(url, name="Large", filters="status=opn").content.decode()
        self.save(url, name="Large")

        view = SavedView.objects.get()
        assert "opn" in refused_page or "Must be" in refused_page
        assert view.filters == {"status": "open", "amount_min": "15"}
        assert view.owner == self.bob.member

    def test_a_shared_view_of_another_is_read_only(self):
        view = saved(self.alice, is_shared=True)

        page = self.page(change_url(view))

        assert 'name="_save"' not in page
