"""Each operation does what its plain counterpart does, backwards too, and continues after an interruption."""

import threading
import time

import pytest
from django.db import IntegrityError, NotSupportedError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.models import F, Q

from crm_project.records.operations import (
    AddConstraintConcurrently,
    AddIndexConcurrently,
    DropColumn,
    FillInBatches,
)

pytestmark = pytest.mark.django_db(transaction=True)



def on_postgresql(test):
    reason = "says something about PostgreSQL"
    return pytest.mark.postgres(pytest.mark.skipif(connection.vendor != "postgresql", reason=reason)(test))


INDEX = AddIndexConcurrently("sheet", models.Index(fields=["size"], name="sheet_size"))
UNIQUE = AddConstraintConcurrently("sheet", models.UniqueConstraint(fields=["size"], name="sheet_unique"))
PARTIAL = AddConstraintConcurrently(
    "sheet", models.UniqueConstraint(fields=["size"], condition=Q(size__gt=5), name="sheet_partial")
)
POSITIVE = AddConstraintConcurrently(
    "sheet", models.CheckConstraint(condition=Q(size__gt=0), name="sheet_positive")
)


class Schema:
    """A table `deals_sheet` that exists for one test, and the project state that belongs to it."""

    def __init__(self) -> None:
        self.state = ProjectState()
        columns = [("id", models.BigAutoField(primary_key=True)), ("size", models.IntegerField(null=True))]
        self.apply(migrations.CreateModel("Sheet", columns))

    def apply(self, operation, *, atomic=False):
        after = self.state.clone()
        operation.state_forwards("deals", after)
        with connection.schema_editor(atomic=atomic) as editor:
            operation.database_forwards("deals", editor, self.state, after)
        self.before, self.state = self.state, after

    def revert(self, operation):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards("deals", editor, self.state, self.before)
        self.state = self.before

    def interrupt(self, operation):
        """Apply it in the database alone, as a run that was killed before it was recorded."""
        before = self.state
        self.apply(operation)
        self.state = before

    def add(self, *sizes):
        sheets = self.state.apps.get_model("deals", "sheet").objects
        return [sheets.create(size=size) for size in sizes]

    def sizes(self):
        sheets = self.state.apps.get_model("deals", "sheet").objects
        return list(sheets.order_by("id").values_list("size", flat=True))

    def constraints(self):
        with connection.cursor() as cursor:
            return connection.introspection.get_constraints(cursor, "deals_sheet")


@pytest.fixture
def schema():
    schema = Schema()
    yield schema
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE deals_sheet")


@pytest.mark.parametrize("operation", [INDEX, UNIQUE, PARTIAL, POSITIVE])
def test_it_is_added_and_removed_again(schema, operation):
    name = (getattr(operation, "index", None) or operation.constraint).name
    schema.add(1, 2)

    schema.apply(operation)
    assert name in schema.constraints()

    schema.revert(operation)
    assert name not in schema.constraints()
    assert schema.sizes() == [1, 2]


@pytest.mark.parametrize(
    ("operation", "fits", "sizes"),
    [(UNIQUE, [3, None], [1, 1]), (PARTIAL, [3, 3, 6], [7, 7]), (POSITIVE, [1, 1], [0])],
)
def test_a_constraint_is_enforced(schema, operation, fits, sizes):
    schema.apply(operation)

    schema.add(*fits)
    with pytest.raises(IntegrityError), transaction.atomic():
        schema.add(*sizes)


@pytest.mark.parametrize(("operation", "sizes"), [(UNIQUE, [1, 1]), (PARTIAL, [7, 7]), (POSITIVE, [0])])
def test_rows_that_break_a_constraint_refuse_it_and_stay(schema, operation, sizes):
    schema.add(*sizes)

    with pytest.raises(IntegrityError):
        schema.apply(operation)

    assert schema.sizes() == sizes


