"""`POST …/bulk`: many writes in one request, each with the checks and the result of a single one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer

from crm_project.api import etags
from crm_project.api.budget import AnswerTooLarge
from crm_project.api.errors import (
    ERRORS_LIMIT,
    InvalidHeader,
    Problem,
    Refused,
    core_code,
    flattened,
    limited,
    problem_of,
    titled,
)
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.fields import JsonValue, StrictBoolean, StrictChoice, StrictUUID
from crm_project.api.preconditions import changes_since
from crm_project.api.serializers import StrictSerializer, changed_names
from crm_project.errors import DomainError, FieldError, Invalid, NotFound, PreconditionFailed, RowsRefused
from crm_project.records.bulk import OPERATIONS, Operation, Result, write_list
from crm_project.records.writing.receipts import Receipt

LIMIT = 1000
# The errors that the problem of one operation lists.
ROW_ERRORS_LIMIT = 10
STATUSES = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204}
OUTCOMES = (*STATUSES, "refused")


class InvalidOperation(Invalid):
    """An operation with errors in its body. The fields have their names in the API, below `place`."""

    def __init__(self, fields: Sequence[FieldError], *, place: str = "") -> None:
        super().__init__(fields=fields)
        self.place = place


class OperationSerializer(StrictSerializer):
    """One operation without its data, which the resource's own serializer validates."""

    op = StrictChoice(OPERATIONS)
    uuid = StrictUUID(required=False)
    if_match = serializers.CharField(required=False, max_length=1000)
    data: Any = JsonValue(required=False)

    def validate_if_match(self, text: str) -> Any:
        try:
            return etags.versions_of(text)
        except InvalidHeader as error:
            raise ValidationError(str(error.detail), "invalid") from None

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        op, errors = attrs["op"], {}
        if op in ("update", "delete") and "uuid" not in attrs:
            errors["uuid"] = [serializers.ErrorDetail(f"Required to {op} a row.", "required")]
        if op == "create":
            unwanted = [name for name in ("uuid", "if_match") if name in attrs]
            errors |= {
                name: [serializers.ErrorDetail("Must be absent when a row is created.", "invalid")]
                for name in unwanted
            }
        if op != "delete" and "data" not in attrs:
            errors["data"] = [serializers.ErrorDetail("This field is required.", "required")]
        if op == "delete" and attrs.get("data"):
            errors["data"] = [serializers.ErrorDetail("Must be absent when a row is deleted.", "invalid")]
        if errors:
            raise ValidationError(errors)
        return dict(attrs)


class BulkSerializer(StrictSerializer):
    """The list itself, validated before its operations."""

    atomic = StrictBoolean(required=False, default=True)
    operations = serializers.ListField(child=JsonValue(), max_length=LIMIT)


