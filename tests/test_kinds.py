"""Every kind of row is declared once: what a declaration lacks is found at start, and an undeclared row is hidden."""

import datetime
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.utils import timezone

from contacts.models import Contact
from crm_project.journal.models import Event
from crm_project.records import checks
from crm_project.records.checks import check_kinds
from crm_project.records.kinds import AsParent, Everyone, Kind, Private, kind_of, kinds
from crm_project.records.models import Row
from crm_project.staff.theme import SECTIONS
from deals.models import Deal, LostReasonReference
from deals.services import restore_deals, trash_deals
from tests.base import BaseTestCase
from tests.notes import NOTE, Note, changed, declared

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def notes_table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Note)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Note)


def problems(*declarations):
    with declared(*declarations):
        return [message.id for message in check_kinds()]


class TestChecks:
    def test_the_declarations_of_the_product_pass(self):
        assert check_kinds() == []

    def test_they_are_run_by_every_command_that_checks(self):
        from django.core.checks.registry import registry

        assert check_kinds in registry.get_checks()

    def test_every_row_is_declared(self):
        rows = {model for model in apps.get_models() if issubclass(model, Row)}

        assert {model for model in rows if kind_of(model) is None} == set()
        assert len(rows) >= 6

    def test_visibility_must_be_declared(self):
        with pytest.raises(TypeError, match="visible"):
            Kind(Note, rank=90)

    @pytest.mark.parametrize(
        ("attributes", "problem"),
        [
            ({"visible": None}, "records.E002"),
            ({"visible": AsParent("name")}, "records.E003"),
            ({"visible": AsParent("next_deal")}, "records.E003"),
            ({"rank": 40}, "records.E004"),
            ({"rank": 55}, "records.E005"),
            ({"guarded": frozenset()}, "records.E006"),
            ({"parts": ()}, "records.E006"),
            ({"lists": {"members": "nobody", "external_references": ""}}, "records.E007"),
            ({"references": None}, "records.E008"),
            ({"references": LostReasonReference}, "records.E008"),
            ({"constraints": {"deals_deal_unknown": "taken"}}, "records.E009"),
            ({"guarded": frozenset({"next_deal", "nothing"})}, "records.E009"),
            ({"lists": {"members": "contact", "external_references": ""}}, "records.E010"),
            ({"lists": {**kinds["deal"].lists, "watchers": "user"}}, "records.E010"),
            ({"hidden_columns": frozenset({"custom_fields"})}, "records.E011"),
        ],
    )
    def test_what_is_wrong_in_a_declaration_is_named(self, attributes, problem):
        assert problem in problems(changed("deal", **attributes))

    def test_an_undeclared_row_is_named(self, monkeypatch):
        monkeypatch.setattr(checks.apps, "get_models", lambda **_: [Note])

        assert [message.id for message in check_kinds()] == ["records.E001", "records.E006"]

    @pytest.mark.parametrize(
        ("visible", "found"),
        [(Everyone(), ["records.E006"]), (AsParent("deal"), [])],
    )
    def test_a_kind_that_points_at_a_deal_shows_it_to_those_alone_who_see_the_deal(
        self, monkeypatch, visible, found
    ):
        monkeypatch.setattr(checks.apps, "get_models", lambda **_: [Note])

        assert problems(changed_note(visible)) == found

    def test_rows_as_private_as_their_parent_are_private_themselves(self):
        assert NOTE.is_private

    def test_a_kind_of_contacts_of_ones_own_makes_every_relation_to_them_an_error(self):
        mine = changed("contact", visible=Private(lambda rows, member: rows.filter(owner=member)))

        assert set(problems(mine)) == {"records.E006"}


def changed_note(visible):
    return Kind(Note, visible=visible, rank=90)


