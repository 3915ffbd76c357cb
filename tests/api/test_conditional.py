"""ETag, If-None-Match and If-Match: what has not changed is not sent again, and what has is not overwritten."""

from crm_project.accounts.models import ApiToken
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.factories import CustomFieldFactory, LostReasonFactory, StageFactory


def if_match(tag):
    return {"headers": {"If-Match": tag}}


def if_none_match(tag):
    return {"headers": {"If-None-Match": tag}}


class Paths(ApiTestCase):
    """One row of each kind that has versions, and a change that its resource takes."""

    def paths(self, *, lasting=False):
        """A reference that is changed is another one from then on; `lasting` leaves it out."""
        deal = self.deal(external_references=[("erp", "1")])
        reason = LostReasonFactory(actor=self.manager, name="Price")
        field = CustomFieldFactory(actor=self.manager)
        token = ApiToken.objects.filter(member=self.alice.member).first()
        reference = deal.references.get()
        short_lived = {f"/api/external-references/{reference.uuid}": {"external_id": "2"}}
        return {
            f"/api/deals/{deal.uuid}": {"name": "New"},
            f"/api/contacts/{self.person().uuid}": {"first_name": "New"},
            f"/api/pipelines/{self.renewals.pk}": {"name": "New"},
            f"/api/stages/{StageFactory(actor=self.manager, pipeline=self.pipeline.pk).pk}": {"name": "New"},
            f"/api/lost-reasons/{reason.pk}": {"name": "New"},
            f"/api/custom-fields/{field.pk}": {"label": "New"},
            f"/api/tokens/{token.uuid}": {"name": "New"},
            **({} if lasting else short_lived),
        }


class ETagTests(Paths):
    def test_every_row_has_a_strong_tag_of_its_version(self):
        for path in self.paths():
            with self.subTest(path):
                answer = self.as_alice.get(path)
                assert answer["ETag"].startswith('"')
                version, digest = answer["ETag"].strip('"').split("-")
                assert version.isdigit()
                assert len(digest) == 24

    def test_reading_and_writing_answer_the_same_tag(self):
        created = self.as_bob.post("/api/deals", {"name": "A"})
        path = f"/api/deals/{created.json()['uuid']}"
        assert self.as_bob.get(path)["ETag"] == created["ETag"]

        changed = self.as_bob.patch(path, {"name": "B"})
        assert changed["ETag"] != created["ETag"]
        assert self.as_bob.get(path)["ETag"] == changed["ETag"]

    def test_an_upserts_tag_is_the_rows(self):
        body = {"name": "A", "external_id": "7", "match_on": "external_reference"}
        upserted = self.as_bob.post("/api/deals/upsert", body)

        read = self.as_bob.get(f"/api/deals/{upserted.json()['uuid']}")

        assert upserted["ETag"] == read["ETag"]

    def test_what_an_answer_shows_of_other_rows_is_in_the_digest(self):
        path = f"/api/deals/{self.deal().uuid}"
        before = self.as_bob.get(path)["ETag"]

        self.as_manager.patch(f"/api/stages/{self.new.pk}", {"name": "Fresh"})

        after = self.as_bob.get(path)["ETag"]
        assert before != after
        assert before.split("-")[0] == after.split("-")[0]

    def test_lists_and_who_one_is_have_a_digest(self):
        for path in (
            "/api/deals",
            "/api/contacts",
            "/api/pipelines",
            "/api/users",
            "/api/me",
            "/api/deals/summary",
        ):
            with self.subTest(path):
                assert self.as_bob.get(path)["ETag"].count('"') == 2

    def test_what_was_refused_or_deleted_has_none(self):
        path = f"/api/deals/{self.deal().uuid}"
        for answer in (
            self.as_bob.get("/api/deals/x"),
            self.as_bob.patch(path, {"x": 1}),
            self.as_bob.delete(path),
        ):
            assert "ETag" not in answer


