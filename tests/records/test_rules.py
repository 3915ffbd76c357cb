"""What a text, a number and a custom field may be."""

from decimal import Decimal

import pytest

from contacts.models import Contact
from crm_project.records.models import CustomField
from crm_project.records.rules import column_errors, definition_errors, merge_custom_fields, reference_errors
from deals.models import Deal


def field(type, **columns):
    options = ["red", "green"] if type in ("select", "multiselect") else []
    return CustomField(
        **{"kind": "deal", "key": "x", "label": "X", "type": type, "options": options, **columns}
    )


def merged(current, sent, *definitions, **how):
    known = {definition.key: definition for definition in definitions}
    result, errors = merge_custom_fields(current, sent, known, **how)

    return result, [(error.field, error.code) for error in errors]


@pytest.mark.parametrize(
    ("type", "sent", "stored"),
    [
        ("text", "a", "a"),
        ("text", "", ""),
        ("text", " kept as sent ", " kept as sent "),
        ("text", "x" * 255, "x" * 255),
        ("textarea", "x" * 65_535, "x" * 65_535),
        ("number", 5, 5),
        ("number", -5, -5),
        ("number", Decimal("5.00"), 5),
        ("number", Decimal("0.1"), 0.1),
        ("number", Decimal("123456789012.345"), 123456789012.345),
        ("number", 0, 0),
        ("select", "red", "red"),
        ("multiselect", ["green", "red"], ["green", "red"]),
        ("multiselect", ["red", "red"], ["red"]),
        ("multiselect", [], []),
        ("checkbox", True, True),
        ("checkbox", False, False),
        ("date", "2030-02-28", "2030-02-28"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_custom_field_takes(type, sent, stored):
    result, errors = merged({}, {"x": sent}, field(type))

    assert errors == []
    assert result == {"x": stored}
    assert isinstance(result["x"], str | int | float | bool | list)


def test_undeclared_keys_are_free_where_the_contract_allows_them():
    unknown = [("custom_fields.b", "unknown_field")]

    assert merged({}, {"a": [1], "b": 2}, free_keys=True) == ({"a": [1], "b": 2}, [])
    assert merged({}, {"a": [1], "b": 2}, free_keys=["a"]) == ({"a": [1]}, unknown)
    assert merged({"a": 1}, {"a": None}, free_keys=["a"]) == ({}, [])


@pytest.mark.parametrize(
    ("type", "sent"),
    [
        ("text", 5),
        ("text", "x" * 256),
        ("text", "a\x00b"),
        ("text", "a\ud800b"),
        ("textarea", "x" * 65_536),
        ("number", "5"),
        ("number", True),
        ("number", Decimal("NaN")),
        ("number", Decimal("Infinity")),
        ("number", Decimal("1234567890123456")),
        ("number", Decimal("1.0000000000000000000000000000000000001")),
        ("number", Decimal("1E+40")),
        ("select", "blue"),
        ("select", ["red"]),
        ("multiselect", "red"),
        ("multiselect", ["red", "blue"]),
        ("multiselect", [["red"]]),
        ("checkbox", 1),
        ("checkbox", "true"),
        ("date", "2030-02-30"),
        ("date", "2030-2-3"),
        ("date", "2030-02-03T00:00:00Z"),
        ("date", 20300203),
        ("heading", "x"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_custom_field_refuses(type, sent):
    assert merged({}, {"x": sent}, field(type)) == ({}, [("custom_fields.x", "invalid")])


class TestMerging:
    def test_by_key(self):
        sent = {"b": "new"}

        result = merged({"a": "1", "b": "2"}, sent, field("text", key="a"), field("text", key="b"))

        assert result == ({"a": "1", "b": "new"}, [])

    def test_null_removes(self):
        assert merged({"x": "1"}, {"x": None}, field("text")) == ({}, [])
        assert merged({}, {"x": None}, field("text")) == ({}, [])

    def test_it_rejects_an_undeclared_key(self):
        assert merged({}, {"y": "1"}, field("text")) == ({}, [("custom_fields.y", "unknown_field")])

    @pytest.mark.parametrize(
        ("stored", "sent"),
        [("1", "1"), (0.1, Decimal("0.1")), (5, 5), (True, True), (["a"], ["a"]), ({"a": 1}, {"a": 1})],
    )
    def test_but_one_that_is_stored_may_be_sent_back(self, stored, sent):
        assert merged({"y": stored}, {"y": sent}) == ({"y": stored}, [])

    @pytest.mark.parametrize(("stored", "sent"), [("1", "2"), (1, True), (0, False), (1.5, Decimal("1.6"))])
    def test_and_not_another_value(self, stored, sent):
        assert merged({"y": stored}, {"y": sent}) == ({"y": stored}, [("custom_fields.y", "unknown_field")])

    def test_an_undeclared_one_can_be_removed(self):
        assert merged({"y": "1"}, {"y": None}) == ({}, [])

    def test_a_dialect_may_bring_keys_of_its_own(self):
        sent = {"y": {"deep": [1, None]}, "z": Decimal("1.5")}

        assert merged({}, sent, free_keys=True) == ({"y": {"deep": [1, None]}, "z": 1.5}, [])

    @pytest.mark.parametrize(
        "sent", ["\x00", "\ud800", {"\x00": 1}, [{"deep": "\x00"}], Decimal("1E+400"), float("nan")]
    )
    def test_that_both_databases_can_hold(self, sent):
        assert merged({}, {"y": sent}, free_keys=True) == ({}, [("custom_fields.y", "invalid")])

    def test_a_value_that_no_longer_fits_may_be_sent_back(self):
        assert merged({"x": "blue"}, {"x": "blue"}, field("select")) == ({"x": "blue"}, [])


class TestRequired:
    @pytest.mark.parametrize(
        ("type", "nothing"), [("text", ""), ("text", None), ("multiselect", []), ("select", None)]
    )
    def test_it_is_never_emptied(self, type, nothing):
        stored = {"x": ["red"] if type == "multiselect" else "red"}

        result = merged(stored, {"x": nothing}, field(type, required=True))

        assert result == (stored, [("custom_fields.x", "required")])

    def test_a_new_row_needs_it(self):
        assert merged({}, {}, field("text", required=True), complete=True) == (
            {},
            [("custom_fields.x", "required")],
        )

    def test_an_old_row_may_go_without(self):
        assert merged({}, {}, field("text", required=True)) == ({}, [])

    @pytest.mark.parametrize(("type", "value"), [("checkbox", False), ("number", 0)])
    def test_false_and_zero_are_answers(self, type, value):
        assert merged({}, {"x": value}, field(type, required=True), complete=True) == ({"x": value}, [])

    def test_one_mistake_is_reported_once(self):
        result = merged({}, {"x": 5}, field("text", required=True), complete=True)

        assert result == ({}, [("custom_fields.x", "invalid")])


class TestDefinitions:
    @pytest.mark.parametrize("key", ["a", "a1", "budget", "lead_source", "a_1_b"])
    def test_a_key(self, key):
        assert definition_errors(field("text", key=key)) == []

    @pytest.mark.parametrize("key", ["", "A", "1a", "_a", "a_", "a__b", "a-b", "a b", "é", "a\n", "a" * 64])
    def test_it_rejects_another_key(self, key):
        assert [error.field for error in definition_errors(field("text", key=key))] == ["key"]

    @pytest.mark.parametrize(
        ("type", "options", "code"),
        [
            ("select", [], "required"),
            ("select", ["a", "a"], "invalid"),
            ("select", ["a", ""], "invalid"),
            ("select", ["a", 1], "invalid"),
            ("select", [["a"]], "invalid"),
            ("select", "ab", "invalid"),
            ("select", ["x" * 256], "invalid"),
            ("text", ["a"], "invalid"),
        ],
    )
    def test_it_rejects_wrong_options(self, type, options, code):
        [error] = definition_errors(field(type, options=options))

        assert (error.field, error.code) == ("options", code)


@pytest.mark.parametrize(
    ("model", "values", "wrong"),
    [
        (Deal, {"name": "x" * 255, "description": "x" * 65_535, "url": "x" * 2000}, []),
        (Deal, {"name": "", "department_id": 2**63 - 1, "is_private": True}, []),
        (Deal, {"name": "  spaces stay  "}, []),
        (Deal, {"name": "x" * 256}, [("name", "max_length")]),
        (Deal, {"description": "x" * 65_536}, [("description", "max_length")]),
        (Deal, {"url": "x" * 2001}, [("url", "max_length")]),
        (Deal, {"name": "a\x00"}, [("name", "invalid")]),
        (Deal, {"name": "\udfff"}, [("name", "invalid")]),
        (Deal, {"name": 5}, [("name", "invalid")]),
        (Deal, {"department_id": 2**63}, [("department_id", "out_of_range")]),
        (Deal, {"department_id": True}, [("department_id", "invalid")]),
        (Deal, {"bid_periods": -1}, [("bid_periods", "out_of_range")]),
        (Deal, {"is_private": 1}, [("is_private", "invalid")]),
        (Deal, {"is_private": None}, [("is_private", "null")]),
        (Deal, {"status": "done"}, [("status", "invalid_choice")]),
        (Deal, {"status": ""}, [("status", "blank")]),
        (Deal, {"name": 5, "status": "done"}, [("name", "invalid"), ("status", "invalid_choice")]),
        (Contact, {"email": "eva@example.com"}, []),
        (Contact, {"email": ""}, []),
        (Contact, {"email": "eva"}, [("email", "invalid")]),
        (Contact, {"email": f"{'x' * 250}@example.com"}, [("email", "max_length")]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_columns(model, values, wrong):
    assert [(error.field, error.code) for error in column_errors(model, values)] == wrong


@pytest.mark.parametrize(
    ("reference", "wrong"),
    [
        (("default", "1"), []),
        (("x" * 255, "y" * 255), []),
        (("", "1"), [("external_references.0.system", "blank")]),
        (("default", " "), [("external_references.0.external_id", "blank")]),
        (("default", "y" * 256), [("external_references.0.external_id", "max_length")]),
        (("default", "\x00"), [("external_references.0.external_id", "invalid")]),
        (("default", 1), [("external_references.0.external_id", "invalid")]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_references(reference, wrong):
    assert [(error.field, error.code) for error in reference_errors([reference])] == wrong
