"""Exports in the background: the file of the list, as its member sees it at the time of the run, for nobody else."""

from unittest import mock

import pytest
from django.test import override_settings
from django.urls import reverse

from contacts.redaction import redact_contact
from crm_project.accounts.services import create_token, deactivate_member, revoke_token
from crm_project.imports import export_tasks
from crm_project.imports.export_services import KEPT
from crm_project.imports.exporting import XLSX
from crm_project.imports.models import Export, ExportChunk
from deals.services import update_deals
from tests.api.client import ApiClient, ApiTestCase, problem
from tests.imports.test_exports import export, table
from tests.staff.base import StaffTestCase, change_url, list_url
from tests.tasks import run_tasks


class ApiExportTests(ApiTestCase):
    def ask(self, client=None, kind="deals", **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return (client or self.as_bob).post(f"/api/{kind}/export?{query}")

    def ran(self, client=None, kind="deals", **parameters):
        answer = self.ask(client, kind, **parameters)
        assert answer.status_code == 202, answer.content
        run_tasks()
        return answer.json()["uuid"]

    def file(self, uuid, client=None):
        return (client or self.as_bob).get(f"/api/exports/{uuid}/file")

    def content(self, uuid, client=None):
        return b"".join(self.file(uuid, client).streaming_content)

    def test_it_is_the_file_of_the_list_with_the_same_parameters(self):
        for number in range(5):
            self.deal(name=f"Roof {number}", amount=number)
        self.deal(name="Cellar")

        for parameters in ({"q": "roof", "ordering": "-name"}, {"q": "roof", "raw": "true"}, {}):
            uuid = self.ran(**parameters)
            assert self.content(uuid) == export(self.as_bob, "deals", **parameters)

        uuid = self.ran(file_format="xlsx")
        assert self.file(uuid)["Content-Type"] == XLSX
        assert self.content(uuid)[:2] == b"PK"

    def test_contacts(self):
        self.person()

        assert self.content(self.ran(kind="contacts")) == export(self.as_bob, "contacts")

    def test_the_answer_says_where_the_export_is_and_when_to_look(self):
        self.deal()
        answer = self.ask()

        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
        place, wait = answer["Location"], answer["Retry-After"]
        assert int(wait) >= 1
        waiting = self.as_bob.get(place)
        assert (waiting.json()["state"], waiting["Retry-After"]) == ("queued", wait)
        problem(self.file(answer.json()["uuid"]), 409, "export_busy")
        run_tasks()
        done = self.as_bob.get(place)
        assert (done.json()["state"], done.json()["rows"]) == ("done", 1)
        assert done.json()["size"] == len(self.content(answer.json()["uuid"]))
        assert "Retry-After" not in done

    def test_wrong_parameters_are_refused_at_once(self):
        for parameters in ({"status": "odd"}, {"ordering": "odd"}, {"file_format": "pdf"}, {"odd": "1"}):
            assert self.ask(**parameters).status_code == 400
        assert not Export.objects.exists()

    def test_a_dry_run_asks_for_nothing(self):
        assert self.ask(dry_run="true").status_code == 202
        assert not Export.objects.exists()
        assert run_tasks() == 0

    def test_nobody_else_finds_it(self):
        uuid = self.ran()

        for client in (self.as_alice, self.as_viewer, self.as_charlie):
            assert client.get(f"/api/exports/{uuid}").status_code == 404
            assert self.file(uuid, client).status_code == 404
            assert client.delete(f"/api/exports/{uuid}").status_code == 404
            assert client.get("/api/exports").json()["results"] == []
        assert [row["uuid"] for row in self.as_bob.get("/api/exports").json()["results"]] == [uuid]

    def test_it_holds_what_its_member_may_see_during_the_run(self):
        hidden = self.deal(self.alice, name="Hidden")
        self.deal(name="Seen")
        uuid = self.ask().json()["uuid"]
        update_deals(actor=self.alice, changes=[(hidden, {"is_private": True})])
        run_tasks()

        assert [row["name"] for row in table(self.content(uuid))] == ["Seen"]

    def test_who_left_or_whose_token_is_revoked_gets_no_file(self):
        self.deal()
        uuid = self.ask().json()["uuid"]
        token, secret = create_token(actor=self.viewer, name="gone")
        other = self.ask(ApiClient(secret=secret)).json()["uuid"]
        revoke_token(actor=self.alice, token=token)
        deactivate_member(actor=self.alice, member=self.bob.member)
        run_tasks()

        found = {str(row.uuid): row for row in Export.objects.all()}
        assert {found[uuid].state, found[other].state} == {"failed"}
        assert "no longer active" in found[uuid].problem
        assert "revoked" in found[other].problem
        assert not ExportChunk.objects.exists()

    def test_a_failed_one_says_why(self):
        self.ask()
        Export.objects.update(query="custom_gone=1")
        run_tasks()
        [row] = self.as_bob.get("/api/exports").json()["results"]

        assert (row["state"], row["problem"]) == (
            "failed",
            "The filters of this list are no longer valid. Export it again.",
        )
        problem(self.file(row["uuid"]), 409, "export_failed")

    def test_an_export_that_is_interrupted_begins_anew(self):
        for number in range(3):
            self.deal(name=f"D{number}")
        uuid = self.ask().json()["uuid"]
        with mock.patch.object(export_tasks, "BLOCK", 10):
            # A worker that dies before the end.
            export_tasks._write(export_tasks.claim(Export.objects.get().pk))
        assert ExportChunk.objects.exists()
        run_tasks()

        assert len(table(self.content(uuid))) == 3

    def test_the_worker_that_lost_it_stores_nothing_more(self):
        self.deal()
        self.ask()
        lost = export_tasks.claim(Export.objects.get().pk)
        export_tasks.carry_out(export_tasks.claim(lost.pk))
        before = list(ExportChunk.objects.values_list("pk", flat=True))

        export_tasks.carry_out(lost)

        assert list(ExportChunk.objects.values_list("pk", flat=True)) == before

    def test_the_last_ones_of_a_member_are_kept(self):
        uuids = [self.ask().json()["uuid"] for _ in range(KEPT + 2)]
        self.ask(self.as_viewer)

        kept = {str(row.uuid) for row in Export.objects.filter(member=self.bob.member)}
        assert kept == set(uuids[2:])

    def test_it_can_be_deleted(self):
        uuid = self.ran()

        assert self.as_bob.delete(f"/api/exports/{uuid}").status_code == 204
        assert not ExportChunk.objects.exists()

    def test_nothing_is_left_of_a_redacted_person(self):
        person = self.person(first_name="Sophie")
        self.ran(kind="contacts")
        waiting = self.ask(kind="contacts").json()["uuid"]
        working = export_tasks.claim(Export.objects.get(uuid=waiting).pk)
        export_tasks._write(working)
        assert ExportChunk.objects.count() == 2

        redact_contact(contact=person)

        assert not ExportChunk.objects.exists()
        run_tasks()
        assert b"Sophie" not in self.content(waiting)


@override_settings(EXPORT_TASK_ROWS=2)
class AdminExportTests(StaffTestCase):
    def url(self, query=""):
        return f"{reverse('admin:imports_export_deals')}{query}"

    def fill(self, count):
        for number in range(count):
            self.deal(name=f"Roof {number}")

    def test_a_short_list_is_downloaded_at_once(self):
        self.fill(2)

        assert self.client.get(self.url())["Content-Type"].startswith("text/csv")

    def test_a_long_one_is_offered_in_the_background(self):
        self.fill(3)
        self.deal(name="Cellar")
        offer = self.page(self.url("?q=roof"))
        assert "more than 2 rows" in offer
        assert "q=roof&amp;at_once=1" in offer

        asked = self.client.post(self.url("?q=roof"))
        export = Export.objects.get()
        assert asked["Location"] == change_url(export)
        assert "Writing the file" in self.page(change_url(export))
        run_tasks()
        assert "The file is ready" in self.page(change_url(export))
        assert "deals.csv" in self.page(list_url(Export))

        written = self.client.get(reverse("admin:imports_export_file", args=[export.pk]))
        at_once = self.client.get(self.url("?q=roof&at_once=1"))
        content = written.getvalue()
        assert content == at_once.getvalue()
        assert len(table(content)) == 3

    def test_it_is_nobody_elses(self):
        self.client.post(self.url())
        run_tasks()
        export = Export.objects.get()
        for other in (self.alice, self.viewer, self.charlie, self.operator):
            self.sign_in(other)
            for place in (change_url(export), reverse("admin:imports_export_file", args=[export.pk])):
                assert self.client.get(place).status_code in (302, 403)

    def test_a_viewer_may_export_and_delete_the_file(self):
        self.fill(3)
        self.sign_in(self.viewer)
        self.client.post(self.url())
        run_tasks()
        page = self.client.get(change_url(Export.objects.get()))
        assert "Delete this file" in page.content.decode()

        self.client.post(page.context["discard_url"])

        assert not Export.objects.exists()


@pytest.mark.parametrize("size", [1, 10, 10_000])
def test_blocks_hold_all_that_was_written(size):
    pieces = [b"a" * number for number in range(30)]
    with mock.patch.object(export_tasks, "BLOCK", size):
        blocks = list(export_tasks._blocks(pieces))

    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) >= size for block in blocks[:-1])