@pytest.mark.usefixtures("notes_table")
class NoteTests(BaseTestCase):
    """Alice's private deal has a note; so has a deal that all see."""

    def setUp(self):
        self.private = self.deal(self.alice, name="Secret", is_private=True)
        for number, deal in enumerate((self.private, self.deal(name="Open")), 1):
            note = Note.objects.create(organization=self.organization, deal=deal, text=f"note {number}")
            Event.objects.create(
                organization=self.organization,
                sequence=1_000 + number,
                kind="note",
                action="created",
                row_id=note.pk,
                row_uuid=note.uuid,
                row_version=1,
                changes={"text": ["", note.text]},
            )

    def seen(self, actor):
        return [note.text for note in Note.objects.visible_to(actor.member).order_by("id")]

    def test_they_are_as_visible_as_their_deals(self):
        with declared(NOTE):
            assert self.seen(self.alice) == ["note 1", "note 2"]
            for actor in (self.bob, self.manager, self.viewer):
                assert self.seen(actor) == ["note 2"]
            assert self.seen(self.charlie) == []

    def test_so_are_their_events(self):
        def told(actor):
            return Event.objects.visible_to(actor.member).filter(kind="note").count()

        with declared(NOTE):
            assert [told(actor) for actor in (self.alice, self.bob, self.charlie)] == [2, 1, 0]
        assert told(self.alice) == 0

    def test_with_their_deals_they_leave_and_return(self):
        with declared(NOTE):
            trash_deals(actor=self.alice, rows=[self.private])
            assert self.seen(self.alice) == ["note 2"]
            assert [note.text for note in NOTE.live_rows(self.alice.member)] == ["note 2"]
            restore_deals(actor=self.alice, rows=[self.private])
            assert self.seen(self.alice) == ["note 1", "note 2"]

    def test_they_expire_with_their_deals(self):
        with declared(NOTE):
            trash_deals(actor=self.alice, rows=[self.private])
            trashed_at = Deal.objects.get(pk=self.private.pk).deleted_at

            assert not NOTE.expired_rows(trashed_at).exists()
            assert [note.text for note in NOTE.expired_rows(trashed_at + DAY)] == ["note 1"]

    def test_a_chain_of_parents_leaves_with_its_end(self):
        person = self.person()
        deal = self.deal(contact=person.pk)
        Note.objects.create(organization=self.organization, deal=deal, text="note 3")
        now = timezone.now()
        with declared(changed("deal", visible=AsParent("contact")), NOTE):
            assert self.seen(self.bob) == ["note 3"]
            Contact.objects.filter(pk=person.pk).update(deleted_at=now)
            assert self.seen(self.bob) == []
            assert not NOTE.expired_rows(now).exists()
            assert [note.text for note in NOTE.expired_rows(now + DAY)] == ["note 3"]

    def test_undeclared_they_are_visible_to_nobody(self):
        assert self.seen(self.alice) == []

    def test_a_chain_of_parents_is_narrowed_to_its_end(self):
        mine = changed("deal", visible=Private(lambda rows, member: rows.filter(created_by=member)))
        with declared(mine, NOTE):
            assert self.seen(self.bob) == ["note 2"]
            assert self.seen(self.alice) == ["note 1"]
            assert self.seen(self.manager) == []

    def test_the_rows_hidden_from_a_member_are_the_others(self):
        with declared(NOTE):
            for actor in (self.alice, self.bob):
                rows = Note.objects.all()
                hidden = set(NOTE.visible.hidden(rows, actor.member).values_list("pk", flat=True))
                seen = set(rows.seen_by(actor.member).values_list("pk", flat=True))
                assert hidden | seen == set(rows.values_list("pk", flat=True))
                assert not hidden & seen

    def test_a_deals_complement_is_that_of_its_rule(self):
        rule, deals = kinds["deal"].visible, Deal.objects.all()
        for actor in (self.alice, self.bob, self.manager, self.charlie):
            derived = Private(rule.rule).hidden(deals, actor.member)
            hidden = rule.hidden(deals, actor.member)
            assert set(hidden.values_list("pk")) == set(derived.values_list("pk"))


ROOT = Path(__file__).parent.parent


class TestPlaces:
    """Where a kind must appear besides its declaration."""

    # Stages are edited on the page of their pipeline too, and have a page of their own without an entry.
    WITHIN_ANOTHER = {"stage"}

    def test_every_app_is_in_the_layers(self):
        tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
        layers = " ".join(tool["importlinter"]["contracts"][0]["layers"])
        folders = {app.name: Path(app.path) for app in apps.get_app_configs()}
        own = {name for name, folder in folders.items() if folder == ROOT.joinpath(*name.split("."))}

        assert {name for name in own if f"({name})" not in layers} == set()
        assert {name.split(".")[0] for name in own} <= set(tool["importlinter"]["root_packages"])
        assert {name.split(".")[0] for name in own} <= set(tool["mypy"]["files"])

    def test_every_kind_with_services_has_a_page_in_the_admin(self):
        written = {kind.model for kind in kinds.values() if kind.services.create}

        assert written - set(admin.site._registry) == set()

    def test_the_sidebar_leads_to_every_kind_with_services(self):
        pages = {url for _, entries in SECTIONS for _, _, url, _ in entries}
        for kind in kinds.values():
            if kind.services.create and kind.name not in self.WITHIN_ANOTHER:
                options = kind.model._meta
                assert f"admin:{options.app_label}_{options.model_name}_changelist" in pages, kind.name