@on_postgresql
@pytest.mark.parametrize("operation", [INDEX, UNIQUE, PARTIAL, POSITIVE])
def test_a_second_run_finds_the_work_of_the_first(schema, operation):
    schema.interrupt(operation)

    schema.apply(operation)

    assert (getattr(operation, "index", None) or operation.constraint).name in schema.constraints()


@on_postgresql
@pytest.mark.parametrize("operation", [UNIQUE, PARTIAL])
def test_an_invalid_index_is_built_again(schema, operation):
    """As a concurrent build leaves it behind that was interrupted, or that met rows of one value."""
    row, _ = schema.add(7, 7)
    with pytest.raises(IntegrityError):
        schema.apply(operation)
    row.delete()

    schema.apply(operation)

    with pytest.raises(IntegrityError):
        schema.add(7)


@on_postgresql
@pytest.mark.parametrize("operation", [INDEX, UNIQUE, POSITIVE])
def test_it_does_not_wait_inside_a_transaction(schema, operation):
    with pytest.raises(NotSupportedError):
        schema.apply(operation, atomic=True)


@on_postgresql
@pytest.mark.race
@pytest.mark.parametrize("operation", [INDEX, UNIQUE])
def test_writes_go_on_while_an_index_waits(schema, operation):
    """It waits for the end of an older transaction, longer than any time limit of the connection."""

    def build():
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '100ms'; SET lock_timeout = '100ms'")
        schema.apply(operation)
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            limits.extend(cursor.fetchone())
        connection.close()

    limits: list[str] = []
    schema.state.apps  # noqa: B018  (rendered before two threads need it)
    writing, state = threading.Thread(target=build), schema.state
    with transaction.atomic():
        state.apps.get_model("deals", "sheet").objects.create(size=1)
        writing.start()
        until_somebody_waits()
        for size in (2, 3):
            state.apps.get_model("deals", "sheet").objects.create(size=size)
    writing.join(60)

    assert limits == ["100ms"]
    assert schema.sizes() == [1, 2, 3]


def until_somebody_waits():
    for _ in range(3_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("The index did not wait for the transaction.")


def test_a_column_is_filled_once_in_batches(schema):
    batches = []

    def fill(rows):
        batches.append(rows.count())
        rows.update(size=F("id"))

    schema.add(*[None] * 7, 100)
    filling = FillInBatches("sheet", Q(size=None), fill, size=3)

    schema.apply(filling)
    assert batches == [3, 3, 1]
    assert schema.sizes() == [1, 2, 3, 4, 5, 6, 7, 100]

    schema.apply(filling)
    assert batches == [3, 3, 1]


def test_a_filling_continues_where_it_failed(schema):
    def fill(rows):
        rows.update(size=F("id"))
        if not failures and rows.filter(id=6).exists():
            failures.append("killed")
            raise InterruptedError

    failures: list[str] = []
    schema.add(*[None] * 8)
    filling = FillInBatches("sheet", Q(size=None), fill, size=2)

    with pytest.raises(InterruptedError):
        schema.apply(filling)
    assert schema.sizes() == [1, 2, 3, 4, None, None, None, None]

    schema.apply(filling)
    assert schema.sizes() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_filling_ends_although_rows_stay_empty(schema):
    schema.add(None, None, None)

    schema.apply(FillInBatches("sheet", Q(size=None), lambda rows: rows.filter(id=2).update(size=9), size=1))

    assert schema.sizes() == [None, 9, None]


def test_a_filling_is_not_one_transaction(schema):
    with pytest.raises(NotSupportedError):
        schema.apply(FillInBatches("sheet", Q(size=None), len), atomic=True)


def test_a_column_is_dropped_after_its_field(schema):
    schema.add(1)
    schema.apply(
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("sheet", "size")])
    )

    schema.apply(DropColumn("sheet", "size"), atomic=True)

    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "deals_sheet")
    assert [column.name for column in columns] == ["id"]