@dataclass
class Bulk:
    """One request to a RowViewSet; `row_name` is the field of a result that holds the row."""

    view: Any
    upsert_serializer: Any
    row_name: str
    atomic: bool = True
    operations: dict[int, Operation] = field(default_factory=dict)
    refused: dict[int, DomainError] = field(default_factory=dict)

    def answer(self, data: Any) -> dict[str, Any]:
        """Carry out the list. Raises Refused with the problems of all rows if it is atomic and a row is refused."""
        self._read(data)
        try:
            results = write_list(
                actor=self.view.actor,
                operations=self.operations,
                carry_out=self.view.carry_out,
                refused=self.refused,
                atomic=self.atomic,
            )
        except RowsRefused as error:
            raise Refused(self._problem(error.errors)) from None
        return {"results": self._results(results)}

    def _read(self, data: Any) -> None:
        outer = BulkSerializer(data=data)
        outer.is_valid(raise_exception=True)
        self.atomic = outer.validated_data["atomic"]
        reader = OperationSerializer()
        given: dict[int, dict[str, Any]] = {}
        for index, one in enumerate(outer.validated_data["operations"]):
            if (sent := self._validated(index, reader, one)) is not None:
                given[index] = sent
        rows = self._rows(given.values())
        readers = self._readers()
        for index, sent in given.items():
            operation = self._operation(index, sent, rows, readers)
            if operation is not None:
                self.operations[index] = operation

    def _validated(self, index: int, reader: Any, sent: Any, *, place: str = "") -> dict[str, Any] | None:
        try:
            return dict(reader.run_validation(sent))
        except ValidationError as error:
            wrong = [
                FieldError(path, core_code(detail.code), str(detail))
                for path, detail in flattened(error.detail)
            ]
            self.refused[index] = InvalidOperation(wrong, place=place)
            return None

    def _rows(self, given: Any) -> dict[UUID, Any]:
        """The rows of the operations by uuid, with the relations that comparing read-only fields needs."""
        named = {uuid for sent in given if (uuid := _uuid_of(sent))}
        rows = self.view.for_reading(self.view.get_queryset().filter(uuid__in=named)) if named else ()
        return {row.uuid: row for row in rows}

    def _readers(self) -> dict[str, Any]:
        """One serializer for all operations of a kind: creating one takes longer than validating a row."""
        context = self.view.get_serializer_context()
        return {
            "create": self.view.serializer_class(data={}, context=context),
            "update": self.view.serializer_class(data={}, context=context, partial=True),
            "upsert": self.upsert_serializer(data={}, context=context),
        }

    def _operation(
        self, index: int, sent: Mapping[str, Any], rows: Mapping[UUID, Any], readers: Mapping[str, Any]
    ) -> Operation | None:
        op, uuid = sent["op"], _uuid_of(sent)
        condition = {"if_match": sent["if_match"]} if "if_match" in sent else {}
        if op == "delete":
            return Operation(op, uuid, condition)
        if op == "update" and uuid not in rows:
            self.refused[index] = NotFound()
            return None
        reader, data = readers[op], sent["data"]
        reader.instance = None if op == "create" else rows.get(uuid)  # type: ignore[arg-type]
        if op == "upsert" and "uuid" in sent and isinstance(data, dict):
            data = {"uuid": str(sent["uuid"]), **data}
        change = self._validated(index, reader, data, place="data")
        if change is not None and op == "upsert" and change.get("uuid", uuid) != uuid:
            wrong = FieldError("uuid", "invalid", "This differs from the uuid of the operation.")
            self.refused[index] = InvalidOperation([wrong], place="data")
            return None
        return None if change is None else Operation(op, uuid, {**change, **condition})

    def _results(self, results: Mapping[int, Result]) -> list[dict[str, Any]]:
        receipts = [result for result in results.values() if isinstance(result, Receipt)]
        ids = {receipt.row.pk for receipt in receipts if receipt.outcome != "deleted"}
        representations = self._representations(ids)
        refusals = {index: result for index, result in results.items() if isinstance(result, DomainError)}
        problems = self._problems(refusals)
        rows = []
        for index in range(len(results)):
            result = results[index]
            if isinstance(result, Receipt):
                rows.append(self._receipt(result, representations))
            else:
                problem = problems[index]
                error = problem.body(self.view.request)
                rows.append({"status": problem.status, "outcome": "refused", "error": error})
        return rows

    def _representations(self, ids: set[int]) -> dict[int, tuple[Any, str]]:
        """Each written row as GET answers it, with its ETag. Raises AnswerTooLarge before too many are in memory."""
        found: dict[int, tuple[Any, str]] = {}
        rows = list(self.view.for_reading(self.view.model.objects.filter(pk__in=ids))) if ids else []
        renderer, left = JSONRenderer(), self.view.budget.bytes
        for row, answer in zip(rows, self.view.get_serializer(rows, many=True).data, strict=True):
            rendered = renderer.render(answer)
            left -= len(rendered)
            if left < 0:
                raise AnswerTooLarge
            found[row.pk] = (answer, etags.etag(rendered, row.version))
        return found

    def _receipt(
        self, receipt: Receipt[Any], representations: Mapping[int, tuple[Any, str]]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {"status": STATUSES[receipt.outcome], "outcome": receipt.outcome}
        if receipt.outcome == "deleted":
            return result
        answer, tag = representations[receipt.row.pk]
        return result | {
            "matched_on": receipt.matched_on,
            "changed": changed_names(receipt.changed, self.view.serializer_class.wire_names()),
            "etag": tag,
            self.row_name: answer,
        }

    def _problems(self, errors: Mapping[int, DomainError]) -> dict[int, Problem]:
        """The problem of each refused operation, with pointers into this request's body."""
        stale = {index: error for index, error in errors.items() if isinstance(error, PreconditionFailed)}
        changes = changes_since(list(stale.values()), self.view.wire_names)
        extra = dict(zip(stale, changes, strict=True))
        listed: set[str] = set()
        problems = {
            index: limited(self._row_problem(index, error), ROW_ERRORS_LIMIT, listed)
            for index, error in errors.items()
        }
        return {
            index: replace(problem, extra={"changes": extra[index]}) if index in extra else problem
            for index, problem in problems.items()
        }

    def _row_problem(self, index: int, error: DomainError) -> Problem:
        misread = isinstance(error, InvalidOperation)
        problem = problem_of(error, wire_names={} if misread else self.view.wire_names)
        below = getattr(error, "place", "data")
        start = f"/operations/{index}{'/' if below else ''}{below}"
        errors = tuple({**wrong, "pointer": start + wrong["pointer"]} for wrong in problem.errors)
        return replace(problem, errors=errors)

    def _problem(self, errors: Mapping[int, DomainError]) -> Problem:
        """The refusal of the whole list. Its status is that of the rows if they share one, but never 404."""
        rows = self._problems(dict(sorted(errors.items())))
        statuses = {problem.status for problem in rows.values()}
        status = statuses.pop() if len(statuses) == 1 else 400
        whole = Problem(
            400 if status == 404 else status,
            "rows_refused",
            f"{len(rows)} of the operations are refused; nothing was written.",
            tuple(wrong for problem in rows.values() for wrong in problem.errors),
            {
                "rows": [
                    {"index": index, **titled(problem), **(problem.extra or {})}
                    for index, problem in rows.items()
                ]
            },
            errors_total=sum(problem.errors_total for problem in rows.values()),
        )
        return limited(whole, ERRORS_LIMIT)


def _uuid_of(sent: Mapping[str, Any]) -> UUID | None:
    """The uuid of the operation or, of an upsert, in its data."""
    if "uuid" in sent:
        return UUID(str(sent["uuid"]))
    data = sent.get("data")
    named = data.get("uuid") if isinstance(data, dict) and sent["op"] == "upsert" else None
    return UUID(named) if isinstance(named, str) and UUID_PATTERN.fullmatch(named) else None


def bulk_schemas(name: str, row_serializer: Any, write_serializer: Any) -> tuple[Any, Any]:
    """The request and response serializers of one resource's list, for the OpenAPI document."""
    title = name.capitalize()
    operation = type(
        f"{title}OperationSerializer",
        (OperationSerializer,),
        {
            "data": write_serializer(required=False),
            "__doc__": "`data` is the body of the single write of this kind.",
        },
    )
    request = type(
        f"{title}BulkSerializer",
        (BulkSerializer,),
        {
            "operations": serializers.ListField(child=operation(), max_length=LIMIT),
            "__doc__": "All of the operations or none, unless `atomic` is false.",
        },
    )
    result = type(
        f"{title}ResultSerializer",
        (serializers.Serializer,),
        {
            "status": serializers.IntegerField(),
            "outcome": serializers.ChoiceField(OUTCOMES),
            "matched_on": serializers.CharField(allow_null=True, required=False),
            "changed": serializers.ListField(child=serializers.CharField(), required=False),
            "etag": serializers.CharField(required=False),
            name: row_serializer(required=False),
            "error": serializers.JSONField(required=False, help_text="The problem of a refused operation."),
            "__doc__": "The result of one operation, in the order of the list.",
        },
    )
    answer = type(
        f"{title}ResultsSerializer",
        (serializers.Serializer,),
        {"results": result(many=True), "__doc__": "The result of each operation."},
    )
    return request, answer
