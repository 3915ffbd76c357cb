"""`/api/custom-fields` over HTTP: definitions, the values under them, filters and orderings."""

from tests.api.client import ApiTestCase, problem
from tests.factories import CustomFieldFactory

BUDGET = {"kind": "deal", "key": "budget", "label": "Budget", "type": "number"}


class DefinitionTests(ApiTestCase):
    def test_it_works(self):
        answer = self.as_manager.post("/api/custom-fields", BUDGET)

        definition = answer.json()
        assert answer.status_code == 201
        assert list(definition) == [
            *("id", "uuid", "kind", "key", "label", "type", "options", "mask", "position", "required"),
            *("created_at", "updated_at"),
        ]
        assert {name: definition[name] for name in BUDGET} == BUDGET
        assert self.as_bob.get(answer["Location"]).json() == definition

    def test_what_is_wrong_is_named(self):
        for change, code, pointer in (
            ({"key": "Budget"}, "invalid", "/key"),
            ({"key": "a__b"}, "invalid", "/key"),
            ({"key": ""}, "blank", "/key"),
            *(
                ({"key": f"budget_{end}"}, "invalid", "/key")
                for end in ("min", "max", "after", "before", "not", "empty")
            ),
            ({"key": "x" * 64}, "max_length", "/key"),
            ({"type": "matrix"}, "invalid_choice", "/type"),
            ({"type": "select"}, "required", "/options"),
            ({"type": "select", "options": ["a", "a"]}, "invalid", "/options"),
            ({"options": ["a"]}, "invalid", "/options"),
            ({"kind": "robot"}, "invalid_choice", "/kind"),
            ({"label": None}, "null", "/label"),
        ):
            problem(self.as_manager.post("/api/custom-fields", BUDGET | change), 400, code, pointer)

    def test_a_key_comes_once_per_kind(self):
        self.as_manager.post("/api/custom-fields", BUDGET)

        problem(self.as_manager.post("/api/custom-fields", BUDGET), 409, "key_taken", "/key")
        contact = BUDGET | {"kind": "contact"}
        assert self.as_manager.post("/api/custom-fields", contact).status_code == 201

    def test_an_exact_key_comes_before_a_suffix(self):
        """A field may have such a key from before; its values are what the parameter of that name compares."""
        CustomFieldFactory(actor=self.alice, **BUDGET)
        older = CustomFieldFactory(actor=self.alice, **BUDGET | {"key": "other"})
        type(older).objects.filter(pk=older.pk).update(key="budget_min")
        for name, fields in (
            ("low", {"budget": 9, "budget_min": 3}),
            ("high", {"budget": 1, "budget_min": 5}),
        ):
            self.deal(name=name, custom_fields=fields)

        assert self.as_bob.names("/api/deals", custom_budget_min="5") == ["high"]
        assert self.as_bob.names("/api/deals", custom_budget_max="5") == ["high"]
        assert self.as_bob.names("/api/deals", custom_budget_min_min="4") == ["high"]
        path = f"/api/custom-fields/{older.pk}"
        assert self.as_manager.patch(path, {"label": "Lowest"}).status_code == 200

    def test_key_kind_and_type_stay(self):
        path = f"/api/custom-fields/{CustomFieldFactory(actor=self.alice, **BUDGET).pk}"

        for change in ({"key": "other"}, {"kind": "contact"}, {"type": "text"}):
            problem(self.as_manager.patch(path, change), 400, "immutable", *(f"/{name}" for name in change))
        assert self.as_manager.patch(path, {"label": "Cost"}).json()["label"] == "Cost"

    def test_the_list_can_be_narrowed_to_a_kind(self):
        CustomFieldFactory(actor=self.alice, **BUDGET)
        CustomFieldFactory(actor=self.alice, kind="contact", key="vip", type="checkbox")

        keys = [row["key"] for row in self.as_bob.rows("/api/custom-fields", kind="contact")]

        assert keys == ["vip"]
        problem(self.as_bob.get("/api/custom-fields", kind="robot"), 400, "invalid", "/kind")


VALUES = {
    "text": ("plain", ["", "Éa", "b\\'\"%_"]),
    "textarea": ("long", ["two\nlines"]),
    "number": ("figure", [0, -1.5, 10**14, 0.1]),
    "select": ("choice", ["red", "blue"]),
    "multiselect": ("many", [[], ["red"], ["red", "blue"]]),
    "checkbox": ("flag", [True, False]),
    "date": ("day", ["2024-02-29"]),
}
WRONG = {
    "plain": ["x" * 256, 1, [], {}, "\x00", "\ud800"],
    "figure": ["1", True, [], 1234567890123456, 0.1234567890123456],
    "choice": ["green", 1, ["red"], {}],
    "many": ["red", ["green"], [["red"]], [{}], {}],
    "flag": ["true", 1],
    "day": ["2024-02-30", "20240201", "٢٠٢٤-٠١-٠١", 1],
    "title": ["x"],
}


class ValueTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        for type_, (key, _) in VALUES.items():
            for kind in ("deal", "contact"):
                options = ["red", "blue"] if "select" in type_ else []
                CustomFieldFactory(actor=cls.alice, kind=kind, key=key, type=type_, options=options)
        CustomFieldFactory(actor=cls.alice, key="title", type="heading")

    def test_values_come_back_as_they_were_sent(self):
        for key, values in VALUES.values():
            for value in values:
                answer = self.as_bob.post("/api/deals", {"name": "Deal", "custom_fields": {key: value}})
                assert answer.status_code == 201, answer.content
                assert answer.json()["custom_fields"] == {key: value}

    def test_wrong_values_are_named(self):
        for key, values in WRONG.items():
            for value in values:
                answer = self.as_bob.post("/api/deals", {"name": "Deal", "custom_fields": {key: value}})
                problem(answer, 400, "invalid", f"/custom_fields/{key}")

    def test_undeclared_keys_and_other_shapes_are_refused(self):
        for fields, code, pointer in (
            ({"nope": 1}, "unknown_field", "/custom_fields/nope"),
            ([], "invalid", "/custom_fields"),
            ("x", "invalid", "/custom_fields"),
            (None, "null", "/custom_fields"),
        ):
            answer = self.as_bob.post("/api/deals", {"name": "Deal", "custom_fields": fields})
            problem(answer, 400, code, pointer)

    def test_values_are_merged_and_null_removes(self):
        deal = self.deal(custom_fields={"plain": "a", "figure": 1})

        answer = self.as_bob.patch(
            f"/api/deals/{deal.uuid}", {"custom_fields": {"plain": None, "flag": True}}
        )

        assert answer.json()["custom_fields"] == {"figure": 1, "flag": True}

    def test_a_required_one_is_asked_for(self):
        CustomFieldFactory(actor=self.alice, key="must", required=True)

        problem(self.as_bob.post("/api/deals", {"name": "Deal"}), 400, "required", "/custom_fields/must")

    def test_filters_compare_by_the_type_of_the_definition(self):
        for value in (1, 2, 10):
            self.deal(name=f"{value}", custom_fields={"figure": value})
        fields = {"many": ["red"], "flag": True, "day": "2024-01-01", "plain": "é'"}
        self.deal(name="fields", custom_fields=fields)

        for key, value, found in (
            ("figure", "1", ["1"]),
            ("figure", "10.0", ["10"]),
            ("many", "red", ["fields"]),
            ("many", "re", []),
            ("flag", "true", ["fields"]),
            ("flag", "false", []),
            ("day", "2024-01-01", ["fields"]),
            ("plain", "é'", ["fields"]),
            ("plain", "e'", []),
            ("long", "x", []),
        ):
            assert self.as_bob.names("/api/deals", **{f"custom_{key}": value}) == found, (key, value)

    def test_wrong_filters_are_refused(self):
        for name, value in (("figure", "x"), ("figure", "1_0"), ("flag", "1"), ("day", "yesterday")):
            answer = self.as_bob.get("/api/deals", **{f"custom_{name}": value})
            problem(answer, 400, "invalid", f"/custom_{name}")
        for name in ("custom_nope", "custom_", "custom_title", "custom_figure__gt"):
            assert self.as_bob.get("/api/deals", **{name: "1"}).status_code == 400

    def test_orderings(self):
        for value in (2, None, 10, 1):
            self.deal(name=f"{value}", custom_fields={} if value is None else {"figure": value})

        assert self.as_bob.names("/api/deals", ordering="custom_figure") == ["1", "2", "10", "None"]
        assert self.as_bob.names("/api/deals", ordering="-custom_figure") == ["10", "2", "1", "None"]
        for name in ("custom_nope", "custom_many", "custom_title"):
            problem(self.as_bob.get("/api/deals", ordering=name), 400, "invalid", "/ordering")

    def test_contacts_have_their_own(self):
        person = self.person(custom_fields={"choice": "red"})

        found = self.as_bob.rows("/api/contacts", custom_choice="red")

        assert [row["uuid"] for row in found] == [str(person.uuid)]
        assert self.as_bob.rows("/api/contacts", custom_choice="blue") == []

    def test_values_survive_their_definition(self):
        deal = self.deal(custom_fields={"plain": "kept"})
        definitions = {row["key"]: row["id"] for row in self.as_bob.rows("/api/custom-fields", kind="deal")}
        self.as_manager.delete(f"/api/custom-fields/{definitions['plain']}")

        body = self.as_bob.get(f"/api/deals/{deal.uuid}").json()

        assert body["custom_fields"] == {"plain": "kept"}
        assert self.as_bob.patch(f"/api/deals/{deal.uuid}", body).status_code == 200
        problem(self.as_bob.get("/api/deals", custom_plain="kept"), 400, "invalid", "/custom_plain")
