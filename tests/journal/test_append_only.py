"""What was written into the journal stays as it was written, whoever tries."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import TransactionTestCase

from crm_project.journal.append_only import install, rewriting
from crm_project.journal.models import Event
from tests.base import BaseTestCase, World, refused_by_the_database

ROOT = Path(__file__).parents[2]
# What may open the journal for rewriting.
KEYHOLDERS = {
    "crm_project/journal/purging.py",
    "crm_project/journal/redaction.py",
    "crm_project/setup/demo/history.py",
    "crm_project/setup/demo/removal.py",
}


class GuardTests(BaseTestCase):
    def test_no_event_can_be_changed(self):
        self.deal()

        with refused_by_the_database():
            Event.objects.filter(kind="deal").update(action="invented")

        assert not Event.objects.filter(action="invented").exists()

    def test_no_event_can_be_deleted(self):
        self.deal()
        count = Event.objects.count()

        with refused_by_the_database():
            Event.objects.all()._raw_delete(Event.objects.db)

        assert Event.objects.count() == count

    def test_no_event_can_be_replaced_by_an_upsert(self):
        self.deal()
        event = Event.objects.filter(kind="deal").get()
        event.action = "invented"

        with refused_by_the_database():
            Event.objects.bulk_create(
                [event], update_conflicts=True, unique_fields=["id"], update_fields=["action"]
            )

    def test_only_rewriting_opens_it_and_closes_it_again(self):
        self.deal()

        with rewriting():
            Event.objects.filter(kind="deal").update(action="rewritten")

        assert Event.objects.filter(kind="deal").get().action == "rewritten"
        with refused_by_the_database():
            Event.objects.filter(kind="deal").update(action="invented")

    def test_an_error_closes_it_too(self):
        self.deal()

        with pytest.raises(ZeroDivisionError), rewriting():
            raise ZeroDivisionError

        with refused_by_the_database():
            Event.objects.filter(kind="deal").update(action="invented")

    def test_the_code_has_no_other_way(self):
        """No module writes to events but by inserting them, and four may open the journal for rewriting."""
        folders = [ROOT / name for name in ("crm_project", "contacts", "pipelines", "deals")]
        sources = {
            path.relative_to(ROOT).as_posix(): path.read_text() for f in folders for path in f.rglob("*.py")
        }
        keyholders = {name for name, text in sources.items() if re.search(r"with rewriting\(\)", text)}
        pattern = re.compile(
            r"\bEvent\b[^\n]*\.(update|delete|_raw_delete|bulk_update|save|update_or_create)\("
        )
        writers = {name for name, text in sources.items() if pattern.search(text)}

        assert keyholders <= KEYHOLDERS
        assert writers <= {"crm_project/journal/purging.py", "crm_project/journal/redaction.py"}


class GuardOfTheTableTests(TransactionTestCase):
    @pytest.mark.postgres
    def test_the_table_cannot_be_truncated(self):
        if connection.vendor != "postgresql":
            self.skipTest("SQLite has no TRUNCATE")
        World().deal()

        with refused_by_the_database(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE journal_event")

    def test_it_comes_back_when_a_migration_remakes_the_table(self):
        World().deal()
        field = Event._meta.get_field("action")
        wider = field.clone()
        wider.max_length = 20
        wider.set_attributes_from_name("action")
        wider.model = Event
        with connection.schema_editor() as editor:
            editor.alter_field(Event, field, wider)
        with connection.schema_editor() as editor:
            editor.alter_field(Event, wider, field)

        install()

        with refused_by_the_database():
            Event.objects.update(action="invented")