class NotModifiedTests(Paths):
    def test_a_row(self):
        for path in self.paths():
            with self.subTest(path):
                tag = self.as_alice.get(path)["ETag"]
                for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                    answer = self.as_alice.get(path, **if_none_match(given))
                    assert (answer.status_code, answer.content) == (304, b"")
                    assert answer["ETag"] == tag
                    assert "Content-Type" not in answer

    def test_a_page_of_a_list_until_something_on_it_changes(self):
        deals = [self.deal() for _ in range(3)]
        tag = self.as_bob.get("/api/deals", page_size=2)["ETag"]
        assert self.as_bob.get("/api/deals", page_size=2, **if_none_match(tag)).status_code == 304

        self.as_bob.patch(f"/api/deals/{deals[2].uuid}", {"name": "Other"})

        again = self.as_bob.get("/api/deals", page_size=2, **if_none_match(tag))
        assert again.status_code == 200
        assert again["ETag"] != tag

    def test_another_tag_or_another_members_view_is_answered_in_full(self):
        path = f"/api/deals/{self.deal().uuid}"
        assert self.as_bob.get(path, **if_none_match('"1-0"')).status_code == 200
        problem(self.as_charlie.get(path, **if_none_match("*")), 404, "not_found")

    def test_head_is_answered_alike(self):
        path = f"/api/deals/{self.deal().uuid}"
        tag = self.as_bob.get(path)["ETag"]
        assert self.as_bob.send("HEAD", path)["ETag"] == tag
        assert self.as_bob.send("HEAD", path, **if_none_match(tag)).status_code == 304

    def test_what_is_no_tag_is_refused(self):
        for given in ("x", '"a" "b"', '"a",', 'w/"a"', '"a', "*, *"):
            with self.subTest(given):
                problem(self.as_bob.get("/api/me", **if_none_match(given)), 400, "invalid_header")


