"""The linter refuses each operation that would block the writes of a running server, or break its code."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now

from crm_project.records import migration_rules
from crm_project.records.constraints import SameOrganization
from crm_project.records.fields import MoneyField, RowForeignKey
from crm_project.records.migration_rules import problems
from crm_project.records.operations import (
    AddConstraintConcurrently,
    AddIndexConcurrently,
    DropColumn,
    FillInBatches,
)

INDEX = models.Index(fields=["organization", "name"], name="deals_deal_by_name_test")
CHECK = models.CheckConstraint(condition=models.Q(amount__gte=0), name="deals_deal_amount_test")
SAME = SameOrganization(field="owner", name="deals_deal_owner_test")
FILL = FillInBatches("Deal", models.Q(origin=""), lambda rows: rows.update(origin="x"))
TEXT = models.CharField(max_length=20, null=True)  # noqa: DJ001


def migration(*operations, atomic=True):
    made = migrations.Migration("9999_test", "deals")
    made.operations, made.atomic = list(operations), atomic
    return made


def found(*operations, atomic=True):
    loader = MigrationLoader(None)
    state = loader.project_state(loader.graph.leaf_nodes())
    return " ".join(problems(migration(*operations, atomic=atomic), state))


def add(field, name="added", model="deal"):
    return migrations.AddField(model, name, field)


@pytest.mark.parametrize(
    "operations",
    [
        [add(TEXT)],
        [add(models.TextField(db_default=""))],
        [add(models.IntegerField(db_default=0)), add(MoneyField(null=True), "money")],
        [add(models.DateTimeField(db_default=Now()))],
        [add(models.JSONField(null=True))],
        [add(RowForeignKey("contacts.contact", null=True))],
        [migrations.AlterField("deal", "name", models.CharField(max_length=2_000))],
        [migrations.RemoveIndex("deal", "deals_deal_trash"), add(TEXT)],
        [migrations.AlterModelOptions("deal", {"verbose_name": "deal"})],
        [
            migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True)), ("name", TEXT)]),
            migrations.AddIndex("thing", models.Index(fields=["name"], name="thing_name")),
            migrations.AlterUniqueTogether("thing", {("id", "name")}),
        ],
        [
            migrations.SeparateDatabaseAndState(
                state_operations=[migrations.RemoveField("deal", "lost_reason")]
            )
        ],
        [DropColumn("deal", "no_longer_in_the_model")],
    ],
)
def test_what_neither_blocks_nor_breaks_is_allowed(operations):
    assert found(*operations) == ""


@pytest.mark.parametrize("operations", [[AddIndexConcurrently("deal", INDEX)], [FILL]])
def test_what_takes_long_is_allowed_outside_a_transaction(operations):
    assert found(*operations, atomic=False) == ""
    assert "atomic = False" in found(*operations)


def test_constraints_are_allowed_in_two_steps():
    steps = [AddConstraintConcurrently("deal", CHECK), AddConstraintConcurrently("deal", SAME)]

    assert found(*steps, atomic=False) == ""


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (add(models.IntegerField()), "nullable or has a `db_default`"),
        (add(models.IntegerField(default=0)), "nullable or has a `db_default`"),
        (add(models.FloatField(null=True, db_default=models.functions.Random())), "not a constant"),
        (add(models.IntegerField(null=True, db_index=True)), "add its index"),
        (add(models.IntegerField(null=True, unique=True)), "add its index"),
        (add(models.PositiveIntegerField(null=True)), "CHECK"),
        (add(models.ForeignKey("deals.deal", models.PROTECT, null=True, db_index=False)), "RowForeignKey"),
        (add(models.ManyToManyField("deals.deal")), "many-to-many"),
        (
            add(
                models.GeneratedField(
                    expression=models.F("name"), output_field=models.TextField(), db_persist=True
                )
            ),
            "generated",
        ),
        (migrations.AddIndex("deal", INDEX), "AddIndexConcurrently"),
        (migrations.AddConstraint("deal", CHECK), "AddConstraintConcurrently"),
        (migrations.AlterField("deal", "name", models.CharField(max_length=2)), "changes max_length"),
        (migrations.AlterField("deal", "name", models.TextField()), "changes max_length, type"),
        (migrations.AlterField("deal", "lost_reason", models.IntegerField()), "null"),
        (migrations.AlterUniqueTogether("deal", {("name", "status")}), "not known"),
        (migrations.RemoveField("deal", "name"), "previous release"),
        (migrations.RenameField("deal", "name", "title"), "previous release"),
        (migrations.RenameModel("deal", "opportunity"), "previous release"),
        (migrations.DeleteModel("deal"), "previous release"),
        (migrations.AlterModelTable("deal", "other"), "previous release"),
        (DropColumn("deal", "name"), "still has the column name"),
        (migrations.RunPython(migrations.RunPython.noop), "no bounds"),
        (migrations.RunSQL("SELECT 1"), "no bounds"),
        (
            migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("SELECT 1")]),
            "not checked",
        ),
        (
            migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("deal", "name")]),
            "no default in the database",
        ),
        (migrations.SeparateDatabaseAndState(state_operations=[add(TEXT)]), "not a removal"),
    ],
)
def test_what_blocks_or_breaks_is_refused(operation, problem):
    assert problem in found(operation)


def test_a_column_is_not_dropped_in_the_migration_that_removes_its_field():
    removal = migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("deal", "probability")])

    assert "still has the column probability" in found(removal, DropColumn("deal", "probability"))


def test_one_transaction_alters_one_table_that_is_in_use():
    assert "alters deal, dealstate" in found(add(TEXT), add(TEXT, model="dealstate"))


def test_filling_and_indexing_are_migrations_of_their_own():
    index = AddIndexConcurrently("deal", INDEX)

    assert "of its own" in found(add(TEXT), index, atomic=False)
    assert "without indexes" in found(FILL, index, atomic=False)
    assert "need `atomic = False`" in found(add(TEXT), atomic=False)


def test_the_migrations_after_the_baseline_keep_the_rules():
    call_command("lint_migrations")


def test_the_command_names_the_migration_and_the_rule(monkeypatch):
    """The migrations of the baseline were written before the rule, and some break it."""
    monkeypatch.setattr(migration_rules, "BASELINE", {"deals": "0006_past_by_closing"})

    with pytest.raises(CommandError, match=r"deals\.0007_index_lists: AddIndex of deals_deal_by_status"):
        call_command("lint_migrations")
