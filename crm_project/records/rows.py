"""Rows for reading: plain objects with the attributes of a model's instances, but without their cost.

`queryset.as_rows(complete)` is a queryset like any other, whose rows are such objects: each column under its name,
each relation of `select_related` as another row, and the properties and methods of the model. `complete(rows)` then
sets what is in other tables, for all of them at once. Serializers read both alike; services take instances.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partialmethod
from operator import attrgetter
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.query import ModelIterable

from crm_project.languages.caching import cached_by_language

T = TypeVar("T")
Complete = Callable[[list[Any]], None]
Build = Callable[[Any], Any]


class PlainRow:
    """The base of the classes of `row_class`."""

    model: type[models.Model]
    id: int
    pk = property(attrgetter("id"))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __getattr__(self, name: str) -> Any:
        """Read a deferred column or relation when it is used, as a model's instance does."""
        try:
            self.model._meta.get_field(name)
        except FieldDoesNotExist:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None
        value = getattr(self.model._default_manager.get(pk=self.id), name)
        self.__dict__[name] = value
        return value


class Rows(list[Any]):
    """A list of related rows where an instance has a manager."""

    def all(self) -> "Rows":
        return self


@cache
def row_class(model: type[models.Model]) -> type[PlainRow]:
    """A plain class with the properties, methods and constants of the model."""
    own: dict[str, Any] = {"model": model, "_meta": model._meta}
    own |= {f"get_{field.name}_display": _label_of(field) for field in model._meta.fields if field.choices}
    for base in reversed(model.__mro__):
        if base not in (object, models.Model):
            own |= {name: value for name, value in vars(base).items() if _is_own(name, value)}
    return type(f"{model.__name__}Row", (PlainRow,), own)


def _label_of(field: Any) -> Callable[[Any], str]:
    """The method `get_FOO_display` of a field with choices."""
    name, labels = field.attname, dict(field.flatchoices)
    label = cached_by_language(lambda value: str(labels.get(value, value)))
    return lambda row: label(getattr(row, name))


def _is_own(name: str, value: Any) -> bool:
    """Not what Django adds to a model: descriptors of columns and relations, managers, exceptions."""
    if name == "_meta" or (name.startswith("__") and name != "__str__") or isinstance(value, partialmethod):
        return False
    if isinstance(value, type):
        return not issubclass(value, Exception)
    return not type(value).__module__.startswith("django.db")


def plain_row(model: type[models.Model], **values: Any) -> Any:
    """A row of these columns and relations."""
    row = object.__new__(row_class(model))
    row.__dict__.update(values)
    return row


class RowIterable(ModelIterable):  # type: ignore[type-arg]
    """Makes the rows of a queryset's result, in place of instances."""

    def __iter__(self) -> Iterator[Any]:
        queryset: Any = self.queryset
        compiler = queryset.query.get_compiler(using=queryset.db)
        results = compiler.execute_sql(chunked_fetch=self.chunked_fetch, chunk_size=self.chunk_size)
        build = _builder(compiler.klass_info, compiler.select)
        annotated = list(compiler.annotation_col_map.items())
        rows = []
        for values in compiler.results_iter(results):
            row = build(values)
            for name, place in annotated:
                row.__dict__[name] = values[place]
            rows.append(row)
        complete = getattr(queryset, "complete", None)
        if complete is not None:
            complete(rows)
        return iter(rows)


def as_rows(queryset: Any) -> Any:
    """The rows of a queryset of any model."""
    rows = queryset.all()
    rows._iterable_class = RowIterable
    return rows


def plain_rows(compiler: Any) -> Build:
    """For prepared queries: see `crm_project.prepared`."""
    return _builder(compiler.klass_info, compiler.select)


def _builder(info: Any, select: Any) -> Build:
    """The function that makes a row of the compiler's `klass_info` out of the values of a result."""
    made = row_class(info["model"])
    places = info["select_fields"]
    first, last = places[0], places[-1] + 1
    names = [column.target.attname for column, _, _ in select[first:last]]
    key = names.index(info["model"]._meta.pk.attname)
    related = [(one["field"].name, _builder(one, select)) for one in info.get("related_klass_infos", ())]

    def build(values: Any) -> Any:
        own = values[first:last]
        if own[key] is None:
            return None
        row = object.__new__(made)
        row.__dict__.update(zip(names, own, strict=True))
        for name, build_related in related:
            row.__dict__[name] = build_related(values)
        return row

    return build


def bare(queryset: Any) -> tuple[Any, Complete]:
    """The queryset without the reads that follow its own, and the function that carries these out for its rows."""
    lookups = getattr(queryset, "_prefetch_related_lookups", ())
    complete = getattr(queryset, "complete", None)
    if complete is not None:
        queryset = queryset.as_rows(None)
    if lookups:
        queryset = queryset.prefetch_related(None)

    def follow(rows: list[Any]) -> None:
        if complete is not None:
            complete(rows)
        if lookups:
            models.prefetch_related_objects(rows, *lookups)

    return queryset, follow


def by_id(rows: Iterable[T]) -> dict[int, T]:
    return {row.pk: row for row in rows}  # type: ignore[attr-defined]
