"""A dump of 20,000 demo deals at the migrations named in dump/migrations.json, for PostgreSQL and SQLite.

Tables are CSV files: a header with the columns, NULL as \\N, amounts as decimals, everything else as SQLite stores it,
which PostgreSQL reads too. Made once, at the baseline of the linter, and then kept; with an empty SQLite file as
DATABASE_URL:

    python manage.py migrate && python manage.py demo --deals 20000 --seed 1 && python -m tests.migrations.dump

To keep the files small, UUIDs are numbered, instants have no fraction of a second, and of the journal only the events
of every fifth deal are kept.
"""

import csv
import io
import json
import lzma
import re
from pathlib import Path
from typing import Any

from crm_project.records.fields import MoneyField

FOLDER = Path(__file__).parent / "dump"
NULL = "\\N"
# Made by `migrate`.
LEFT_OUT = {"auth_permission", "django_content_type", "django_migrations", "django_session"}
CONDITIONS = {"journal_event": "kind <> 'deal' OR row_id % 5 = 0"}
UUID4 = re.compile(r"\b([0-9a-f]{8})(-?)([0-9a-f]{4})-?(4[0-9a-f]{3})-?([89ab][0-9a-f]{3})-?([0-9a-f]{12})\b")
FRACTION = re.compile(r"(?<=:[0-5][0-9])\.[0-9]{6}")


def targets() -> list[tuple[str, str]]:
    """The last migration of each app in the dump."""
    return [(app, name) for app, name in json.loads((FOLDER / "migrations.json").read_text()).items()]


def save() -> None:
    """Write the tables of the default database, an SQLite file."""
    from django.apps import apps
    from django.db import connection

    assert connection.vendor == "sqlite"
    FOLDER.mkdir(exist_ok=True)
    numbers: dict[str, int] = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if table in LEFT_OUT or not model._meta.managed:
            continue
        fields = model._meta.concrete_fields
        with connection.cursor() as cursor:
            columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
            where = CONDITIONS.get(table, "true")
            cursor.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {fields[0].column}")
            rows = cursor.fetchall()
        if rows:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([field.column for field in fields])
            for row in rows:
                writer.writerow([cell(*pair, numbers) for pair in zip(fields, row, strict=True)])
            (FOLDER / f"{table}.csv.xz").write_bytes(lzma.compress(text.getvalue().encode()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app")
        (FOLDER / "migrations.json").write_text(json.dumps(dict(cursor.fetchall()), indent=2) + "\n")


def cell(field: Any, value: Any, numbers: dict[str, int]) -> Any:
    from django.db import connection

    if value is None:
        return NULL
    if is_money(field):
        return format(field.from_db_value(value, None, connection), "f")
    if isinstance(value, (bool, int)):
        return int(value)

    def numbered(match: re.Match[str]) -> str:
        head, dash, *rest = match.groups()
        number = numbers.setdefault(head + "".join(rest), len(numbers) + 1)
        return dash.join([f"{number:08x}", "0000", "4000", "8000", "000000000000"])

    return FRACTION.sub(".000000", UUID4.sub(numbered, str(value)))


def is_money(field: Any) -> bool:
    return bool(field.get_internal_type() == "MoneyField")


def restore(every: int = 1) -> None:
    """Migrate the default database, which is empty, to the migrations of the dump, and load the rows.

    With `every` only each n-th deal, with what belongs to it.
    """
    from django.core.management.color import no_style
    from django.core.management.sql import emit_post_migrate_signal
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    state = executor.migrate(targets())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    models = {model._meta.db_table: model for model in state.apps.get_models(include_auto_created=True)}
    with transaction.atomic():
        for file in sorted(FOLDER.glob("*.csv.xz")):
            load(connection, models[file.name.partition(".")[0]], file, every)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


def load(connection: Any, model: Any, file: Path, every: int) -> None:
    columns, *rows = csv.reader(io.StringIO(lzma.decompress(file.read_bytes()).decode()))
    table, names = model._meta.db_table, ", ".join(columns)
    if every > 1 and (key := {"deals_deal": "id", "journal_event": "row_id"}.get(table, "deal_id")) in columns:
        place = columns.index(key)
        rows = [row for row in rows if int(row[place]) % every == 0]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([None if value == NULL else value for value in row])
        else:
            fields = {field.column: field for field in model._meta.concrete_fields}
            money = [place for place, column in enumerate(columns) if is_money(fields[column])]
            marks = ", ".join(["%s"] * len(columns))
            values = (sqlite_values(connection, row, money) for row in rows)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def sqlite_values(connection: Any, row: list[str], money: list[int]) -> list[Any]:
    """The texts of a row, which the columns' affinities convert, but for amounts: SQLite has them as integers."""
    values: list[Any] = [None if value == NULL else value for value in row]
    for place in money:
        values[place] = MoneyField().get_db_prep_save(values[place], connection)
    return values


if __name__ == "__main__":
    import django

    django.setup()
    save()