class IfMatchTests(Paths):
    def test_a_change_for_the_version_that_is_there(self):
        for path, change in self.paths().items():
            with self.subTest(path):
                tag = self.as_alice.get(path)["ETag"]
                answer = self.as_alice.patch(path, change, **if_match(tag))
                assert answer.status_code == 200, answer.content
                assert answer["ETag"] != tag

    def test_a_stale_change_is_refused_and_changes_nothing(self):
        for path, change in self.paths(lasting=True).items():
            with self.subTest(path):
                tag = self.as_alice.get(path)["ETag"]
                self.as_alice.patch(path, change)
                now = self.as_alice.get(path)
                again = {name: f"{value}er" for name, value in change.items()}

                answer = self.as_alice.patch(path, again, **if_match(tag))

                problem(answer, 412, "precondition_failed")
                assert self.as_alice.get(path).content == now.content

    def test_a_stale_deletion_is_refused(self):
        for path, change in self.paths(lasting=True).items():
            with self.subTest(path):
                tag = self.as_alice.get(path)["ETag"]
                self.as_alice.patch(path, change)
                fresh = self.as_alice.get(path)["ETag"]

                problem(self.as_alice.send("DELETE", path, **if_match(tag)), 412, "precondition_failed")
                assert self.as_alice.send("DELETE", path, **if_match(fresh)).status_code == 204

    def test_a_reference_is_as_stale_as_its_row(self):
        deal = self.deal(external_references=[("erp", "1")])
        path = f"/api/external-references/{deal.references.get().uuid}"
        tag = self.as_bob.get(path)["ETag"]
        self.as_bob.patch(f"/api/deals/{deal.uuid}", {"name": "B"})

        for method, body in (("PATCH", {"external_id": "2"}), ("DELETE", {})):
            problem(self.as_bob.send(method, path, body, **if_match(tag)), 412, "precondition_failed")

    def test_it_names_who_changed_which_fields_since(self):
        path = f"/api/deals/{self.deal(name='A').uuid}"
        tag = self.as_bob.get(path)["ETag"]
        self.as_alice.patch(path, {"amount": "10", "stage_id": self.offer.pk})
        self.as_manager.patch(path, {"name": "B", "external_id": "9"})

        refusal = problem(self.as_bob.patch(path, {"name": "C"}, **if_match(tag)), 412, "precondition_failed")

        first, second = refusal["changes"]
        assert first["user"] == {"uuid": str(self.alice.member.uuid), "full_name": "Alice"}
        assert {"amount", "stage_id"} <= set(first["fields"])
        assert second["user"]["full_name"] == "Mary"
        assert second["fields"] == ["external_references", "name"]
        assert second["action"] == "updated"

    def test_only_the_version_counts(self):
        path = f"/api/deals/{self.deal().uuid}"
        tag = self.as_bob.get(path)["ETag"]
        self.as_manager.patch(f"/api/stages/{self.new.pk}", {"name": "Fresh"})
        assert self.as_bob.get(path)["ETag"] != tag

        assert self.as_bob.patch(path, {"name": "B"}, **if_match(tag)).status_code == 200

    def test_any_and_several(self):
        path = f"/api/deals/{self.deal().uuid}"
        assert self.as_bob.patch(path, {"name": "B"}, **if_match("*")).status_code == 200
        assert self.as_bob.patch(path, {"name": "C"}, **if_match('"1-a", "2-b"')).status_code == 200
        assert self.as_bob.patch(path, {"name": "D"}, **if_match('"3"')).status_code == 200

    def test_a_weak_or_foreign_tag_never_matches(self):
        path = f"/api/deals/{self.deal().uuid}"
        tag = self.as_bob.get(path)["ETag"]
        for given in (f"W/{tag}", '"abc"', '""', '"99-0"'):
            with self.subTest(given):
                answer = self.as_bob.patch(path, {"name": "B"}, **if_match(given))
                problem(answer, 412, "precondition_failed")

    def test_a_wrong_body_and_a_missing_row_come_first(self):
        path = f"/api/deals/{self.deal().uuid}"
        problem(self.as_bob.patch(path, {"amount": "x"}, **if_match('"9-9"')), 400, "invalid")
        problem(self.as_charlie.patch(path, {"name": "x"}, **if_match('"1-0"')), 404, "not_found")

    def test_a_condition_that_is_not_checked_is_refused(self):
        path = f"/api/deals/{self.deal().uuid}"
        problem(self.as_bob.post("/api/deals", {"name": "A"}, **if_match('"1-0"')), 400, "invalid_header")
        problem(self.as_bob.patch(path, {"name": "A"}, **if_none_match("*")), 400, "invalid_header")
        problem(self.as_bob.patch(path, {"name": "A"}, **if_match("1-0")), 400, "invalid_header")
        assert Deal.objects.count() == 1

    def test_restoring_and_following(self):
        deal = self.deal()
        path = f"/api/deals/{deal.uuid}"
        follower = f"{path}/followers/{self.bob.member.uuid}"
        problem(self.as_bob.send("PUT", follower, {}, **if_match('"7"')), 412, "precondition_failed")
        assert self.as_bob.send("PUT", follower, {}, **if_match('"1"'))["ETag"].startswith('"2-')
        self.as_bob.delete(path)

        problem(self.as_bob.post(f"{path}/restore", {}, **if_match('"2"')), 412, "precondition_failed")
        assert self.as_bob.post(f"{path}/restore", {}, **if_match('"3"')).status_code == 200

    def test_restoring_reference_data(self):
        reason = LostReasonFactory(actor=self.alice)
        for path in (f"/api/stages/{self.offer.pk}", f"/api/lost-reasons/{reason.pk}"):
            self.as_alice.delete(path)
            problem(self.as_alice.post(f"{path}/restore", {}, **if_match('"1"')), 412, "precondition_failed")

            assert self.as_alice.post(f"{path}/restore", {}, **if_match('"2"')).status_code == 200

    def test_an_upsert_for_a_version(self):
        body = {"name": "A", "external_id": "7", "match_on": "external_reference"}
        problem(self.as_bob.post("/api/deals/upsert", body, **if_match("*")), 412, "precondition_failed")
        tag = self.as_bob.post("/api/deals/upsert", body)["ETag"]
        assert (
            self.as_bob.post("/api/deals/upsert", {**body, "name": "B"}, **if_match(tag)).status_code == 200
        )

        answer = self.as_bob.post("/api/deals/upsert", {**body, "name": "C"}, **if_match(tag))

        problem(answer, 412, "precondition_failed")
